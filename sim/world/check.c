/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All invariants of a world between two timeline events, in one call.
 *
 * Declared in sim/world/world.h, because it is what a world can be asked for.
 */
#include <assert.h>

#include "sim/world/private.h"
#include "sim/world/world.h"

static void evidence_check(const struct evidence *evidence)
{
    assert(evidence->read_runs == NULL && evidence->read_run_count == 0);
    assert(evidence->event_number <= evidence->trace->count);
    assert(!(evidence->story_over && evidence->story_stopped));
}

void world_check(const struct world *world)
{
    arena_check(world->arena);
    timeline_check(&world->timeline);
    choices_check(world->choices);
    layer_check(&world->layer);
    evidence_check(&world->evidence);
    host_check(world);
    story_check_state(world);
    generators_check(world);
    audience_check(world->audience);
    if (world->job != NULL) {
        world->engine->check(world->job);
    }
}
