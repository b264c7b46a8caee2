/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests that are not finished: releasing, showing and digesting them.
 *
 * Declared in sim/disk/request.h: they are its requests.
 */
#include "sim/disk/request.h"

#include <assert.h>

#include "sim/disk/buffer.h"
#include "sim/disk/layer.h"

/* ---- Holds ---- */

void requests_release(struct block_layer *layer, uint32_t fault)
{
    struct request *request;

    assert(fault < layer->plan->fault_count);
    TAILQ_FOREACH (request, &layer->requests, link) {
        struct request_faults *faults = &request->faults;
        bool stopped = (request->state == REQUEST_HELD && faults->hold == fault) ||
                       (request->state == REQUEST_HUNG && faults->hang == fault);

        faults->hold = faults->hold == fault ? FAULT_NONE : faults->hold;
        faults->hang = faults->hang == fault ? FAULT_NONE : faults->hang;
        if (stopped) {
            request_emit(request, EVENT_RELEASED, (uint16_t)fault);
            request_resume(request);
        }
    }
    probes_release(layer, fault);
}

bool requests_held_by(const struct block_layer *layer, uint32_t fault)
{
    const struct request *request;

    TAILQ_FOREACH (request, &layer->requests, link) {
        if (request->state == REQUEST_HELD && request->faults.hold == fault) {
            return true;
        }
    }
    return probes_held_by(layer, fault);
}

/* ---- Looking at them ---- */

static const char *const state_names[] = {
    [REQUEST_QUEUED] = "queued", [REQUEST_WAITING] = "waiting", [REQUEST_SERVED] = "served",
    [REQUEST_HELD] = "held",     [REQUEST_HUNG] = "hung",
};

const char *request_state_name(enum request_state state)
{
    return state_names[state];
}

/* How many writes have finished since the flush took its stamp. */
static uint64_t flush_age(const struct request *request)
{
    return request->op == OP_FLUSH ? request->node->cache_stamp - request->flush_stamp : 0;
}

static void request_digest(const struct request *request, struct digest *digest)
{
    const struct request_faults *faults = &request->faults;

    digest_u64(digest, request->node->id);
    digest_u64(digest, request->op);
    digest_u64(digest, request->by);
    digest_u64(digest, request->plan_number);
    digest_u64(digest, request->offset);
    digest_u64(digest, request->bytes);
    digest_u64(digest, request->state);
    digest_u64(digest, request->moved);
    digest_i64(digest, request->ret);
    digest_i64(digest, faults->error);
    digest_u64(digest, faults->drops);
    digest_u64(digest, faults->stale);
    digest_u64(digest, faults->moved_bytes);
    digest_u64(digest, faults->misdirected ? faults->elsewhere : request->offset);
    digest_u64(digest, faults->corrupt);
    digest_u64(digest, faults->hold);
    digest_u64(digest, faults->hang);
    if (request->iov.buffers != NULL && (request->effect.begun || request->op == OP_WRITE)) {
        buffers_digest(request->iov, digest);
    }
    if (request->by == BY_ACTIVE) {
        writers_digest_tag(&request->node->layer->writers, tag_guest(request->part_of->number, 0),
                           digest);
    }
    if (request->detail != 0) {
        digest_u64(digest, request->detail);
    }
    digest_u64(digest, flush_age(request));
    effect_digest(request, digest);
    timeline_digest_pending(request->node->layer->timeline, &request->pending, digest);
}

/*
 * Waiting requests are digested in the order of the list, which is that of
 * their creation and of the waiting lines.  The order of the others is no
 * part of the state: their digests are added up.
 */
void requests_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct request *request;
    uint64_t others = 0;

    TAILQ_FOREACH (request, &layer->requests, link) {
        struct digest own;

        digest_init_part(&own, digest);
        request_digest(request, &own);
        if (request->state == REQUEST_QUEUED || request->state == REQUEST_WAITING) {
            digest_u64(digest, digest_value(&own));
        } else {
            others += digest_value(&own);
        }
    }
    digest_u64(digest, others);
}

/* ---- Check ---- */

/* Queued and waiting requests have no event, nor have those that a fault stops. */
static void request_check(const struct request *request)
{
    bool queued = request->state == REQUEST_QUEUED;

    assert(request->number > 0 && request->number <= request->node->layer->request_count);
    assert(request->op == OP_FLUSH ? request->bytes == 0
                                   : node_is_sectors(request->offset, request->bytes));
    assert(pending_is_set(&request->pending) == (request->state == REQUEST_SERVED));
    assert(!queued || request->by == BY_GUEST);
    assert(request->effect.begun || !request->moved);
    if (request->iov.buffers != NULL) {
        buffers_check(request->iov);
    }
}

static uint64_t length_of_queue(const struct block_layer *layer)
{
    const struct request *request;
    uint64_t length = 0;

    STAILQ_FOREACH (request, &layer->queued, turn) {
        assert(request->state == REQUEST_QUEUED);
        length++;
    }
    return length;
}

void requests_check(const struct block_layer *layer)
{
    uint32_t in_flight[PLAN_MAX_DISKS] = {0};
    uint32_t served[PLAN_MAX_DISKS] = {0};
    /* Its requests come to the disks in another order than they are made. */
    bool modern = layer->plan->generation == GENERATION_MODERN;
    const struct request *request;
    uint32_t last = 0;
    uint32_t guest = 0;
    uint64_t queued = 0;

    TAILQ_FOREACH (request, &layer->requests, link) {
        bool is_queued = request->state == REQUEST_QUEUED;

        request_check(request);
        assert(request->number > last || modern);
        last = request->number;
        guest += request->by == BY_GUEST && request->part_of == NULL;
        queued += is_queued;
        in_flight[request->node->id] += !is_queued;
        served[request->node->id] += !is_queued && request->state != REQUEST_WAITING;
    }
    assert((guest == layer->guest_requests || modern) && queued == length_of_queue(layer));
    for (uint32_t i = 0; i < layer->node_count; i++) {
        assert(layer->nodes[i].in_flight == in_flight[i] && layer->nodes[i].served == served[i]);
    }
}
