/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim trace: everything that happens in one run, as text or JSON lines.
 *
 * The run is made in a child, which sends its events as they come; the parent writes them.  A
 * run that dies still sends the events up to the one in which it died.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/isolate.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"
#include "tools/run/pipe.h"
#include "tools/run/result.h"

/* The names for --only. */
static const struct {
    const char *name;
    uint64_t kinds;
} groups[] = {
    {"io", EVENT_BIT(REQUEST_QUEUED) | EVENT_BIT(REQUEST_SUBMIT) | EVENT_BIT(REQUEST_START) |
               EVENT_BIT(REQUEST_EFFECT) | EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) |
               EVENT_BIT(HELD) | EVENT_BIT(RELEASED) | EVENT_BIT(ARRIVE) | EVENT_BIT(ANSWERED) |
               EVENT_BIT(STALL_HOLDER)},
    {"events",
     EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | JOB_REPORTS | EVENT_BIT(JOB_STATUS)},
    {"job", EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | EVENT_BIT(JOB_PHASE) |
                EVENT_BIT(JOB_PROGRESS) | EVENT_BIT(JOB_TRACE) | EVENT_BIT(JOB_READY) |
                EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_PAUSED) | EVENT_BIT(JOB_RESUMED) |
                EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED) | EVENT_BIT(COMMAND) |
                EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(BUFFERS_CREATE) |
                EVENT_BIT(BUFFERS_RELEASE) | EVENT_BIT(JOB_STATUS) | EVENT_BIT(JOB_PENDING) |
                EVENT_BIT(JOB_SYNCED)},
    {"dirty", EVENT_BIT(DIRTY_CREATE) | EVENT_BIT(DIRTY_SET) | EVENT_BIT(DIRTY_CLEAR) |
                  EVENT_BIT(DIRTY_RELEASE)},
    {"graph", EVENT_BIT(DRAIN_BEGIN) | EVENT_BIT(DRAINED) | EVENT_BIT(DRAIN_END) |
                  EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |
                  EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(GRAPH_PIVOT) | EVENT_BIT(GRAPH_UNLINK) |
                  EVENT_BIT(GRAPH_BLOCK) | EVENT_BIT(GRAPH_UNBLOCK) | EVENT_BIT(GRAPH_REF) |
                  EVENT_BIT(GRAPH_UNREF) | EVENT_BIT(GRAPH_USE) | EVENT_BIT(GUEST_MOVED) |
                  EVENT_BIT(GRAPH_BACKING) | EVENT_BIT(GRAPH_READ_ONLY) | EVENT_BIT(SECTION)},
    {"story", EVENT_BIT(STEP) | EVENT_BIT(REACT) | EVENT_BIT(MARK) | EVENT_BIT(QUERY) |
                  EVENT_BIT(CHECK_FAILED) | EVENT_BIT(POWER_CUT) | EVENT_BIT(COMMAND) |
                  EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(END)},
};

#define CPU_LIMIT_MS 20000

/* Events in one record, at most; an empty record follows the last of them. */
#define SEND_EVENTS ((uint64_t)4096)

#define GROUP_COUNT COUNT_OF(groups)

struct trace_options {
    struct one_run run;
    bool json;
    uint64_t kinds;
    uint64_t from_ns;
    uint64_t to_ns;
    uint64_t written; /* number of events already handled */
};

static void take_only(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member)
{
    uint64_t *kinds = member;

    (void)option;
    *kinds = 0;
    if (*arg == '\0') {
        option_refuse(state, "--only wants one or more of io, events, job, dirty, graph, story");
    }
    while (*arg != '\0') {
        size_t length = strcspn(arg, ",");
        size_t i = 0;

        while (i < GROUP_COUNT &&
               (strncmp(groups[i].name, arg, length) != 0 || groups[i].name[length] != '\0')) {
            i++;
        }
        if (i == GROUP_COUNT) {
            option_refuse(state, "--only: '%.*s' is none of io, events, job, dirty, graph, story",
                          (int)length, arg);
        }
        *kinds |= groups[i].kinds;
        arg += length + (arg[length] == ',');
    }
}

static void check_options(const struct argp_state *state, const void *opaque)
{
    const struct trace_options *options = opaque;

    if (options->from_ns > options->to_ns) {
        option_refuse(state, "--from comes after --to");
    }
}

#define AT(member) offsetof(struct trace_options, member)

static const struct option_row options_of_trace[] = {
    {{"json", 0, NULL, 0, "One JSON object per line", 2}, INTO(FLAG, json)},
    {{"only", 0, "GROUP,...", 0, "Only events of io, events, job, dirty, graph, story", 2},
     INTO(OTHER, kinds),
     .take = take_only},
    {{"from", 0, "TIME", 0, "Only from this virtual time on, like 5ms", 2}, INTO(TIME, from_ns)},
    {{"to", 0, "TIME", 0, "Only up to this virtual time", 2}, INTO(TIME, to_ns)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_trace,
    ONE_RUN_OF(struct trace_options),
    .check = check_options,
    .doc = "Runs one case of a scenario file and shows everything that happens in it."};

/* ---- In the child ---- */

/* What the signal handler needs to send the last events; a handler gets no argument. */
static struct {
    const struct trace *trace;
    uint64_t sent; /* events */
    int results;
    volatile sig_atomic_t sending;
} child;

/* Async-signal-safe, as pipe_send() is. */
static void send_new_events(void)
{
    const struct trace *trace = child.trace;

    child.sending = 1;
    while (child.sent < trace->count) {
        uint64_t count = min_u64(trace->count - child.sent, SEND_EVENTS);
        const struct event *events = &trace->events[child.sent];

        if (!pipe_send(child.results, events, count * sizeof(*events))) {
            break;
        }
        child.sent += count;
    }
    child.sending = 0;
}

/* If a signal has interrupted a record, nothing more can be sent after it. */
static void last_words(void)
{
    if (!child.sending) {
        send_new_events();
    }
}

/* Sends the events, an empty record, and the result. */
static void run_in_child(void *opaque, void *record, int results)
{
    struct one_run *run = opaque;
    const struct isolate_limits limits = {.cpu_ms = run->cpu_limit_ms,
                                          .memory_bytes = ISOLATE_MEMORY_BYTES};
    struct run_result *result = run_result_create();

    (void)record;
    child.trace = &run->trace;
    child.results = results;
    isolate_at_death(last_words);
    isolate_watch(&limits);
    one_run_open(run);
    do {
        send_new_events();
    } while (world_step(run->world));
    send_new_events();
    run_result_fill(result, run->plan, world_judge(run->world));
    isolate_watch(NULL);
    pipe_send(results, NULL, 0);
    run_result_send(results, result);
    free(result);
    one_run_close(run);
}

/* ---- In the parent ---- */

static int format_event(const struct trace_options *options, uint64_t number, char *buf,
                        size_t size)
{
    const struct trace_names names = {options->run.plan, options->run.engine};
    const struct event *event = &options->run.trace.events[number];

    return options->json ? trace_format_json(&names, event, number, buf, size)
                         : trace_format_text(&names, event, buf, size);
}

static void write_event(const struct trace_options *options, uint64_t number)
{
    char buf[1024];
    char *line = buf;
    int length = format_event(options, number, buf, sizeof(buf));

    if ((size_t)length >= sizeof(buf)) {
        line = must_alloc((size_t)length + 1);
        format_event(options, number, line, (size_t)length + 1);
    }
    puts(line);
    if (line != buf) {
        free(line);
    }
}

static void write_new_events(struct trace_options *options)
{
    const struct trace *trace = &options->run.trace;

    for (; options->written < trace->count; options->written++) {
        const struct event *event = &trace->events[options->written];

        if ((options->kinds >> event->kind & 1) != 0 && event->now_ns >= options->from_ns &&
            event->now_ns <= options->to_ns) {
            write_event(options, options->written);
        }
    }
}

static void write_verdict(const struct run_result *result)
{
    printf("\n%s after %s, %" PRIu64 " events in the trace, hash %016" PRIx64 "\n",
           outcome_name(result->outcome), quantity_time(result->virtual_ns).text,
           result->trace_events, result->trace_hash);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        printf("%s (%s) at %s: %s\n", finding_by(finding->id), finding_kind_name(finding->id),
               quantity_time(finding->now_ns).text, finding->text);
    }
}

/* Flushes the output while no new event comes. */
static void flush_if_idle(int results)
{
    struct pollfd next = {.fd = results, .events = POLLIN};

    if (poll(&next, 1, 0) == 0) {
        fflush(stdout);
    }
}

/* Writes events until the child reports the end, or dies. */
static void receive_events(struct trace_options *options, int results)
{
    struct event *events;
    size_t bytes;

    while ((events = pipe_receive(results, SEND_EVENTS * sizeof(*events), &bytes)) != NULL &&
           bytes > 0) {
        for (size_t i = 0; i < bytes / sizeof(*events); i++) {
            trace_append(&options->run.trace, &events[i]);
        }
        write_new_events(options);
        flush_if_idle(results);
        free(events);
    }
    free(events);
}

/* Returns the exit code. */
static int trace_run(struct trace_options *options)
{
    struct run_result *result;
    struct isolate_death death;
    struct isolate isolate;
    int code = EXIT_PASSED;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_in_child, &options->run);
    isolate_leave_interrupts(); /* the child sends its last events */
    receive_events(options, isolate.results);
    result = run_result_receive(isolate.results);
    death = isolate_end(&isolate);
    if (result == NULL) {
        fflush(stdout);
        code = isolate_tell(&death, options->run.engine);
        code = code != EXIT_PASSED ? code : EXIT_FAILED;
    } else {
        fputs(death.words, stderr);
    }
    if (result != NULL && !options->json) {
        write_verdict(result);
    }
    free(death.words);
    free(result);
    isolate_close(&isolate);
    return code;
}

static int run_trace(int argc, char **argv)
{
    struct trace_options options = {
        .run = {.cpu_limit_ms = CPU_LIMIT_MS}, .kinds = UINT64_MAX, .to_ns = UINT64_MAX};
    int code;

    options_parse(&table, argc, argv, &options);
    one_run_load(&options.run);
    trace_init(&options.run.trace, true);
    code = trace_run(&options);
    one_run_close(&options.run);
    return code;
}

const struct command command_trace = {"trace", "show everything that happens in one run", &table,
                                      run_trace};
