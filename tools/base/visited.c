/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table with linear probing; the digests serve as hashes.
 */
#include "tools/base/visited.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

#define MIN_CAPACITY UINT64_C(512)

static uint64_t *make_slots(uint64_t capacity)
{
    return must_alloc(capacity * sizeof(uint64_t));
}

void visited_init(struct visited *visited, uint64_t max_bytes)
{
    uint64_t max_capacity = MIN_CAPACITY;

    while (max_capacity * 2 * sizeof(uint64_t) <= max_bytes) {
        max_capacity *= 2;
    }
    *visited = (struct visited){
        .slots = make_slots(MIN_CAPACITY), .capacity = MIN_CAPACITY, .max_capacity = max_capacity};
}

void visited_free(struct visited *visited)
{
    free(visited->slots);
    *visited = (struct visited){0};
}

void visited_clear(struct visited *visited)
{
    memset(visited->slots, 0, (size_t)visited->capacity * sizeof(uint64_t));
    visited->count = 0;
    visited->full = false;
}

/* The slot that has the digest, or the free one where it belongs. */
static uint64_t *find(uint64_t *slots, uint64_t capacity, uint64_t digest)
{
    uint64_t at = digest & (capacity - 1);

    while (slots[at] != 0 && slots[at] != digest) {
        at = (at + 1) & (capacity - 1);
    }
    return &slots[at];
}

static void grow(struct visited *visited)
{
    uint64_t capacity = 2 * visited->capacity;
    uint64_t *slots = make_slots(capacity);

    for (uint64_t i = 0; i < visited->capacity; i++) {
        if (visited->slots[i] != 0) {
            *find(slots, capacity, visited->slots[i]) = visited->slots[i];
        }
    }
    free(visited->slots);
    visited->slots = slots;
    visited->capacity = capacity;
}

bool visited_add(struct visited *visited, uint64_t digest)
{
    uint64_t *slot;

    digest += digest == 0;
    slot = find(visited->slots, visited->capacity, digest);
    if (*slot == digest) {
        return false;
    }
    /* Three quarters full. */
    if (visited->count >= visited->capacity / 4 * 3) {
        if (visited->capacity == visited->max_capacity) {
            visited->full = true;
            return true;
        }
        grow(visited);
        slot = find(visited->slots, visited->capacity, digest);
    }
    *slot = digest;
    visited->count++;
    return true;
}

bool visited_next(const struct visited *visited, uint64_t *place, uint64_t *digest)
{
    while (*place < visited->capacity) {
        *digest = visited->slots[(*place)++];
        if (*digest != 0) {
            return true;
        }
    }
    return false;
}
