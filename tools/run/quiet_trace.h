/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace of a plan's quiet run, made where an engine can't take the program with it.
 */
#ifndef MIRRORSIM_TOOLS_RUN_QUIET_TRACE_H
#define MIRRORSIM_TOOLS_RUN_QUIET_TRACE_H

#include <stdint.h>

#include "engine/engine.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

struct quiet_run {
    const struct plan *plan;
    const struct engine *engine;
    uint64_t cpu_limit_ms; /* processor time for it; 0 = no bound */
};

/*
 * Runs the plan in a process of its own.  The trace is the caller's to free; it is
 * empty if the engine died, or never came to an end.
 */
void quiet_trace(const struct quiet_run *run, struct trace *trace);

#endif
