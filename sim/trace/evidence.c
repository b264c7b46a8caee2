/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Evidence: views of disks as their readers see them, and names.
 */
#include "sim/trace/evidence.h"

#include <assert.h>

const char *world_end_name(enum world_end end)
{
    switch (end) {
    case END_NOT:
        return "running";
    case END_CONCLUDED:
        return "concluded";
    case END_DEADLOCK:
        return "deadlock";
    case END_TIME:
        return "time-limit";
    case END_EVENTS:
        return "event-limit";
    case END_LIVELOCK:
        return "livelock";
    case END_GIVEN_UP:
        return "given-up";
    case END_FINDINGS:
        return "too-many-findings";
    }
    return "?";
}

/* A chain with a loop is cut at VIEW_MAX_LAYERS. */
void evidence_view(const struct evidence *evidence, uint32_t disk, struct view *view)
{
    assert(disk < PLAN_MAX_DISKS);
    view->layers = 0;
    while (disk != PLAN_NONE && view->layers < VIEW_MAX_LAYERS) {
        view->layer[view->layers] = evidence->disks[disk]->image;
        view->bytes[view->layers] = evidence->disks[disk]->bytes;
        view->layers++;
        disk = evidence->disks[disk]->backing;
    }
}
