/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace of a plan's quiet run, made where an engine can't take the program with it.
 */
#ifndef MIRRORSIM_TOOLS_RUN_QUIET_TRACE_H
#define MIRRORSIM_TOOLS_RUN_QUIET_TRACE_H

#include "engine/engine.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

/*
 * Runs the plan in a process of its own.  The trace is the caller's to free; it is
 * empty if the engine died, or never came to an end.
 */
void quiet_trace(const struct plan *plan, const struct engine *engine, struct trace *trace);

#endif
