/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the block graph: references, blockers, flags, lengths, links, pivot.
 *
 * Declared in engine/block.h, zeroes.h and interposer.h, because all of it is the engine's port.
 * Every change is in the trace, so that oracles can keep count; of a filter's references and
 * blockers nobody keeps count.  What makes an earlier lookup stale counts as a layout change.
 */
#include <assert.h>
#include <errno.h>

#include "engine/block.h"
#include "engine/foreign.h"
#include "engine/interposer.h"
#include "engine/zeroes.h"
#include "sim/disk/dirty.h"
#include "sim/disk/layer.h"

static void emit(struct block_node *node, enum event_kind kind, uint64_t bytes, int ret)
{
    if (!node_is_filter(node)) {
        layer_emit(
            node->layer,
            &(struct event){
                .kind = (uint8_t)kind, .by = BY_JOB, .node = node->id, .bytes = bytes, .ret = ret});
    }
}

static void filter_free(struct block_node *filter);

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
    if (node_is_filter(node) && node->refs == 0) {
        filter_free(node);
    }
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

/* In today's generation every new link is told. */
static void emit_backing(struct block_node *node, int ret)
{
    const struct block_node *backing = node_backing(node);

    layer_emit(node->layer, &(struct event){.kind = EVENT_GRAPH_BACKING,
                                            .by = BY_JOB,
                                            .node = node->id,
                                            .index = backing == NULL ? UINT8_MAX : backing->id,
                                            .ret = ret});
}

int block_open_backing(struct block_node *node)
{
    int ret = 0;

    if (node->disk.backing != PLAN_NONE && !node->disk.backing_open) {
        ret = fault_query(node, OP_OPEN_BACKING, 0, 0);
        if (ret == 0) {
            node->disk.backing_open = true;
            edge_follow_backing(node);
            node->layer->layout_changes++;
        }
        emit(node, EVENT_GRAPH_OPEN_BACKING, 0, ret);
        if (ret == 0 && node->layer->plan->generation == GENERATION_MODERN) {
            emit_backing(node, 0);
        }
    }
    if (ret == 0) {
        node->flags &= ~DISK_FLAG_NO_BACKING;
    }
    return ret;
}

void block_unlink_backing(struct block_node *node)
{
    node->disk.backing_open = false;
    edge_follow_backing(node);
    node->layer->layout_changes++;
    emit(node, EVENT_GRAPH_UNLINK, 0, 0);
}

int block_set_backing(struct block_node *node, struct block_node *backing)
{
    int ret = fault_query(node, OP_SET_BACKING, 0, 0);

    assert(!node_is_filter(node) && node != backing);
    if (ret == 0) {
        node->disk.backing = backing == NULL ? PLAN_NONE : backing->id;
        node->disk.backing_open = backing != NULL;
        edge_follow_backing(node);
        node->layer->layout_changes++;
    }
    emit_backing(node, ret);
    return ret;
}

bool block_is_read_only(const struct block_node *node)
{
    return node->read_only;
}

int block_set_read_only(struct block_node *node, bool read_only)
{
    int ret = fault_query(node, OP_READ_ONLY, 0, 0);

    if (ret == 0) {
        node->read_only = read_only;
    }
    layer_emit(node->layer, &(struct event){.kind = EVENT_GRAPH_READ_ONLY,
                                            .by = BY_JOB,
                                            .node = node->id,
                                            .detail = read_only,
                                            .ret = ret});
    return ret;
}

/* ---- Pivot ---- */

static void emit_pivot(struct block_node *new_node, const struct block_node *old_node)
{
    layer_emit(new_node->layer, &(struct event){.kind = EVENT_GRAPH_PIVOT,
                                                .by = BY_JOB,
                                                .node = new_node->id,
                                                .index = old_node->id});
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
            edge_follow_backing(parent);
        }
    }
    if (layer->guest_node == old_node->id) {
        layer->guest_node = new_node->id;
        edge_move(&layer->guest_edge, new_node);
    }
    layer->layout_changes++;
    emit_pivot(new_node, old_node);
}

/* What vouches for the same content below it: the job's filter, and disks that are filters. */
static const struct block_node *below_filter(const struct block_node *node)
{
    if (node_is_filter(node)) {
        return node->below.node;
    }
    return node->spec->filter ? node_backing(node) : NULL;
}

bool block_can_replace(const struct block_node *node, const struct block_node *to_replace)
{
    while (node != NULL && node != to_replace) {
        node = below_filter(node);
    }
    return node == to_replace;
}

bool block_is_filter(const struct block_node *node)
{
    return node_is_filter(node) || node->spec->filter;
}

/* Jobs stay where they are, and what `to` is or is made of can't come to lie above it. */
static bool edge_moves(const struct block_edge *edge, const struct block_node *to)
{
    switch (edge->kind) {
    case EDGE_GUEST:
        return true;
    case EDGE_ABOVE:
        return edge_above(edge) != to &&
               (node_is_filter(edge_above(edge)) || !block_is_below(edge_above(edge), to));
    case EDGE_JOB:
        break;
    }
    return false;
}

static void move_edge(struct block_edge *edge, struct block_node *to)
{
    if (edge->kind == EDGE_GUEST) {
        guest_move(to->layer, to);
    } else if (node_is_filter(edge_above(edge))) {
        edge_move(edge, to);
    } else {
        edge_above(edge)->disk.backing = to->id;
        edge_follow_backing(edge_above(edge));
    }
}

/* The guest uses the node, or the filter on it. */
static bool guest_is_on(const struct block_node *node)
{
    return node->layer->guest_node == node->id;
}

int block_move_users(struct block_node *from, struct block_node *to)
{
    struct block_edge *edge = TAILQ_FIRST(&from->edges);

    assert(from->sections > 0 && to->sections > 0 && from != to);
    assert(!node_is_filter(from) && !node_is_filter(to));
    while (edge != NULL) {
        struct block_edge *next = TAILQ_NEXT(edge, link);

        if (edge_moves(edge, to)) {
            move_edge(edge, to);
        }
        edge = next;
    }
    to->layer->layout_changes++;
    if (guest_is_on(from)) {
        to->layer->guest_node = to->id;
    }
    emit_pivot(to, from);
    return 0;
}

/* ---- The filter ---- */

/*
 * A node without content: who reads or writes it, reads or writes the disk below; only its edges,
 * its sections and its users are its own.  Putting it in and taking it out are moves of edges.
 * Overlays stay where they are: they read the disk below all the same.
 */
#define DEFAULT_FILTER_NAME "filter"

static struct block_node *filter_create(struct block_node *below, const char *name)
{
    struct block_layer *layer = below->layer;
    struct block_node *filter = arena_alloc(layer->arena, sizeof(*filter));
    struct disk_spec *spec = arena_alloc(layer->arena, sizeof(*spec));

    *spec = (struct disk_spec){.name = name, .filter = true, .backing = PLAN_NONE};
    filter->layer = layer;
    filter->spec = spec;
    filter->id = BLOCK_FILTER_ID;
    filter->refs = 1;
    filter->sections = layer->all_sections;
    filter->disk.backing = PLAN_NONE;
    TAILQ_INIT(&filter->edges);
    STAILQ_INIT(&filter->waiting);
    STAILQ_INIT(&filter->cached);
    filter->below.kind = EDGE_ABOVE;
    filter->below.opaque = filter;
    return filter;
}

int block_filter_insert(struct block_node *below, const char *name,
                        const struct interposer *interposer, void *opaque,
                        struct block_node **filter)
{
    struct block_layer *layer = below->layer;

    assert(below->sections > 0 && interposer != NULL && layer->filter == NULL);
    name = name == NULL ? DEFAULT_FILTER_NAME : name;
    if (block_node_find(layer_host(layer), name) != NULL) {
        return -EEXIST;
    }
    *filter = filter_create(below, name);
    edge_attach(&(*filter)->below, below);
    layer->filter = *filter;
    layer->interposer = interposer;
    layer->interposer_opaque = opaque;
    if (layer->guest_edge.node == below) {
        guest_move(layer, *filter);
    }
    return 0;
}

void block_filter_remove(struct block_node *filter)
{
    struct block_layer *layer = filter->layer;
    struct block_node *below = filter->below.node;

    assert(filter == layer->filter && filter->sections > 0 && layer->guest_in_flight == 0);
    if (layer->guest_edge.node == filter) {
        guest_move(layer, below);
    }
    edge_detach(&filter->below);
    layer->filter = NULL;
    layer->interposer = NULL;
    layer->interposer_opaque = NULL;
}

/* Nobody uses it any more. */
static void filter_free(struct block_node *filter)
{
    struct block_layer *layer = filter->layer;

    assert(filter != layer->filter && TAILQ_EMPTY(&filter->edges) && filter->blockers == 0);
    arena_free(layer->arena, (void *)(uintptr_t)filter->spec, sizeof(*filter->spec));
    arena_free(layer->arena, filter, sizeof(*filter));
}
