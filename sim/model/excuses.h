/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where source and target may differ because a device has lied to the job, who can't know it.
 *
 * A silent fault that hits what the job reads, writes or asks excuses the range that it spoils,
 * until that is dirty again: from then on the job owes it like any other.  A lie about a write to
 * the target can still come out: a flush that fails after it says that what was written into
 * a cache may be lost, so the excuse ends there.  A flush that succeeds has confirmed the lie.  And
 * who has been told that the target reads zero believes it of each place until it is written.
 */
#ifndef MIRRORSIM_SIM_MODEL_EXCUSES_H
#define MIRRORSIM_SIM_MODEL_EXCUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

/* All zero: nothing is excused. */
struct excuses {
    struct image
        *lasting;         /* the allocated ranges are excused; NULL if no device of the plan lies */
    struct image *untold; /* ... until a flush fails */
    struct image *unseen; /* ... until the target is written, dirty or not */
};

void excuses_open(struct excuses *excuses, const struct evidence *evidence);

/* A fault has hit something. */
void excuses_hit(struct excuses *excuses, const struct evidence *evidence,
                 const struct event *event);

/* A range is dirty in the job's bitmap. */
void excuses_end(struct excuses *excuses, uint64_t offset, uint64_t bytes);

/* The target has been changed by the job. */
void excuses_written(struct excuses *excuses, uint64_t offset, uint64_t bytes);

/* A flush of the job is done. */
void excuses_flushed(struct excuses *excuses, const struct evidence *evidence,
                     const struct event *event);

/* True if *sector is excused: moves it to the end of that, at most to `limit`. */
bool excuses_cover(const struct excuses *excuses, uint64_t *sector, uint64_t limit);

void excuses_digest(const struct excuses *excuses, const struct evidence *evidence,
                    struct digest *digest);

#endif
