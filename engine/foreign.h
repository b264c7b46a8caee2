/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port for engines of foreign code: data that passes through real memory, and what the
 * interface of such code asks beyond what our own engines do.
 *
 * Our engines move chunk buffers and never look inside.  Foreign code has pointers: what it writes
 * is what its memory holds.  So its environment tells the block layer what that is, tag by tag.
 */
#ifndef MIRRORSIM_ENGINE_FOREIGN_H
#define MIRRORSIM_ENGINE_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"
#include "engine/interposer.h"

/* ---- Data of one request ---- */

/*
 * One buffer of `bytes`, all zeroes, for a request of that length on a node of this graph.  Unlike
 * block_buffers_create() it can't fail, and is nothing that a trace shows.
 */
struct block_buffers *block_data_create(struct block_node *node, uint64_t bytes);
void block_data_release(struct block_buffers *data);

/*
 * The next `sectors` sectors hold the tags tag, tag + step, ... (step 0 or 1).  To be called from
 * the first sector on, without gaps.
 */
void block_data_put(struct block_buffers *data, uint64_t sector, uint64_t sectors, uint64_t tag,
                    uint64_t step);

/* ---- Guest requests ---- */

/* The tag of a guest's write at the request's n-th sector, as block_buffers_tag() would give it. */
uint64_t interposed_tag(const struct interposed *request, uint64_t sector);

/* As interposed_copy() for a write, but with this data. */
void interposed_write(struct interposed *request, struct block_node *node, uint64_t offset,
                      uint64_t bytes, struct block_iov iov, block_done *done, void *opaque);

/* ---- Nodes ---- */

/* From now on nobody marks the bitmap of block_dirty_create() but who made it (S6'). */
void block_dirty_disable(struct block_dirty *dirty);

/* A disk that vouches for the content of its backing node; the job's own filter is one, too. */
bool block_is_filter(const struct block_node *node);

#endif
