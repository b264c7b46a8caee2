/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writers: an array that grows, searched by halves.
 */
#include "sim/content/writer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "sim/content/image.h"

#define FIRST_CAPACITY 16

/* What a guest's tag says beside its writer. */
#define TAG_SECTOR_MASK UINT64_C(0xffffffff)

void writers_init(struct writers *writers, struct arena *arena)
{
    *writers = (struct writers){.arena = arena};
}

static void grow(struct writers *writers)
{
    uint32_t capacity = writers->capacity == 0 ? FIRST_CAPACITY : 2 * writers->capacity;
    struct writer *list = arena_alloc(writers->arena, capacity * sizeof(*list));

    if (writers->count > 0) {
        memcpy(list, writers->list, writers->count * sizeof(*list));
    }
    arena_free(writers->arena, writers->list, writers->capacity * sizeof(*list));
    writers->list = list;
    writers->capacity = capacity;
}

/* The last one with that plan number knows how many there were. */
static uint16_t count_before(const struct writers *writers, uint16_t plan_number)
{
    for (uint32_t i = writers->count; i > 0; i--) {
        const struct writer *writer = &writers->list[i - 1];

        if (writer->plan_number == plan_number) {
            return writer->nth < UINT16_MAX ? (uint16_t)(writer->nth + 1) : UINT16_MAX;
        }
    }
    return 0;
}

void writers_add(struct writers *writers, uint32_t request, uint16_t plan_number)
{
    uint16_t nth = count_before(writers, plan_number);

    assert(writers->count == 0 || writers->list[writers->count - 1].request < request);
    if (writers->count == writers->capacity) {
        grow(writers);
    }
    writers->list[writers->count++] = (struct writer){request, plan_number, nth};
}

static const struct writer *find(const struct writers *writers, uint32_t request)
{
    uint32_t low = 0;
    uint32_t high = writers->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (writers->list[middle].request < request) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < writers->count && writers->list[low].request == request ? &writers->list[low]
                                                                         : NULL;
}

void writers_digest_tag(const struct writers *writers, uint64_t tag, struct digest *digest)
{
    const struct writer *writer =
        tag_kind(tag) == TAG_KIND_GUEST ? find(writers, tag_request(tag)) : NULL;

    uint32_t name;

    if (writer != NULL && digest_name(digest, writer->plan_number, writer->request, &name)) {
        digest_u64(digest, (tag & TAG_CORRUPT) | (tag & TAG_SECTOR_MASK));
        digest_u64(digest, UINT64_C(1) << 63 | (uint64_t)writer->plan_number << 32 | name);
        return;
    }
    /* A name that is no longer its own alone would make different states look equal. */
    if (writer == NULL || writer->nth == UINT16_MAX) {
        digest_u64(digest, tag);
        return;
    }
    digest_u64(digest, (tag & TAG_CORRUPT) | (tag & TAG_SECTOR_MASK));
    digest_u64(digest, UINT64_C(1) << 32 | (uint32_t)writer->plan_number << 16 | writer->nth);
}

void writers_check(const struct writers *writers)
{
    assert(writers->count <= writers->capacity);
    for (uint32_t i = 1; i < writers->count; i++) {
        assert(writers->list[i - 1].request < writers->list[i].request);
    }
}
