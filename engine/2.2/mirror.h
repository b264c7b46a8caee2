/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the mirror engine: the state of one job, and its phases.
 *
 * The job is an explicit state machine.  What a coroutine would keep on a
 * stack is a phase and the fields below.  mirror_run() lets the machine go on
 * until it has to wait; everything that can end a wait (a completion, a
 * timer, a command) changes the phase and calls mirror_run() again.
 *
 * Only engine/ includes this header.
 */
#ifndef MIRRORSIM_ENGINE_2_2_MIRROR_H
#define MIRRORSIM_ENGINE_2_2_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/2.2/job.h"
#include "engine/2.2/ratelimit.h"
#include "engine/bitmap.h"
#include "engine/block.h"
#include "engine/range.h"

/* The most operations in flight (section 1). */
#define MIRROR_MAX_IN_FLIGHT 16

/* The most chunk buffers in one operation (I8, D8). */
#define MIRROR_MAX_OP_CHUNKS 1024

/* X(enumerator, name in traces); those marked * are where a job can wait. */
#define MIRROR_PHASES(X)                                                                     \
    X(CREATED, "created")                                                                    \
    X(POPULATE, "populate")         /* R6: walking the allocation map */                     \
    X(STATUS, "status")             /* * R6: an allocation query takes time */               \
    X(PASS, "pass")                 /* L1-L3: at the beginning of a pass */                  \
    X(ISSUE, "issue")               /* I: choosing one operation */                          \
    X(WAIT_OP, "wait-op")           /* * L3: until an operation finishes */                  \
    X(WAIT_CHUNK, "wait-chunk")     /* * I2: the chunk is in flight */                       \
    X(WAIT_BUFFERS, "wait-buffers") /* * I3: not enough chunk buffers for the first piece */ \
    X(FLUSH, "flush")               /* * L4 */                                               \
    X(DRAIN, "drain")               /* * L5 */                                               \
    X(SLEEP, "sleep")               /* * L6, R6: a timer is set */                           \
    X(PARKED, "parked")             /* * paused */                                           \
    X(EMPTY, "empty")               /* * R2: zero length, until complete or cancel */        \
    X(EXIT, "exit")                 /* * the loop has ended; operations in flight finish */  \
    X(DEFERRED, "deferred")         /* * completion will run from the main loop */           \
    X(CONCLUDED, "concluded")

enum mirror_phase {
#define X(id, name) PHASE_##id,
    MIRROR_PHASES(X)
#undef X
        PHASE_COUNT
};

/* One copy: a read of the source, then a write of the target. */
struct mirror_op {
    struct engine_job *mirror;
    uint64_t first; /* chunk */
    uint32_t chunks;
    uint64_t offset;
    uint64_t bytes;     /* the last chunk may be short */
    uint32_t buffers[]; /* one per chunk */
};

struct engine_job {
    struct job job;
    enum mirror_phase phase;
    enum mirror_phase traced_phase; /* the last one in the trace */
    int ret;                        /* first reported error, then the result (L1, E3) */

    /* Geometry, fixed once population begins. */
    uint64_t length;
    uint64_t granularity;
    uint64_t chunks;
    uint64_t cluster; /* of the target, if copied on write by hand (R4); else 0 */
    uint64_t buffer_bytes;

    /* Bitmaps, one bit per chunk. */
    struct block_dirty *dirty;
    struct bitmap in_flight;
    struct bitmap cow; /* the chunk's cluster is allocated on the target; if `cluster` */
    /* Written since the last good flush; if the target has a cache (D23). */
    struct bitmap unflushed;
    void *bitmap_memory;
    uint64_t bitmap_memory_bytes;

    /* Population (R6): chunks [run_start, walk) are to be marked. */
    bool populated;
    uint64_t walk;
    uint64_t run_start;
    struct block_node *base;

    /* The copy loop. */
    uint64_t cursor; /* chunk at which the dirty iterator stands (R7) */
    uint64_t last_pause_ns;
    struct ratelimit limit;
    struct host_timer *timer; /* PHASE_SLEEP, PHASE_DEFERRED */
    uint64_t wake_ns;         /* PHASE_SLEEP: when the timer is due */
    bool draining;            /* the source is being, or is, drained */

    /* Operations and chunk buffers (R5, I4). */
    struct mirror_op *ops[MIRROR_MAX_IN_FLIGHT];
    uint32_t ops_in_flight;
    uint64_t bytes_in_flight;
    struct block_buffers *buffers;
    uint32_t buffer_count;
    uint32_t *free_ring; /* FIFO of free chunk buffers */
    uint32_t free_head;
    uint32_t free_count;

    /* Completion (C4, C6). */
    bool complete_wanted;
    struct block_node *to_replace; /* claimed by complete; NULL = the source */
};

/* mirror.c: the machine. */
const char *mirror_phase_name(unsigned phase);
void mirror_set_phase(struct engine_job *mirror, enum mirror_phase phase);

/* Emits the phase if it has changed since the last time. */
void mirror_trace_phase(struct engine_job *mirror);
void mirror_run(struct engine_job *mirror);
void mirror_exit(struct engine_job *mirror, int ret);
void mirror_sleep(struct engine_job *mirror, uint64_t delay_ns);
void mirror_park(struct engine_job *mirror);

/* A wait is over, or a part begins: L7, then the next pass or the walk of R6. */
void mirror_go_on(struct engine_job *mirror);

/*
 * Ends a sleep, a parking or the wait of an empty job (C2, C3, C4); otherwise
 * does nothing.  A delay that the rate limit still asks for is slept before
 * the next operation (T3).
 */
void mirror_kick(struct engine_job *mirror);

/*
 * Ends a pass of the loop (L5, L6): drains, sleeps or exits, by case.  `finish` is L4's; `delay_ns`
 * is what the rate limit asked for.
 */
void mirror_end_pass(struct engine_job *mirror, bool finish, uint64_t delay_ns);

/* mirror_start.c: S, R and the bitmap population. */
/* S1-S5, D18: is the request one that can be served?  Changes nothing. */
int mirror_check_spec(const struct job_spec *spec, struct job_error *error);
int mirror_start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error);
void mirror_begin(struct engine_job *mirror);
void mirror_populate(struct engine_job *mirror);

/* mirror_issue.c: section 5, and what an operation's end does. */
void mirror_issue(struct engine_job *mirror);

/* mirror_command.c: section 8's verbs. */
int mirror_command(struct engine_job *mirror, enum job_verb verb, int64_t arg,
                   struct job_error *error);

/* mirror_finish.c: the end of the loop, completion and pivot. */
void mirror_wind_down(struct engine_job *mirror);
void mirror_release_to_replace(struct engine_job *mirror);

/* commit.c: section 9. */
int commit_start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error);

/* mirror_engine.c: what can be asked of a job, and its invariants. */
enum job_status mirror_status(const struct engine_job *mirror);
void mirror_check(const struct engine_job *mirror);

/* Is any chunk dirty? */
static inline bool mirror_is_dirty(const struct engine_job *mirror)
{
    return block_dirty_bits(mirror->dirty)->count > 0;
}

/* C3, L1: a cancel that does not wait for a consistent copy. */
static inline bool mirror_must_abort(const struct engine_job *mirror)
{
    return mirror->job.cancelled && !mirror->job.ready;
}

/* Bytes from one chunk on, clipped at the end of the device. */
static inline uint64_t mirror_chunk_bytes(const struct engine_job *mirror, uint64_t first,
                                          uint64_t chunks)
{
    return min_u64(chunks * mirror->granularity, mirror->length - first * mirror->granularity);
}

#endif
