/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Last words, and who is left to say them.
 */
#include "tools/run/death.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/base/support.h"

/* ---- In the process that dies ---- */

/* What handlers do: they write what is left of a trace, or a scenario. */
#define STACK_BYTES (1 << 18)

#define CPU_LIMIT_S 20

void death_catch(void (*handler)(int signal_number), const int *also)
{
    static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0};
    static char stack[STACK_BYTES];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const struct sigaction action = {.sa_handler = handler,
                                     .sa_flags = SA_ONSTACK | (int)SA_RESETHAND};

    sigaltstack(&other, NULL);
    for (size_t i = 0; deaths[i] != 0; i++) {
        sigaction(deaths[i], &action, NULL);
    }
    for (size_t i = 0; also != NULL && also[i] != 0; i++) {
        sigaction(also[i], &action, NULL);
    }
}

void death_limit_cpu(void)
{
    struct rlimit cpu;

    if (getrlimit(RLIMIT_CPU, &cpu) == 0 && cpu.rlim_cur > CPU_LIMIT_S) {
        cpu.rlim_cur = CPU_LIMIT_S;
        setrlimit(RLIMIT_CPU, &cpu);
    }
}

/* ---- In the one that is left ---- */

static _Noreturn void tell(const struct engine *engine, int status)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (signal_number == SIGINT || signal_number == SIGTERM) {
        exit(128 + signal_number);
    }
    if (signal_number == SIGXCPU) {
        fprintf(stderr, "mirrorsim: the engine %s does not come to an end\n", engine->name);
        exit(EXIT_FAILED);
    }
    if (signal_number == ENGINE_SIGNAL_UNSUPPORTED) {
        die("the engine %s asked for what its environment has not got", engine->name);
    }
    if (signal_number != 0) {
        fprintf(stderr, "mirrorsim: the engine %s died of SIG%s\n", engine->name,
                sigabbrev_np(signal_number));
        exit(EXIT_FAILED);
    }
    exit(WEXITSTATUS(status));
}

void death_stand_apart(const struct engine *engine)
{
    pid_t parent = getpid();
    pid_t child;
    int status = 0;

    if (!engine->foreign) {
        return;
    }
    fflush(NULL); /* or the child would write it again */
    child = fork();
    if (child < 0) {
        die("cannot start a process: %s", strerror(errno));
    }
    if (child == 0) {
        /* A parent that is killed takes the child with it. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
            _exit(EXIT_HARNESS);
        }
        return;
    }
    signal(SIGINT, SIG_IGN); /* the child gets it, too, and has something to write */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    tell(engine, status);
}
