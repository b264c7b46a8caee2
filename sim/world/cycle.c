/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cycles, found in the way of Brent: a state is kept, and those that follow are compared with it,
 * until it is replaced by a later one.
 */
#include "sim/world/cycle.h"

#include "engine/range.h"
#include "sim/world/private.h"

#define NEVER UINT64_MAX

/* Runs are seldom longer, and then end by themselves. */
#define FIRST_ANCHOR 1024u

/* States are compared with an anchor for this part of the events before it. */
#define WINDOW_PART 8

/* One word is digested for each of so many events, and costs a fiftieth of one. */
#define EVENTS_PER_WORD 4

uint64_t cycle_first(const struct world *world)
{
    bool settled = !choices_open(world->choices);

    return settled && !world->engine->foreign && world->oracle_count > 0 ? FIRST_ANCHOR : NEVER;
}

/* Different states mostly look different. */
static uint64_t look_of(const struct world *world)
{
    uint64_t due_ns = world->timeline.now_ns;

    timeline_next_due(&world->timeline, &due_ns);
    return ((uint64_t)world->timeline.count | (uint64_t)world->story.step << 16 |
            (uint64_t)world->layer.guest_requests << 32) ^
           (due_ns - world->timeline.now_ns) << 40;
}

/* May the state be digested once more, if that costs as much as the last time?  The first is free.
 */
static bool can_afford(const struct world *world, const struct cycle_watch *watch)
{
    return watch->digested_words + watch->last_words <= world->events / EVENTS_PER_WORD;
}

static uint64_t digest_of(const struct world *world, struct cycle_watch *watch)
{
    uint64_t digest = world_digest_repeating(world, &watch->last_words);

    watch->digested_words += watch->last_words;
    return digest;
}

static void set_anchor(struct world *world, struct cycle_watch *watch)
{
    world->cycle_next = world->events * 2;
    if (can_afford(world, watch)) {
        watch->anchor = world->events;
        watch->anchor_look = look_of(world);
        watch->anchor_digest = digest_of(world, watch);
        watch->anchor_event = world->trace->count;
        watch->anchor_ns = world->timeline.now_ns;
        world->cycle_next = world->events + 1;
    }
}

static bool is_as_at_anchor(struct world *world, struct cycle_watch *watch)
{
    return look_of(world) == watch->anchor_look && can_afford(world, watch) &&
           digest_of(world, watch) == watch->anchor_digest;
}

bool world_repeats(const struct world *world, uint64_t from_event)
{
    for (uint32_t i = 0; i < world->oracle_count; i++) {
        const struct oracle_slot *slot = &world->oracles[i];

        if (slot->oracle->repeats != NULL &&
            slot->oracle->repeats(slot->state, &world->evidence, from_event)) {
            return true;
        }
    }
    return false;
}

void world_watch_cycles(struct world *world)
{
    world->cycle_next = max_u64(world->events, FIRST_ANCHOR);
}

void cycle_look(struct world *world)
{
    struct cycle_watch *watch = world->cycle;

    if (watch == NULL) {
        watch = world->cycle = arena_alloc(world->arena, sizeof(*watch));
    }
    if (watch->anchor == 0) {
        set_anchor(world, watch);
    } else if (world->events > watch->anchor + watch->anchor / WINDOW_PART) {
        world->cycle_next = 2 * watch->anchor;
        watch->anchor = 0;
    } else if (is_as_at_anchor(world, watch)) {
        world->evidence.repeats = world_repeats(world, watch->anchor_event);
        world->evidence.repeats_event = watch->anchor_event;
        world->evidence.repeats_ns = watch->anchor_ns;
        world->cycle_next = NEVER;
    } else {
        world->cycle_next = world->events + 1;
    }
}
