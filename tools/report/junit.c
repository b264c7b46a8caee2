/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report as JUnit XML: a test suite per file, a test case per run.
 *
 * It is valid by the schema of Jenkins' xUnit plug-in and by the stricter one
 * of Ant, which requires a host name and a time for every suite.
 *
 * Dashboards add times up and draw them over days: `time` is the time that a run has taken, and the
 * timestamp that of the report's beginning.  They are all that differs between two reports of the
 * same runs.  The virtual time of a file's runs is a property of its suite.
 *
 * Declared in tools/report/report.h: one of the forms of a report.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/report/report.h"

struct junit {
    struct report report;
    uint64_t suites;

    /*
     * The current suite. Its counts must be written before its cases, so the
     * cases are buffered here.
     */
    const char *file;
    FILE *cases;
    char *text;
    size_t size;
    uint64_t tests;
    uint64_t failures;
    uint64_t errors;
    uint64_t skipped;
    uint64_t virtual_ns;
    uint64_t wall_us;
    char timestamp[24];
};

/* Writes seconds as a decimal of XML Schema. */
static void write_seconds(FILE *out, uint64_t us)
{
    fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void suite_begin(struct junit *junit, const char *file)
{
    junit->file = file;
    junit->cases = must_memstream(&junit->text, &junit->size);
    junit->tests = junit->failures = junit->errors = junit->skipped = 0;
    junit->virtual_ns = junit->wall_us = 0;
}

static void suite_end(struct junit *junit)
{
    FILE *out = junit->report.out;

    if (junit->file == NULL) {
        return;
    }
    fclose(junit->cases);
    fputs("  <testsuite name=\"", out);
    xml_write(out, junit->file);
    fprintf(out,
            "\" package=\"mirrorsim\" id=\"%" PRIu64 "\" tests=\"%" PRIu64 "\" failures=\"%" PRIu64
            "\" errors=\"%" PRIu64 "\" skipped=\"%" PRIu64
            "\" hostname=\"localhost\" timestamp=\"%s\" time=\"",
            junit->suites++, junit->tests, junit->failures, junit->errors, junit->skipped,
            junit->timestamp);
    write_seconds(out, junit->wall_us);
    fprintf(out,
            "\">\n    <properties>\n      <property name=\"virtual time\" value=\"%s\"/>\n"
            "    </properties>\n%s    <system-out/>\n    <system-err/>\n  </testsuite>\n",
            quantity_time(junit->virtual_ns).text, junit->text);
    free(junit->text);
    junit->file = NULL;
}

/* The runs of a file come together, so a new name means a new suite.  `result` NULL: no run. */
static FILE *case_begin(struct junit *junit, const char *file, const char *title,
                        const struct run_result *result)
{
    if (junit->file == NULL || strcmp(junit->file, file) != 0) {
        suite_end(junit);
        suite_begin(junit, file);
    }
    junit->tests++;
    junit->virtual_ns += result != NULL ? result->virtual_ns : 0;
    junit->wall_us += result != NULL ? result->wall_us : 0;
    fputs("    <testcase classname=\"", junit->cases);
    xml_write(junit->cases, file);
    fputs("\" name=\"", junit->cases);
    xml_write(junit->cases, title);
    fputs("\" time=\"", junit->cases);
    write_seconds(junit->cases, result != NULL ? result->wall_us : 0);
    fputs("\"", junit->cases);
    return junit->cases;
}

static void write_findings(FILE *out, const struct report_run *run)
{
    char *command = report_repeat_command("mirrorsim", run);

    for (uint32_t i = 0; i < run->result->finding_count; i++) {
        const struct run_finding *finding = &run->result->findings[i];

        xml_write(out, finding->text);
        fprintf(out, "&#10;  at %s, event %" PRIu64 ", ", quantity_time(finding->now_ns).text,
                finding->event_number);
        xml_write(out, run->file);
        if (finding->line > 0) {
            fprintf(out, ":%" PRIu32, finding->line);
        }
        fputs("&#10;", out);
    }
    xml_write(out, run->result->stack);
    fputs("repeat: ", out);
    xml_write(out, command);
    free(command);
}

/* A run that died or was not possible is an error, not a failure. */
static void write_bad(struct junit *junit, const struct report_run *run)
{
    const struct run_result *result = run->result;
    bool is_error = result->died || result->outcome == OUTCOME_INVALID;
    const char *element = is_error ? "error" : "failure";

    junit->errors += is_error;
    junit->failures += !is_error;
    fprintf(junit->cases, ">\n      <%s type=\"", element);
    xml_write(junit->cases,
              result->finding_count > 0 ? finding_by(result->findings[0].id) : "xfail");
    fputs("\" message=\"", junit->cases);
    xml_write(junit->cases,
              result->finding_count > 0 ? result->findings[0].text : "It passed unexpectedly.");
    fputs("\">", junit->cases);
    write_findings(junit->cases, run);
    fprintf(junit->cases, "</%s>\n    </testcase>\n", element);
}

static void junit_begin(struct report *report, const struct suite *suite)
{
    struct junit *junit = (struct junit *)(void *)report;
    time_t now = time(NULL);
    struct tm utc;

    (void)suite;
    strftime(junit->timestamp, sizeof(junit->timestamp), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &utc));
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", report->out);
}

static void junit_invalid(struct report *report, const struct suite_invalid *invalid)
{
    struct junit *junit = (struct junit *)(void *)report;
    FILE *out = case_begin(junit, invalid->file, "is a valid scenario", NULL);
    char *mistakes = mistakes_format(invalid->file, invalid->mistakes);

    junit->errors++;
    fputs(">\n      <error type=\"invalid\" message=\"", out);
    xml_write(out, invalid->mistakes->list[0].text);
    fputs("\">", out);
    xml_write(out, mistakes);
    fputs("</error>\n    </testcase>\n", out);
    free(mistakes);
}

static void junit_skipped(struct report *report, const struct report_run *run, const char *why)
{
    struct junit *junit = (struct junit *)(void *)report;
    char *title = report_title(run);
    FILE *out = case_begin(junit, run->file, title, NULL);

    junit->skipped++;
    fprintf(out, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n", why);
    free(title);
}

static void junit_run(struct report *report, const struct report_run *run)
{
    struct junit *junit = (struct junit *)(void *)report;
    char *title = report_title(run);
    FILE *out = case_begin(junit, run->file, title, run->result);

    if (outcome_is_bad(run->result->outcome)) {
        write_bad(junit, run);
    } else if (run->result->outcome == OUTCOME_XFAIL) {
        junit->skipped++;
        fputs(">\n      <skipped message=\"known failure\"/>\n    </testcase>\n", out);
    } else {
        fputs("/>\n", out);
    }
    free(title);
}

static void junit_end(struct report *report, const struct report_summary *summary)
{
    (void)summary;
    suite_end((struct junit *)(void *)report);
    fputs("</testsuites>\n", report->out);
}

struct report *report_junit(FILE *out)
{
    struct junit *junit = must_alloc(sizeof(*junit));

    junit->report =
        (struct report){out, junit_begin, junit_invalid, junit_skipped, junit_run, junit_end};
    return &junit->report;
}
