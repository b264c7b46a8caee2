/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parses the options of `mirrorsim run`; also has their defaults.
 */
#include "tools/cmd/run_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"

static const struct argp_option option_list[] = {
    {0, 0, NULL, 0, "What to run:", 1},
    {"seed", KEY_SEED, "N", 0, "Random choices from this seed; 0 (default) = the quiet run", 1},
    {"seeds", KEY_SEEDS, "A..B", 0, "Each run with every seed from A to B", 1},
    {"case", KEY_CASE, "N|NAME", 0, "Only this case of each matrix: number from 1, or name", 1},
    {"filter", KEY_FILTER, "PATTERN", 0,
     "Only scenarios whose file, name or tag matches: a glob, or a part of file or name", 1},
    {"engine", KEY_ENGINE, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
    {"compare", KEY_COMPARE, "NAME", 0,
     "Each run with this engine as well: what both jobs do must be the same, or known to differ",
     1},
    {0, 0, NULL, 0, "How to run:", 2},
    {"jobs", 'j', "N", 0, "Worker processes (default: one a core)", 2},
    {"twice", KEY_TWICE, NULL, 0,
     "Everything twice: traces and states must be equal (default if the environment has CI)", 2},
    {"once", KEY_ONCE, NULL, 0, "Not twice", 2},
    {"fail-fast", KEY_FAIL_FAST, NULL, 0, "Stop at the first failure", 2},
    {"cpu-limit", KEY_CPU_LIMIT, "SECONDS", 0,
     "A run that takes more processor time is a hang (default 20)", 2},
    {"memory-limit", KEY_MEMORY_LIMIT, "MIB", 0,
     "A run that needs more memory than this is given up (default 4096)", 2},
    {"no-fork", KEY_NO_FORK, NULL, 0, "Run in this process, for debuggers: a crash is then the end",
     2},
    {0, 0, NULL, 0, "What to report:", 3},
    {"quiet", 'q', NULL, 0, "Only failures and the summary", 3},
    {"verbose", 'v', NULL, 0, "Also events, checks and trace hash of each run", 3},
    {"json", KEY_JSON, NULL, 0, "JSON on standard output, instead of text", 3},
    {"tap", KEY_TAP, NULL, 0, "TAP version 14 on standard output, instead of text", 3},
    {"junit", KEY_JUNIT, "FILE", 0, "JUnit XML into this file as well", 3},
    {"content", KEY_CONTENT, "HOW", 0, "Real bytes in all runs (bytes), or as the files say (tags)",
     0},
    {"dump-images", KEY_DUMP_IMAGES, "DIR", 0,
     "What each run's disks hold at its end (with --compare: by --engine), as sparse raw files in "
     "this new folder",
     3},
    {"annotations", KEY_ANNOTATIONS, NULL, 0,
     "GitHub annotations as well (default if the environment has GITHUB_ACTIONS)", 3},
    {0},
};

static void parse_seeds(const struct argp_state *state, struct suite *suite, const char *arg)
{
    char *first = must_strdup(arg);
    char *dots = strstr(first, "..");
    uint64_t last;

    if (dots == NULL) {
        argp_error(state, "--seeds wants A..B, like 1..1000, not '%s'", arg);
        return;
    }
    *dots = '\0';
    suite->first_seed = option_number(state, "--seeds", first);
    last = option_number(state, "--seeds", dots + 2);
    if (last < suite->first_seed || last - suite->first_seed >= UINT32_MAX) {
        argp_error(state, "--seeds %s: the last seed comes before the first, or is too far away",
                   arg);
    }
    suite->seed_count = last - suite->first_seed + 1;
    free(first);
}

/* State while parsing: which of the options that exclude each other was given. */
struct parser {
    struct run_options *options;
    const char *seeds;  /* --seed or --seeds; NULL = neither; the same for the next two */
    const char *format; /* --json or --tap */
    const char *repeat; /* --twice or --once */
};

static void choose_one(const struct argp_state *state, const char **chosen, const char *option)
{
    if (*chosen != NULL && strcmp(*chosen, option) != 0) {
        argp_error(state, "%s and %s contradict each other: give only one of them", *chosen,
                   option);
    }
    *chosen = option;
}

static error_t parse_what(int key, const char *arg, const struct argp_state *state,
                          struct parser *parser)
{
    struct run_options *options = parser->options;

    switch (key) {
    case KEY_SEED:
        choose_one(state, &parser->seeds, "--seed");
        options->suite.first_seed = option_number(state, "--seed", arg);
        options->suite.seed_count = 1;
        return 0;
    case KEY_SEEDS:
        choose_one(state, &parser->seeds, "--seeds");
        parse_seeds(state, &options->suite, arg);
        return 0;
    case KEY_CASE:
        options->filter.chosen = arg;
        return 0;
    case KEY_FILTER:
        options->filter.pattern = arg;
        return 0;
    case KEY_ENGINE:
        options->suite.engine = option_engine(state, arg);
        return 0;
    case KEY_COMPARE:
        options->suite.compared = option_engine(state, arg);
        return 0;
    case ARGP_KEY_ARG:
        suite_add_path(&options->suite, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which files or folders?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_how(int key, const char *arg, const struct argp_state *state,
                         struct parser *parser)
{
    struct run_options *options = parser->options;

    switch (key) {
    case 'j':
        options->jobs = option_count(state, "--jobs", 1024, arg);
        return 0;
    case KEY_CPU_LIMIT:
        options->cpu_limit_s = option_count(state, "--cpu-limit", 86400, arg);
        return 0;
    case KEY_MEMORY_LIMIT:
        options->memory_limit_mib = option_count(state, "--memory-limit", 1 << 20, arg);
        return 0;
    case KEY_TWICE:
    case KEY_ONCE:
        choose_one(state, &parser->repeat, key == KEY_TWICE ? "--twice" : "--once");
        options->twice = key == KEY_TWICE;
        return 0;
    case KEY_FAIL_FAST:
        options->fail_fast = true;
        return 0;
    case KEY_NO_FORK:
        options->no_fork = true;
        return 0;
    default:
        return parse_what(key, arg, state, parser);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct parser *parser = state->input;
    struct run_options *options = parser->options;

    switch (key) {
    case 'q':
        options->text.quiet = true;
        return 0;
    case 'v':
        options->text.verbose = true;
        return 0;
    case KEY_JSON:
        choose_one(state, &parser->format, "--json");
        options->format = FORMAT_JSON;
        return 0;
    case KEY_TAP:
        choose_one(state, &parser->format, "--tap");
        options->format = FORMAT_TAP;
        return 0;
    case KEY_JUNIT:
        options->junit = arg;
        return 0;
    case KEY_CONTENT:
        options->suite.real_bytes = strcmp(arg, "bytes") == 0;
        if (!options->suite.real_bytes && strcmp(arg, "tags") != 0) {
            argp_error(state, "--content is tags or bytes, not '%s'", arg);
        }
        return 0;
    case KEY_DUMP_IMAGES:
        options->dump_images = arg;
        return 0;
    case KEY_ANNOTATIONS:
        options->annotations = true;
        return 0;
    default:
        return parse_how(key, arg, state, parser);
    }
}

static bool in_environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' && strcmp(value, "false") != 0;
}

static struct run_options default_options(void)
{
    return (struct run_options){
        .suite = {.engine = engines[0], .seed_count = 1},
        .text = {.colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL},
        .annotations = in_environment("GITHUB_ACTIONS"),
        .twice = in_environment("CI"),
        .jobs = default_jobs(),
        .cpu_limit_s = 20,
        .memory_limit_mib = ISOLATE_MEMORY_MIB,
    };
}

void run_options_parse(struct run_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "PATH...",
        .doc = "Runs scenario files, and all *.yaml files in folders: a line each, and under a "
               "failure what was expected, what happened, and the commands that repeat it and "
               "show it.\v"
               "Exit codes: 0 all passed, 1 a scenario failed, 2 an invalid file or wrong usage, "
               "3 the harness failed, 130 interrupted (after a summary of what was run).",
    };
    struct parser parser = {.options = options};

    *options = default_options();
    argp_parse(&argp, argc, argv, 0, NULL, &parser);
}
