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

/* What a lie makes of the answer.  An answer about allocation says nothing of the content. */
static void lie(struct block_answer *answer, enum fault_claim claim)
{
    static const enum block_content contents[] = {
        [CLAIM_DATA] = CONTENT_DATA,
        [CLAIM_ZERO] = CONTENT_ZERO,
        [CLAIM_HOLE] = CONTENT_UNALLOCATED,
    };

    answer->content = contents[claim];
    answer->allocated = claim != CLAIM_HOLE;
}

/* The same, unless a fault of the plan hits the inquiry. */
static struct block_answer look_or_lie(const struct probe *probe, const struct block_node *last)
{
    struct block_node *top = probe->node;
    int ret = fault_query(top, probe->op, probe->offset, probe->bytes);
    struct block_answer answer = {.ret = ret};
    enum fault_claim claim;

    if (ret < 0) {
        return answer;
    }
    answer = look_at(top, last, probe->offset, probe->bytes);
    if (fault_claims(top, probe->op, probe->offset, &answer.extent_bytes, &claim)) {
        lie(&answer, claim);
    }
    return answer;
}

/* ---- Time ---- */

static struct inquiry *inquiry_of(struct probe *probe)
{
    return (struct inquiry *)(void *)probe; /* the first member */
}

static void take(struct probe *probe)
{
    inquiry_of(probe)->sample = look_or_lie(probe, NULL);
}

static void give(struct probe *probe)
{
    struct inquiry inquiry = *inquiry_of(probe);

    arena_free(probe->node->layer->arena, probe, sizeof(inquiry));
    *inquiry.answer = inquiry.sample;
    inquiry.done(inquiry.opaque, 0);
}

/* False: it takes time. */
static bool ask(struct inquiry *asked)
{
    struct inquiry *inquiry;

    if (!probe_takes_time(&asked->probe)) {
        if (!asked->probe.taken) {
            asked->sample = look_or_lie(&asked->probe, NULL);
        }
        *asked->answer = asked->sample;
        return true;
    }
    inquiry = arena_alloc(asked->probe.node->layer->arena, sizeof(*inquiry));
    *inquiry = *asked;
    probe_begin(&inquiry->probe);
    return false;
}

static bool is_askable(const struct block_node *node, uint64_t offset, uint64_t bytes)
{
    return !node_is_filter(node) && node_is_sectors(offset, bytes) && offset < node->disk.bytes;
}

static struct probe probe_about(struct block_node *node, enum op op, uint64_t offset,
                                uint64_t bytes)
{
    return (struct probe){
        .node = node, .op = op, .offset = offset, .bytes = bytes, .take = take, .give = give};
}

bool block_ask_content(struct block_node *node, uint64_t offset, uint64_t bytes,
                       struct block_answer *answer, block_done *done, void *opaque)
{
    struct inquiry inquiry = {.probe = probe_about(node, OP_CONTENT, offset, bytes),
                              .answer = answer,
                              .done = done,
                              .opaque = opaque};

    assert(is_askable(node, offset, bytes));
    return ask(&inquiry);
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
    struct inquiry inquiry = {.probe = probe_about(top, OP_STATUS, offset, bytes),
                              .answer = answer,
                              .done = done,
                              .opaque = opaque};

    assert(is_askable(top, offset, bytes) && (base == NULL || include_base || top != base));
    inquiry.sample = look_or_lie(&inquiry.probe, last_layer(top, base, include_base));
    inquiry.probe.taken = true;
    return ask(&inquiry);
}

/* The truth. */
static bool reads_zero(const struct block_node *node)
{
    uint64_t bytes = node->disk.bytes;

    for (uint64_t offset = 0; offset < bytes;) {
        struct block_answer answer = look_at(node, NULL, offset, bytes - offset);

        if (answer.content != CONTENT_ZERO) {
            return false;
        }
        offset += answer.extent_bytes;
    }
    return true;
}

int block_reads_zero(struct block_node *node)
{
    uint64_t bytes = node->disk.bytes;
    int ret = fault_query(node, OP_ALL_ZERO, 0, 0);
    enum fault_claim claim;

    if (ret < 0) {
        return ret;
    }
    if (fault_claims(node, OP_ALL_ZERO, 0, &bytes, &claim)) {
        return claim == CLAIM_ZERO ? 1 : 0;
    }
    return reads_zero(node) ? 1 : 0;
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

/* ---- Digest ---- */

void inquiries_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct probe *probe;

    LIST_FOREACH (probe, &layer->probes, link) {
        const struct inquiry *inquiry = (const struct inquiry *)(const void *)probe;

        probe_digest(probe, digest);
        digest_i64(digest, inquiry->sample.ret);
        digest_u64(digest, inquiry->sample.content);
        digest_u64(digest, inquiry->sample.allocated);
        digest_u64(digest, inquiry->sample.extent_bytes);
    }
}
