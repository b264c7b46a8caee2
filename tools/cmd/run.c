/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim run: runs files and folders, and reports in all formats asked for.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/cmd/command.h"
#include "tools/cmd/run_options.h"
#include "tools/page/page.h"
#include "tools/picture/map_of_run.h"
#include "tools/report/list.h"
#include "tools/report/matrix.h"
#include "tools/report/report.h"
#include "tools/run/dump_images.h"
#include "tools/run/happened.h"
#include "tools/run/load.h"
#include "tools/run/workers.h"

/* ---- Reports ---- */

#define MAX_REPORTS 4

/* Most runs take less than a millisecond. */
#define NAMED_AFTER_MS 1000

struct session {
    const struct run_options *options;
    struct report *reports[MAX_REPORTS];
    uint32_t report_count;
    struct output junit;
    struct output page;
    struct report_summary summary;
    struct happened happened;
    struct matrix *matrix; /* NULL: one engine */
    struct progress progress;
    char *unfinished; /* lines, or NULL */
};

/* The file is known to be writable before the first run. */
static FILE *open_file(const struct session *session, struct output *output, const char *option,
                       const char *path)
{
    if (file_list_has(&session->options->suite.files, path)) {
        fprintf(stderr, "mirrorsim: %s%s would overwrite a scenario\n", option, path);
        exit(EXIT_USAGE);
    }
    if (!output_open(output, path)) {
        die("%s%s: %s", option, path, strerror(errno));
    }
    return output->stream;
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

static FILE *open_page(struct session *session)
{
    const struct run_options *options = session->options;

    if (is_stdout(options->page)) {
        return stdout;
    }
    return open_file(session, &session->page, options->page_option, options->page);
}

static void add_report(struct session *session, struct report *report)
{
    session->reports[session->report_count++] = report;
}

static void open_reports(struct session *session)
{
    const struct run_options *options = session->options;
    struct report_text_options text = options->text;
    bool machine = options->format != FORMAT_TEXT;

    text.show_more = map_show_run;
    if (options->format != FORMAT_NONE) {
        add_report(session, options->format == FORMAT_JSON  ? report_json(stdout)
                            : options->format == FORMAT_TAP ? report_tap(stdout)
                                                            : report_text(stdout, &text));
    }
    if (options->annotations) {
        add_report(session, report_annotations(machine ? stderr : stdout));
    }
    if (options->junit != NULL) {
        add_report(session,
                   report_junit(open_file(session, &session->junit, "--junit=", options->junit)));
    }
    if (options->page != NULL) {
        add_report(session, report_page(open_page(session), &options->page_options));
    }
}

static void report_skipped(struct report *report, const struct suite *suite,
                           const struct suite_entry *entry)
{
    const struct choice_spec quiet = {.seed = 0};
    struct plan *plan = scenario_plan(entry->scenario, entry->case_number, &quiet);
    struct run_result *result = run_result_create();
    const struct report_run run = {
        .scenario = entry->scenario,
        .file = scenario_file(entry->scenario),
        .name = scenario_name(entry->scenario),
        .case_number = entry->case_number + 1,
        .cases = scenario_cases(entry->scenario),
        .engine = entry->engine,
        .compared = suite->compared,
        .of_several = suite->engine_count > 1,
        .result = result,
    };
    char why[80];

    snprintf(why, sizeof(why), "a story of generation %s", generation_name(entry->generation));
    snprintf(result->case_name, sizeof(result->case_name), "%s", plan->case_name);
    report->skipped(report, &run, why);
    free(result);
    plan_destroy(plan);
}

static void begin_reports(const struct session *session)
{
    const struct suite *suite = &session->options->suite;

    for (uint32_t i = 0; i < session->report_count; i++) {
        struct report *report = session->reports[i];

        report->begin(report, suite);
        for (size_t j = 0; j < suite->invalid_count; j++) {
            report->invalid(report, &suite->invalid[j]);
        }
        for (size_t j = 0; j < suite->skipped_count && report->skipped != NULL; j++) {
            report_skipped(report, suite, &suite->skipped[j]);
        }
    }
}

static void close_file(struct output *output, const char *path)
{
    if (path != NULL && !output_close(output)) {
        die("%s: %s", path, strerror(errno));
    }
}

static void close_reports(struct session *session)
{
    for (uint32_t i = 0; i < session->report_count; i++) {
        session->reports[i]->end(session->reports[i], &session->summary);
        free(session->reports[i]);
    }
    close_file(&session->junit, session->options->junit);
    if (!is_stdout(session->options->page)) {
        close_file(&session->page, session->options->page);
    }
    if (fflush(stdout) != 0) {
        die("cannot write the results: %s", strerror(errno));
    }
}

static void count_result(struct report_summary *summary, const struct run_result *result)
{
    summary->passed += !outcome_is_bad(result->outcome);
    summary->failed += outcome_is_bad(result->outcome);
    summary->known_failures += result->outcome == OUTCOME_XFAIL;
    summary->harness_errors += result->outcome == OUTCOME_INVALID;
    if (summary->compared != NULL) {
        compare_tally_add(&summary->tally, result);
    }
}

static struct report_run run_of(const struct suite *suite, const struct run_result *result)
{
    const struct suite_entry *entry = suite_entry_of(suite, result->number);

    return (struct report_run){
        .scenario = entry->scenario,
        .file = scenario_file(entry->scenario),
        .name = scenario_name(entry->scenario),
        .case_number = entry->case_number + 1,
        .cases = scenario_cases(entry->scenario),
        .seed = suite_seed_of(suite, result->number),
        .engine = entry->engine,
        .compared = suite->compared,
        .of_several = suite->engine_count > 1,
        .result = result,
    };
}

static void show_progress(struct session *session, const char *note)
{
    progress_show(&session->progress, session->summary.passed + session->summary.failed, "runs",
                  session->summary.failed, "failed", note);
}

static bool deliver_one(struct session *session, const struct run_result *result)
{
    const struct suite *suite = &session->options->suite;
    const struct report_run run = run_of(suite, result);

    progress_clear(&session->progress);
    count_result(&session->summary, result);
    if (session->matrix != NULL) {
        matrix_add(session->matrix, &run);
    }
    for (uint32_t i = 0; i < session->report_count; i++) {
        session->reports[i]->run(session->reports[i], &run);
    }
    show_progress(session, "");
    return session->options->max_fail == 0 || session->summary.failed < session->options->max_fail;
}

/* The last run of a file answers for what must have happened in one of them. */
static bool deliver(void *opaque, const struct run_result *result)
{
    struct session *session = opaque;
    const struct suite *suite = &session->options->suite;
    struct run_result *judged = happened_add(&session->happened, suite, result);
    bool goes_on = deliver_one(session, judged != NULL ? judged : result);

    free(judged);
    return goes_on;
}

/* ---- Runs that are under way ---- */

/* What a run is called that has no result yet. */
static char *title_of(const struct suite *suite, uint64_t number)
{
    const struct suite_entry *entry = suite_entry_of(suite, number);
    const struct choice_spec quiet = {.seed = 0};
    struct plan *plan = scenario_plan(entry->scenario, entry->case_number, &quiet);
    struct run_result *result = run_result_create();
    struct report_run run;
    char *title;

    result->number = number;
    text_copy(result->case_name, sizeof(result->case_name), plan->case_name);
    run = run_of(suite, result);
    title = report_title(&run);
    plan_destroy(plan);
    free(result);
    return title;
}

/* A run that takes long is named. */
static void watch(void *opaque, uint64_t number, uint64_t ms)
{
    struct session *session = opaque;
    char *title;
    char *note;

    if (!session->progress.on || ms < NAMED_AFTER_MS) {
        show_progress(session, "");
        return;
    }
    title = title_of(&session->options->suite, number);
    note = must_printf("; %s has run for %" PRIu64 " s", title, ms / 1000);
    show_progress(session, note);
    free(note);
    free(title);
}

static void note_unfinished(void *opaque, uint64_t number, uint64_t ms)
{
    struct session *session = opaque;
    char *title = title_of(&session->options->suite, number);
    char *before = session->unfinished;

    session->unfinished = must_printf("%s    %s had run for %" PRIu64 " s\n",
                                      before != NULL ? before : "", title, ms / 1000);
    free(before);
    free(title);
}

/* ---- The command ---- */

static int exit_code(const struct session *session, int signal_number)
{
    const struct report_summary *summary = &session->summary;

    if (signal_number != 0) {
        return 128 + signal_number;
    }
    if (summary->harness_errors > 0) {
        return EXIT_HARNESS;
    }
    if (summary->invalid_files > 0) {
        return EXIT_USAGE;
    }
    return summary->failed > 0 ? EXIT_FAILED : EXIT_PASSED;
}

static int run(const struct run_options *options)
{
    const struct suite *suite = &options->suite;
    struct session session = {.options = options};
    uint64_t runs = suite_runs(suite);
    const struct workers_options workers = {
        .jobs = options->no_fork ? 0 : (uint32_t)min_u64(options->jobs, runs),
        .twice = options->twice,
        .figures = options->text.verbose || options->format == FORMAT_JSON,
        .cpu_limit_ms = options->cpu_limit_ms,
        .memory_limit = (uint64_t)options->memory_limit_mib << 20,
        .dump_images = options->dump_images,
        .deliver = deliver,
        .watch = watch,
        .unfinished = note_unfinished,
        .opaque = &session,
    };
    uint64_t start_ms = clock_ms();
    int signal_number;

    session.summary.planned = runs;
    session.summary.compared = suite->compared;
    session.summary.invalid_files = suite->invalid_count;
    session.summary.missing_files = suite->missing_count;
    session.summary.skipped = suite->skipped_count;
    session.matrix = suite->engine_count > 1 ? matrix_create(suite, options->bisect) : NULL;
    session.summary.matrix = session.matrix;
    open_reports(&session);
    begin_reports(&session);
    progress_begin(&session.progress, session.summary.planned);
    signal_number = workers_run(suite, &workers);
    progress_clear(&session.progress);
    session.summary.interrupted = signal_number != 0;
    session.summary.unfinished = session.unfinished;
    session.summary.silent_faults = session.happened.silent_faults;
    session.summary.silent_names = session.happened.names;
    session.summary.elapsed_ms = clock_ms() - start_ms;
    close_reports(&session);
    matrix_free(session.matrix);
    free(session.unfinished);
    return exit_code(&session, signal_number);
}

static int list(const struct run_options *options)
{
    const struct suite *suite = &options->suite;

    for (size_t i = 0; i < suite->invalid_count; i++) {
        load_show_mistakes(suite->invalid[i].file, suite->invalid[i].mistakes);
    }
    if (options->format == FORMAT_JSON) {
        report_json_show(list_json(suite));
    } else {
        list_show(suite, stdout);
    }
    return suite->invalid_count > 0 ? EXIT_USAGE : EXIT_PASSED;
}

/* Names what has left nothing. */
static int nothing_to_run(const struct run_options *options, const char *verb)
{
    const struct suite_filter *filter = &options->filter;
    bool is_filtered = filter->pattern_count > 0;

    fprintf(stderr, "mirrorsim %s: nothing matches", verb);
    for (size_t i = 0; i < filter->pattern_count; i++) {
        fprintf(stderr, "%s --filter '%s'", i > 0 ? " or" : "", filter->patterns[i]);
    }
    if (filter->chosen != NULL) {
        fprintf(stderr, "%s --case '%s'", is_filtered ? " together with" : "", filter->chosen);
    }
    fputs("; `mirrorsim run --list` without it shows what there is\n", stderr);
    return EXIT_USAGE;
}

int run_and_report(struct run_options *options, const char *verb)
{
    const struct suite *suite = &options->suite;
    int code;

    suite_select(&options->suite, &options->filter);
    if (suite->entry_count + suite->skipped_count + suite->invalid_count == 0) {
        code = nothing_to_run(options, verb);
    } else if (options->list) {
        code = list(options);
    } else {
        if (options->dump_images != NULL) {
            dump_images_prepare(options->dump_images, &options->suite);
        }
        code = run(options);
    }
    free(options->filter.patterns);
    suite_free(&options->suite);
    return code;
}

static int run_run(int argc, char **argv)
{
    struct run_options options;

    run_options_parse(&options, argc, argv);
    return run_and_report(&options, "run");
}

const struct command command_run = {
    "run", "run scenario files and folders, and explain what failed", &run_options_table, run_run};
