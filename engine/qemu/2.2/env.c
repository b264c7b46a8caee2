/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entering and leaving the foreign code.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/qemu/2.2/env.h"
#include "trace.h"

static struct engine_job *current;

void qemu_enter(struct engine_job *env)
{
    assert(current == NULL);
    current = env;
    qemu_nodes_refresh(env);
}

/* Emits the progress that the foreign code has written into its job. */
static void tell_progress(struct engine_job *env)
{
    const BlockJob *job = env->job;
    struct event event = {.kind = EVENT_JOB_PROGRESS, .by = BY_JOB};

    if (job == NULL ||
        ((uint64_t)job->offset == env->shown_offset && (uint64_t)job->len == env->shown_len)) {
        return;
    }
    env->shown_offset = (uint64_t)job->offset;
    env->shown_len = (uint64_t)job->len;
    event.offset = env->shown_offset;
    event.bytes = env->shown_len;
    host_emit(env->host, &event);
}

void qemu_leave(void)
{
    struct engine_job *env = qemu_env();

    tell_progress(env);
    current = NULL;
}

struct engine_job *qemu_env(void)
{
    assert(current != NULL);
    return current;
}

void qemu_emit(enum event_kind kind)
{
    struct engine_job *env = qemu_env();
    struct event event = {
        .kind = (uint8_t)kind, .by = BY_JOB, .node = block_node_id(env->spec.source)};

    host_emit(env->host, &event);
}

void qemu_trace_emit(enum qemu_trace_point point, int64_t a, int64_t b, int64_t c)
{
    struct event event = {.kind = EVENT_JOB_TRACE,
                          .by = BY_JOB,
                          .detail = (uint8_t)point,
                          .offset = (uint64_t)a,
                          .bytes = (uint64_t)b,
                          .ret = (int32_t)c};

    host_emit(qemu_env()->host, &event);
}

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    (void)type;
    return (int64_t)host_now_ns(qemu_env()->host);
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
