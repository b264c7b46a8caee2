/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trace points of a mirror.c of the 2.2 generation; each is an event of the trace.
 *
 * An event has room for three numbers; the functions below say which ones.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_TRACE_H
#define MIRRORSIM_ENGINE_QEMU_2_2_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* X(name): the order gives their numbers. */
#define QEMU_TRACE_POINTS(X)  \
    X(mirror_start)           \
    X(mirror_restart_iter)    \
    X(mirror_before_flush)    \
    X(mirror_before_drain)    \
    X(mirror_before_sleep)    \
    X(mirror_one_iteration)   \
    X(mirror_iteration_done)  \
    X(mirror_yield)           \
    X(mirror_yield_in_flight) \
    X(mirror_yield_buf_busy)  \
    X(mirror_break_buf_busy)

enum qemu_trace_point {
#define X(name) QEMU_TRACE_##name,
    QEMU_TRACE_POINTS(X)
#undef X
        QEMU_TRACE_POINT_COUNT
};

/* Adds the event; `c` must fit an int. */
void qemu_trace_emit(unsigned point, int64_t a, int64_t b, int64_t c);

static inline void trace_mirror_start(const void *bs, const void *s, const void *co,
                                      const void *opaque)
{
    (void)bs;
    (void)s;
    (void)co;
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
                                             int64_t delay_ns)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_before_sleep, cnt, delay_ns, synced);
}

static inline void trace_mirror_one_iteration(const void *s, int64_t sector_num, int nb_sectors)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_one_iteration, sector_num, nb_sectors, 0);
}

static inline void trace_mirror_iteration_done(const void *s, int64_t sector_num, int nb_sectors,
                                               int ret)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_iteration_done, sector_num, nb_sectors, ret);
}

static inline void trace_mirror_yield(const void *s, int in_flight, int buf_free_count, int64_t cnt)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_yield, in_flight, cnt, buf_free_count);
}

static inline void trace_mirror_yield_in_flight(const void *s, int64_t sector_num, int in_flight)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_yield_in_flight, sector_num, in_flight, 0);
}

static inline void trace_mirror_yield_buf_busy(const void *s, int nb_chunks, int in_flight)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_yield_buf_busy, nb_chunks, in_flight, 0);
}

static inline void trace_mirror_break_buf_busy(const void *s, int nb_chunks, int in_flight)
{
    (void)s;
    qemu_trace_emit(QEMU_TRACE_mirror_break_buf_busy, nb_chunks, in_flight, 0);
}

#endif
