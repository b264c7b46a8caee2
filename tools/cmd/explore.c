/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim explore: searches the interleavings of a scenario, and failures at each place.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/explore/checkpoint.h"
#include "tools/explore/pct.h"
#include "tools/explore/pool.h"
#include "tools/explore/report.h"
#include "tools/explore/session.h"

/* Memory for the states that one process has visited. */
#define VISITED_BYTES (UINT64_C(512) << 20)

/* So many seeds where nothing says how many. */
#define DEFAULT_RUNS 10000
#define MAX_RUNS UINT32_C(4000000000)

/* A checkpoint is written so often. */
#define SAVE_INTERVAL_MS 10000

/* Of the processor, inside one event. */
#define CPU_LIMIT_S 5

struct command_options {
    struct explore_options explore;
    struct explore_report report;
    uint64_t budget_ms; /* 0 = no bound */
    uint32_t jobs;
    bool has_schedule; /* said by an option, like the next; else the file may */
    bool has_faults;
};

static const struct argp_option option_list[] = {
    {"case", KEY_CASE, "N|NAME", 0, "Only this case of the matrix (default: all)", 1},
    {"engine", KEY_ENGINE, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
    {"schedule", KEY_SCHEDULE, "HOW", 0,
     "exhaustive (default): every answer to every choice; random: runs with seeds; pct: runs with "
     "random priorities, which find a bug of a certain depth with a known chance",
     2},
    {"depth", KEY_DEPTH, "D", 0,
     "Of pct: how many events must come in a certain order for the bug to show (default 3)", 2},
    {"untimed", KEY_UNTIMED, NULL, 0,
     "Latencies don't count: any request that is in flight may be the next to finish", 2},
    {"faults", KEY_FAULTS, "WHICH", 0,
     "none (default); transient: each request and query fails once, in turn; singles: also from "
     "then "
     "on; pairs: and a second one soon after; power-cuts: of the target, at each instant",
     2},
    {"every-order", KEY_EVERY_ORDER, NULL, 0,
     "Also try orders of which it is known that they lead to the same", 2},
    {"runs", KEY_RUNS, "N", 0, "Seeds of a random search, or of pct (default 10000)", 2},
    {"budget", KEY_BUDGET, "TIME", 0, "Stop after so much time, like 30s", 2},
    {"checkpoint", KEY_CHECKPOINT, "FILE", 0,
     "Keep in this file how far the search has come, and go on from there; it is taken away at the "
     "end",
     2},
    {"jobs", 'j', "N", 0, "Processes (default: one per core); the result is the same", 2},
    {"all", KEY_ALL, NULL, 0, "Go on after a finding: one of each kind is kept", 2},
    {"output", 'o', "FILE", 0,
     "Write the run that was found into this file (default: NAME-found.yaml)", 2},
    {"no-shrink", KEY_NO_SHRINK, NULL, 0, "Write the run as it was found", 2},
    {"json", KEY_JSON, NULL, 0, "The summary as JSON", 2},
    {0},
};

static void parse_schedule(const struct argp_state *state, struct command_options *options,
                           const char *arg)
{
    options->has_schedule = true;
    if (strcmp(arg, "exhaustive") == 0) {
        options->explore.schedule = SCHEDULE_EXHAUSTIVE;
    } else if (strcmp(arg, "random") == 0) {
        options->explore.schedule = SCHEDULE_RANDOM;
    } else if (strcmp(arg, "pct") == 0) {
        options->explore.schedule = SCHEDULE_PCT;
    } else {
        argp_error(state, "--schedule is exhaustive, random or pct, not '%s'", arg);
    }
}

static void parse_faults(const struct argp_state *state, struct command_options *options,
                         const char *arg)
{
    static const char *const words[] = {[VARIANTS_NONE] = "none",
                                        [VARIANTS_TRANSIENT] = "transient",
                                        [VARIANTS_SINGLES] = "singles",
                                        [VARIANTS_PAIRS] = "pairs",
                                        [VARIANTS_POWER_CUTS] = "power-cuts"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(arg, words[i]) == 0) {
            options->explore.faults = (enum variant_faults)i;
            options->has_faults = true;
            return;
        }
    }
    argp_error(state, "--faults is none, transient, singles, pairs or power-cuts, not '%s'", arg);
}

static error_t parse_search(int key, char *arg, struct argp_state *state,
                            struct command_options *options)
{
    switch (key) {
    case KEY_CASE:
        options->explore.chosen = arg;
        return 0;
    case KEY_ENGINE:
        options->explore.engine = option_engine(state, arg);
        return 0;
    case KEY_SCHEDULE:
        parse_schedule(state, options, arg);
        return 0;
    case KEY_UNTIMED:
        options->explore.untimed = true;
        return 0;
    case KEY_FAULTS:
        parse_faults(state, options, arg);
        return 0;
    case KEY_EVERY_ORDER:
        options->explore.every_order = true;
        return 0;
    case KEY_ALL:
        options->explore.all = true;
        return 0;
    case KEY_DEPTH:
        options->explore.depth = option_count(state, "--depth", PCT_MAX_DEPTH, arg);
        return 0;
    case KEY_RUNS:
        options->explore.runs = option_count(state, "--runs", MAX_RUNS, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command_options *options = state->input;

    switch (key) {
    case KEY_BUDGET:
        options->budget_ms = option_time(state, "--budget", arg) / 1000000;
        return 0;
    case 'j':
        options->jobs = option_count(state, "--jobs", 1024, arg);
        return 0;
    case 'o':
        options->report.output = arg;
        return 0;
    case KEY_CHECKPOINT:
        options->explore.checkpoint = arg;
        return 0;
    case KEY_NO_SHRINK:
        options->report.no_shrink = true;
        return 0;
    case KEY_JSON:
        options->report.json = true;
        return 0;
    case ARGP_KEY_ARG:
        option_one_file(state, &options->report.file, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file?");
        return 0;
    default:
        return parse_search(key, arg, state, options);
    }
}

/* ---- While it searches ---- */

/* What the pool's calls need. */
struct watch {
    struct explore_session session;
    struct progress progress;
    uint64_t identity;     /* of the search, for its checkpoint */
    uint64_t next_save_ms; /* of the clock */
};

static bool is_done(const void *opaque, uint64_t item)
{
    const struct watch *watch = opaque;

    return session_is_done(&watch->session, item);
}

static void take(void *opaque, const struct explore_result *result)
{
    struct watch *watch = opaque;

    session_take(&watch->session, result);
}

static void show_progress(void *opaque)
{
    struct watch *watch = opaque;

    if (watch->session.options->checkpoint != NULL && clock_ms() >= watch->next_save_ms) {
        checkpoint_save(&watch->session, watch->identity);
        watch->next_save_ms = clock_ms() + SAVE_INTERVAL_MS;
    }
    progress_show(&watch->progress, watch->session.done_count, "searches",
                  session_figures(&watch->session).ends, "runs");
}

/* ---- The command ---- */

/* What the options leave open, the file may say. */
static void take_from_file(struct command_options *options, const struct scenario *scenario)
{
    static const enum variant_faults faults[] = {[EXPLORE_FAULTS_UNSAID] = VARIANTS_NONE,
                                                 [EXPLORE_NONE] = VARIANTS_NONE,
                                                 [EXPLORE_SINGLES] = VARIANTS_SINGLES,
                                                 [EXPLORE_PAIRS] = VARIANTS_PAIRS};
    static const enum explore_schedule schedules[] = {[EXPLORE_UNSAID] = SCHEDULE_EXHAUSTIVE,
                                                      [EXPLORE_EXHAUSTIVE] = SCHEDULE_EXHAUSTIVE,
                                                      [EXPLORE_RANDOM] = SCHEDULE_RANDOM,
                                                      [EXPLORE_PCT] = SCHEDULE_PCT};
    const struct choice_spec quiet = {.seed = 0};
    struct plan *plan = scenario_plan(scenario, 0, &quiet);
    const struct explore_spec *explore = &plan->explore;

    if (!options->has_schedule) {
        options->explore.schedule = schedules[explore->schedule];
    }
    if (options->explore.depth == 0) {
        options->explore.depth = explore->pct > 0 ? explore->pct : PCT_DEFAULT_DEPTH;
    }
    if (!options->has_faults) {
        options->explore.faults = faults[explore->faults];
    }
    if (options->explore.runs == 0) {
        options->explore.runs = explore->runs > 0 ? explore->runs : DEFAULT_RUNS;
    }
    if (options->budget_ms == 0) {
        options->budget_ms = explore->budget_ns / 1000000;
    }
    plan_destroy(plan);
}

/* Goes on from the checkpoint, if there is one. */
static void open_checkpoint(struct watch *watch, const char *file)
{
    const char *path = watch->session.options->checkpoint;
    char *why;

    if (path == NULL) {
        return;
    }
    watch->identity = checkpoint_identity(watch->session.options, file);
    watch->next_save_ms = clock_ms() + SAVE_INTERVAL_MS;
    why = checkpoint_load(&watch->session, watch->identity);
    if (why != NULL) {
        fprintf(stderr, "mirrorsim: %s can't be gone on from: %s; remove it, or name another\n",
                path, why);
        free(why);
        session_close(&watch->session);
        exit(EXIT_USAGE);
    }
    /* Where it can't be written, that is known before the search and not after it. */
    checkpoint_save(&watch->session, watch->identity);
}

/* What was stopped can go on; what has ended need not. */
static void close_checkpoint(const struct watch *watch)
{
    const struct explore_session *session = &watch->session;

    if (session->options->checkpoint != NULL) {
        if (session->done_count == session->items ||
            (session->finding_count > 0 && !session->options->all)) {
            checkpoint_remove(session->options);
        } else {
            checkpoint_save(session, watch->identity);
        }
    }
}

/* Searches, and reports; returns the exit code. */
static int explore(struct command_options *options, uint64_t start_ms)
{
    struct explore_space *space = explore_open(&options->explore);
    struct watch watch = {.progress = {0}};
    const struct explore_session *session = &watch.session;
    const struct explore_pool pool = {
        .options = &options->explore,
        .jobs = options->jobs,
        .end_ms = options->budget_ms == 0 ? 0 : start_ms + options->budget_ms,
        .cpu_limit_s = CPU_LIMIT_S,
        .is_done = is_done,
        .deliver = take,
        .progress = show_progress,
        .opaque = &watch};
    int signal_number;
    bool found;

    if (explore_items(space) == 0) {
        command_refuse_case(options->explore.scenario, options->explore.chosen);
    }
    session_open(&watch.session, &options->explore, space);
    open_checkpoint(&watch, options->report.file);
    progress_begin(&watch.progress, session->items);
    signal_number = explore_pool_run(&pool, space);
    progress_clear(&watch.progress);
    options->report.ms = clock_ms() - start_ms;
    close_checkpoint(&watch);
    explore_report(&options->report, session);
    found = session->finding_count > 0;
    session_close(&watch.session);
    explore_close(space);
    return signal_number != 0 ? 128 + signal_number : found ? EXIT_FAILED : EXIT_PASSED;
}

int cmd_explore(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "FILE",
        .doc =
            "Searches the interleavings of a scenario, the values it leaves to a choice, and "
            "failures at each place.  Stops at the first finding, makes the run smaller and "
            "writes it as a scenario.\v"
            "Exit codes: 0 nothing was found, 1 something was, 2 an invalid file or wrong usage, "
            "3 the harness failed, 130 interrupted (after a summary).",
    };
    struct command_options options = {
        .explore = {.engine = engines[0], .visited_bytes = VISITED_BYTES}, .jobs = default_jobs()};
    uint64_t start_ms = clock_ms();
    struct scenario *scenario;
    int exit_code;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    scenario = command_load(options.report.file);
    command_guard(options.report.output, options.report.file);
    explore_report_check(&options.report, scenario);
    options.explore.scenario = scenario;
    take_from_file(&options, scenario);
    exit_code = explore(&options, start_ms);
    scenario_free(scenario);
    return exit_code;
}
