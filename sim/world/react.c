/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reactions: which event each rule of the plan answers, and the answer as an event of its own.
 *
 * Declared in sim/world/story.h: they are a part of the story.
 */
#include "sim/world/action.h"
#include "sim/world/private.h"
#include "sim/world/story.h"

static void reaction_fire(void *opaque)
{
    struct reaction *reaction = opaque;
    struct world *world = reaction->world;
    uint32_t react = reaction->react;

    LIST_REMOVE(reaction, link);
    arena_free(world->arena, reaction, sizeof(*reaction));
    world_emit(world, &(struct event){.kind = EVENT_REACT, .index = (uint16_t)react});
    action_run(world, world->plan->step_count + world->plan->timed_count + react);
}

static bool react_counts(const struct react_spec *spec, struct react *rule)
{
    rule->matched++;
    return spec->nth == 0 || rule->matched == spec->nth;
}

/*
 * Counts arrivals, and waits for the answer to the nth.  A request that has queued arrives twice;
 * numbers grow in the order of the first time.
 */
static bool react_counts_arrival(const struct react_spec *spec, struct react *rule,
                                 const struct event *event)
{
    if (event->kind == EVENT_ANSWERED) {
        return spec->nth == 0 || event->request == rule->request;
    }
    if (event->request > rule->last_arrival) {
        rule->last_arrival = event->request;
        rule->matched++;
        rule->request = rule->matched == spec->nth ? event->request : rule->request;
    }
    return false;
}

void react_observe(struct world *world, uint32_t index, const struct event *event)
{
    const struct react_spec *spec = &world->plan->reacts[index];
    struct react *rule = &world->story.reacts[index];
    struct reaction *reaction;

    if (!event_matches(&spec->when, event) ||
        !(spec->of_arrival ? react_counts_arrival(spec, rule, event) : react_counts(spec, rule))) {
        return;
    }
    if (spec->limit > 0 && rule->acted == spec->limit) {
        return;
    }
    rule->acted++;
    reaction = arena_alloc(world->arena, sizeof(*reaction));
    reaction->world = world;
    reaction->react = index;
    LIST_INSERT_HEAD(&world->story.reactions, reaction, link);
    timeline_add(&world->timeline, &reaction->pending, spec->delay_ns, reaction_fire, reaction);
}
