/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that are open, in a tree by number, and what the job has in flight because of them.
 *
 * A copy is a read by the job and the write of what it read. No event says which write belongs to
 * which read, but the write begins in the timeline event that ends the read, and has its range. So
 * a read that is over waits for its write until time passes: then there was none.
 *
 * Declared in tools/picture/shapes_private.h: a part of the builder.
 */
#include <stdlib.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/picture/shapes_private.h"

/* One operation of the job, over all its requests. */
struct flight {
    TAILQ_ENTRY(flight) link; /* while it is a copy without its write */
    struct shape_range range; /* `to`: the end of the read, in case that no write follows */
    uint32_t request;         /* the one in flight now, or the last */
};

struct open_request {
    RB_ENTRY(open_request) link;
    struct shape_request shape;
    struct flight *flight;
    bool is_queued;
};

static int compare_requests(const struct open_request *a, const struct open_request *b)
{
    return (a->shape.request > b->shape.request) - (a->shape.request < b->shape.request);
}

RB_GENERATE_STATIC(request_tree, open_request, link, compare_requests)

static void tell(const struct shapes *shapes, const struct open_request *request,
                 enum shape_news news)
{
    if (shapes->sink.request != NULL) {
        shapes->sink.request(shapes->sink.opaque, &request->shape, news);
    }
}

static struct open_request *find(struct shapes *shapes, uint32_t number)
{
    struct open_request key = {.shape = {.request = number}};

    return RB_FIND(request_tree, &shapes->requests, &key);
}

/* ---- In flight ---- */

static struct flight *flight_begin(const struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct flight *flight = must_alloc(sizeof(*flight));

    flight->request = event->request;
    flight->range = (struct shape_range){.kind = RANGE_IN_FLIGHT,
                                         .node = event->node,
                                         .request = event->request,
                                         .offset = event->offset,
                                         .bytes = event->bytes,
                                         .from_ns = event->now_ns,
                                         .from_event = shapes->number};
    return flight;
}

static void flight_end(struct shapes *shapes, struct flight *flight)
{
    shapes_tell_range(shapes, &flight->range);
    free(flight);
}

/* The copy had no write: it was over when its read was. */
static void flight_drop(struct shapes *shapes, struct flight *flight)
{
    TAILQ_REMOVE(&shapes->unwritten, flight, link);
    if (shapes->sink.range != NULL && flight->range.bytes > 0) {
        shapes->sink.range(shapes->sink.opaque, &flight->range);
    }
    free(flight);
}

static void flight_await_write(struct shapes *shapes, struct flight *flight)
{
    flight->range.to_ns = shapes->event->now_ns;
    flight->range.to_event = shapes->number;
    TAILQ_INSERT_TAIL(&shapes->unwritten, flight, link);
}

/* The oldest copy that waits for this write: of just its range, or else (a broken engine) near. */
static struct flight *flight_of_write(const struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct flight *near = NULL;
    struct flight *flight;

    TAILQ_FOREACH (flight, &shapes->unwritten, link) {
        if (flight->range.offset == event->offset && flight->range.bytes == event->bytes) {
            return flight;
        }
        if (near == NULL && range_overlaps(flight->range.offset, flight->range.bytes, event->offset,
                                           event->bytes)) {
            near = flight;
        }
    }
    return near;
}

static void drop_old_copies(struct shapes *shapes)
{
    struct flight *flight;

    while ((flight = TAILQ_FIRST(&shapes->unwritten)) != NULL &&
           flight->range.to_ns < shapes->event->now_ns) {
        flight_drop(shapes, flight);
    }
}

/* ---- Whose content a request brings ---- */

/* The guest's request that was over on its own disk last, and has not been answered. */
static uint32_t guest_of_active(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    const struct open_request *latest = NULL;
    struct open_request *request;

    RB_FOREACH (request, request_tree, &shapes->requests) {
        const struct shape_request *shape = &request->shape;

        if (shape->by == BY_GUEST && shape->done_event != SHAPE_NEVER &&
            shape->offset <= event->offset &&
            range_end(event->offset, event->bytes) <= range_end(shape->offset, shape->bytes) &&
            (latest == NULL || latest->shape.done_event < shape->done_event)) {
            latest = request;
        }
    }
    return latest != NULL ? latest->shape.request : 0;
}

static void join_flight(struct shapes *shapes, struct open_request *request)
{
    const struct event *event = shapes->event;
    bool has_data = event->op == OP_READ || event->op == OP_WRITE || event->op == OP_WRITE_ZEROES ||
                    event->op == OP_DISCARD;

    if (!has_data || (event->by != BY_JOB && event->by != BY_ACTIVE)) {
        return;
    }
    if (event->by == BY_ACTIVE) {
        request->shape.carries = guest_of_active(shapes);
    } else if (event->op == OP_WRITE) {
        request->flight = flight_of_write(shapes);
    }
    if (request->flight == NULL) {
        request->flight = flight_begin(shapes);
        return;
    }
    TAILQ_REMOVE(&shapes->unwritten, request->flight, link);
    request->shape.carries = request->flight->request;
    request->flight->request = event->request;
}

static void leave_flight(struct shapes *shapes, struct open_request *request)
{
    struct flight *flight = request->flight;

    request->flight = NULL;
    if (flight == NULL) {
        return;
    }
    if (shapes->event->op == OP_READ && shapes->event->ret == 0) {
        flight_await_write(shapes, flight);
    } else {
        flight_end(shapes, flight);
    }
}

/* ---- The life of a request ---- */

static struct open_request *begin(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct open_request *request = must_alloc(sizeof(*request));

    request->shape = (struct shape_request){.request = event->request,
                                            .node = event->node,
                                            .op = event->op,
                                            .by = event->by,
                                            .offset = event->offset,
                                            .bytes = event->bytes,
                                            .came_ns = event->now_ns,
                                            .submit_ns = SHAPE_NEVER,
                                            .start_ns = SHAPE_NEVER,
                                            .effect_ns = SHAPE_NEVER,
                                            .done_ns = SHAPE_NEVER,
                                            .over_ns = SHAPE_NEVER,
                                            .came_event = shapes->number,
                                            .submit_event = SHAPE_NEVER,
                                            .effect_event = SHAPE_NEVER,
                                            .done_event = SHAPE_NEVER,
                                            .over_event = SHAPE_NEVER,
                                            .action = event->by == BY_GUEST ? event->index : 0};
    RB_INSERT(request_tree, &shapes->requests, request);
    return request;
}

static void count_queued(struct shapes *shapes, struct open_request *request, bool is_queued)
{
    if (request->is_queued != is_queued) {
        request->is_queued = is_queued;
        shapes_count(shapes, COUNTER_QUEUED, 0,
                     shapes->values[COUNTER_QUEUED][0] + (is_queued ? 1 : UINT64_MAX));
    }
}

static void count_in_flight(struct shapes *shapes, uint64_t bytes)
{
    uint8_t node = shapes->event->node;

    shapes_count(shapes, COUNTER_IN_FLIGHT, node, shapes->values[COUNTER_IN_FLIGHT][node] + bytes);
}

static void submit(struct shapes *shapes, struct open_request *request)
{
    struct shape_request *shape = &request->shape;

    count_queued(shapes, request, false);
    shape->node = shapes->event->node;
    shape->submit_ns = shapes->event->now_ns;
    shape->submit_event = shapes->number;
    if (shape->by == BY_GUEST) {
        shape->action = shapes->event->index;
    }
    join_flight(shapes, request);
    count_in_flight(shapes, shape->bytes);
}

static void over(struct shapes *shapes, struct open_request *request)
{
    struct shape_request *shape = &request->shape;

    count_queued(shapes, request, false);
    shape->over_ns = shapes->event->now_ns;
    shape->over_event = shapes->number;
    shape->ret = shapes->event->ret;
    if (shape->by == BY_GUEST) {
        shapes_count(shapes, COUNTER_GUEST_LATENCY, 0, shape->over_ns - shape->came_ns);
    }
    tell(shapes, request, SHAPE_OVER);
    RB_REMOVE(request_tree, &shapes->requests, request);
    free(request);
}

/* In today's generation the guest waits on for its answer. */
static void done(struct shapes *shapes, struct open_request *request)
{
    struct shape_request *shape = &request->shape;

    if (shape->submit_event != SHAPE_NEVER && shape->done_event == SHAPE_NEVER) {
        count_in_flight(shapes, 0 - shape->bytes);
    }
    shape->done_ns = shapes->event->now_ns;
    shape->done_event = shapes->number;
    shape->ret = shapes->event->ret;
    leave_flight(shapes, request);
    if (shape->by == BY_GUEST && shapes->plan->generation == GENERATION_MODERN) {
        tell(shapes, request, SHAPE_GOES_ON);
    } else {
        over(shapes, request);
    }
}

static void effect(struct shapes *shapes, struct open_request *request)
{
    if (request->shape.effect_event == SHAPE_NEVER) {
        request->shape.effect_ns = shapes->event->now_ns;
        request->shape.effect_event = shapes->number;
        tell(shapes, request, SHAPE_GOES_ON);
    }
}

/* Queued, arrived or submitted. */
static void comes(struct shapes *shapes, struct open_request *request)
{
    bool is_new = request == NULL;

    if (is_new) {
        request = begin(shapes);
    }
    if (shapes->event->kind == EVENT_REQUEST_SUBMIT) {
        submit(shapes, request);
    } else {
        count_queued(shapes, request, shapes->event->kind == EVENT_REQUEST_QUEUED);
    }
    tell(shapes, request, is_new ? SHAPE_BEGUN : SHAPE_GOES_ON);
}

static void goes_on(struct shapes *shapes, struct open_request *request)
{
    switch (shapes->event->kind) {
    case EVENT_REQUEST_START:
        request->shape.start_ns = shapes->event->now_ns;
        tell(shapes, request, SHAPE_GOES_ON);
        break;
    case EVENT_REQUEST_EFFECT:
        effect(shapes, request);
        break;
    case EVENT_REQUEST_DONE:
        done(shapes, request);
        break;
    case EVENT_ANSWERED:
        over(shapes, request);
        break;
    case EVENT_FAULT:
        request->shape.fault = shapes->event->index + UINT32_C(1);
        break;
    default:
        break;
    }
}

void requests_event(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct open_request *request;

    drop_old_copies(shapes);
    if (event->request == 0) {
        return;
    }
    request = find(shapes, event->request);
    if (event->kind == EVENT_REQUEST_QUEUED || event->kind == EVENT_REQUEST_SUBMIT ||
        event->kind == EVENT_ARRIVE) {
        comes(shapes, request);
    } else if (request != NULL) {
        goes_on(shapes, request);
    }
}

void requests_end(struct shapes *shapes)
{
    struct open_request *request;
    struct open_request *next;
    struct flight *flight;

    RB_FOREACH_SAFE(request, request_tree, &shapes->requests, next)
    {
        if (request->flight != NULL) {
            flight_end(shapes, request->flight);
        }
        tell(shapes, request, SHAPE_OVER);
        RB_REMOVE(request_tree, &shapes->requests, request);
        free(request);
    }
    while ((flight = TAILQ_FIRST(&shapes->unwritten)) != NULL) {
        flight_drop(shapes, flight);
    }
}
