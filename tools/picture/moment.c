/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the trace backwards.
 */
#include "tools/picture/moment.h"

static bool writes_there(const struct event *event, uint32_t disk, uint64_t offset)
{
    return event->kind == EVENT_REQUEST_EFFECT && event->node == disk && event->op != OP_READ &&
           offset >= event->offset && offset - event->offset < event->bytes;
}

struct provenance provenance_of(const struct picture *picture, const struct trace *trace,
                                uint32_t disk, uint64_t offset)
{
    struct provenance found = {.effect = NULL};

    for (uint64_t i = trace->count; i > 0 && found.effect == NULL; i--) {
        const struct event *event = &trace->events[i - 1];

        if (event->kind == EVENT_POWER_CUT && event->node == disk && found.power_cut == NULL) {
            found.power_cut = event;
        }
        if (writes_there(event, disk, offset)) {
            found.effect = event;
            found.event = i - 1;
            found.request = picture_request(picture, event->request);
        }
    }
    if (found.request != NULL) {
        found.carries = picture_request(picture, found.request->carries);
    }
    return found;
}
