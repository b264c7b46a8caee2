/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hierarchical bitmap with a cursor that is safe under mutation.
 *
 * Invariant: bit n of level l + 1 is set if and only if word n of level l is
 * not zero.  The top level is one word.
 */
#include "engine/bitmap.h"

#include <assert.h>

#include "engine/range.h"

#define WORD_BITS BITMAP_WORD_BITS

static uint64_t words_for(uint64_t bits)
{
    return div_round_up(bits, WORD_BITS);
}

uint64_t bitmap_memory_bytes(uint64_t size)
{
    uint64_t words = 0;

    for (uint64_t bits = size; bits > 0; bits = words_for(bits)) {
        words += words_for(bits);
        if (bits <= WORD_BITS) {
            break;
        }
    }
    return words * sizeof(uint64_t);
}

void bitmap_init(struct bitmap *bitmap, uint64_t size, void *memory)
{
    uint64_t *next = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    *bitmap = (struct bitmap){.size = size};
    for (uint64_t bits = size; bits > 0; bits = words_for(bits)) {
        assert(bitmap->levels < BITMAP_MAX_LEVELS);
        bitmap->level[bitmap->levels++] = next;
        next += words_for(bits);
        if (bits <= WORD_BITS) {
            break;
        }
    }
}

/* The bits of word `word` that lie in [first, last]. */
static uint64_t word_mask(uint64_t word, uint64_t first, uint64_t last)
{
    uint64_t mask = UINT64_MAX;

    if (word == first / WORD_BITS) {
        mask &= UINT64_MAX << (first % WORD_BITS);
    }
    if (word == last / WORD_BITS) {
        mask &= UINT64_MAX >> (WORD_BITS - 1 - last % WORD_BITS);
    }
    return mask;
}

/* Most ranges are of one chunk; the compiler's own count is a call where the CPU may lack it. */
static uint64_t bits_in(uint64_t word)
{
    if ((word & (word - 1)) == 0) {
        return word != 0;
    }
    return (uint64_t)__builtin_popcountll(word);
}

/* ---- One bit: most changes ---- */

/* A level above has nothing to learn unless the word below it was all clear. */
static void set_one(struct bitmap *bitmap, uint64_t bit)
{
    uint64_t *word = &bitmap->level[0][bit / WORD_BITS];
    uint64_t mask = UINT64_C(1) << (bit % WORD_BITS);
    uint64_t before;

    assert(bit < bitmap->size);
    before = *word;
    if ((before & mask) != 0) {
        return;
    }
    bitmap->count++;
    *word |= mask;
    for (uint32_t l = 1; l < bitmap->levels && before == 0; l++) {
        bit /= WORD_BITS;
        word = &bitmap->level[l][bit / WORD_BITS];
        before = *word;
        *word |= UINT64_C(1) << (bit % WORD_BITS);
    }
}

/* ... or is now. */
static void clear_one(struct bitmap *bitmap, uint64_t bit)
{
    uint64_t *word = &bitmap->level[0][bit / WORD_BITS];
    uint64_t mask = UINT64_C(1) << (bit % WORD_BITS);

    assert(bit < bitmap->size);
    if ((*word & mask) == 0) {
        return;
    }
    bitmap->count--;
    *word &= ~mask;
    for (uint32_t l = 1; l < bitmap->levels && *word == 0; l++) {
        bit /= WORD_BITS;
        word = &bitmap->level[l][bit / WORD_BITS];
        *word &= ~(UINT64_C(1) << (bit % WORD_BITS));
    }
}

/* ---- Ranges ---- */

static void set_range(struct bitmap *bitmap, uint64_t first, uint64_t count)
{
    uint64_t last = first + count - 1;

    assert(count > 0 && first < bitmap->size && count <= bitmap->size - first);
    for (uint64_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
        uint64_t added = word_mask(word, first, last) & ~bitmap->level[0][word];

        bitmap->count += bits_in(added);
        bitmap->level[0][word] |= added;
    }
    for (uint32_t l = 1; l < bitmap->levels; l++) {
        first /= WORD_BITS;
        last /= WORD_BITS;
        for (uint64_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
            bitmap->level[l][word] |= word_mask(word, first, last);
        }
    }
}

/* Clears the bits [first, last] of a level; returns how many were set. */
static uint64_t level_clear(uint64_t *level, uint64_t first, uint64_t last)
{
    uint64_t count = 0;

    for (uint64_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
        uint64_t removed = word_mask(word, first, last) & level[word];

        count += bits_in(removed);
        level[word] &= ~removed;
    }
    return count;
}

static void clear_range(struct bitmap *bitmap, uint64_t first, uint64_t count)
{
    uint64_t last = first + count - 1;

    assert(count > 0 && first < bitmap->size && count <= bitmap->size - first);
    bitmap->count -= level_clear(bitmap->level[0], first, last);
    /* The words strictly inside the range are zero now; the two at its ends may still have bits. */
    for (uint32_t l = 1; l < bitmap->levels; l++) {
        const uint64_t *below = bitmap->level[l - 1];

        first /= WORD_BITS;
        last /= WORD_BITS;
        first += below[first] != 0;
        if (first <= last && below[last] != 0) {
            last--;
        }
        if (first > last) {
            return;
        }
        level_clear(bitmap->level[l], first, last);
    }
}

void bitmap_set(struct bitmap *bitmap, uint64_t first, uint64_t count)
{
    if (count == 1) {
        set_one(bitmap, first);
    } else {
        set_range(bitmap, first, count);
    }
}

void bitmap_clear(struct bitmap *bitmap, uint64_t first, uint64_t count)
{
    if (count == 1) {
        clear_one(bitmap, first);
    } else {
        clear_range(bitmap, first, count);
    }
}

/* ---- Finding ---- */

bool bitmap_next_set(const struct bitmap *bitmap, uint64_t from, uint64_t *bit)
{
    uint64_t words = words_for(bitmap->size);
    uint64_t at = from;
    uint32_t l = 0;

    if (from >= bitmap->size) {
        return false;
    }
    /* Climb until a level has a set bit at or after `at` in the word of `at`. */
    for (;;) {
        uint64_t word = bitmap->level[l][at / WORD_BITS] & UINT64_MAX << (at % WORD_BITS);

        if (word != 0) {
            at = align_down(at, WORD_BITS) + (uint64_t)__builtin_ctzll(word);
            break;
        }
        at = at / WORD_BITS + 1;
        l++;
        if (l == bitmap->levels || at >= words) {
            return false;
        }
        words = words_for(words);
    }
    /* Descend to the first set bit of each word. */
    while (l > 0) {
        l--;
        at = at * WORD_BITS + (uint64_t)__builtin_ctzll(bitmap->level[l][at]);
    }
    *bit = at;
    return true;
}

uint64_t bitmap_next_clear(const struct bitmap *bitmap, uint64_t from, uint64_t limit)
{
    assert(limit <= bitmap->size);
    while (from < limit) {
        uint64_t clear = ~bitmap->level[0][from / WORD_BITS] & UINT64_MAX << (from % WORD_BITS);

        if (clear != 0) {
            return min_u64(limit, align_down(from, WORD_BITS) + (uint64_t)__builtin_ctzll(clear));
        }
        from = align_down(from, WORD_BITS) + WORD_BITS;
    }
    return limit;
}

uint64_t bitmap_count_range(const struct bitmap *bitmap, uint64_t first, uint64_t count)
{
    uint64_t last = first + count - 1;
    uint64_t bits = 0;

    assert(count > 0 && first < bitmap->size && count <= bitmap->size - first);
    if (count == 1) {
        return bitmap_get(bitmap, first);
    }
    for (uint64_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
        bits += bits_in(bitmap->level[0][word] & word_mask(word, first, last));
    }
    return bits;
}

void bitmap_digest(const struct bitmap *bitmap, struct digest *digest)
{
    uint64_t bit = 0;

    digest_u64(digest, bitmap->size);
    digest_u64(digest, bitmap->count);
    while (bitmap_next_set(bitmap, bit, &bit)) {
        digest_u64(digest, bit);
        bit = bitmap_next_clear(bitmap, bit, bitmap->size);
        digest_u64(digest, bit);
    }
}

void bitmap_check(const struct bitmap *bitmap)
{
    uint64_t bits = bitmap->size;
    uint64_t count = 0;

    for (uint32_t l = 0; l < bitmap->levels; l++) {
        for (uint64_t word = 0; word < words_for(bits); word++) {
            uint64_t value = bitmap->level[l][word];

            count += l == 0 ? bits_in(value) : 0;
            if (l + 1 < bitmap->levels) {
                bool summary = bitmap->level[l + 1][word / WORD_BITS] >> (word % WORD_BITS) & 1;
                assert(summary == (value != 0));
            }
        }
        bits = words_for(bits);
    }
    assert(count == bitmap->count);
}
