/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: lanes, time, effect and completion; the port's read, write, flush.
 */
#include "sim/request.h"

#include <assert.h>
#include <errno.h>

#include "sim/buffer.h"
#include "sim/cache.h"
#include "sim/data.h"
#include "sim/dirty.h"
#include "sim/world_private.h"

/* Answers to where in its service a request takes effect; 0 = at its end. */
#define EFFECT_PLACES 5

#define NS_PER_SECOND UINT64_C(1000000000)

static bool op_writes(uint8_t op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

static bool op_transfers(uint8_t op)
{
    return op == OP_READ || op == OP_WRITE;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void emit(const struct request *request, enum event_kind kind)
{
    world_emit(request->node->world, &(struct event){.kind = (uint8_t)kind,
                                                     .node = request->node->id,
                                                     .op = request->op,
                                                     .by = request->by,
                                                     .request = request->number,
                                                     .index = request->plan_number,
                                                     .offset = request->offset,
                                                     .bytes = request->bytes});
}

/* For events whose index is the fault's. */
static void emit_stop(const struct request *request, enum event_kind kind, uint16_t fault)
{
    world_emit(request->node->world, &(struct event){.kind = (uint8_t)kind,
                                                     .node = request->node->id,
                                                     .op = request->op,
                                                     .by = request->by,
                                                     .request = request->number,
                                                     .index = fault,
                                                     .offset = request->offset,
                                                     .bytes = request->bytes});
}

/* ---- Time ---- */

/* bytes / bandwidth in ns, rounded up, in steps that can't overflow. */
static uint64_t transfer_ns(uint64_t bytes, uint64_t bandwidth)
{
    uint64_t ns = bytes / bandwidth;
    uint64_t rest = bytes % bandwidth;

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
    uint64_t now_ns = node->world->timeline.now_ns;

    if (node->spec->bandwidth == 0 || !op_transfers(request->op)) {
        return 0;
    }
    node->link_free_ns = add_saturating(max_u64(node->link_free_ns, now_ns),
                                        transfer_ns(request->bytes, node->spec->bandwidth));
    return node->link_free_ns - now_ns;
}

static uint64_t scale_percent(uint64_t value, uint64_t percent)
{
    uint64_t whole = value / 100;

    if (percent > 0 && whole > UINT64_MAX / percent - 1) {
        return UINT64_MAX;
    }
    return whole * percent + value % 100 * percent / 100;
}

static uint64_t latency_ns(struct request *request)
{
    const struct request_faults *faults = &request->faults;
    uint64_t ns;

    if (faults->exact) {
        ns = faults->exact_ns;
    } else if (request->guest != NULL && request->guest->has_latency) {
        ns = request->guest->latency_ns;
    } else {
        ns = node_latency_ns(request->node, request->op);
    }
    if (faults->factor_percent > 0) {
        ns = scale_percent(ns, faults->factor_percent);
    }
    return add_saturating(ns, faults->extra_ns);
}

/* The effect's place in a service of that length. */
static uint64_t effect_delay_ns(struct request *request, uint64_t service_ns)
{
    struct block_node *node = request->node;
    struct world *world = node->world;
    uint32_t place = 0;

    if (request->op == OP_FLUSH || node->spec->effect == EFFECT_AT_COMPLETE) {
        return service_ns;
    }
    if (node->spec->effect == EFFECT_AT_START) {
        return 0;
    }
    if (node->effect_site == NULL) {
        node->effect_site =
            choices_site(world->choices, arena_printf(world->arena, "effect %s", node->spec->name));
    }
    place = choose(world->choices, node->effect_site, EFFECT_PLACES);
    return place == 0 ? service_ns : service_ns / (EFFECT_PLACES - 1) * (place - 1);
}

/* ---- Effect ---- */

static bool within_limits(const struct request *request)
{
    const struct disk_spec *spec = request->node->spec;

    return !op_transfers(request->op) ||
           ((spec->max_transfer == 0 || request->bytes <= spec->max_transfer) &&
            (spec->max_segments == 0 || request->iov.count <= spec->max_segments));
}

static bool within_disk(const struct request *request)
{
    uint64_t length = request->node->disk.bytes;

    return request->offset <= length && request->bytes <= length - request->offset;
}

static int refusal(struct request *request)
{
    if (!within_limits(request)) {
        return -EINVAL;
    }
    if (!within_disk(request)) {
        return -EIO;
    }
    if (op_writes(request->op) && request->node->fault_ops >> request->op & 1) {
        return fault_full(request, data_new_bytes(request));
    }
    return 0;
}

/* The result is known from here on; an injected error may leave a part of a write behind. */
static void take_effect(struct request *request)
{
    const struct request_faults *faults = &request->faults;
    uint64_t bytes = request->bytes;

    request->moved = true;
    request->ret = refusal(request);
    if (request->ret < 0) {
        bytes = 0;
    }
    if (faults->error != 0) {
        request->ret = faults->error;
        bytes = op_writes(request->op)
                    ? align_down(min_u64(bytes, faults->applied_bytes), SECTOR_BYTES)
                    : 0;
    }
    if (bytes > 0) {
        data_move(request, bytes);
    }
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

static void request_complete(struct request *request)
{
    struct block_node *node = request->node;
    struct world *world = node->world;
    block_done *done = request->done;
    void *opaque = request->opaque;
    int ret = request->ret;

    if (op_writes(request->op)) {
        dirty_mark(node, request->by, request->offset, request->bytes);
    }
    if (request->cached != NULL) {
        cache_finish(node, request->cached);
    }
    if (request->op == OP_FLUSH && ret == 0) {
        cache_flush(node, request->flush_stamp);
    }
    TAILQ_REMOVE(&world->requests, request, link);
    node->in_flight--;
    world->guest_requests -= request->by == BY_GUEST;
    world_emit(world, &(struct event){.kind = EVENT_REQUEST_DONE,
                                      .node = node->id,
                                      .op = request->op,
                                      .by = request->by,
                                      .request = request->number,
                                      .index = request->plan_number,
                                      .offset = request->offset,
                                      .bytes = request->bytes,
                                      .ret = ret});
    arena_free(world->arena, request, sizeof(*request));
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

    if (hold == FAULT_NONE || request->node->world->plan->faults[hold].phase != phase) {
        return false;
    }
    request->state = REQUEST_HELD;
    emit_stop(request, EVENT_HELD, hold);
    return true;
}

static void request_fire(void *opaque)
{
    struct request *request = opaque;
    struct timeline *timeline = &request->node->world->timeline;

    if (!request->moved) {
        if (request_is_stopped(request, HOLD_BEFORE_EFFECT)) {
            return;
        }
        take_effect(request);
        if (timeline->now_ns < request->due_ns) {
            timeline_add(timeline, &request->pending, request->due_ns - timeline->now_ns,
                         request_fire, request);
            return;
        }
    }
    if (!request_is_stopped(request, HOLD_BEFORE_COMPLETION)) {
        request_complete(request);
    }
}

/* Has a lane. */
static void request_start(struct request *request)
{
    struct block_node *node = request->node;
    struct timeline *timeline = &node->world->timeline;
    uint64_t service_ns;

    node->served++;
    request->state = REQUEST_SERVED;
    if (node->spec->lanes > 0 || node->spec->bandwidth > 0) {
        emit(request, EVENT_REQUEST_START);
    }
    if (request->faults.hang != FAULT_NONE) {
        request->state = REQUEST_HUNG;
        return;
    }
    service_ns = add_saturating(link_delay_ns(node, request), latency_ns(request));
    request->due_ns = add_saturating(timeline->now_ns, service_ns);
    timeline_add(timeline, &request->pending, effect_delay_ns(request, service_ns), request_fire,
                 request);
}

static void request_submit(struct request *request)
{
    struct block_node *node = request->node;

    node->in_flight++;
    request->submitted_ns = node->world->timeline.now_ns;
    request->flush_stamp = node->cache_stamp;
    emit(request, EVENT_REQUEST_SUBMIT);
    if (node->fault_ops >> request->op & 1) {
        fault_request(node->world, request);
    }
    if (node->spec->lanes > 0 && node->served >= node->spec->lanes) {
        request->state = REQUEST_WAITING;
        STAILQ_INSERT_TAIL(&node->waiting, request, turn);
    } else {
        request_start(request);
    }
}

static struct request *request_create(struct block_node *node, enum op op, enum by by,
                                      uint64_t offset, uint64_t bytes)
{
    struct world *world = node->world;
    struct request *request = arena_alloc(world->arena, sizeof(*request));

    request->node = node;
    request->op = (uint8_t)op;
    request->by = (uint8_t)by;
    request->offset = offset;
    request->bytes = bytes;
    request->number = ++world->request_count;
    request->faults.hold = FAULT_NONE;
    request->faults.hang = FAULT_NONE;
    TAILQ_INSERT_TAIL(&world->requests, request, link);
    return request;
}

/* ---- The port ---- */

static void job_submit(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes,
                       struct block_iov iov, block_done *done, void *opaque)
{
    struct request *request = request_create(node, op, BY_JOB, offset, bytes);

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

void block_flush(struct block_node *node, block_done *done, void *opaque)
{
    job_submit(node, OP_FLUSH, 0, 0, (struct block_iov){0}, done, opaque);
}

/* ---- The guest ---- */

void guest_submit(struct world *world, const struct guest_request *guest, uint16_t plan_number)
{
    struct block_node *node = &world->nodes[world->guest_node];
    struct request *request =
        request_create(node, guest->op, BY_GUEST, guest->offset, guest->bytes);

    request->guest = guest;
    request->plan_number = plan_number;
    world->guest_requests++;
    if (node->drained || !STAILQ_EMPTY(&world->queued)) {
        request->submitted_ns = world->timeline.now_ns;
        STAILQ_INSERT_TAIL(&world->queued, request, turn);
        emit(request, EVENT_REQUEST_QUEUED);
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

/* ---- Holds ---- */

void requests_release(struct world *world, uint32_t fault)
{
    struct request *request;

    TAILQ_FOREACH (request, &world->requests, link) {
        struct request_faults *faults = &request->faults;
        bool stopped = (request->state == REQUEST_HELD && faults->hold == fault) ||
                       (request->state == REQUEST_HUNG && faults->hang == fault);

        faults->hold = faults->hold == fault ? FAULT_NONE : faults->hold;
        faults->hang = faults->hang == fault ? FAULT_NONE : faults->hang;
        if (stopped) {
            request->state = REQUEST_SERVED;
            request->due_ns = world->timeline.now_ns;
            emit_stop(request, EVENT_RELEASED, (uint16_t)fault);
            timeline_add(&world->timeline, &request->pending, 0, request_fire, request);
        }
    }
}

bool requests_held_by(const struct world *world, uint32_t fault)
{
    const struct request *request;

    TAILQ_FOREACH (request, &world->requests, link) {
        if (request->state == REQUEST_HELD && request->faults.hold == fault) {
            return true;
        }
    }
    return false;
}

/* ---- Looking at them ---- */

static const char *const state_names[] = {
    [REQUEST_QUEUED] = "queued", [REQUEST_WAITING] = "waiting", [REQUEST_SERVED] = "served",
    [REQUEST_HELD] = "held",     [REQUEST_HUNG] = "hung",
};

uint32_t world_requests(const struct world *world, struct request_info *info, uint32_t max)
{
    const struct request *request;
    uint32_t count = 0;

    TAILQ_FOREACH (request, &world->requests, link) {
        if (count < max) {
            info[count] = (struct request_info){.number = request->number,
                                                .disk = request->node->id,
                                                .op = request->op,
                                                .by = request->by,
                                                .offset = request->offset,
                                                .bytes = request->bytes,
                                                .submitted_ns = request->submitted_ns,
                                                .state = state_names[request->state]};
        }
        count++;
    }
    return count;
}

static void request_digest(const struct request *request, struct digest *digest)
{
    const struct request_faults *faults = &request->faults;

    digest_u64(digest, request->node->id);
    digest_u64(digest, request->op);
    digest_u64(digest, request->by);
    digest_u64(digest, request->offset);
    digest_u64(digest, request->bytes);
    digest_u64(digest, request->state);
    digest_u64(digest, request->moved);
    digest_u64(digest, (uint64_t)(int64_t)request->ret);
    digest_u64(digest, (uint64_t)(int64_t)faults->error);
    digest_u64(digest, faults->applied_bytes);
    digest_u64(digest, faults->hold);
    digest_u64(digest, faults->hang);
    if (request->iov.buffers != NULL && (request->moved || request->op == OP_WRITE)) {
        buffers_digest(request->iov, digest);
    }
    world_digest_pending(request->node->world, &request->pending, digest);
}

void requests_digest(const struct world *world, struct digest *digest)
{
    const struct request *request;

    TAILQ_FOREACH (request, &world->requests, link) {
        request_digest(request, digest);
    }
}
