/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping workers at work, and their results in order.
 */
#include "tools/run/workers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/units.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/run/compare.h"
#include "tools/run/crew.h"

/* Tolerated besides world and trace: the program's own memory, and one growth of trace or arena. */
#define MEMORY_ROOM (UINT64_C(64) << 20)

/* Time between two looks at what the workers are at. */
#define LOOK_MS 100

/* The run that a worker was at when it was last looked at. */
struct at_work {
    bool has_run;
    uint64_t number;
    uint64_t since_ms; /* of clock_ms() */
};

/* All processes share it. */
struct shared {
    _Atomic uint64_t next;                 /* number of the next run that nobody has taken */
    _Atomic(const struct engine *) keeper; /* it keeps data of its own: each run has a process */
};

/* A worker shares it with the parent. */
struct record {
    struct run_progress progress; /* first: isolate.h has its address */
    bool used;                    /* the process has made a run with foreign code before this one */
    bool again;                   /* the run's result does not count: the next process makes it */
};

struct work {
    const struct suite *suite;
    const struct workers_options *options;
    struct shared *shared;
    bool told; /* of the keeper */
    struct crew crew;
    struct run_result **halves; /* one per worker: of the comparison that it is at, or NULL */
    struct at_work *at_work;    /* one per worker */
    bool stopped;               /* by who takes the results */

    /* Results that are there before their turn, from number `due` on, in a ring. */
    struct run_result **ring;
    uint64_t capacity;
    uint64_t due;
};

/* ---- Results in order ---- */

static void ring_grow(struct work *work)
{
    uint64_t capacity = 2 * work->capacity;
    struct run_result **ring = must_alloc(capacity * sizeof(struct run_result *));

    for (uint64_t i = work->due; i < work->due + work->capacity; i++) {
        ring[i % capacity] = work->ring[i % work->capacity];
    }
    free(work->ring);
    work->ring = ring;
    work->capacity = capacity;
}

/* Takes the result; delivers all whose turn has come.  False: stop. */
static bool take(struct work *work, struct run_result *result)
{
    struct run_result *next;
    bool go_on = true;

    while (result->number >= work->due + work->capacity) {
        ring_grow(work);
    }
    work->ring[result->number % work->capacity] = result;
    while (go_on && (next = work->ring[work->due % work->capacity]) != NULL) {
        work->ring[work->due % work->capacity] = NULL;
        work->due++;
        go_on = work->options->deliver(work->options->opaque, next);
        free(next);
    }
    return go_on;
}

/* ---- Runs ---- */

static struct runner make_runner(const struct suite *suite, const struct workers_options *options,
                                 struct run_progress *progress)
{
    return (struct runner){.suite = suite,
                           .twice = options->twice,
                           .figures = options->figures,
                           .memory_limit = options->memory_limit,
                           .dump_images = options->dump_images,
                           .progress = progress};
}

/* ---- In a worker ---- */

/*
 * Between events the runner looks at the memory of world and trace, exactly; inside an event
 * the resident set is bounded, with some room for what else there is.
 */
static struct isolate_limits limits_of(const struct work *work)
{
    bool two_traces = work->options->twice || work->suite->compared != NULL;

    return (struct isolate_limits){.cpu_ms = work->options->cpu_limit_ms,
                                   .memory_bytes = work->options->memory_limit,
                                   .room_bytes = MEMORY_ROOM +
                                                 (two_traces ? work->options->memory_limit : 0)};
}

/* A broken pipe means that the parent is gone. */
static void send(int results, const struct run_result *result)
{
    isolate_watch(NULL);
    if (!run_result_send(results, result)) {
        exit(EXIT_HARNESS);
    }
}

/*
 * Sends the result; false: it does not count.  Foreign code may have damaged the process of an
 * earlier run, so what it does wrong counts in a process of its own only.
 */
static bool send_if_sure(int results, struct record *record, const struct run_result *result)
{
    record->again = record->used && result->outcome != OUTCOME_PASS;
    if (!record->again) {
        send(results, result);
    }
    return !record->again;
}

/* One run; of a comparison, the second engine's, too. */
static void run_number(const struct work *work, struct runner *runner, uint64_t number, int results,
                       struct run_result *result)
{
    const struct isolate_limits limits = limits_of(work);
    struct record *record = (struct record *)(void *)runner->progress;

    isolate_watch(&limits);
    runner_run(runner, number, result);
    if (send_if_sure(results, record, result) && result->is_half) {
        isolate_watch(&limits);
        runner_compare(runner, result);
        send_if_sure(results, record, result);
    }
}

/* The run that the last process has left to this one, or the next one. */
static uint64_t take_number(const struct work *work, const struct record *record)
{
    return record->again ? record->progress.number : atomic_fetch_add(&work->shared->next, 1);
}

/*
 * Has one of the run's engines data of its own that is not as it was before?  Not that of a job
 * that is still there.
 */
static bool note_keeper(const struct work *work, const struct world *world, uint64_t number)
{
    const struct engine *const engines[] = {suite_entry_of(work->suite, number)->engine,
                                            work->suite->compared};
    struct job_info info;

    for (size_t i = 0; i < COUNT_OF(engines) && (world == NULL || !world_job(world, &info)); i++) {
        if (engines[i] != NULL && engines[i]->is_as_loaded != NULL && !engines[i]->is_as_loaded()) {
            atomic_store(&work->shared->keeper, engines[i]);
        }
    }
    return atomic_load(&work->shared->keeper) != NULL;
}

/* May this process make another run?  Not if foreign code has shown that it may be damaged. */
static bool is_sound(const struct work *work, struct record *record, const struct world *world,
                     const struct run_result *result)
{
    if (!suite_has_foreign(work->suite)) {
        return true;
    }
    record->used = true;
    if (work->options->dump_images != NULL) {
        return false; /* a run that is made again would find its own images */
    }
    return !note_keeper(work, world, result->number) && result->outcome == OUTCOME_PASS;
}

/* Until there is no next run. */
static void run_suite(void *opaque, void *memory, int results)
{
    const struct work *work = opaque;
    struct record *record = memory;
    struct runner runner = make_runner(work->suite, work->options, &record->progress);
    struct run_result *result = run_result_create();
    uint64_t runs = suite_runs(work->suite);
    uint64_t number;

    record->used = false;
    do {
        number = take_number(work, record);
        if (number < runs) {
            run_number(work, &runner, number, results, result);
        }
    } while (number < runs && is_sound(work, record, runner.world, result));
    runner_close(&runner);
    free(result);
}

/* ---- In the parent ---- */

static void work_open(struct work *work)
{
    uint32_t jobs = work->options->jobs;

    work->capacity = 64;
    work->ring = must_alloc(work->capacity * sizeof(struct run_result *));
    work->halves = must_alloc(jobs * sizeof(*work->halves));
    work->at_work = must_alloc(jobs * sizeof(*work->at_work));
    work->shared = must_share(sizeof(*work->shared));
    crew_open(&work->crew, jobs, sizeof(struct record), run_suite, work);
}

static void work_close(struct work *work)
{
    crew_close(&work->crew);
    for (uint32_t i = 0; i < work->options->jobs; i++) {
        free(work->halves[i]);
    }
    for (uint64_t i = 0; i < work->capacity; i++) {
        free(work->ring[i]);
    }
    munmap(work->shared, sizeof(*work->shared));
    free(work->ring);
    free(work->halves);
    free(work->at_work);
}

/* The second engine died: the first one's result, compared as far as the second has come. */
static struct run_result *conclude_death(const struct work *work, struct run_result *half,
                                         const struct run_progress *progress,
                                         struct run_result *death)
{
    struct run_result *result = run_result_create();
    struct run_comparison comparison = progress->comparison;

    memcpy(result, half, run_result_bytes(half->finding_count));
    comparison_died(&comparison, progress->now_ns, death->findings[death->finding_count - 1].text);
    comparison_conclude(work->suite, result, &comparison, death);
    result->wall_us = death->wall_us;
    free(half);
    free(death);
    return result;
}

/* Says once why runs are slow from now on. */
static void tell_keeper(struct work *work)
{
    const struct engine *keeper = atomic_load(&work->shared->keeper);

    if (keeper != NULL && !work->told) {
        work->told = true;
        fprintf(stderr,
                "mirrorsim: the engine %s keeps data of its own from run to run: each run has a "
                "process of its own\n",
                keeper->name);
    }
}

/* The worker has left: its last result, if it died of that run and this counts. */
static struct run_result *end_worker(struct work *work, struct isolate *worker)
{
    struct record *record = worker->record;
    struct run_result *result = run_progress_end(worker);

    tell_keeper(work);
    if (result == NULL) {
        return NULL;
    }
    record->again = record->used;
    if (record->again) {
        free(result);
        return NULL;
    }
    return result;
}

/* A worker that has left, and what of a comparison it had sent; the result, if there is one. */
static struct run_result *replace_worker(struct work *work, uint32_t number,
                                         struct run_result *half)
{
    struct isolate *worker = &work->crew.workers[number];
    const struct record *record = worker->record;
    struct run_result *result;

    crew_leave(&work->crew, number);
    result = end_worker(work, worker);
    if (half != NULL && result != NULL) {
        result = conclude_death(work, half, &record->progress, result);
    } else {
        free(half);
    }
    if (record->again || atomic_load(&work->shared->next) < suite_runs(work->suite)) {
        crew_start(&work->crew, number);
    }
    return result;
}

/* A record of the worker, or NULL at its end: the result of a run, if there is one now. */
static struct run_result *conclude(struct work *work, uint32_t number, struct run_result *result)
{
    struct run_result *half = work->halves[number];

    work->halves[number] = NULL;
    if (result == NULL) {
        return replace_worker(work, number, half);
    }
    if (result->is_half) {
        work->halves[number] = result;
        return NULL;
    }
    free(half);
    return result;
}

/* The worker has sent something, or has ended.  False: stop. */
static bool attend(void *opaque, uint32_t number)
{
    struct work *work = opaque;
    struct run_result *result =
        conclude(work, number, run_result_receive(work->crew.workers[number].results));

    work->stopped = result != NULL && !take(work, result);
    return !work->stopped;
}

/* ---- What the workers are at ---- */

static void look_at(struct at_work *at_work, const struct isolate *worker, uint64_t now_ms)
{
    const struct run_progress *progress = worker->record;
    bool has_run = worker->pid != 0 && progress->under_way;

    if (!has_run || !at_work->has_run || at_work->number != progress->number) {
        *at_work =
            (struct at_work){.has_run = has_run, .number = progress->number, .since_ms = now_ms};
    }
}

/* Tells of the run that has been under way for the longest time. */
static void look(struct work *work)
{
    const struct workers_options *options = work->options;
    const struct at_work *slowest = NULL;
    uint64_t now_ms = clock_ms();

    for (uint32_t i = 0; i < options->jobs; i++) {
        struct at_work *at_work = &work->at_work[i];

        look_at(at_work, &work->crew.workers[i], now_ms);
        if (at_work->has_run && (slowest == NULL || at_work->since_ms < slowest->since_ms)) {
            slowest = at_work;
        }
    }
    if (slowest != NULL) {
        options->watch(options->opaque, slowest->number, now_ms - slowest->since_ms);
    }
}

static void tell_unfinished(struct work *work)
{
    uint64_t now_ms = clock_ms();

    for (uint32_t i = 0; i < work->options->jobs; i++) {
        const struct at_work *at_work = &work->at_work[i];

        look_at(&work->at_work[i], &work->crew.workers[i], now_ms);
        if (at_work->has_run) {
            work->options->unfinished(work->options->opaque, at_work->number,
                                      now_ms - at_work->since_ms);
        }
    }
}

/* ---- Without workers ---- */

static void run_here(const struct suite *suite, const struct workers_options *options)
{
    struct run_progress progress;
    struct runner runner = make_runner(suite, options, &progress);
    struct run_result *result = run_result_create();
    bool go_on = true;

    for (uint64_t i = 0; i < suite_runs(suite) && go_on; i++) {
        runner_run(&runner, i, result);
        if (result->is_half) {
            runner_compare(&runner, result);
        }
        go_on = options->deliver(options->opaque, result);
    }
    runner_close(&runner);
    free(result);
}

int workers_run(const struct suite *suite, const struct workers_options *options)
{
    struct work work = {.suite = suite, .options = options};
    uint64_t next_look_ms = clock_ms() + LOOK_MS;
    int signal_number = 0;

    if (options->jobs == 0) {
        run_here(suite, options);
        return 0;
    }
    work_open(&work);
    while (work.crew.alive > 0 && !work.stopped && signal_number == 0) {
        signal_number = crew_wait(&work.crew, LOOK_MS, attend);
        if (clock_ms() >= next_look_ms) {
            look(&work);
            next_look_ms = clock_ms() + LOOK_MS;
        }
    }
    if (signal_number != 0) {
        tell_unfinished(&work);
    }
    work_close(&work);
    return signal_number;
}
