/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports: text for people; JSON, JUnit and TAP for machines; annotations for CI.
 *
 * Each is told about invalid files, then about every run in order, then the
 * summary.  All but the text say the same whenever the same runs are made.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_REPORT_H
#define MIRRORSIM_TOOLS_REPORT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/run/compare.h"
#include "tools/run/runner.h"
#include "tools/run/suite.h"

/* A run and where it comes from. */
struct report_run {
    const char *file;
    const char *name;
    uint32_t case_number; /* from 1 */
    uint32_t cases;
    uint64_t seed;
    const struct engine *engine;
    const struct engine *compared; /* the second one; NULL = none */
    const struct run_result *result;
};

struct report_summary {
    uint64_t passed;         /* known failures included */
    uint64_t failed;         /* unexpected passes included */
    uint64_t known_failures; /* failed as their xfail says */
    uint64_t harness_errors; /* of the failed: could not be run at all */
    uint64_t invalid_files;
    uint64_t planned; /* runs */
    bool interrupted;
    const struct engine *compared; /* NULL = no engines were compared */
    struct compare_tally tally;    /* if they were */
    uint64_t elapsed_ms;           /* wall clock: for the text only */
};

struct report {
    FILE *out;
    void (*begin)(struct report *report, const struct suite *suite);
    void (*invalid)(struct report *report, const struct suite_invalid *invalid);
    void (*run)(struct report *report, const struct report_run *run);
    void (*end)(struct report *report, const struct report_summary *summary);
};

struct report_text_options {
    bool quiet; /* only what failed, and the summary */
    bool verbose;
    bool colour;
};

/* The caller frees them; they write to `out`. */
struct report *report_text(FILE *out, const struct report_text_options *options);
struct report *report_json(FILE *out);
struct report *report_junit(FILE *out);
struct report *report_tap(FILE *out);
struct report *report_annotations(FILE *out);

/* What several of them say. */

/* "name [policy=stop] (seed 3)": what makes the run different from others of its file. */
char *report_title(const struct report_run *run);

/* The command that repeats the run; `program` is how to call mirrorsim. */
char *report_repeat_command(const char *program, const struct report_run *run);

/* The command that shows all that one engine does in the run. */
char *report_whole_trace_command(const char *program, const struct report_run *run,
                                 const struct engine *engine);

/* The command that shows what happened around a finding. */
char *report_trace_command(const char *program, const struct report_run *run,
                           const struct run_finding *finding);

json_t *report_finding_json(const struct report_run *run, const struct run_finding *finding);
json_t *report_mistakes_json(const struct mistakes *mistakes);

/* Writes a command's answer to standard output, and frees it. */
void report_json_show(json_t *answer);

/* A string object from any bytes. */
json_t *report_json_string(const char *text);

#endif
