/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections that nest and count, over nodes and those who use them.
 *
 * A node's users are edges: the guest's backend, the node above, and jobs.  Edges are told in the
 * order newest first, at the first section over the node and at the end of the last one; a section
 * on a node is one on every node above it (the filter above the source).  In a section the guest's
 * requests queue at its backend; those of a job's target user pass.
 *
 * Who begins a section waits until the node is quiet: no request in flight on it, none of a user
 * above it that has arrived and is not finished, and no job above it busy.  Waiting is not a nested
 * event loop but a stack of waits that the world keeps: the one asked last is looked at when it is
 * asked and after every timeline event, and when its node is quiet it is taken off and its `quiet`
 * is called, before any other event; then the one below is looked at.  This is what nested event
 * loops come to: an outer wait can't end before the inner one has.  All events run meanwhile,
 * commands included.  The stack is state of the world: part of snapshot and digest.
 *
 * The caller's continuation is `quiet(opaque)`: whatever it would have kept on a stack is a phase
 * of its own (start: enum start_phase; a story's `drain` step: the story).
 */
#ifndef MIRRORSIM_ENGINE_SECTION_H
#define MIRRORSIM_ENGINE_SECTION_H

#include <stdbool.h>

#include "engine/block.h"

/* What a job does about sections over a node that it uses. */
struct edge_user {
    void (*begun)(void *opaque); /* quiesce: once per edge, from inside block_section_begin() */
    bool (*busy)(void *opaque);  /* asked while somebody waits; changes nothing */
    void (*ended)(void *opaque); /* the last section over the node has ended */
};

struct block_edge;

/*
 * The job becomes a user of the node, which stays where it is when other users move.  Attached to a
 * node in a section, it is told `begun` at once; detached from one, `ended`.
 */
struct block_edge *block_edge_attach(struct block_node *node, const struct edge_user *user,
                                     void *opaque);
void block_edge_detach(struct block_edge *edge);

/*
 * Begins a section over the node.  Tells the users now, and calls `quiet` when it is quiet: perhaps
 * from inside this call.  Not from a strand: a job's continuation asks through host_defer().
 */
void block_section_begin(struct block_node *node, void (*quiet)(void *opaque), void *opaque);

/*
 * One of the job's own: the guest's requests queue in it, as in any, but the edges of jobs are not
 * told, so that the job can work on in it.  They are told of the sections of others as ever.
 */
void block_section_begin_own(struct block_node *node, void (*quiet)(void *opaque), void *opaque);
void block_section_end_own(struct block_node *node);

/* Over all nodes of the graph at once: around a graph change (modern-algorithm J11). */
void block_section_begin_all(struct host *host, void (*quiet)(void *opaque), void *opaque);

/*
 * Ends one.  At the node's last: the edges are told `ended`, newest first, which for the guest's
 * backend means that all its queued requests count as in flight, and then arrive one by one at the
 * node that it now uses.
 */
void block_section_end(struct block_node *node);
void block_section_end_all(struct host *host);

/* Sections over the node, by whomever. */
uint32_t block_sections(const struct block_node *node);

/*
 * Calls `run(opaque)` from the main loop at this instant, behind what is due already.  Unlike a
 * timer it is never late (plan: timer-slack) and can't be stopped.
 */
void host_defer(struct host *host, void (*run)(void *opaque), void *opaque);

#endif
