/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrays of shapes, put in order once all are there.
 */
#include "tools/picture/picture.h"

#include <assert.h>
#include <stdlib.h>

#include "tools/base/support.h"

static void keep_request(void *opaque, const struct shape_request *request, enum shape_news news)
{
    struct picture *picture = opaque;

    if (news == SHAPE_OVER) {
        picture->requests =
            must_grow(picture->requests, picture->request_count, sizeof(*picture->requests));
        picture->requests[picture->request_count++] = *request;
    }
}

static void keep_range(void *opaque, const struct shape_range *range)
{
    struct picture *picture = opaque;

    picture->ranges = must_grow(picture->ranges, picture->range_count, sizeof(*picture->ranges));
    picture->ranges[picture->range_count++] = *range;
}

static void keep_period(void *opaque, const struct shape_period *period, enum shape_news news)
{
    struct picture *picture = opaque;

    if (news == SHAPE_OVER) {
        picture->periods =
            must_grow(picture->periods, picture->period_count, sizeof(*picture->periods));
        picture->periods[picture->period_count++] = *period;
    }
}

static void keep_instant(void *opaque, const struct shape_instant *instant)
{
    struct picture *picture = opaque;

    picture->instants =
        must_grow(picture->instants, picture->instant_count, sizeof(*picture->instants));
    picture->instants[picture->instant_count++] = *instant;
}

static void keep_sample(void *opaque, const struct shape_sample *sample)
{
    struct picture *picture = opaque;

    picture->samples =
        must_grow(picture->samples, picture->sample_count, sizeof(*picture->samples));
    picture->samples[picture->sample_count++] = *sample;
}

/* ---- The order in which they began ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_requests(const void *a, const void *b)
{
    const struct shape_request *first = a;
    const struct shape_request *second = b;

    return compare(first->came_event, second->came_event);
}

/* An event can begin several dirty ranges of a bitmap, and clearing cuts one into several. */
static int compare_ranges(const void *a, const void *b)
{
    const struct shape_range *first = a;
    const struct shape_range *second = b;
    int order = compare(first->from_event, second->from_event);

    return order != 0 ? order : compare(first->offset, second->offset);
}

static int compare_periods(const void *a, const void *b)
{
    const struct shape_period *first = a;
    const struct shape_period *second = b;

    return compare(first->number, second->number);
}

static void sort(void *list, size_t count, size_t bytes, int (*order)(const void *, const void *))
{
    if (count > 0) {
        qsort(list, count, bytes, order);
    }
}

struct picture picture_of_trace(const struct plan *plan, const struct trace *trace)
{
    struct picture picture = {.event_count = trace->count};
    struct shape_sink sink = {.opaque = &picture,
                              .request = keep_request,
                              .range = keep_range,
                              .period = keep_period,
                              .instant = keep_instant,
                              .sample = keep_sample};
    struct shapes *shapes = shapes_create(plan, &sink);

    assert(trace->keep);
    for (uint64_t i = 0; i < trace->count; i++) {
        shapes_event(shapes, &trace->events[i], i);
        picture.end_ns = trace->events[i].now_ns;
    }
    shapes_end(shapes);
    sort(picture.requests, picture.request_count, sizeof(*picture.requests), compare_requests);
    sort(picture.ranges, picture.range_count, sizeof(*picture.ranges), compare_ranges);
    sort(picture.periods, picture.period_count, sizeof(*picture.periods), compare_periods);
    return picture;
}

void picture_free(struct picture *picture)
{
    free(picture->requests);
    free(picture->ranges);
    free(picture->periods);
    free(picture->instants);
    free(picture->samples);
    *picture = (struct picture){.requests = NULL};
}

static int compare_number(const void *key, const void *element)
{
    const struct shape_request *request = element;

    return compare(*(const uint32_t *)key, request->request);
}

/* Requests are numbered in the order in which they begin. */
const struct shape_request *picture_request(const struct picture *picture, uint32_t request)
{
    if (request == 0 || picture->request_count == 0) {
        return NULL;
    }
    return bsearch(&request, picture->requests, picture->request_count, sizeof(*picture->requests),
                   compare_number);
}
