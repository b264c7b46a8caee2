/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches of requests and of events.
 */
#include "sim/scenario/private.h"

#define REQUEST_KINDS                                                                   \
    (EVENT_BIT(REQUEST_QUEUED) | EVENT_BIT(REQUEST_SUBMIT) | EVENT_BIT(REQUEST_START) | \
     EVENT_BIT(REQUEST_EFFECT) | EVENT_BIT(REQUEST_DONE))

/* ---- Requests ---- */

static void read_disk(struct loader *loader, const struct yaml_node *node, uint64_t *mask)
{
    uint32_t disk;

    if (disk_read_reference(loader, node, &disk)) {
        *mask |= UINT64_C(1) << disk;
    }
}

static void read_disks(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint64_t *mask = record;

    node = read_resolve(loader, node);
    if (node->kind != YAML_SEQUENCE) {
        read_disk(loader, node, mask);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_disk(loader, item, mask);
    }
}

static void read_op(struct loader *loader, const struct yaml_node *node, uint32_t *mask)
{
    int64_t op;

    if (value_read(loader, node, &type_op, &op)) {
        *mask |= UINT32_C(1) << op;
    }
}

static void read_ops(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint32_t *mask = record;

    node = read_resolve(loader, node);
    if (read_is_word(loader, node, "any")) {
        return;
    }
    if (node->kind != YAML_SEQUENCE) {
        read_op(loader, node, mask);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_op(loader, item, mask);
    }
}

/* The longest of the disks that can match. */
static uint32_t longest_disk(const struct loader *loader, uint64_t disks)
{
    const struct plan *plan = loader->plan;
    uint32_t longest = PLAN_NONE;

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if ((disks == 0 || (disks >> i & 1)) &&
            (longest == PLAN_NONE || plan->disks[i].bytes > plan->disks[longest].bytes)) {
            longest = i;
        }
    }
    return longest;
}

static void read_overlaps(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct request_match *match = record;
    struct range_spec range;
    uint32_t disk;

    if (range_read(loader, node, &type_bytes, &range)) {
        match->has_range = true;
        match->offset = range.offset;
        match->bytes = range.bytes;
        disk = longest_disk(loader, match->disks);
        if (disk != PLAN_NONE) {
            range_check(loader, node, &range, disk);
        }
    }
}

/* `overlaps` needs the disks. */
#define REQUEST_FIELDS(record, member)                    \
    FIELD_PART("disk", read_disks, record, member.disks), \
        FIELD_PART("op", read_ops, record, member.ops),   \
        FIELD_VALUE("by", type_by, record, member.by),    \
        FIELD_PART("overlaps", read_overlaps, record, member)

static const struct field request_fields[] = {
    REQUEST_FIELDS(struct match_spec, request),
    FIELD_VALUE("nth", type_count, struct match_spec, nth), FIELD_END};

void match_read_request(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fields(loader, node, "match", request_fields, record);
}

/* ---- Events ---- */

/* One of `event`, `request`, `held`, ...: two are a mistake. */
static void set_kind(struct loader *loader, const struct yaml_node *node, struct event_spec *spec,
                     enum event_kind kind)
{
    if (spec->match.kinds != 0) {
        read_mistake(loader, node,
                     "a second event: one of event, request, held, released, fault "
                     "and mark is enough");
    }
    spec->match.kinds = UINT64_C(1) << (unsigned)kind;
}

static void read_event(struct loader *loader, const struct yaml_node *node, void *record)
{
    int64_t kind;

    if (value_read(loader, node, &type_event, &kind)) {
        set_kind(loader, node, record, (enum event_kind)kind);
    }
}

static void read_request(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;

    set_kind(loader, node, spec, EVENT_REQUEST_DONE);
    match_read_request(loader, node, &spec->request);
    spec->match.request = spec->request.request;
}

static void read_phase(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t kind;

    if (spec->match.kinds != EVENT_BIT(REQUEST_DONE)) {
        read_mistake(loader, node, "only a request has a phase");
    } else if (value_read(loader, node, &type_request_phase, &kind)) {
        spec->match.kinds = UINT64_C(1) << kind;
    }
}

static void read_fault_event(struct loader *loader, const struct yaml_node *node,
                             struct event_spec *spec, enum event_kind kind)
{
    uint32_t fault;

    set_kind(loader, node, spec, kind);
    if (fault_read_reference(loader, node, &fault)) {
        spec->match.index = (int)fault;
    }
}

static void read_held(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fault_event(loader, node, record, EVENT_HELD);
}

static void read_released(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fault_event(loader, node, record, EVENT_RELEASED);
}

static void read_fault(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fault_event(loader, node, record, EVENT_FAULT);
}

static void read_mark(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    uint32_t mark;

    set_kind(loader, node, spec, EVENT_MARK);
    if (fault_read_mark(loader, node, &mark)) {
        spec->match.index = (int)mark;
    }
}

/* A detail that only events of some kinds have. */
static bool read_detail(struct loader *loader, const struct yaml_node *node,
                        const struct value_type *type, const struct event_spec *spec,
                        uint64_t kinds, int64_t *value)
{
    if (spec->match.kinds & ~kinds) {
        read_mistake(loader, node, "this event has no %s", type->what);
        return false;
    }
    return value_read(loader, node, type, value);
}

static void read_action(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t action;

    if (read_detail(loader, node, &type_action, spec, EVENT_BIT(JOB_ERROR), &action)) {
        spec->match.action = (int)action;
    }
}

static void read_verb(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t verb;

    if (read_detail(loader, node, &type_verb, spec, EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED),
                    &verb)) {
        spec->match.verb = (int)verb;
    }
}

static void read_refusal(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t refusal;

    if (read_detail(loader, node, &type_refusal, spec,
                    EVENT_BIT(JOB_REFUSED) | EVENT_BIT(COMMAND_REFUSED), &refusal)) {
        spec->match.refusal = (int)refusal;
    }
}

static void read_ret(struct loader *loader, const struct yaml_node *node,
                     const struct value_type *type, struct event_spec *spec)
{
    const uint64_t kinds = EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) |
                           EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |
                           EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(JOB_REFUSED) |
                           EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_COMPLETED) |
                           EVENT_BIT(JOB_CANCELLED) | EVENT_BIT(COMMAND_REFUSED);
    int64_t ret;

    if (read_detail(loader, node, type, spec, kinds, &ret)) {
        spec->match.has_ret = true;
        spec->match.ret = (int)ret;
    }
}

static void read_error(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_ret(loader, node, &type_error, record);
}

static void read_result(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_ret(loader, node, &type_result, record);
}

static void read_times(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t times;

    if (value_read(loader, node, &type_number, &times)) {
        spec->times = (uint64_t)times;
    }
    spec->has_times = true;
}

static void read_time(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        spec->time_ns = (uint64_t)time;
    }
    spec->has_time = true;
}

static void read_concluded(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;

    read_flag(loader, node);
    spec->waits_concluded = true;
}

static void read_guest_idle(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_spec *spec = record;
    const char *text = read_text(loader, node, "\"idle\"");

    if (text && strcmp(text, "idle") != 0) {
        read_mistake(loader, node, "a guest can only be waited for until it is idle");
    }
    spec->waits_guest = true;
}

/* What says which event; the others narrow it. */
#define EVENT_KIND_FIELDS                                                       \
    FIELD_WHOLE("event", read_event), FIELD_WHOLE("request", read_request),     \
        FIELD_WHOLE("held", read_held), FIELD_WHOLE("released", read_released), \
        FIELD_WHOLE("fault", read_fault), FIELD_WHOLE("mark", read_mark),       \
        FIELD_WHOLE("phase", read_phase)

#define EVENT_DETAIL_FIELDS                                                               \
    REQUEST_FIELDS(struct event_spec, match.request), FIELD_WHOLE("action", read_action), \
        FIELD_WHOLE("command", read_verb), FIELD_WHOLE("reason", read_refusal),           \
        FIELD_WHOLE("error", read_error), FIELD_WHOLE("result", read_result)

static const struct field detail_fields[] = {EVENT_DETAIL_FIELDS, FIELD_END};

static const struct field alone_fields[] = {EVENT_KIND_FIELDS, EVENT_DETAIL_FIELDS, FIELD_END};

static const struct field awaited_fields[] = {
    EVENT_KIND_FIELDS,
    EVENT_DETAIL_FIELDS,
    FIELD_VALUE("nth", type_count, struct event_spec, nth),
    FIELD_VALUE("within", type_time, struct event_spec, within_ns),
    FIELD_VALUE("since", type_since, struct event_spec, since_start),
    FIELD_WHOLE("concluded", read_concluded),
    FIELD_WHOLE("guest", read_guest_idle),
    FIELD_END};

static const struct field answered_fields[] = {
    EVENT_KIND_FIELDS, EVENT_DETAIL_FIELDS, FIELD_VALUE("nth", type_count, struct event_spec, nth),
    FIELD_END};

static const struct field counted_fields[] = {EVENT_KIND_FIELDS, EVENT_DETAIL_FIELDS,
                                              FIELD_WHOLE("times", read_times), FIELD_END};

static const struct field timed_fields[] = {EVENT_KIND_FIELDS, EVENT_DETAIL_FIELDS,
                                            FIELD_WHOLE("time", read_time), FIELD_END};

static const struct field *place_fields(enum event_place place)
{
    switch (place) {
    case PLACE_AWAITED:
        return awaited_fields;
    case PLACE_ANSWERED:
        return answered_fields;
    case PLACE_COUNTED:
        return counted_fields;
    case PLACE_TIMED:
        return timed_fields;
    case PLACE_ALONE:
        break;
    }
    return alone_fields;
}

/* {error: {action: stop}}: the event is the key, its details the value. */
static bool is_named_event(const struct yaml_node *node, int64_t *kind)
{
    return node->kind == YAML_MAPPING && node->count == 1 && node->first->kind == YAML_MAPPING &&
           type_event.parse(node->first->key->text, kind);
}

bool event_read(struct loader *loader, const struct yaml_node *node, enum event_place place,
                struct event_spec *spec)
{
    int64_t kind = 0;

    *spec = (struct event_spec){.match = event_match_kind(EVENT_END)};
    spec->match.kinds = 0;
    node = read_resolve(loader, node);
    if (node->kind != YAML_MAPPING) {
        read_event(loader, node, spec);
        return spec->match.kinds != 0;
    }
    if (is_named_event(node, &kind)) {
        spec->match.kinds = UINT64_C(1) << kind;
        read_fields(loader, node->first, "an event", detail_fields, spec);
        return true;
    }
    read_fields(loader, node, "an event", place_fields(place), spec);
    if (spec->request.nth > 0) {
        spec->nth = spec->request.nth;
    }
    if (spec->match.kinds == 0 && !spec->waits_concluded && !spec->waits_guest) {
        bool says_event = yaml_get(node, "event") != NULL;

        if (!says_event) {
            read_mistake(loader, node,
                         "this says no event: give one of event, request, held, "
                         "released, fault and mark");
        }
        return false;
    }
    return true;
}
