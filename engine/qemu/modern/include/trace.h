/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trace points of a mirror.c of today's generation; each is an event of the trace.
 *
 * An event has room for three numbers; the functions below say which ones.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_TRACE_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* X(name): the order gives their numbers. */
#define QEMU_TRACE_POINTS(X) \
    X(mirror_start)          \
    X(mirror_restart_iter)   \
    X(mirror_before_flush)   \
    X(mirror_before_drain)   \
    X(mirror_before_sleep)   \
    X(mirror_one_iteration)  \
    X(mirror_iteration_done) \
    X(mirror_yield)          \
    X(mirror_yield_in_flight)

enum qemu_trace_point {
#define X(name) QEMU_TRACE_##name,
    QEMU_TRACE_POINTS(X)
#undef X
        QEMU_TRACE_POINT_COUNT
};

/* Adds the event; `c` must fit an int. */
void qemu_trace_emit(unsigned point, int64_t a, int64_t b, int64_t c);

static inline void trace_mirror_start(const void *bs, const void *s, const void *opaque)
{
    (void)bs;
    (void)s;
    (void)opaque;
    qemu_trace_emit(QEMU_TRACE_mirror_start, 0, 0, 0);
}

static inline void trace_mirror_restart_iter(const void *s, int64_t cnt)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_restart_iter, cnt, 0, 0);
}

static inline void trace_mirror_before_flush(const void *s)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_before_flush, 0, 0, 0);
}

static inline void trace_mirror_before_drain(const void *s, int64_t cnt)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_before_drain, cnt, 0, 0);
}

static inline void trace_mirror_before_sleep(const void *s, int64_t cnt, int synced,
                                             uint64_t delay_ns)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_before_sleep, cnt, (int64_t)delay_ns, synced);
}

static inline void trace_mirror_one_iteration(const void *s, int64_t offset, uint64_t bytes)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_one_iteration, offset, (int64_t)bytes, 0);
}

static inline void trace_mirror_iteration_done(const void *s, int64_t offset, uint64_t bytes,
                                               int ret)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_iteration_done, offset, (int64_t)bytes, ret);
}

static inline void trace_mirror_yield(const void *s, int64_t cnt, int buf_free_count, int in_flight)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_yield, cnt, in_flight, buf_free_count);
}

static inline void trace_mirror_yield_in_flight(const void *s, int64_t offset, int in_flight)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_yield_in_flight, offset, in_flight, 0);
}

#endif
