/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process leaves its events in a file in memory.
 */
#include "tools/run/quiet_trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/world/world.h"
#include "tools/base/support.h"
#include "tools/run/worker.h"

/* Of the processor, for the run. */
#define LIMIT_MS 5000

static _Noreturn void run(const struct plan *plan, const struct engine *engine, int file)
{
    const struct world_options options = {.engine = engine};
    FILE *events = fdopen(file, "w");
    struct world *world;
    struct trace trace;

    /* What the engine says as it dies is told by the search. */
    if (events == NULL || freopen("/dev/null", "w", stderr) == NULL) {
        _exit(EXIT_HARNESS);
    }
    signal(SIGVTALRM, SIG_DFL);
    worker_watch(LIMIT_MS);
    trace_init(&trace, true);
    world = world_create(plan, &options, &trace);
    if (world == NULL) {
        _exit(EXIT_HARNESS);
    }
    world_run(world, UINT64_MAX);
    fwrite(trace.events, sizeof(struct event), trace.count, events);
    _exit(fclose(events) == 0 ? EXIT_PASSED : EXIT_HARNESS);
}

static void read_events(int file, struct trace *trace)
{
    off_t bytes = lseek(file, 0, SEEK_END);
    struct event event;

    for (off_t at = 0; at < bytes; at += (off_t)sizeof(event)) {
        if (pread(file, &event, sizeof(event), at) != (ssize_t)sizeof(event)) {
            die("a trace can't be read: %s", strerror(errno));
        }
        trace_append(trace, &event);
    }
}

void quiet_trace(const struct plan *plan, const struct engine *engine, struct trace *trace)
{
    int file = memfd_create("trace", MFD_CLOEXEC);
    int status = 0;
    pid_t pid;

    trace_init(trace, true);
    fflush(NULL);
    if (file < 0 || (pid = fork()) < 0) {
        die("a run can't be started: %s", strerror(errno));
    }
    if (pid == 0) {
        run(plan, engine, file);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_PASSED) {
        read_events(file, trace);
    }
    close(file);
}
