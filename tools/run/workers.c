/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping workers at work, and their results in order.
 */
#include "tools/run/workers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/run/compare.h"
#include "tools/run/isolate.h"

/* Beside world and trace: the program's own memory, and what trace and arena grow by at once. */
#define MEMORY_ROOM (UINT64_C(64) << 20)

struct crew {
    const struct suite *suite;
    const struct workers_options *options;
    _Atomic uint64_t *next; /* number of the next run that nobody has taken; shared */
    struct isolate *workers;
    struct run_result **halves; /* one per worker: of the comparison that it is at, or NULL */
    struct pollfd *polls;       /* one per worker, then the signals */
    uint32_t alive;
    sigset_t old_signals;

    /* Results that are there before their turn, from number `due` on, in a ring. */
    struct run_result **ring;
    uint64_t capacity;
    uint64_t due;
};

/* ---- Results in order ---- */

static void ring_grow(struct crew *crew)
{
    uint64_t capacity = 2 * crew->capacity;
    struct run_result **ring = must_alloc(capacity * sizeof(struct run_result *));

    for (uint64_t i = crew->due; i < crew->due + crew->capacity; i++) {
        ring[i % capacity] = crew->ring[i % crew->capacity];
    }
    free(crew->ring);
    crew->ring = ring;
    crew->capacity = capacity;
}

/* Takes the result; delivers all whose turn has come.  False: stop. */
static bool take(struct crew *crew, struct run_result *result)
{
    struct run_result *next;
    bool go_on = true;

    while (result->number >= crew->due + crew->capacity) {
        ring_grow(crew);
    }
    crew->ring[result->number % crew->capacity] = result;
    while (go_on && (next = crew->ring[crew->due % crew->capacity]) != NULL) {
        crew->ring[crew->due % crew->capacity] = NULL;
        crew->due++;
        go_on = crew->options->deliver(crew->options->opaque, next);
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
                           .memory_limit = options->memory_limit,
                           .dump_images = options->dump_images,
                           .progress = progress};
}

/* ---- In a worker ---- */

/*
 * Between events the runner looks at the memory of world and trace, exactly; inside an event
 * the resident set is bounded, with some room for what else there is.
 */
static struct isolate_limits limits_of(const struct crew *crew)
{
    bool two_traces = crew->options->twice || crew->suite->compared != NULL;

    return (struct isolate_limits){.cpu_ms = crew->options->cpu_limit_s * UINT64_C(1000),
                                   .memory_bytes = crew->options->memory_limit,
                                   .room_bytes = MEMORY_ROOM +
                                                 (two_traces ? crew->options->memory_limit : 0)};
}

/* A broken pipe means that the parent is gone: there is nobody to tell. */
static void send(int results, const struct run_result *result)
{
    isolate_watch(NULL);
    if (!run_result_send(results, result)) {
        exit(EXIT_HARNESS);
    }
}

/* One run; of a comparison, the second engine's, too. */
static void run_number(const struct crew *crew, struct runner *runner, uint64_t number, int results,
                       struct run_result *result)
{
    const struct isolate_limits limits = limits_of(crew);

    isolate_watch(&limits);
    runner_run(runner, number, result);
    send(results, result);
    if (result->is_half) {
        isolate_watch(&limits);
        runner_compare(runner, result);
        send(results, result);
    }
}

/* Each of its runs gets a process of its own. */
static bool suite_has_foreign(const struct suite *suite)
{
    return (suite->engine != NULL && suite->engine->foreign) ||
           (suite->compared != NULL && suite->compared->foreign);
}

/* Until there is no next run; with a foreign engine, once: what it breaks must not reach the next.
 */
static void run_suite(void *opaque, void *record, int results)
{
    const struct crew *crew = opaque;
    struct runner runner = make_runner(crew->suite, crew->options, record);
    struct run_result *result = run_result_create();
    uint64_t runs = suite_runs(crew->suite);
    uint64_t number;

    do {
        number = atomic_fetch_add(crew->next, 1);
        if (number < runs) {
            run_number(crew, &runner, number, results, result);
        }
    } while (number < runs && !suite_has_foreign(crew->suite));
    runner_close(&runner);
    free(result);
}

/* ---- In the parent ---- */

static void start(struct crew *crew, uint32_t number)
{
    struct isolate *worker = &crew->workers[number];

    isolate_start(worker, run_suite, crew);
    crew->polls[number] = (struct pollfd){.fd = worker->results, .events = POLLIN};
    crew->alive++;
}

/* Signals that end the program early are read from a file, and blocked in workers. */
static int signals_open(struct crew *crew)
{
    sigset_t signals;
    int fd;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &crew->old_signals);
    fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd < 0) {
        die("signalfd: %s", strerror(errno));
    }
    return fd;
}

static void crew_open(struct crew *crew)
{
    uint32_t jobs = crew->options->jobs;

    crew->capacity = 64;
    crew->ring = must_alloc(crew->capacity * sizeof(struct run_result *));
    crew->workers = must_alloc(jobs * sizeof(*crew->workers));
    crew->halves = must_alloc(jobs * sizeof(*crew->halves));
    crew->polls = must_alloc((jobs + 1) * sizeof(*crew->polls));
    crew->next =
        mmap(NULL, sizeof(*crew->next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crew->next == MAP_FAILED) {
        die("mmap: %s", strerror(errno));
    }
    crew->polls[jobs] = (struct pollfd){.fd = signals_open(crew), .events = POLLIN};
    for (uint32_t i = 0; i < jobs; i++) {
        isolate_open(&crew->workers[i], sizeof(struct run_progress));
        start(crew, i);
    }
}

static void crew_close(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->options->jobs; i++) {
        isolate_close(&crew->workers[i]);
        free(crew->halves[i]);
    }
    for (uint64_t i = 0; i < crew->capacity; i++) {
        free(crew->ring[i]);
    }
    close(crew->polls[crew->options->jobs].fd);
    sigprocmask(SIG_SETMASK, &crew->old_signals, NULL);
    munmap(crew->next, sizeof(*crew->next));
    free(crew->ring);
    free(crew->workers);
    free(crew->halves);
    free(crew->polls);
}

/* The second engine died: of the first we know all, of the second how far it has come. */
static struct run_result *conclude_death(const struct crew *crew, struct run_result *half,
                                         const struct run_progress *progress,
                                         struct run_result *death)
{
    struct run_result *result = run_result_create();
    struct run_comparison comparison = progress->comparison;

    memcpy(result, half, run_result_bytes(half->finding_count));
    comparison_died(&comparison, progress->now_ns, death->findings[0].text);
    comparison_conclude(crew->suite, result, &comparison, death);
    free(half);
    free(death);
    return result;
}

/* The worker has something to say, or has come to its end.  False: stop. */
static bool attend(struct crew *crew, uint32_t number)
{
    struct isolate *worker = &crew->workers[number];
    struct run_result *result = run_result_receive(worker->results);
    struct run_result *half = crew->halves[number];

    crew->halves[number] = NULL;
    if (result != NULL && result->is_half) {
        crew->halves[number] = result;
        return true;
    }
    if (result != NULL) {
        free(half);
        return take(crew, result);
    }
    crew->polls[number].fd = -1;
    crew->alive--;
    result = run_progress_end(worker);
    if (atomic_load(crew->next) < suite_runs(crew->suite)) {
        start(crew, number);
    }
    if (half != NULL && result != NULL) {
        result = conclude_death(crew, half, worker->record, result);
    }
    return result == NULL || take(crew, result);
}

/* Until every worker has come to its end, or somebody says stop. */
static int crew_work(struct crew *crew)
{
    uint32_t jobs = crew->options->jobs;

    while (crew->alive > 0) {
        if (poll(crew->polls, jobs + 1, -1) < 0 && errno != EINTR) {
            die("poll: %s", strerror(errno));
        }
        if (crew->polls[jobs].revents != 0) {
            struct signalfd_siginfo info;

            return read(crew->polls[jobs].fd, &info, sizeof(info)) > 0 ? (int)info.ssi_signo : 0;
        }
        for (uint32_t i = 0; i < jobs; i++) {
            if (crew->polls[i].revents != 0 && !attend(crew, i)) {
                return 0;
            }
        }
    }
    return 0;
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
    struct crew crew = {.suite = suite, .options = options};
    int signal_number;

    if (options->jobs == 0) {
        run_here(suite, options);
        return 0;
    }
    crew_open(&crew);
    signal_number = crew_work(&crew);
    crew_close(&crew);
    return signal_number;
}
