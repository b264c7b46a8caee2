/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the block graph: references, blockers, flags, lengths, links, pivot.
 *
 * Declared in engine/block.h, because all of it is the engine's port.  Every change is in the
 * trace, so that oracles can keep count.  What makes an earlier lookup stale counts as a layout
 * change.
 */
#include <assert.h>

#include "engine/block.h"
#include "sim/disk/dirty.h"
#include "sim/disk/layer.h"

static void emit(struct block_node *node, enum event_kind kind, uint64_t bytes, int ret)
{
    layer_emit(
        node->layer,
        &(struct event){
            .kind = (uint8_t)kind, .by = BY_JOB, .node = node->id, .bytes = bytes, .ret = ret});
}

void block_ref(struct block_node *node)
{
    node->refs++;
    emit(node, EVENT_GRAPH_REF, node->refs, 0);
}

void block_unref(struct block_node *node)
{
    assert(node->refs > 0);
    node->refs--;
    emit(node, EVENT_GRAPH_UNREF, node->refs, 0);
}

void block_op_block_all(struct block_node *node)
{
    node->blockers++;
    emit(node, EVENT_GRAPH_BLOCK, 0, 0);
}

void block_op_unblock_all(struct block_node *node)
{
    assert(node->blockers > 0);
    node->blockers--;
    emit(node, EVENT_GRAPH_UNBLOCK, 0, 0);
}

int block_reopen(struct block_node *node, uint32_t flags)
{
    int ret = fault_query(node, OP_REOPEN, 0, 0);

    if (ret == 0) {
        node->flags = flags;
    }
    emit(node, EVENT_GRAPH_REOPEN, flags, ret);
    return ret;
}

int block_truncate(struct block_node *node, uint64_t bytes)
{
    int ret = fault_query(node, OP_TRUNCATE, 0, 0);
    uint64_t old_bytes = node->disk.bytes;

    assert(bytes % SECTOR_BYTES == 0);
    if (ret == 0) {
        /* Forgotten, so that it does not come back when the disk grows again. */
        if (bytes < old_bytes) {
            image_punch(node->disk.image, bytes, old_bytes - bytes);
        }
        node->disk.bytes = bytes;
        dirty_resize(node);
        node->layer->layout_changes++;
    }
    emit(node, EVENT_GRAPH_TRUNCATE, bytes, ret);
    return ret;
}

int block_open_backing(struct block_node *node)
{
    int ret = 0;

    if (node->disk.backing != PLAN_NONE && !node->disk.backing_open) {
        ret = fault_query(node, OP_OPEN_BACKING, 0, 0);
        if (ret == 0) {
            node->disk.backing_open = true;
            node->layer->layout_changes++;
        }
        emit(node, EVENT_GRAPH_OPEN_BACKING, 0, ret);
    }
    if (ret == 0) {
        node->flags &= ~DISK_FLAG_NO_BACKING;
    }
    return ret;
}

void block_unlink_backing(struct block_node *node)
{
    node->disk.backing_open = false;
    node->layer->layout_changes++;
    emit(node, EVENT_GRAPH_UNLINK, 0, 0);
}

/*
 * The new node keeps its own link, also one to the old node: else it would be
 * below itself.  Nothing is submitted here: what the guest has queued is
 * submitted when the drain ends (block_drain_end()), to the node that it has
 * by then (C6, D12).  The event comes last: an observer sees the graph with
 * everybody moved.
 */
void block_replace(struct block_node *old_node, struct block_node *new_node)
{
    struct block_layer *layer = new_node->layer;

    assert(old_node != new_node && old_node->layer == layer);
    for (uint32_t i = 0; i < layer->node_count; i++) {
        struct block_node *parent = &layer->nodes[i];

        if (parent != new_node && node_backing(parent) == old_node) {
            parent->disk.backing = new_node->id;
        }
    }
    if (layer->guest_node == old_node->id) {
        layer->guest_node = new_node->id;
    }
    layer->layout_changes++;
    layer_emit(layer, &(struct event){.kind = EVENT_GRAPH_PIVOT,
                                      .by = BY_JOB,
                                      .node = new_node->id,
                                      .index = old_node->id});
}
