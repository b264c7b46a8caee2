/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promise: where a job has to make the target equal to the source.
 *
 * Sync `full` and a commit promise the whole source.  `top` promises what is
 * allocated above the base when the job starts; `none` promises nothing of the
 * initial content.  Both promise what the guest changes from then on.  If an
 * empty target reads the rest of the source through the same backing file,
 * everything is promised again.
 *
 * In today's generation `top` promises no more if the source has no backing file (S12'), and the
 * job may give the target its backing at the end: the target is seen as if it had it already. Where
 * the user has said that the target reads zero, and it did not, zeroes of the source are not
 * promised (modern-algorithm Z5).
 */
#ifndef MIRRORSIM_SIM_MODEL_PROMISE_H
#define MIRRORSIM_SIM_MODEL_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

struct promise {
    bool everything;
    bool believes_zeroes; /* the user said wrongly that the target is zero: those aren't promised */
    struct image *ranges; /* the allocated ranges are promised; NULL if everything is */
};

/* The promise at the start of the plan's job. */
void promise_begin(struct promise *promise, const struct evidence *evidence);

/* The guest has changed the range on the source. */
void promise_add(struct promise *promise, uint64_t offset, uint64_t bytes);

/*
 * The first promised piece of [*offset, end): moves *offset to its beginning
 * and returns its length; 0 if there is none.
 */
uint64_t promise_next(const struct promise *promise, uint64_t *offset, uint64_t end);

/* Makes holes in the image where nothing is promised: the content there is unknown. */
void promise_forget_rest(const struct promise *promise, struct image *image, uint64_t end);

/*
 * True if source and target, as they are now, are equal wherever the range is
 * promised; else *sector is the first that differs.
 */
bool promise_is_kept(const struct promise *promise, const struct evidence *evidence,
                     uint64_t offset, uint64_t bytes, uint64_t *sector);

/* The same for the target's durable content, the least that a power cut leaves. */
bool promise_is_durable(const struct promise *promise, const struct evidence *evidence,
                        uint64_t offset, uint64_t bytes, uint64_t *sector);

/*
 * True if the target lacks a backing file now that it will have later: what it does not hold reads
 * zero, and otherwise once the backing is there.
 */
bool promise_hides_backing(const struct evidence *evidence);

/*
 * True if the source reads zero from *sector on, and the target does not hold that while its
 * backing is hidden: the job may write those zeroes as late as before its last flush (ALGORITHM.md
 * D'1 of engine/modern).  Moves *sector behind them, to `end` at most.
 */
bool promise_may_owe_zeroes(const struct evidence *evidence, uint64_t *sector, uint64_t end);

/* Adds the promise to the digest. */
void promise_digest(const struct promise *promise, const struct evidence *evidence,
                    struct digest *digest);

/* True for the effect of a guest request that changes the plan's source. */
bool event_changes_source(const struct evidence *evidence, const struct event *event);

/* Asserts the invariants. */
void promise_check(const struct promise *promise);

#endif
