/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run: its plan, its world stepped to the end, and its result.
 */
#include "tools/run/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/verdict/figures.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/compare.h"
#include "tools/run/dump_images.h"
#include "tools/run/happened.h"

/*
 * The states of a run that are compared with those of its repetition: after every event at first,
 * then at growing intervals, so that a long run, or a large world, costs little more.
 */
#define STATES_SPREAD 16

struct world_options runner_options(const struct plan *plan, const struct engine *engine,
                                    uint64_t seed)
{
    return (struct world_options){
        .engine = engine,
        .step_limit = isolate_step_limit,
        .choices = {.seed = seed, .recorded = plan->choices, .recorded_count = plan->choice_count}};
}

struct world *runner_world(struct world *world, const struct plan *plan,
                           const struct world_options *options, struct trace *trace)
{
    world = world_renew(world, plan, options, trace);
    if (world == NULL) {
        die("there is no memory for a world");
    }
    return world;
}

static void fill_result(const struct plan *plan, const struct leg *leg,
                        const struct verdict *verdict, struct run_result *result)
{
    run_result_fill(result, plan, verdict);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        run_finding_find_lines(&result->findings[i], plan, &leg->trace);
    }
    if (verdict->outcome == OUTCOME_XFAIL || verdict->outcome == OUTCOME_XPASS) {
        run_name_bug(result->bug, verdict_xfail(plan, leg->engine->name,
                                                verdict->finding_count > 0
                                                    ? finding_oracle(verdict->findings[0].id)
                                                    : ORACLE_NONE));
    }
}

/* ---- Running ---- */

static void no_memory(struct run_result *result)
{
    result->outcome = OUTCOME_INVALID;
    run_result_add(result, FINDING_HARNESS_NO_MEMORY, "There is no memory for a world.");
}

static void give_up(const struct runner *runner, const struct world *world,
                    const struct trace *trace, struct run_result *result)
{
    struct run_finding *finding = run_result_add(
        result, FINDING_HARNESS_MEMORY, "The run needs more than %" PRIu64 " MiB (--memory-limit).",
        runner->memory_limit >> 20);

    finding->now_ns = world_now_ns(world);
    finding->event_number = trace->count;
    run_finding_find_lines(finding, runner->plan, trace);
    result->outcome = OUTCOME_FAIL;
    result->virtual_ns = finding->now_ns;
    result->events = world_events(world);
    result->trace_events = trace->count;
    result->trace_hash = trace->hash;
}

/* The engine's own invariants must hold here, too. */
static void note_state(uint64_t *states, uint64_t *next, const struct world *world)
{
    uint64_t events = world_events(world);

    if (events >= *next) {
        world_check(world);
        *states = (*states << 1 | *states >> 63) ^ world_digest(world);
        *next = events + 1 + events / STATES_SPREAD;
    }
}

/* A step has been taken. */
static void look_on(const struct runner *runner, struct leg *leg, uint64_t *next_state)
{
    run_progress_step(runner->progress, runner->plan, leg->engine, runner->world);
    if (leg->comparer != NULL) {
        comparer_look(leg->comparer);
    }
    if (runner->twice) {
        note_state(&leg->states, next_state, runner->world);
    }
}

static void note_figures(const struct plan *plan, const struct trace *trace,
                         struct run_result *result)
{
    struct figures figures = figures_make(plan, trace, result->virtual_ns);

    result->guest_longest_ns = figures.guest_longest_ns;
    result->job_still_ns = figures.job_still_ns;
    result->copied_bytes = figures.copied_bytes;
}

/*
 * Steps to the end; false if there is no memory.  Notes states only for a run that is made twice.
 */
static bool run_world(struct runner *runner, struct leg *leg, struct run_result *result)
{
    uint64_t seed = suite_seed_of(runner->suite, result->number);
    struct world_options options = runner_options(runner->plan, leg->engine, seed);
    struct trace *trace = &leg->trace;
    uint64_t next_state = 0;
    struct world *world;

    runner->world = world_renew(runner->world, runner->plan, &options, trace);
    world = runner->world;
    if (world == NULL) {
        return false;
    }
    while (world_step(world)) {
        look_on(runner, leg, &next_state);
        if (trace->count * sizeof(struct event) + world_save_bytes(world) > runner->memory_limit) {
            give_up(runner, world, trace, result);
            return true;
        }
    }
    fill_result(runner->plan, leg, world_judge(world), result);
    happened_note(result, world, trace);
    if (runner->figures) {
        note_figures(runner->plan, trace, result);
    }
    return true;
}

static void report_difference(const struct runner *runner, const struct leg *first,
                              const struct leg *second, uint64_t event, struct run_result *result)
{
    const struct trace_names names = {runner->plan, first->engine};
    const struct trace *const traces[] = {&first->trace, &second->trace};
    struct run_finding *finding;
    char lines[2][120] = {"nothing", "nothing"};

    for (uint32_t i = 0; i < 2; i++) {
        if (event < traces[i]->count) {
            trace_format_text(&names, &traces[i]->events[event], lines[i], sizeof(lines[i]));
        }
    }
    finding = run_result_add(result, FINDING_DETERMINISM_TRACES_DIFFER,
                             "The same run twice gave two traces: first \"%s\", then \"%s\".",
                             lines[0] + strspn(lines[0], " "), lines[1] + strspn(lines[1], " "));
    if (finding != NULL) {
        finding->event_number = event;
        finding->now_ns = event < traces[0]->count ? traces[0]->events[event].now_ns : 0;
        run_finding_find_lines(finding, runner->plan, traces[0]);
    }
    result->outcome = OUTCOME_FAIL;
}

/* The verdict of the second run is not needed: equal traces have equal verdicts. */
static void run_again(struct runner *runner, const struct leg *first, struct run_result *result)
{
    struct run_result *unused = run_result_create();
    struct leg second = {.engine = first->engine};
    uint64_t event;

    trace_init(&second.trace, true);
    unused->number = result->number;
    if (!run_world(runner, &second, unused)) {
        no_memory(result);
    } else if (trace_first_difference(&first->trace, &second.trace, &event)) {
        report_difference(runner, first, &second, event, result);
    } else if (second.states != first->states) {
        run_result_add(result, FINDING_DETERMINISM_STATES_DIFFER,
                       "The same run twice gave one trace, but went through different states.");
        result->outcome = OUTCOME_FAIL;
    }
    trace_free(&second.trace);
    free(unused);
}

static bool is_planned(const struct runner *runner, const struct suite_entry *entry)
{
    return runner->planned != NULL && runner->planned->scenario == entry->scenario &&
           runner->planned->case_number == entry->case_number;
}

/* A plan depends on the seed only if the scenario leaves values open. */
static void make_plan(struct runner *runner, const struct suite_entry *entry, uint64_t seed)
{
    const struct choice_spec choices = {.seed = seed};

    if (is_planned(runner, entry) && !scenario_has_choices(entry->scenario)) {
        return;
    }
    plan_destroy(runner->plan);
    runner->plan = scenario_plan(entry->scenario, entry->case_number, &choices);
    runner->planned = entry;
    if (runner->plan == NULL) {
        die("out of memory");
    }
    runner->plan->content_bytes = runner->plan->content_bytes || runner->suite->real_bytes;
}

/* Images that were asked for and are not there: the harness has failed. */
static void dump_images(struct runner *runner, struct run_result *result)
{
    char *why = dump_images_write(runner->dump_images, runner->suite, result->number,
                                  world_evidence(runner->world));

    if (why != NULL) {
        result->outcome = OUTCOME_INVALID;
        run_result_add(result, FINDING_HARNESS_NO_IMAGE, "%s", why);
        free(why);
    }
}

/* The run itself, and all that is done after it. */
static void run_leg(struct runner *runner, struct leg *leg, struct run_result *result)
{
    trace_init(&leg->trace, true);
    if (!run_world(runner, leg, result)) {
        no_memory(result);
        return;
    }
    if (runner->dump_images != NULL && leg == &runner->leg) {
        dump_images(runner, result);
    }
    if (runner->twice) {
        run_again(runner, leg, result);
    }
}

void runner_run(struct runner *runner, uint64_t number, struct run_result *result)
{
    const struct suite_entry *entry = suite_entry_of(runner->suite, number);
    struct run_progress *progress = runner->progress;

    *progress = (struct run_progress){.number = number, .under_way = true, .start_us = clock_us()};
    make_plan(runner, entry, suite_seed_of(runner->suite, number));
    run_progress_begin(progress, runner->plan, entry->engine);

    *result = (struct run_result){.number = number};
    memcpy(result->case_name, progress->case_name, sizeof(result->case_name));
    trace_free(&runner->leg.trace);
    runner->leg = (struct leg){.engine = entry->engine};
    if (runner->plan->content_bytes && !plan_fits_bytes(runner->plan)) {
        result->outcome = OUTCOME_INVALID;
        run_result_add(result, FINDING_HARNESS_TOO_LARGE,
                       "The disks are too large for real bytes: they may have 1GiB in all.");
    } else {
        run_leg(runner, &runner->leg, result);
        result->is_half = runner->suite->compared != NULL && result->outcome != OUTCOME_INVALID;
    }
    result->wall_us = clock_us() - progress->start_us;
    progress->under_way = false;
}

void runner_compare(struct runner *runner, struct run_result *result)
{
    struct run_progress *progress = runner->progress;
    struct run_result *second = run_result_create();
    struct comparer comparer;
    struct leg leg = {.engine = runner->suite->compared, .comparer = &comparer};

    comparer_begin(&comparer, runner->plan, &runner->leg, &leg, &progress->comparison);
    run_progress_begin(progress, runner->plan, leg.engine);
    progress->under_way = true;
    second->number = result->number;
    run_leg(runner, &leg, second);
    comparer_end(&comparer);
    comparison_conclude(runner->suite, result, &progress->comparison, second);
    result->wall_us = clock_us() - progress->start_us;
    progress->under_way = false;
    trace_free(&leg.trace);
    free(second);
}

void runner_close(struct runner *runner)
{
    trace_free(&runner->leg.trace);
    world_destroy(runner->world);
    plan_destroy(runner->plan);
}
