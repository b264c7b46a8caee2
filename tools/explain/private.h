/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the chains, and following one sector; a part of tools/explain/explain.h.
 */
#ifndef MIRRORSIM_TOOLS_EXPLAIN_PRIVATE_H
#define MIRRORSIM_TOOLS_EXPLAIN_PRIVATE_H

#include "tools/explain/explain.h"

/* These concern every sector. */
#define OF_JOB                                                                    \
    (EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | EVENT_BIT(JOB_READY) |     \
     EVENT_BIT(JOB_PAUSED) | EVENT_BIT(JOB_RESUMED) | EVENT_BIT(JOB_COMPLETED) |  \
     EVENT_BIT(JOB_CANCELLED) | EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED) | \
     EVENT_BIT(GRAPH_PIVOT) | EVENT_BIT(POWER_CUT))

#define MAX_COPIES 64

/* A copy of the sector in flight: a read by the job, then the write of what it read. */
struct copy {
    uint32_t read;  /* request number; 0 = the copy writes zeroes */
    uint32_t write; /* request number; 0 = not yet submitted */
    bool taken;     /* the read has taken effect ... */
    uint64_t tag;   /* ... and read this */
    uint64_t taken_ns;
};

/* How the sector came to differ without anything in flight that would repair it. */
enum wrong_kind {
    WRONG_NOT,
    WRONG_OLD_OVER_NEW, /* a write brought older content */
    WRONG_FAILED,       /* a request of the job failed */
    WRONG_CLEARED,      /* the dirty bit was cleared */
    WRONG_UNMARKED,     /* the guest wrote, and no bit was set */
    WRONG_UNWATCHED,    /* the guest wrote after the job had given up its bitmap */
    WRONG_NOT_WRITTEN,  /* a write succeeded but did not write the data */
    WRONG_TARGET,       /* something other than the job changed the target */
    WRONG_ENDED,        /* the job succeeded while the sector was still owed */
    WRONG_BITMAP_GONE,  /* the job gave up its bitmap while the sector was still owed */
};

/* Where it went wrong. */
struct wrong {
    enum wrong_kind kind;
    uint64_t ns;
    uint32_t request;
    struct copy copy;
    uint32_t earlier_by; /* request that had written to the target what the source holds, or 0 */
    uint64_t earlier_ns;
    bool guest; /* a guest write of the sector was in flight */
    bool read;  /* a copy of it was in flight */
};

struct follow {
    struct one_run *run;
    const struct explain_subject *subject;
    struct explanation *explanation;
    uint64_t sector;
    uint32_t source;
    uint32_t target;

    /* The present state. */
    uint64_t source_tag;
    uint64_t target_tag;
    bool tracked; /* the job has a dirty bitmap ... */
    uint16_t bitmap;
    bool dirty; /* ... and the sector's bit is set */
    bool was_marked;
    bool started;
    bool ready;
    bool pivoted;
    bool ended;
    bool failed; /* ended, but not with success */
    bool closed; /* nothing is owed any more */
    struct copy copies[MAX_COPIES];
    uint32_t copy_count;
    uint32_t guest_in_flight; /* guest writes of the sector on the source */

    /* The state before the current timeline event. */
    uint64_t source_before;
    uint64_t target_before;

    /* The last known request of each kind, by number; 0 = none. */
    uint32_t changed_by; /* guest request that changed the source */
    uint64_t changed_ns;
    uint64_t cleared_ns;
    bool was_cleared;
    uint64_t set_ns;
    uint32_t written_by; /* request that wrote what is on the target now */
    uint64_t written_ns;
    uint32_t earlier_by; /* request that wrote what was there before */
    uint64_t earlier_ns;
    uint64_t flushed_ns; /* last successful flush of the target */
    bool was_flushed;

    struct wrong wrong;
};

bool follow_covers(const struct follow *follow, const struct event *event);

/* Notes the effect of one event on the copies in flight and the dirty bit. */
void follow_event(struct follow *follow, const struct event *event);

/* Judges the state after a timeline event whose first event in the trace is `first`. */
void follow_judge(struct follow *follow, uint64_t first);

/* The summary in words; the caller frees it. */
char *follow_sum(const struct follow *follow);

#endif
