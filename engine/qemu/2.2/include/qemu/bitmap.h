/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bit arrays of longs.
 *
 * The functions are inline because some have the names of our own bitmap's
 * functions.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_BITMAP_H
#define MIRRORSIM_ENGINE_QEMU_2_2_BITMAP_H

#include <limits.h>
#include <string.h>

#include "block/block_int.h"

#define QEMU_LONG_BITS ((long)(sizeof(unsigned long) * CHAR_BIT))

/* An all-clear bitmap; free it with g_free(). */
static inline unsigned long *bitmap_new(long nbits)
{
    size_t bytes = (size_t)((nbits + QEMU_LONG_BITS - 1) / QEMU_LONG_BITS) * sizeof(unsigned long);

    return memset(g_malloc(bytes), 0, bytes);
}

static inline int test_bit(long nr, const unsigned long *addr)
{
    return (int)(addr[nr / QEMU_LONG_BITS] >> nr % QEMU_LONG_BITS & 1);
}

/* nr may be 0. */
static inline void bitmap_set(unsigned long *map, long start, long nr)
{
    for (long bit = start; bit < start + nr; bit++) {
        map[bit / QEMU_LONG_BITS] |= 1ul << bit % QEMU_LONG_BITS;
    }
}

static inline void bitmap_clear(unsigned long *map, long start, long nr)
{
    for (long bit = start; bit < start + nr; bit++) {
        map[bit / QEMU_LONG_BITS] &= ~(1ul << bit % QEMU_LONG_BITS);
    }
}

#endif
