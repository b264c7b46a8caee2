/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plans: making an empty one, and matching requests and events against it.
 */
#include "sim/plan/plan.h"

#include <assert.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/content/bytes.h"

/* Plans are small, but a matrix or a recorded guest can list many actions. */
/* A recording of ten million requests takes some 600 MiB. */
#define PLAN_RESERVE_BYTES ((size_t)(sizeof(void *) >= 8 ? UINT64_C(2) << 30 : UINT64_C(64) << 20))

struct limits_spec limits_default(void)
{
    return (struct limits_spec){
        .time_ns = LIMITS_TIME_NS,
        .events = LIMITS_EVENTS,
        .events_at_once = LIMITS_EVENTS_AT_ONCE,
    };
}

struct plan *plan_create(void)
{
    struct arena *arena = arena_create(PLAN_RESERVE_BYTES);
    struct plan *plan;

    if (!arena) {
        return NULL;
    }
    plan = arena_alloc(arena, sizeof(*plan));
    plan->arena = arena;
    plan->file = "";
    plan->name = "";
    plan->doc = "";
    plan->case_name = "";
    plan->limits = limits_default();
    plan->job.source = PLAN_NONE;
    plan->job.target = PLAN_NONE;
    plan->job.buffer_bytes = MIRROR_DEFAULT_BUFFER_BYTES;
    for (uint32_t i = 0; i < PLAN_MAX_DISKS; i++) {
        plan->disks[i].backing = PLAN_NONE;
    }
    return plan;
}

void plan_destroy(struct plan *plan)
{
    if (plan) {
        arena_destroy(plan->arena);
    }
}

struct guest_origin plan_guest_origin(const struct plan *plan, uint32_t number)
{
    const struct action *action = plan_action(plan, number);
    uint32_t generator = number - plan_generator_number(plan, 0);

    if (action != NULL) {
        return (struct guest_origin){action->guest.tag, action->where};
    }
    if (generator < plan->generator_count) {
        return (struct guest_origin){plan->generators[generator].name,
                                     plan->generators[generator].where};
    }
    return (struct guest_origin){0};
}

bool plan_fits_bytes(const struct plan *plan)
{
    uint64_t left = BYTES_MAX_DISKS;

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (plan->disks[i].bytes > left) {
            return false;
        }
        left -= plan->disks[i].bytes;
    }
    return true;
}

uint32_t plan_find_disk(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (strcmp(plan->disks[i].name, name) == 0) {
            return i;
        }
    }
    return PLAN_NONE;
}

const char *action_kind_name(enum action_kind kind)
{
    static const char *const names[] = {
        [DO_START] = "start",
        [DO_COMPLETE] = "complete",
        [DO_CANCEL] = "cancel",
        [DO_PAUSE] = "pause",
        [DO_RESUME] = "resume",
        [DO_FINALIZE] = "finalize",
        [DO_DISMISS] = "dismiss",
        [DO_CHANGE] = "change",
        [DO_SET_SPEED] = "set-speed",
        [DO_GUEST] = "guest",
        [DO_HOLD] = "hold",
        [DO_RELEASE] = "release",
        [DO_MARK] = "mark",
        [DO_POWER_CUT] = "power-cut",
        [DO_QUERY] = "query",
        [DO_QUERY_DISK] = "query-disk",
        [DO_JOB_NONE] = "job-none",
        [DO_WAIT] = "wait",
        [DO_AT] = "at",
        [DO_SETTLE] = "settle",
        [DO_USE] = "use",
        [DO_DRAIN] = "drain",
        [DO_UNDRAIN] = "undrain",
    };

    assert((size_t)kind < COUNT_OF(names));
    return names[kind];
}

bool request_matches(const struct request_match *match, uint8_t disk, enum op op, enum by by,
                     uint64_t offset, uint64_t bytes)
{
    return (match->disks == 0 || (match->disks >> disk & 1)) &&
           (match->ops == 0 || (match->ops >> (unsigned)op & 1)) &&
           (match->by == BY_NONE || match->by == by) &&
           (!match->has_range || range_overlaps(match->offset, match->bytes, offset, bytes));
}

/* True if `wanted` is MATCH_ANY, or if this kind of event carries the value and it is equal. */
static bool detail_matches(int wanted, bool carried, unsigned value)
{
    return wanted == MATCH_ANY || (carried && (unsigned)wanted == value);
}

static bool status_matches(uint32_t statuses, const struct event *event)
{
    return statuses == 0 ||
           (event->kind == EVENT_JOB_STATUS && (statuses >> event->detail2 & 1) != 0);
}

bool event_matches(const struct event_match *match, const struct event *event)
{
    bool is_error = event->kind == EVENT_JOB_ERROR;
    bool is_start_refused = event->kind == EVENT_JOB_REFUSED;
    bool is_refused = event->kind == EVENT_COMMAND_REFUSED;
    bool is_command = event->kind == EVENT_COMMAND || is_refused;

    return (match->kinds == 0 || (match->kinds >> event->kind & 1)) &&
           request_matches(&match->request, event->node, event_op(event), event_by(event),
                           event->offset, event->bytes) &&
           detail_matches(match->action, is_error, event->detail) &&
           detail_matches(match->verb, is_command, event->detail) &&
           detail_matches(match->refusal, is_refused || is_start_refused,
                          is_refused ? event->detail2 : event->detail) &&
           detail_matches(match->index, true, event->index) &&
           status_matches(match->statuses, event) && (!match->has_ret || match->ret == event->ret);
}

struct event_match event_match_kind(enum event_kind kind)
{
    return (struct event_match){
        .kinds = UINT64_C(1) << (unsigned)kind,
        .action = MATCH_ANY,
        .verb = MATCH_ANY,
        .refusal = MATCH_ANY,
        .index = MATCH_ANY,
    };
}

_Static_assert(EVENT_KIND_COUNT <= 64, "event kinds must fit a mask");
_Static_assert(OP_COUNT <= 32, "operations must fit a mask");
_Static_assert(JOB_STATUS_COUNT <= 32, "states must fit a mask");
_Static_assert(PLAN_MAX_DISKS <= 64, "disks must fit a mask");
