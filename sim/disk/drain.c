/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Draining a node: new guest requests queue, those in flight finish (L5, D13).
 *
 * The queue is the guest's, not the node's: what has queued goes to the disk
 * that the guest has when the drain ends.  After a pivot that is another one.
 */
#include "sim/disk/drain.h"

#include <assert.h>

#include "sim/disk/guest.h"
#include "sim/disk/layer.h"

static void emit(struct block_node *node, enum event_kind kind)
{
    layer_emit(node->layer, &(struct event){.kind = (uint8_t)kind, .by = BY_JOB, .node = node->id});
}

/*
 * True if no request is in flight, and otherwise calls when none is any more.
 * DRAIN_BEGIN comes before DRAINED also when there is nothing to wait for.
 */
static bool await_last(struct block_node *node, void (*done)(void *opaque), void *opaque)
{
    emit(node, EVENT_DRAIN_BEGIN);
    if (node->in_flight == 0) {
        emit(node, EVENT_DRAINED);
        return true;
    }
    node->drain_done = done;
    node->drain_opaque = opaque;
    return false;
}

bool block_drain_begin(struct block_node *node, void (*drained)(void *opaque), void *opaque)
{
    assert(drained != NULL && !node->drained && !node->idles);
    node->drained = true;
    return await_last(node, drained, opaque);
}

void drain_request_left(struct block_node *node)
{
    void (*drained)(void *opaque) = node->drain_done;

    if (drained != NULL && node->in_flight == 0) {
        /* Forgotten before the call, which may begin the next drain or submit. */
        node->drain_done = NULL;
        emit(node, EVENT_DRAINED);
        drained(node->drain_opaque);
    }
}

/* ---- Without a queue ---- */

bool block_idle_begin(struct block_node *node, void (*idle)(void *opaque), void *opaque)
{
    assert(idle != NULL && !node->drained);
    block_idle_end(node);
    node->idles = true;
    return await_last(node, idle, opaque);
}

void block_idle_end(struct block_node *node)
{
    if (node->idles) {
        node->idles = false;
        node->drain_done = NULL;
        emit(node, EVENT_DRAIN_END);
    }
}

void drain_request_comes(struct block_node *node)
{
    if (node->idles && node->drain_done == NULL) {
        block_idle_end(node);
    }
}

uint32_t block_in_flight(const struct block_node *node)
{
    return node->in_flight;
}

/* ---- The end ---- */

void block_drain_end(struct block_node *node)
{
    assert(node->drained);
    node->drained = false;
    node->drain_done = NULL;
    emit(node, EVENT_DRAIN_END);
    /*
     * Last, and by the guest's disk, not by this node: after a pivot (C6) the
     * queue goes to the new disk, in its order.
     */
    guest_submit_queued(node->layer);
}

void drain_check(const struct block_node *node)
{
    assert(!(node->drained && node->idles));
    assert(node->drain_done == NULL || ((node->drained || node->idles) && node->in_flight > 0));
}
