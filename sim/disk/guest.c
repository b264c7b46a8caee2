/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest: its requests go to the disk that it has now, or queue while that
 * is drained.  The queue keeps its order across a pivot: nothing overtakes it.
 */
#include "sim/world/private.h"

void guest_submit(struct world *world, const struct guest_request *guest, uint32_t number,
                  block_done *done, void *opaque)
{
    struct block_node *node = &world->nodes[world->guest_node];
    struct request *request =
        request_create(node, guest->op, BY_GUEST, guest->offset, guest->bytes);

    request->guest = guest;
    request->plan_number = number < UINT16_MAX ? (uint16_t)(number + 1) : 0;
    request->done = done;
    request->opaque = opaque;
    world->guest_requests++;
    writers_add(&world->writers, request->number, request->plan_number);
    if (node->drained || !STAILQ_EMPTY(&world->queued)) {
        request->submitted_ns = world->timeline.now_ns;
        STAILQ_INSERT_TAIL(&world->queued, request, turn);
        request_emit(request, EVENT_REQUEST_QUEUED, request->plan_number);
    } else {
        request_submit(request);
    }
}

void guest_submit_queued(struct world *world)
{
    struct block_node *node = &world->nodes[world->guest_node];

    while (!node->drained && !STAILQ_EMPTY(&world->queued)) {
        struct request *request = STAILQ_FIRST(&world->queued);

        STAILQ_REMOVE_HEAD(&world->queued, turn);
        request->node = node;
        request_submit(request);
    }
}
