/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Periods that are open, in the order in which they began: what the job is at, drained sections,
 * holds; and the ranges for which guest requests wait.
 *
 * The generation 2.2 has no events for the status of a job, so its status follows from what the
 * job tells: ready, paused, an error (which ends being ready).
 *
 * Declared in tools/picture/shapes_private.h: a part of the builder.
 */
#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/picture/shapes_private.h"

struct open_period {
    TAILQ_ENTRY(open_period) link;
    bool is_lock; /* a range that a guest request waits for; then only `lock` is used */
    struct shape_period shape;
    struct shape_range lock;
};

static void tell(const struct shapes *shapes, const struct open_period *open, enum shape_news news)
{
    if (shapes->sink.period != NULL) {
        shapes->sink.period(shapes->sink.opaque, &open->shape, news);
    }
}

static struct open_period *begin(struct shapes *shapes, enum shape_lane lane, uint32_t value)
{
    const struct event *event = shapes->event;
    struct open_period *open = must_alloc(sizeof(*open));

    open->shape = (struct shape_period){.number = ++shapes->period_count,
                                        .lane = lane,
                                        .value = value,
                                        .node = event->node,
                                        .op = event->op,
                                        .by = event->by,
                                        .request = event->request,
                                        .offset = event->offset,
                                        .bytes = event->bytes,
                                        .from_ns = event->now_ns,
                                        .quiet_ns = SHAPE_NEVER,
                                        .to_ns = SHAPE_NEVER,
                                        .from_event = shapes->number,
                                        .to_event = SHAPE_NEVER};
    TAILQ_INSERT_TAIL(&shapes->periods, open, link);
    tell(shapes, open, SHAPE_BEGUN);
    return open;
}

static void end(struct shapes *shapes, struct open_period *open)
{
    TAILQ_REMOVE(&shapes->periods, open, link);
    if (open->is_lock) {
        shapes_tell_range(shapes, &open->lock);
    } else {
        if (shapes->event != NULL) {
            open->shape.to_ns = shapes->event->now_ns;
            open->shape.to_event = shapes->number;
        }
        tell(shapes, open, SHAPE_OVER);
    }
    free(open);
}

/* ---- The job ---- */

static struct open_period *current(const struct shapes *shapes, enum shape_lane lane)
{
    struct open_period *open;

    TAILQ_FOREACH (open, &shapes->periods, link) {
        if (!open->is_lock && open->shape.lane == lane) {
            return open;
        }
    }
    return NULL;
}

static void end_lane(struct shapes *shapes, enum shape_lane lane)
{
    struct open_period *open = current(shapes, lane);

    if (open != NULL) {
        end(shapes, open);
    }
}

static void change(struct shapes *shapes, enum shape_lane lane, uint32_t value)
{
    end_lane(shapes, lane);
    begin(shapes, lane, value);
}

/* The status of a job of 2.2 after an event that tells of it. */
static enum job_status next_status(enum job_status status, enum event_kind kind)
{
    bool parked = status == JOB_STATUS_PAUSED || status == JOB_STATUS_STANDBY;
    bool ready = status == JOB_STATUS_READY || status == JOB_STATUS_STANDBY;

    parked = (parked && kind != EVENT_JOB_RESUMED) || kind == EVENT_JOB_PAUSED;
    ready = (ready && kind != EVENT_JOB_ERROR) || kind == EVENT_JOB_READY;
    if (parked) {
        return ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED;
    }
    return ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING;
}

static void derive_status(struct shapes *shapes)
{
    const struct open_period *open = current(shapes, LANE_STATUS);
    enum job_status status = open == NULL ? JOB_STATUS_RUNNING : (enum job_status)open->shape.value;
    enum job_status next = next_status(status, event_kind(shapes->event));

    if (open == NULL || next != status) {
        change(shapes, LANE_STATUS, next);
    }
}

static void job_event(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    bool is_modern = shapes->plan->generation == GENERATION_MODERN;

    switch (event->kind) {
    case EVENT_JOB_STATUS:
        end_lane(shapes, LANE_STATUS);
        if (event->detail2 != JOB_STATUS_NULL) {
            begin(shapes, LANE_STATUS, event->detail2);
        }
        break;
    case EVENT_JOB_PHASE:
        change(shapes, LANE_PHASE, event->detail2);
        break;
    case EVENT_JOB_STARTED:
    case EVENT_JOB_READY:
    case EVENT_JOB_ERROR:
    case EVENT_JOB_PAUSED:
    case EVENT_JOB_RESUMED:
        if (!is_modern) {
            derive_status(shapes);
        }
        break;
    case EVENT_JOB_COMPLETED:
    case EVENT_JOB_CANCELLED:
        end_lane(shapes, LANE_PHASE);
        if (!is_modern) {
            end_lane(shapes, LANE_STATUS);
        }
        break;
    default:
        break;
    }
}

/* ---- Drained sections ---- */

static bool is_same_section(const struct open_period *open, const struct event *event)
{
    uint32_t value = event->kind == EVENT_SECTION ? event->index : 0;

    return !open->is_lock && open->shape.lane == LANE_SECTION && open->shape.value == value &&
           open->shape.node == event->node && open->shape.by == event->by;
}

/* The innermost section of this kind; for one that becomes quiet, of those that are not. */
static struct open_period *section_of(const struct shapes *shapes, bool is_quiet)
{
    struct open_period *open;

    TAILQ_FOREACH_REVERSE(open, &shapes->periods, period_list, link)
    {
        if (is_same_section(open, shapes->event) &&
            !(is_quiet && open->shape.quiet_ns != SHAPE_NEVER)) {
            return open;
        }
    }
    return NULL;
}

static void section_event(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    bool is_modern = event->kind == EVENT_SECTION;
    bool begins = is_modern ? event->detail == SECTION_BEGUN : event->kind == EVENT_DRAIN_BEGIN;
    bool ends = is_modern ? event->detail == SECTION_ENDED : event->kind == EVENT_DRAIN_END;
    struct open_period *open;

    if (begins) {
        begin(shapes, LANE_SECTION, is_modern ? event->index : 0);
        return;
    }
    open = section_of(shapes, !ends);
    if (open == NULL) {
        return;
    }
    if (ends) {
        end(shapes, open);
    } else {
        open->shape.quiet_ns = event->now_ns;
        tell(shapes, open, SHAPE_GOES_ON);
    }
}

/* ---- Holds, and what guest requests wait for ---- */

/* Ends every hold and every lock of the event's request; of a fault, or of all. */
static void end_waits(struct shapes *shapes, bool locks, bool holds, bool all_faults)
{
    const struct event *event = shapes->event;
    struct open_period *open;
    struct open_period *next;

    TAILQ_FOREACH_SAFE(open, &shapes->periods, link, next)
    {
        const struct shape_period *shape = &open->shape;
        bool is_hold = holds && !open->is_lock && shape->lane == LANE_HOLD &&
                       shape->request == event->request && shape->node == event->node &&
                       shape->op == event->op && (all_faults || shape->value == event->index);
        bool is_lock = locks && open->is_lock && open->lock.request == event->request;

        if (is_hold || is_lock) {
            end(shapes, open);
        }
    }
}

static void begin_lock(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct open_period *open = must_alloc(sizeof(*open));

    end_waits(shapes, true, false, false);
    open->is_lock = true;
    open->lock = (struct shape_range){.kind = RANGE_LOCKED,
                                      .node = event->node,
                                      .request = event->request,
                                      .offset = event->offset,
                                      .bytes = event->bytes,
                                      .from_ns = event->now_ns,
                                      .from_event = shapes->number};
    TAILQ_INSERT_TAIL(&shapes->periods, open, link);
}

void periods_event(struct shapes *shapes)
{
    const struct event *event = shapes->event;

    switch (event->kind) {
    case EVENT_HELD:
        begin(shapes, LANE_HOLD, event->index);
        break;
    case EVENT_RELEASED:
        end_waits(shapes, false, true, false);
        break;
    case EVENT_STALL_HOLDER:
        begin_lock(shapes);
        break;
    case EVENT_REQUEST_SUBMIT:
    case EVENT_ANSWERED:
        end_waits(shapes, true, false, false);
        break;
    case EVENT_REQUEST_DONE:
        end_waits(shapes, false, event->request > 0, true);
        break;
    case EVENT_DRAIN_BEGIN:
    case EVENT_DRAINED:
    case EVENT_DRAIN_END:
    case EVENT_SECTION:
        section_event(shapes);
        break;
    default:
        job_event(shapes);
        break;
    }
}

void periods_end(struct shapes *shapes)
{
    struct open_period *open;

    while ((open = TAILQ_FIRST(&shapes->periods)) != NULL) {
        end(shapes, open);
    }
}
