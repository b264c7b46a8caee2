/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run is a function of plan, engine and seed, so the second time is as the first.
 */
#include "tools/picture/map_of_run.h"

#include <stdlib.h>

#include "tools/picture/map.h"
#include "tools/run/runner.h"
#include "tools/run/stream.h"

/* A run that takes longer has had its own limit before. */
#define CPU_LIMIT_MS 60000

static void show(FILE *out, const struct plan *plan, const struct engine *engine,
                 const struct trace *trace, const struct run_finding *finding)
{
    const struct map_options options = map_options_for(out);
    struct picture picture = picture_of_trace(plan, trace);

    map_show(out, plan, engine, &picture, finding, &options);
    picture_free(&picture);
}

void map_show_run(FILE *out, const struct report_run *run)
{
    const struct run_result *result = run->result;
    const struct run_finding *finding = result->finding_count > 0 ? &result->findings[0] : NULL;
    bool is_compared = finding != NULL && finding->about == ABOUT_COMPARED;
    const struct engine *engine = is_compared ? run->compared : run->engine;
    const struct choice_spec choices = {.seed = run->seed};
    struct plan *plan = scenario_plan(run->scenario, run->case_number - 1, &choices);
    const struct world_options options = runner_options(plan, engine, run->seed);
    struct trace trace;

    free(stream_trace(plan, &options, CPU_LIMIT_MS, &trace));
    if (trace.count > 0) {
        fflush(out);
        show(out, plan, engine, &trace, finding);
    }
    trace_free(&trace);
    plan_destroy(plan);
}
