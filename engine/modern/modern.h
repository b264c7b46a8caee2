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
#define MODERN_MIN_COPY_BYTES (UINT64_C(1) << 20) /* O5: an op moves at least that, if it can */
#define MODERN_BUFFER_BYTES (UINT64_C(16) << 20)  /* S5' */
#define MODERN_MAX_REQUEST_BYTES                                                         \
    UINT64_C(0x7fffffff)                     /* R6', Z3; rounded down to the granularity \
                                              */
#define MODERN_MIN_GRANULARITY UINT64_C(512) /* S1' */
#define MODERN_MAX_GRANULARITY (UINT64_C(64) << 20)

/* X(enumerator, name in traces); those with a star are waits, those with a P pause points. */
#define MODERN_PHASES(X)                                                                 \
    X(ENTRY, "entry")                 /* P R1' */                                        \
    X(BEGIN, "begin")                 /* R2', R4', R5' */                                \
    X(EMPTY, "empty")                 /* * R2': length 0, until complete or cancel */    \
    X(EMPTY_POINT, "empty-point")     /* P */                                            \
    X(POPULATE, "populate")           /* Z2, Z3 */                                       \
    X(PREZERO, "prezero")             /* Z3: is there more to do? */                     \
    X(PREZERO_POINT, "prezero-point") /* P */                                            \
    X(PREZERO_TAKE, "prezero-take")   /* one more zero operation */                      \
    X(PREZERO_SLOT, "prezero-slot")   /* * 16 in flight: for the oldest */               \
    X(PREZERO_REST, "prezero-rest")   /* * for all of them */                            \
    X(WALK, "walk")                   /* R6': is there more to ask? */                   \
    X(WALK_POINT, "walk-point")       /* P */                                            \
    X(WALK_ASK, "walk-ask")           /* one more question */                            \
    X(WALK_STATUS, "walk-status")     /* * for its answer */                             \
    X(PASS, "pass")                   /* L1': the beginning of a pass */                 \
    X(PASS_POINT, "pass-point")       /* P */                                            \
    X(COUNT, "count")                 /* L2', L3' */                                     \
    X(WAIT_OLDEST, "wait-oldest")     /* * L3' */                                        \
    X(SEARCH, "search")               /* O1 */                                           \
    X(WAIT_CHUNK, "wait-chunk")       /* * O2: for who holds the chunk */                \
    X(SEARCH_POINT, "search-point")   /* P O3 */                                         \
    X(TAKE, "take")                   /* O4 */                                           \
    X(CUT, "cut")                     /* O5: what is the next piece? */                  \
    X(CUT_STATUS, "cut-status")       /* * for its answer */                             \
    X(CUT_SLOT, "cut-slot")           /* * O6: 16 in flight: for the oldest */           \
    X(SETTLE, "settle")               /* L4': is all done? */                            \
    X(FLUSH, "flush")                 /* * L4': the one before READY */                  \
    X(SYNCED, "synced")               /* L4': READY, and actively synced */              \
    X(FINISH, "finish")               /* L5', L6': what next? */                         \
    X(DRAIN, "drain")                 /* * L5': the source's drained section begins */   \
    X(LAST_FLUSH, "last-flush")       /* * L5' */                                        \
    X(UNDRAIN, "undrain")             /* * L5': the section ends again */                \
    X(SLEEP, "sleep")                 /* L6': idle in the ready phase */                 \
    X(SLEEP_POINT, "sleep-point")     /* * P */                                          \
    X(RATE, "rate")                   /* T2' */                                          \
    X(RATE_POINT, "rate-point")       /* * P */                                          \
    X(PASS_END, "pass-end")           /* L6': the slice clock */                         \
    X(EXIT_OPS, "exit-ops")           /* * operations end */                             \
    X(EXIT_DRAIN, "exit-drain")       /* * the source's section, if there is none yet */ \
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
    START_FAILED,
};

struct engine_job {
    struct life life; /* first */
    struct strands strands;
    struct strand run;
    enum start_phase start_phase;
    bool start_waits; /* start() has answered -EINPROGRESS */
    int start_ret;
    struct job_error start_error;
    enum modern_phase phase;
    enum modern_phase traced_phase;

    struct block_node *filter;
    bool filter_knows; /* R7': active requests are possible */
    bool write_blocking;
    bool actively_synced;
    bool is_draining;       /* begins or has its own section over the source */
    bool has_paid;          /* D'1: what was owed before the first section at the end */
    bool has_failed_inside; /* D'46: something, since that has begun */
    bool finish;            /* L4': of this very pass */
    bool complete_wanted;
    bool prepared;    /* C6' has run: abort has nothing to do */
    int stored_error; /* E3' */
    int result;       /* of the run, from EXIT_OPS on */
    const char *result_text;
    int request_ret; /* of a flush */

    uint64_t length;
    uint64_t granularity;
    uint64_t chunks;
    uint64_t cluster; /* of the target; SECTOR_BYTES if it can't say */
    bool cow_by_hand; /* R4': copies are widened to whole clusters */
    /*
     * The target will have another backing file than it has now (none, or another one: D'45): what
     * the target lacks reads otherwise once it is there (D'1, D'15).
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
    struct bitmap unflushed; /* written since the last good flush; size 0: no cache (D'44) */
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

    uint64_t walk;   /* Z3, R6': bytes done or asked about */
    uint64_t cursor; /* O1: chunk at which the iterator stands */
    uint64_t slice_clock_ns;
    bool was_dirty;        /* L4': at the top of the pass */
    bool written_in_flush; /* D'44: since the flush was submitted */

    uint64_t rate_delay_ns; /* T2': of the sleep */

    struct copy_op *run_op; /* O4: the pseudo operation of the run being cut */
    uint64_t cut_offset;
    uint64_t cut_end;
    struct block_answer answer; /* WALK_STATUS, CUT_STATUS */
    enum op_kind cut_kind;      /* CUT_SLOT: the piece that waits to be launched */
    uint64_t cut_bytes;

    struct block_node *to_replace; /* claimed by complete; NULL: the source */
    struct block_node *base;       /* what the target's backing may become (C6') */
    bool base_was_read_only;       /* a commit's */
};

/* ---- The run (modern.c) ---- */

enum modern_turn {
    GOES_ON, /* the phase says how */
    WAITS,   /* something is to wake the run */
};

/* Looks up the driver's part of a life. */
static inline struct engine_job *modern_of_life(struct life *life)
{
    return (struct engine_job *)life; /* the first member */
}

/* The one writer of the phase; asserts that it may follow. */
void modern_set_phase(struct engine_job *mirror, enum modern_phase phase);
const char *modern_phase_name(unsigned phase);

/* Moves to the phase and goes on there. */
enum modern_turn modern_to(struct engine_job *mirror, enum modern_phase phase);

/* The run ends, once all operations have (section 5, Exit). */
enum modern_turn modern_exit(struct engine_job *mirror, int ret, const char *text);

/* The strand of the run, and what ends its waits from outside: questions, requests, sections. */
void modern_run(struct strand *strand);
void modern_wake(void *opaque);
void modern_request_done(void *opaque, int ret);

/*
 * Waits, in the present phase, for the oldest operation in flight; if there is none, for the first
 * that lacks its buffers.
 */
enum modern_turn modern_wait_oldest(struct engine_job *mirror);

/* ---- Steps of the run, by phase ---- */

/* populate.c */
enum modern_turn modern_begin(struct engine_job *mirror);
enum modern_turn modern_empty(struct engine_job *mirror);
enum modern_turn modern_populate(struct engine_job *mirror);
enum modern_turn modern_prezero(struct engine_job *mirror);
enum modern_turn modern_prezero_take(struct engine_job *mirror);
enum modern_turn modern_prezero_rest(struct engine_job *mirror);
enum modern_turn modern_walk(struct engine_job *mirror);
enum modern_turn modern_walk_ask(struct engine_job *mirror);
enum modern_turn modern_walk_answered(struct engine_job *mirror);

/* loop.c */
enum modern_turn modern_pass(struct engine_job *mirror);
enum modern_turn modern_count(struct engine_job *mirror);
enum modern_turn modern_settle(struct engine_job *mirror);
enum modern_turn modern_flushed(struct engine_job *mirror);
enum modern_turn modern_synced(struct engine_job *mirror);
enum modern_turn modern_finish_pass(struct engine_job *mirror);
enum modern_turn modern_drained(struct engine_job *mirror);
enum modern_turn modern_last_flushed(struct engine_job *mirror);
enum modern_turn modern_leave_section(struct engine_job *mirror);
enum modern_turn modern_undrained(struct engine_job *mirror);
enum modern_turn modern_sleep(struct engine_job *mirror);
enum modern_turn modern_rate(struct engine_job *mirror);
enum modern_turn modern_pass_end(struct engine_job *mirror);

/* issue.c */
enum modern_turn modern_search(struct engine_job *mirror);
enum modern_turn modern_wait_chunk(struct engine_job *mirror);
enum modern_turn modern_take(struct engine_job *mirror);
enum modern_turn modern_cut(struct engine_job *mirror);
enum modern_turn modern_cut_answered(struct engine_job *mirror);
enum modern_turn modern_cut_launch(struct engine_job *mirror);

/* finish.c */
enum modern_turn modern_exit_ops(struct engine_job *mirror);
enum modern_turn modern_exit_drained(struct engine_job *mirror);
enum modern_turn modern_ended(struct engine_job *mirror);
int modern_prepare(struct life *life);
void modern_abort(struct life *life);
void modern_free(struct life *life);

/* D'46: the run is in passes, with its section quiet over the source. */
static inline bool modern_copies_inside(const struct engine_job *mirror)
{
    return mirror->is_draining && mirror->phase < MODERN_DRAIN;
}

/* Ends it, from the main loop: the guest's queued requests arrive. */
void modern_end_section(struct engine_job *mirror);

/* Begins the source's section behind what is due; wakes the run when it is quiet. */
enum modern_turn modern_begin_section(struct engine_job *mirror);

/* ---- Parts ---- */

/* command.c */
int modern_complete(struct life *life, struct job_error *error);
bool modern_cancel(struct life *life, bool force);
int modern_change(struct life *life, int64_t mode, struct job_error *error);
void modern_release_to_replace(struct engine_job *mirror);

/* start.c */
int modern_start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error);

/* commit.c: A1'; 0 or -errno with *error filled in. */
int modern_commit_prepare(struct engine_job *mirror, struct job_error *error);
/* Claims the nodes between source and base. */
void modern_commit_claim(struct engine_job *mirror);
/* The base is at least as long as the source: 0 or -errno. */
int modern_commit_grow(struct engine_job *mirror, uint64_t target_length);
/* The base gets its read-only flag back, if it had one. */
void modern_commit_restore(struct engine_job *mirror);

/* filter.c; opaque is the engine_job. */
extern const struct interposer modern_interposer;

/* Would a guest request that changes something be active, if it came now (W1)? */
bool modern_is_active(const struct engine_job *mirror);

/* active.c: an active request arrives (W2). */
void modern_active_begin(struct engine_job *mirror, struct interposed *request);

/* Sets the flag and says so. */
void modern_set_synced(struct engine_job *mirror, bool synced);

/* Marks chunks, outwards, for a change of the source. */
void modern_mark_changed(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/*
 * E': a failed request of an operation, or a flush (no bytes).  Not synced any more; stored if it
 * is to be reported.
 */
void modern_fail(struct engine_job *mirror, enum op side, int ret, uint64_t offset, uint64_t bytes);

/* ---- zero.c: what is known of zeroes on the target (Z), and what it lacks (D'1, D'15) ---- */

/*
 * Chunks that the range touches; those that it covers, which the image's short last one never is.
 */
struct chunk_range chunks_touched(const struct engine_job *mirror, uint64_t offset, uint64_t bytes);
struct chunk_range chunks_covered(const struct engine_job *mirror, uint64_t offset, uint64_t bytes);

static inline void chunks_set(struct bitmap *bitmap, struct chunk_range range)
{
    if (bitmap->size > 0 && range.count > 0) {
        bitmap_set(bitmap, range.first, range.count);
    }
}

static inline void chunks_clear(struct bitmap *bitmap, struct chunk_range range)
{
    if (bitmap->size > 0 && range.count > 0) {
        bitmap_clear(bitmap, range.first, range.count);
    }
}

/* All chunks touched are known to be zero (Z4). */
bool zero_is_known(const struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* The target may hold anything there. */
void zero_forget(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* A write to the target has succeeded: its clusters are there (D'1). */
void zero_note_written(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* D'44: a request has changed the target there, which no flush covers yet. */
void unflushed_note(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* A flush of the target begins; `modern_request_done` wakes the run when it has ended. */
void unflushed_flush(struct engine_job *mirror);

/* It has: D'44: if it has failed, what it was to cover is dirty, and may be anything. */
void unflushed_settle(struct engine_job *mirror, int ret);

/* Zeroes have been written, or were there (`skipped`). */
void zero_note_zeroed(struct engine_job *mirror, struct chunk_range range, bool skipped);

/*
 * D'1: before the end, marks chunks whose zeroes are there only as long as the backing is closed.
 * False: there are none.
 */
bool zero_mark_owed(struct engine_job *mirror);

/* D'15: marks what an active write to the target will fill with zeroes around itself. */
void zero_mark_filling(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

extern const struct life_driver modern_driver;

#endif
