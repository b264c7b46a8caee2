/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation queries: is this range allocated above a base, and how far does the answer hold (R6)?
 *
 * An engine that walks a device asks once per chunk and gets nearly always
 * the same answer, so the last one is kept for as long as no image and no
 * link changes.
 */
#include "sim/disk/status.h"

#include <assert.h>
#include <errno.h>

#include "sim/disk/layer.h"

/*
 * Is `sector` allocated above `base`?  *end is the sector up to which this
 * holds.  A layer that ends before `sector` hides what is below it: above a
 * base that counts as allocated zeros.
 */
static bool allocated_above(const struct block_node *top, const struct block_node *base,
                            uint64_t sector, uint64_t *end)
{
    uint64_t limit = top->disk.bytes / SECTOR_BYTES;
    bool allocated = false;

    for (const struct block_node *node = top; node != base && node != NULL;
         node = node_backing(node)) {
        uint64_t length = node->disk.bytes / SECTOR_BYTES;
        struct run run;

        if (sector >= length) {
            allocated = base != NULL;
            break;
        }
        limit = min_u64(limit, length);
        allocated = image_lookup(node->disk.image, sector, limit, &run);
        limit = sector + run.sectors;
        if (allocated) {
            break;
        }
    }
    *end = limit;
    return allocated;
}

static int answer_afresh(struct block_node *top, struct block_node *base, uint64_t offset,
                         uint64_t *extent_bytes)
{
    uint64_t end;
    bool allocated = allocated_above(top, base, offset / SECTOR_BYTES, &end);

    assert(offset < top->disk.bytes);
    top->status_answer = (struct status_answer){.base = base,
                                                .layout = top->layer->layout_changes,
                                                .offset = offset,
                                                .end = end * SECTOR_BYTES,
                                                .allocated = allocated};
    *extent_bytes = top->status_answer.end - offset;
    return allocated ? 1 : 0;
}

static void query_answered(void *opaque)
{
    struct block_node *node = opaque;

    node->status_query.answered = true;
    node->status_query.done(node->status_query.opaque, 0);
}

/* True if the answer has to be waited for. */
static bool answer_takes_time(struct block_node *node, uint64_t offset, block_done *done,
                              void *opaque)
{
    struct status_query *query = &node->status_query;
    uint64_t delay_ns;

    if (query->answered && query->offset == offset) {
        query->answered = false;
        return false;
    }
    delay_ns = node_latency_ns(node, OP_STATUS);
    if (delay_ns == 0) {
        return false;
    }
    query->answered = false;
    query->pending.kind = PENDING_LOOSE;
    query->offset = offset;
    query->done = done;
    query->opaque = opaque;
    timeline_add(node->layer->timeline, &query->pending, delay_ns, query_answered, node);
    return true;
}

/* Answers at once unless the disk's latency for this operation says otherwise. */
static bool status_is_instant(const struct block_node *node)
{
    const struct latency_spec *latency = &node->spec->latency[OP_STATUS];

    return latency->kind == LATENCY_FIXED && latency->a_ns == 0 && latency->min_ns == 0;
}

int block_status_above(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes, block_done *done, void *opaque)
{
    const struct status_answer *answer = &top->status_answer;

    assert(node_is_sectors(offset, bytes));
    assert(offset < top->disk.bytes && bytes <= top->disk.bytes - offset);
    if (!status_is_instant(top) && answer_takes_time(top, offset, done, opaque)) {
        return -EINPROGRESS;
    }
    if (top->fault_ops >> OP_STATUS & 1) {
        int ret = fault_query(top, OP_STATUS, offset, bytes);

        if (ret < 0) {
            return ret;
        }
    }
    if (answer->layout == top->layer->layout_changes && answer->base == base &&
        answer->offset <= offset && offset < answer->end) {
        *extent_bytes = answer->end - offset;
        return answer->allocated ? 1 : 0;
    }
    return answer_afresh(top, base, offset, extent_bytes);
}
