/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting, bounding and reaping a child.
 */
#include "tools/run/isolate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/utf8.h"
#include "tools/base/support.h"

/* A sanitizer writes hundreds of lines, the most useful one first. */
#define LAST_WORDS_BYTES 65536

/* Processor time between two checks of the limits. */
#define TICK_US 10000

#define CPU_MARGIN_NS UINT64_C(100000000)

/* Handlers have their own stack: the engine's may be exhausted. */
#define STACK_BYTES (1 << 18)

/* The head of the shared memory; the caller's record follows. */
struct isolate_shared {
    alignas(64) _Atomic int reached; /* enum isolate_cause of a limit, or 0 */
    _Atomic uint64_t limit;
    struct stack stack; /* where it died; none: it has not, or in a way that it did not notice */
    size_t bytes;       /* of all */
};

/* ---- Limits, in the child ---- */

/* Handlers have no argument for what they need. */
static struct {
    struct isolate_shared *shared; /* NULL: this process is not isolated */
    volatile uint64_t cpu_ns;
    volatile uint64_t memory_bytes;
    volatile uint64_t room_bytes;
    volatile sig_atomic_t fresh; /* the limits have been set and not been checked yet */
    uint64_t start_ns;
    uint64_t start_bytes;
    bool ticks;
    struct rlimit process_cpu;    /* limits of the process as it is: seconds, ... */
    struct rlimit process_memory; /* ... and bytes */
    void (*last_words)(void);
} child;

static _Noreturn void reach(enum isolate_cause cause, uint64_t limit)
{
    atomic_store(&child.shared->limit, limit);
    atomic_store(&child.shared->reached, (int)cause);
    stack_capture(&child.shared->stack);
    if (child.last_words != NULL) {
        child.last_words();
    }
    _exit(EXIT_FAILED);
}

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

/* User and system time.  Not clock_gettime(): a faked clock would fake this one, too. */
static uint64_t cpu_ns(const struct rusage *usage)
{
    return timeval_ns(usage->ru_utime) + timeval_ns(usage->ru_stime);
}

static uint64_t peak_bytes(const struct rusage *usage)
{
    return (uint64_t)usage->ru_maxrss * 1024;
}

/* Just before the kernel would end the process, which could then not say why. */
static bool is_over_process_cpu(uint64_t now_ns)
{
    rlim_t seconds = child.process_cpu.rlim_cur;

    return seconds != RLIM_INFINITY && now_ns + CPU_MARGIN_NS >= seconds * UINT64_C(1000000000);
}

/* Limits are counted from the first check after they are set. */
static void tick(int signal_number)
{
    struct rusage usage;
    uint64_t now_ns;

    (void)signal_number;
    getrusage(RUSAGE_SELF, &usage);
    now_ns = cpu_ns(&usage);
    if (is_over_process_cpu(now_ns)) {
        reach(CAUSE_CPU, child.process_cpu.rlim_cur * UINT64_C(1000));
    }
    if (child.fresh) {
        child.fresh = 0;
        child.start_ns = now_ns;
        child.start_bytes = peak_bytes(&usage);
        return;
    }
    if (child.cpu_ns > 0 && now_ns - child.start_ns >= child.cpu_ns) {
        reach(CAUSE_CPU, child.cpu_ns / 1000000);
    }
    if (child.memory_bytes > 0 &&
        peak_bytes(&usage) - child.start_bytes > child.memory_bytes + child.room_bytes) {
        reach(CAUSE_MEMORY, child.memory_bytes);
    }
}

/* ITIMER_PROF counts user and system time. */
static void start_ticking(void)
{
    const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART};
    const struct itimerval interval = {{0, TICK_US}, {0, TICK_US}};

    child.ticks = true;
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &interval, NULL);
}

void isolate_watch(const struct isolate_limits *limits)
{
    static const struct isolate_limits none;

    limits = limits != NULL ? limits : &none;
    child.fresh = 1;
    child.cpu_ns = limits->cpu_ms * 1000000;
    child.memory_bytes = min_u64(limits->memory_bytes, child.process_memory.rlim_cur);
    /* The room was chosen for the limit; the process's own may be far lower. */
    child.room_bytes = child.memory_bytes < limits->memory_bytes
                           ? min_u64(limits->room_bytes, child.memory_bytes)
                           : limits->room_bytes;
    child.fresh = 1; /* Again: a tick may have come between, and seen half of the limits. */
    if (child.shared != NULL && !child.ticks) {
        start_ticking();
    }
}

_Noreturn void isolate_step_limit(uint64_t events)
{
    struct isolate_death death = {.cause = CAUSE_EVENTS, .limit = events};
    char text[200];

    if (child.shared != NULL) {
        reach(CAUSE_EVENTS, events);
    }
    isolate_describe(&death, text, sizeof(text));
    fflush(stdout);
    fprintf(stderr, "mirrorsim: %s\n", text);
    exit(EXIT_FAILED);
}

static void die_of(int signal_number)
{
    if (child.shared != NULL) {
        stack_capture(&child.shared->stack);
    }
    if (child.last_words != NULL) {
        child.last_words();
    }
    raise(signal_number);
}

static const struct sigaction at_death = {.sa_handler = die_of,
                                          .sa_flags = SA_ONSTACK | (int)SA_RESETHAND};

/* A sanitizer that says more about a signal keeps its handler. */
static void note_where_it_dies(void)
{
    static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction before;

    for (size_t i = 0; i < COUNT_OF(deaths); i++) {
        if (sigaction(deaths[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(deaths[i], &at_death, NULL);
        }
    }
}

void isolate_at_death(void (*last_words)(void))
{
    static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS,
                                 SIGFPE,  SIGILL,  ENGINE_SIGNAL_UNSUPPORTED,
                                 SIGXCPU, SIGINT,  SIGTERM};

    child.last_words = last_words;
    for (size_t i = 0; i < COUNT_OF(deaths); i++) {
        sigaction(deaths[i], &at_death, NULL);
    }
}

/* ---- Starting ---- */

/* Returns as fork() does; the child has no core dumps, and dies with its parent. */
static pid_t start_child(struct isolate_shared *shared, int signal_number)
{
    static const struct rlimit no_core = {0, 0};
    static char stack[STACK_BYTES];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    pid_t parent = getpid();
    pid_t pid;

    fflush(NULL); /* or the child would write it again at its exit */
    atomic_store(&shared->reached, 0);
    stack_capture(&shared->stack); /* once outside of a handler */
    shared->stack.count = 0;
    pid = fork();
    if (pid < 0) {
        die("cannot start a process: %s", strerror(errno));
    }
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, signal_number) != 0 || getppid() != parent) {
            _exit(EXIT_HARNESS);
        }
        setrlimit(RLIMIT_CORE, &no_core);
        getrlimit(RLIMIT_CPU, &child.process_cpu);
        getrlimit(RLIMIT_RSS, &child.process_memory);
        sigaltstack(&other, NULL);
        child.shared = shared;
        child.ticks = false;
        child.last_words = NULL;
        note_where_it_dies();
    }
    return pid;
}

void isolate_open(struct isolate *isolate, size_t record_bytes)
{
    size_t bytes = sizeof(*isolate->shared) + record_bytes;

    *isolate = (struct isolate){.shared = must_share(bytes)};
    isolate->shared->bytes = bytes;
    isolate->record = isolate->shared + 1;
}

void isolate_start(struct isolate *isolate, isolate_body *body, void *opaque)
{
    int ends[2];

    assert(isolate->pid == 0);
    isolate->errors = memfd_create("stderr", MFD_CLOEXEC);
    if (isolate->errors < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        die("cannot make a pipe: %s", strerror(errno));
    }
    isolate->pid = start_child(isolate->shared, SIGKILL);
    if (isolate->pid == 0) {
        close(ends[0]);
        dup2(isolate->errors, STDERR_FILENO);
        body(opaque, isolate->record, ends[1]);
        exit(EXIT_PASSED);
    }
    close(ends[1]);
    isolate->results = ends[0];
}

void isolate_leave_interrupts(void)
{
    signal(SIGINT, SIG_IGN);
}

/* ---- Reaping ---- */

static char *read_words(int errors)
{
    char *words = must_alloc(LAST_WORDS_BYTES + 1);
    off_t bytes = lseek(errors, 0, SEEK_END);
    off_t from = bytes > LAST_WORDS_BYTES ? bytes - LAST_WORDS_BYTES : 0;
    ssize_t got = pread(errors, words, LAST_WORDS_BYTES, from);

    words[got > 0 ? got : 0] = '\0';
    return words;
}

/* The kernel's own limit (`ulimit -t`) is a limit of processor time like ours. */
static void find_cause(const struct isolate_shared *shared, int status, struct isolate_death *death)
{
    int reached = atomic_load(&shared->reached);
    struct rlimit own;

    death->number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    death->cause = WIFSIGNALED(status) ? CAUSE_SIGNAL : CAUSE_EXIT;
    if (reached != 0) {
        death->cause = (enum isolate_cause)reached;
        death->limit = atomic_load(&shared->limit);
    } else if (WIFSIGNALED(status) && death->number == SIGXCPU) {
        death->cause = CAUSE_CPU;
        death->limit = getrlimit(RLIMIT_CPU, &own) == 0 ? own.rlim_cur * UINT64_C(1000) : 0;
    } else if (WIFSIGNALED(status) && death->number == ENGINE_SIGNAL_UNSUPPORTED) {
        death->cause = CAUSE_UNSUPPORTED;
    }
}

static struct isolate_death reap(pid_t pid, const struct isolate_shared *shared)
{
    struct isolate_death death = {0};
    struct rusage usage;
    int status = 0;

    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    find_cause(shared, status, &death);
    stack_describe(&shared->stack, death.stack);
    death.peak_bytes = peak_bytes(&usage);
    return death;
}

static void release(struct isolate *isolate)
{
    close(isolate->results);
    close(isolate->errors);
    isolate->pid = 0;
}

struct isolate_death isolate_end(struct isolate *isolate)
{
    struct isolate_death death = reap(isolate->pid, isolate->shared);

    death.words = read_words(isolate->errors);
    release(isolate);
    return death;
}

void isolate_close(struct isolate *isolate)
{
    if (isolate->pid != 0) {
        kill(isolate->pid, SIGKILL);
        waitpid(isolate->pid, NULL, 0);
        release(isolate);
    }
    munmap(isolate->shared, isolate->shared->bytes);
}

/* ---- Words ---- */

/*
 * The line that says most, without its full stop: a sanitizer's first line, without its process
 * number, or else the last line.  Cuts `words`.
 */
static const char *telling_line(char *words)
{
    static const char *const marks[] = {"ERROR: ", "runtime error: "};
    char *line = NULL;

    for (size_t i = 0; i < COUNT_OF(marks) && line == NULL; i++) {
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

enum finding_id isolate_finding(const struct isolate_death *death)
{
    static const enum finding_id findings[] = {
        [CAUSE_EXIT] = FINDING_CRASH_CRASH,
        [CAUSE_SIGNAL] = FINDING_CRASH_CRASH,
        [CAUSE_UNSUPPORTED] = FINDING_HARNESS_UNSUPPORTED,
        [CAUSE_CPU] = FINDING_CRASH_HANG,
        [CAUSE_MEMORY] = FINDING_CRASH_MEMORY,
        [CAUSE_EVENTS] = FINDING_CRASH_HANG,
    };

    return findings[death->cause];
}

/* Of what the process has said last. */
#define SHOWN_LINE_BYTES 250

void isolate_describe(const struct isolate_death *death, char *text, size_t size)
{
    char *words = must_strdup(death->words != NULL ? death->words : "");
    const char *line = telling_line(words);
    const char *separator = *line != '\0' ? ": " : "";
    int shown = (int)utf8_cut(line, SHOWN_LINE_BYTES);

    if (*line == '\0' && *death->stack != '\0' && death->cause == CAUSE_SIGNAL) {
        line = death->stack;
        separator = " in ";
        shown = (int)strcspn(line, "\n");
    }

    switch (death->cause) {
    case CAUSE_EXIT:
        snprintf(text, size, "The run's process ended with status %d%s%.*s.", death->number,
                 separator, shown, line);
        break;
    case CAUSE_SIGNAL:
        snprintf(text, size, "The run died of SIG%s%s%.*s.", sigabbrev_np(death->number), separator,
                 shown, line);
        break;
    case CAUSE_UNSUPPORTED:
        snprintf(text, size, "The engine asked for what its environment has not got: %.*s.", shown,
                 line);
        break;
    case CAUSE_CPU:
        snprintf(text, size, "The run used %.6g s of processor time without coming to an end.",
                 (double)death->limit / 1000);
        break;
    case CAUSE_MEMORY:
        snprintf(text, size, "The run needs more than %" PRIu64 " MiB of memory, its limit.",
                 death->limit >> 20);
        break;
    case CAUSE_EVENTS:
        snprintf(text, size,
                 "The run emitted %" PRIu64 " events within one event of the timeline, its limit "
                 "(limits: events-at-once).",
                 death->limit);
        break;
    }
    free(words);
}

static void tell_stack(const char *stack)
{
    while (*stack != '\0') {
        size_t bytes = strcspn(stack, "\n");

        fprintf(stderr, "    %.*s\n", (int)bytes, stack);
        stack += bytes + (stack[bytes] == '\n');
    }
}

int isolate_tell(const struct isolate_death *death, const struct engine *engine)
{
    char text[400];

    fputs(death->words != NULL ? death->words : "", stderr);
    switch (death->cause) {
    case CAUSE_EXIT:
        return death->number;
    case CAUSE_SIGNAL:
        if (death->number == SIGINT || death->number == SIGTERM) {
            return 128 + death->number;
        }
        fprintf(stderr, "mirrorsim: the engine %s died of SIG%s\n", engine->name,
                sigabbrev_np(death->number));
        tell_stack(death->stack);
        return EXIT_FAILED;
    case CAUSE_UNSUPPORTED:
        die("the engine %s asked for what its environment has not got", engine->name);
    case CAUSE_CPU:
    case CAUSE_MEMORY:
    case CAUSE_EVENTS:
        isolate_describe(death, text, sizeof(text));
        fprintf(stderr, "mirrorsim: the engine %s does not come to an end: %s\n", engine->name,
                text);
        tell_stack(death->stack);
        break;
    }
    return EXIT_FAILED;
}

void isolate_stand_apart(const struct engine *engine, const struct isolate_limits *limits)
{
    struct isolate_death death;
    struct isolate isolate;
    pid_t pid;

    isolate_open(&isolate, 0);
    pid = start_child(isolate.shared, SIGTERM);
    if (pid == 0) {
        isolate_watch(limits);
        return;
    }
    isolate_leave_interrupts();
    death = reap(pid, isolate.shared);
    exit(isolate_tell(&death, engine));
}
