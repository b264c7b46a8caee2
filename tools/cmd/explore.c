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
#include "tools/run/load.h"

/* Memory for the visited states of one process. */
#define VISITED_BYTES (UINT64_C(512) << 20)

/* The number of runs if neither option nor file says it. */
#define DEFAULT_RUNS 10000
#define MAX_RUNS UINT32_C(4000000000)

/* Interval between checkpoints; the items under way have one of their own (hunt_saved.c). */
#define SAVE_INTERVAL_MS 500

#define CPU_LIMIT_MS 5000

struct command_options {
    struct explore_options explore;
    struct explore_report report;
    const char *checkpoint;
    uint64_t budget_ms; /* 0 = no bound */
    uint32_t jobs;
    bool has_schedule; /* set by an option, like the next; if not, the file may set it */
    bool has_faults;
};

#define AT(member) offsetof(struct command_options, member)

static const char *const schedule_words[] = {[SCHEDULE_EXHAUSTIVE] = "exhaustive",
                                             [SCHEDULE_RANDOM] = "random",
                                             [SCHEDULE_PCT] = "pct",
                                             NULL};
static const char *const fault_words[] = {[VARIANTS_NONE] = "none",
                                          [VARIANTS_CHOSEN] = "chosen",
                                          [VARIANTS_TRANSIENT] = "transient",
                                          [VARIANTS_SINGLES] = "singles",
                                          [VARIANTS_PAIRS] = "pairs",
                                          [VARIANTS_POWER_CUTS] = "power-cuts",
                                          NULL};

static const struct option_row options_of_explore[] = {
    {{"case", 0, "N|NAME", 0, "Only this case of the matrix (default: all)", 1},
     INTO(TEXT, explore.chosen)},
    {{"engine", 0, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
     INTO(OTHER, explore.engine),
     .take = load_take_engine},
    {{"schedule", 0, "HOW", 0,
      "exhaustive (default): every answer to every choice; random: runs with seeds; pct: runs with "
      "random priorities, which find a bug of a given depth with a known probability",
      2},
     INTO(WORD, explore.schedule),
     .words = schedule_words,
     .given = AT(has_schedule)},
    {{"depth", 0, "D", 0,
      "The depth for pct: how many events must come in a certain order for the bug to show "
      "(default 3)",
      2},
     INTO(COUNT, explore.depth),
     .max = PCT_MAX_DEPTH},
    {{"untimed", 0, NULL, 0, "Ignore latencies: any request in flight may be the next to finish",
      2},
     INTO(FLAG, explore.untimed)},
    {{"faults", 0, "WHICH", 0,
      "none (default); chosen: one request or query fails once, by choice; transient: each fails "
      "once, in turn; singles: also for good; pairs: also with a second failure soon after; "
      "power-cuts: of the target, at each "
      "instant",
      2},
     INTO(WORD, explore.faults),
     .words = fault_words,
     .given = AT(has_faults)},
    {{"every-order", 0, NULL, 0,
      "Disable partial-order reduction: also try orders that are known to be equivalent", 2},
     INTO(FLAG, explore.every_order)},
    {{"runs", 0, "N", 0, "Number of seeds for random and pct (default 10000)", 2},
     INTO(COUNT, explore.runs),
     .max = MAX_RUNS},
    {{"budget", 0, "TIME", 0, "Stop after this time, like 30s", 2}, INTO(SPAN, budget_ms)},
    {{"checkpoint", 0, "FILE", 0,
      "Save the progress of the search in this file, and resume from it; it is removed at the end",
      2},
     INTO(TEXT, checkpoint)},
    {{"jobs", 'j', "N", 0, "Processes (default: one per core); the result is the same", 2},
     INTO(COUNT, jobs),
     .max = 1024},
    {{"cpu-limit", 0, "SECONDS", 0,
      "An event, or a run of the shrinking, that takes more processor time counts as a hang "
      "(default 5)",
      2},
     INTO(SECONDS, explore.cpu_limit_ms)},
    {{"all", 0, NULL, 0, "Continue after a finding, and keep one of each kind", 2},
     INTO(FLAG, explore.all)},
    {{"output", 'o', "FILE", 0,
      "Write the run with the finding into this file (default: NAME-found.yaml)", 2},
     INTO(TEXT, report.output)},
    {{"force", 0, NULL, 0, "Replace files that are there, instead of refusing or numbering on", 2},
     INTO(FLAG, report.force)},
    {{"no-shrink", 0, NULL, 0, "Write the run without shrinking it", 2},
     INTO(FLAG, report.no_shrink)},
    {{"json", 0, NULL, 0, "Write the summary as JSON", 2}, INTO(FLAG, report.json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_explore,
    .args = "FILE",
    .take = option_take_file,
    .member = AT(report.file),
    .missing = "which file?",
    .doc = "Searches the interleavings of a scenario, the values it leaves to a choice, and "
           "failures at each place.  Stops at the first finding, shrinks the run and writes it as "
           "a scenario.\vExit codes: 0 no finding, 1 a finding, 2 an invalid file or wrong usage, "
           "3 the harness failed, 130 interrupted (after a summary)."};

/* ---- While it searches ---- */

/* The state for the pool's callbacks. */
struct watch {
    struct explore_session session;
    struct progress progress;
    struct checkpoint *checkpoint; /* or NULL */
    uint64_t next_save_ms;         /* clock time of the next checkpoint */
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

static void take_finding(void *opaque, const struct explore_finding *finding, const char *scenario)
{
    struct watch *watch = opaque;

    session_take_finding(&watch->session, finding, must_strdup(scenario));
    /* At once: later progress of its item must not be in the file without it. */
    if (watch->checkpoint != NULL) {
        checkpoint_save(watch->checkpoint, &watch->session);
    }
}

static void save_piece(void *opaque, uint64_t item, const uint8_t *piece, size_t bytes)
{
    struct watch *watch = opaque;

    checkpoint_save_piece(watch->checkpoint, item, piece, bytes);
}

static bool next_piece(void *opaque, uint64_t item, uint64_t *number, struct unpack *piece)
{
    struct watch *watch = opaque;

    return checkpoint_next_piece(watch->checkpoint, item, number, piece);
}

static void show_progress(void *opaque)
{
    struct watch *watch = opaque;

    if (watch->checkpoint != NULL && clock_ms() >= watch->next_save_ms) {
        checkpoint_save(watch->checkpoint, &watch->session);
        watch->next_save_ms = clock_ms() + SAVE_INTERVAL_MS;
    }
    progress_show(&watch->progress, watch->session.done_count, "searches",
                  session_figures(&watch->session).ends, "runs", "");
}

/* ---- The command ---- */

/* Takes settings from the file that no option has set. */
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

/* Resumes from the checkpoint, if there is one. */
static void open_checkpoint(struct watch *watch, const char *path, const char *file)
{
    char *why;

    if (path == NULL) {
        return;
    }
    watch->next_save_ms = clock_ms() + SAVE_INTERVAL_MS;
    watch->checkpoint = checkpoint_open(path, &watch->session, file, &why);
    if (watch->checkpoint == NULL) {
        fprintf(stderr, "mirrorsim: cannot resume from %s: %s; remove it, or name another\n", path,
                why);
        free(why);
        session_close(&watch->session);
        exit(EXIT_USAGE);
    }
}

/*
 * A search that was stopped can be resumed, so its checkpoint stays; one that
 * has ended needs none.
 */
static void close_checkpoint(const struct watch *watch)
{
    const struct explore_session *session = &watch->session;

    if (watch->checkpoint != NULL) {
        checkpoint_save(watch->checkpoint, session);
        checkpoint_close(watch->checkpoint,
                         session->done_count == session->items ||
                             (session->finding_count > 0 && !session->options->all));
    }
}

/* Searches and reports; returns the exit code. */
static int explore(struct command_options *options, uint64_t start_ms)
{
    struct explore_space *space = explore_open(&options->explore);
    struct watch watch = {.progress = {0}};
    const struct explore_session *session = &watch.session;
    struct explore_pool pool = {.options = &options->explore,
                                .jobs = options->jobs,
                                .end_ms =
                                    options->budget_ms == 0 ? 0 : start_ms + options->budget_ms,
                                .is_done = is_done,
                                .found = take_finding,
                                .deliver = take,
                                .progress = show_progress,
                                .opaque = &watch};
    int signal_number;
    bool found;

    if (explore_items(space) == 0) {
        load_refuse_case(options->explore.scenario, options->explore.chosen);
    }
    session_open(&watch.session, &options->explore, space);
    open_checkpoint(&watch, options->checkpoint, options->report.file);
    if (watch.checkpoint != NULL) {
        pool.save = save_piece;
        pool.saved = next_piece;
    }
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

static int run_explore(int argc, char **argv)
{
    struct command_options options = {
        .explore = {.visited_bytes = VISITED_BYTES, .cpu_limit_ms = CPU_LIMIT_MS},
        .jobs = load_default_jobs()};
    uint64_t start_ms = clock_ms();
    struct scenario *scenario;
    int exit_code;

    options_parse(&table, argc, argv, &options);
    scenario = load_scenario(options.report.file);
    load_guard_output(options.report.output, options.report.file, options.report.force);
    explore_report_check(&options.report, scenario);
    options.explore.scenario = scenario;
    options.explore.engine = load_choose_engine(
        options.explore.engine, scenario_generation(scenario, 0), options.report.file);
    take_from_file(&options, scenario);
    exit_code = explore(&options, start_ms);
    scenario_free(scenario);
    return exit_code;
}

const struct command command_explore = {
    "explore", "search the interleavings of a scenario, and failures at each place", &table,
    run_explore};
