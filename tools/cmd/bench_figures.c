/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The figures and how they are measured.
 *
 * Figures that count repeat for MEASURE_NS, so that the clock's resolution and
 * the first run's page faults do not matter.
 *
 * Declared in tools/cmd/bench.h: it is what `mirrorsim bench` measures.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/units.h"
#include "sim/scenario/scenario.h"
#include "sim/world/world.h"
#include "tools/base/support.h"
#include "tools/cmd/bench.h"
#include "tools/explore/search.h"
#include "tools/run/isolate.h"
#include "tools/run/load.h"
#include "tools/run/runner.h"

#define MEASURE_NS UINT64_C(400000000)

/* Memory for the states that a search has visited. */
#define SEARCH_BENCH_BYTES (UINT64_C(64) << 20)

/* Runs between two readings of the clock. */
#define BATCH 64

static const char small_run[] = "scenario: 1\n"
                                "name: small\n"
                                "doc: A mirror of 1 MiB in 16 operations, to its completion.\n"
                                "disks: {src: {size: 1MiB, fill: unique}, dst: {size: 1MiB}}\n"
                                "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 64KiB}\n"
                                "steps: [start, {wait: {event: ready}}, complete, "
                                "{wait: concluded}]\n";

static const char four_chunks[] =
    "scenario: 1\n"
    "name: four-chunks\n"
    "doc: A mirror of four chunks with two guest writes, in every order.\n"
    "timing: untimed\n"
    "disks: {src: {size: 256KiB, fill: unique}, dst: {size: 256KiB, fill: garbage}}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 192KiB}\n"
    "guest: {w1: {at: 0, write: {at: 0, len: 64KiB}}, w2: {at: 0, write: {at: 32KiB, len: "
    "64KiB}}}\n"
    "steps: [start, {wait: ready}, complete, {wait: concluded}]\n";

/* The same copy work for today's generation: as many operations of the same size. */
static const char small_run_modern[] =
    "scenario: 1\n"
    "name: small-modern\n"
    "generation: modern\n"
    "doc: A mirror of 1 MiB in 16 operations, to its completion.\n"
    "disks: {src: {size: 1MiB, fill: unique}, dst: {size: 1MiB}}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 64KiB}\n"
    "steps: [start, {wait: {event: ready}}, complete, {wait: concluded}]\n";

static const char four_chunks_modern[] =
    "scenario: 1\n"
    "name: four-chunks-modern\n"
    "generation: modern\n"
    "doc: A mirror of four chunks with two guest writes, in every order.\n"
    "timing: untimed\n"
    "disks: {src: {size: 256KiB, fill: unique}, dst: {size: 256KiB, fill: garbage}}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 192KiB}\n"
    "guest: {w1: {at: 0, write: {at: 0, len: 64KiB}}, w2: {at: 0, write: {at: 32KiB, len: "
    "64KiB}}}\n"
    "steps: [start, {wait: ready}, complete, {wait: concluded}]\n";

static const char disk_model[] =
    "scenario: 1\n"
    "name: disk-model\n"
    "doc: A mirror of 1 GiB in 16384 operations between disks with lanes and a bandwidth.\n"
    "disks:\n"
    "  src: {size: 1GiB, fill: unique, lanes: 4, bandwidth: 1GiB/s, "
    "latency: {read: {p50: 80us, p99: 900us}}}\n"
    "  dst: {size: 1GiB, lanes: 4, bandwidth: 1GiB/s, latency: {write: {p50: 30us, p99: 400us}}}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 64KiB}\n"
    "limits: {time: 1000s}\n"
    "steps: [start, {wait: {event: ready}}, complete, {wait: concluded}]\n";

static const char tebibyte[] = "scenario: 1\n"
                               "name: tebibyte\n"
                               "doc: A full mirror of 1 TiB with the default buffer.\n"
                               "disks: {src: {size: 1TiB, fill: unique}, dst: {size: 1TiB}}\n"
                               "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 10MiB}\n"
                               "limits: {time: 1000000s}\n"
                               "steps: [start, {wait: {event: ready}}, complete, "
                               "{wait: concluded}]\n";

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- One plan, run again and again ---- */

struct stage {
    struct plan *plan;
    struct world_options options;
    struct trace trace;
};

static void stage_open(struct stage *stage, const struct bench_figure *figure)
{
    const struct choice_spec quiet = {0};
    struct scenario *scenario =
        scenario_load_text(figure->key, figure->scenario, strlen(figure->scenario));

    if (scenario_mistakes(scenario)->count > 0) {
        die("%s", mistakes_format(figure->key, scenario_mistakes(scenario)));
    }
    stage->plan = scenario_plan(scenario, 0, &quiet);
    stage->options = runner_options(stage->plan, load_engine_of(stage->plan->generation), 0);
    stage->options.no_oracles = figure->no_oracles;
    trace_init(&stage->trace, true);
    scenario_free(scenario);
}

static void stage_close(struct stage *stage)
{
    trace_free(&stage->trace);
    plan_destroy(stage->plan);
}

/* Checks the run's result: a figure is worthless if the run it measures did not work. */
static void run_to_end(struct world *world, bool judged)
{
    const struct verdict *verdict;

    world_run(world, UINT64_MAX);
    verdict = world_judge(world);
    if (!verdict->concluded || verdict->ret != 0 || (judged && verdict->outcome != OUTCOME_PASS)) {
        die("a measured run failed: %s",
            verdict->finding_count > 0 ? verdict->findings[0].text : "it did not conclude");
    }
}

/* ---- Runs and events ---- */

static void measure_fresh(const struct bench_task *task, struct bench_sample *sample)
{
    struct stage stage;
    uint64_t start_ns;

    stage_open(&stage, task->figure);
    start_ns = clock_ns();
    do {
        for (uint32_t i = 0; i < BATCH; i++) {
            struct world *world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);

            run_to_end(world, !task->figure->no_oracles);
            world_destroy(world);
        }
        sample->count += BATCH;
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS);
    stage_close(&stage);
}

static void measure_renewed(const struct bench_task *task, struct bench_sample *sample)
{
    struct stage stage;
    struct world *world;
    uint64_t start_ns;

    stage_open(&stage, task->figure);
    world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
    start_ns = clock_ns();
    do {
        for (uint32_t i = 0; i < BATCH; i++) {
            run_to_end(world, !task->figure->no_oracles);
            world = runner_world(world, stage.plan, &stage.options, &stage.trace);
        }
        sample->count += BATCH;
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS);
    world_destroy(world);
    stage_close(&stage);
}

static void measure_restored(const struct bench_task *task, struct bench_sample *sample)
{
    struct stage stage;
    struct world *world;
    uint64_t start_ns;
    void *initial;

    stage_open(&stage, task->figure);
    world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
    initial = must_alloc(world_save_bytes(world));
    world_save(world, initial);
    start_ns = clock_ns();
    do {
        for (uint32_t i = 0; i < BATCH; i++) {
            run_to_end(world, !task->figure->no_oracles);
            world_load(world, initial);
        }
        sample->count += BATCH;
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS);
    free(initial);
    world_destroy(world);
    stage_close(&stage);
}

static void measure_big_runs(const struct bench_task *task, struct bench_sample *sample,
                             bool timeline)
{
    struct stage stage;
    struct world *world;
    uint64_t start_ns;

    stage_open(&stage, task->figure);
    start_ns = clock_ns();
    do {
        world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
        run_to_end(world, !task->figure->no_oracles);
        sample->count += timeline ? world_events(world) : stage.trace.count;
        world_destroy(world);
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS);
    stage_close(&stage);
}

static void measure_events(const struct bench_task *task, struct bench_sample *sample)
{
    measure_big_runs(task, sample, false);
}

static void measure_timeline(const struct bench_task *task, struct bench_sample *sample)
{
    measure_big_runs(task, sample, true);
}

static void measure_one(const struct bench_task *task, struct bench_sample *sample)
{
    struct stage stage;
    struct world *world;
    uint64_t start_ns;

    stage_open(&stage, task->figure);
    start_ns = clock_ns();
    world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
    run_to_end(world, !task->figure->no_oracles);
    sample->ns = clock_ns() - start_ns;
    world_destroy(world);
    stage_close(&stage);
}

/* ---- Snapshots ---- */

/* The largest snapshot at any time of the run. */
static void measure_state(const struct bench_task *task, struct bench_sample *sample)
{
    struct stage stage;
    struct world *world;

    stage_open(&stage, task->figure);
    world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
    do {
        sample->count = max_u64(sample->count, world_save_bytes(world));
    } while (world_step(world));
    world_destroy(world);
    stage_close(&stage);
}

/* Measures, in the middle of a run, taking a snapshot or, with `load`, restoring one. */
static void measure_snapshot(const struct bench_task *task, struct bench_sample *sample, bool load)
{
    struct stage stage;
    struct world *world;
    uint64_t start_ns;
    void *memory;

    stage_open(&stage, task->figure);
    world = runner_world(NULL, stage.plan, &stage.options, &stage.trace);
    for (uint32_t i = 0; i < 20; i++) {
        world_step(world);
    }
    memory = must_alloc(world_save_bytes(world));
    world_save(world, memory);
    start_ns = clock_ns();
    do {
        for (uint32_t i = 0; i < BATCH; i++) {
            if (load) {
                world_load(world, memory);
            } else {
                world_save(world, memory);
            }
        }
        sample->count += BATCH;
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS / 4);
    free(memory);
    world_destroy(world);
    stage_close(&stage);
}

static void measure_save(const struct bench_task *task, struct bench_sample *sample)
{
    measure_snapshot(task, sample, false);
}

static void measure_load(const struct bench_task *task, struct bench_sample *sample)
{
    measure_snapshot(task, sample, true);
}

/* ---- The shipped scenarios ---- */

static void run_program(void *opaque, void *record, int results)
{
    const struct bench_task *task = opaque;

    (void)record;
    (void)results;
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    execl("/proc/self/exe", "mirrorsim", "run", "--quiet", "--once", "--jobs", "1", task->path,
          (char *)NULL);
    _exit(EXIT_HARNESS);
}

/* Runs the whole program as a user would, on one core. */
static void measure_scenarios(const struct bench_task *task, struct bench_sample *sample)
{
    struct bench_task copy = *task;
    uint64_t start_ns = clock_ns();
    struct isolate_death death;
    struct isolate isolate;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_program, &copy);
    death = isolate_end(&isolate);
    sample->ns = clock_ns() - start_ns;
    if (death.cause != CAUSE_EXIT || death.number >= EXIT_HARNESS) {
        die("cannot run %s\n%s", task->path, death.words);
    }
    free(death.words);
    isolate_close(&isolate);
}

/* ---- Searching ---- */

static bool search_found_one(void *opaque, const struct verdict *verdict,
                             const struct choice_answer *choices, uint32_t choice_count)
{
    (void)opaque;
    (void)verdict;
    (void)choices;
    (void)choice_count;
    die("a search that should find nothing has a finding");
}

/* An exhaustive search, again and again: counts its states, or whole searches. */
static void measure_searches(const struct bench_task *task, struct bench_sample *sample, bool whole)
{
    struct search_options options = {.found = search_found_one};
    struct search *search = search_create(SEARCH_BENCH_BYTES);
    struct search_figures figures = {0};
    struct stage stage;
    uint64_t start_ns;

    stage_open(&stage, task->figure);
    options.engine = stage.options.engine;
    start_ns = clock_ns();
    do {
        search_run(search, stage.plan, &options, &figures);
        sample->count = whole ? sample->count + 1 : figures.states;
        sample->ns = clock_ns() - start_ns;
    } while (sample->ns < MEASURE_NS);
    search_destroy(search);
    stage_close(&stage);
}

static void measure_search(const struct bench_task *task, struct bench_sample *sample)
{
    measure_searches(task, sample, false);
}

static void measure_whole_searches(const struct bench_task *task, struct bench_sample *sample)
{
    measure_searches(task, sample, true);
}

const struct bench_figure bench_figures[] = {
    {"small_runs_per_s", "small runs a second, each in a world restored to its start", NULL,
     small_run, BENCH_PER_SECOND, false, measure_restored, NULL},
    {"small_runs_renewed_per_s",
     "small runs a second, each in a world made anew in the same memory", NULL, small_run,
     BENCH_PER_SECOND, false, measure_renewed, NULL},
    {"small_runs_fresh_per_s", "small runs a second, each in new memory", NULL, small_run,
     BENCH_PER_SECOND, false, measure_fresh, NULL},
    {"small_runs_without_oracles_per_s", "the first without oracles", NULL, small_run,
     BENCH_PER_SECOND, true, measure_restored, NULL},
    {"events_per_s", "trace events a second, disks with lanes and bandwidth", NULL, disk_model,
     BENCH_PER_SECOND, false, measure_events, NULL},
    {"timeline_events_per_s", "timeline events a second in the same run", NULL, disk_model,
     BENCH_PER_SECOND, false, measure_timeline, NULL},
    {"events_without_oracles_per_s", "trace events a second without oracles", NULL, disk_model,
     BENCH_PER_SECOND, true, measure_events, NULL},
    {"tebibyte_s", "full mirror of 1 TiB", "tebibyte_peak_bytes", tebibyte, BENCH_SECONDS, false,
     measure_one, NULL},
    {"scenarios_s", "all shipped scenarios, on one core", NULL, NULL, BENCH_SECONDS, false,
     measure_scenarios, NULL},
    {"states_per_s", "states a second, every order of four chunks and two guest writes", NULL,
     four_chunks, BENCH_PER_SECOND, false, measure_search, NULL},
    {"states_rerun_per_s", "the same, but replaying from the start for each state", NULL,
     four_chunks, BENCH_PER_SECOND, false, measure_renewed, NULL},
    {"state_bytes", "largest snapshot of a small run", NULL, small_run, BENCH_BYTES, false,
     measure_state, NULL},
    {"snapshot_ns", "taking a snapshot of it", NULL, small_run, BENCH_NS_EACH, false, measure_save,
     NULL},
    {"restore_ns", "restoring a snapshot of it", NULL, small_run, BENCH_NS_EACH, false,
     measure_load, NULL},
    {"small_runs_modern_per_s", "small runs a second, today's generation", NULL, small_run_modern,
     BENCH_PER_SECOND, false, measure_restored, "small_runs_per_s"},
    {"states_modern_per_s", "states a second of the search, today's generation", NULL,
     four_chunks_modern, BENCH_PER_SECOND, false, measure_search, "states_per_s"},
    {"searches_per_s", "whole searches a second", NULL, four_chunks, BENCH_PER_SECOND, false,
     measure_whole_searches, NULL},
    {"searches_modern_per_s", "whole searches a second, today's generation", NULL,
     four_chunks_modern, BENCH_PER_SECOND, false, measure_whole_searches, "searches_per_s"},
};

const uint32_t bench_figure_count = COUNT_OF(bench_figures);
