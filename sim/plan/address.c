/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address distributions in integer arithmetic.
 *
 * Zipf: rank k, from 1, has the weight k^-theta.  Each of the first ZIPF_STEPS
 * ranks is a piece of its own; beyond them, each octave of ranks is cut into
 * ZIPF_STEPS pieces, in which every rank has the weight of the middle one.  The
 * error is below 1 in 4000 for any piece, and the table has a few hundred
 * numbers instead of one per slot of the disk.
 */
#include "sim/plan/address.h"

#include <assert.h>

#include "engine/range.h"
#include "sim/base/fixed.h"

#define ZIPF_STEPS_LOG2 5u
#define ZIPF_STEPS (UINT64_C(1) << ZIPF_STEPS_LOG2)
#define THETA_ONE 1000
#define PPM 1000000u
#define GOLDEN_RATIO_64 UINT64_C(0x9e3779b97f4a7c15)

/* ---- Arithmetic ---- */

/* value * number / 2^32, rounded down. */
static uint64_t scale_32(uint64_t value, uint32_t number)
{
    return (value >> 32) * number + ((value & UINT32_MAX) * number >> 32);
}

/* The exponent of the greatest power of two not above `value`; value > 0. */
static unsigned floor_log2(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

/* ---- Zipf ---- */

/*
 * Pieces are numbered from 1. A piece of one rank has the number of that rank;
 * beyond, the number is made of the octave and the leading bits of the rank.
 */
static uint64_t piece_of(uint64_t rank)
{
    unsigned shift = rank < ZIPF_STEPS ? 0 : floor_log2(rank) - ZIPF_STEPS_LOG2;

    return ((uint64_t)shift << ZIPF_STEPS_LOG2) + (rank >> shift);
}

/* The first rank of a piece. */
static uint64_t piece_first(uint64_t piece)
{
    uint64_t shift = piece < 2 * ZIPF_STEPS ? 0 : (piece >> ZIPF_STEPS_LOG2) - 1;

    return (piece - (shift << ZIPF_STEPS_LOG2)) << shift;
}

/* The number of ranks in a piece; the last piece may be cut short by the number of slots. */
static uint64_t piece_width(const struct address *address, uint64_t piece)
{
    return min_u64(piece_first(piece + 1), address->slots + 1) - piece_first(piece);
}

/*
 * Each rank of the piece weighs as much as the middle one.  The scale keeps the
 * sum of all weights below 2^63: unscaled, the sum is at most the number of
 * slots, and for theta >= 1 at most 1 + ln(slots).
 */
static uint64_t piece_weight(const struct address *address, uint64_t piece)
{
    uint32_t theta = address->spec->theta;
    unsigned scale = theta >= THETA_ONE ? 56 : 61 - floor_log2(address->slots);
    uint64_t width = piece_width(address, piece);
    int64_t middle_log2 = fixed_log2(2 * piece_first(piece) + width - 1) - FIXED_ONE;

    return fixed_scale(width, scale * FIXED_ONE - middle_log2 * theta / THETA_ONE);
}

static const uint32_t *zipf_starts(const struct address *address, struct arena *arena)
{
    uint64_t pieces = piece_of(address->slots);
    uint32_t *starts = arena_alloc(arena, (size_t)pieces * sizeof(*starts));
    uint64_t total = 0;
    uint64_t sum = 0;
    unsigned shift;

    for (uint64_t piece = 1; piece <= pieces; piece++) {
        total += piece_weight(address, piece);
    }
    /* The sums are shifted left by 32 bits below and must not overflow. */
    shift = floor_log2(total) > 31 ? floor_log2(total) - 31 : 0;
    for (uint64_t piece = 1; piece <= pieces; piece++) {
        starts[piece - 1] =
            (uint32_t)min_u64(((sum >> shift) << 32) / (total >> shift), UINT32_MAX);
        sum += piece_weight(address, piece);
    }
    return starts;
}

uint64_t address_rank(const struct address *address, uint32_t number)
{
    uint64_t pieces = piece_of(address->slots);
    /* Invariant: piece `low` begins at or before `number`, piece `high` after it. */
    uint64_t low = 1;
    uint64_t high = pieces + 1;
    uint64_t start;
    uint64_t end;

    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (address->starts[middle - 1] <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    start = address->starts[low - 1];
    end = low < pieces ? address->starts[low] : UINT64_C(1) << 32;
    return piece_first(low) - 1 + (number - start) * piece_width(address, low) / (end - start);
}

/*
 * Multiplying by the golden ratio keeps neighbouring ranks apart. A result
 * beyond the slots is mapped again until it falls inside, which keeps the map a
 * permutation.
 */
uint64_t address_scatter(uint64_t rank, uint64_t slots)
{
    unsigned bits = slots > 1 ? floor_log2(slots - 1) + 1 : 0;
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    uint64_t factor = bits > 0 ? GOLDEN_RATIO_64 >> (64 - bits) | 1 : 1;

    assert(rank < slots);
    do {
        rank = (rank + 1) * factor & mask;
    } while (rank >= slots);
    return rank;
}

/* ---- Hot spots ---- */

/* A number below the share gives a hot slot, any other a cold one. */
static uint64_t hot_slot(const struct address *address, uint32_t number)
{
    uint64_t hot = address->hot_slots;
    uint64_t others = address->slots - hot;
    uint64_t share = ((uint64_t)address->spec->share_ppm << 32) / PPM;
    uint64_t slot;

    if (others == 0) {
        return scale_32(hot, number);
    }
    if (number < share) {
        return address->hot_first + scale_32(hot, (uint32_t)(((uint64_t)number << 32) / share));
    }
    number = (uint32_t)(((number - share) << 32) / ((UINT64_C(1) << 32) - share));
    slot = scale_32(others, number);
    return slot < address->hot_first ? slot : slot + hot;
}

/* ---- All of them ---- */

void address_init(struct address *address, struct arena *arena, const struct address_spec *spec)
{
    uint64_t hot_end = range_end(spec->hot_offset, spec->hot_bytes);

    *address = (struct address){.spec = spec};
    if (spec->kind == ADDRESS_LIST) {
        return;
    }
    assert(spec->align > 0 && spec->bytes > 0);
    address->slots = div_round_up(spec->bytes, spec->align);
    if (spec->kind == ADDRESS_HOT) {
        address->hot_first = spec->hot_offset / spec->align;
        address->hot_slots =
            min_u64(div_round_up(hot_end, spec->align), address->slots) - address->hot_first;
    } else if (spec->kind == ADDRESS_ZIPF) {
        address->starts = zipf_starts(address, arena);
    }
}

uint64_t address_count(const struct address *address)
{
    switch (address->spec->kind) {
    case ADDRESS_LIST:
        return address->spec->place_count;
    case ADDRESS_SEQUENTIAL:
        return 1;
    case ADDRESS_UNIFORM:
    case ADDRESS_ZIPF:
    case ADDRESS_HOT:
        break;
    }
    return address->slots;
}

static uint64_t sequential_next(struct address *address, uint64_t bytes)
{
    const struct address_spec *spec = address->spec;
    uint64_t at = address->cursor;

    if (at > spec->bytes - bytes) {
        at = 0;
    }
    address->cursor = div_round_up(at + bytes, spec->align) * spec->align;
    return spec->offset + at;
}

/* A request that would pass the end of the range is moved back to end there. */
static uint64_t slot_place(const struct address_spec *spec, uint64_t slot, uint64_t bytes)
{
    uint64_t last = (spec->bytes - bytes) / spec->align;

    return spec->offset + min_u64(slot, last) * spec->align;
}

uint64_t address_next(struct address *address, uint32_t number, uint64_t bytes)
{
    const struct address_spec *spec = address->spec;

    assert(spec->kind == ADDRESS_LIST || bytes <= spec->bytes);
    switch (spec->kind) {
    case ADDRESS_LIST:
        return spec->places[scale_32(spec->place_count, number)];
    case ADDRESS_SEQUENTIAL:
        return sequential_next(address, bytes);
    case ADDRESS_UNIFORM:
        return slot_place(spec, scale_32(address->slots, number), bytes);
    case ADDRESS_ZIPF:
        return slot_place(spec, address_scatter(address_rank(address, number), address->slots),
                          bytes);
    case ADDRESS_HOT:
        return slot_place(spec, hot_slot(address, number), bytes);
    }
    return spec->offset;
}

void address_digest(const struct address *address, struct digest *digest)
{
    digest_u64(digest, address->cursor);
}
