/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: where on the disk a generator's next request goes.
 *
 * The range is cut into slots of `align` bytes; an evenly distributed 32-bit
 * number becomes a slot.  Every distribution ascends with that number (for
 * zipf, the ranks do), so evenly spread numbers give places that follow the
 * distribution closely even in a short run.
 */
#ifndef MIRRORSIM_SIM_PLAN_ADDRESS_H
#define MIRRORSIM_SIM_PLAN_ADDRESS_H

#include <stdint.h>

#include "engine/digest.h"
#include "sim/base/arena.h"
#include "sim/plan/plan.h"

struct address {
    const struct address_spec *spec;
    uint64_t slots;
    uint64_t hot_slots; /* HOT: slots [hot_first, hot_first + hot_slots) are hot */
    uint64_t hot_first;
    uint64_t cursor;        /* SEQUENTIAL: bytes from the start of the range */
    const uint32_t *starts; /* ZIPF: where each piece begins, as a fraction of 2^32 */
};

/* The tables of a zipf distribution are taken from the arena. */
void address_init(struct address *address, struct arena *arena, const struct address_spec *spec);

/* The number of different results; `number` needs no finer resolution. */
uint64_t address_count(const struct address *address);

/* The offset of a request of `bytes`, which must not exceed the range. */
uint64_t address_next(struct address *address, uint32_t number, uint64_t bytes);

/* The slot of a zipf rank (0 is the most popular): a fixed permutation of the slots. */
uint64_t address_scatter(uint64_t rank, uint64_t slots);

/* The rank, from 0, of a number. */
uint64_t address_rank(const struct address *address, uint32_t number);

void address_digest(const struct address *address, struct digest *digest);

#endif
