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

/* X(enumerator, name for people); each but the first and the last is a wait. */
#define OP_PHASES(X)                                                                            \
    X(ENTERED, "entered")                                                                       \
    X(BUFFERS, "buffers")   /* O9: for the oldest operation, until there are enough buffers */  \
    X(READ, "read")         /* of the source */                                                 \
    X(TARGET, "target")     /* write, zeroes or discard of the target; also of an active one */ \
    X(CONFLICT, "conflict") /* W2: an active one, for another operation */                      \
    X(SOURCE, "source")     /* W3: the guest's request on the source */                         \
    X(ENDED, "ended")

enum op_phase {
#define X(id, name) OP_PHASE_##id,
    OP_PHASES(X)
#undef X
        OP_PHASE_COUNT
};

struct copy_op {
    TAILQ_ENTRY(copy_op) link;
    struct strand strand;
    struct strand_list waiters;
    struct engine_job *mirror;
    enum op_kind kind;
    enum op_phase phase;

    uint64_t own_offset; /* the range it holds in the in-flight bitmap, whole chunks */
    uint64_t own_bytes;
    uint64_t offset; /* the range it moves: wider by COW, clipped to the image */
    uint64_t bytes;

    bool in_flight; /* it has its buffers: one of the 16, a candidate for "oldest" */
    bool counts;    /* its bytes are progress (not pre-zeroing) */
    const struct copy_op *waits_for; /* W2: an active one in CONFLICT, or a copier's NULL */
    uint32_t buffer_count;
    uint32_t *buffers;
    int ret; /* of the last request, until the strand has seen it */

    struct interposed *request; /* OP_ACTIVE */
};

TAILQ_HEAD(op_list, copy_op);

/* The operation whose end has to be waited for, or NULL (O2): the first that touches the range. */
struct copy_op *op_find_holder(const struct engine_job *mirror, uint64_t offset, uint64_t bytes);

/* The same for an active one, which does not wait for one that waits itself (W2). */
struct copy_op *op_find_conflict(const struct engine_job *mirror, const struct copy_op *self);

/* The oldest background operation in flight, or NULL (L3'). */
struct copy_op *op_find_oldest(const struct engine_job *mirror);

/* A background operation of that range: enters the list and runs until it waits (O9). */
void op_launch(struct engine_job *mirror, enum op_kind kind, uint64_t offset, uint64_t bytes,
               bool counts);

/* A place holder for a run, and its end. */
struct copy_op *op_open_pseudo(struct engine_job *mirror, uint64_t offset, uint64_t bytes);
void op_close_pseudo(struct copy_op *op);

/* Somebody has marked chunks: those in margins of widened copies are remembered (D'32). */
void op_note_dirtied(struct engine_job *mirror, uint64_t offset, uint64_t bytes);

#endif
