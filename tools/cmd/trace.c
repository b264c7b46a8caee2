/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim trace: everything that happens in one run, as text, as JSON lines, or for Perfetto.
 *
 * The run is made in a child, which sends its events as they come; the parent writes them.  A
 * run that dies still sends the events up to the one in which it died.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "sim/base/quantity.h"
#include "tools/base/files.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/cmd/run_options.h"
#include "tools/picture/map.h"
#include "tools/picture/perfetto.h"
#include "tools/report/choices.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"
#include "tools/run/runner.h"
#include "tools/run/stream.h"

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

#define GROUP_COUNT COUNT_OF(groups)

struct trace_options;

/* What is done with the events. */
struct trace_format {
    void (*open)(struct trace_options *options); /* NULL: nothing */
    void (*event)(void *options, const struct event *event, uint64_t number);
    /* `result` is NULL if the run died; `death` then says of what. */
    void (*close)(struct trace_options *options, const struct run_result *result,
                  const char *death);
    bool whole; /* it shows whole runs only */
};

enum format_name { TRACE_TEXT, TRACE_JSON, TRACE_PERFETTO, TRACE_MAP, TRACE_HTML };

struct trace_options {
    struct one_run run;
    enum format_name format;
    const char *file; /* to write to; NULL: standard output */
    uint64_t kinds;
    uint64_t from_ns;
    uint64_t to_ns;

    struct output output;
    FILE *out;
    struct perfetto *perfetto; /* TRACE_PERFETTO */
    struct progress progress;  /* ... into a file */
    struct trace trace;        /* TRACE_MAP */
    bool ascii;
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

/* ---- Lines ---- */

static int format_event(const struct trace_options *options, const struct event *event,
                        uint64_t number, char *buf, size_t size)
{
    const struct trace_names names = {options->run.plan, options->run.engine};

    return options->format == TRACE_JSON ? trace_format_json(&names, event, number, buf, size)
                                         : trace_format_numbered(&names, event, number, buf, size);
}

static void write_line(void *opaque, const struct event *event, uint64_t number)
{
    const struct trace_options *options = opaque;
    char buf[1024];
    char *line = buf;
    int length;

    if ((options->kinds >> event->kind & 1) == 0 || event->now_ns < options->from_ns ||
        event->now_ns > options->to_ns) {
        return;
    }
    length = format_event(options, event, number, buf, sizeof(buf));
    if ((size_t)length >= sizeof(buf)) {
        line = must_alloc((size_t)length + 1);
        format_event(options, event, number, line, (size_t)length + 1);
    }
    fputs(line, options->out);
    fputc('\n', options->out);
    if (line != buf) {
        free(line);
    }
}

/* Those that are not quiet, with the event that each came before. */
static void write_choices(const struct one_run *run, FILE *out)
{
    struct told_choices choices = choices_tell(run->plan, run->engine, run->seed);

    if (choices.count > 0) {
        fputs("\nchoices that are not the quiet ones, before event:\n", out);
        choices_show(&choices, out);
    }
    choices_free(&choices);
}

static void write_verdict(FILE *out, const struct run_result *result)
{
    fprintf(out,
            "\n%s after %s of virtual time, %" PRIu64 " events in the trace, hash %016" PRIx64 "\n",
            outcome_name(result->outcome), quantity_time(result->virtual_ns).text,
            result->trace_events, result->trace_hash);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        fprintf(out, "%s (%s) at %s, event %" PRIu64 ": %s\n", finding_by(finding->id),
                finding_kind_name(finding->id), quantity_time(finding->now_ns).text,
                finding->event_number, finding->text);
    }
}

static void close_text(struct trace_options *options, const struct run_result *result,
                       const char *death)
{
    (void)death;
    if (result != NULL) {
        write_verdict(options->out, result);
    }
    write_choices(&options->run, options->out);
}

/* ---- Perfetto ---- */

/* After so many events it is looked whether it is time to show how far it has come. */
#define PROGRESS_EVENTS 4096

static void open_perfetto(struct trace_options *options)
{
    progress_begin(&options->progress, 0);
    options->perfetto = perfetto_open(options->out, &options->run);
}

static void add_to_perfetto(void *opaque, const struct event *event, uint64_t number)
{
    struct trace_options *options = opaque;

    perfetto_event(options->perfetto, event, number);
    if (options->file != NULL && number % PROGRESS_EVENTS == PROGRESS_EVENTS - 1) {
        progress_say(&options->progress, "%" PRIu64 " events", number + 1);
    }
}

static void close_perfetto(struct trace_options *options, const struct run_result *result,
                           const char *death)
{
    progress_clear(&options->progress);
    perfetto_close(options->perfetto, result, death);
}

/* ---- The map ---- */

static void open_map(struct trace_options *options)
{
    trace_init(&options->trace, true);
}

static void add_to_map(void *opaque, const struct event *event, uint64_t number)
{
    struct trace_options *options = opaque;

    (void)number;
    trace_append(&options->trace, event);
}

static void close_map(struct trace_options *options, const struct run_result *result,
                      const char *death)
{
    const struct one_run *run = &options->run;
    struct map_options shown = map_options_for(options->out);
    struct picture picture = picture_of_trace(run->plan, &options->trace);
    bool has_finding = result != NULL && result->finding_count > 0;

    shown.ascii = options->ascii;
    shown.from_ns = options->from_ns;
    shown.to_ns = options->to_ns;
    map_show(options->out, run->plan, run->engine, &picture,
             has_finding ? &result->findings[0] : NULL, &shown);
    close_text(options, result, death);
    picture_free(&picture);
    trace_free(&options->trace);
}

static const struct trace_format formats[] = {
    [TRACE_TEXT] = {.event = write_line, .close = close_text},
    [TRACE_JSON] = {.event = write_line},
    [TRACE_PERFETTO] = {.open = open_perfetto,
                        .event = add_to_perfetto,
                        .close = close_perfetto,
                        .whole = true},
    [TRACE_MAP] = {.open = open_map, .event = add_to_map, .close = close_map},
    [TRACE_HTML] = {.whole = true}, /* by show_page() */
};

/* ---- The command ---- */

static void check_options(const struct argp_state *state, const void *opaque)
{
    const struct trace_options *options = opaque;
    bool cuts =
        options->kinds != UINT64_MAX || options->from_ns > 0 || options->to_ns != UINT64_MAX;

    if (options->from_ns > options->to_ns) {
        option_refuse(state, "--from comes after --to");
    }
    if (formats[options->format].whole && cuts) {
        option_refuse(state, "--%s shows the whole run: without --only, --from and --to",
                      options->format == TRACE_HTML ? "html" : "perfetto");
    }
}

enum { EITHER_FORMAT = 1 };

#define AT(member) offsetof(struct trace_options, member)

static const struct option_row options_of_trace[] = {
    {{"json", 0, NULL, 0, "One JSON object per line", 2},
     INTO(VALUE, format),
     .value = TRACE_JSON,
     .alternative = EITHER_FORMAT},
    {{"perfetto", 0, NULL, 0, "Chrome trace JSON, for ui.perfetto.dev and chrome://tracing", 2},
     INTO(VALUE, format),
     .value = TRACE_PERFETTO,
     .alternative = EITHER_FORMAT},
    {{"html", 0, NULL, 0, "A page for browsers, as `mirrorsim report` writes it", 2},
     INTO(VALUE, format),
     .value = TRACE_HTML,
     .alternative = EITHER_FORMAT},
    {{"map", 0, NULL, 0, "Time in columns, addresses in rows, as text", 2},
     INTO(VALUE, format),
     .value = TRACE_MAP,
     .alternative = EITHER_FORMAT},
    {{"ascii", 0, NULL, 0, "The map without signs that are not ASCII", 2}, INTO(FLAG, ascii)},
    {{"output", 'o', "FILE", 0, "Write to this file instead of standard output", 2},
     INTO(TEXT, file)},
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
    .doc = "Runs one case of a scenario file and shows everything that happens in it: as lines of "
           "text (default) or JSON, as a map, or as a file for a viewer.\vIn a map, time runs to "
           "the right and addresses downwards; a column is an instant at which something happens, "
           "and a row the addresses that the same requests touch. It is as wide as the terminal, "
           "or 80 columns, and has colours only on a terminal, and none if NO_COLOR is set.\n\n"
           "Exit codes: 0 shown, 1 the run died (what came before is shown), 2 an invalid file or "
           "wrong usage, 3 the harness failed."};

static void flush(void *opaque)
{
    const struct trace_options *options = opaque;

    fflush(options->out);
}

static void open_output(struct trace_options *options)
{
    options->out = stdout;
    if (options->file == NULL) {
        return;
    }
    if (file_is(options->file, options->run.file)) {
        fprintf(stderr, "mirrorsim: --output=%s would overwrite the scenario\n", options->file);
        exit(EXIT_USAGE);
    }
    if (!output_open(&options->output, options->file)) {
        die("--output=%s: %s", options->file, strerror(errno));
    }
    options->out = options->output.stream;
}

static void close_output(struct trace_options *options)
{
    if (options->file != NULL && !output_close(&options->output)) {
        die("%s: %s", options->file, strerror(errno));
    }
}

/* Ends what is written, and says on stderr what the run died of. Returns the exit code. */
static int end_trace(struct trace_options *options, const struct run_result *result,
                     const struct isolate_death *death)
{
    const struct trace_format *format = &formats[options->format];
    char text[FINDING_TEXT_BYTES] = "";
    int code = EXIT_PASSED;

    if (result == NULL) {
        isolate_describe(death, text, sizeof(text));
    }
    if (format->close != NULL) {
        format->close(options, result, text);
    }
    close_output(options);
    if (result == NULL) {
        fflush(stdout);
        code = isolate_tell(death, options->run.engine);
        return code != EXIT_PASSED ? code : EXIT_FAILED;
    }
    fputs(death->words, stderr);
    return code;
}

static int trace_run(struct trace_options *options)
{
    const struct one_run *run = &options->run;
    const struct trace_format *format = &formats[options->format];
    const struct stream stream = {.plan = run->plan,
                                  .options = runner_options(run->plan, run->engine, run->seed),
                                  .cpu_ms = run->cpu_limit_ms,
                                  .takes_interrupts = true,
                                  .opaque = options,
                                  .event = format->event,
                                  .idle = flush};
    struct isolate_death death;
    struct run_result *result;
    int code;

    open_output(options);
    if (format->open != NULL) {
        format->open(options);
    }
    result = stream_run(&stream, &death);
    code = end_trace(options, result, &death);
    free(death.words);
    free(result);
    return code;
}

/* The report of this one run, whose result is no matter of the exit code. */
static int show_page(const struct trace_options *options)
{
    struct run_options report = run_options_default();
    int code;

    report.format = FORMAT_NONE;
    report.annotations = false;
    report.page_option = "-o ";
    report.page = options->file != NULL ? options->file : "-";
    report.page_options.all = true;
    report.filter.chosen = options->run.chosen != NULL ? options->run.chosen : "1";
    report.suite.first_seed = options->run.seed;
    report.cpu_limit_ms = options->run.cpu_limit_ms;
    if (options->run.engine != NULL) {
        report.suite.engines[report.suite.engine_count++] = options->run.engine;
    }
    suite_add_path(&report.suite, options->run.file);
    code = run_and_report(&report, "trace");
    return code == EXIT_FAILED ? EXIT_PASSED : code;
}

static int run_trace(int argc, char **argv)
{
    struct trace_options options = {
        .run = {.cpu_limit_ms = CPU_LIMIT_MS}, .kinds = UINT64_MAX, .to_ns = UINT64_MAX};
    int code;

    options_parse(&table, argc, argv, &options);
    if (options.format == TRACE_HTML) {
        const struct one_run wanted = options.run;

        one_run_load(&options.run); /* refuses what can't be run */
        one_run_close(&options.run);
        options.run = wanted;
        return show_page(&options);
    }
    one_run_load(&options.run);
    code = trace_run(&options);
    one_run_close(&options.run);
    return code;
}

const struct command command_trace = {"trace", "show everything that happens in one run", &table,
                                      run_trace};
