/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches of events, and what may stand beside them.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* ---- Which event ---- */

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

static enum event_kind only_kind(const struct event_match *match)
{
    return (enum event_kind)__builtin_ctzll(match->kinds);
}

/* Do the rows `held`, `released`, `fault` or `mark` say it? */
static bool is_said_by_name(const struct event_spec *spec)
{
    const uint64_t named =
        EVENT_BIT(HELD) | EVENT_BIT(RELEASED) | EVENT_BIT(FAULT) | EVENT_BIT(MARK);

    return spec->match.statuses != 0 ||
           (spec->match.index != MATCH_ANY && (spec->match.kinds & named));
}

static FIELD_READER(read_event)
{
    int64_t kind;

    if (value_read(loader, node, &type_event, &kind)) {
        set_kind(loader, node, record, (enum event_kind)kind);
    }
}

static FIELD_WRITER(write_event)
{
    const struct event_spec *spec = record;

    if (spec->match.kinds != 0 && !is_said_by_name(spec)) {
        emit_word(emit, field->key, event_kind_name(only_kind(&spec->match)));
    }
}

static FIELD_READER(read_request)
{
    struct event_spec *spec = record;

    set_kind(loader, node, spec, EVENT_REQUEST_DONE);
    match_read(loader, node, &spec->request);
    spec->match.request = spec->request.request;
}

static FIELD_READER(read_phase)
{
    struct event_spec *spec = record;
    int64_t kind;

    if (spec->match.kinds != EVENT_BIT(REQUEST_DONE)) {
        read_mistake(loader, node, "only a request has a phase");
    } else if (value_read(loader, node, &type_request_phase, &kind)) {
        spec->match.kinds = UINT64_C(1) << kind;
    }
}

/* `held`, `released`, `fault`; `mark`. */
static FIELD_READER(read_named)
{
    struct event_spec *spec = record;
    bool is_mark = field->kind == EVENT_MARK;
    uint32_t index;

    set_kind(loader, node, spec, (enum event_kind)field->kind);
    if (is_mark ? fault_read_mark(loader, node, &index)
                : fault_read_reference(loader, node, &index)) {
        spec->match.index = (int)index;
    }
}

static FIELD_WRITER(write_named)
{
    const struct event_match *match = &((const struct event_spec *)record)->match;

    if (match->kinds == UINT64_C(1) << field->kind && match->index != MATCH_ANY) {
        emit_word(emit, field->key,
                  field->kind == EVENT_MARK ? plan->marks[match->index]
                                            : plan->faults[match->index].name);
    }
}

/* `status`: the event of that name, of one state. */
static FIELD_READER(read_status)
{
    struct event_spec *spec = record;
    int64_t status;

    if (value_read(loader, node, field->type, &status)) {
        set_kind(loader, node, spec, EVENT_JOB_STATUS);
        spec->match.statuses = UINT32_C(1) << status;
    }
}

static FIELD_WRITER(write_status)
{
    uint32_t statuses = ((const struct event_spec *)record)->match.statuses;

    if (statuses != 0) {
        write_value(emit, field->key, field->type, __builtin_ctz(statuses));
    }
}

/* ---- Details ---- */

static bool has_detail(struct loader *loader, const struct yaml_node *node,
                       const struct value_type *type, const struct event_spec *spec, uint64_t kinds)
{
    if (spec->match.kinds & ~kinds) {
        read_mistake(loader, node, "this event has no %s", type->what);
        return false;
    }
    return true;
}

/* The kinds of events that have the detail of that row's key. */
static uint64_t kinds_with(const struct field *field)
{
    return field->type == &type_action ? EVENT_BIT(JOB_ERROR)
           : field->type == &type_verb ? EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED)
                                       : EVENT_BIT(JOB_REFUSED) | EVENT_BIT(COMMAND_REFUSED);
}

static FIELD_READER(read_detail)
{
    int64_t value;

    if (has_detail(loader, node, field->type, record, kinds_with(field)) &&
        value_read(loader, node, field->type, &value)) {
        field_store(field, record, value);
    }
}

/* `error` and `result`; what is written is the result. */
static FIELD_READER(read_ret)
{
    const uint64_t kinds = EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) |
                           EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |
                           EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(JOB_REFUSED) |
                           EVENT_BIT(JOB_ERROR) | EVENT_BIT(JOB_COMPLETED) |
                           EVENT_BIT(JOB_CANCELLED) | EVENT_BIT(COMMAND_REFUSED);
    struct event_spec *spec = record;
    int64_t ret;

    if (has_detail(loader, node, field->type, spec, kinds) &&
        value_read(loader, node, field->type, &ret)) {
        spec->match.has_ret = true;
        spec->match.ret = (int)ret;
    }
}

static FIELD_WRITER(write_ret)
{
    if (((const struct event_spec *)record)->match.has_ret) {
        write_member(emit, plan, field, record);
    }
}

/* ---- What stands beside the event ---- */

static FIELD_READER(read_times)
{
    struct event_spec *spec = record;
    int64_t times;

    if (value_read(loader, node, field->type, &times)) {
        spec->times = (uint64_t)times;
    }
    spec->has_times = true;
}

static FIELD_READER(read_time)
{
    struct event_spec *spec = record;
    int64_t time;

    if (value_read(loader, node, field->type, &time)) {
        spec->time_ns = (uint64_t)time;
    }
    spec->has_time = true;
}

static FIELD_READER(read_concluded)
{
    struct event_spec *spec = record;

    read_flag(loader, node);
    spec->waits_concluded = true;
}

static FIELD_READER(read_guest)
{
    struct event_spec *spec = record;
    const char *text = read_text(loader, node, "\"idle\" or the name of a guest request");

    spec->waits_guest = true;
    if (text && strcmp(text, "idle") != 0) {
        spec->waits_tag = guest_find_tag(loader, node, text);
    }
}

static FIELD_WRITER(write_guest)
{
    const struct event_spec *spec = record;

    if (spec->waits_guest) {
        emit_word(emit, field->key, spec->waits_tag ? spec->waits_tag : "idle");
    }
}

/* A share of the whole, or bytes. */
static FIELD_READER(read_progress)
{
    struct event_spec *spec = record;
    int64_t value;
    bool is_share;

    node = read_resolve(loader, node);
    is_share = node->kind == YAML_SCALAR && strchr(node->text, '%') != NULL;
    spec->waits_progress = true;
    if (value_read(loader, node, is_share ? &type_probability : &type_bytes, &value)) {
        spec->progress_ppm = is_share ? (uint64_t)value : 0;
        spec->progress_bytes = is_share ? 0 : (uint64_t)value;
    }
}

static FIELD_WRITER(write_progress)
{
    const struct event_spec *spec = record;

    if (spec->waits_progress && spec->progress_ppm > 0) {
        write_value(emit, field->key, &type_probability, (int64_t)spec->progress_ppm);
    } else if (spec->waits_progress) {
        write_value(emit, field->key, &type_bytes, (int64_t)spec->progress_bytes);
    }
}

/* ---- Tables, by place ---- */

#define NAMED(key, doc, shape_, kind_) \
    FIELD(key, doc, .shape = &(shape_), .kind = (kind_), .read = read_named, .write = write_named)

/* What says which event; the others narrow it. */
#define KIND_FIELDS                                                                        \
    FIELD("event", "The event, by name.", .type = &type_event, .read = read_event,         \
          .write = write_event),                                                           \
        FIELD("request", "A request that matches, in its phase.", .shape = &shape_match,   \
              .read = read_request, .write = write_nothing),                               \
        NAMED("held", "This hold has got a request.", shape_fault, EVENT_HELD),            \
        NAMED("released", "This hold has let a request go.", shape_fault, EVENT_RELEASED), \
        NAMED("fault", "This fault has hit a request.", shape_fault, EVENT_FAULT),         \
        NAMED("mark", "This mark has been set.", shape_mark, EVENT_MARK),                  \
        FIELD("status", "The job has got into this state.", .type = &type_job_status,      \
              MEMBER(struct event_spec, match.statuses), .read = read_status,              \
              .write = write_status, IN_MODERN),                                           \
        FIELD("phase", "Of the request: queued, submit, start, effect or done (default).", \
              .type = &type_request_phase, .needs = "request", .read = read_phase,         \
              .write = write_nothing)

#define DETAIL(key, doc, type_, member)                                                          \
    FIELD(key, doc, .type = &(type_), MEMBER(struct event_spec, member), .otherwise = MATCH_ANY, \
          .read = read_detail)

#define DETAIL_FIELDS                                                                        \
    REQUEST_FIELDS(struct event_spec, match.request),                                        \
        DETAIL("action", "Of an error: report, ignore or stop.", type_action, match.action), \
        DETAIL("command", "The command that was given, or refused.", type_verb, match.verb), \
        DETAIL("reason", "Why it was refused.", type_refusal, match.refusal),                \
        FIELD("error", "The error it ended with.", .type = &type_error, .read = read_ret,    \
              .write = write_nothing),                                                       \
        FIELD("result", "OK, or the error it ended with.", .type = &type_result,             \
              MEMBER(struct event_spec, match.ret), .read = read_ret, .write = write_ret)

#define NTH_FIELD                                                       \
    FIELD("nth", "Only this one of them, from 1.", .type = &type_count, \
          MEMBER(struct event_spec, nth))

static const struct field detail_fields[] = {DETAIL_FIELDS, FIELD_END};

static const struct field alone_fields[] = {KIND_FIELDS, DETAIL_FIELDS, FIELD_END};

/* `within` follows whatever is waited for. */
static const struct field awaited_fields[] = {
    KIND_FIELDS,
    DETAIL_FIELDS,
    NTH_FIELD,
    FIELD("within", "How long the wait may take.", .type = &type_time,
          MEMBER(struct event_spec, within_ns), .turn = 1),
    FIELD("since", "Count from the beginning, not from the end of the last step that took time.",
          .type = &type_since, MEMBER(struct event_spec, since_start)),
    FIELD("concluded", "The job has ended, now or before.", .shape = &shape_flag,
          MEMBER(struct event_spec, waits_concluded), .read = read_concluded),
    FIELD("guest",
          "No guest request is queued or in flight; or the guest request or generator of this name "
          "has been made, and is over.",
          .shape = ANY_OF(WORD_OF("idle"), &shape_name), .read = read_guest, .write = write_guest),
    FIELD("progress", "The job has reported this share of its whole, or this many bytes, as done.",
          .shape = ANY_OF(VALUE_OF(type_probability), VALUE_OF(type_bytes)), .read = read_progress,
          .write = write_progress),
    FIELD_END};

static const struct field answered_fields[] = {KIND_FIELDS, DETAIL_FIELDS, NTH_FIELD, FIELD_END};

/* `times` or `time` must be there: those who ask for it say so in their own words. */
#define MEASURE_GROUP 1

static const struct field counted_fields[] = {
    KIND_FIELDS, DETAIL_FIELDS,
    FIELD("times", "How often it happens.", .type = &type_number, MEMBER(struct event_spec, times),
          .group = MEASURE_GROUP, .always = true, .read = read_times),
    FIELD_END};

static const struct field timed_fields[] = {
    KIND_FIELDS, DETAIL_FIELDS,
    FIELD("time", "The instant that it is compared with.", .type = &type_time,
          MEMBER(struct event_spec, time_ns), .group = MEASURE_GROUP, .always = true,
          .read = read_time),
    FIELD_END};

/* {error: {action: stop}}: the event is the key, its details the value. */
static const struct shape shape_named_event = {.kind = SHAPE_NAMES,
                                               .name = "named-event",
                                               .type = &type_event,
                                               .of = MAPPING_OF("details", detail_fields),
                                               .least = 1,
                                               .most = 1};

#define EVENT_SHAPE(name_, keys_, fields_)                                                        \
    {                                                                                             \
        .kind = SHAPE_ANY, .name = (name_), .fields = (fields_),                                  \
        .any = ALTERNATIVES(VALUE_OF(type_event), &shape_named_event, MAPPING_OF(keys_, fields_)) \
    }

const struct shape shape_event = EVENT_SHAPE("event", "event-keys", alone_fields);
const struct shape shape_awaited = EVENT_SHAPE("awaited-event", "awaited-keys", awaited_fields);
const struct shape shape_answered = EVENT_SHAPE("answered-event", "answered-keys", answered_fields);
const struct shape shape_counted = {
    .kind = SHAPE_MAPPING, .name = "counted-event", .fields = counted_fields};
const struct shape shape_timed = {
    .kind = SHAPE_MAPPING, .name = "timed-event", .fields = timed_fields};

/* ---- The whole ---- */

struct event_spec event_any(void)
{
    struct event_spec spec = {.match = event_match_kind(EVENT_END)};

    spec.match.kinds = 0;
    return spec;
}

struct event_spec event_matching(const struct event_match *match)
{
    return (struct event_spec){.match = *match};
}

bool event_is_bare(const struct event_match *match)
{
    const struct request_match *request = &match->request;

    return request->disks == 0 && request->ops == 0 && request->by == BY_NONE &&
           !request->has_range && match->action == MATCH_ANY && match->verb == MATCH_ANY &&
           match->refusal == MATCH_ANY && match->index == MATCH_ANY && !match->has_ret &&
           match->statuses == 0;
}

void event_write(FILE *file, const struct plan *plan, const struct shape *place,
                 const struct event_spec *spec)
{
    struct emit emit = emit_open(file, EMIT_FLOW);

    write_fields(&emit, plan, place->fields, spec);
    emit_end(&emit);
}

void event_write_short(FILE *file, const struct plan *plan, const struct event_match *match)
{
    struct event_spec spec = event_matching(match);

    if (event_is_bare(match)) {
        fputs(event_kind_name(only_kind(match)), file);
    } else {
        event_write(file, plan, &shape_event, &spec);
    }
}

static bool is_named_event(struct loader *loader, const struct yaml_node *node, int64_t *kind)
{
    return node->kind == YAML_MAPPING && node->count == 1 && node->first->kind == YAML_MAPPING &&
           value_find_word(loader, &type_event, node->first->key->text, kind);
}

bool event_read(struct loader *loader, const struct yaml_node *node, const struct shape *place,
                struct event_spec *spec)
{
    int64_t kind = 0;

    *spec = event_any();
    node = read_resolve(loader, node);
    if (node->kind != YAML_MAPPING) {
        read_event(loader, node, NULL, spec);
        return spec->match.kinds != 0;
    }
    if (is_named_event(loader, node, &kind)) {
        spec->match.kinds = UINT64_C(1) << kind;
        read_fields(loader, node->first, "an event", detail_fields, spec);
        return true;
    }
    read_fields(loader, node, "an event", place->fields, spec);
    if (spec->request.nth > 0) {
        spec->nth = spec->request.nth;
    }
    if (spec->match.kinds == 0 && !spec->waits_concluded && !spec->waits_guest &&
        !spec->waits_progress) {
        bool says_event = yaml_get(node, "event") || yaml_get(node, "status");

        if (!says_event) {
            read_mistake(loader, node,
                         "this says no event: give one of event, request, held, "
                         "released, fault and mark");
        }
        return false;
    }
    return true;
}

FIELD_READER(event_read_when)
{
    event_read(loader, node, &shape_answered, field_place(field, record));
}

FIELD_WRITER(event_write_when)
{
    const struct event_spec *when = field_member(field, record);

    if (when->match.kinds != 0) {
        emit_key(emit, field->key);
        event_write(emit->file, plan, &shape_answered, when);
    }
}
