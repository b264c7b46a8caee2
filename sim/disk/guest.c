/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest: its requests go to the disk that it has now, or queue while that
 * is drained.  The queue keeps its order across a pivot: nothing overtakes it.
 */
#include "sim/disk/guest.h"

#include <assert.h>
#include <errno.h>

#include "engine/foreign.h"
#include "sim/content/image.h"
#include "sim/disk/layer.h"
#include "sim/disk/request.h"

/* ---- Of 2.2 ---- */

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

/* ---- Of today: the parts ---- */

static void emit(const struct interposed *interposed, enum event_kind kind, int ret)
{
    struct block_layer *layer = interposed->layer;

    layer_emit(layer, &(struct event){.kind = (uint8_t)kind,
                                      .node = layer->guest_edge.node->id,
                                      .op = (uint8_t)interposed->guest->op,
                                      .by = BY_GUEST,
                                      .request = interposed->number,
                                      .index = interposed->plan_number,
                                      .offset = interposed->guest->offset,
                                      .bytes = interposed->guest->bytes,
                                      .ret = ret});
}

static void part_is_done(void *opaque, int ret)
{
    struct interposed *interposed = opaque;

    assert(interposed->is_busy);
    interposed->is_busy = false;
    interposed->part_done(interposed->part_opaque, ret);
}

static void submit_part(struct interposed *interposed, struct request *request, block_done *done,
                        void *opaque)
{
    assert(interposed->arrived && !interposed->is_busy);
    interposed->is_busy = true;
    interposed->part_done = done;
    interposed->part_opaque = opaque;
    request->part_of = interposed;
    request->plan_number = interposed->plan_number;
    request->done = part_is_done;
    request->opaque = interposed;
    request_submit(request);
}

void interposed_pass(struct interposed *interposed, block_done *done, void *opaque)
{
    const struct guest_request *guest = interposed->guest;
    struct block_node *disk = &interposed->layer->nodes[interposed->layer->guest_node];
    struct request *request = request_create_numbered(disk, guest->op, BY_GUEST, guest->offset,
                                                      guest->bytes, interposed->number);

    assert(!interposed->passed);
    interposed->passed = true;
    request->guest = guest;
    submit_part(interposed, request, done, opaque);
}

static void copy(struct interposed *interposed, struct block_node *node, uint64_t offset,
                 uint64_t bytes, struct block_iov iov, block_done *done, void *opaque)
{
    const struct guest_request *guest = interposed->guest;
    struct request *request = request_create(node, guest->op, BY_ACTIVE, offset, bytes);

    request->iov = iov;
    assert(op_writes((uint8_t)guest->op) && node_is_sectors(offset, bytes));
    assert(offset >= guest->offset && offset - guest->offset <= guest->bytes &&
           bytes <= guest->bytes - (offset - guest->offset));
    submit_part(interposed, request, done, opaque);
}

void interposed_copy(struct interposed *interposed, struct block_node *node, uint64_t offset,
                     uint64_t bytes, block_done *done, void *opaque)
{
    copy(interposed, node, offset, bytes, (struct block_iov){.buffers = NULL}, done, opaque);
}

void interposed_write(struct interposed *interposed, struct block_node *node, uint64_t offset,
                      uint64_t bytes, struct block_iov iov, block_done *done, void *opaque)
{
    assert(interposed->guest->op == OP_WRITE && iov.buffers != NULL);
    copy(interposed, node, offset, bytes, iov, done, opaque);
}

uint64_t interposed_tag(const struct interposed *interposed, uint64_t sector)
{
    assert(sector < interposed->guest->bytes / SECTOR_BYTES);
    return tag_guest(interposed->number, sector);
}

/* ---- Of today: life ---- */

void interposed_finish(struct interposed *interposed, int ret)
{
    struct block_layer *layer = interposed->layer;
    block_done *done = interposed->done;
    void *opaque = interposed->opaque;

    assert(interposed->arrived && !interposed->is_busy && ret <= 0);
    TAILQ_REMOVE(&layer->guest_list, interposed, link);
    layer->guest_in_flight--;
    layer->guest_requests--;
    emit(interposed, EVENT_ANSWERED, ret);
    arena_free(layer->arena, interposed, sizeof(*interposed));
    if (done != NULL) {
        done(opaque, ret);
    }
}

static void finish(void *opaque, int ret)
{
    interposed_finish(opaque, ret);
}

static bool is_inside(const struct interposed *interposed)
{
    const struct guest_request *guest = interposed->guest;
    uint64_t length = interposed->layer->nodes[interposed->layer->guest_node].disk.bytes;

    return guest->offset <= length && guest->bytes <= length - guest->offset;
}

/* It counts as in flight already. */
static void arrive(struct interposed *interposed)
{
    struct block_layer *layer = interposed->layer;

    interposed->arrived = true;
    emit(interposed, EVENT_ARRIVE, 0);
    if (!is_inside(interposed)) {
        interposed_finish(interposed, -EIO);
    } else if (layer->guest_edge.node != layer->filter) {
        interposed_pass(interposed, finish, interposed);
    } else if (interposed->guest->op == OP_DISCARD && !layer->plan->filter_passes_discards) {
        interposed_finish(interposed, 0);
    } else {
        layer->interposer->arrived(layer->interposer_opaque, interposed);
    }
}

static void come(struct block_layer *layer, const struct guest_request *guest, uint32_t plan_number,
                 block_done *done, void *opaque)
{
    struct interposed *interposed = arena_alloc(layer->arena, sizeof(*interposed));

    interposed->layer = layer;
    interposed->guest = guest;
    interposed->done = done;
    interposed->opaque = opaque;
    interposed->came_ns = layer->timeline->now_ns;
    interposed->number = ++layer->request_count;
    interposed->plan_number = plan_number < UINT16_MAX ? (uint16_t)(plan_number + 1) : 0;
    TAILQ_INSERT_TAIL(&layer->guest_list, interposed, link);
    layer->guest_requests++;
    writers_add(&layer->writers, interposed->number, interposed->plan_number);
    if (layer->guest_edge.node->sections > 0) {
        STAILQ_INSERT_TAIL(&layer->guest_queue, interposed, turn);
        emit(interposed, EVENT_REQUEST_QUEUED, 0);
    } else {
        layer->guest_in_flight++;
        arrive(interposed);
    }
}

void guest_release(struct block_layer *layer)
{
    struct interposed_queue queue = STAILQ_HEAD_INITIALIZER(queue);
    const struct interposed *waiting;

    STAILQ_CONCAT(&queue, &layer->guest_queue);
    STAILQ_FOREACH (waiting, &queue, turn) {
        layer->guest_in_flight++;
    }
    while (!STAILQ_EMPTY(&queue)) {
        struct interposed *interposed = STAILQ_FIRST(&queue);

        STAILQ_REMOVE_HEAD(&queue, turn);
        arrive(interposed);
    }
}

/* ---- Both ---- */

void guest_submit(struct block_layer *layer, const struct guest_request *guest, uint32_t number,
                  block_done *done, void *opaque)
{
    if (layer->plan->generation == GENERATION_MODERN) {
        come(layer, guest, number, done, opaque);
    } else {
        submit_to_disk(layer, guest, number, done, opaque);
    }
}

void guest_move(struct block_layer *layer, struct block_node *node)
{
    const struct block_node *old = layer->guest_edge.node;

    edge_move(&layer->guest_edge, node);
    layer_emit(layer,
               &(struct event){
                   .kind = EVENT_GUEST_MOVED, .by = BY_JOB, .node = node->id, .index = old->id});
}

/* ---- The port ---- */

bool block_is_guests(const struct block_node *node)
{
    return node->layer->guest_edge.node == node;
}

struct interposed_info interposed_info(const struct interposed *interposed)
{
    return (struct interposed_info){.op = interposed->guest->op,
                                    .offset = interposed->guest->offset,
                                    .bytes = interposed->guest->bytes,
                                    .number = interposed->number};
}

uint64_t interposed_place(const struct interposed *interposed)
{
    uint64_t place = 0;

    while ((interposed = TAILQ_PREV(interposed, interposed_list, link)) != NULL) {
        place++;
    }
    return place;
}

void interposed_set_context(struct interposed *interposed, void *context)
{
    interposed->context = context;
}

void *interposed_context(const struct interposed *interposed)
{
    return interposed->context;
}

/* ---- Digest and check ---- */

/* In the order of their coming, which is that of the queue; an engine names them by it. */
void guest_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct interposed *interposed;

    TAILQ_FOREACH (interposed, &layer->guest_list, link) {
        digest_u64(digest, interposed->guest->op);
        digest_u64(digest, interposed->guest->offset);
        digest_u64(digest, interposed->guest->bytes);
        digest_u64(digest, interposed->plan_number);
        digest_u64(digest, interposed->arrived);
        digest_u64(digest, interposed->passed);
        digest_u64(digest, interposed->is_busy);
    }
}

void guest_check_state(const struct block_layer *layer)
{
    const struct interposed *interposed;
    uint32_t arrived = 0;
    uint32_t queued = 0;
    uint32_t queue = 0;

    TAILQ_FOREACH (interposed, &layer->guest_list, link) {
        assert(interposed->layer == layer && interposed->number <= layer->request_count);
        assert(interposed->arrived || !(interposed->passed || interposed->is_busy));
        arrived += interposed->arrived;
        queued += !interposed->arrived;
    }
    STAILQ_FOREACH (interposed, &layer->guest_queue, turn) {
        assert(!interposed->arrived);
        queue++;
    }
    assert(arrived == layer->guest_in_flight && queued == queue);
    assert(layer->plan->generation == GENERATION_2_2 || arrived + queued == layer->guest_requests);
    assert(queue == 0 || layer->guest_edge.node->sections > 0);
}
