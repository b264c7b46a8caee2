/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `expect`: what must come out, beyond what the oracles prove in every run.
 */
#include "sim/scenario/private.h"

/*
 * One more expectation; the pointer is good until the next one is added.
 * Beyond the bound, which is noted, the last one is used again.
 */
static struct expect_spec *add_expect(struct loader *loader, const struct yaml_node *node,
                                      enum expect_kind kind)
{
    struct plan *plan = loader->plan;
    struct expect_spec *expect;

    if (plan->expect_count == SCENARIO_MAX_ACTIONS) {
        read_mistake(loader, yaml_get(loader->root, "expect"),
                     "too many expectations: %d are the most", SCENARIO_MAX_ACTIONS);
        return &plan->expects[plan->expect_count - 1];
    }
    expect = read_append(loader, &plan->expects, &plan->expect_count, sizeof(*expect));

    *expect =
        (struct expect_spec){.kind = kind, .where = node->where, .a = PLAN_NONE, .b = PLAN_NONE};
    return expect;
}

static void add_match(struct loader *loader, struct expect_spec *expect,
                      const struct event_match *match)
{
    struct event_match *added =
        read_append(loader, &expect->matches, &expect->match_count, sizeof(*added));

    *added = *match;
}

/* ---- Events ---- */

#define JOB_EVENTS                                                         \
    (EVENT_BIT(JOB_READY) | EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_PAUSED) | \
     EVENT_BIT(JOB_RESUMED) | EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED))

/* One expectation with all events of a list. */
static void read_event_list(struct loader *loader, const struct yaml_node *node,
                            struct expect_spec *expect)
{
    struct event_spec spec;

    if (!read_sequence(loader, &node, "a list of events")) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (!event_read(loader, item, PLACE_ALONE, &spec)) {
            continue;
        }
        if (expect->kind == EXPECT_EVENTS && (spec.match.kinds & ~JOB_EVENTS)) {
            read_mistake(loader, item,
                         "`events` lists ready, error, paused, resumed, completed "
                         "and cancelled; for others use in-order");
        }
        add_match(loader, expect, &spec.match);
    }
}

static void read_events(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_event_list(loader, node, add_expect(loader, node, EXPECT_EVENTS));
}

static void read_in_order(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_event_list(loader, node, add_expect(loader, node, EXPECT_IN_ORDER));
}

/* One expectation for each event of a list, or for the only one. */
static void read_each(struct loader *loader, const struct yaml_node *node, enum expect_kind kind)
{
    struct event_spec spec;

    node = read_resolve(loader, node);
    if (node->kind == YAML_SEQUENCE) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            read_each(loader, item, kind);
        }
    } else if (event_read(loader, node, PLACE_ALONE, &spec)) {
        add_match(loader, add_expect(loader, node, kind), &spec.match);
    }
}

static void read_never(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_each(loader, node, EXPECT_NEVER);
}

static void read_reached(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_each(loader, node, EXPECT_IN_ORDER);
}

static void read_counted(struct loader *loader, const struct yaml_node *node, enum expect_kind kind)
{
    struct expect_spec *expect = add_expect(loader, node, kind);
    struct event_spec spec;

    if (!event_read(loader, node, PLACE_COUNTED, &spec)) {
        return;
    }
    if (!spec.has_times) {
        read_mistake(loader, node, "say how often: {event: ..., times: 1}");
    }
    expect->count = spec.times;
    add_match(loader, expect, &spec.match);
}

static void read_at_most(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_counted(loader, node, EXPECT_AT_MOST);
}

static void read_count(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_counted(loader, node, EXPECT_COUNT);
}

static void read_timed(struct loader *loader, const struct yaml_node *node, enum expect_kind kind)
{
    struct expect_spec *expect = add_expect(loader, node, kind);
    struct event_spec spec;

    if (!event_read(loader, node, PLACE_TIMED, &spec)) {
        return;
    }
    if (!spec.has_time) {
        read_mistake(loader, node, "say when: {event: ..., time: 5ms}");
    }
    expect->time_ns = spec.time_ns;
    add_match(loader, expect, &spec.match);
}

static void read_within(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_timed(loader, node, EXPECT_WITHIN);
}

static void read_not_before(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_timed(loader, node, EXPECT_NOT_BEFORE);
}

/* ---- The job's end ---- */

static void read_result(struct loader *loader, const struct yaml_node *node, void *record)
{
    int64_t ret;

    (void)record;
    if (value_read(loader, node, &type_result, &ret)) {
        add_expect(loader, node, EXPECT_RESULT)->ret = (int)ret;
    }
}

static void read_ended(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct event_match completed = event_match_kind(EVENT_JOB_COMPLETED);
    struct expect_spec *expect;
    int64_t end;

    (void)record;
    if (!value_read(loader, node, &type_ended, &end)) {
        return;
    }
    if (end == EVENT_JOB_CANCELLED) {
        add_expect(loader, node, EXPECT_CANCELLED);
        return;
    }
    expect = add_expect(loader, node, EXPECT_COUNT);
    expect->count = 1;
    add_match(loader, expect, &completed);
}

static const struct field concluded_fields[] = {
    FIELD_VALUE("within", type_time, struct expect_spec, time_ns), FIELD_END};

static void read_concluded(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = add_expect(loader, node, EXPECT_CONCLUDED);

    (void)record;
    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, "concluded", concluded_fields, expect);
    } else {
        read_flag(loader, node);
    }
}

static void read_query(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = add_expect(loader, node, EXPECT_QUERY);
    struct query_list list = {NULL, 0};

    (void)record;
    action_read_query(loader, node, &list);
    expect->checks = list.checks;
    expect->check_count = list.count;
}

/* ---- Disks ---- */

static void read_pair(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = record;

    if (!read_sequence(loader, &node, "two disks")) {
        return;
    }
    if (node->count != 2) {
        read_mistake(loader, node, "name two disks, [a, b]");
        return;
    }
    disk_read_reference(loader, node->first, &expect->a);
    disk_read_reference(loader, node->first->next, &expect->b);
}

static const struct field compare_fields[] = {
    {"disks", true, read_pair, NULL, 0, 0},
    FIELD_VALUE("at", type_sectors, struct expect_spec, offset),
    FIELD_VALUE("len", type_sectors_length, struct expect_spec, bytes),
    FIELD_END};

static void read_compared(struct loader *loader, const struct yaml_node *node,
                          enum expect_kind kind)
{
    struct expect_spec *expect = add_expect(loader, node, kind);
    struct range_spec range;

    node = read_resolve(loader, node);
    if (node->kind != YAML_MAPPING) {
        read_pair(loader, node, expect);
        return;
    }
    read_fields(loader, node, "a comparison", compare_fields, expect);
    if (!yaml_get(node, "at") != !yaml_get(node, "len")) {
        read_mistake(loader, node, "a part of a disk has both `at` and `len`");
    }
    range = (struct range_spec){expect->offset, expect->bytes};
    if (expect->a != PLAN_NONE) {
        range_check(loader, node, &range, expect->a);
    }
    if (expect->b != PLAN_NONE) {
        range_check(loader, node, &range, expect->b);
    }
}

static void read_same(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_compared(loader, node, EXPECT_SAME);
}

static void read_differ(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_compared(loader, node, EXPECT_DIFFER);
}

static void read_tag(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = record;
    const char *name = read_name(loader, node, "tag");
    struct nearest nearest;

    expect->content = SECTOR_GUEST_TAG;
    expect->tag = name;
    if (!name) {
        return;
    }
    nearest = nearest_to(name);
    for (uint32_t i = 0; i < loader->guest_tag_count; i++) {
        if (strcmp(loader->guest_tags[i], name) == 0) {
            return;
        }
        nearest_offer(&nearest, loader->guest_tags[i]);
    }
    read_unknown_name(loader, node, "guest request", name, &nearest);
}

static void read_fill(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = record;

    expect->content = SECTOR_FILL_OF;
    disk_read_reference(loader, node, &expect->b);
}

static void read_zero(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = record;

    expect->content = SECTOR_ZERO;
    read_flag(loader, node);
}

static const struct field sector_fields[] = {
    FIELD_NEEDED_PART("disk", disk_read_index, struct expect_spec, a),
    FIELD_NEEDED_VALUE("at", type_sectors, struct expect_spec, offset),
    FIELD_WHOLE("tag", read_tag),
    FIELD_WHOLE("fill", read_fill),
    FIELD_WHOLE("zero", read_zero),
    FIELD_END};

static void read_sector(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct expect_spec *expect = add_expect(loader, node, EXPECT_SECTOR);
    struct range_spec range;

    (void)record;
    node = read_resolve(loader, node);
    read_fields(loader, node, "sector", sector_fields, expect);
    if (node->kind == YAML_MAPPING &&
        !yaml_get(node, "tag") + !yaml_get(node, "fill") + !yaml_get(node, "zero") != 2) {
        read_mistake(loader, node, "a sector holds one of tag, fill and zero");
    }
    range = (struct range_spec){expect->offset, 512};
    if (expect->a != PLAN_NONE) {
        range_check(loader, node, &range, expect->a);
    }
}

static void read_guest_on(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    disk_read_reference(loader, node, &add_expect(loader, node, EXPECT_GUEST_ON)->a);
}

/* {DISK: ...}: an expectation for each entry; NULL once there are no more. */
static struct expect_spec *read_disk_entry(struct loader *loader, const struct yaml_node *entry,
                                           enum expect_kind kind)
{
    struct expect_spec *expect = add_expect(loader, entry, kind);
    uint32_t disk = plan_find_disk(loader->plan, entry->key->text);

    expect->a = disk;
    if (disk == PLAN_NONE) {
        disk_read_reference(loader, entry->key, &expect->a);
    }
    return expect;
}

static void read_backing(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    if (!read_mapping(loader, &node, "backing")) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = read_disk_entry(loader, entry, EXPECT_BACKING);
        const char *text = read_text(loader, entry, "disk's name");

        if (text && strcmp(text, "none") != 0) {
            disk_read_reference(loader, entry, &expect->b);
        }
    }
}

static void read_amounts(struct loader *loader, const struct yaml_node *node, enum expect_kind kind,
                         const char *what)
{
    int64_t bytes;

    if (!read_mapping(loader, &node, what)) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = read_disk_entry(loader, entry, kind);

        if (value_read(loader, entry, &type_bytes, &bytes)) {
            expect->count = (uint64_t)bytes;
        }
    }
}

static void read_length(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_amounts(loader, node, EXPECT_LENGTH, "length");
}

static void read_allocated(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_amounts(loader, node, EXPECT_ALLOCATED, "allocated");
}

/* ---- Faults and the guest ---- */

static void read_fired(struct loader *loader, const struct yaml_node *node, void *record)
{
    int64_t count;
    uint32_t fault;

    (void)record;
    if (!read_mapping(loader, &node, "fired")) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = add_expect(loader, entry, EXPECT_FIRED);

        if (fault_read_reference(loader, entry->key, &fault)) {
            expect->a = fault;
        }
        if (value_read(loader, entry, &type_number, &count)) {
            expect->count = (uint64_t)count;
        }
    }
}

static const struct field guest_fields[] = {
    FIELD_NEEDED_VALUE("stalled-at-most", type_time, struct expect_spec, time_ns), FIELD_END};

static void read_guest(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)record;
    read_fields(loader, node, "guest", guest_fields, add_expect(loader, node, EXPECT_GUEST_STALL));
}

/* ---- All of them ---- */

static const struct field expect_fields[] = {FIELD_WHOLE("result", read_result),
                                             FIELD_WHOLE("ended", read_ended),
                                             FIELD_WHOLE("concluded", read_concluded),
                                             FIELD_WHOLE("events", read_events),
                                             FIELD_WHOLE("in-order", read_in_order),
                                             FIELD_WHOLE("order", read_in_order),
                                             FIELD_WHOLE("reached", read_reached),
                                             FIELD_WHOLE("never", read_never),
                                             FIELD_WHOLE("atmost", read_at_most),
                                             FIELD_WHOLE("count", read_count),
                                             FIELD_WHOLE("within", read_within),
                                             FIELD_WHOLE("not-before", read_not_before),
                                             FIELD_WHOLE("fired", read_fired),
                                             FIELD_WHOLE("same", read_same),
                                             FIELD_WHOLE("differ", read_differ),
                                             FIELD_WHOLE("sector", read_sector),
                                             FIELD_WHOLE("length", read_length),
                                             FIELD_WHOLE("allocated", read_allocated),
                                             FIELD_WHOLE("backing", read_backing),
                                             FIELD_WHOLE("guest", read_guest),
                                             FIELD_WHOLE("guest-on", read_guest_on),
                                             FIELD_WHOLE("query", read_query),
                                             FIELD_END};

void expect_read_all(struct loader *loader)
{
    const struct yaml_node *list = yaml_get(loader->root, "expect");

    if (!list || !read_sequence(loader, &list, "expect")) {
        return;
    }
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *single = read_resolve(loader, item);

        if (read_single(loader, single, "an expectation is one {key: value}")) {
            read_fields(loader, single, "expect", expect_fields, loader->plan);
        }
    }
}
