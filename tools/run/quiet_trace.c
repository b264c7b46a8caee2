/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child sends its events as one record.
 */
#include "tools/run/quiet_trace.h"

#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/run/isolate.h"
#include "tools/run/pipe.h"
#include "tools/run/runner.h"

#define LIMIT_MS 5000

/* The events of a run are ignored if they need more bytes than this. */
#define MAX_BYTES ((size_t)1 << (sizeof(size_t) >= 8 ? 32 : 29))

struct quiet_run {
    const struct plan *plan;
    const struct engine *engine;
};

static void run_quietly(void *opaque, void *record, int results)
{
    static const struct isolate_limits limits = {.cpu_ms = LIMIT_MS,
                                                 .memory_bytes = ISOLATE_MEMORY_BYTES};
    const struct quiet_run *run = opaque;
    const struct world_options options = {.engine = run->engine, .step_limit = isolate_step_limit};
    struct world *world;
    struct trace trace;

    (void)record;
    isolate_watch(&limits);
    trace_init(&trace, true);
    world = world_create(run->plan, &options, &trace);
    if (world == NULL) {
        exit(EXIT_HARNESS);
    }
    world_run(world, UINT64_MAX);
    pipe_send(results, trace.events, (size_t)trace.count * sizeof(struct event));
    world_destroy(world);
    trace_free(&trace);
}

/* What the child wrote to stderr is dropped: if the engine dies, the search reports it. */
void quiet_trace(const struct plan *plan, const struct engine *engine, struct trace *trace)
{
    struct quiet_run run = {plan, engine};
    struct isolate isolate;
    struct event *events;
    size_t bytes = 0;
    size_t count;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_quietly, &run);
    events = pipe_receive(isolate.results, MAX_BYTES, &bytes);
    free(isolate_end(&isolate).words);
    trace_init(trace, true);
    count = events != NULL ? bytes / sizeof(struct event) : 0;
    for (size_t i = 0; i < count; i++) {
        trace_append(trace, &events[i]);
    }
    free(events);
    isolate_close(&isolate);
}
