/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `expect`: what must come out, beyond what the oracles prove in every run.
 */
#include "sim/scenario/expect.h"

#include "sim/scenario/private.h"

/*
 * One more expectation; the pointer is good until the next one is added.
 * Beyond the bound, which is noted, the last one is used again.
 */
struct expect_spec *expect_add(struct loader *loader, const struct yaml_node *node,
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

/* One expectation with all events of a list. */
static void read_event_list(struct loader *loader, const struct yaml_node *node,
                            struct expect_spec *expect)
{
    bool is_modern = loader->plan->generation == GENERATION_MODERN;
    struct event_spec spec;

    if (!read_sequence(loader, &node, "a list of events")) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (!event_read(loader, item, &shape_event, &spec)) {
            continue;
        }
        if (expect->kind == EXPECT_EVENTS && (spec.match.kinds & ~job_reports(true))) {
            read_mistake(loader, item,
                         "`events` lists ready, error, paused, resumed, completed%s "
                         "and cancelled; for others use in-order",
                         is_modern ? ", pending, status" : "");
        }
        add_match(loader, expect, &spec.match);
    }
}

static FIELD_READER(read_events)
{
    read_event_list(loader, node, expect_add(loader, node, (enum expect_kind)field->kind));
}

static FIELD_WRITER(write_events)
{
    const struct expect_spec *expect = record;
    struct emit list = emit_open(emit->file, EMIT_FLOW_LIST);

    emit_key(emit, field->key);
    for (uint32_t i = 0; i < expect->match_count; i++) {
        emit_item(&list);
        event_write_short(emit->file, plan, &expect->matches[i]);
    }
    emit_end(&list);
}

/* One expectation for each event of a list, or for the only one. */
static FIELD_READER(read_each)
{
    struct event_spec spec;

    node = read_resolve(loader, node);
    if (node->kind == YAML_SEQUENCE) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            read_each(loader, item, field, record);
        }
    } else if (event_read(loader, node, &shape_event, &spec)) {
        add_match(loader, expect_add(loader, node, (enum expect_kind)field->kind), &spec.match);
    }
}

static FIELD_WRITER(write_each)
{
    const struct expect_spec *expect = record;

    if (expect->match_count != 1) {
        write_events(emit, plan, field, record);
        return;
    }
    emit_key(emit, field->key);
    event_write_short(emit->file, plan, &expect->matches[0]);
}

static FIELD_READER(read_counted)
{
    struct expect_spec *expect = expect_add(loader, node, (enum expect_kind)field->kind);
    struct event_spec spec;

    if (!event_read(loader, node, &shape_counted, &spec)) {
        return;
    }
    if (!spec.has_times) {
        read_mistake(loader, node, "say how often: {event: ..., times: 1}");
    }
    expect->count = spec.times;
    add_match(loader, expect, &spec.match);
}

static FIELD_READER(read_timed)
{
    struct expect_spec *expect = expect_add(loader, node, (enum expect_kind)field->kind);
    struct event_spec spec;

    if (!event_read(loader, node, &shape_timed, &spec)) {
        return;
    }
    if (!spec.has_time) {
        read_mistake(loader, node, "say when: {event: ..., time: 5ms}");
    }
    expect->time_ns = spec.time_ns;
    add_match(loader, expect, &spec.match);
}

/* An event and how often, or when. */
static FIELD_WRITER(write_measured)
{
    const struct expect_spec *expect = record;
    struct event_spec spec = event_matching(&expect->matches[0]);

    spec.times = expect->count;
    spec.time_ns = expect->time_ns;
    emit_key(emit, field->key);
    event_write(emit->file, plan, field->shape, &spec);
}

/* ---- The job's end ---- */

static FIELD_READER(read_result)
{
    int64_t ret;

    if (value_read(loader, node, field->type, &ret)) {
        expect_add(loader, node, EXPECT_RESULT)->ret = (int)ret;
    }
}

static FIELD_READER(read_ended)
{
    struct event_match completed = event_match_kind(EVENT_JOB_COMPLETED);
    struct expect_spec *expect;
    int64_t end;

    if (!value_read(loader, node, field->type, &end)) {
        return;
    }
    if (end == EVENT_JOB_CANCELLED) {
        expect_add(loader, node, EXPECT_CANCELLED);
        return;
    }
    expect = expect_add(loader, node, EXPECT_COUNT);
    expect->count = 1;
    add_match(loader, expect, &completed);
}

/* A job that completed is a count of such events. */
static FIELD_WRITER(write_ended)
{
    write_value(emit, field->key, field->type, EVENT_JOB_CANCELLED);
}

static const struct field concluded_fields[] = {
    FIELD("within", "By this instant.", .type = &type_time, MEMBER(struct expect_spec, time_ns)),
    FIELD_END};

static FIELD_READER(read_concluded)
{
    struct expect_spec *expect = expect_add(loader, node, EXPECT_CONCLUDED);

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, "concluded", concluded_fields, expect);
    } else {
        read_flag(loader, node);
    }
}

static FIELD_WRITER(write_concluded)
{
    if (((const struct expect_spec *)record)->time_ns == 0) {
        emit_word(emit, field->key, "true");
    } else {
        write_mapping(emit, plan, field->key, concluded_fields, record);
    }
}

static FIELD_READER(read_query)
{
    struct expect_spec *expect = expect_add(loader, node, EXPECT_QUERY);
    struct query_list list = {NULL, 0};

    query_read(loader, node, &list);
    expect->checks = list.checks;
    expect->check_count = list.count;
}

static FIELD_WRITER(write_query)
{
    const struct expect_spec *expect = record;

    query_write(emit, plan, field->key, expect->checks, expect->check_count);
}

/* ---- Faults and the guest ---- */

static FIELD_READER(read_fired)
{
    int64_t count;
    uint32_t fault;

    if (!read_mapping(loader, &node, field->key)) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = expect_add(loader, entry, EXPECT_FIRED);

        if (fault_read_reference(loader, entry->key, &fault)) {
            expect->a = fault;
        }
        if (value_read(loader, entry, &type_number, &count)) {
            expect->count = (uint64_t)count;
        }
    }
}

static FIELD_WRITER(write_fired)
{
    const struct expect_spec *expect = record;
    struct emit fired = emit_open_below(emit, field->key, EMIT_FLOW);

    write_value(&fired, plan->faults[expect->a].name, &type_number, (int64_t)expect->count);
    emit_end(&fired);
}

static FIELD_READER(read_guest_of)
{
    struct expect_spec *expect = record;
    const char *name = read_name(loader, node, "guest request");

    expect->tag = name ? guest_find_tag(loader, node, name) : NULL;
}

static FIELD_WRITER(write_guest_of)
{
    const struct expect_spec *expect = record;

    if (expect->tag) {
        emit_word(emit, field->key, expect->tag);
    }
}

static const struct field guest_fields[] = {
    FIELD("stalled-at-most", "No guest request takes longer.", .type = &type_span,
          MEMBER(struct expect_spec, time_ns)),
    FIELD("p50-at-most", "Half of them take no longer.", .type = &type_span,
          MEMBER(struct expect_spec, p50_ns)),
    FIELD("p95-at-most", "95 of a hundred take no longer.", .type = &type_span,
          MEMBER(struct expect_spec, p95_ns)),
    FIELD("p99-at-most", "99 of a hundred take no longer.", .type = &type_span,
          MEMBER(struct expect_spec, p99_ns)),
    FIELD("errors-at-most", "So many of them fail at most.", .type = &type_number,
          MEMBER(struct expect_spec, errors), .otherwise = -1),
    FIELD("of", "Only the guest request or generator of this name; default: all.",
          .shape = &shape_name, MEMBER(struct expect_spec, tag), .read = read_guest_of,
          .write = write_guest_of),
    FIELD_END};

static FIELD_READER(read_guest)
{
    struct expect_spec *expect = expect_add(loader, node, EXPECT_GUEST_STALL);

    expect->errors = -1;
    read_fields(loader, node, field->key, guest_fields, expect);
    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING && node->count == (yaml_get(node, "of") ? 1 : 0)) {
        read_mistake(loader, node, "this sets no bound: give one of %s",
                     read_list_keys(loader, guest_fields));
    }
}

static const struct field job_fields[] = {
    FIELD("still-at-most",
          "It does not stand still for longer: no request of it begins or ends, though it is "
          "neither paused nor ready without a word to end.",
          .type = &type_time, MEMBER(struct expect_spec, time_ns), .required = true),
    FIELD_END};

static FIELD_READER(read_job)
{
    read_fields(loader, node, field->key, job_fields, expect_add(loader, node, EXPECT_JOB_STILL));
}

/* ---- All of them ---- */

static const struct shape shape_events = {.kind = SHAPE_LIST, .of = &shape_event};
static const struct shape shape_one_or_more_events = {
    .kind = SHAPE_ANY, .any = ALTERNATIVES(&shape_event, &shape_events)};

#define EXPECT(key, doc, kind_, name, ...) \
    FIELD(key, doc, .kind = (kind_), .read = read_##name, .write = write_##name, __VA_ARGS__)

/* Expectations of some cases only; a plan is of one case, so that they are written without it. */
struct some_cases {
    bool is_elsewhere;
    const struct yaml_node *list;
};

static FIELD_READER(read_list)
{
    struct some_cases *cases = record;

    if (read_sequence(loader, &node, field->key)) {
        cases->list = node;
    }
}

static const struct field cases_fields[] = {
    FIELD("case", "In the cases of the matrix that have these values, ...",
          .shape = NAMES_OF(SHAPE_OF(.kind = SHAPE_FREE)), MEMBER(struct some_cases, is_elsewhere),
          .required = true, .read = case_read, .write = write_nothing),
    FIELD("expect", "... these must come out.", .shape = &shape_expect, .required = true,
          .read = read_list, .write = write_nothing),
    FIELD_END};

static void read_expectations(struct loader *loader, const struct yaml_node *list,
                              const char *what);

/* Of other cases they are only checked. */
static FIELD_READER(read_cases)
{
    struct some_cases cases = {0};
    uint32_t count = loader->plan->expect_count;

    read_fields(loader, node, field->key, cases_fields, &cases);
    if (cases.list) {
        read_expectations(loader, cases.list, field->key);
    }
    if (cases.is_elsewhere) {
        loader->plan->expect_count = count;
    }
}

/* A kind that several keys say is written as the first of them. */
static const struct field expect_fields[] = {
    FIELD("result", "How the job ended: OK, or an error.", .kind = EXPECT_RESULT,
          .type = &type_result, MEMBER(struct expect_spec, ret), .always = true,
          .read = read_result),
    EXPECT("ended", "cancelled or completed.", EXPECT_CANCELLED, ended, .type = &type_ended),
    EXPECT("concluded", "The job has ended: by an instant, or, with true, at all.",
           EXPECT_CONCLUDED, concluded,
           .shape = ANY_OF(&shape_flag, MAPPING_OF("concluded", concluded_fields))),
    EXPECT(
        "events",
        "Of ready, error, paused, resumed, pending, completed and cancelled exactly these happen, "
        "in this order; of changes of status, too, if one is in the list.",
        EXPECT_EVENTS, events, .shape = &shape_events),
    EXPECT("in-order", "These events happen in this order, with others between them.",
           EXPECT_IN_ORDER, events, .shape = &shape_events),
    EXPECT("order", "The same as in-order.", EXPECT_IN_ORDER, events, .shape = &shape_events),
    EXPECT("reached", "Each of these events happens at least once.", EXPECT_IN_ORDER, each,
           .shape = &shape_one_or_more_events),
    EXPECT("never", "None of these events happens.", EXPECT_NEVER, each,
           .shape = &shape_one_or_more_events),
    FIELD("atmost", "The event happens at most this often.", .kind = EXPECT_AT_MOST,
          .shape = &shape_counted, .read = read_counted, .write = write_measured),
    FIELD("count", "The event happens exactly this often.", .kind = EXPECT_COUNT,
          .shape = &shape_counted, .read = read_counted, .write = write_measured),
    FIELD("within", "The first such event happens by an instant.", .kind = EXPECT_WITHIN,
          .shape = &shape_timed, .read = read_timed, .write = write_measured),
    FIELD("not-before", "The first such event does not happen before an instant.",
          .kind = EXPECT_NOT_BEFORE, .shape = &shape_timed, .read = read_timed,
          .write = write_measured),
    EXPECT("fired", "How often a fault or hold hit.", EXPECT_FIRED, fired,
           .shape = NAMES_OF(VALUE_OF(type_number))),
    FIELD("same", "Readers of two disks, or of a part of them, see the same.", .kind = EXPECT_SAME,
          .shape = &shape_compared, .read = expect_read_compared, .write = expect_write_compared),
    FIELD("differ", "Readers of two disks, or of a part of them, don't see the same.",
          .kind = EXPECT_DIFFER, .shape = &shape_compared, .read = expect_read_compared,
          .write = expect_write_compared),
    FIELD("sector", "What one sector holds.", .kind = EXPECT_SECTOR, .shape = &shape_sector,
          .always = true, .read = expect_read_sector),
    FIELD("length", "How long disks are at the end.", .kind = EXPECT_LENGTH,
          .shape = NAMES_OF(VALUE_OF(type_bytes)), .read = expect_read_amounts,
          .write = expect_write_amount),
    FIELD("allocated", "How much is allocated on disks at the end.", .kind = EXPECT_ALLOCATED,
          .shape = NAMES_OF(VALUE_OF(type_bytes)), .read = expect_read_amounts,
          .write = expect_write_amount),
    FIELD("durable", "At the end a power cut would take nothing from these disks.",
          .kind = EXPECT_DURABLE, .shape = ANY_OF(&shape_disk, LIST_OF(&shape_disk)),
          .read = expect_read_durable, .write = expect_write_durable),
    FIELD("backing", "The open backing files of disks at the end, or none.", .kind = EXPECT_BACKING,
          .shape = NAMES_OF(&shape_disk), .read = expect_read_backing,
          .write = expect_write_backing),
    FIELD("guest", "What the guest's requests may suffer.", .kind = EXPECT_GUEST_STALL,
          .shape = MAPPING_OF("guest-stall", guest_fields), .always = true, .read = read_guest),
    FIELD("job", "What the job may suffer.", .kind = EXPECT_JOB_STILL,
          .shape = MAPPING_OF("job-still", job_fields), .always = true, .read = read_job),
    FIELD("guest-on", "The guest's disk at the end.", .kind = EXPECT_GUEST_ON, .shape = &shape_disk,
          MEMBER(struct expect_spec, a), .read = expect_read_guest_on),
    EXPECT("query", "The job's last state.", EXPECT_QUERY, query, .shape = &shape_query),
    FIELD("for", "Expectations for some cases of the matrix.", .kind = -1,
          .shape = MAPPING_OF("for", cases_fields), .read = read_cases, .write = write_nothing),
    FIELD_END};

const struct shape shape_expect = {
    .kind = SHAPE_LIST,
    .of = SHAPE_OF(.kind = SHAPE_ONE, .name = "expectation", .fields = expect_fields),
    .read = expect_read_all,
    .write = expect_write_all};

static void read_expectations(struct loader *loader, const struct yaml_node *list, const char *what)
{
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *single = read_resolve(loader, item);

        if (read_single(loader, single, "an expectation is one {key: value}")) {
            read_fields(loader, single, what, expect_fields, loader->plan);
        }
    }
}

FIELD_READER(expect_read_all)
{
    const struct yaml_node *list = node;

    if (read_sequence(loader, &list, field->key)) {
        read_expectations(loader, list, field->key);
    }
}

FIELD_WRITER(expect_write_all)
{
    struct emit list = emit_open_below(emit, field->key, EMIT_BLOCK_LIST);

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        const struct expect_spec *expect = &plan->expects[i];
        struct emit entry = emit_open(emit->file, EMIT_BARE);

        emit_item(&list);
        write_field(&entry, plan, field_of_kind(expect_fields, (int)expect->kind), expect);
    }
    emit_end(&list);
}
