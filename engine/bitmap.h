/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hierarchical bitmap with a cursor that is safe under mutation.
 *
 * One bit per chunk; above the bits, each level has one bit per word of the
 * level below, set if and only if that word is not zero.  Finding the next set
 * bit reads a few words per level, however sparse the map is.  Setting,
 * clearing or counting a range, or measuring a run of set bits, takes time in
 * proportion to the words it covers.
 *
 * There is no iterator object: bitmap_next_set() takes the position to start
 * from, so a caller's cursor is a plain number that no mutation can
 * invalidate (mirror-algorithm R7, D4).
 *
 * Positions are bit numbers; ranges are (first, count), half-open, never empty.
 */
#ifndef MIRRORSIM_ENGINE_BITMAP_H
#define MIRRORSIM_ENGINE_BITMAP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"

#define BITMAP_WORD_BITS 64
#define BITMAP_MAX_LEVELS 7 /* 64^7 bits: more than any device has chunks */

struct bitmap {
    uint64_t size;   /* bits */
    uint64_t count;  /* set bits */
    uint32_t levels; /* levels in use; level 0 holds the bits themselves */
    uint64_t *level[BITMAP_MAX_LEVELS];
};

/* Bytes of memory that a bitmap of `size` bits needs beside the struct. */
uint64_t bitmap_memory_bytes(uint64_t size);

/*
 * Makes an all-clear bitmap of `size` bits (0 is allowed) in `memory`, which
 * must be zeroed, 8-byte aligned and bitmap_memory_bytes(size) long. The caller
 * keeps ownership of `memory`.
 */
void bitmap_init(struct bitmap *bitmap, uint64_t size, void *memory);

static inline bool bitmap_get(const struct bitmap *bitmap, uint64_t bit)
{
    assert(bit < bitmap->size);
    return bitmap->level[0][bit / BITMAP_WORD_BITS] >> (bit % BITMAP_WORD_BITS) & 1;
}

/* Set or clear a range within the bitmap; bits that already have the value stay as they are. */
void bitmap_set(struct bitmap *bitmap, uint64_t first, uint64_t count);
void bitmap_clear(struct bitmap *bitmap, uint64_t first, uint64_t count);

/*
 * The first set bit at or after `from`.  Returns false if there is none
 * (also if `from` is at or past the end).
 */
bool bitmap_next_set(const struct bitmap *bitmap, uint64_t from, uint64_t *bit);

/*
 * The first clear bit in [from, limit), or `limit` if all of them are set;
 * limit <= size.  This is how a run of set bits is measured.
 */
uint64_t bitmap_next_clear(const struct bitmap *bitmap, uint64_t from, uint64_t limit);

/* Number of set bits in the range. */
uint64_t bitmap_count_range(const struct bitmap *bitmap, uint64_t first, uint64_t count);

/* Adds size and set runs: equal digests for equal content. */
void bitmap_digest(const struct bitmap *bitmap, struct digest *digest);

/* Asserts that every level summarises the one below and that count is right. */
void bitmap_check(const struct bitmap *bitmap);

#endif
