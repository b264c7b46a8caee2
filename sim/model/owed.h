/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a job still owes its target: a model of its dirty bitmap and its copies.
 *
 * Kept from the trace alone.  A chunk is owed while it is dirty, held by a
 * copy in flight, or touched by a guest write that has taken effect and is
 * not done (mirror-algorithm 10).  Everything else must be equal on source and
 * target.
 *
 * In today's generation a guest write is over when the guest has its answer, and
 * chunks are taken, that is cleaned, before an operation for them is issued: it
 * may have to wait.  Taken chunks are owed, too, as long as an operation can
 * wait for them (modern-algorithm O4, O9, section 12).
 */
#ifndef MIRRORSIM_SIM_MODEL_OWED_H
#define MIRRORSIM_SIM_MODEL_OWED_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bitmap.h"
#include "sim/model/outstanding.h"
#include "sim/trace/evidence.h"

/* All zero = no job, nothing owed. */
struct owed {
    bool has_bitmap;
    uint16_t bitmap; /* number of the job's bitmap on the source */
    uint32_t shift;  /* log2 of the granularity */
    struct bitmap dirty;
    void *dirty_memory;
    struct outstanding_list covers; /* copies in flight, guest writes that have taken effect */

    /* Today's generation only. */
    struct bitmap taken; /* cleaned by the job, and no operation for them issued yet */
    void *taken_memory;
    bool questions_take_time; /* the job can wait for an answer with nothing in flight */
    bool has_failed;          /* an error ends the job: it may give up what it has taken (O6) */
};

/*
 * For an event of a dirty bitmap (created, set, cleared or released): true if
 * the bitmap is the job's.
 */
bool owed_bitmap_event(struct owed *owed, const struct evidence *evidence,
                       const struct event *event);

/* A request has been submitted; has taken effect; is done; the guest has its answer. */
void owed_submitted(struct owed *owed, const struct evidence *evidence, const struct event *event);
void owed_took_effect(struct owed *owed, const struct evidence *evidence,
                      const struct event *event);
void owed_done(struct owed *owed, const struct evidence *evidence, const struct event *event);
void owed_answered(struct owed *owed, const struct event *event);

/* Will nothing more become of what is taken, since the job has nothing in flight to wait for? */
bool owed_is_idle(const struct owed *owed);

/* Is all that the range touches taken? */
bool owed_is_taken(const struct owed *owed, uint64_t offset, uint64_t bytes);

/* True for a read of the source or a change of the target by the job: a part of an operation. */
bool owed_is_copy(const struct evidence *evidence, const struct event *event);

/* True for writes, zeroes and discards. */
bool op_is_change(uint8_t op);

uint64_t owed_granularity(const struct owed *owed);

/*
 * The first piece of [*offset, end) that is not owed: moves *offset to its
 * beginning and returns its length; 0 if there is none.  The job must have a
 * bitmap.
 */
uint64_t owed_next_settled(const struct owed *owed, uint64_t *offset, uint64_t end);

/* Asserts the invariants. */
void owed_check(const struct owed *owed);

#endif
