/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps: ranges are rounded outwards to chunks, and clipped to the bitmap.
 * Events carry the rounded range.
 */
#include "sim/disk/dirty.h"

#include <assert.h>
#include <errno.h>

#include "engine/foreign.h"
#include "engine/zeroes.h"
#include "sim/disk/layer.h"

struct block_dirty {
    struct block_dirty *next;
    struct block_node *node;
    uint32_t granularity_shift;
    uint16_t index;
    bool is_own; /* nobody marks it but who made it */
    struct bitmap bits;
    void *memory; /* of the bits */
};

static void make_bits(struct block_dirty *dirty, uint64_t chunks)
{
    dirty->memory = arena_alloc(dirty->node->layer->arena, bitmap_memory_bytes(chunks));
    bitmap_init(&dirty->bits, chunks, dirty->memory);
}

static void free_bits(struct block_dirty *dirty)
{
    arena_free(dirty->node->layer->arena, dirty->memory, bitmap_memory_bytes(dirty->bits.size));
}

static void emit(const struct block_dirty *dirty, enum event_kind kind, enum by by, uint64_t offset,
                 uint64_t bytes)
{
    layer_emit(dirty->node->layer, &(struct event){.kind = (uint8_t)kind,
                                                   .by = (uint8_t)by,
                                                   .node = dirty->node->id,
                                                   .index = dirty->index,
                                                   .offset = offset,
                                                   .bytes = bytes});
}

static int attach(struct block_node *node, uint64_t granularity, enum by by, bool is_own,
                  struct block_dirty **dirty)
{
    uint64_t chunks = div_round_up(node->disk.bytes, granularity);
    struct block_dirty **link = &node->dirty;

    assert(is_power_of_two(granularity) && granularity >= SECTOR_BYTES);
    if (chunks > DIRTY_MAX_CHUNKS) {
        return -EFBIG;
    }
    *dirty = arena_alloc(node->layer->arena, sizeof(**dirty));
    (*dirty)->node = node;
    (*dirty)->granularity_shift = (uint32_t)__builtin_ctzll(granularity);
    (*dirty)->is_own = is_own;
    (*dirty)->index = node->dirty_count++;
    make_bits(*dirty, chunks);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = *dirty;
    emit(*dirty, EVENT_DIRTY_CREATE, by, 0, granularity);
    return 0;
}

int block_dirty_create(struct block_node *node, uint64_t granularity, struct block_dirty **dirty)
{
    int ret = fault_query(node, OP_BITMAP, 0, 0);

    return ret < 0 ? ret : attach(node, granularity, BY_JOB, false, dirty);
}

int block_dirty_create_own(struct block_node *node, uint64_t granularity,
                           struct block_dirty **dirty)
{
    int ret = fault_query(node, OP_BITMAP, 0, 0);

    return ret < 0 ? ret : attach(node, granularity, BY_JOB, true, dirty);
}

void block_dirty_disable(struct block_dirty *dirty)
{
    dirty->is_own = true;
}

/* A bitmap that is too large is left out; the loader refuses such a plan anyway. */
void dirty_create_others(struct block_layer *layer)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        const struct disk_spec *spec = layer->nodes[i].spec;

        for (uint32_t j = 0; j < spec->bitmap_count; j++) {
            struct block_dirty *dirty;

            attach(&layer->nodes[i], spec->bitmaps[j].granularity, BY_NONE, false, &dirty);
        }
    }
}

void block_dirty_release(struct block_dirty *dirty)
{
    struct block_dirty **link = &dirty->node->dirty;

    while (*link != dirty) {
        link = &(*link)->next;
    }
    *link = dirty->next;
    emit(dirty, EVENT_DIRTY_RELEASE, BY_JOB, 0, 0);
    free_bits(dirty);
    arena_free(dirty->node->layer->arena, dirty, sizeof(*dirty));
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
    assert(node_is_sectors(offset, bytes));
    set_by(dirty, BY_JOB, offset, bytes);
}

void block_dirty_clear(struct block_dirty *dirty, uint64_t offset, uint64_t bytes)
{
    uint64_t first;
    uint64_t count;

    assert(node_is_sectors(offset, bytes));
    if (touched(dirty, offset, bytes, &first, &count)) {
        bitmap_clear(&dirty->bits, first, count);
        emit_chunks(dirty, EVENT_DIRTY_CLEAR, BY_JOB, first, count);
    }
}

void block_dirty_set_all(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    for (struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        block_dirty_set(dirty, offset, bytes);
    }
}

void block_dirty_clear_all(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    for (struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        block_dirty_clear(dirty, offset, bytes);
    }
}

void dirty_mark(struct block_node *node, enum by by, uint64_t offset, uint64_t bytes)
{
    for (struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        if (!dirty->is_own) {
            set_by(dirty, by, offset, bytes);
        }
    }
}

void dirty_resize(struct block_node *node)
{
    for (struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        uint64_t size = div_round_up(node->disk.bytes, UINT64_C(1) << dirty->granularity_shift);
        struct block_dirty old = *dirty;
        uint64_t chunk = 0;

        if (size > DIRTY_MAX_CHUNKS) {
            continue;
        }
        make_bits(dirty, size);
        while (bitmap_next_set(&old.bits, chunk, &chunk) && chunk < size) {
            bitmap_set(&dirty->bits, chunk, 1);
            chunk++;
        }
        free_bits(&old);
    }
}

void dirty_digest(const struct block_node *node, struct digest *digest)
{
    for (const struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        digest_u64(digest, dirty->granularity_shift);
        bitmap_digest(&dirty->bits, digest);
    }
}

void dirty_check(const struct block_node *node)
{
    for (const struct block_dirty *dirty = node->dirty; dirty != NULL; dirty = dirty->next) {
        uint64_t chunks = div_round_up(node->disk.bytes, UINT64_C(1) << dirty->granularity_shift);

        assert(dirty->node == node && dirty->index < node->dirty_count);
        assert(dirty->next == NULL || dirty->next->index > dirty->index);
        assert(dirty->bits.size == chunks || chunks > DIRTY_MAX_CHUNKS);
        bitmap_check(&dirty->bits);
    }
}
