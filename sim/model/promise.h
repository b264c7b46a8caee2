/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promise: where a job has to make the target equal to the source.
 *
 * Sync `full` and a commit promise the whole source.  `top` promises what is
 * allocated above the base when the job starts, `none` nothing of that; both
 * promise what the guest changes from then on.  If the rest of the source
 * shines through an empty target from the same backing file, that comes to
 * everything again.
 */
#ifndef MIRRORSIM_SIM_MODEL_PROMISE_H
#define MIRRORSIM_SIM_MODEL_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

struct promise {
    bool everything;
    struct image *ranges; /* its allocated ranges, unless everything is promised */
};

/* As of the start of the plan's job. */
void promise_begin(struct promise *promise, const struct evidence *evidence);

/* The guest has changed the range on the source. */
void promise_add(struct promise *promise, uint64_t offset, uint64_t bytes);

/*
 * The first promised piece of [*offset, end): moves *offset to its beginning
 * and returns its length; 0 if there is none.
 */
uint64_t promise_next(const struct promise *promise, uint64_t *offset, uint64_t end);

/* What has not been promised becomes a hole of the image: nobody knows what is there. */
void promise_forget_rest(const struct promise *promise, struct image *image, uint64_t end);

/*
 * Is the promise kept over the range, source and target being as they are
 * now?  If not, *sector is the first that differs.
 */
bool promise_is_kept(const struct promise *promise, const struct evidence *evidence,
                     uint64_t offset, uint64_t bytes, uint64_t *sector);

/* The same of what a power cut of the target would leave at least. */
bool promise_is_durable(const struct promise *promise, const struct evidence *evidence,
                        uint64_t offset, uint64_t bytes, uint64_t *sector);

/* Adds the promise. */
void promise_digest(const struct promise *promise, const struct evidence *evidence,
                    struct digest *digest);

/* True for a guest request that changes what the plan's source holds. */
bool event_changes_source(const struct evidence *evidence, const struct event *event);

#endif
