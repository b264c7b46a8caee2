/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of the oracle "liveness", and its part that is a file of its own: how runs end
 * (liveness_end.c).  The oracle itself is oracle_liveness of sim/oracle/oracles.h.
 */
#ifndef MIRRORSIM_SIM_ORACLE_LIVENESS_H
#define MIRRORSIM_SIM_ORACLE_LIVENESS_H

#include "sim/model/outstanding.h"
#include "sim/trace/evidence.h"

/* `drained_node` of a section over everything. */
#define LIVENESS_ALL_NODES 0xff

struct liveness {
    bool has_spoken; /* the job has reported something */
    bool alive;
    bool ready;
    bool parked;
    bool cancelled;
    bool completing;   /* a complete has been given */
    bool told_before;  /* `completing` before the last command, in case that is refused */
    bool overdue;      /* a late READY has been reported */
    uint8_t last_word; /* event kind of the job's last report */
    uint64_t last_word_ns;
    uint64_t quiet_since_ns;
    uint32_t job_requests; /* in flight */
    uint32_t guest_requests;
    bool is_draining; /* `drained_node` is being drained, since `drain_ns` */
    uint8_t drained_node;
    uint64_t drain_ns;
    bool is_stopped; /* a fault holds or hangs the request `stopped` */
    struct event stopped;

    uint64_t last_write;     /* one above the number of the last event with which a guest write
                                took effect, ... */
    uint64_t last_drain;     /* ... with which a drained section of the job began, ... */
    uint64_t last_disturbed; /* ... of the last command, fault, pause or resumption; 0: none yet */

    /* Today's generation only. */
    bool pending;                   /* waits for finalize */
    struct outstanding_list guests; /* without an answer; `moved`: when they came */
};

/*
 * Would the job have had to get on, since event `from`, instead of coming back to the state that it
 * was in?  Becoming ready is its duty, and ending once it is told to complete or cancelled.  If the
 * guest writes on the way round, the job may have too much to copy, and need not get on: until it
 * holds the guest still itself, in a drained section of its own, or has been cancelled before it
 * was ready.  It owes nothing while it is paused, or pending, or a request of a fault is kept; nor
 * if a command, a fault, a pause or a resumption is part of the cycle, and keeps it from ending.
 */
bool liveness_repeats(const void *state, const struct evidence *evidence, uint64_t from);

/* Does the job wait for a command that nobody will give, or why has the run not ended? */
void liveness_judge_end(const struct liveness *live, struct evidence *evidence);

#endif
