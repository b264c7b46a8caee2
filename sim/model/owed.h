/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a job still owes its target: a model of its dirty bitmap and its copies.
 *
 * Kept from the trace alone.  A chunk is owed while it is dirty, held by a
 * copy in flight, or touched by a guest write that has taken effect and is
 * not done (mirror-algorithm 10).  Everything else must be equal on source and
 * target.
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
};

/*
 * For an event of a dirty bitmap (created, set, cleared or released): true if
 * the bitmap is the job's.
 */
bool owed_bitmap_event(struct owed *owed, const struct evidence *evidence,
                       const struct event *event);

/* A request has been submitted; has taken effect; is done. */
void owed_submitted(struct owed *owed, const struct evidence *evidence, const struct event *event);
void owed_took_effect(struct owed *owed, const struct evidence *evidence,
                      const struct event *event);
void owed_done(struct owed *owed, const struct evidence *evidence, const struct event *event);

/* True for a read of the source or a write of the target by the job: half of a copy. */
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
