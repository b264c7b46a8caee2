/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child makes one run after the other, and explains those that failed.
 *
 * When it dies, that was the run's engine: what it had sent of it is shown, and a new child goes on
 * with the next one.  A process a run would cost more than most runs.
 */
#include "tools/page/runs.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/page/run.h"
#include "tools/run/stream.h"

#define CPU_LIMIT_MS 20000

/* Of each run without something. */
#define EXPLAIN_LIMIT_MS 2000

/* Of a run that is known to hang: more of it would show nothing else. */
#define HANG_LIMIT_MS 500

struct page_runs {
    const struct suite *suite;
    struct run_result **results;
    size_t count;
    size_t first; /* of the child */

    /* The last one that was asked for, and how many of its seeds are in full. */
    const struct suite_entry *entry;
    uint32_t seeds;
};

struct page_runs *page_runs_create(const struct suite *suite)
{
    struct page_runs *runs = must_alloc(sizeof(*runs));

    runs->suite = suite;
    return runs;
}

uint32_t page_runs_add(struct page_runs *runs, const struct report_run *run)
{
    const struct suite_entry *entry = suite_entry_of(runs->suite, run->result->number);
    size_t bytes = run_result_bytes(run->result->finding_count);

    runs->seeds = entry == runs->entry ? runs->seeds + 1 : 1;
    runs->entry = entry;
    if (runs->seeds > PAGE_SEEDS_IN_FULL) {
        return 0;
    }
    runs->results = must_grow(runs->results, runs->count, sizeof(struct run_result *));
    runs->results[runs->count] = must_alloc(bytes);
    memcpy(runs->results[runs->count++], run->result, bytes);
    return (uint32_t)runs->count;
}

/* ---- One of them ---- */

/* Its plan is to be destroyed, and its trace, empty so far, to be freed. */
static struct one_run prepare(const struct page_runs *runs, const struct run_result *result)
{
    const struct suite_entry *entry = suite_entry_of(runs->suite, result->number);
    const struct choice_spec choices = {.seed = suite_seed_of(runs->suite, result->number)};
    struct one_run run = {.file = scenario_file(entry->scenario),
                          .seed = choices.seed,
                          .engine = entry->engine,
                          .cpu_limit_ms = EXPLAIN_LIMIT_MS,
                          .plan = scenario_plan(entry->scenario, entry->case_number, &choices)};

    run.plan->content_bytes |= runs->suite->real_bytes;
    trace_init(&run.trace, true);
    return run;
}

/* No browser shows more events than these. */
static void keep(void *opaque, const struct event *event, uint64_t number)
{
    if (number < PAGE_MAX_EVENTS) {
        trace_append(opaque, event);
    }
}

/* It ran out of processor time or memory. */
static bool has_no_end(const struct run_result *result)
{
    return result->died && result->finding_count > 0 &&
           result->findings[0].id != FINDING_CRASH_CRASH;
}

static struct stream stream_of(struct one_run *run, const struct run_result *result)
{
    return (struct stream){.plan = run->plan,
                           .options = runner_options(run->plan, run->engine, run->seed),
                           .cpu_ms = has_no_end(result) ? HANG_LIMIT_MS : CPU_LIMIT_MS,
                           .opaque = &run->trace,
                           .event = keep};
}

/* Explaining makes the run many times, which takes too long if it has no end. */
static bool is_explained(const struct run_result *result)
{
    return result->outcome != OUTCOME_PASS && result->finding_count > 0 && !has_no_end(result);
}

/* ---- In the child ---- */

static void make_in_child(void *opaque, void *record, int results)
{
    const struct page_runs *runs = opaque;

    (void)record;
    for (size_t i = runs->first; i < runs->count; i++) {
        const struct run_result *result = runs->results[i];
        struct one_run run = prepare(runs, result);
        const struct stream stream = stream_of(&run, result);

        stream_send(&stream, results);
        if (is_explained(result)) {
            page_why_send(&run, result, results);
        }
        plan_destroy(run.plan);
    }
}

/* ---- In the parent ---- */

static void end_child(struct isolate *child)
{
    struct isolate_death death = isolate_end(child);

    free(death.words);
}

/* Receives the run; of one that dies, explains what there was before. */
static struct page_why receive(struct isolate *child, struct one_run *run,
                               const struct run_result *expected)
{
    const struct stream stream = stream_of(run, expected);
    struct run_result *result = stream_receive(&stream, child->results);
    struct page_why why = {.answer = NULL};
    bool lives = result != NULL;

    free(result);
    if (lives && is_explained(expected)) {
        why = page_why_receive(child->results);
        lives = why.answer != NULL;
    }
    if (!lives) {
        end_child(child);
    }
    if (why.answer == NULL && is_explained(expected)) {
        page_why_free(&why);
        why = page_why_make(run, expected);
    }
    return why;
}

static void write_run(const struct page_runs *runs, size_t number, struct isolate *child, FILE *out)
{
    const struct run_result *result = runs->results[number];
    const struct suite_entry *entry = suite_entry_of(runs->suite, result->number);
    struct one_run run = prepare(runs, result);
    struct page_why why = receive(child, &run, result);
    const struct report_run shown = {
        .scenario = entry->scenario,
        .file = run.file,
        .name = scenario_name(entry->scenario),
        .case_number = entry->case_number + 1,
        .cases = scenario_cases(entry->scenario),
        .seed = run.seed,
        .engine = entry->engine,
        .compared = runs->suite->compared,
        .of_several = runs->suite->engine_count > 1,
        .result = result,
    };
    char id[32];

    snprintf(id, sizeof(id), "run-%zu", number + 1);
    page_run_write(out, id, &shown, &run, &why);
    page_why_free(&why);
    trace_free(&run.trace);
    plan_destroy(run.plan);
}

static void free_runs(struct page_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        free(runs->results[i]);
    }
    free(runs->results);
    free(runs);
}

void page_runs_end(struct page_runs *runs, FILE *out)
{
    struct progress progress = {.on = false};
    struct isolate child;

    isolate_open(&child, 0);
    progress_begin(&progress, runs->count);
    for (size_t i = 0; i < runs->count; i++) {
        if (child.pid == 0) {
            runs->first = i;
            isolate_start(&child, make_in_child, runs);
        }
        write_run(runs, i, &child, out);
        progress_say(&progress, "%zu of %zu runs in full", i + 1, runs->count);
    }
    progress_clear(&progress);
    if (child.pid != 0) {
        end_child(&child);
    }
    isolate_close(&child);
    free_runs(runs);
}
