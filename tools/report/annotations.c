/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings and mistakes as annotations, which GitHub shows beside the lines
 * concerned.
 *
 * Declared in tools/report/report.h: one of the forms of a report.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/report/report.h"

/* `special` lists the characters to escape besides line ends. */
static void write_escaped(FILE *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n' || strchr(special, *text) != NULL) {
            fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        } else {
            fputc(*text, out);
        }
    }
}

static void annotate(FILE *out, const char *file, uint32_t line, uint32_t column, const char *text)
{
    fputs("::error file=", out);
    write_escaped(out, file, ":,");
    if (line > 0) {
        fprintf(out, ",line=%" PRIu32, line);
    }
    if (column > 0) {
        fprintf(out, ",col=%" PRIu32, column);
    }
    fputs("::", out);
    write_escaped(out, text, "");
    fputc('\n', out);
}

static void annotations_begin(struct report *report, const struct suite *suite)
{
    (void)report;
    (void)suite;
}

static void annotations_invalid(struct report *report, const struct suite_invalid *invalid)
{
    for (uint32_t i = 0; i < invalid->mistakes->count; i++) {
        const struct mistake *mistake = &invalid->mistakes->list[i];

        annotate(report->out, invalid->file, mistake->line, mistake->column, mistake->text);
    }
}

static void annotations_run(struct report *report, const struct report_run *run)
{
    const struct run_result *result = run->result;
    char *title = report_title(run);

    uint32_t bad = outcome_is_bad(result->outcome) ? result->finding_count : 0;

    for (uint32_t i = 0; i < bad; i++) {
        const struct run_finding *finding = &result->findings[i];
        uint32_t line = finding->line > 0 ? finding->line : finding->step_line;
        char *text = must_printf("%s: %s", title, finding->text);

        annotate(report->out, run->file, line, 0, text);
        free(text);
    }
    if (result->outcome == OUTCOME_XPASS) {
        annotate(report->out, run->file, 0, 0, "It passed, although its xfail says that it fails.");
    }
    free(title);
}

static void annotations_end(struct report *report, const struct report_summary *summary)
{
    (void)report;
    (void)summary;
}

struct report *report_annotations(FILE *out)
{
    struct report *report = must_alloc(sizeof(*report));

    *report = (struct report){out,  annotations_begin, annotations_invalid,
                              NULL, annotations_run,   annotations_end};
    return report;
}
