/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of the oracle "bounds", and the half of it that judges requests and operations
 * (operations.c).
 *
 * The oracle itself is oracle_bounds of sim/oracle/oracles.h.
 */
#ifndef MIRRORSIM_SIM_ORACLE_BOUNDS_H
#define MIRRORSIM_SIM_ORACLE_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/model/outstanding.h"
#include "sim/trace/evidence.h"

#define MAX_KNOWN_OPS 64 /* as many are followed */

struct op_in_flight {
    uint64_t offset;
    uint64_t bytes;
    uint64_t chunks;
    uint32_t request; /* number of the request in flight: the read, then the write */
    bool was_read;    /* the read is done and the write not yet submitted */
};

#define FILTER PLAN_MAX_DISKS /* where `taken` has what it has taken on its filter */

/* What the job has taken on a disk and not given back. */
struct taken {
    int16_t references;
    int16_t blockers;
    int16_t drains; /* sections, too */
    int16_t bitmaps;
};

struct bounds {
    bool alive; /* a job has started and not ended */
    bool ended; /* in this timeline event: look for leftovers */
    bool pivoted;
    uint64_t granularity; /* 0 = not known */
    uint64_t buffers;     /* chunk buffers that the job has; 0 = not allocated */
    bool has_buffers;     /* it has had some; foreign code may do without */
    uint64_t chunks;      /* in flight */
    struct op_in_flight *ops;
    uint32_t op_count;
    uint32_t op_capacity;
    uint32_t unwritten; /* operations with `was_read` */
    uint32_t flushes;
    struct taken taken[PLAN_MAX_DISKS + 1];

    /* Today's generation only. */
    bool modern;
    bool has_taken_chunks;           /* before that it may fill the target with zeroes (Z3) */
    bool has_failed;                 /* active requests do not wait any more (W2) */
    bool gave_back;                  /* in this timeline event an operation has ended */
    bool guest_is_above;             /* behind the filter */
    struct outstanding_list actives; /* in flight */
};

/* A request of the job, an active one included, has been submitted: judges it, and follows it. */
void bounds_submitted(struct bounds *bounds, struct evidence *evidence, const struct event *event);

/* A request of the job is done: the operation ends, or its write has to follow in this event. */
void bounds_done(struct bounds *bounds, const struct event *event);

#endif
