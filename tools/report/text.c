/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report for people: a line per run, and under a failure everything that
 * helps.
 *
 * Declared in tools/report/report.h: one of the forms of a report.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/terminal.h"
#include "tools/report/groups.h"
#include "tools/report/matrix.h"
#include "tools/report/report.h"

/* Of the list of failures, if no terminal says how wide it is. */
#define LIST_COLUMNS 100

struct text {
    struct report report;
    struct report_text_options options;
    struct groups *groups;
};

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

static const struct {
    const char *word;
    const char *colour;
} outcomes[] = {
    [OUTCOME_PASS] = {"ok  ", GREEN},   [OUTCOME_FAIL] = {"FAIL", RED},
    [OUTCOME_XFAIL] = {"ok  ", YELLOW}, [OUTCOME_XPASS] = {"FAIL", RED},
    [OUTCOME_INVALID] = {"ERROR", RED},
};

/* ---- Findings ---- */

static void show_line(FILE *out, const struct report_run *run, uint32_t number, const char *why)
{
    size_t bytes;
    const char *line = scenario_line(run->scenario, number, &bytes);

    if (line == NULL) {
        return;
    }
    while (bytes > 0 && *line == ' ') {
        line++;
        bytes--;
    }
    fprintf(out, "        %s:%" PRIu32 ": %.*s%s\n", run->file, number, (int)bytes, line, why);
}

/*
 * Shows what was going on, for the first finding only: it is the cause, and the
 * state would be the same for the others.
 */
static void show_surroundings(FILE *out, const struct report_run *run,
                              const struct run_finding *finding)
{
    char *command = report_trace_command(program_invocation_name, run, finding);

    if (finding->step_line != finding->line) {
        show_line(out, run, finding->step_line, "    <- the step under way");
    }
    if (finding->fault_line != finding->line) {
        show_line(out, run, finding->fault_line, "    <- the last fault that hit");
    }
    fprintf(out, "        see     %s\n", command);
    free(command);
}

static void show_engine(FILE *out, const struct report_run *run, const struct engine *engine,
                        const char *line)
{
    char *command = report_whole_trace_command(program_invocation_name, run, engine);

    fprintf(out, "        %-8s %s\n        see      %s\n", engine->name, line, command);
    free(command);
}

/* Shows both sides, one below the other. */
static void show_difference(FILE *out, const struct report_run *run)
{
    const struct run_comparison *comparison = &run->result->comparison;

    fprintf(out, "    compare (differs): after %" PRIu64 " equal steps:\n", comparison->equal);
    show_engine(out, run, run->engine, comparison->lines[0]);
    show_engine(out, run, run->compared, comparison->lines[1]);
}

static void show_finding(const struct text *text, const struct report_run *run,
                         const struct run_finding *finding)
{
    FILE *out = text->report.out;
    char *words =
        must_printf("%s (%s)%s%s: %s", finding_by(finding->id), finding_kind_name(finding->id),
                    finding->about == ABOUT_COMPARED ? " on " : "",
                    finding->about == ABOUT_COMPARED ? run->compared->name : "", finding->text);

    terminal_wrap(out, words, 4, text->options.columns);
    free(words);
    fprintf(out, "        at %s, event %" PRIu64, quantity_time(finding->now_ns).text,
            finding->event_number);
    if (finding->has_sector) {
        fprintf(out, ", disk %s, sector %" PRIu64, finding->disk, finding->sector);
    }
    fputc('\n', out);
    if (finding_is(finding->id, FINDING_OF_PROCESS)) {
        report_show_stack(out, run->result->stack, 8);
    }
    show_line(out, run, finding->line, "");
}

static void show_findings(const struct text *text, const struct report_run *run)
{
    FILE *out = text->report.out;
    const struct run_result *result = run->result;
    char *command = report_repeat_command(program_invocation_name, run);

    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        if (finding->about == ABOUT_BOTH) {
            show_difference(out, run);
            continue;
        }
        show_finding(text, run, finding);
        if (i == 0 || finding->about != finding[-1].about ||
            finding->step_line != finding[-1].step_line ||
            finding->fault_line != finding[-1].fault_line) {
            show_surroundings(out, run, finding);
        }
    }
    if (result->dropped > 0) {
        fprintf(out, "    and %" PRIu32 " more findings\n", result->dropped);
    }
    if (result->outcome == OUTCOME_XPASS) {
        fprintf(out,
                "    It passed%s%s, although its xfail says that it fails: remove the xfail.\n",
                run->compared != NULL ? " and is the same on " : "",
                run->compared != NULL ? run->compared->name : "");
    }
    fprintf(out, "        repeat  %s\n", command);
    free(command);
    if (result->died) {
        command = report_debug_command(program_invocation_name, run);
        fprintf(out, "        debug   %s\n", command);
        free(command);
    }
}

/* ---- The report ---- */

/* The remark at the end of a run's line. */
static void show_remark(FILE *out, const struct report_run *run)
{
    const struct run_result *result = run->result;
    bool is_known = result->outcome == OUTCOME_XFAIL;

    if (result->comparison.compared == COMPARED_KNOWN) {
        fprintf(out, "  differs by %s (xfail)", *result->bug != '\0' ? result->bug : "a known bug");
    } else if (run->compared != NULL) {
        fprintf(out, "  %s%s", compared_name(result), is_known ? "  (known failure)" : "");
    } else if (is_known) {
        fputs("  (known failure)", out);
    }
}

static void text_begin(struct report *report, const struct suite *suite)
{
    (void)report;
    (void)suite;
}

/* Mistakes are messages, not results, so they go to stderr. */
static void text_invalid(struct report *report, const struct suite_invalid *invalid)
{
    char *mistakes = mistakes_format(invalid->file, invalid->mistakes);

    fflush(report->out);
    fputs(mistakes, stderr);
    free(mistakes);
}

static void show_figures(FILE *out, const struct run_result *result)
{
    fprintf(out, "  guest %s, job still %s at most, copied %s",
            quantity_time(result->guest_longest_ns).text, quantity_time(result->job_still_ns).text,
            quantity_bytes(result->copied_bytes).text);
}

/* What a run came to, in a line. */
static void show_outcome(const struct text *text, const struct report_run *run)
{
    const struct report_text_options *options = &text->options;
    const struct run_result *result = run->result;
    FILE *out = text->report.out;
    char *title = report_title(run);

    fprintf(out, "%s%s%s %s  %s%s", options->colour ? outcomes[result->outcome].colour : "",
            outcomes[result->outcome].word, options->colour ? PLAIN : "", title,
            result->died ? "died" : quantity_time(result->virtual_ns).text,
            result->died ? "" : " virtual");
    show_remark(out, run);
    if (options->verbose) {
        fprintf(out, "  %" PRIu64 " events, %" PRIu32 " checks, trace %016" PRIx64, result->events,
                result->checks, result->trace_hash);
        show_figures(out, result);
    }
    free(title);
}

/* All that was found, or, if another run has shown the like, the name of that run. */
static void show_failure(const struct text *text, const struct report_run *run)
{
    const char *shown = groups_add(text->groups, run);

    if (shown == NULL || text->options.verbose) {
        fputc('\n', text->report.out);
        show_findings(text, run);
        return;
    }
    fputs("  ", text->report.out);
    groups_write_kinds(run, text->report.out);
    fprintf(text->report.out, ", like %s\n", shown);
}

static void text_run(struct report *report, const struct report_run *run)
{
    const struct text *text = (const struct text *)(void *)report;
    const struct report_text_options *options = &text->options;
    bool bad = outcome_is_bad(run->result->outcome);

    if ((options->only_matrix && !options->verbose) || (!bad && options->quiet)) {
        return;
    }
    show_outcome(text, run);
    if (bad) {
        show_failure(text, run);
        if (options->verbose && options->show_more != NULL) {
            options->show_more(report->out, run);
        }
        return;
    }
    fputc('\n', report->out);
    if (options->verbose && run->result->finding_count > 0) {
        show_findings(text, run);
    }
}

static void show_count(FILE *out, uint64_t runs, const char *what)
{
    if (runs > 0) {
        fprintf(out, "%8" PRIu64 " %s\n", runs, what);
    }
}

static void show_tally(FILE *out, const struct report_summary *summary)
{
    const struct compare_tally *tally = &summary->tally;

    fprintf(out, "compared with %s:\n", summary->compared->name);
    show_count(out, tally->same, "the same");
    show_count(out, tally->known, "differ as known");
    for (uint32_t i = 0; i < tally->bug_count; i++) {
        fprintf(out, "            %-4s %" PRIu64 "\n",
                *tally->bugs[i].name != '\0' ? tally->bugs[i].name : "?", tally->bugs[i].runs);
    }
    show_count(out, tally->different, "differ");
    show_count(out, tally->unexpectedly_same, "the same, although an xfail says otherwise");
    show_count(out, tally->not_compared, "could not be compared");
}

static void text_skipped(struct report *report, const struct report_run *run, const char *why)
{
    const struct text *text = (const struct text *)(const void *)report;
    char *title = report_title(run);

    if (text->options.verbose) {
        fprintf(report->out, "skip %s  %s\n", title, why);
    }
    free(title);
}

/* One failure stands just above, and a matrix names its failures itself. */
static void show_groups(const struct text *text, const struct report_summary *summary)
{
    unsigned columns = text->options.columns;

    if (summary->failed > 1 && !text->options.only_matrix) {
        groups_show(text->groups, text->report.out, columns > 0 ? columns : LIST_COLUMNS);
    }
}

static void show_files(FILE *out, const struct report_summary *summary)
{
    uint64_t missing = summary->missing_files;
    uint64_t invalid = summary->invalid_files - missing;

    if (missing > 0) {
        fprintf(out, "%" PRIu64 " file%s not there\n", missing, missing == 1 ? " is" : "s are");
    }
    if (invalid > 0) {
        fprintf(out, "%" PRIu64 " invalid file%s\n", invalid, invalid == 1 ? "" : "s");
    }
}

static void text_end(struct report *report, const struct report_summary *summary)
{
    struct text *text = (struct text *)(void *)report;
    uint64_t done = summary->passed + summary->failed;

    show_groups(text, summary);
    groups_free(text->groups);
    if (done < summary->planned) {
        fprintf(report->out,
                "%s after %" PRIu64 " of %" PRIu64 " runs, the other %" PRIu64 " were not run\n",
                summary->interrupted ? "interrupted" : "stopped", done, summary->planned,
                summary->planned - done);
    } else if (summary->interrupted) {
        fprintf(report->out, "interrupted after the last run\n");
    }
    fputs(summary->unfinished != NULL ? summary->unfinished : "", report->out);
    if (summary->known_failures > 0) {
        fprintf(report->out, "%" PRIu64 " of those that passed are known failures\n",
                summary->known_failures);
    }
    show_files(report->out, summary);
    if (summary->matrix != NULL) {
        matrix_show(summary->matrix, report->out, text->options.verbose);
    }
    if (summary->silent_faults > 0) {
        fprintf(report->out,
                "%" PRIu64 " fault%s with a probability did not fire with this seed (%s): --seeds "
                "A..B tries more\n",
                summary->silent_faults, summary->silent_faults == 1 ? "" : "s",
                summary->silent_names);
    }
    if (summary->compared != NULL) {
        show_tally(report->out, summary);
    }
    fprintf(report->out, "%" PRIu64 " run%s in %" PRIu64 ".%03" PRIu64 " s\n", done,
            done == 1 ? "" : "s", summary->elapsed_ms / 1000, summary->elapsed_ms % 1000);
    fprintf(report->out, "%" PRIu64 " passed, %" PRIu64 " failed", summary->passed,
            summary->failed);
    if (summary->skipped > 0) {
        fprintf(report->out, ", %" PRIu64 " skipped (of another generation)", summary->skipped);
    }
    fputc('\n', report->out);
}

struct report *report_text(FILE *out, const struct report_text_options *options)
{
    struct text *text = must_alloc(sizeof(*text));

    text->report = (struct report){out, text_begin, text_invalid, text_skipped, text_run, text_end};
    text->options = *options;
    text->groups = groups_create();
    return &text->report;
}
