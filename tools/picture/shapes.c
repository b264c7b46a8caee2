/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builder: passes each event to the parts, which keep what is open.
 */
#include "tools/picture/shapes.h"

#include <assert.h>
#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/picture/shapes_private.h"

#define INSTANTS                                                                                  \
    (EVENT_BIT(FAULT) | EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |                 \
     EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(GRAPH_PIVOT) | EVENT_BIT(GRAPH_UNLINK) |               \
     EVENT_BIT(GRAPH_USE) | EVENT_BIT(GUEST_MOVED) | EVENT_BIT(GRAPH_BACKING) |                   \
     EVENT_BIT(GRAPH_READ_ONLY) | EVENT_BIT(JOB_STARTED) | EVENT_BIT(JOB_REFUSED) | JOB_REPORTS | \
     EVENT_BIT(JOB_SYNCED) | EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(STEP) |  \
     EVENT_BIT(REACT) | EVENT_BIT(MARK) | EVENT_BIT(QUERY) | EVENT_BIT(CHECK_FAILED) |            \
     EVENT_BIT(POWER_CUT) | EVENT_BIT(END))

bool shape_is_instant(const struct event *event)
{
    return (INSTANTS >> event->kind & 1) != 0;
}

const char *shape_range_kind_name(enum shape_range_kind kind)
{
    static const char *const names[RANGE_KINDS] = {
        [RANGE_DIRTY] = "dirty", [RANGE_IN_FLIGHT] = "in flight", [RANGE_LOCKED] = "locked"};

    assert(kind < RANGE_KINDS);
    return names[kind];
}

const char *shape_lane_name(enum shape_lane lane)
{
    static const char *const names[LANE_COUNT] = {[LANE_STATUS] = "status",
                                                  [LANE_PHASE] = "phase",
                                                  [LANE_SECTION] = "drained section",
                                                  [LANE_HOLD] = "hold"};

    assert(lane < LANE_COUNT);
    return names[lane];
}

const char *shape_counter_name(enum shape_counter counter)
{
    static const char *const names[COUNTER_COUNT] = {[COUNTER_DIRTY] = "dirty bytes",
                                                     [COUNTER_IN_FLIGHT] = "bytes in flight",
                                                     [COUNTER_QUEUED] = "queued guest requests",
                                                     [COUNTER_OFFSET] = "job offset",
                                                     [COUNTER_LEN] = "job length",
                                                     [COUNTER_GUEST_LATENCY] = "guest latency"};

    assert(counter < COUNTER_COUNT);
    return names[counter];
}

struct shapes *shapes_create(const struct plan *plan, const struct shape_sink *sink)
{
    struct shapes *shapes = must_alloc(sizeof(*shapes));

    shapes->plan = plan;
    shapes->sink = *sink;
    RB_INIT(&shapes->requests);
    TAILQ_INIT(&shapes->unwritten);
    TAILQ_INIT(&shapes->periods);
    return shapes;
}

void shapes_count(struct shapes *shapes, enum shape_counter counter, uint8_t node, uint64_t value)
{
    struct shape_sample sample = {.counter = counter,
                                  .node = node,
                                  .now_ns = shapes->event->now_ns,
                                  .event = shapes->number,
                                  .value = value};

    if (shapes->values[counter][node] == value && counter != COUNTER_GUEST_LATENCY) {
        return;
    }
    shapes->values[counter][node] = value;
    if (shapes->sink.sample != NULL) {
        shapes->sink.sample(shapes->sink.opaque, &sample);
    }
}

void shapes_tell_range(struct shapes *shapes, const struct shape_range *range)
{
    struct shape_range told = *range;

    told.to_ns = shapes->event != NULL ? shapes->event->now_ns : SHAPE_NEVER;
    told.to_event = shapes->event != NULL ? shapes->number : SHAPE_NEVER;
    if (shapes->sink.range != NULL && told.bytes > 0) {
        shapes->sink.range(shapes->sink.opaque, &told);
    }
}

static void tell_instant(const struct shapes *shapes)
{
    struct shape_instant instant = {.event = *shapes->event, .number = shapes->number};

    if (shape_is_instant(shapes->event) && shapes->sink.instant != NULL) {
        shapes->sink.instant(shapes->sink.opaque, &instant);
    }
}

static void count_progress(struct shapes *shapes)
{
    const struct event *event = shapes->event;

    shapes_count(shapes, COUNTER_OFFSET, 0, event->offset);
    shapes_count(shapes, COUNTER_LEN, 0, event->bytes);
}

void shapes_event(struct shapes *shapes, const struct event *event, uint64_t number)
{
    assert(event->kind < EVENT_KIND_COUNT && number < SHAPE_NEVER);
    shapes->event = event;
    shapes->number = number;
    tell_instant(shapes);
    requests_event(shapes);
    dirty_event(shapes);
    periods_event(shapes);
    if (event->kind == EVENT_JOB_PROGRESS) {
        count_progress(shapes);
    }
    shapes->event = NULL;
}

void shapes_end(struct shapes *shapes)
{
    requests_end(shapes);
    dirty_end(shapes);
    periods_end(shapes);
    free(shapes);
}
