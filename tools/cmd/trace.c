/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim trace: everything that happens in one run, as text or JSON lines.
 *
 * Events are written as soon as there are any, so that of a run that crashes
 * all is seen up to the event in which it did.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/death.h"
#include "tools/run/one_run.h"

/* What --only can name. */
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

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

struct trace_options {
    struct one_run run;
    bool json;
    uint64_t kinds;
    uint64_t from_ns;
    uint64_t to_ns;
    uint64_t written; /* events that have been dealt with */
};

static const struct argp_option option_list[] = {
    {"json", KEY_JSON, NULL, 0, "A JSON object a line", 2},
    {"only", KEY_ONLY, "GROUP,...", 0, "Only events of io, events, job, dirty, graph, story", 2},
    {"from", KEY_FROM, "TIME", 0, "Only from this virtual time on, like 5ms", 2},
    {"to", KEY_TO, "TIME", 0, "Only up to this virtual time", 2},
    {0},
};

static void parse_only(const struct argp_state *state, struct trace_options *options,
                       const char *arg)
{
    options->kinds = 0;
    if (*arg == '\0') {
        argp_error(state, "--only wants one or more of io, events, job, dirty, graph, story");
    }
    while (*arg != '\0') {
        size_t length = strcspn(arg, ",");
        size_t i = 0;

        while (i < GROUP_COUNT &&
               (strncmp(groups[i].name, arg, length) != 0 || groups[i].name[length] != '\0')) {
            i++;
        }
        if (i == GROUP_COUNT) {
            argp_error(state, "--only: '%.*s' is none of io, events, job, dirty, graph, story",
                       (int)length, arg);
            return;
        }
        options->kinds |= groups[i].kinds;
        arg += length + (arg[length] == ',');
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct trace_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->run;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_ONLY:
        parse_only(state, options, arg);
        return 0;
    case KEY_FROM:
        options->from_ns = option_time(state, "--from", arg);
        return 0;
    case KEY_TO:
        options->to_ns = option_time(state, "--to", arg);
        return 0;
    case ARGP_KEY_END:
        if (options->from_ns > options->to_ns) {
            argp_error(state, "--from comes after --to");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

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
 * A run that dies has its last events still to be written.  The handler runs
 * where the run died, so it can do what any code there could; it needs to find
 * the options, and a handler has no argument for them.
 */
static struct trace_options *dying;

static void write_last_events(int signal_number)
{
    write_new_events(dying);
    fflush(stdout);
    raise(signal_number);
}

/* An engine that loops inside one event ends at the limit, or with Ctrl-C. */
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

        printf("%s (%s) at %s: %s\n", finding->oracle, finding->kind,
               quantity_time(finding->now_ns).text, finding->text);
    }
}

int cmd_trace(int argc, char **argv)
{
    static const struct argp_child children[] = {{&one_run_argp, 0, NULL, 1}, {0}};
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Runs one case of a scenario file and shows everything that happens in it.",
        .children = children,
    };
    struct trace_options options = {
        .run = {.engine = engines[0]}, .kinds = UINT64_MAX, .to_ns = UINT64_MAX};

    argp_parse(&argp, argc, argv, 0, NULL, &options);
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
