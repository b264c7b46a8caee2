/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host port: the world's clock, arena, timers and trace, as engines see them.
 */
#include "sim/world/host.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "engine/block.h"
#include "engine/section.h"
#include "sim/world/private.h"

uint64_t host_now_ns(struct host *host)
{
    return world_of(host)->timeline.now_ns;
}

/* Behind each piece of an engine's memory lie bytes that it must not write. */
#define GUARD_BYTES 16
#define GUARD 0xa5

void *host_alloc(struct host *host, uint64_t bytes)
{
    char *memory = arena_alloc(world_of(host)->arena, bytes + GUARD_BYTES);

    memset(memory + bytes, GUARD, GUARD_BYTES);
    world_of(host)->job_taken_bytes += bytes;
    return memory;
}

/* ---- Memory that was given back ---- */

/* What an engine of today's generation gives back is kept for a while, all of this byte. */
#define POISON 0x5a
#define POISONED_PIECES 32

struct poisoned {
    uint8_t *memory; /* NULL: none */
    size_t bytes;
};

/* The first byte and its like: compared with itself one byte further, which libc does fast. */
static bool is_poison(const struct poisoned *piece)
{
    return piece->bytes == 0 || (piece->memory[0] == POISON &&
                                 memcmp(piece->memory, piece->memory + 1, piece->bytes - 1) == 0);
}

static void judge_poisoned(struct world *world, const struct poisoned *piece)
{
    size_t i = 0;

    if (!is_poison(piece)) {
        while (piece->memory[i] == POISON) {
            i++;
        }
        verdict_add(&world->evidence, FINDING_BOUNDS_FREED_MEMORY,
                    "The job has written to memory that it had given back: byte %zu of a piece of "
                    "%zu bytes.",
                    i, piece->bytes);
    }
}

/* The engine has left it alone, or there is a finding; then it may be used again. */
static void poisoned_release(struct world *world, struct poisoned *piece)
{
    judge_poisoned(world, piece);
    if (piece->memory != NULL) {
        arena_free(world->arena, piece->memory, piece->bytes + GUARD_BYTES);
    }
    *piece = (struct poisoned){0};
}

static void poison(struct world *world, void *memory, size_t bytes)
{
    struct poisoned *piece;

    if (world->poisoned == NULL) {
        world->poisoned = arena_alloc(world->arena, POISONED_PIECES * sizeof(*world->poisoned));
    }
    piece = &world->poisoned[world->poisoned_count++ % POISONED_PIECES];
    poisoned_release(world, piece);
    memset(memory, POISON, bytes);
    *piece = (struct poisoned){memory, bytes};
}

static void poisoned_release_all(struct world *world)
{
    for (uint32_t i = 0; world->poisoned != NULL && i < POISONED_PIECES; i++) {
        poisoned_release(world, &world->poisoned[i]);
    }
}

static bool guard_is_whole(const char *guard)
{
    static const unsigned char whole[GUARD_BYTES] = {GUARD, GUARD, GUARD, GUARD, GUARD, GUARD,
                                                     GUARD, GUARD, GUARD, GUARD, GUARD, GUARD,
                                                     GUARD, GUARD, GUARD, GUARD};

    return memcmp(guard, whole, GUARD_BYTES) == 0;
}

void host_free(struct host *host, void *memory, uint64_t bytes)
{
    struct world *world = world_of(host);

    if (memory != NULL) {
        assert(guard_is_whole((char *)memory + bytes));
        world->job_given_bytes += bytes;
        if (world->plan->generation == GENERATION_MODERN) {
            poison(world, memory, (size_t)bytes);
        } else {
            arena_free(world->arena, memory, bytes + GUARD_BYTES);
        }
    }
}

void host_judge_memory(struct world *world)
{
    if (world->job_taken_bytes != world->job_given_bytes) {
        verdict_add(&world->evidence, FINDING_BOUNDS_MEMORY_LEFT,
                    "The job is gone; it had taken %" PRIu64 " bytes of memory and has given back "
                    "%" PRIu64 ".",
                    world->job_taken_bytes, world->job_given_bytes);
    }
    poisoned_release_all(world);
    world->job_taken_bytes = 0;
    world->job_given_bytes = 0;
}

static void timer_release(struct host_timer *timer)
{
    LIST_REMOVE(timer, link);
    arena_free(timer->world->arena, timer, sizeof(*timer));
}

static void timer_fire(void *opaque)
{
    struct host_timer timer = *(struct host_timer *)opaque;

    timer_release(opaque);
    timer.fired(timer.opaque);
}

static struct host_timer *timer_add(struct world *world, uint64_t delay_ns,
                                    void (*fired)(void *opaque), void *opaque)
{
    struct host_timer *timer = arena_alloc(world->arena, sizeof(*timer));

    timer->world = world;
    timer->fired = fired;
    timer->opaque = opaque;
    LIST_INSERT_HEAD(&world->timers, timer, link);
    timeline_add(&world->timeline, &timer->pending, delay_ns, timer_fire, timer);
    return timer;
}

/* A late timer (`timer_slack_ns`) of 2.2 is late only if it had to wait at all. */
struct host_timer *host_timer_start(struct host *host, uint64_t delay_ns,
                                    void (*fired)(void *opaque), void *opaque)
{
    struct world *world = world_of(host);
    uint64_t slack_ns = world->plan->timer_slack_ns;

    if (delay_ns == 0 && world->plan->generation == GENERATION_2_2) {
        slack_ns = 0;
    }
    return timer_add(world, delay_ns <= UINT64_MAX - slack_ns ? delay_ns + slack_ns : delay_ns,
                     fired, opaque);
}

void host_defer(struct host *host, void (*run)(void *opaque), void *opaque)
{
    timer_add(world_of(host), 0, run, opaque);
}

void host_timer_stop(struct host *host, struct host_timer *timer)
{
    timeline_remove(&world_of(host)->timeline, &timer->pending);
    timer_release(timer);
}

void host_emit(struct host *host, struct event *event)
{
    world_emit(world_of(host), event);
}

void host_check(const struct world *world)
{
    const struct host_timer *timer;

    LIST_FOREACH (timer, &world->timers, link) {
        assert(timer->world == world && pending_is_set(&timer->pending));
    }
    assert(world->job_given_bytes <= world->job_taken_bytes);
}
