/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest: its requests go to the disk that it has now, or queue while that
 * is drained.  The queue keeps its order across a pivot: nothing overtakes it.  In today's
 * generation they have a life above the disks (interposed.h).
 */
#ifndef MIRRORSIM_SIM_DISK_GUEST_H
#define MIRRORSIM_SIM_DISK_GUEST_H

#include <stdint.h>

#include "engine/block.h"
#include "sim/plan/plan.h"

struct block_layer;

/*
 * A request of the guest on its disk; it queues while that is drained.
 * `number` is its action's or generator's in the plan, or PLAN_NONE; `guest`
 * lives until `done`, which may be NULL, is called.
 */
void guest_submit(struct block_layer *layer, const struct guest_request *guest, uint32_t number,
                  block_done *done, void *opaque);

/* The last section over the guest's node has ended: what has queued arrives, in order. */
void guest_release(struct block_layer *layer);

/* Of 2.2: submits what has queued, in order, if the guest's disk is not drained. */
void guest_submit_queued(struct block_layer *layer);

#endif
