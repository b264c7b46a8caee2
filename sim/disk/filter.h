/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter node of a job: between the guest and its disk.
 *
 * What an engine calls is declared in engine/interposer.h.  There is one at most.  It is a node
 * without content: who reads or writes it, reads or writes the disk below; only its edges, its
 * sections and its users are its own.  It has no events of its own but those that say that the
 * guest moves to it or from it.
 */
#ifndef MIRRORSIM_SIM_DISK_FILTER_H
#define MIRRORSIM_SIM_DISK_FILTER_H

#include "engine/interposer.h"

struct block_layer;

/* A request of the guest has arrived at the filter: the engine's now. */
void filter_arrive(struct block_layer *layer, struct interposed *interposed);

/* The guest uses another node: moves its edge, and says so. */
void filter_move_guest(struct block_layer *layer, struct block_node *node);

/* True if it is no disk. */
bool node_is_filter(const struct block_node *node);

#endif
