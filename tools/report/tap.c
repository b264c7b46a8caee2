/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report as TAP version 14: a test per run, and one per invalid file.
 *
 * Declared in tools/report/report.h: one of the forms of a report.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/report/report.h"

struct tap {
    struct report report;
    uint64_t tests;
};

/* Escapes '#', which would begin a directive, and line ends, which would end the test. */
static void write_description(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\') {
            fputc('\\', out);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

/* JSON is valid YAML. */
static void write_json(FILE *out, const char *key, json_t *value)
{
    fprintf(out, "  %s: ", key);
    json_dumpf(value, out, JSON_ENCODE_ANY);
    fputc('\n', out);
    json_decref(value);
}

static void tap_begin(struct report *report, const struct suite *suite)
{
    fprintf(report->out, "TAP version 14\n1..%" PRIu64 "\n",
            suite_runs(suite) + suite->invalid_count + suite->skipped_count);
}

static void tap_invalid(struct report *report, const struct suite_invalid *invalid)
{
    struct tap *tap = (struct tap *)(void *)report;

    fprintf(report->out, "not ok %" PRIu64 " - ", ++tap->tests);
    write_description(report->out, invalid->file);
    fputs("\n  ---\n", report->out);
    write_json(report->out, "invalid", report_mistakes_json(invalid->mistakes));
    fputs("  ...\n", report->out);
}

static void write_findings(FILE *out, const struct report_run *run)
{
    char *command = report_repeat_command("mirrorsim", run);
    json_t *findings = json_array();

    for (uint32_t i = 0; i < run->result->finding_count; i++) {
        json_array_append_new(findings, report_finding_json(run, &run->result->findings[i]));
    }
    fputs("  ---\n", out);
    write_json(out, "repeat", report_json_string(command));
    write_json(out, "outcome", report_json_string(outcome_name(run->result->outcome)));
    write_json(out, "findings", findings);
    fputs("  ...\n", out);
    free(command);
}

static void tap_skipped(struct report *report, const struct report_run *run, const char *why)
{
    struct tap *tap = (struct tap *)(void *)report;
    char *title = report_title(run);

    fprintf(report->out, "ok %" PRIu64 " - ", ++tap->tests);
    write_description(report->out, title);
    fprintf(report->out, " # SKIP %s\n", why);
    free(title);
}

/* A known failure is marked with the TODO directive of TAP. */
static void tap_run(struct report *report, const struct report_run *run)
{
    struct tap *tap = (struct tap *)(void *)report;
    enum outcome outcome = run->result->outcome;
    char *title = report_title(run);

    fprintf(report->out, "%s %" PRIu64 " - ", outcome == OUTCOME_PASS ? "ok" : "not ok",
            ++tap->tests);
    write_description(report->out, title);
    fputs(outcome == OUTCOME_XFAIL ? " # TODO known failure\n" : "\n", report->out);
    if (outcome != OUTCOME_PASS) {
        write_findings(report->out, run);
    }
    free(title);
}

static void tap_end(struct report *report, const struct report_summary *summary)
{
    if (summary->interrupted) {
        fputs("Bail out! interrupted\n", report->out);
    } else if (summary->passed + summary->failed < summary->planned) {
        fprintf(report->out, "Bail out! stopped after %" PRIu64 " failure%s\n", summary->failed,
                summary->failed == 1 ? "" : "s");
    }
}

struct report *report_tap(FILE *out)
{
    struct tap *tap = must_alloc(sizeof(*tap));

    tap->report = (struct report){out, tap_begin, tap_invalid, tap_skipped, tap_run, tap_end};
    return &tap->report;
}
