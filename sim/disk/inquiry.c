/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions: looking down the layers, at once or when the answer has taken its time.
 *
 * A node that can have a backing file looks through what it lacks; without an open one that reads
 * zero and is not allocated.  What a node that can't have one lacks counts as stored zeroes, and so
 * does what lies beyond the end of a layer that is shorter than the one above it.
 */
#include "sim/disk/inquiry.h"

#include <assert.h>

#include "sim/disk/layer.h"

/* ---- Looking ---- */

static bool looks_below(const struct block_node *node)
{
    return node->spec->backing_possible || node->disk.backing != PLAN_NONE;
}

/* Of the layers from `top` down to `last` (NULL: the lowest); *end is how far it holds. */
static struct block_answer look(const struct block_node *top, const struct block_node *last,
                                uint64_t sector, uint64_t *end)
{
    struct block_answer answer = {.content = CONTENT_ZERO};
    const struct block_node *node = top;

    while (node != NULL) {
        uint64_t length = node->disk.bytes / SECTOR_BYTES;
        enum image_state state;

        if (sector >= length) {
            answer.allocated = true;
            return answer;
        }
        state = image_state(node->disk.image, sector, min_u64(*end, length), end);
        if (state != STATE_NOTHING || !looks_below(node)) {
            answer.content = state == STATE_DATA ? CONTENT_DATA : CONTENT_ZERO;
            answer.allocated = true;
            return answer;
        }
        node = node == last ? NULL : node_backing(node);
    }
    return answer;
}

/* What is at `offset`; the range is cut at the end of the node. */
static struct block_answer look_at(const struct block_node *top, const struct block_node *last,
                                   uint64_t offset, uint64_t bytes)
{
    uint64_t sector = offset / SECTOR_BYTES;
    uint64_t end = min_u64(offset + bytes, top->disk.bytes) / SECTOR_BYTES;
    struct block_answer answer = look(top, last, sector, &end);

    answer.extent_bytes = (end - sector) * SECTOR_BYTES;
    return answer;
}

/* The same, unless a fault of the plan hits the inquiry. */
static struct block_answer look_or_fail(struct block_node *top, const struct block_node *last,
                                        enum op op, uint64_t offset, uint64_t bytes)
{
    int ret = fault_query(top, op, offset, bytes);

    return ret < 0 ? (struct block_answer){.ret = ret} : look_at(top, last, offset, bytes);
}

/* ---- Time ---- */

static void inquiry_fire(void *opaque)
{
    struct inquiry inquiry = *(struct inquiry *)opaque;
    struct block_layer *layer = inquiry.node->layer;

    LIST_REMOVE((struct inquiry *)opaque, link);
    arena_free(layer->arena, opaque, sizeof(inquiry));
    *inquiry.answer = inquiry.op == OP_CONTENT ? look_or_fail(inquiry.node, NULL, OP_CONTENT,
                                                              inquiry.offset, inquiry.bytes)
                                               : inquiry.sample;
    inquiry.done(inquiry.opaque, 0);
}

static void ask(const struct inquiry *asked, uint64_t delay_ns)
{
    struct block_layer *layer = asked->node->layer;
    struct inquiry *inquiry = arena_alloc(layer->arena, sizeof(*inquiry));

    *inquiry = *asked;
    inquiry->pending.kind = PENDING_LOOSE;
    LIST_INSERT_HEAD(&layer->inquiries, inquiry, link);
    timeline_add(layer->timeline, &inquiry->pending, delay_ns, inquiry_fire, inquiry);
}

static bool is_askable(const struct block_node *node, uint64_t offset, uint64_t bytes)
{
    return !node_is_filter(node) && node_is_sectors(offset, bytes) && offset < node->disk.bytes;
}

bool block_ask_content(struct block_node *node, uint64_t offset, uint64_t bytes,
                       struct block_answer *answer, block_done *done, void *opaque)
{
    uint64_t delay_ns = node_latency_ns(node, OP_CONTENT);
    struct inquiry inquiry = {.node = node,
                              .op = OP_CONTENT,
                              .offset = offset,
                              .bytes = bytes,
                              .answer = answer,
                              .done = done,
                              .opaque = opaque};

    assert(is_askable(node, offset, bytes));
    if (delay_ns == 0) {
        *answer = look_or_fail(node, NULL, OP_CONTENT, offset, bytes);
        return true;
    }
    ask(&inquiry, delay_ns);
    return false;
}

/* The lowest layer that is looked into; NULL: all are. */
static const struct block_node *last_layer(const struct block_node *top,
                                           const struct block_node *base, bool include_base)
{
    if (base == NULL || include_base) {
        return base;
    }
    while (top != NULL && node_backing(top) != base) {
        top = node_backing(top);
    }
    return top;
}

bool block_ask_allocated(struct block_node *top, struct block_node *base, bool include_base,
                         uint64_t offset, uint64_t bytes, struct block_answer *answer,
                         block_done *done, void *opaque)
{
    const struct block_node *last = last_layer(top, base, include_base);
    uint64_t delay_ns = node_latency_ns(top, OP_STATUS);
    struct inquiry inquiry = {.node = top,
                              .op = OP_STATUS,
                              .offset = offset,
                              .bytes = bytes,
                              .answer = answer,
                              .done = done,
                              .opaque = opaque};

    assert(is_askable(top, offset, bytes) && (base == NULL || include_base || top != base));
    inquiry.sample = look_or_fail(top, last, OP_STATUS, offset, bytes);
    if (delay_ns == 0) {
        *answer = inquiry.sample;
        return true;
    }
    ask(&inquiry, delay_ns);
    return false;
}

int block_reads_zero(struct block_node *node)
{
    uint64_t bytes = node->disk.bytes;
    int ret = fault_query(node, OP_ALL_ZERO, 0, 0);

    for (uint64_t offset = 0; ret == 0 && offset < bytes;) {
        struct block_answer answer = look_at(node, NULL, offset, bytes - offset);

        if (answer.content != CONTENT_ZERO) {
            return 0;
        }
        offset += answer.extent_bytes;
    }
    return ret < 0 ? ret : 1;
}

/* ---- Attributes ---- */

/* What the reference's layer says of a disk without a limit. */
#define DEFAULT_MAX_IOV 1024u

uint32_t block_max_iov(const struct block_node *node)
{
    return node->spec->max_segments > 0 ? node->spec->max_segments : DEFAULT_MAX_IOV;
}

bool block_can_unmap(const struct block_node *node)
{
    return node->spec->can_unmap;
}

enum detect_zeroes block_detects_zeroes(const struct block_node *node)
{
    return node->spec->detect_zeroes;
}

bool block_supports_backing(const struct block_node *node)
{
    return looks_below(node);
}

void block_round_to_allocation(const struct block_node *node, uint64_t *offset, uint64_t *bytes)
{
    uint64_t unit = node->spec->subcluster > 0 ? node->spec->subcluster : node->spec->cluster;
    uint64_t end = *offset + *bytes;

    if (unit > 1 && !node->spec->cluster_unknown) {
        *offset = align_down(*offset, unit);
        *bytes = align_up(end, unit) - *offset;
    }
}

/* ---- Digest and check ---- */

void inquiries_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct inquiry *inquiry;

    LIST_FOREACH (inquiry, &layer->inquiries, link) {
        digest_u64(digest, inquiry->node->id);
        digest_u64(digest, inquiry->op);
        digest_u64(digest, inquiry->offset);
        digest_u64(digest, inquiry->bytes);
        digest_i64(digest, inquiry->sample.ret);
        digest_u64(digest, inquiry->sample.allocated);
        digest_u64(digest, inquiry->sample.extent_bytes);
        timeline_digest_pending(layer->timeline, &inquiry->pending, digest);
    }
}

void inquiries_check(const struct block_layer *layer)
{
    const struct inquiry *inquiry;

    LIST_FOREACH (inquiry, &layer->inquiries, link) {
        assert(inquiry->node->layer == layer && pending_is_set(&inquiry->pending));
        assert(inquiry->op == OP_CONTENT || inquiry->op == OP_STATUS);
    }
}
