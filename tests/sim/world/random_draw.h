/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the random plans: the stream of numbers that a plan is drawn from.
 *
 * No expression draws twice unless C defines the order, so that a seed gives
 * the same plan with every compiler.
 */
#ifndef MIRRORSIM_TESTS_SIM_WORLD_RANDOM_DRAW_H
#define MIRRORSIM_TESTS_SIM_WORLD_RANDOM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/range.h"
#include "sim/plan/plan.h"
#include "tests/support/units.h"

struct draw {
    struct plan *plan;
    uint64_t state;
    uint64_t sectors;    /* of the source */
    uint64_t hot_sector; /* half of the guest's requests begin here */
    uint64_t span_ns;    /* most things happen before this */
    bool completes;      /* the job may pivot; else it is always cancelled */
};

/* splitmix64; 0 .. bound - 1 */
static inline uint64_t below(struct draw *draw, uint64_t bound)
{
    uint64_t z = draw->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

/* least .. greatest */
static inline uint64_t between(struct draw *draw, uint64_t least, uint64_t greatest)
{
    return least + below(draw, greatest - least + 1);
}

static inline bool one_in(struct draw *draw, uint64_t n)
{
    return below(draw, n) == 0;
}

/* 1 .. greatest; small numbers more often. */
static inline uint64_t skewed(struct draw *draw, uint64_t greatest)
{
    return between(draw, 1, between(draw, 1, greatest));
}

static inline uint64_t instant(struct draw *draw)
{
    return between(draw, US, draw->span_ns);
}

/* A range of the source that begins at a sector of it. */
static inline struct range_spec range_from(struct draw *draw, uint64_t sector, uint64_t max_sectors)
{
    uint64_t sectors = skewed(draw, min_u64(max_sectors, draw->sectors - sector));

    return (struct range_spec){sector * SECTOR_BYTES, sectors * SECTOR_BYTES};
}

/* A range anywhere on the source, which must not be empty. */
static inline struct range_spec range_anywhere(struct draw *draw)
{
    return range_from(draw, below(draw, draw->sectors), draw->sectors);
}

/* random_story.c: faults, steps, timed actions, reactions; the disks and the job are drawn. */
void draw_story(struct draw *draw);

/* random_generator.c: guest generators; the story has been drawn. */
void draw_generators(struct draw *draw);

/* A speed in bytes/s, of any order of magnitude. */
int64_t draw_speed(struct draw *draw);

#endif
