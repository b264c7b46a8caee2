/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan and tells its trace in the words of the reference traces.
 *
 * Lines come one by one, in order, as the world goes on: nothing is kept.  The
 * run is cut where the reference ends it, when the job's completion callback
 * has returned.
 *
 * Each run has a process of its own.  An engine that dies there, or goes round in
 * circles, has done so in the last line: ASSERT, ABORT, MEMERR or SPIN.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_H

#include "engine/engine.h"
#include "sim/plan/plan.h"

/* Longer than any line: two names and a few numbers. */
#define RENDER_LINE_BYTES 512

/*
 * One line without its newline.  `or_else`, if not NULL, is what the reference
 * may say instead: it counts a short last chunk whole while that is dirty
 * (mirror-algorithm L2).
 */
typedef void render_line(void *opaque, const char *line, const char *or_else);

/* Runs the plan on the engine; false if there was no memory for a world. */
bool render_run(const struct plan *plan, const struct engine *engine, render_line *line,
                void *opaque);

#endif
