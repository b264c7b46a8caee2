/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: lanes, time, effect and completion; the port's read, write, flush.
 */
#include "sim/disk/request.h"

#include <assert.h>

#include "engine/units.h"
#include "engine/zeroes.h"
#include "sim/disk/cache.h"
#include "sim/disk/dirty.h"
#include "sim/disk/drain.h"
#include "sim/disk/layer.h"

/* A flush has no range. */
static bool range_is_valid(enum op op, uint64_t offset, uint64_t bytes)
{
    return op == OP_FLUSH ? bytes == 0 : node_is_sectors(offset, bytes);
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void request_emit(const struct request *request, enum event_kind kind, uint16_t index)
{
    layer_emit(request->node->layer, &(struct event){.kind = (uint8_t)kind,
                                                     .node = request->node->id,
                                                     .op = request->op,
                                                     .by = request->by,
                                                     .request = request->number,
                                                     .index = index,
                                                     .detail = request->detail,
                                                     .offset = request->offset,
                                                     .bytes = request->bytes});
}

static void emit(const struct request *request, enum event_kind kind)
{
    request_emit(request, kind, request->plan_number);
}

/* ---- Time ---- */

/* In three steps of a thousand: the rest cannot overflow, as a bandwidth has at most 54 bits. */
uint64_t request_transfer_ns(uint64_t bytes, uint64_t bandwidth)
{
    uint64_t ns = bytes / bandwidth;
    uint64_t rest = bytes % bandwidth;

    if (ns >= UINT64_MAX / NS_PER_SECOND) {
        return UINT64_MAX;
    }
    for (int i = 0; i < 3; i++) {
        rest *= 1000;
        ns = ns * 1000 + rest / bandwidth;
        rest %= bandwidth;
    }
    return ns + (rest > 0);
}

/* Waits for the link, then for the transfer; the lanes share it. */
static uint64_t link_delay_ns(struct block_node *node, const struct request *request)
{
    uint64_t now_ns = node->layer->timeline->now_ns;

    if (node->spec->bandwidth == 0 || !op_transfers(request->op)) {
        return 0;
    }
    node->link_free_ns = add_saturating(max_u64(node->link_free_ns, now_ns),
                                        request_transfer_ns(request->bytes, node->spec->bandwidth));
    return node->link_free_ns - now_ns;
}

static uint64_t latency_ns(struct request *request)
{
    const struct request_faults *faults = &request->faults;
    uint64_t ns = 0;

    if (request->guest != NULL && request->guest->has_latency) {
        ns = request->guest->latency_ns;
    } else if (!faults->exact) {
        ns = node_latency_ns(request->node, request->op);
    }
    return fault_latency_ns(faults, ns);
}

/* ---- Life ---- */

static void request_start(struct request *request);

/* The next in line gets the lane. */
static void lane_hand_on(struct block_node *node)
{
    struct request *next = STAILQ_FIRST(&node->waiting);

    node->served--;
    if (next != NULL) {
        STAILQ_REMOVE_HEAD(&node->waiting, turn);
        request_start(next);
    }
}

static void end_flush(const struct request *request)
{
    const struct request_faults *faults = &request->faults;

    if (request->ret == 0 && faults->moved_bytes > 0) {
        cache_flush(request->node, request->flush_stamp);
    } else if (request->ret < 0 && faults->drops != DROPS_NOTHING) {
        cache_drop(request->node, request->flush_stamp, faults->drops == DROPS_NOW);
    }
}

/*
 * The order is the contract in request.h.  The bitmaps are marked before
 * anybody learns that the request has ended: else a job could find nothing
 * dirty and no request in flight, and be wrong (L5, S6).  The lane is handed
 * on before the callback, or what the callback submits would overtake those
 * that wait.  The drain comes last: it must not be reached before the
 * callback, which may submit further requests, has returned.
 */
static void request_complete(struct request *request)
{
    struct block_node *node = request->node;
    struct block_layer *layer = node->layer;
    block_done *done = request->done;
    void *opaque = request->opaque;
    int ret = request->ret;

    if (op_writes(request->op)) {
        dirty_mark(node, request->by, request->offset, request->bytes);
        cache_finish(node, request->number);
    }
    if (request->op == OP_FLUSH) {
        end_flush(request);
    }
    effect_release(request);
    TAILQ_REMOVE(&layer->requests, request, link);
    node->in_flight--;
    layer->guest_requests -= request->by == BY_GUEST && request->part_of == NULL;
    layer_emit(layer, &(struct event){.kind = EVENT_REQUEST_DONE,
                                      .node = node->id,
                                      .op = request->op,
                                      .by = request->by,
                                      .request = request->number,
                                      .index = request->plan_number,
                                      .detail = request->detail,
                                      .offset = request->offset,
                                      .bytes = request->bytes,
                                      .ret = ret});
    /* Nothing below may look at the request. */
    arena_free(layer->arena, request, sizeof(*request));
    lane_hand_on(node);
    if (done != NULL) {
        done(opaque, ret);
    }
    drain_request_left(node);
}

/* True if a hold of this phase stops the request here. */
static bool request_is_stopped(struct request *request, enum hold_phase phase)
{
    uint16_t hold = request->faults.hold;

    if (hold == FAULT_NONE || request->node->layer->plan->faults[hold].phase != phase) {
        return false;
    }
    request->state = REQUEST_HELD;
    request_emit(request, EVENT_HELD, hold);
    return true;
}

static void request_fire(void *opaque)
{
    struct request *request = opaque;
    struct timeline *timeline = request->node->layer->timeline;
    uint64_t delay_ns;

    if (!request->moved) {
        if (!request->effect.begun && request_is_stopped(request, HOLD_BEFORE_EFFECT)) {
            return;
        }
        request->moved = !effect_take(request, &delay_ns);
        if (!request->moved) {
            timeline_add(timeline, &request->pending, delay_ns, request_fire, request);
            return;
        }
        if (timeline->now_ns < request->due_ns) {
            timeline_add(timeline, &request->pending, request->due_ns - timeline->now_ns,
                         request_fire, request);
            return;
        }
    }
    if (request->sampled && request_is_stopped(request, HOLD_BEFORE_EFFECT)) {
        return;
    }
    if (!request_is_stopped(request, HOLD_BEFORE_COMPLETION)) {
        request_complete(request);
    }
}

void request_resume(struct request *request)
{
    struct timeline *timeline = request->node->layer->timeline;

    assert(request->state == REQUEST_HELD || request->state == REQUEST_HUNG);
    request->state = REQUEST_SERVED;
    request->due_ns = timeline->now_ns;
    effect_hurry(request);
    timeline_add(timeline, &request->pending, 0, request_fire, request);
}

/* Untimed, a service is no longer than it must be to have distinct quarters. */
static uint64_t service_time_ns(struct request *request)
{
    struct block_node *node = request->node;

    if (node->layer->timeline->untimed) {
        return EFFECT_QUARTERS;
    }
    return add_saturating(link_delay_ns(node, request), latency_ns(request));
}

/* Has a lane. */
static void request_start(struct request *request)
{
    struct block_node *node = request->node;
    struct timeline *timeline = node->layer->timeline;
    uint64_t service_ns;
    uint64_t effect_ns;

    node->served++;
    request->state = REQUEST_SERVED;
    if (node->spec->lanes > 0 || node->spec->bandwidth > 0) {
        emit(request, EVENT_REQUEST_START);
    }
    if (request->faults.hang != FAULT_NONE) {
        request->state = REQUEST_HUNG;
        return;
    }
    service_ns = service_time_ns(request);
    request->due_ns = add_saturating(timeline->now_ns, service_ns);
    effect_ns = effect_begin(request, service_ns);
    if (effect_is_sample(request)) {
        effect_ns = service_ns;
        request->moved = !effect_take(request, NULL);
        request->sampled = true;
    }
    timeline_add(timeline, &request->pending, effect_ns, request_fire, request);
}

/*
 * In flight before its SUBMIT is in the trace, so that whoever sees the event
 * finds it counted.  A flush takes its stamp here: it does not cover
 * writes that finish later.  Faults are asked before the request can start, as they may
 * change its latency, and after SUBMIT, so that EVENT_FAULT names a request
 * that is known.
 */
void request_submit(struct request *request)
{
    struct block_node *node = request->node;

    assert(request->state == REQUEST_QUEUED && !pending_is_set(&request->pending));
    drain_request_comes(node);
    node->in_flight++;
    request->submitted_ns = node->layer->timeline->now_ns;
    request->flush_stamp = node->cache_stamp;
    emit(request, EVENT_REQUEST_SUBMIT);
    if (node->fault_ops >> request->op & 1) {
        fault_request(node->layer, request);
    }
    if (node->spec->lanes > 0 && node->served >= node->spec->lanes) {
        request->state = REQUEST_WAITING;
        STAILQ_INSERT_TAIL(&node->waiting, request, turn);
    } else {
        request_start(request);
    }
}

struct request *request_create(struct block_node *node, enum op op, enum by by, uint64_t offset,
                               uint64_t bytes)
{
    return request_create_numbered(node, op, by, offset, bytes, ++node->layer->request_count);
}

struct request *request_create_numbered(struct block_node *node, enum op op, enum by by,
                                        uint64_t offset, uint64_t bytes, uint32_t number)
{
    struct block_layer *layer = node->layer;
    struct request *request = arena_alloc(layer->arena, sizeof(*request));

    assert(op <= OP_FLUSH && range_is_valid(op, offset, bytes));
    request->node = node;
    request->op = (uint8_t)op;
    request->by = (uint8_t)by;
    request->pending.kind = PENDING_LOOSE;
    request->offset = offset;
    request->bytes = bytes;
    request->number = number;
    request->faults = FAULTS_NONE;
    TAILQ_INSERT_TAIL(&layer->requests, request, link);
    return request;
}

/* ---- The port ---- */

static void job_submit(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes,
                       struct block_iov iov, block_done *done, void *opaque)
{
    struct request *request = request_create(node, op, BY_JOB, offset, bytes);

    assert(done != NULL && (iov.count > 0) == op_transfers((uint8_t)op));
    request->iov = iov;
    request->done = done;
    request->opaque = opaque;
    request_submit(request);
}

void block_read(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                block_done *done, void *opaque)
{
    job_submit(node, OP_READ, offset, bytes, iov, done, opaque);
}

void block_write(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                 block_done *done, void *opaque)
{
    job_submit(node, OP_WRITE, offset, bytes, iov, done, opaque);
}

static void job_submit_zeroes(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes,
                              uint32_t flags, block_done *done, void *opaque)
{
    struct request *request = request_create(node, op, BY_JOB, offset, bytes);

    assert(node_is_sectors(offset, bytes) && !node_is_filter(node));
    request->detail = (uint8_t)flags;
    request->done = done;
    request->opaque = opaque;
    request_submit(request);
}

void block_write_zeroes(struct block_node *node, uint64_t offset, uint64_t bytes, uint32_t flags,
                        block_done *done, void *opaque)
{
    job_submit_zeroes(node, OP_WRITE_ZEROES, offset, bytes, flags, done, opaque);
}

void block_discard(struct block_node *node, uint64_t offset, uint64_t bytes, block_done *done,
                   void *opaque)
{
    job_submit_zeroes(node, OP_DISCARD, offset, bytes, 0, done, opaque);
}

void block_flush(struct block_node *node, block_done *done, void *opaque)
{
    job_submit(node, OP_FLUSH, 0, 0, (struct block_iov){0}, done, opaque);
}
