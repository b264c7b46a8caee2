/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Half-open byte ranges and chunk arithmetic.
 *
 * Everywhere in this project a range is `offset, bytes`, in this order and both
 * in bytes, and covers [offset, offset + bytes).  Callers keep offset + bytes
 * below 2^63, so that no sum here can overflow.
 */
#ifndef MIRRORSIM_ENGINE_RANGE_H
#define MIRRORSIM_ENGINE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* The unit of every node length (mirror-algorithm section 1). */
#define SECTOR_BYTES UINT64_C(512)

static inline uint64_t range_end(uint64_t offset, uint64_t bytes)
{
    return offset + bytes;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* True if the two ranges share at least one byte.  Empty ranges share none. */
static inline bool range_overlaps(uint64_t a_offset, uint64_t a_bytes, uint64_t b_offset,
                                  uint64_t b_bytes)
{
    return max_u64(a_offset, b_offset) <
           min_u64(range_end(a_offset, a_bytes), range_end(b_offset, b_bytes));
}

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* value / unit, rounded up; unit > 0. */
static inline uint64_t div_round_up(uint64_t value, uint64_t unit)
{
    return value / unit + (value % unit != 0);
}

/* The nearest multiple of a power of two at or above the value; at or below it. */
static inline uint64_t align_up(uint64_t value, uint64_t power)
{
    return (value + power - 1) & ~(power - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t power)
{
    return value & ~(power - 1);
}

#endif
