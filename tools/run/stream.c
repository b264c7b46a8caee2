/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child sends its new events after each timeline event, then an empty record and the result.
 */
#include "tools/run/stream.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "engine/range.h"
#include "tools/run/pipe.h"
#include "tools/run/runner.h"

/* Events in one record, at most; an empty record follows the last of them. */
#define SEND_EVENTS ((uint64_t)4096)

/* ---- In the child ---- */

/* What the signal handler needs to send the last events; a handler gets no argument. */
static struct {
    const struct trace *trace;
    uint64_t sent; /* events */
    int results;
    volatile sig_atomic_t sending;
} child;

/* From number *sent on.  Async-signal-safe, as pipe_send() is. */
static void send_events(int results, const struct trace *trace, uint64_t *sent)
{
    while (*sent < trace->count) {
        uint64_t count = min_u64(trace->count - *sent, SEND_EVENTS);
        const struct event *events = &trace->events[*sent];

        if (!pipe_send(results, events, (size_t)count * sizeof(*events))) {
            break;
        }
        *sent += count;
    }
}

static void send_new_events(void)
{
    child.sending = 1;
    send_events(child.results, child.trace, &child.sent);
    child.sending = 0;
}

/* If a signal has interrupted a record, nothing more can be sent after it. */
static void last_words(void)
{
    if (!child.sending) {
        send_new_events();
    }
}

/* After the run there is nothing left to be sent. */
static void nothing_more(void)
{
}

void stream_send(const struct stream *stream, int results)
{
    const struct isolate_limits limits = {.cpu_ms = stream->cpu_ms,
                                          .memory_bytes = ISOLATE_MEMORY_BYTES};
    struct run_result *result = run_result_create();
    struct trace trace;
    struct world *world;

    trace_init(&trace, true);
    child.trace = &trace;
    child.sent = 0;
    child.results = results;
    isolate_at_death(last_words);
    isolate_watch(&limits);
    world = runner_world(NULL, stream->plan, &stream->options, &trace);
    do {
        send_new_events();
    } while (world_step(world));
    send_new_events();
    run_result_fill(result, stream->plan, world_judge(world));
    isolate_watch(NULL);
    pipe_send(results, NULL, 0);
    run_result_send(results, result);
    free(result);
    world_destroy(world);
    isolate_at_death(nothing_more);
    trace_free(&trace);
}

void stream_send_trace(const struct trace *trace, int results)
{
    uint64_t sent = 0;

    send_events(results, trace, &sent);
    pipe_send(results, NULL, 0);
}

static void run_in_child(void *opaque, void *record, int results)
{
    (void)record;
    stream_send(opaque, results);
}

/* ---- In the parent ---- */

static void tell_if_idle(const struct stream *stream, int results)
{
    struct pollfd next = {.fd = results, .events = POLLIN};

    if (stream->idle != NULL && poll(&next, 1, 0) == 0) {
        stream->idle(stream->opaque);
    }
}

/* Until the child reports the end, or dies. */
static void receive_events(const struct stream *stream, int results)
{
    struct event *events;
    uint64_t number = 0;
    size_t bytes;

    while ((events = pipe_receive(results, SEND_EVENTS * sizeof(*events), &bytes)) != NULL &&
           bytes > 0) {
        for (size_t i = 0; i < bytes / sizeof(*events); i++) {
            stream->event(stream->opaque, &events[i], number++);
        }
        tell_if_idle(stream, results);
        free(events);
    }
    free(events);
}

struct run_result *stream_receive(const struct stream *stream, int results)
{
    receive_events(stream, results);
    return run_result_receive(results);
}

struct run_result *stream_run(const struct stream *stream, struct isolate_death *death)
{
    struct stream copy = *stream;
    struct isolate isolate;
    struct run_result *result;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_in_child, &copy);
    if (stream->takes_interrupts) {
        isolate_leave_interrupts();
    }
    result = stream_receive(stream, isolate.results);
    *death = isolate_end(&isolate);
    isolate_close(&isolate);
    return result;
}

static void keep(void *opaque, const struct event *event, uint64_t number)
{
    (void)number;
    trace_append(opaque, event);
}

void stream_receive_trace(struct trace *trace, int results)
{
    const struct stream stream = {.opaque = trace, .event = keep};

    trace_init(trace, true);
    receive_events(&stream, results);
}

struct run_result *stream_trace(const struct plan *plan, const struct world_options *options,
                                uint64_t cpu_ms, struct trace *trace)
{
    const struct stream stream = {
        .plan = plan, .options = *options, .cpu_ms = cpu_ms, .opaque = trace, .event = keep};
    struct isolate_death death;
    struct run_result *result;

    trace_init(trace, true);
    result = stream_run(&stream, &death);
    free(death.words);
    return result;
}
