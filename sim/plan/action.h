/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions of a plan: its steps, what it does at instants, and what it does when events match.
 */
#ifndef MIRRORSIM_SIM_PLAN_ACTION_H
#define MIRRORSIM_SIM_PLAN_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "sim/plan/disk.h"
#include "sim/plan/match.h"

/* An instant that is left to the search: untimed, any moment may be it; else it is the first. */
#define AT_WHENEVER UINT64_MAX

struct guest_request {
    enum op op;
    uint64_t offset;
    uint64_t bytes;
    const char *tag; /* name for expectations, or NULL */
    bool has_latency;
    uint64_t latency_ns; /* replaces the disk's latency */
};

/* Fields of a job, or of a final check, that must have these values. */
enum query_field {
    QUERY_OFFSET,
    QUERY_LEN,
    QUERY_SPEED,
    QUERY_BUSY,
    QUERY_PAUSED,
    QUERY_READY,
    QUERY_CANCELLED,
    QUERY_IO_STATUS, /* enum io_status */
    QUERY_STATUS,    /* enum job_status */
    QUERY_KIND,      /* enum job_kind */
    /* today's generation: */
    QUERY_SYNCED, /* actively synced */
    QUERY_DIRTY,  /* bytes */
    QUERY_ERROR,  /* its text contains `text` */
};

enum comparison {
    COMPARE_EQUAL,
    COMPARE_AT_LEAST,
    COMPARE_AT_MOST,
};

struct query_check {
    enum query_field field;
    enum comparison comparison;
    uint64_t value;
    struct where where;
    const char *text; /* ERROR */
};

/* Attributes that a disk must have; MATCH_ANY: not checked. */
struct disk_check {
    int io_status; /* enum io_status */
    int tracks;    /* is it tracked? */
    int on_error;  /* enum error_policy */
    int flags;     /* exactly these open flags */
};

/* `index` of DRAIN and UNDRAIN that is no disk: the job's filter. */
#define DRAIN_FILTER PLAN_MAX_DISKS

enum wait_kind {
    WAIT_EVENT,      /* an event matches, from now on or, with `since_start`, since the start */
    WAIT_CONCLUDED,  /* COMPLETED or CANCELLED has happened, now or before */
    WAIT_HELD,       /* hold `index` holds a request, now or since before */
    WAIT_DURATION,   /* within_ns passes */
    WAIT_GUEST_IDLE, /* no guest request is queued or in flight */
    WAIT_GUEST_TAG,  /* guest requests of that tag have been made, and all are over */
    WAIT_PROGRESS,   /* the job has said that it is so far */
};

struct wait_spec {
    enum wait_kind kind;
    struct event_match match; /* WAIT_EVENT */
    uint64_t nth;             /* WAIT_EVENT: ordinal of the match to wait for, from 1 */
    bool since_start;         /* count matches of the whole run, not from the step on */
    uint32_t index;           /* WAIT_HELD: fault */
    const char *tag;          /* WAIT_GUEST_TAG */
    uint64_t progress_ppm;    /* WAIT_PROGRESS: of the whole; 0: ... */
    uint64_t progress_bytes;  /* ... that many */
    uint64_t within_ns;       /* 0 = only the run's limits apply */
};

/* What happens to writes that no flush has made durable. */
enum power_cut {
    CUT_BY_CHOICE, /* the quiet answer keeps them */
    CUT_LOSES_ALL,
    CUT_KEEPS_ALL,
};

enum action_kind {
    DO_START,
    DO_COMPLETE,
    DO_CANCEL,
    DO_PAUSE,
    DO_RESUME,
    DO_FINALIZE, /* this one and the next two: today's generation */
    DO_DISMISS,
    DO_CHANGE, /* of the copy mode */
    DO_SET_SPEED,
    DO_GUEST,
    DO_HOLD,      /* arms fault `index` */
    DO_RELEASE,   /* releases what fault `index` holds or hangs, and disarms it */
    DO_MARK,      /* mark `index` */
    DO_POWER_CUT, /* disk `index` */
    DO_USE,       /* another user wants disk `index` for itself */
    DO_QUERY,
    DO_QUERY_DISK, /* disk `index` */
    DO_JOB_NONE,   /* checks that no job exists */
    DO_DRAIN,      /* another user begins a drained section over disk `index`, or the filter ... */
    DO_UNDRAIN,    /* ... and ends it */
    /* only as steps: */
    DO_WAIT,
    DO_AT,     /* wait for an absolute instant */
    DO_SETTLE, /* wait until the job has concluded and the guest is idle */
};

struct action {
    enum action_kind kind;
    struct where where;
    int64_t speed;            /* SET_SPEED */
    bool force;               /* CANCEL */
    enum copy_mode copy_mode; /* CHANGE */
    struct guest_request guest;
    uint32_t index;             /* HOLD, RELEASE: fault; MARK: mark; others: disk */
    enum power_cut cut;         /* POWER_CUT */
    struct wait_spec wait;      /* WAIT; SETTLE uses within_ns */
    uint64_t at_ns;             /* AT; or AT_WHENEVER */
    struct query_check *checks; /* QUERY */
    uint32_t check_count;
    struct disk_check disk; /* QUERY_DISK */
    bool expect_refused;    /* START and commands */
    int refusal;            /* the expected enum job_refusal, or MATCH_ANY */
    const char *saying;     /* what the refusal's sentence must contain, or NULL */
    /* accepting and refusing are both fine (reactions, reference traces); QUERY: so is no job */
    bool may_be_refused;
};

/* When an event matches, does the action `delay_ns` later, as an event of its own. */
struct react_spec {
    struct where where;
    struct event_match when;
    uint64_t nth;    /* only the nth match; 0 = every one */
    bool of_arrival; /* the ANSWERED of the guest request that is the nth to arrive */
    uint64_t limit;  /* maximum number of times; 0 = no bound */
    uint64_t delay_ns;
    bool optional; /* if it acts in no run, that is no finding */
    struct action action;
};

/* Does the action at an instant. */
struct timed_spec {
    struct where where;
    uint64_t at_ns; /* or AT_WHENEVER */
    struct action action;
};

#endif
