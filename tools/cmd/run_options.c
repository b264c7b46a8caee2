/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsing the options of `mirrorsim run`, and what they are when not given.
 */
#include "tools/cmd/run_options.h"
#include "tools/base/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/base/terminal.h"
#include "tools/run/load.h"

static void take_seeds(const struct argp_state *state, const struct option_row *option,
                       const char *arg, void *member)
{
    struct suite *suite = member;
    const char *name = option->shown.name;
    char *first = must_strdup(arg);
    char *dots = strstr(first, "..");
    uint64_t last;

    if (dots == NULL) {
        option_refuse(state, "--seeds wants A..B, like 1..1000, not '%s'", arg);
    }
    *dots = '\0';
    suite->first_seed = option_number(state, name, first);
    last = option_number(state, name, dots + 2);
    if (last < suite->first_seed || last - suite->first_seed >= UINT32_MAX) {
        option_refuse(state, "--seeds %s: the last seed comes before the first, or is too far away",
                      arg);
    }
    suite->seed_count = last - suite->first_seed + 1;
    free(first);
}

static void take_content(const struct argp_state *state, const struct option_row *option,
                         const char *arg, void *member)
{
    (void)option;
    if (strcmp(arg, "bytes") != 0 && strcmp(arg, "tags") != 0) {
        option_refuse(state, "--content is tags or bytes, not '%s'", arg);
    }
    *(bool *)member = strcmp(arg, "bytes") == 0;
}

enum { EITHER_SEEDS = 1, EITHER_FORMAT, EITHER_TWICE, EITHER_END };

#define AT(member) offsetof(struct run_options, member)

/* What to run, and how: for report, too. */
const struct option_row run_suite_options[] = {
    {.shown = {0, 0, NULL, 0, "What to run:", 1}},
    {{"seed", 0, "N", 0, "Random choices from this seed; 0 (default) = the quiet run", 1},
     INTO(NUMBER, suite.first_seed),
     .alternative = EITHER_SEEDS},
    {{"seeds", 0, "A..B", 0, "Each run with every seed from A to B", 1},
     INTO(OTHER, suite),
     .take = take_seeds,
     .alternative = EITHER_SEEDS},
    {{"case", 0, "N|NAME", 0,
      "Only this case of each matrix: number from 1, or name, or a part of it like policy=stop", 1},
     INTO(TEXT, filter.chosen)},
    {{"filter", 0, "PATTERN", 0,
      "Only what matches: a glob for file, name, tag, ref or case, a part of file or name, or a "
      "word "
      "of ref or case; of several, any",
      1},
     INTO(OTHER, filter),
     .take = suite_take_pattern},
    {{"engine", 0, "NAME,...", 0,
      "The engine; `mirrorsim engines` lists them; of several, a matrix is shown: story by engine",
      1},
     INTO(OTHER, suite),
     .take = suite_take_engines},
    {.shown = {0, 0, NULL, 0, "How to run:", 2}},
    {{"jobs", 'j', "N", 0, "Worker processes (default: one a core)", 2},
     INTO(COUNT, jobs),
     .max = 1024},
    {{"cpu-limit", 0, "SECONDS", 0,
      "A run that takes more processor time counts as a hang (default 20)", 2},
     INTO(SECONDS, cpu_limit_ms)},
    {{"memory-limit", 0, "MIB", 0,
      "A run that needs more memory than this is given up (default 4096)", 2},
     INTO(COUNT, memory_limit_mib),
     .max = 1 << 20},
    {{"content", 0, "HOW", 0, "Real bytes in all runs (bytes), or as the files say (tags)", 0},
     INTO(OTHER, suite.real_bytes),
     .take = take_content},
    {.shown = {0}},
};

static const struct option_row options_of_run[] = {
    {{"list", 0, NULL, 0, "Show what would be run, and run nothing", 1}, INTO(FLAG, list)},
    {{"compare", 0, "NAME", 0,
      "Also make each run with this engine: both jobs must do the same, or be known to differ", 1},
     INTO(OTHER, suite.compared),
     .take = load_take_engine},
    {{"twice", 0, NULL, 0,
      "Run everything twice: traces and states must be equal (default if the environment has CI)",
      2},
     INTO(FLAG, twice),
     .alternative = EITHER_TWICE},
    {{"once", 0, NULL, 0, "Not twice", 2}, INTO(UNFLAG, twice), .alternative = EITHER_TWICE},
    {{"fail-fast", 0, NULL, 0, "Stop at the first failure", 2},
     INTO(VALUE, max_fail),
     .value = 1,
     .alternative = EITHER_END},
    {{"max-fail", 0, "N", 0, "Stop at the N-th failure", 2},
     INTO(COUNT, max_fail),
     .max = UINT32_MAX,
     .alternative = EITHER_END},
    {{"no-fork", 0, NULL, 0, "Run in this process, for debuggers: a crash ends the program", 2},
     INTO(FLAG, no_fork)},
    {.shown = {0, 0, NULL, 0, "What to report:", 3}},
    {{"quiet", 'q', NULL, 0, "Only failures and the summary", 3}, INTO(FLAG, text.quiet)},
    {{"verbose", 'v', NULL, 0,
      "Also show events, checks and trace hash of each run, every failure in full, and the map of "
      "each "
      "that fails",
      3},
     INTO(FLAG, text.verbose)},
    {{"json", 0, NULL, 0, "JSON on standard output, instead of text", 3},
     INTO(VALUE, format),
     .value = FORMAT_JSON,
     .alternative = EITHER_FORMAT},
    {{"tap", 0, NULL, 0, "TAP version 14 on standard output, instead of text", 3},
     INTO(VALUE, format),
     .value = FORMAT_TAP,
     .alternative = EITHER_FORMAT},
    {{"bisect", 0, NULL, 0,
      "Of several engines: also say of each failing story the first and the last that fails", 3},
     INTO(FLAG, bisect)},
    {{"junit", 0, "FILE", 0, "Also write JUnit XML into this file", 3}, INTO(TEXT, junit)},
    {{"dump-images", 0, "DIR", 0,
      "Write the content of each run's disks at its end (with --compare: of --engine) as sparse "
      "raw files into this new folder",
      3},
     INTO(TEXT, dump_images)},
    {{"report", 0, "FILE", 0,
      "Also write a page for browsers into this file, as `mirrorsim report` does", 3},
     INTO(TEXT, page)},
    {{"annotations", 0, NULL, 0,
      "Also write GitHub annotations (default if the environment has GITHUB_ACTIONS)", 3},
     INTO(FLAG, annotations)},
    {.shown = {0}},
};

const struct option_table run_options_table = {
    .options = options_of_run,
    .shared = run_suite_options,
    .args = "PATH...",
    .take = suite_take_path,
    .member = AT(suite),
    .missing = "which files or folders?",
    .doc =
        "Runs scenario files, and all *.yaml and *.yml files in folders: a line each, and under a "
        "failure what was expected, what happened, and the commands that repeat it and "
        "show it.  The scenario of standard input is called -.\v"
        "Exit codes: 0 all passed, 1 a scenario failed, 2 an invalid file or wrong usage, "
        "3 the harness failed, 130 interrupted (after a summary of what was run)."};

static bool in_environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' && strcmp(value, "false") != 0;
}

struct run_options run_options_default(void)
{
    return (struct run_options){
        .suite = {.seed_count = 1},
        .page_option = "--report=",
        .text = {.colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL,
                 .columns = terminal_columns(stdout)},
        .annotations = in_environment("GITHUB_ACTIONS"),
        .twice = in_environment("CI"),
        .jobs = load_default_jobs(),
        .cpu_limit_ms = 20000,
        .memory_limit_mib = ISOLATE_MEMORY_MIB,
    };
}

/* What does not go together. */
static void check_together(const struct run_options *options)
{
    bool several = options->suite.engine_count > 1;
    bool same_file = options->junit != NULL && options->page != NULL &&
                     strcmp(options->junit, options->page) == 0;
    const char *wrong =
        several && options->suite.compared != NULL ? "--compare goes with one engine"
        : several && options->dump_images != NULL  ? "--dump-images goes with one engine"
        : !several && options->bisect ? "--bisect wants several engines, like --engine A,B,C"
        : same_file                   ? "--junit and --report name the same file"
                                      : NULL;

    if (wrong != NULL) {
        fprintf(stderr, "mirrorsim run: %s\n", wrong);
        exit(EXIT_USAGE);
    }
}

void run_options_parse(struct run_options *options, int argc, char **argv)
{
    *options = run_options_default();
    options_parse(&run_options_table, argc, argv, options);
    check_together(options);
    options->text.only_matrix = options->suite.engine_count > 1;
}
