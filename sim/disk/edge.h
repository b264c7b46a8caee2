/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edges: who uses a node, and so is told of drained sections over it.
 *
 * A user is the guest, a job, or the node above: an overlay, or the job's filter.  A node lists its
 * edges newest first, and moving an edge makes it the newest of its new node.
 */
#ifndef MIRRORSIM_SIM_DISK_EDGE_H
#define MIRRORSIM_SIM_DISK_EDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/section.h"

enum edge_kind {
    EDGE_GUEST, /* its requests queue in a section */
    EDGE_ABOVE, /* a section is one over the node above, too */
    EDGE_JOB,
};

struct block_edge {
    TAILQ_ENTRY(block_edge) link; /* the node's */
    struct block_node *node;      /* that is used; NULL: not attached */
    enum edge_kind kind;
    bool quiesced;            /* has been told that a section has begun, not that it has ended */
    struct block_node *above; /* EDGE_ABOVE: the user */
    struct block_layer *layer;
    const struct edge_user *user; /* EDGE_JOB */
    void *opaque;
};

/* Makes `edge`, which is not attached, a use of the node; tells it of a section. */
void edge_attach(struct block_edge *edge, struct block_node *node);

/* The use ends; tells it that the sections have. */
void edge_detach(struct block_edge *edge);

/* Detaches and attaches, telling only what is new. */
void edge_move(struct block_edge *edge, struct block_node *node);

/* The node's open backing node may have become another one, or none: its edge goes there. */
void edge_follow_backing(struct block_node *node);

#endif
