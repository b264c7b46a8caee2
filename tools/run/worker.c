/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a worker process, and what is said about its death.
 */
#include "tools/run/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/run/pipe.h"

/* A sanitizer says hundreds of lines, the telling one first. */
#define LAST_WORDS_BYTES 65536

/* ---- In the worker ---- */

/* The processor time of one run is bounded by a timer whose signal kills. */
void worker_watch(uint64_t ms)
{
    const struct itimerval limit = {
        .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)}};

    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* A broken pipe means that the parent is gone: there is nobody to tell. */
void worker_send(int results, const struct run_result *result)
{
    if (!pipe_send(results, result, run_result_bytes(result->finding_count))) {
        exit(EXIT_HARNESS);
    }
}

static void prepare_process(int errors)
{
    const struct rlimit no_core = {0, 0};

    dup2(errors, STDERR_FILENO);
    signal(SIGVTALRM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
}

/* What a worker that runs a suite needs. */
struct suite_work {
    const struct suite *suite;
    const struct workers_options *options;
    struct worker_shared *shared;
};

/* One run; of a comparison, the second engine's, too. */
static void run_number(struct runner *runner, uint32_t cpu_limit_s, uint64_t number, int results,
                       struct run_result *result)
{
    worker_watch(cpu_limit_s * UINT64_C(1000));
    runner_run(runner, number, result);
    worker_watch(0);
    worker_send(results, result);
    if (result->is_half) {
        worker_watch(cpu_limit_s * UINT64_C(1000));
        runner_compare(runner, result);
        worker_watch(0);
        worker_send(results, result);
    }
}

/* Each of its runs gets a process of its own. */
static bool suite_has_foreign(const struct suite *suite)
{
    return suite->engine->foreign || (suite->compared != NULL && suite->compared->foreign);
}

static void run_suite(void *opaque, struct run_progress *progress, int results)
{
    const struct suite_work *work = opaque;
    struct runner runner = {.suite = work->suite,
                            .twice = work->options->twice,
                            .memory_limit = work->options->memory_limit,
                            .dump_images = work->options->dump_images,
                            .progress = progress};
    struct run_result *result = run_result_create();
    uint64_t runs = suite_runs(work->suite);
    uint64_t number;

    /* What a foreign engine has broken must not reach the next run. */
    do {
        number = atomic_fetch_add(&work->shared->next, 1);
        if (number < runs) {
            run_number(&runner, work->options->cpu_limit_s, number, results, result);
        }
    } while (number < runs && !suite_has_foreign(work->suite));
    runner_close(&runner);
    free(result);
}

/* ---- In the parent ---- */

void worker_fork(struct worker *worker, worker_body *body, void *opaque)
{
    pid_t parent;
    int ends[2];

    fflush(NULL); /* or the worker would write it again at its exit */
    worker->errors = memfd_create("stderr", MFD_CLOEXEC);
    if (worker->errors < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        die("cannot make a pipe: %s", strerror(errno));
    }
    worker->progress->under_way = false;
    parent = getpid();
    worker->pid = fork();
    if (worker->pid < 0) {
        die("cannot start a worker process: %s", strerror(errno));
    }
    if (worker->pid == 0) {
        /* No worker outlives a parent that is killed. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
            _exit(EXIT_HARNESS);
        }
        close(ends[0]);
        prepare_process(worker->errors);
        body(opaque, worker->progress, ends[1]);
        exit(EXIT_PASSED);
    }
    close(ends[1]);
    worker->results = ends[0];
}

void worker_start(struct worker *worker, const struct suite *suite,
                  const struct workers_options *options, struct worker_shared *shared)
{
    struct suite_work work = {suite, options, shared};

    worker_fork(worker, run_suite, &work);
}

struct run_result *worker_receive(const struct worker *worker)
{
    struct run_result head;
    struct run_result *result;

    if (!pipe_receive(worker->results, &head, sizeof(head)) ||
        head.finding_count > RUN_MAX_FINDINGS) {
        return NULL;
    }
    result = must_alloc(run_result_bytes(head.finding_count));
    *result = head;
    if (!pipe_receive(worker->results, result->findings,
                      head.finding_count * sizeof(*result->findings))) {
        free(result);
        return NULL;
    }
    return result;
}

/* What it wrote to stderr, the end of it if that was much; the caller frees it. */
static char *last_words(int errors)
{
    char *words = must_alloc(LAST_WORDS_BYTES + 1);
    off_t bytes = lseek(errors, 0, SEEK_END);
    off_t from = bytes > LAST_WORDS_BYTES ? bytes - LAST_WORDS_BYTES : 0;
    ssize_t got = pread(errors, words, LAST_WORDS_BYTES, from);

    words[got > 0 ? got : 0] = '\0';
    return words;
}

/*
 * The line that says most: a sanitizer's first, without its process number, or
 * else the last one; without its full stop.  Cuts `words`.
 */
static const char *telling_line(char *words)
{
    static const char *const marks[] = {"ERROR: ", "runtime error: "};
    char *line = NULL;

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && line == NULL; i++) {
        line = strstr(words, marks[i]);
    }
    if (line == NULL) {
        size_t length = strlen(words);

        while (length > 0 && words[length - 1] == '\n') {
            words[--length] = '\0';
        }
        line = strrchr(words, '\n');
        line = line != NULL ? line + 1 : words;
    }
    line[strcspn(line, "\n")] = '\0';
    for (size_t length = strlen(line); length > 0 && line[length - 1] == '.'; length--) {
        line[length - 1] = '\0';
    }
    return line;
}

static bool is_unsupported(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == ENGINE_SIGNAL_UNSUPPORTED;
}

static void describe_death(struct run_result *result, int status, uint32_t cpu_limit_s, char *words)
{
    const char *line = telling_line(words);
    const char *separator = *line != '\0' ? ": " : "";

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM) {
        run_result_add(result, FINDING_CRASH_HANG,
                       "The run used %" PRIu32 " s of processor time without coming to an end.",
                       cpu_limit_s);
    } else if (is_unsupported(status)) {
        run_result_add(result, FINDING_HARNESS_UNSUPPORTED,
                       "The engine asked for what its environment has not got: %.250s.", line);
    } else if (WIFSIGNALED(status)) {
        run_result_add(result, FINDING_CRASH_CRASH, "The run died of SIG%s%s%.250s.",
                       sigabbrev_np(WTERMSIG(status)), separator, line);
    } else {
        run_result_add(result, FINDING_CRASH_CRASH,
                       "The run's process ended with status %d%s%.250s.", WEXITSTATUS(status),
                       separator, line);
    }
}

static struct run_result *death(const struct worker *worker, int status, uint32_t cpu_limit_s,
                                char *words)
{
    struct run_result *result = run_result_create();
    const struct run_progress *progress = worker->progress;

    result->number = progress->number;
    result->died = true;
    result->outcome = is_unsupported(status)     ? OUTCOME_INVALID
                      : progress->death_is_known ? OUTCOME_XFAIL
                                                 : OUTCOME_FAIL;
    if (result->outcome == OUTCOME_XFAIL) {
        memcpy(result->bug, progress->death_bug, sizeof(result->bug));
    }
    memcpy(result->case_name, progress->case_name, sizeof(result->case_name));
    describe_death(result, status, cpu_limit_s, words);
    result->findings[0].now_ns = progress->now_ns;
    result->findings[0].event_number = progress->event_number;
    if (progress->has_finding) {
        result->findings[result->finding_count++] = progress->finding;
    }
    return result;
}

struct run_result *worker_end(struct worker *worker, uint32_t cpu_limit_s)
{
    struct run_result *result = NULL;
    char *words = last_words(worker->errors);
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (worker->progress->under_way) {
        result = death(worker, status, cpu_limit_s, words);
    } else {
        fputs(words, stderr);
        if (status != 0) {
            die("a worker process failed outside a run");
        }
    }
    free(words);
    close(worker->results);
    close(worker->errors);
    worker->pid = 0;
    return result;
}

void worker_kill(struct worker *worker)
{
    kill(worker->pid, SIGKILL);
    waitpid(worker->pid, NULL, 0);
    close(worker->results);
    close(worker->errors);
    worker->pid = 0;
}
