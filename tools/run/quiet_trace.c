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

/* The events of a run are ignored if they need more bytes than this. */
#define MAX_BYTES (UINT64_C(1) << 32)

static void run_quietly(void *opaque, void *record, int results)
{
    const struct quiet_run *run = opaque;
    const struct isolate_limits limits = {.cpu_ms = run->cpu_limit_ms,
                                          .memory_bytes = ISOLATE_MEMORY_BYTES};
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
    pipe_send(results, trace.events, trace.count * sizeof(struct event));
    world_destroy(world);
    trace_free(&trace);
}

/* What the child wrote to stderr is dropped: if the engine dies, the search reports it. */
void quiet_trace(const struct quiet_run *run, struct trace *trace)
{
    struct quiet_run body = *run;
    struct isolate isolate;
    struct event *events;
    size_t bytes = 0;
    size_t count;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_quietly, &body);
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
