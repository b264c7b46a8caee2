/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile write caches: what a power cut can take away.
 *
 * A disk with a volatile cache keeps, beside its content, the content that is
 * durable and the writes since, in the order of their effects.  A flush makes
 * durable the writes that had finished when it was submitted, and earlier
 * effects in the same sectors.  A power cut keeps, loses or tears every other
 * write: the plan says which, or leaves it to the choices (site "power-cut
 * DISK": 0 kept, 1 lost, 2 sector by sector).  A flush that fails can drop what it was to make
 * durable: it leaves the log, and what is not in there is neither flushed nor kept any more.  The
 * disk is back at once with what is left; requests in flight continue.
 */
#ifndef MIRRORSIM_SIM_DISK_CACHE_H
#define MIRRORSIM_SIM_DISK_CACHE_H

#include "sim/disk/node.h"

/* After the disk has its initial content. */
void cache_init(struct block_node *node);

/* A request has just written, zeroed or discarded the range. */
void cache_record(struct block_node *node, uint32_t request, uint64_t offset, uint64_t bytes);

/* The request has finished. */
void cache_finish(struct block_node *node, uint32_t request);

/* A flush has succeeded; `stamp` is the node's cache_stamp when it was submitted. */
void cache_flush(struct block_node *node, uint64_t stamp);

/*
 * A flush has failed, and what it was to make durable is lost: now, or else readers see it until
 * the next power cut.
 */
void cache_drop(struct block_node *node, uint64_t stamp, bool now);

/* Empties the log, records of unfinished requests included. */
void cache_power_cut(struct block_node *node, enum power_cut cut);

void cache_digest(const struct block_node *node, struct digest *digest);

/* Asserts that the log holds whole sectors, in range, and no stamp of the future. */
void cache_check(const struct block_node *node);

#endif
