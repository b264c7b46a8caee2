/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which requests and events are meant: matches, for faults, steps, reactions and expectations.
 */
#ifndef MIRRORSIM_SIM_PLAN_MATCH_H
#define MIRRORSIM_SIM_PLAN_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"

/* Requests and queries.  Zero fields match anything. */
struct request_match {
    uint64_t disks; /* bit per disk */
    uint32_t ops;   /* bit per enum op */
    enum by by;
    bool has_range; /* overlaps [offset, offset + bytes) */
    uint64_t offset;
    uint64_t bytes;
};

#define MATCH_ANY (-1)

/* A kind's bit in a set of event kinds, like EVENT_BIT(JOB_READY). */
#define EVENT_BIT(kind) (UINT64_C(1) << EVENT_##kind)

/* What a job reports to its operator: the kinds of which EXPECT_EVENTS lists every event. */
#define JOB_REPORTS                                                               \
    (EVENT_BIT(JOB_READY) | EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_PAUSED) |        \
     EVENT_BIT(JOB_RESUMED) | EVENT_BIT(JOB_PENDING) | EVENT_BIT(JOB_COMPLETED) | \
     EVENT_BIT(JOB_CANCELLED))

/* The same, and changes of status where these are listed. */
static inline uint64_t job_reports(bool lists_status)
{
    return JOB_REPORTS | (lists_status ? EVENT_BIT(JOB_STATUS) : 0);
}

/* Events of the trace.  MATCH_ANY (and zero masks) match anything. */
struct event_match {
    uint64_t kinds;               /* of EVENT_BIT() */
    struct request_match request; /* for requests and for error events (ops = READ or WRITE) */
    int action;                   /* enum error_action, for error events */
    int verb;                     /* enum job_verb, for commands */
    int refusal;                  /* enum job_refusal, for refusals */
    int index;                    /* mark, fault or hold, by event kind */
    bool has_ret;
    int ret;           /* 0 or -errno */
    uint32_t statuses; /* bit per enum job_status that is entered, for JOB_STATUS; 0: any */
};

/* True if the event matches; the trace's own node ids are disk indices. */
bool event_matches(const struct event_match *match, const struct event *event);
bool request_matches(const struct request_match *match, uint8_t disk, enum op op, enum by by,
                     uint64_t offset, uint64_t bytes);

/* A match for every event of one kind. */
struct event_match event_match_kind(enum event_kind kind);

#endif
