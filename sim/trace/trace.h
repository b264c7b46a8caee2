/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace of a run: events in order, and a running hash.
 *
 * The hash after event n covers events 0..n, so two runs that should be equal
 * show the first event at which they differ.  A trace lives outside the world's
 * arena: after a snapshot is restored, the caller says where the trace
 * continues.
 */
#ifndef MIRRORSIM_SIM_TRACE_TRACE_H
#define MIRRORSIM_SIM_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/event.h"

struct trace {
    bool keep; /* events are kept, not only hashed */
    uint64_t count;
    uint64_t hash;
    size_t capacity;
    struct event *events; /* `count` events if kept; else NULL */
};

void trace_init(struct trace *trace, bool keep);
void trace_free(struct trace *trace);

/* Drops all events, or those from `count` on when a snapshot is restored. */
void trace_clear(struct trace *trace);
void trace_rewind(struct trace *trace, uint64_t count, uint64_t hash);

void trace_append(struct trace *trace, const struct event *event);

/*
 * The first event at which two kept traces differ; false if they are equal.
 */
bool trace_first_difference(const struct trace *a, const struct trace *b, uint64_t *event);

struct plan;
struct engine;

/*
 * Names in a trace: disks, faults, marks and steps come from the plan, phases
 * from the engine.
 */
struct trace_names {
    const struct plan *plan;
    const struct engine *engine;
};

/* One event as a line of text without its newline; returns its length (snprintf rules). */
int trace_format_text(const struct trace_names *names, const struct event *event, char *buf,
                      size_t size);

/* The same after `number`, its index in the trace: what findings call "event 62". */
int trace_format_numbered(const struct trace_names *names, const struct event *event,
                          uint64_t number, char *buf, size_t size);

/* One event as one JSON object without a newline; `number` is its index in the trace. */
int trace_format_json(const struct trace_names *names, const struct event *event, uint64_t number,
                      char *buf, size_t size);

#endif
