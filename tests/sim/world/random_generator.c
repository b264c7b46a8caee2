/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans: guest generators.
 *
 * Each has a bound, and in a slice it writes much less than the job can copy,
 * so that a job that follows the guest catches up.
 */
#include <stddef.h>

#include "tests/sim/world/random_draw.h"

#define MAX_GENERATORS 2
#define MAX_MIX 3
#define MAX_LENGTHS 3

static const char *const names[MAX_GENERATORS] = {"churn", "other"};

static void draw_lengths(struct draw *draw, struct mix_spec *mix, uint64_t room)
{
    mix->lengths = arena_alloc(draw->plan->arena, MAX_LENGTHS * sizeof(*mix->lengths));
    mix->length_count = (uint32_t)between(draw, 1, MAX_LENGTHS);
    for (uint32_t i = 0; i < mix->length_count; i++) {
        mix->lengths[i] = SECTOR_BYTES * skewed(draw, room);
    }
}

/* Draws a range of the disk, of any length, and the distribution in it. */
static void draw_address(struct draw *draw, struct mix_spec *mix)
{
    struct address_spec *address = &mix->address;
    struct range_spec range = range_anywhere(draw);
    struct range_spec hot;

    address->kind = (enum address_kind)between(draw, ADDRESS_SEQUENTIAL, ADDRESS_HOT);
    address->offset = range.offset;
    address->bytes = range.bytes;
    address->align = SECTOR_BYTES * skewed(draw, 16);
    address->theta = (uint32_t)below(draw, 2001);
    address->share_ppm = (uint32_t)between(draw, 1, 1000000);
    hot = range_from(draw, below(draw, range.bytes / SECTOR_BYTES), 8);
    address->hot_offset = hot.offset;
    address->hot_bytes = hot.bytes;
    draw_lengths(draw, mix, range.bytes / SECTOR_BYTES);
}

static void draw_mix(struct draw *draw, struct mix_spec *mix)
{
    static const enum op ops[] = {OP_WRITE,        OP_WRITE,   OP_READ,
                                  OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};

    mix->weight = skewed(draw, 100);
    mix->request.op = draw->sectors > 0 ? ops[below(draw, 6)] : OP_FLUSH;
    if (mix->request.op != OP_FLUSH) {
        draw_address(draw, mix);
    }
}

static void draw_pace(struct draw *draw, struct generator_spec *spec)
{
    spec->pace = (enum pace)below(draw, 3);
    spec->rate = between(draw, 10, 1000) * 1000;
    spec->every_ns = draw->span_ns / between(draw, 1, 40);
    spec->outstanding = between(draw, 1, 4);
    spec->think_ns = below(draw, 4) * draw->span_ns / 40;
}

static void draw_bounds(struct draw *draw, struct generator_spec *spec)
{
    spec->until_mark = PLAN_NONE;
    spec->optional = true;
    spec->count = between(draw, 1, 60);
    spec->bytes = one_in(draw, 4) ? between(draw, 1, 1000) * SECTOR_BYTES : 0;
    spec->until_ns = one_in(draw, 2) ? between(draw, 1, 2 * draw->span_ns) : 0;
    if (one_in(draw, 3)) {
        spec->has_when = true;
        spec->when = event_match_kind(one_in(draw, 2) ? EVENT_JOB_READY : EVENT_DIRTY_CLEAR);
        spec->after_ns = below(draw, 2) * below(draw, draw->span_ns);
    } else {
        spec->from_ns = below(draw, 2) * below(draw, draw->span_ns);
    }
}

void draw_generators(struct draw *draw)
{
    struct plan *plan = draw->plan;

    plan->generators = arena_alloc(plan->arena, MAX_GENERATORS * sizeof(*plan->generators));
    plan->generator_count = one_in(draw, 3) ? (uint32_t)between(draw, 1, MAX_GENERATORS) : 0;
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        struct generator_spec *spec = &plan->generators[i];

        spec->name = names[i];
        draw_pace(draw, spec);
        draw_bounds(draw, spec);
        spec->mix = arena_alloc(plan->arena, MAX_MIX * sizeof(*spec->mix));
        spec->mix_count = (uint32_t)between(draw, 1, MAX_MIX);
        for (uint32_t k = 0; k < spec->mix_count; k++) {
            draw_mix(draw, &spec->mix[k]);
        }
    }
}
