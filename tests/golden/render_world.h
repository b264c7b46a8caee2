/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run rendered in the format of the reference traces, in the calling process.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H

#include "sim/world/world.h"
#include "tests/golden/render.h"

/*
 * How far a run has come.  A run that is known to die in its step `last_step` tells the events of
 * that step one by one, as they happen; any other, those of a step after it.
 */
struct render_pace {
    uint64_t *now_ns; /* updated to the virtual time of the step under way, ... */
    uint64_t *step;   /* ... and to its number, from 1 */
    uint64_t last_step;
};

#define RENDER_NO_STEP UINT64_MAX /* `last_step` of a run that nothing is known of */

/* The next step of the world. */
bool render_step(struct world *world, const struct render_pace *pace);

/* Are events of the step under way to be told as they happen? */
static inline bool render_is_last_step(const struct render_pace *pace)
{
    return *pace->step == pace->last_step;
}

/* As render_run(), but dies with the engine. */
bool render_world(const struct plan *plan, const struct engine *engine, render_line *line,
                  void *opaque, const struct render_pace *pace);

/* The same for plans of today's generation, in the format of its traces: render_modern.c. */
bool render_modern(const struct plan *plan, const struct engine *engine, render_line *line,
                   void *opaque, const struct render_pace *pace);

#endif
