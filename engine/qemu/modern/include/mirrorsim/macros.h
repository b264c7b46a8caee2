/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Macros of today's generation: markers, guards, arithmetic, lists, constants.
 *
 * There is one thread, so what locks or orders memory is empty or plain.  A guard runs its body
 * once.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_MACROS_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_MACROS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* ---- Markers ---- */

#define GRAPH_RDLOCK
#define GRAPH_WRLOCK
#define GRAPH_UNLOCKED
#define GRAPH_RDLOCK_PTR
#define GRAPH_WRLOCK_PTR
#define GRAPH_UNLOCKED_PTR
#define coroutine_mixed_fn
#define no_coroutine_fn
#define GLOBAL_STATE_CODE() ((void)0)
#define IO_CODE() ((void)0)
#define IO_OR_GS_CODE() ((void)0)
#define assert_bdrv_graph_readable() ((void)0)
#define assert_bdrv_graph_writable() ((void)0)

/* ---- Guards and atomics ---- */

#define QEMU_ONCE(name) for (bool name = true; name; name = false)
#define WITH_GRAPH_RDLOCK_GUARD() QEMU_ONCE(graph_guard)
#define WITH_JOB_LOCK_GUARD() QEMU_ONCE(job_guard)
#define WITH_QEMU_LOCK_GUARD(lock) QEMU_ONCE(lock_guard)
/* Up to the end of the block that they stand in. */
#define GRAPH_RDLOCK_GUARD() ((void)0)
#define GRAPH_RDLOCK_GUARD_MAINLOOP() ((void)0)
#define JOB_LOCK_GUARD() ((void)0)
#define QEMU_LOCK_GUARD(lock) ((void)(lock))

#define qatomic_read(ptr) (*(ptr))
#define qatomic_set(ptr, value) ((void)(*(ptr) = (value)))
/* Returns what was there. */
#define qatomic_cmpxchg(ptr, old, new) __sync_val_compare_and_swap((ptr), (old), (new))

/* ---- Arithmetic: the usual conversions apply ---- */

#define ROUND_UP(n, d) QEMU_ALIGN_UP(n, d)
#define QEMU_ALIGN_DOWN(n, m) ((n) / (m) * (m))
#define QEMU_ALIGN_UP(n, m) QEMU_ALIGN_DOWN((n) + (m)-1, (m))
#define QEMU_IS_ALIGNED(n, m) ((n) % (m) == 0)

static inline bool is_power_of_2(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline bool ranges_overlap(uint64_t first1, uint64_t len1, uint64_t first2, uint64_t len2)
{
    return len1 > 0 && len2 > 0 && first1 <= first2 + (len2 - 1) && first2 <= first1 + (len1 - 1);
}

/* ---- Lists ---- */

#define QSIMPLEQ_ENTRY(type) STAILQ_ENTRY(type)
#define QSIMPLEQ_HEAD(name, type) STAILQ_HEAD(name, type)
#define QSIMPLEQ_INIT(head) STAILQ_INIT(head)
#define QSIMPLEQ_FIRST(head) STAILQ_FIRST(head)
#define QSIMPLEQ_INSERT_TAIL(head, elm, field) STAILQ_INSERT_TAIL(head, elm, field)
#define QSIMPLEQ_REMOVE_HEAD(head, field) STAILQ_REMOVE_HEAD(head, field)

#define QTAILQ_ENTRY(type) TAILQ_ENTRY(type)
#define QTAILQ_HEAD(name, type) TAILQ_HEAD(name, type)
#define QTAILQ_INIT(head) TAILQ_INIT(head)
#define QTAILQ_INSERT_TAIL(head, elm, field) TAILQ_INSERT_TAIL(head, elm, field)
#define QTAILQ_REMOVE(head, elm, field) TAILQ_REMOVE(head, elm, field)
#define QTAILQ_FOREACH(var, head, field) TAILQ_FOREACH (var, head, field)

#define QLIST_ENTRY(type) LIST_ENTRY(type)
#define QLIST_HEAD(name, type) LIST_HEAD(name, type)
#define QLIST_EMPTY(head) LIST_EMPTY(head)
#define QLIST_FIRST(head) LIST_FIRST(head)
#define QLIST_NEXT(elm, field) LIST_NEXT(elm, field)

/* ---- Constants ---- */

#define BDRV_REQUEST_MAX_BYTES 2147483136
#define BLOCK_JOB_SLICE_TIME 100000000ULL /* ns; unsigned, and so are comparisons with it */

#define BDRV_BLOCK_DATA 1
#define BDRV_BLOCK_ZERO 2

#define BDRV_O_RDWR 2

#define BLK_PERM_CONSISTENT_READ 1
#define BLK_PERM_WRITE 2
#define BLK_PERM_WRITE_UNCHANGED 4
#define BLK_PERM_RESIZE 8
#define BLK_PERM_ALL 0xf
#define BLK_PERM_GRAPH_MOD 0x10 /* 6.2 */

#define QERR_INVALID_PARAMETER "Invalid parameter '%s'" /* up to 7.2 */

#endif
