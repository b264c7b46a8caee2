/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Workers take the next item from shared memory and send results through pipes.
 */
#include "tools/explore/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/run/death.h"
#include "tools/run/pipe.h"

struct shared {
    atomic_uint_fast64_t next;   /* item */
    atomic_uint_fast64_t lowest; /* item with a finding: nothing beyond it is needed */
    atomic_bool over;            /* the time is up, or a signal has come */
};

struct hand {
    pid_t pid;
    int pipe;
};

struct crew {
    const struct explore_pool *pool;
    struct explore_space *space;
    struct shared *shared;
    struct hand *hands;
    struct pollfd *polls;
    uint32_t alive;
};

/* ---- In a worker ---- */

/* What a handler of a signal needs, which has no argument for it. */
static struct {
    struct explore_space *space;
    const struct explore_pool *pool;
    struct shared *shared;
    struct explore_result result;
    int pipe;
} worker;

static void send_all(int pipe, const void *bytes, size_t count)
{
    if (!pipe_send(pipe, bytes, count)) {
        _exit(EXIT_HARNESS);
    }
}

static void send_result(const struct explore_result *result)
{
    send_all(worker.pipe, result, sizeof(*result));
    for (uint32_t i = 0; i < result->finding_count; i++) {
        size_t bytes = strlen(result->scenarios[i]);

        send_all(worker.pipe, &bytes, sizeof(bytes));
        send_all(worker.pipe, result->scenarios[i], bytes);
    }
}

static void note_lowest(uint64_t item)
{
    uint_fast64_t lowest = atomic_load(&worker.shared->lowest);

    while (item < lowest && !atomic_compare_exchange_weak(&worker.shared->lowest, &lowest, item)) {
    }
}

/* Time that the processor spends inside one event, from now on. */
static void watch(uint32_t seconds)
{
    const struct itimerval span = {.it_value.tv_sec = (time_t)seconds};

    setitimer(ITIMER_VIRTUAL, &span, NULL);
}

static bool stop_worker(void *opaque)
{
    const struct explore_pool *pool = opaque;

    watch(pool->cpu_limit_s);
    return atomic_load(&worker.shared->over) ||
           (!pool->options->all && atomic_load(&worker.shared->lowest) < worker.result.item);
}

/* The engine died under us: the run up to here is the finding. */
static void die_of(int signal_number)
{
    explore_item_died(worker.space, &worker.result, signal_number);
    if (!worker.pool->options->all) {
        note_lowest(worker.result.item);
    }
    send_result(&worker.result);
    _exit(EXIT_FAILED);
}

static _Noreturn void work(struct crew *crew, int pipe)
{
    static const int also[] = {SIGVTALRM, 0};
    uint64_t items = explore_items(crew->space);

    worker.space = crew->space;
    worker.pool = crew->pool;
    worker.shared = crew->shared;
    worker.pipe = pipe;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    death_catch(die_of, also);
    /* What the engine says as it dies is told by the finding. */
    if (freopen("/dev/null", "w", stderr) == NULL) {
        _exit(EXIT_HARNESS);
    }
    for (;;) {
        worker.result.item = atomic_fetch_add(&crew->shared->next, 1);
        if (worker.result.item >= items || stop_worker(crew->pool->options->opaque)) {
            _exit(EXIT_PASSED);
        }
        if (crew->pool->is_done(crew->pool->opaque, worker.result.item)) {
            continue;
        }
        explore_item(crew->space, worker.result.item, &worker.result);
        watch(0);
        if (worker.result.finding_count > 0 && !crew->pool->options->all) {
            note_lowest(worker.result.item);
        }
        send_result(&worker.result);
        for (uint32_t i = 0; i < worker.result.finding_count; i++) {
            free(worker.result.scenarios[i]);
        }
    }
}

/* ---- In the parent ---- */

static void start(struct crew *crew, uint32_t number)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0 || (pid = fork()) < 0) {
        die("a worker can't be started: %s", strerror(errno));
    }
    if (pid == 0) {
        close(ends[0]);
        work(crew, ends[1]);
    }
    close(ends[1]);
    crew->hands[number] = (struct hand){pid, ends[0]};
    crew->polls[number] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    crew->alive++;
}

static bool receive_result(int pipe, struct explore_result *result)
{
    if (!pipe_receive(pipe, result, sizeof(*result))) {
        return false;
    }
    for (uint32_t i = 0; i < result->finding_count; i++) {
        size_t bytes;

        if (!pipe_receive(pipe, &bytes, sizeof(bytes))) {
            return false;
        }
        result->scenarios[i] = must_alloc(bytes + 1);
        if (!pipe_receive(pipe, result->scenarios[i], bytes)) {
            return false;
        }
    }
    return true;
}

/* The worker has a result, or has come to its end; one that died is replaced. */
static void attend(struct crew *crew, uint32_t number)
{
    struct explore_result result;
    int status;

    if (receive_result(crew->hands[number].pipe, &result)) {
        crew->pool->deliver(crew->pool->opaque, &result);
        return;
    }
    close(crew->hands[number].pipe);
    crew->polls[number].fd = -1;
    crew->alive--;
    waitpid(crew->hands[number].pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == ENGINE_SIGNAL_UNSUPPORTED) {
        die("the engine asked for what its environment has not got: see what `mirrorsim run` says");
    }
    if (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HARNESS)) {
        die("a worker ended unexpectedly");
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED) {
        start(crew, number);
    }
}

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    interrupted = signal_number;
}

static void crew_work(struct crew *crew)
{
    const struct explore_pool *pool = crew->pool;

    while (crew->alive > 0) {
        if (poll(crew->polls, pool->jobs, 100) < 0 && errno != EINTR) {
            die("poll: %s", strerror(errno));
        }
        if (interrupted != 0 || (pool->end_ms != 0 && clock_ms() >= pool->end_ms)) {
            atomic_store(&crew->shared->over, true);
        }
        for (uint32_t i = 0; i < pool->jobs; i++) {
            if (crew->polls[i].fd >= 0 && crew->polls[i].revents != 0) {
                attend(crew, i);
            }
        }
        pool->progress(pool->opaque);
    }
}

int explore_pool_run(const struct explore_pool *pool, struct explore_space *space)
{
    const struct sigaction action = {.sa_handler = interrupt};
    struct crew crew = {.pool = pool, .space = space};

    crew.shared =
        mmap(NULL, sizeof(*crew.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crew.shared == MAP_FAILED) {
        die("mmap: %s", strerror(errno));
    }
    atomic_init(&crew.shared->lowest, UINT64_MAX);
    pool->options->stop = stop_worker;
    pool->options->opaque = (void *)(uintptr_t)pool;
    crew.hands = must_alloc(pool->jobs * sizeof(*crew.hands));
    crew.polls = must_alloc(pool->jobs * sizeof(*crew.polls));
    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    fflush(NULL);
    for (uint32_t i = 0; i < pool->jobs; i++) {
        start(&crew, i);
    }
    crew_work(&crew);
    munmap(crew.shared, sizeof(*crew.shared));
    free(crew.hands);
    free(crew.polls);
    return interrupted;
}
