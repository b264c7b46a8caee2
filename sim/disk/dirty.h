/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps of a node: every write marks all of them, each user cleans
 * its own (S6, D6).  One that a job of today's generation makes for itself is marked by that job
 * alone.
 */
#ifndef MIRRORSIM_SIM_DISK_DIRTY_H
#define MIRRORSIM_SIM_DISK_DIRTY_H

#include <stdint.h>

#include "engine/block.h"
#include "engine/digest.h"

struct block_layer;

/* A write of this range has ended: marks it in every bitmap of the node. */
void dirty_mark(struct block_node *node, enum by by, uint64_t offset, uint64_t bytes);

/* The node has another length: its bitmaps follow, as far as DIRTY_MAX_CHUNKS. */
void dirty_resize(struct block_node *node);

/* Attaches the bitmaps of other users that the plan gives to its disks. */
void dirty_create_others(struct block_layer *layer);

void dirty_digest(const struct block_node *node, struct digest *digest);

/* Asserts that each bitmap is sound, and has a bit for every chunk of the node. */
void dirty_check(const struct block_node *node);

#endif
