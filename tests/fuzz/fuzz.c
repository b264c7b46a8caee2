/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs, files in memory, and attempts.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/range.h"
#include "sim/world/world.h"
#include "tools/run/load.h"
#include "tools/run/runner.h"

/* Of a run: an input that takes longer shows no more. */
#define MAX_EVENTS 3000

static jmp_buf way_out;
static bool has_way_out;
static jmp_buf cut_out;

_Noreturn void __wrap_exit(int code)
{
    (void)code;
    if (has_way_out) {
        longjmp(way_out, 1);
    }
    _exit(code);
}

_Noreturn void __wrap_die(const char *format, ...)
{
    if (has_way_out) {
        longjmp(way_out, 1);
    }
    fputs(format, stderr);
    abort();
}

bool fuzz_attempt(void (*function)(void *opaque), void *opaque)
{
    bool lived = false;

    has_way_out = true;
    if (setjmp(way_out) == 0) {
        function(opaque);
        lived = true;
    }
    has_way_out = false;
    return lived;
}

const char *fuzz_file(const void *data, size_t bytes)
{
    static int fd = -1;
    static char path[64];

    if (fd >= 0) {
        close(fd);
    }
    fd = memfd_create("input", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

/* An engine or a plan that emits too much at once: the run is cut there. */
static void cut(uint64_t events)
{
    (void)events;
    longjmp(cut_out, 1);
}

uint64_t fuzz_run(struct plan *plan)
{
    const struct engine *engine = load_engine_of(plan->generation);
    struct world_options options = runner_options(plan, engine, 7);
    struct trace trace;
    struct world *world;
    uint64_t hash = 0;

    plan->limits.events = min_u64(plan->limits.events, MAX_EVENTS);
    options.step_limit = cut;
    trace_init(&trace, true);
    world = world_create(plan, &options, &trace);
    assert(world != NULL);
    if (setjmp(cut_out) == 0) {
        while (world_step(world)) {
        }
        world_judge(world);
        hash = trace.hash;
    }
    world_destroy(world);
    trace_free(&trace);
    return hash;
}
