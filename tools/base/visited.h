/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The states that a search has been in: a bounded set of digests.
 *
 * Two states with the same 64-bit digest are taken for one.  Among ten million states
 * that happens to some pair with a probability of 3 in a million.
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
    bool full; /* a state was not remembered: it may be visited again */
};

/* At most so many bytes, and at least a page. */
void visited_init(struct visited *visited, uint64_t max_bytes);
void visited_free(struct visited *visited);
void visited_clear(struct visited *visited);

/* True if the digest was not there yet. */
bool visited_add(struct visited *visited, uint64_t digest);

/* The digests that are there, in any order: the next from *place on; false if that was all. */
bool visited_next(const struct visited *visited, uint64_t *place, uint64_t *digest);

#endif
