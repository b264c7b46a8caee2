/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim report: runs files and folders, and writes a page for browsers.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/cmd/run_options.h"
#include "tools/page/coverage.h"

#define AT(member) offsetof(struct run_options, member)

static const struct option_row options_of_report[] = {
    {.shown = {0, 0, NULL, 0, "What to write:", 3}},
    {{"output", 'o', "FILE", 0, "The page, one file of HTML", 3}, INTO(TEXT, page)},
    {{"all", 0, NULL, 0, "Also the runs that passed in full, not only those that failed", 3},
     INTO(FLAG, page_options.all)},
    {{"coverage", 0, "FILE", 0, "Also this answer of `tools/dev/coverage --json`", 3},
     INTO(TEXT, page_options.coverage)},
    {.shown = {0}},
};

static void check_options(const struct argp_state *state, const void *opaque)
{
    const struct run_options *options = opaque;

    if (options->page == NULL) {
        option_refuse(state, "which file to write? -o FILE");
    }
}

static const struct option_table table = {
    .options = options_of_report,
    .shared = run_suite_options,
    .args = "PATH...",
    .take = suite_take_path,
    .member = AT(suite),
    .missing = "which files or folders?",
    .check = check_options,
    .doc = "Runs scenario files, and all *.yaml and *.yml files in folders, and writes one page "
           "that needs "
           "nothing but a browser: a summary of all runs, and of each that failed a map of what "
           "was where when, the trace, and why it failed.\v"
           "Exit codes: as of `mirrorsim run`."};

static int run_report(int argc, char **argv)
{
    struct run_options options = run_options_default();

    options.page_option = "-o ";
    options.text.quiet = true;
    options.annotations = false;
    options_parse(&table, argc, argv, &options);
    if (strcmp(options.page, "-") == 0) {
        options.format = FORMAT_NONE;
    }
    if (options.page_options.coverage != NULL &&
        !page_coverage_is_good(options.page_options.coverage)) {
        suite_free(&options.suite);
        return EXIT_USAGE;
    }
    return run_and_report(&options, "report");
}

const struct command command_report = {
    "report", "run files and folders, and show the runs on a page for browsers", &table,
    run_report};
