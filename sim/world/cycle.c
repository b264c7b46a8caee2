/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cycles, found in long runs in the way of Brent: a state is kept, and those that follow are
 * compared with it, until it is replaced by a later one.
 *
 * world_place() and world_closes_cycle() are declared in sim/world/world.h: a search of its own
 * kind asks, too.
 */
#include "sim/world/cycle.h"

#include "sim/world/private.h"

#define NEVER UINT64_MAX

/* Runs are seldom longer, and then end by themselves. */
#define FIRST_ANCHOR 1024u

/* States are compared with an anchor for this part of the events before it. */
#define WINDOW_PART 8

/*
 * One word is digested for each of so many events, and so many are free: two digests of a small
 * world.  A word costs between a fiftieth of an event and, where many writes lie on a disk, half.
 */
#define EVENTS_PER_WORD 32
#define FREE_WORDS 400u

/* What a search has found. */
static bool is_short(const struct world *world)
{
    return world->plan->untimed && world->choice_spec.recorded_count > 0;
}

uint64_t cycle_first(const struct world *world)
{
    if (choices_open(world->choices) || world->engine->foreign ||
        world->audience->member_count == 0) {
        return NEVER;
    }
    return is_short(world) ? 1 : FIRST_ANCHOR;
}

/* ---- Is it a livelock? ---- */

struct world_place world_place(const struct world *world)
{
    return (struct world_place){.event = world->trace->count,
                                .now_ns = world->timeline.now_ns,
                                .sequence = world->timeline.next_sequence};
}

/* Has everything that could be next been added since? */
static bool is_fair(struct world *world, uint64_t sequence)
{
    uint32_t count;
    struct pending *const *candidates = timeline_candidates(&world->timeline, &count);

    for (uint32_t i = 0; i < count; i++) {
        if (candidates[i]->kind != PENDING_TIMEOUT && candidates[i]->sequence < sequence) {
            return false;
        }
    }
    return true;
}

bool world_closes_cycle(struct world *world, const struct world_place *from)
{
    if (!audience_repeats(world->audience, &world->evidence, from->event) ||
        !is_fair(world, from->sequence)) {
        return false;
    }
    world->evidence.repeats = true;
    world->evidence.repeats_event = from->event;
    world->evidence.repeats_ns = from->now_ns;
    return true;
}

/* ---- Long runs ---- */

/* Different states mostly look different. */
static uint64_t look_of(const struct world *world)
{
    uint64_t due_ns = world->timeline.now_ns;

    timeline_next_due(&world->timeline, &due_ns);
    return ((uint64_t)world->timeline.count | (uint64_t)world->story.step << 16 |
            (uint64_t)world->layer.guest_requests << 32) ^
           (due_ns - world->timeline.now_ns) << 40;
}

/* May the state be digested once more, if that costs as much as the last time? */
static bool can_afford(const struct world *world, const struct cycle_watch *watch)
{
    return watch->digested_words + watch->last_words <=
           FREE_WORDS + world->events / EVENTS_PER_WORD;
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
        watch->anchor = (struct cycle_state){digest_of(world, watch), world_place(world)};
        watch->anchor_events = world->events;
        watch->anchor_look = look_of(world);
        world->cycle_next = world->events + 1;
    }
}

static bool is_as_at_anchor(struct world *world, struct cycle_watch *watch)
{
    return look_of(world) == watch->anchor_look && can_afford(world, watch) &&
           digest_of(world, watch) == watch->anchor.digest;
}

/* One that does not count is left alone: the next anchor may be in another. */
static void look_back(struct world *world, struct cycle_watch *watch)
{
    bool over = world->events > watch->anchor_events + watch->anchor_events / WINDOW_PART;

    if (watch->anchor_events == 0) {
        set_anchor(world, watch);
    } else if (over || (is_as_at_anchor(world, watch) &&
                        !world_closes_cycle(world, &watch->anchor.place))) {
        world->cycle_next = 2 * watch->anchor_events;
        watch->anchor_events = 0;
    } else {
        world->cycle_next = world->events + 1;
    }
}

/* ---- Short ones ---- */

static void compare_all(struct world *world, struct cycle_watch *watch)
{
    uint64_t digest = digest_of(world, watch);

    for (uint32_t i = 0; i < watch->count; i++) {
        if (watch->states[i].digest == digest) {
            world_closes_cycle(world, &watch->states[i].place);
            break;
        }
    }
    if (watch->count < CYCLE_KEPT_STATES) {
        watch->states[watch->count++] = (struct cycle_state){digest, world_place(world)};
    }
    world->cycle_next = watch->count < CYCLE_KEPT_STATES ? world->events + 1 : NEVER;
}

/* ---- The whole ---- */

void cycle_look(struct world *world)
{
    struct cycle_watch *watch = world->cycle;

    if (watch == NULL) {
        watch = world->cycle = arena_alloc(world->arena, sizeof(*watch));
        if (is_short(world)) {
            watch->states = arena_alloc(world->arena, CYCLE_KEPT_STATES * sizeof(*watch->states));
        }
    }
    if (watch->states != NULL) {
        compare_all(world, watch);
    } else {
        look_back(world, watch);
    }
}
