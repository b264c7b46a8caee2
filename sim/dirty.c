/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps: ranges grow to whole chunks and end where the bitmap ends.
 * Events tell the grown range.
 */
#include "sim/dirty.h"

#include <assert.h>
#include <errno.h>

#include "sim/world_private.h"

struct block_dirty {
    struct block_dirty *next;
    struct block_node *node;
    uint32_t granularity_shift;
    uint16_t index;
    struct bitmap bits;
    uint64_t memory[];
};

static size_t dirty_memory_bytes(uint64_t chunks)
{
    return sizeof(struct block_dirty) + bitmap_memory_bytes(chunks);
}

static void emit(const struct block_dirty *dirty, enum event_kind kind, enum by by, uint64_t offset,
                 uint64_t bytes)
{
    world_emit(dirty->node->world, &(struct event){.kind = (uint8_t)kind,
                                                   .by = (uint8_t)by,
                                                   .node = dirty->node->id,
                                                   .index = dirty->index,
                                                   .offset = offset,
                                                   .bytes = bytes});
}

int block_dirty_create(struct block_node *node, uint64_t granularity, struct block_dirty **dirty)
{
    int ret = fault_query(node, OP_BITMAP, 0, 0);
    uint64_t chunks = div_round_up(node->disk.bytes, granularity);
    struct block_dirty **link = &node->dirty;

    assert(is_power_of_two(granularity) && granularity >= SECTOR_BYTES);
    if (ret < 0) {
        return ret;
    }
    if (chunks > DIRTY_MAX_CHUNKS) {
        return -EFBIG;
    }
    *dirty = arena_alloc(node->world->arena, dirty_memory_bytes(chunks));
    (*dirty)->node = node;
    (*dirty)->granularity_shift = (uint32_t)__builtin_ctzll(granularity);
    (*dirty)->index = node->dirty_count++;
    bitmap_init(&(*dirty)->bits, chunks, (*dirty)->memory);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = *dirty;
    emit(*dirty, EVENT_DIRTY_CREATE, BY_JOB, 0, granularity);
    return 0;
}

void block_dirty_release(struct block_dirty *dirty)
{
    struct block_dirty **link = &dirty->node->dirty;

    while (*link != dirty) {
        link = &(*link)->next;
    }
    *link = dirty->next;
    emit(dirty, EVENT_DIRTY_RELEASE, BY_JOB, 0, 0);
    arena_free(dirty->node->world->arena, dirty, dirty_memory_bytes(dirty->bits.size));
}

const struct bitmap *block_dirty_bits(const struct block_dirty *dirty)
{
    return &dirty->bits;
}

/* The chunks that a range touches; false if it has none. */
static bool touched(const struct block_dirty *dirty, uint64_t offset, uint64_t bytes,
                    uint64_t *first, uint64_t *count)
{
    uint64_t granularity = UINT64_C(1) << dirty->granularity_shift;
    uint64_t end = (offset + bytes + granularity - 1) >> dirty->granularity_shift;

    end = min_u64(end, dirty->bits.size);
    *first = offset >> dirty->granularity_shift;
    if (bytes == 0 || *first >= end) {
        return false;
    }
    *count = end - *first;
    return true;
}

/* Chunks as a range of the node, clipped to its end. */
static void emit_chunks(const struct block_dirty *dirty, enum event_kind kind, enum by by,
                        uint64_t first, uint64_t count)
{
    uint64_t offset = first << dirty->granularity_shift;

    emit(dirty, kind, by, offset,
         min_u64(count << dirty->granularity_shift, dirty->node->disk.bytes - offset));
}

static void set_by(struct block_dirty *dirty, enum by by, uint64_t offset, uint64_t bytes)
{
    uint64_t first;
    uint64_t count;

    if (touched(dirty, offset, bytes, &first, &count)) {
        bitmap_set(&dirty->bits, first, count);
        emit_chunks(dirty, EVENT_DIRTY_SET, by, first, count);
    }
}

void block_dirty_set(struct block_dirty *dirty, uint64_t offset, uint64_t bytes)
{
    set_by(dirty, BY_JOB, offset, bytes);
}

void block_dirty_clear(struct block_dirty *dirty, uint64_t offset, uint64_t bytes)
{
    uint64_t first;
    uint64_t count;

    if (touched(dirty, offset, bytes, &first, &count)) {
        bitmap_clear(&dirty->bits, first, count);
        emit_chunks(dirty, EVENT_DIRTY_CLEAR, BY_JOB, first, count);
    }
}

void dirty_mark(struct block_node *node, enum by by, uint64_t offset, uint64_t bytes)
{
    for (struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        set_by(dirty, by, offset, bytes);
    }
}

void dirty_digest(const struct block_node *node, struct digest *digest)
{
    for (const struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        digest_u64(digest, dirty->granularity_shift);
        bitmap_digest(&dirty->bits, digest);
    }
}
