/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest: its requests go to the disk that it has now, or queue while that
 * is drained.  The queue keeps its order across a pivot: nothing overtakes it.
 */
#include "sim/disk/guest.h"

#include "sim/disk/interposed.h"
#include "sim/disk/layer.h"

static void submit_to_disk(struct block_layer *layer, const struct guest_request *guest,
                           uint32_t number, block_done *done, void *opaque)
{
    struct block_node *node = &layer->nodes[layer->guest_node];
    struct request *request =
        request_create(node, guest->op, BY_GUEST, guest->offset, guest->bytes);

    request->guest = guest;
    request->plan_number = number < UINT16_MAX ? (uint16_t)(number + 1) : 0;
    request->done = done;
    request->opaque = opaque;
    layer->guest_requests++;
    writers_add(&layer->writers, request->number, request->plan_number);
    if (node->drained || !STAILQ_EMPTY(&layer->queued)) {
        request->submitted_ns = layer->timeline->now_ns;
        STAILQ_INSERT_TAIL(&layer->queued, request, turn);
        request_emit(request, EVENT_REQUEST_QUEUED, request->plan_number);
    } else {
        request_submit(request);
    }
}

void guest_submit(struct block_layer *layer, const struct guest_request *guest, uint32_t number,
                  block_done *done, void *opaque)
{
    if (layer->plan->generation == GENERATION_MODERN) {
        interposed_submit(layer, guest, number, done, opaque);
    } else {
        submit_to_disk(layer, guest, number, done, opaque);
    }
}

void guest_release(struct block_layer *layer)
{
    interposed_release(layer);
}

void guest_submit_queued(struct block_layer *layer)
{
    struct block_node *node = &layer->nodes[layer->guest_node];

    while (!node->drained && !STAILQ_EMPTY(&layer->queued)) {
        struct request *request = STAILQ_FIRST(&layer->queued);

        STAILQ_REMOVE_HEAD(&layer->queued, turn);
        request->node = node;
        request_submit(request);
    }
}
