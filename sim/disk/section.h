/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections of today's generation: counts over nodes, and the stack of those who wait.
 *
 * What an engine calls is declared in engine/section.h; here is what the block layer and its owner
 * need beside it.  The drain of 2.2 (drain.h) is another thing; a node has only one of the two.
 */
#ifndef MIRRORSIM_SIM_DISK_SECTION_H
#define MIRRORSIM_SIM_DISK_SECTION_H

#include <stdbool.h>
#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/section.h"

struct block_layer;

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

/* One more, or one less, of what keeps the node in sections; its edges are told. */
void node_quiesce(struct block_node *node);
void node_release(struct block_node *node);

/* Adds sections, edges and waits; nothing where there can be none. */
void sections_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that counts and edges agree. */
void sections_check(const struct block_layer *layer);

#endif
