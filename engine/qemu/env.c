/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The current environment, and the ways out of it.
 */
#include "engine/qemu/env.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"

static struct qemu_env *current;

struct qemu_env *qemu_exchange(struct qemu_env *env)
{
    struct qemu_env *before = current;

    current = env;
    return before;
}

struct qemu_env *qemu_current(void)
{
    assert(current != NULL);
    return current;
}

void qemu_trace_emit(unsigned point, int64_t a, int64_t b, int64_t c)
{
    struct event event = {.kind = EVENT_JOB_TRACE,
                          .by = BY_JOB,
                          .detail = (uint8_t)point,
                          .offset = (uint64_t)a,
                          .bytes = (uint64_t)b,
                          .ret = (int32_t)c};

    host_emit(qemu_current()->host, &event);
}

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    (void)type;
    return (int64_t)host_now_ns(qemu_current()->host);
}

/* The process's last output, on stderr; its parent shows it. */
static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list args)
{
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void qemu_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    abort();
}

void qemu_unsupported(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    raise(ENGINE_SIGNAL_UNSUPPORTED);
    abort();
}
