/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What requests say to the drain of their node.
 *
 * Beginning and ending a drain is the engine's business: block_drain_begin()
 * and its companions are declared in engine/block.h.
 */
#ifndef MIRRORSIM_SIM_DISK_DRAIN_H
#define MIRRORSIM_SIM_DISK_DRAIN_H

struct block_node;

/* A request is about to be submitted: a drain that lets it in is over. */
void drain_request_comes(struct block_node *node);

/* A request has left the node: a drain that waited for the last one is done, and calls back. */
void drain_request_left(struct block_node *node);

/* Asserts that whoever waits for the last request has one to wait for. */
void drain_check(const struct block_node *node);

#endif
