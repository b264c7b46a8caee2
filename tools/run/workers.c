/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping workers at work, and their results in order.
 */
#include "tools/run/workers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tools/base/support.h"
#include "tools/run/compare.h"
#include "tools/run/crew.h"

/* Tolerated besides world and trace: the program's own memory, and one growth of trace or arena. */
#define MEMORY_ROOM (UINT64_C(64) << 20)

struct work {
    const struct suite *suite;
    const struct workers_options *options;
    _Atomic uint64_t *next; /* number of the next run that nobody has taken; shared */
    struct crew crew;
    struct run_result **halves; /* one per worker: of the comparison that it is at, or NULL */
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

/* One run; of a comparison, the second engine's, too. */
static void run_number(const struct work *work, struct runner *runner, uint64_t number, int results,
                       struct run_result *result)
{
    const struct isolate_limits limits = limits_of(work);

    isolate_watch(&limits);
    runner_run(runner, number, result);
    send(results, result);
    if (result->is_half) {
        isolate_watch(&limits);
        runner_compare(runner, result);
        send(results, result);
    }
}

/* Until there is no next run; with a foreign engine once, because it may corrupt the process. */
static void run_suite(void *opaque, void *record, int results)
{
    const struct work *work = opaque;
    struct runner runner = make_runner(work->suite, work->options, record);
    struct run_result *result = run_result_create();
    uint64_t runs = suite_runs(work->suite);
    uint64_t number;

    do {
        number = atomic_fetch_add(work->next, 1);
        if (number < runs) {
            run_number(work, &runner, number, results, result);
        }
    } while (number < runs && !suite_has_foreign(work->suite));
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
    work->next = must_share(sizeof(*work->next));
    crew_open(&work->crew, jobs, sizeof(struct run_progress), run_suite, work);
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
    munmap(work->next, sizeof(*work->next));
    free(work->ring);
    free(work->halves);
}

/* The second engine died: the first one's result, compared as far as the second has come. */
static struct run_result *conclude_death(const struct work *work, struct run_result *half,
                                         const struct run_progress *progress,
                                         struct run_result *death)
{
    struct run_result *result = run_result_create();
    struct run_comparison comparison = progress->comparison;

    memcpy(result, half, run_result_bytes(half->finding_count));
    comparison_died(&comparison, progress->now_ns, death->findings[0].text);
    comparison_conclude(work->suite, result, &comparison, death);
    free(half);
    free(death);
    return result;
}

/* A record of the worker, or NULL at its end: the result of a run, if there is one now. */
static struct run_result *conclude(struct work *work, uint32_t number, struct run_result *result)
{
    struct isolate *worker = &work->crew.workers[number];
    struct run_result *half = work->halves[number];

    work->halves[number] = NULL;
    if (result != NULL && result->is_half) {
        work->halves[number] = result;
        return NULL;
    }
    if (result != NULL) {
        free(half);
        return result;
    }
    crew_leave(&work->crew, number);
    result = run_progress_end(worker);
    if (atomic_load(work->next) < suite_runs(work->suite)) {
        crew_start(&work->crew, number);
    }
    return half != NULL && result != NULL ? conclude_death(work, half, worker->record, result)
                                          : result;
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
    int signal_number = 0;

    if (options->jobs == 0) {
        run_here(suite, options);
        return 0;
    }
    work_open(&work);
    while (work.crew.alive > 0 && !work.stopped && signal_number == 0) {
        signal_number = crew_wait(&work.crew, -1, attend);
    }
    work_close(&work);
    return signal_number;
}
