/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports: text for people; JSON, JUnit and TAP for machines; annotations for CI.
 *
 * Each gets the invalid files, the stories that are skipped, then every run in order, then the
 * summary.  All except the text report have the same output for the same runs.
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

struct matrix;

/* A run and its origin. */
struct report_run {
    const struct scenario *scenario;
    const char *file;
    const char *name;
    uint32_t case_number; /* from 1 */
    uint32_t cases;
    uint64_t seed;
    const struct engine *engine;
    const struct engine *compared; /* the second engine; NULL = none */
    bool of_several;               /* one of several engines: the title names it */
    const struct run_result *result;
};

struct report_summary {
    uint64_t passed;         /* including known failures */
    uint64_t failed;         /* including unexpected passes */
    uint64_t known_failures; /* failed as their xfail predicts */
    uint64_t harness_errors; /* those of the failed that could not be run at all */
    uint64_t invalid_files;
    uint64_t missing_files;   /* of the invalid ones: there is no such file */
    uint64_t skipped;         /* stories of another generation than the engine's */
    uint64_t planned;         /* runs */
    uint64_t silent_faults;   /* drawn with a probability, and not with this seed, ... */
    const char *silent_names; /* ... with their files, as far as they fit */
    bool interrupted;
    const char *unfinished;        /* lines that name the runs that were under way then; or NULL */
    const struct engine *compared; /* NULL = no engines were compared */
    struct compare_tally tally;    /* if engines were compared */
    const struct matrix *matrix;   /* of several engines; else NULL */
    uint64_t elapsed_ms;           /* wall clock; only the text report shows it */
};

struct report {
    FILE *out;
    void (*begin)(struct report *report, const struct suite *suite);
    void (*invalid)(struct report *report, const struct suite_invalid *invalid);
    /* After the invalid ones; the run has no result but its case's name.  NULL: says nothing. */
    void (*skipped)(struct report *report, const struct report_run *run, const char *why);
    void (*run)(struct report *report, const struct report_run *run);
    void (*end)(struct report *report, const struct report_summary *summary);
};

struct report_text_options {
    bool quiet; /* show only failures and the summary */
    bool verbose;
    bool only_matrix; /* a line a run, and what is found, only if verbose */
    bool colour;
    unsigned columns; /* that what is found fits into; 0: it is not wrapped */

    /* Shows more of a failed run, if verbose; NULL: there is nothing more. */
    void (*show_more)(FILE *out, const struct report_run *run);
};

/* The caller frees the report; it writes to `out`. */
struct report *report_text(FILE *out, const struct report_text_options *options);
struct report *report_json(FILE *out);
struct report *report_junit(FILE *out);
struct report *report_tap(FILE *out);
struct report *report_annotations(FILE *out);

/* Texts that several reports use. */

/* "name [policy=stop] (seed 3) on qemu2.2": tells the run from others of its file. */
char *report_title(const struct report_run *run);

/* The command that repeats the run; `program` is how to call mirrorsim. */
char *report_repeat_command(const char *program, const struct report_run *run);

/* The command that repeats a run that died in a debugger. */
char *report_debug_command(const char *program, const struct report_run *run);

/* The command that shows everything that one engine does in the run. */
char *report_whole_trace_command(const char *program, const struct report_run *run,
                                 const struct engine *engine);

/* The command that shows what happened around a finding. */
char *report_trace_command(const char *program, const struct report_run *run,
                           const struct run_finding *finding);

json_t *report_finding_json(const struct report_run *run, const struct run_finding *finding);
/* The calls of a stack as text, an array of strings. */
json_t *report_stack_json(const char *stack);
json_t *report_mistakes_json(const struct mistakes *mistakes);

/* Writes a command's answer to standard output and frees the answer. */
void report_json_show(json_t *answer);

/* Each call of a stack as text on a line of its own: "in" before the first, and this indent. */
void report_show_stack(FILE *out, const char *stack, unsigned indent);

/* A JSON string from arbitrary bytes. */
json_t *report_json_string(const char *text);

#endif
