/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The states that a search has visited: a bounded set of digests.
 *
 * Two states with the same 64-bit digest count as one.  Among ten million states such
 * a pair exists with a probability of 3 in a million.
 */
#ifndef MIRRORSIM_TOOLS_BASE_VISITED_H
#define MIRRORSIM_TOOLS_BASE_VISITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct visited {
    uint64_t *slots; /* 0 = free; the digest 0 is kept as 1 */
    uint64_t count;
    uint64_t capacity; /* a power of two */
    uint64_t max_capacity;
    bool full; /* some state could not be added and may be visited again */
};

/* Uses at most `max_bytes`, but at least a page. */
void visited_init(struct visited *visited, uint64_t max_bytes);
void visited_free(struct visited *visited);
void visited_clear(struct visited *visited);

/* Adds a digest; true if it was not in the set. */
bool visited_add(struct visited *visited, uint64_t digest);

/* Iterates over the digests, in any order: gives the next one from *place on; false at the end. */
bool visited_next(const struct visited *visited, uint64_t *place, uint64_t *digest);

#endif
