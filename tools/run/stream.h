/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run in a process of its own, and its events here, one by one as they come.
 *
 * An engine can't take the program with it, and a run that dies still sends its events up to the
 * one in which it died.  Nothing is kept here but the events that have just come.
 */
#ifndef MIRRORSIM_TOOLS_RUN_STREAM_H
#define MIRRORSIM_TOOLS_RUN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/trace/trace.h"
#include "sim/world/world.h"
#include "tools/run/isolate.h"
#include "tools/run/result.h"

struct stream {
    const struct plan *plan;
    struct world_options options; /* like runner_options() */
    uint64_t cpu_ms;              /* the run may take */
    bool takes_interrupts;        /* Ctrl-C is for the run alone, which sends its last events */

    void *opaque;
    void (*event)(void *opaque, const struct event *event, uint64_t number);
    void (*idle)(void *opaque); /* no more have come for the moment; NULL: nobody cares */
};

/*
 * Returns the result, to be freed; NULL if the run died, and then *death says of what.  The words
 * of the death are the caller's in any case.
 */
struct run_result *stream_run(const struct stream *stream, struct isolate_death *death);

/* The same for a run whose events are all wanted: they are in the trace, which is the caller's. */
struct run_result *stream_trace(const struct plan *plan, const struct world_options *options,
                                uint64_t cpu_ms, struct trace *trace);

/*
 * The two ends, for a child that makes several runs: it sends one, and its parent receives it, as
 * stream_run() does.  NULL: the child has died.
 */
void stream_send(const struct stream *stream, int results);
struct run_result *stream_receive(const struct stream *stream, int results);

/* The same for a trace that is there already.  The one that is received is the caller's. */
void stream_send_trace(const struct trace *trace, int results);
void stream_receive_trace(struct trace *trace, int results);

#endif
