/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside today's mirror: the state of one job, and its phases.
 *
 * The job's run is a strand (engine/life/strand.h) whose stack is a phase and the fields below.
 * Every place where the run can wait is a phase marked *; a wait inside a pause point is a state of
 * the life, and `phase` says what follows it.
 *
 * Only engine/modern/ includes this header.
 */
#ifndef MIRRORSIM_ENGINE_MODERN_MODERN_H
#define MIRRORSIM_ENGINE_MODERN_MODERN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bitmap.h"
#include "engine/life/life.h"
#include "engine/modern/op.h"
#include "engine/zeroes.h"

#define MODERN_MAX_IN_FLIGHT 16u
#define MODERN_MIN_COPY_BYTES                                                                     \
    (UINT64_C(1) << 20)                            /* O5: an op moves at least so much, if it can \
                                                    */
#define MODERN_BUFFER_BYTES (UINT64_C(16) << 20)   /* S5' */
#define MODERN_MAX_ZERO_BYTES UINT64_C(2147483136) /* Z3 */
#define MODERN_MAX_WALK_BYTES UINT64_C(2147483647) /* R6', rounded down to the granularity */

/* X(enumerator, name in traces) */
#define MODERN_PHASES(X)                                                               \
    X(ENTRY, "entry")     /* R1': the pause point of the beginning */                  \
    X(BEGIN, "begin")     /* R2', R4', R5', Z2 */                                      \
    X(EMPTY, "empty")     /* * R2': length 0, until complete or cancel */              \
    X(PREZERO, "prezero") /* Z3: one more zero operation */                            \
    X(PREZERO_POINT, "prezero-point")                                                  \
    X(PREZERO_SLOT, "prezero-slot") /* * 16 in flight: for the oldest */               \
    X(PREZERO_REST, "prezero-rest") /* * for all of them */                            \
    X(WALK, "walk")                 /* R6': one more question */                       \
    X(WALK_POINT, "walk-point")                                                        \
    X(WALK_STATUS, "walk-status") /* * for its answer */                               \
    X(PASS, "pass")               /* L1': at the beginning of a pass */                \
    X(PASS_POINT, "pass-point")                                                        \
    X(COUNT, "count")               /* L2', L3' */                                     \
    X(WAIT_OLDEST, "wait-oldest")   /* * L3' */                                        \
    X(SEARCH, "search")             /* O1, O2 */                                       \
    X(WAIT_CHUNK, "wait-chunk")     /* * O2: for who holds the chunk */                \
    X(SEARCH_POINT, "search-point") /* O3 */                                           \
    X(TAKE, "take")                 /* O4 */                                           \
    X(CUT, "cut")                   /* O5: what is the next piece? */                  \
    X(CUT_STATUS, "cut-status")     /* * for its answer */                             \
    X(CUT_SLOT, "cut-slot")         /* * O6: 16 in flight */                           \
    X(SETTLE, "settle")             /* L4' */                                          \
    X(FLUSH, "flush")               /* * L4': the one before READY */                  \
    X(FINISH, "finish")             /* L5', L6': what next? */                         \
    X(DRAIN, "drain")               /* * L5': the source's drained section begins */   \
    X(LAST_FLUSH, "last-flush")     /* * L5' */                                        \
    X(UNDRAIN, "undrain")           /* * L5': it ends again */                         \
    X(SLEEP, "sleep")               /* * L6' */                                        \
    X(RATE, "rate")                 /* * T2' */                                        \
    X(EXIT_OPS, "exit-ops")         /* * operations in flight end */                   \
    X(EXIT_DRAIN, "exit-drain")     /* * the source's section, if there is none yet */ \
    X(ENDED, "ended")

enum modern_phase {
#define X(id, name) MODERN_##id,
    MODERN_PHASES(X)
#undef X
        MODERN_PHASE_COUNT
};

/* The phases of a start: it may have to wait in each of its three drained sections (S10'). */
enum start_phase {
    START_FILTER,  /* the filter goes in */
    START_JOB,     /* the job is made */
    START_NODES,   /* source and target are attached */
    START_UNDOING, /* a start that failed takes the filter out again (S11') */
    START_DONE,
};

struct engine_job {
    struct life life; /* first */
    struct strands strands;
    struct strand run;
    enum start_phase start_phase;
    enum modern_phase phase;
    enum modern_phase traced_phase;

    struct block_node *filter;
    bool filter_knows; /* R7': active requests are possible */
    bool write_blocking;
    bool actively_synced;
    bool is_draining;      /* begins or has its own section over the source */
    bool was_ready_finish; /* L6': finish of this very pass */
    bool complete_wanted;
    bool prepared; /* C6' has run: abort has nothing to do */
    int stored_error;

    uint64_t length;
    uint64_t granularity;
    uint64_t chunks;
    uint64_t cluster; /* of the target; SECTOR_BYTES if it can't say */
    bool cow_by_hand; /* R4': copies are widened to whole clusters */
    /*
     * The target's backing file is not open, but named or to be attached at the end: what the
     * target lacks reads zero now, and otherwise once it is there (D'1, D'15).
     */
    bool hides_backing;
    uint64_t buffer_bytes;
    uint32_t max_iov;

    /* One bit per chunk. */
    struct block_dirty *dirty;
    struct bitmap in_flight;
    /*
     * The target may fill the chunk's clusters with zeroes where they are not allocated: they are
     * allocated, or all of them is zero on the source, too (a skipped zero operation: Z4).
     */
    struct bitmap whole;
    struct bitmap zero;      /* Z1; size 0: none */
    struct bitmap zero_owed; /* D'1: right only while the target's backing is closed */
    struct bitmap remarked;  /* D'32: marked while a widened copy had it in its margin */
    void *bitmap_memory;
    uint64_t bitmap_memory_bytes;

    struct op_list ops;
    uint32_t ops_in_flight; /* background, with their buffers */
    uint64_t bytes_in_flight;
    uint32_t active_count;
    uint64_t active_bytes_in_flight;

    struct block_buffers *buffers;
    uint32_t buffer_count;
    uint32_t *free_ring; /* FIFO of free chunk buffers */
    uint32_t free_head;
    uint32_t free_count;

    uint64_t walk;   /* R6': bytes asked about */
    uint64_t cursor; /* O1: chunk at which the iterator stands */
    uint64_t slice_clock_ns;
    bool was_dirty; /* L4': at the top of the pass */

    struct copy_op *run_op; /* O4: the pseudo operation of the run being cut */
    uint64_t cut_offset;
    uint64_t cut_end;
    struct block_answer answer; /* WALK_STATUS, CUT_STATUS */
    enum op_kind cut_kind;      /* CUT_SLOT: the piece that waits to be launched */
    uint64_t cut_bytes;

    struct block_node *to_replace; /* claimed by complete; NULL: the source */
    struct block_node *base;       /* of the walk, and what the target's backing becomes */
    bool base_was_read_only;       /* a commit's */
};

#endif
