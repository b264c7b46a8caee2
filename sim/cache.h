/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile write caches: what a power cut can take away.
 *
 * A disk with a volatile cache keeps, beside its content, the content that is
 * durable and the writes since, in the order of their effects.  A flush makes
 * durable what was finished when it was submitted.  A power cut asks the
 * choices about every other write (site "power-cut DISK"; answer 0: it
 * survives) and puts the disk together again from what is left.
 */
#ifndef MIRRORSIM_SIM_CACHE_H
#define MIRRORSIM_SIM_CACHE_H

#include "sim/node.h"

struct cached_write;

/* After the disk has its initial content. */
void cache_init(struct block_node *node);

/*
 * The range has just been written, zeroed or discarded.  Returns NULL if the
 * disk's cache is not volatile.
 */
struct cached_write *cache_record(struct block_node *node, uint64_t offset, uint64_t bytes);

/* The request that made the record has finished. */
void cache_finish(struct block_node *node, struct cached_write *write);

/* A flush has succeeded; `stamp` is the node's cache_stamp when it was submitted. */
void cache_flush(struct block_node *node, uint64_t stamp);

/* Records are gone afterwards, also those of unfinished requests. */
void cache_power_cut(struct block_node *node);

void cache_digest(const struct block_node *node, struct digest *digest);

#endif
