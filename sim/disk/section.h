/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections of today's generation: who uses a node, counts over nodes, and the stack of
 * those who wait.
 *
 * A node's users are edges: the guest, a job, or the node above: an overlay, or the job's filter. A
 * node lists its edges newest first, and moving an edge makes it the newest of its new node.
 *
 * What an engine calls is declared in engine/section.h; here is what the block layer and its owner
 * need beside it.  The drain of 2.2 (drain.h) is another thing; a node has only one of the two.
 */
#ifndef MIRRORSIM_SIM_DISK_SECTION_H
#define MIRRORSIM_SIM_DISK_SECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/section.h"

struct block_layer;

/* ---- Edges ---- */

enum edge_kind {
    EDGE_GUEST, /* its requests queue in a section */
    EDGE_ABOVE, /* a section is one over the node above, too */
    EDGE_JOB,
};

struct block_edge {
    TAILQ_ENTRY(block_edge) link; /* the node's */
    struct block_node *node;      /* that is used; NULL: not attached */
    enum edge_kind kind;
    bool quiesced; /* has been told that a section has begun, not that it has ended */
    bool own;      /* EDGE_ABOVE, quiesced: only by sections of the job's own */
    const struct edge_user *user; /* EDGE_JOB: what is called ... */
    void *opaque;                 /* ... with this; EDGE_ABOVE: the node that uses the other */
};

/* The node at the upper end of an edge between nodes. */
struct block_node *edge_above(const struct block_edge *edge);

/* Makes `edge`, which is not attached, a use of the node; tells it of a section. */
void edge_attach(struct block_edge *edge, struct block_node *node);

/* The use ends; tells it that the sections have. */
void edge_detach(struct block_edge *edge);

/* Detaches and attaches, telling only what is new. */
void edge_move(struct block_edge *edge, struct block_node *node);

/* The node's open backing node may have become another one, or none: its edge goes there. */
void edge_follow_backing(struct block_node *node);

/* ---- Sections ---- */

/* Somebody waits until the node is quiet, after those who asked before, who wait longer. */
struct section_wait {
    SLIST_ENTRY(section_wait) link;
    struct block_node *node; /* NULL: all */
    enum by by;
    void (*quiet)(void *opaque);
    void *opaque;
};

SLIST_HEAD(section_waits, section_wait);

/* As block_section_begin() and its companions, by whom: BY_NONE is the story.  NULL: all nodes. */
void section_begin(struct block_layer *layer, struct block_node *node, enum by by,
                   void (*quiet)(void *opaque), void *opaque);
void section_end(struct block_layer *layer, struct block_node *node, enum by by);

/*
 * To be called after each event of the timeline: who waited last is called if his node is quiet
 * now, then the one before him, and so on.
 */
void sections_settle(struct block_layer *layer);

/* Adds sections, edges and waits; nothing where there can be none. */
void sections_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that counts and edges agree. */
void sections_check(const struct block_layer *layer);

#endif
