/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim trace: everything that happens in one run, as text or JSON lines.
 *
 * Events are written as soon as they happen, so the trace of a run that crashes
 * is complete up to the event that crashed.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/death.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"

/* The names for --only. */
static const struct {
    const char *name;
    uint64_t kinds;
} groups[] = {
    {"io", EVENT_BIT(REQUEST_QUEUED) | EVENT_BIT(REQUEST_SUBMIT) | EVENT_BIT(REQUEST_START) |
               EVENT_BIT(REQUEST_EFFECT) | EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) |
               EVENT_BIT(HELD) | EVENT_BIT(RELEASED)},
    {"events", EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | EVENT_BIT(JOB_READY) |
                   EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_PAUSED) | EVENT_BIT(JOB_RESUMED) |
                   EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED)},
    {"job", EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | EVENT_BIT(JOB_PHASE) |
                EVENT_BIT(JOB_PROGRESS) | EVENT_BIT(JOB_TRACE) | EVENT_BIT(JOB_READY) |
                EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_PAUSED) | EVENT_BIT(JOB_RESUMED) |
                EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED) | EVENT_BIT(COMMAND) |
                EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(BUFFERS_CREATE) |
                EVENT_BIT(BUFFERS_RELEASE)},
    {"dirty", EVENT_BIT(DIRTY_CREATE) | EVENT_BIT(DIRTY_SET) | EVENT_BIT(DIRTY_CLEAR) |
                  EVENT_BIT(DIRTY_RELEASE)},
    {"graph", EVENT_BIT(DRAIN_BEGIN) | EVENT_BIT(DRAINED) | EVENT_BIT(DRAIN_END) |
                  EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |
                  EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(GRAPH_PIVOT) | EVENT_BIT(GRAPH_UNLINK) |
                  EVENT_BIT(GRAPH_BLOCK) | EVENT_BIT(GRAPH_UNBLOCK) | EVENT_BIT(GRAPH_REF) |
                  EVENT_BIT(GRAPH_UNREF) | EVENT_BIT(GRAPH_USE)},
    {"story", EVENT_BIT(STEP) | EVENT_BIT(REACT) | EVENT_BIT(MARK) | EVENT_BIT(QUERY) |
                  EVENT_BIT(CHECK_FAILED) | EVENT_BIT(POWER_CUT) | EVENT_BIT(COMMAND) |
                  EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(END)},
};

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
    {{"json", 0, NULL, 0, "A JSON object a line", 2}, INTO(FLAG, json)},
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

/* ---- Writing ---- */

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

/*
 * When a run dies, its last events have not been written yet; the signal
 * handler writes them.  It needs the options, and a handler gets no argument,
 * hence this variable.
 */
static struct trace_options *dying;

static void write_last_events(int signal_number)
{
    write_new_events(dying);
    fflush(stdout);
    raise(signal_number);
}

/* An engine that loops within one event is ended by the limit of processor time, or by Ctrl-C. */
static void catch_death(struct trace_options *options)
{
    static const int also[] = {ENGINE_SIGNAL_UNSUPPORTED, SIGXCPU, SIGINT, SIGTERM, 0};

    dying = options;
    death_catch(write_last_events, also);
    death_limit_cpu();
}

static void write_verdict(const struct verdict *verdict)
{
    printf("\n%s after %s, %" PRIu64 " events in the trace, hash %016" PRIx64 "\n",
           outcome_name(verdict->outcome), quantity_time(verdict->virtual_ns).text,
           verdict->trace_events, verdict->trace_hash);
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        printf("%s (%s) at %s: %s\n", finding_by(finding->id), finding_kind_name(finding->id),
               quantity_time(finding->now_ns).text, finding->text);
    }
}

static int run_trace(int argc, char **argv)
{
    struct trace_options options = {
        .run = {.engine = engines[0]}, .kinds = UINT64_MAX, .to_ns = UINT64_MAX};

    options_parse(&table, argc, argv, &options);
    one_run_open(&options.run);
    catch_death(&options);
    do {
        write_new_events(&options);
    } while (world_step(options.run.world));
    write_new_events(&options);
    if (!options.json) {
        write_verdict(world_judge(options.run.world));
    }
    one_run_close(&options.run);
    return EXIT_PASSED;
}

const struct command command_trace = {"trace", "show everything that happens in one run", &table,
                                      run_trace};
