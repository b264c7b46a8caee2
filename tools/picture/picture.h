/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All shapes of one run, kept: for pictures that have to see the whole before they draw.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_PICTURE_H
#define MIRRORSIM_TOOLS_PICTURE_PICTURE_H

#include "tools/picture/shapes.h"

/* Each array is in the order in which its shapes began. */
struct picture {
    struct shape_request *requests;
    struct shape_range *ranges;
    struct shape_period *periods;
    struct shape_instant *instants;
    struct shape_sample *samples;
    size_t request_count;
    size_t range_count;
    size_t period_count;
    size_t instant_count;
    size_t sample_count;
    uint64_t event_count;
    uint64_t end_ns; /* of the last event */
};

/* The trace must be kept. picture_free() afterwards. */
struct picture picture_of_trace(const struct plan *plan, const struct trace *trace);
void picture_free(struct picture *picture);

/* The request with this number, or NULL. */
const struct shape_request *picture_request(const struct picture *picture, uint32_t request);

#endif
