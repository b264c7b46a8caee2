/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim shrink: writes the smallest scenario that fails in the same way.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/files.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/report/report.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"
#include "tools/run/signals.h"
#include "tools/shrink/shrink.h"

#define CPU_LIMIT_MS 5000

struct command_options {
    struct one_run run;
    struct shrink_options shrink;
    const char *output; /* NULL = stdout */
    uint64_t budget_ms; /* 0 = no bound */
    bool force;         /* replace the output if it is there */
    bool json;
};

/* State while shrinking. */
struct session {
    struct progress progress;
    uint64_t end_ms; /* clock time of the budget's end; 0 = never */
    struct signals signals;
    int signal_number;
};

#define AT(member) offsetof(struct command_options, member)

static const struct option_row options_of_shrink[] = {
    {{"finding", 0, "ORACLE[/KIND]", 0,
      "The finding to keep, like debt or debt/forgotten-sector (default: the first that is not of "
      "liveness or an expectation; if there is none, the first)",
      2},
     INTO(OTHER, shrink.wanted),
     .take = load_take_finding},
    {{"sound", 0, "ENGINE", 0, "A sound engine, which passes the run: it must pass the result, too",
      2},
     INTO(OTHER, shrink.sound),
     .take = load_take_engine},
    {{"output", 'o', "FILE", 0, "Write the scenario into this file instead of standard output", 2},
     INTO(TEXT, output)},
    {{"budget", 0, "TIME", 0, "Stop after this time, like 30s, with the smallest scenario so far",
      2},
     INTO(SPAN, budget_ms)},
    {{"runs", 0, "N", 0, "Stop after this number of runs, with the smallest scenario so far", 2},
     INTO(NUMBER, shrink.max_runs)},
    {{"force", 0, NULL, 0, "Replace the file of -o if there is one", 2}, INTO(FLAG, force)},
    {{"json", 0, NULL, 0, "JSON on standard output; without -o it has the scenario, too", 2},
     INTO(FLAG, json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_shrink,
    ONE_RUN_OF(struct command_options),
    .doc = "Runs one case of a scenario file, which must fail, and drops, simplifies and makes "
           "smaller whatever it can without losing the finding.  The result is a scenario that "
           "`mirrorsim run` fails in the same way.\vExit codes: 0 done, 1 the run does not fail "
           "(with that finding), 2 an invalid file or wrong usage, 3 the harness failed, 130 "
           "interrupted (after writing the smallest scenario so far)."};

/* ---- While it shrinks ---- */

static bool go_on(void *opaque, const struct shrink_report *report)
{
    struct session *session = opaque;

    if (session->signal_number == 0) {
        session->signal_number = signals_take(&session->signals);
    }
    progress_say(&session->progress, "%" PRIu32 " lines after %" PRIu64 " runs", report->lines,
                 report->runs);
    return session->signal_number == 0 && (session->end_ms == 0 || clock_ms() < session->end_ms);
}

/* ---- The result ---- */

static uint32_t count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    uint32_t lines = 0;

    int c;

    if (file == NULL) {
        return 0;
    }
    while ((c = fgetc(file)) != EOF) {
        lines += c == '\n';
    }
    fclose(file);
    return lines;
}

static char *describe_origin(const struct one_run *run)
{
    bool has_case = *run->plan->case_name != '\0';

    return must_printf("%s (%s%s%sseed %" PRIu64 ", engine %s)", run->file, has_case ? "case " : "",
                       run->plan->case_name, has_case ? ", " : "", run->seed, run->engine->name);
}

static void show_json(const struct command_options *options, const struct shrink_report *report)
{
    json_t *answer = json_pack(
        "{s:o, s:b, s:I, s:I, s:I, s:{s:s, s:s, s:o}}", "file",
        report_json_string(options->run.file), "smallest", report->end == SHRINK_DONE,
        "lines_before", (json_int_t)report->lines_before, "lines", (json_int_t)report->lines,
        "runs", (json_int_t)report->runs, "finding", "oracle", finding_by(report->id), "kind",
        finding_kind_name(report->id), "text", report_json_string(report->text));

    if (options->output != NULL) {
        json_object_set_new(answer, "output", report_json_string(options->output));
    } else {
        json_object_set_new(answer, "scenario", report_json_string(report->scenario));
    }
    report_json_show(answer);
}

static int show_result(const struct command_options *options, const struct shrink_report *report)
{
    if (options->output != NULL &&
        !output_write(options->output, report->scenario, options->force)) {
        die("-o %s: %s", options->output, strerror(errno));
    }
    if (options->json) {
        show_json(options, report);
    } else if (options->output == NULL) {
        fputs(report->scenario, stdout);
    }
    fprintf(
        stderr,
        "mirrorsim shrink: shrunk from %" PRIu32 " to %" PRIu32 " lines in %" PRIu64 " runs%s\n",
        report->lines_before, report->lines, report->runs,
        report->end == SHRINK_STOPPED ? "; stopped early: the result might get smaller still" : "");
    return EXIT_PASSED;
}

static void explain_no_finding(const struct command_options *options)
{
    const struct finding_pattern *wanted = &options->shrink.wanted;

    if (wanted->oracle == NULL) {
        fprintf(stderr, "mirrorsim shrink: %s does not fail: there is nothing to shrink\n",
                options->run.file);
    } else {
        fprintf(stderr,
                "mirrorsim shrink: %s does not fail with a finding %s%s%s: `mirrorsim run` shows "
                "its findings\n",
                options->run.file, wanted->oracle, wanted->kind != NULL ? "/" : "",
                wanted->kind != NULL ? wanted->kind : "");
    }
}

static int show_end(const struct command_options *options, const struct shrink_report *report)
{
    switch (report->end) {
    case SHRINK_DONE:
    case SHRINK_STOPPED:
        return show_result(options, report);
    case SHRINK_NO_FINDING:
        explain_no_finding(options);
        return EXIT_FAILED;
    case SHRINK_UNSOUND:
        fprintf(stderr, "mirrorsim shrink: %s fails with engine %s, too\n", options->run.file,
                options->shrink.sound->name);
        return EXIT_FAILED;
    case SHRINK_NOT_REPEATED:
        break;
    }
    fprintf(stderr,
            "mirrorsim shrink: %s does not fail in the same way when its recorded choices are "
            "replayed\n",
            options->run.file);
    return EXIT_HARNESS;
}

/* ---- The command ---- */

static int shrink(struct command_options *options)
{
    uint32_t lines_before = count_lines(options->run.file);
    struct session session = {.signal_number = 0};
    struct shrink_report report;
    char *origin = describe_origin(&options->run);
    int code;

    signals_open(&session.signals);
    options->shrink.seed = options->run.seed;
    options->shrink.cpu_limit_ms = options->run.cpu_limit_ms;
    options->shrink.origin = origin;
    options->shrink.go_on = go_on;
    options->shrink.opaque = &session;
    progress_begin(&session.progress, 0);
    session.end_ms = options->budget_ms > 0 ? session.progress.start_ms + options->budget_ms : 0;
    plan_destroy(shrink_plan(options->run.plan, options->run.engine, &options->shrink, &report));
    progress_clear(&session.progress);
    report.lines_before = lines_before;
    code = show_end(options, &report);
    free(report.scenario);
    free(origin);
    return session.signal_number != 0 ? 128 + session.signal_number : code;
}

static int run_shrink(int argc, char **argv)
{
    struct command_options options = {.run = {.cpu_limit_ms = CPU_LIMIT_MS}};
    int code;

    options_parse(&table, argc, argv, &options);
    load_guard_output(options.output, options.run.file, options.force);
    one_run_load(&options.run);
    code = shrink(&options);
    one_run_close(&options.run);
    return code;
}

const struct command command_shrink = {
    "shrink", "find the smallest scenario that fails in the same way", &table, run_shrink};
