/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run told in the words of the reference traces, in the process that calls.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_WORLD_H

#include "tests/golden/render.h"

struct render;

/* What is left of a run when it dies. */
struct render_life {
    struct render *render; /* NULL before and after the run */
    uint64_t *now_ns;      /* set to the virtual time as it goes on */
};

/* As render_run(), but dies with the engine. */
bool render_world(const struct plan *plan, const struct engine *engine, render_line *line,
                  void *opaque, struct render_life *life);

/* From a signal handler of a run that dies: tells what happened in its last step. */
void render_last_events(const struct render_life *life);

#endif
