/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations of today's mirror: records in one list, waited for by strands (modern-algorithm O, W).
 *
 * An operation owns the chunks of its own range in the in-flight bitmap and stands in the list in
 * the order of its coming.  Who has to wait for it stands in its `waiters` in the order of coming.
 * A pseudo operation owns a run while that is cut up, and never does anything.
 */
#ifndef MIRRORSIM_ENGINE_MODERN_OP_H
#define MIRRORSIM_ENGINE_MODERN_OP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/interposer.h"
#include "engine/life/strand.h"

enum op_kind {
    OP_COPY,
    OP_ZERO,
    OP_UNMAP,  /* a discard of the target */
    OP_ACTIVE, /* a guest request in copy mode write-blocking */
    OP_PSEUDO,
};

/* X(enumerator, name for people); each but the first is a wait. */
#define OP_PHASES(X)                                                                            \
    X(ENTERED, "entered")                                                                       \
    X(BUFFERS, "buffers")   /* O9: for the oldest operation, until there are enough buffers */  \
    X(READ, "read")         /* of the source */                                                 \
    X(TARGET, "target")     /* write, zeroes or discard of the target; also of an active one */ \
    X(CONFLICT, "conflict") /* W2: an active one, for another operation */                      \
    X(SOURCE, "source")     /* W3: the guest's request on the source */

enum op_phase {
#define X(id, name) OP_PHASE_##id,
    OP_PHASES(X)
#undef X
        OP_PHASE_COUNT
};

struct chunk_range {
    uint64_t first;
    uint64_t count;
};

struct copy_op {
    TAILQ_ENTRY(copy_op) link;
    struct strand strand;
    struct strand_list waiters;
    struct engine_job *mirror;
    enum op_kind kind;
    enum op_phase phase;

    struct chunk_range own; /* the chunks it holds in the in-flight bitmap */
    uint64_t offset;        /* the range it moves: wider by COW, clipped to the image */
    uint64_t bytes;

    /* D'32: what of the margin has changed on the source since the copy was launched. */
    uint64_t remarked_offset;
    uint64_t remarked_end; /* 0: nothing */

    bool in_flight; /* it has its buffers: one of the 16, a candidate for "oldest" */
    bool counts;    /* its bytes are progress (not pre-zeroing) */
    const struct copy_op *waits_for; /* W2: of an active one in CONFLICT */
    bool skipped;                    /* OP_ZERO, OP_ACTIVE: the zeroes are there (Z4) */
    bool overtaken;                  /* OP_ACTIVE, D'42: not known to be the source's last */
    int ret;                         /* of the last request, until the strand has seen it */

    struct interposed *request; /* OP_ACTIVE */

    uint32_t buffer_count; /* OP_COPY: how many it needs; they are its own from READ on */
    uint32_t buffers[];
};

TAILQ_HEAD(op_list, copy_op);

/* Makes one at the end of the list; its own range is [offset, offset + bytes), outwards. */
struct copy_op *op_create(struct engine_job *mirror, enum op_kind kind, uint64_t offset,
                          uint64_t bytes, uint32_t buffer_count, void (*resume)(struct strand *));

/* Its own chunks become, or are no longer, in flight. */
void op_hold(struct copy_op *op);
void op_let_go(struct copy_op *op);

/* Leaves the list, wakes its waiters, and is gone.  Its strand, if it runs, has ended. */
void op_destroy(struct copy_op *op);

/* Whose end has to be waited for, as the chunk is in flight (O2): the first that touches it. */
struct copy_op *op_find_holder(const struct engine_job *mirror, uint64_t chunk);

/*
 * The same for an active one that has a chunk which is in flight; it does not wait for one that
 * waits itself (W2).
 */
struct copy_op *op_find_conflict(const struct copy_op *self);

/* The oldest background operation in flight, or NULL (L3'). */
struct copy_op *op_find_oldest(const struct engine_job *mirror);

/* The first background operation, in flight or not, or NULL. */
struct copy_op *op_find_background(const struct engine_job *mirror);

struct op_launched {
    uint64_t bytes; /* of the piece, from its beginning, that the operation deals with */
    bool skipped;
};

/*
 * A background operation of that range enters the list and runs until it waits (O7 to O9).  A copy
 * may be cut, or be widened around the piece; `run_end` is where the run ends that the piece is of.
 */
struct op_launched op_launch(struct engine_job *mirror, enum op_kind kind, uint64_t offset,
                             uint64_t bytes, uint64_t run_end);

/* The same for pre-zeroing (Z3): no progress. */
void op_launch_prezero(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* The source has changed, or is about to: copies that have that in their margin remember (D'32). */
void op_note_changed(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/*
 * A request in background mode has ended: active ones there that are on the source notice (D'42).
 */
void op_note_overtaken(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

#endif
