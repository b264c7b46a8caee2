/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest: its requests go to the disk that it has now, or queue while that
 * is drained.  The queue keeps its order across a pivot: nothing overtakes it.  In today's
 * generation they have a life above the disks: a request comes, queues while its node is in a
 * section, arrives at the node that the guest then uses, and is answered.  What it does to disks
 * are requests of their own (request.h): one on the disk below, with the same number, and copies
 * that a job's filter adds.
 */
#ifndef MIRRORSIM_SIM_DISK_GUEST_H
#define MIRRORSIM_SIM_DISK_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/interposer.h"
#include "sim/plan/plan.h"

struct block_layer;

/* A request of the guest in today's generation; in the arena until it is answered. */
struct interposed {
    TAILQ_ENTRY(interposed) link;  /* all of the guest's, oldest first */
    STAILQ_ENTRY(interposed) turn; /* those that queue */
    struct block_layer *layer;
    const struct guest_request *guest;
    block_done *done; /* of whoever made the request, or NULL */
    void *opaque;
    void *context; /* the engine's */
    uint64_t came_ns;
    uint32_t number;
    uint16_t plan_number; /* as in events */
    bool arrived;
    bool passed;
    bool is_busy;          /* a request on a disk is in flight for it */
    block_done *part_done; /* to be told of the end of that */
    void *part_opaque;
};

TAILQ_HEAD(interposed_list, interposed);
STAILQ_HEAD(interposed_queue, interposed);

/*
 * A request of the guest on its disk; it queues while that is drained.
 * `number` is its action's or generator's in the plan, or PLAN_NONE; `guest`
 * lives until `done`, which may be NULL, is called.
 */
void guest_submit(struct block_layer *layer, const struct guest_request *guest, uint32_t number,
                  block_done *done, void *opaque);

/*
 * The last section over the guest's node has ended: what has queued arrives, in order; together
 * they count as in flight from the beginning.
 */
void guest_release(struct block_layer *layer);

/* The guest uses another node from now on: moves its edge, and says so. */
void guest_move(struct block_layer *layer, struct block_node *node);

/* Of 2.2: submits what has queued, in order, if the guest's disk is not drained. */
void guest_submit_queued(struct block_layer *layer);

/* Of today's generation. */
void guest_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that the counts are those of the lists. */
void guest_check_state(const struct block_layer *layer);

#endif
