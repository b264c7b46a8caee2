/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter: putting it in, taking it out.
 *
 * Users are edges, so both are a move of edges.  Overlays stay where they are: they read the disk
 * below all the same.
 */
#include "sim/disk/filter.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/disk/layer.h"
#include "sim/disk/section.h"

#define DEFAULT_NAME "filter"

bool node_is_filter(const struct block_node *node)
{
    return node->id == BLOCK_FILTER_ID;
}

void filter_arrive(struct block_layer *layer, struct interposed *interposed)
{
    layer->interposer->arrived(layer->interposer_opaque, interposed);
}

void filter_move_guest(struct block_layer *layer, struct block_node *node)
{
    const struct block_node *old = layer->guest_edge.node;

    edge_move(&layer->guest_edge, node);
    layer_emit(layer,
               &(struct event){
                   .kind = EVENT_GUEST_MOVED, .by = BY_JOB, .node = node->id, .index = old->id});
}

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
    filter->below.layer = layer;
    filter->below.above = filter;
    return filter;
}

int block_filter_insert(struct block_node *below, const char *name,
                        const struct interposer *interposer, void *opaque,
                        struct block_node **filter)
{
    struct block_layer *layer = below->layer;

    assert(below->sections > 0 && interposer != NULL && layer->filter == NULL);
    name = name == NULL ? DEFAULT_NAME : name;
    if (block_node_find(layer_host(layer), name) != NULL) {
        return -EEXIST;
    }
    *filter = filter_create(below, name);
    edge_attach(&(*filter)->below, below);
    layer->filter = *filter;
    layer->interposer = interposer;
    layer->interposer_opaque = opaque;
    if (layer->guest_edge.node == below) {
        filter_move_guest(layer, *filter);
    }
    return 0;
}

void block_filter_remove(struct block_node *filter)
{
    struct block_layer *layer = filter->layer;
    struct block_node *below = filter->below.node;

    assert(filter == layer->filter && filter->sections > 0 && layer->guest_in_flight == 0);
    if (layer->guest_edge.node == filter) {
        filter_move_guest(layer, below);
    }
    edge_detach(&filter->below);
    layer->filter = NULL;
    layer->interposer = NULL;
    layer->interposer_opaque = NULL;
}
