/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation queries: is this range allocated above a base, and how far does the answer hold (R6)?
 *
 * An engine that walks a device asks once per chunk and gets nearly always
 * the same answer, so the last one is kept for as long as no image and no
 * link changes.
 *
 * Declared in sim/disk/probe.h: it is a user of probes; block_status_above() is in engine/block.h.
 */
#include "sim/disk/probe.h"

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

static void look_up(struct block_node *top, struct block_node *base, uint64_t offset)
{
    uint64_t end;
    bool allocated = allocated_above(top, base, offset / SECTOR_BYTES, &end);

    assert(offset < top->disk.bytes);
    top->status_answer = (struct status_answer){.base = base,
                                                .layout = top->layer->layout_changes,
                                                .offset = offset,
                                                .end = end * SECTOR_BYTES,
                                                .allocated = allocated};
}

/* The truth. */
static int look(struct block_node *top, struct block_node *base, uint64_t offset,
                uint64_t *extent_bytes)
{
    const struct status_answer *answer = &top->status_answer;

    if (answer->layout != top->layer->layout_changes || answer->base != base ||
        offset < answer->offset || answer->end <= offset) {
        look_up(top, base, offset);
    }
    *extent_bytes = answer->end - offset;
    return answer->allocated ? 1 : 0;
}

/* The same, unless a fault of the plan says something else. */
static int look_or_lie(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes)
{
    int ret = fault_query(top, OP_STATUS, offset, bytes);
    enum fault_claim claim;

    if (ret < 0) {
        return ret;
    }
    ret = look(top, base, offset, extent_bytes);
    if (fault_claims(top, OP_STATUS, offset, extent_bytes, &claim)) {
        ret = claim == CLAIM_DATA ? 1 : 0;
    }
    return ret;
}

static struct status_query *query_of(struct probe *probe)
{
    return (struct status_query *)(void *)probe; /* the first member */
}

static void take(struct probe *probe)
{
    struct status_query *query = query_of(probe);

    query->ret =
        look_or_lie(probe->node, query->base, probe->offset, probe->bytes, &query->extent_bytes);
}

static void give(struct probe *probe)
{
    struct status_query *query = query_of(probe);

    query->asked = false;
    query->answered = true;
    query->done(query->opaque, 0);
}

static void query_begin(struct status_query *query, const struct probe *probe,
                        struct block_node *base, block_done *done, void *opaque)
{
    assert(!query->asked);
    *query = (struct status_query){
        .probe = *probe, .base = base, .done = done, .opaque = opaque, .asked = true};
    probe_begin(&query->probe);
}

/* Begins a question of 2.2 if it takes time; false: it does not. */
static bool takes_time(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, block_done *done, void *opaque)
{
    struct probe probe = {
        .node = top, .op = OP_STATUS, .offset = offset, .bytes = bytes, .take = take, .give = give};

    if (!probe_takes_time(&probe)) {
        return false;
    }
    query_begin(&top->status_query, &probe, base, done, opaque);
    return true;
}

/* A job of 2.2 asks once per chunk: the usual question costs a look at the last answer. */
int block_status_above(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes, block_done *done, void *opaque)
{
    struct status_query *query = &top->status_query;
    bool answered = query->answered && query->probe.offset == offset;

    assert(node_is_sectors(offset, bytes));
    assert(offset < top->disk.bytes && bytes <= top->disk.bytes - offset);
    query->answered = false;
    if (answered) {
        *extent_bytes = query->extent_bytes;
        return query->ret;
    }
    if (probe_is_instant(top, OP_STATUS)) {
        return look(top, base, offset, extent_bytes);
    }
    return takes_time(top, base, offset, bytes, done, opaque)
               ? -EINPROGRESS
               : look_or_lie(top, base, offset, bytes, extent_bytes);
}

void status_digest(const struct block_node *node, struct digest *digest)
{
    const struct status_query *query = &node->status_query;

    digest_flags(digest, query->answered, query->asked);
    if (query->answered || (query->asked && query->probe.taken)) {
        digest_i64(digest, query->ret);
        digest_u64(digest, query->extent_bytes);
    }
    if (query->asked) {
        probe_digest(&query->probe, digest);
    }
}
