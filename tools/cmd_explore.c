/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim explore: searches the interleavings of a scenario, and failures at each place.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/explore_pool.h"
#include "tools/files.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/shrink.h"
#include "tools/support.h"
#include "tools/text.h"

/* Memory for the states that one process has visited. */
#define VISITED_BYTES (UINT64_C(512) << 20)

/* So many seeds where nothing says how many. */
#define DEFAULT_RUNS 10000

struct command_options {
    struct explore_options explore;
    const char *file;
    const char *output; /* NULL = NAME-found.yaml */
    uint64_t budget_ms; /* 0 = no bound */
    uint32_t jobs;
    bool all;
    bool json;
    bool no_shrink;
    bool has_schedule; /* said by an option, like the next; else the file may */
    bool has_faults;
};

/* What all items have come to. */
struct session {
    const struct command_options *options;
    struct progress progress;
    struct search_figures figures;
    uint64_t items;
    uint64_t done;
    bool stopped;
    struct explore_finding *findings; /* different ones, by oracle and kind */
    char **scenarios;
    uint64_t finding_count;
    uint64_t start_ms;
};

static const struct argp_option option_list[] = {
    {"case", KEY_CASE, "N|NAME", 0, "Only this case of the matrix (default: all)", 1},
    {"engine", KEY_ENGINE, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
    {"schedule", KEY_SCHEDULE, "HOW", 0,
     "exhaustive (default): every answer to every choice; random: runs with seeds", 2},
    {"untimed", KEY_UNTIMED, NULL, 0,
     "Latencies don't count: any request that is in flight may be the next to finish", 2},
    {"faults", KEY_FAULTS, "WHICH", 0,
     "none (default); transient: each request and query fails once, in turn; singles: also from "
     "then "
     "on; pairs: and a second one soon after; power-cuts: of the target, at each instant",
     2},
    {"runs", KEY_RUNS, "N", 0, "Seeds of a random search (default 10000)", 2},
    {"budget", KEY_BUDGET, "TIME", 0, "Stop after so much time, like 30s", 2},
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
    } else {
        argp_error(state, "--schedule is exhaustive or random, not '%s'", arg);
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
    case KEY_RUNS:
        options->explore.runs = option_number(state, "--runs", arg);
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
    case KEY_ALL:
        options->all = true;
        return 0;
    case 'o':
        options->output = arg;
        return 0;
    case KEY_NO_SHRINK:
        options->no_shrink = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        option_one_file(state, &options->file, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file?");
        return 0;
    default:
        return parse_search(key, arg, state, options);
    }
}

/* ---- While it searches ---- */

static bool is_known(const struct session *session, const struct explore_finding *finding)
{
    for (uint64_t i = 0; i < session->finding_count; i++) {
        if (strcmp(session->findings[i].oracle, finding->oracle) == 0 &&
            strcmp(session->findings[i].kind, finding->kind) == 0) {
            return true;
        }
    }
    return false;
}

static void take_finding(struct session *session, const struct explore_result *result)
{
    uint64_t count = session->finding_count;

    if (is_known(session, &result->finding) || (count > 0 && !session->options->all)) {
        free(result->scenario);
        return;
    }
    session->findings = must_grow(session->findings, count, sizeof(*session->findings));
    session->scenarios = must_grow(session->scenarios, count, sizeof(*session->scenarios));
    session->findings[count] = result->finding;
    session->scenarios[count] = result->scenario;
    session->finding_count++;
}

static void take(void *opaque, struct explore_result *result)
{
    struct session *session = opaque;
    struct search_figures *all = &session->figures;
    const struct search_figures *one = &result->figures;

    session->done++;
    session->stopped = session->stopped || result->stopped;
    all->ends += one->ends;
    all->states += one->states;
    all->transitions += one->transitions;
    all->merged += one->merged;
    all->depth = one->depth > all->depth ? one->depth : all->depth;
    all->cut = all->cut || one->cut;
    if (result->found) {
        take_finding(session, result);
    }
}

static void show_progress(void *opaque, uint64_t done)
{
    struct session *session = opaque;

    progress_say(&session->progress, "%" PRIu64 " of %" PRIu64 " searches, %" PRIu64 " runs", done,
                 session->items, session->figures.ends);
}

/* ---- What was found ---- */

static char *output_name(const struct session *session, uint64_t number)
{
    const struct command_options *options = session->options;
    const char *name = scenario_name(options->explore.scenario);

    if (options->output != NULL && number == 0) {
        return must_strdup(options->output);
    }
    return number == 0 ? must_printf("%s-found.yaml", name)
                       : must_printf("%s-found-%" PRIu64 ".yaml", name, number + 1);
}

/* The found run, made smaller; or NULL, and it stays as it is. */
static char *shrunk(const struct session *session, uint64_t number)
{
    const struct choice_spec quiet = {.seed = 0};
    const struct explore_finding *finding = &session->findings[number];
    char *origin = must_printf("what `mirrorsim explore %s` found", session->options->file);
    struct shrink_options options = {.oracle = finding->oracle,
                                     .kind = finding->kind,
                                     .origin = origin,
                                     .cpu_limit_s = 5,
                                     .max_runs = 3000};
    struct shrink_report report = {0};
    struct scenario *scenario;
    struct plan *plan;

    scenario = scenario_load_text(session->options->file, session->scenarios[number],
                                  strlen(session->scenarios[number]));
    if (scenario_mistakes(scenario)->count == 0) {
        plan = scenario_plan(scenario, 0, &quiet);
        plan_destroy(shrink_plan(plan, session->options->explore.engine, &options, &report));
        plan_destroy(plan);
    }
    scenario_free(scenario);
    free(origin);
    return report.scenario;
}

static char *save_finding(const struct session *session, uint64_t number)
{
    char *path = output_name(session, number);
    char *small = session->options->no_shrink ? NULL : shrunk(session, number);

    if (!output_write(path, small != NULL ? small : session->scenarios[number])) {
        die("%s: %s", path, strerror(errno));
    }
    free(small);
    return path;
}

/* ---- The summary ---- */

static bool is_exhausted(const struct session *session, const struct explore_space *space)
{
    return session->options->explore.schedule == SCHEDULE_EXHAUSTIVE && !session->stopped &&
           !session->figures.cut && !explore_is_cut(space) && session->done == session->items &&
           session->finding_count == 0;
}

static uint64_t per_second(uint64_t count, uint64_t ms)
{
    return ms == 0 ? 0 : count * 1000 / ms;
}

static void show_text(const struct session *session, const struct explore_space *space,
                      char *const *paths)
{
    const struct search_figures *figures = &session->figures;
    uint64_t ms = clock_ms() - session->start_ms;
    char buf[TIME_TEXT_BYTES];

    for (uint64_t i = 0; i < session->finding_count; i++) {
        const struct explore_finding *finding = &session->findings[i];

        printf("FOUND %s (%s) at %s: %s\n", finding->oracle, finding->kind,
               time_text(finding->now_ns, buf), finding->text);
        if (*finding->variant != '\0') {
            printf("    when %s\n", finding->variant);
        }
        printf("    repeat  %s run %s\n", program_invocation_name, paths[i]);
    }
    printf("%" PRIu64 " of %" PRIu64 " searches, %" PRIu64 " runs, %" PRIu64 " events in %" PRIu64
           ".%03" PRIu64 " s\n",
           session->done, session->items, figures->ends, figures->transitions, ms / 1000,
           ms % 1000);
    if (session->options->explore.schedule == SCHEDULE_EXHAUSTIVE) {
        printf("%" PRIu64 " states (%" PRIu64 "/s), the longest path %" PRIu64 " events; %" PRIu64
               " %% of the events led to a known state\n",
               figures->states, per_second(figures->states, ms), figures->depth,
               figures->transitions == 0 ? 0 : figures->merged * 100 / figures->transitions);
    }
    printf("%s\n", is_exhausted(session, space) ? "exhausted, no finding"
                   : session->finding_count > 0 ? "stopped at the finding"
                   : session->stopped           ? "not exhausted: it was stopped"
                   : session->options->explore.schedule == SCHEDULE_RANDOM
                       ? "no finding in these runs; others may have one"
                       : "not exhausted: something was not varied, or too much to remember");
}

static void show_json(const struct session *session, const struct explore_space *space,
                      char *const *paths)
{
    const struct search_figures *figures = &session->figures;
    json_t *findings = json_array();
    json_t *all;

    for (uint64_t i = 0; i < session->finding_count; i++) {
        const struct explore_finding *finding = &session->findings[i];

        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:o, s:o, s:I, s:o}", "oracle", finding->oracle, "kind",
                                finding->kind, "text", report_json_string(finding->text), "when",
                                report_json_string(finding->variant), "time_ns",
                                (json_int_t)finding->now_ns, "file", report_json_string(paths[i])));
    }
    all =
        json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "mirrorsim",
                  MIRRORSIM_VERSION, "file", report_json_string(session->options->file), "engine",
                  session->options->explore.engine->name, "searches", (json_int_t)session->items,
                  "done", (json_int_t)session->done, "runs", (json_int_t)figures->ends, "events",
                  (json_int_t)figures->transitions, "states", (json_int_t)figures->states, "merged",
                  (json_int_t)figures->merged, "depth", (json_int_t)figures->depth, "ms",
                  (json_int_t)(clock_ms() - session->start_ms), "exhausted",
                  is_exhausted(session, space), "findings", findings);
    report_json_show(all);
}

static void summarise(const struct session *session, const struct explore_space *space)
{
    char **paths = must_alloc((session->finding_count + 1) * sizeof(*paths));

    for (uint64_t i = 0; i < session->finding_count; i++) {
        paths[i] = save_finding(session, i);
    }
    if (session->options->json) {
        show_json(session, space, paths);
    } else {
        show_text(session, space, paths);
    }
    for (uint64_t i = 0; i < session->finding_count; i++) {
        free(paths[i]);
        free(session->scenarios[i]);
    }
    free(paths);
    free(session->scenarios);
    free(session->findings);
}

/* ---- The command ---- */

/* What the options leave open, the file may say. */
static void take_from_file(struct command_options *options, const struct scenario *scenario)
{
    static const enum variant_faults faults[] = {[EXPLORE_FAULTS_UNSAID] = VARIANTS_NONE,
                                                 [EXPLORE_NONE] = VARIANTS_NONE,
                                                 [EXPLORE_SINGLES] = VARIANTS_SINGLES,
                                                 [EXPLORE_PAIRS] = VARIANTS_PAIRS};
    const struct choice_spec quiet = {.seed = 0};
    struct plan *plan = scenario_plan(scenario, 0, &quiet);
    const struct explore_spec *explore = &plan->explore;

    if (!options->has_schedule && explore->schedule > EXPLORE_EXHAUSTIVE) {
        options->explore.schedule = SCHEDULE_RANDOM;
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
    struct session session = {.options = &options};
    struct explore_pool pool = {.options = &options.explore,
                                .cpu_limit_s = 5,
                                .deliver = take,
                                .progress = show_progress,
                                .opaque = &session};
    struct scenario *scenario;
    struct explore_space *space;
    int signal_number;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    scenario = command_load(options.file);
    command_guard(options.output, options.file);
    options.explore.scenario = scenario;
    take_from_file(&options, scenario);
    session.start_ms = clock_ms();
    space = explore_open(&options.explore);
    session.items = explore_items(space);
    if (session.items == 0) {
        command_refuse_case(scenario, options.explore.chosen);
    }
    pool.jobs = options.jobs;
    pool.all = options.all;
    pool.end_ms = options.budget_ms == 0 ? 0 : session.start_ms + options.budget_ms;
    progress_begin(&session.progress, session.items);
    signal_number = explore_pool_run(&pool, space);
    progress_clear(&session.progress);
    summarise(&session, space);
    explore_close(space);
    scenario_free(scenario);
    return signal_number != 0          ? 128 + signal_number
           : session.finding_count > 0 ? EXIT_FAILED
                                       : EXIT_PASSED;
}
