/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan and renders its trace in the format of the reference traces.
 *
 * Lines come one by one, in order, while the world runs; nothing is kept.  The
 * run ends where the reference's does: when the job's completion callback has
 * returned.
 *
 * Each run has its own process.  If the engine dies or loops there, the last line
 * says so: ASSERT, ABORT, MEMERR or SPIN.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_H

#include "engine/engine.h"
#include "sim/plan/plan.h"

/* Longer than any line: two names and a few numbers. */
#define RENDER_LINE_BYTES 512

/*
 * One line without its newline.  `or_else`, if not NULL, is the line that the
 * reference may have instead: it counts a short last chunk as a whole one while
 * that is dirty (mirror-algorithm L2).
 */
typedef void render_line(void *opaque, const char *line, const char *or_else);

/* Runs the plan on the engine; false if there was no memory for a world. */
bool render_run(const struct plan *plan, const struct engine *engine, render_line *line,
                void *opaque);

#endif
