/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Searching one plan: an item whose plan has been made.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_HUNT_H
#define MIRRORSIM_TOOLS_EXPLORE_HUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/explore/explore.h"

/* Everything is the caller's. */
struct hunt {
    const struct explore_options *options;
    struct search *search;
    const struct variant *variant;
    struct plan *plan;   /* with the variant applied */
    uint64_t first_seed; /* unless all answers are tried: seeds from this one on, ... */
    uint64_t seeds;      /* ... this number of them */
    struct explore_record *record;
    uint64_t piece;        /* of the saved progress that is read next: for hunt_saved.c, ... */
    uint64_t next_save_ms; /* ... and when progress is saved next, by the clock */
};

/* Searches until there is a finding, nothing is left, or options->stop says so. */
void hunt_run(struct hunt *hunt);

/*
 * Runs with one of the seeds, the first being 0, and shows the world after each of the first 2000
 * events.
 */
void hunt_watch(struct hunt *hunt, uint64_t seed,
                void (*show)(void *opaque, const struct world *world), void *opaque);

/*
 * The process of the hunt has died; its record says where.  Adds the death as a finding.  Called
 * in another process, with a hunt of the same item.
 */
void hunt_died(struct hunt *hunt, const struct isolate_death *death);

#endif
