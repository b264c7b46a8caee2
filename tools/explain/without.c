/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the finding depends on: each thing that the scenario does is left out once.
 *
 * A plan without one of its faults, requests, commands or choices may crash the engine
 * or never end; so all run in a worker process, and when one dies, a new one continues.
 *
 * Declared in tools/explain/explain.h: a part of explaining.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/plan/edit.h"
#include "tools/base/support.h"
#include "tools/explain/explain.h"
#include "tools/explain/item.h"
#include "tools/run/isolate.h"

#define MAX_WITHOUT 300
#define MAX_NEAR 12
/* Bounds the timeline events of all runs together, unless a few runs already exceed it. */
#define MAX_EVENTS UINT64_C(3000000)
#define MAX_CHOICES 4096

/* The worker's task. */
struct work {
    const struct one_run *run;
    const struct items *items;
    size_t first;
    uint64_t seed;
    uint64_t max_events;
};

/* ---- Leaving one out ---- */

/* What it consists of lives in the arena of the whole: in the worker, nobody else sees that. */
static struct plan plan_without(const struct plan *whole, struct item item)
{
    struct plan plan = *whole;

    switch (item.kind) {
    case ITEM_NOTHING:
        break;
    case ITEM_FAULT:
        edit_drop_fault(&plan, item.index);
        break;
    case ITEM_STEP:
        edit_drop_step(&plan, item.index);
        break;
    case ITEM_TIMED:
        edit_drop_timed(&plan, item.index);
        break;
    case ITEM_REACT:
        edit_drop_react(&plan, item.index);
        break;
    case ITEM_GENERATOR:
        edit_drop_generator(&plan, item.index);
        break;
    case ITEM_CHOICE:
        edit_drop_choice(&plan, item.index);
        break;
    }
    return plan;
}

/* ---- In the worker ---- */

static void run_item(const struct work *work, struct item item, struct run_progress *progress,
                     struct run_result *result)
{
    struct plan plan = plan_without(work->run->plan, item);
    struct world_options options = runner_options(&plan, work->run->engine, work->seed);
    struct trace trace;
    struct world *world;

    trace_init(&trace, true);
    world = runner_world(NULL, &plan, &options, &trace);
    while (world_step(world) && world_events(world) < work->max_events) {
        run_progress_step(progress, &plan, work->run->engine, world);
    }
    if (world_ended(world) == END_NOT) {
        run_result_add(result, FINDING_HARNESS_GOES_ON, "The run does not end.");
    } else {
        run_result_fill(result, &plan, world_judge(world));
    }
    world_destroy(world);
    trace_free(&trace);
}

static void work_on(void *opaque, void *record, int results)
{
    const struct work *work = opaque;
    const struct isolate_limits limits = {.cpu_ms = work->run->cpu_limit_ms,
                                          .memory_bytes = ISOLATE_MEMORY_BYTES};
    struct run_progress *progress = record;
    struct run_result *result = run_result_create();

    for (size_t i = work->first; i < work->items->count; i++) {
        *progress = (struct run_progress){.number = i, .under_way = true};
        *result = (struct run_result){.number = i};
        isolate_watch(&limits);
        run_item(work, work->items->list[i], progress, result);
        isolate_watch(NULL);
        progress->under_way = false;
        run_result_send(results, result);
    }
    free(result);
    world_destroy(work->run->world); /* it belongs to the parent */
}

/* ---- In the parent ---- */

/* Returns one result per item; the caller frees all. */
static struct run_result **run_items(struct work *work)
{
    struct run_result **results = must_alloc(work->items->count * sizeof(struct run_result *));
    struct isolate worker;

    isolate_open(&worker, sizeof(struct run_progress));
    for (size_t i = 0; i < work->items->count; i++) {
        if (worker.pid == 0) {
            work->first = i;
            isolate_start(&worker, work_on, work);
        }
        results[i] = run_result_receive(worker.results);
        if (results[i] == NULL) {
            results[i] = run_progress_end(&worker);
        }
        if (results[i] == NULL) {
            die("a worker process ended without an answer");
        }
    }
    if (worker.pid != 0) {
        free(run_progress_end(&worker));
    }
    isolate_close(&worker);
    return results;
}

struct run_result *explain_run(const struct one_run *run)
{
    struct item whole = {ITEM_NOTHING, 0};
    const struct items items = {&whole, 1};
    struct work work = {.run = run, .items = &items, .seed = run->seed, .max_events = UINT64_MAX};
    struct run_result **results = run_items(&work);
    struct run_result *result = results[0];

    free(results);
    return result;
}

/* ---- What there is to leave out ---- */

static bool is_left_out(const struct action *action)
{
    switch (action->kind) {
    case DO_COMPLETE:
    case DO_CANCEL:
    case DO_PAUSE:
    case DO_RESUME:
    case DO_FINALIZE:
    case DO_DISMISS:
    case DO_CHANGE:
    case DO_SET_SPEED:
    case DO_GUEST:
    case DO_POWER_CUT:
    case DO_USE:
        return true;
    case DO_START:
    case DO_HOLD:
    case DO_RELEASE:
    case DO_MARK:
    case DO_QUERY:
    case DO_QUERY_DISK:
    case DO_JOB_NONE:
    case DO_DRAIN: /* without its end the run hangs, and the end without it is none */
    case DO_UNDRAIN:
    case DO_WAIT:
    case DO_AT:
    case DO_SETTLE:
        break;
    }
    return false;
}

static void add_item(struct items *items, enum item_kind kind, uint32_t index)
{
    items->list = must_grow(items->list, items->count, sizeof(*items->list));
    items->list[items->count++] = (struct item){kind, index};
}

static void list_items(const struct plan *plan, struct items *items)
{
    add_item(items, ITEM_NOTHING, 0);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        add_item(items, ITEM_FAULT, i);
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (is_left_out(&plan->steps[i])) {
            add_item(items, ITEM_STEP, i);
        }
    }
    for (uint32_t i = 0; i < plan->timed_count; i++) {
        if (is_left_out(&plan->timed[i].action)) {
            add_item(items, ITEM_TIMED, i);
        }
    }
    for (uint32_t i = 0; i < plan->react_count; i++) {
        if (is_left_out(&plan->reacts[i].action)) {
            add_item(items, ITEM_REACT, i);
        }
    }
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        add_item(items, ITEM_GENERATOR, i);
    }
    for (uint32_t i = 0; i < plan->choice_count; i++) {
        add_item(items, ITEM_CHOICE, i);
    }
}

/* ---- Is it still there? ---- */

static const struct run_finding *find_same(const struct run_result *result,
                                           const struct run_finding *wanted)
{
    bool of_scenario = finding_oracle(wanted->id) == ORACLE_EXPECT;

    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        if (finding->id == wanted->id && (!of_scenario || finding->line == wanted->line)) {
            return finding;
        }
    }
    return NULL;
}

/*
 * The first finding that the unchanged run does not have, or NULL.  Expectations about the whole
 * story need not hold without a part of it.
 */
static const struct run_finding *find_other(const struct run_result *base,
                                            const struct run_result *result)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *other = &result->findings[i];

        if (!finding_is(other->id, FINDING_OF_SCENARIO) && find_same(base, other) == NULL) {
            return other;
        }
    }
    return NULL;
}

static void judge(struct without *without, const struct run_result *base,
                  const struct run_result *result, const struct run_finding *finding)
{
    const struct run_finding *same = find_same(result, finding);
    const struct run_finding *other = find_other(base, result);

    if (same != NULL) {
        without->outcome = WITHOUT_STILL_THERE;
        without->elsewhere = same->has_sector && (same->sector != finding->sector ||
                                                  strcmp(same->disk, finding->disk) != 0);
    } else if (other != NULL) {
        /* A story that waits for what was left out does not end; that is no new failure. */
        without->outcome =
            finding_is(other->id, FINDING_OF_NO_END) ? WITHOUT_NO_END : WITHOUT_CHANGES;
        without->becomes =
            must_printf("%s (%s)", finding_by(other->id), finding_kind_name(other->id));
    }
}

/* Copies the answers of the run's choices, so that each can be left out. */
static void record_choices(const struct one_run *run, struct plan *plan)
{
    uint32_t count;
    const struct choice_answer *answers = world_choices(run->world, &count);

    if (run->seed != 0 && count > 0 && count <= MAX_CHOICES) {
        plan->choices = must_alloc(count * sizeof(*answers));
        memcpy(plan->choices, answers, count * sizeof(*answers));
        plan->choice_count = count;
    }
}

/* The longer a run, the fewer things are left out. */
static size_t bound_of(const struct run_result *base)
{
    uint64_t bound = base->events > 0 ? MAX_EVENTS / base->events : MAX_WITHOUT;

    return bound > MAX_WITHOUT ? MAX_WITHOUT : bound < 20 ? 20 : (size_t)bound;
}

static void judge_items(struct work *work, const struct run_result *base,
                        const struct run_finding *finding, struct without_list *list)
{
    const struct items *items = work->items;
    struct run_result **results = run_items(work);
    struct told_choices told;

    list->repeats = find_same(results[0], finding) != NULL;
    told = choices_tell(work->run->plan, work->run->engine, 0);
    items_name(work->run->plan, &told, items, list);
    choices_free(&told);
    for (size_t i = 1; i < items->count; i++) {
        judge(&list->list[i - 1], base, results[i], finding);
    }
    for (size_t i = 0; i < items->count; i++) {
        free(results[i]);
    }
    free(results);
}

void explain_without(const struct one_run *run, const struct run_result *base,
                     const struct run_finding *finding, struct without_list *list)
{
    struct plan plan = *run->plan;
    struct one_run recorded = *run;
    struct items items = {0};
    size_t bound = bound_of(base);
    struct work work = {
        .run = &recorded, .items = &items, .seed = 0, .max_events = 4 * base->events + 100000};

    *list = (struct without_list){0};
    record_choices(run, &plan);
    recorded.plan = &plan;
    list_items(&plan, &items);
    if (items.count - 1 > bound) {
        list->left_out = items.count - 1 - bound;
        items.count = bound + 1;
    }
    judge_items(&work, base, finding, list);
    free(items.list);
    if (plan.choices != run->plan->choices) {
        free(plan.choices);
    }
}

/* ---- The nearest run without the finding ---- */

/* All events of the run of a plan, in this process. */
static struct trace trace_of(const struct one_run *run, const struct plan *plan, uint64_t seed)
{
    struct world_options options = runner_options(plan, run->engine, seed);
    struct trace trace;
    struct world *world;

    trace_init(&trace, true);
    world = runner_world(NULL, plan, &options, &trace);
    while (world_step(world)) {
    }
    world_destroy(world);
    return trace;
}

/* Takes the trace, or frees it. */
static void keep_nearer(const struct trace *whole, size_t without, struct trace *trace,
                        struct nearest *nearest)
{
    uint64_t difference;

    if (!trace_first_difference(whole, trace, &difference)) {
        difference = whole->count;
    }
    if (nearest->trace.count > 0 && difference <= nearest->difference) {
        trace_free(trace);
        return;
    }
    trace_free(&nearest->trace);
    *nearest = (struct nearest){without, *trace, difference};
}

static bool keep_nearest(const struct one_run *run, const struct plan *plan,
                         const struct without_list *list, struct nearest *nearest)
{
    struct items items = {0};
    size_t tried = 0;

    list_items(plan, &items);
    for (size_t i = 0; i < list->count && tried < MAX_NEAR; i++) {
        if (list->list[i].outcome == WITHOUT_GONE) {
            struct plan without = plan_without(plan, items.list[i + 1]);
            struct trace trace = trace_of(run, &without, 0);

            keep_nearer(&run->trace, i, &trace, nearest);
            tried++;
        }
    }
    free(items.list);
    return tried > 0;
}

bool explain_nearest(const struct one_run *run, const struct without_list *list,
                     struct nearest *nearest)
{
    struct plan plan = *run->plan;
    bool found;

    *nearest = (struct nearest){.difference = 0};
    record_choices(run, &plan);
    found = keep_nearest(run, &plan, list, nearest);
    if (plan.choices != run->plan->choices) {
        free(plan.choices);
    }
    return found;
}

void without_list_free(struct without_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->list[i].what);
        free(list->list[i].becomes);
    }
    free(list->list);
}
