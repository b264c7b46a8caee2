/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile write caches: what a power cut can take away.
 *
 * A disk with a volatile cache keeps, beside its content, the content that is
 * durable and the writes since, in the order of their effects.  A flush makes
 * durable what was finished when it was submitted, and what took effect in the
 * same sectors before that.  A power cut decides about every other write, lost,
 * kept, or in part: its plan says so, or leaves it to the choices (site
 * "power-cut DISK": 0 kept, 1 lost, 2 sector by sector).  The disk is back at
 * once, put together again from what is left; its requests go on.
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

/* No record is left afterwards, also of unfinished requests. */
void cache_power_cut(struct block_node *node, enum power_cut cut);

void cache_digest(const struct block_node *node, struct digest *digest);

/* Asserts that the log is of writes inside the disk, and of none that finishes later than now. */
void cache_check(const struct block_node *node);

#endif
