/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run rendered in the format of the reference traces, in the calling process.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H

#include "tests/golden/render.h"

struct render;
struct modern;

/* What a signal handler needs of a run that dies. */
struct render_life {
    struct render *render; /* NULL before and after the run, ... */
    struct modern *modern; /* ... as is this; one of them for each generation */
    uint64_t *now_ns;      /* updated to the virtual time as the run proceeds */
};

/* As render_run(), but dies with the engine. */
bool render_world(const struct plan *plan, const struct engine *engine, render_line *line,
                  void *opaque, struct render_life *life);

/* The same for plans of today's generation, in the format of its traces: render_modern.c. */
bool render_modern(const struct plan *plan, const struct engine *engine, render_line *line,
                   void *opaque, struct render_life *life);
void render_modern_last_events(const struct render_life *life);

/* Called from the signal handler of a run that dies: renders the events of its last step. */
void render_last_events(const struct render_life *life);

#endif
