/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's requests in today's generation, as seen above the disks.
 *
 * A request comes, queues while its node is in a section, arrives at the node that the guest then
 * uses, and is answered.  What it does to disks are requests of their own (request.h): one on the
 * disk below, with the same number, and copies that a job's filter adds.
 */
#ifndef MIRRORSIM_SIM_DISK_INTERPOSED_H
#define MIRRORSIM_SIM_DISK_INTERPOSED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/interposer.h"
#include "sim/plan/plan.h"

struct block_layer;

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

/* A request of the guest; as guest_submit(). */
void interposed_submit(struct block_layer *layer, const struct guest_request *guest,
                       uint32_t plan_number, block_done *done, void *opaque);

/* Those that queue arrive, in order; together they count as in flight from the beginning. */
void interposed_release(struct block_layer *layer);

void interposed_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that the counts are those of the list. */
void interposed_check(const struct block_layer *layer);

#endif
