/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a run: why no further event is taken.
 *
 * Declared in sim/world/private.h: only the world asks.
 */
#include "engine/range.h"
#include "sim/world/private.h"

/* A job of today's generation may have concluded, and nobody dismisses it. */
static bool job_is_left(const struct world *world)
{
    return world->job != NULL &&
           (world->plan->generation == GENERATION_2_2 || !world->job_concluded);
}

/*
 * Nothing is pending: the world has concluded unless a job is left or still starts, or the
 * story waits for a job that was never started.
 */
static enum world_end end_of_idle(const struct world *world)
{
    bool waits = world->story.state == STORY_WAITING && !world->job_concluded;

    return job_is_left(world) || world->job_starts || waits ? END_DEADLOCK : END_CONCLUDED;
}

void world_end_soon(struct world *world)
{
    const struct limits_spec *limits = &world->plan->limits;

    world->end_ns = min_u64(limits->time_ns, world->timeline.now_ns + WORLD_PATIENCE_NS);
    world->end_events = min_u64(limits->events, world->events + WORLD_PATIENCE_EVENTS);
}

/* Is there a reason not to take the next event? */
enum world_end world_end_before_next(const struct world *world)
{
    const struct limits_spec *limits = &world->plan->limits;
    uint64_t due_ns;

    if (world->verdict->dropped > 0) {
        return END_FINDINGS;
    }
    if (world->evidence.repeats) {
        return END_LIVELOCK;
    }
    if (!timeline_next_due(&world->timeline, &due_ns)) {
        return end_of_idle(world);
    }
    if (due_ns > world->end_ns) {
        return world->end_ns < limits->time_ns ? END_GIVEN_UP : END_TIME;
    }
    if (world->events >= world->end_events) {
        return world->end_events < limits->events ? END_GIVEN_UP : END_EVENTS;
    }
    if (due_ns == world->timeline.now_ns && world->events_at_once >= limits->events_at_once) {
        return END_LIVELOCK;
    }
    return END_NOT;
}
