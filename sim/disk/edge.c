/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edges: attaching, moving, and the way upwards of a section.
 *
 * A node counts the sections over it, and each edge below it that is quiesced; what changes is told
 * at the first and after the last.
 */
#include "sim/disk/edge.h"

#include <assert.h>

#include "sim/disk/guest.h"
#include "sim/disk/layer.h"
#include "sim/disk/section.h"

/* ---- Telling ---- */

static void tell_begun(struct block_edge *edge)
{
    edge->quiesced = true;
    switch (edge->kind) {
    case EDGE_GUEST:
        break; /* it looks before each request */
    case EDGE_ABOVE:
        node_quiesce(edge->above);
        break;
    case EDGE_JOB:
        edge->user->begun(edge->opaque);
        break;
    }
}

static void tell_ended(struct block_edge *edge)
{
    edge->quiesced = false;
    switch (edge->kind) {
    case EDGE_GUEST:
        guest_release(edge->layer);
        break;
    case EDGE_ABOVE:
        node_release(edge->above);
        break;
    case EDGE_JOB:
        edge->user->ended(edge->opaque);
        break;
    }
}

void node_quiesce(struct block_node *node)
{
    struct block_edge *edge;

    assert(!node->drained && !node->idles);
    if (node->sections++ > 0) {
        return;
    }
    TAILQ_FOREACH (edge, &node->edges, link) {
        tell_begun(edge);
    }
}

void node_release(struct block_node *node)
{
    struct block_edge *edge;

    assert(node->sections > 0);
    if (--node->sections > 0) {
        return;
    }
    TAILQ_FOREACH (edge, &node->edges, link) {
        tell_ended(edge);
    }
}

/* ---- Attaching ---- */

static void link_edge(struct block_edge *edge, struct block_node *node)
{
    assert(edge->node == NULL);
    edge->node = node;
    TAILQ_INSERT_HEAD(&node->edges, edge, link);
}

static void unlink_edge(struct block_edge *edge)
{
    assert(edge->node != NULL);
    TAILQ_REMOVE(&edge->node->edges, edge, link);
    edge->node = NULL;
}

/* The edge is at its place: does it know whether there is a section? */
static void tell_change(struct block_edge *edge)
{
    bool in_section = edge->node != NULL && edge->node->sections > 0;

    if (in_section && !edge->quiesced) {
        tell_begun(edge);
    } else if (!in_section && edge->quiesced) {
        tell_ended(edge);
    }
}

void edge_attach(struct block_edge *edge, struct block_node *node)
{
    link_edge(edge, node);
    tell_change(edge);
}

void edge_detach(struct block_edge *edge)
{
    unlink_edge(edge);
    tell_change(edge);
}

void edge_move(struct block_edge *edge, struct block_node *node)
{
    unlink_edge(edge);
    link_edge(edge, node);
    tell_change(edge);
}

void edge_follow_backing(struct block_node *node)
{
    struct block_node *backing = node_backing(node);
    struct block_edge *edge = &node->below;

    if (edge->node == backing) {
        return;
    }
    edge->kind = EDGE_ABOVE;
    edge->above = node;
    edge->layer = node->layer;
    if (backing == NULL) {
        edge_detach(edge);
    } else if (edge->node == NULL) {
        edge_attach(edge, backing);
    } else {
        edge_move(edge, backing);
    }
}

/* ---- The port ---- */

struct block_edge *block_edge_attach(struct block_node *node, const struct edge_user *user,
                                     void *opaque)
{
    struct block_edge *edge = arena_alloc(node->layer->arena, sizeof(*edge));

    edge->kind = EDGE_JOB;
    edge->layer = node->layer;
    edge->user = user;
    edge->opaque = opaque;
    edge_attach(edge, node);
    return edge;
}

void block_edge_detach(struct block_edge *edge)
{
    assert(edge->kind == EDGE_JOB);
    edge_detach(edge);
    arena_free(edge->layer->arena, edge, sizeof(*edge));
}
