/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bit arrays of longs.
 *
 * The functions are inline because some have the names of our own bitmap's functions.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_BITS_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_BITS_H

#include <limits.h>

#include "mirrorsim/shared.h"

#define QEMU_LONG_BITS ((long)(sizeof(unsigned long) * CHAR_BIT))

/* An all-clear bitmap; free it with g_free(). */
static inline unsigned long *bitmap_new(long nbits)
{
    return g_malloc((size_t)DIV_ROUND_UP(nbits, QEMU_LONG_BITS) * sizeof(unsigned long));
}

static inline int test_bit(long nr, const unsigned long *addr)
{
    return (int)(addr[nr / QEMU_LONG_BITS] >> nr % QEMU_LONG_BITS & 1);
}

/* nr may be 0, but not negative. */
static inline void bitmap_set(unsigned long *map, long start, long nr)
{
    assert(start >= 0 && nr >= 0);
    for (long bit = start; bit < start + nr; bit++) {
        map[bit / QEMU_LONG_BITS] |= 1ul << bit % QEMU_LONG_BITS;
    }
}

static inline void bitmap_clear(unsigned long *map, long start, long nr)
{
    assert(start >= 0 && nr >= 0);
    for (long bit = start; bit < start + nr; bit++) {
        map[bit / QEMU_LONG_BITS] &= ~(1ul << bit % QEMU_LONG_BITS);
    }
}

/* The first bit from `offset` on that is set, or clear; size if there is none. */
static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
                                          unsigned long offset)
{
    while (offset < size && !test_bit((long)offset, map)) {
        offset++;
    }
    return MIN(offset, size);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
                                               unsigned long offset)
{
    while (offset < size && test_bit((long)offset, map)) {
        offset++;
    }
    return MIN(offset, size);
}

#endif
