/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single requests of the guest: the rows that say them, wherever they stand; and the section
 * `guest`.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include <inttypes.h>

#include "sim/scenario/private.h"

void guest_set_op(struct loader *loader, const struct yaml_node *node,
                  struct guest_request *request, int op)
{
    if (request->op != OP_COUNT) {
        read_mistake(loader, node, "a guest request does one thing");
    }
    request->op = (enum op)op;
}

/* `flush: true`, or an operation and its range. */
FIELD_READER(guest_read_request)
{
    struct guest_request *request = field_place(field, record);
    uint32_t guest_disk = loader->plan->job.source;
    struct range_spec range = {0, 0};

    guest_set_op(loader, node, request, field->kind);
    if (request->op == OP_FLUSH) {
        read_flag(loader, node);
    } else if (range_read(loader, node, &type_sectors, &range)) {
        request->offset = range.offset;
        request->bytes = range.bytes;
        if (guest_disk != PLAN_NONE) {
            range_check(loader, node, &range, guest_disk);
        }
    }
}

static bool is_of_guest(int64_t op)
{
    return op <= OP_FLUSH;
}

/* For a matrix of operations; it is written with the operation as its key. */
FIELD_READER(guest_read_op)
{
    struct guest_request *request = field_place(field, record);
    int64_t op;

    if (!value_read(loader, node, &type_op, &op)) {
        return;
    }
    if (!is_of_guest(op)) {
        read_mistake(loader, node,
                     "a guest request is one of read, write, write-zeroes, discard "
                     "and flush");
    } else {
        guest_set_op(loader, node, request, (int)op);
    }
}

/* Of an `op`; a flush has none. */
FIELD_READER(guest_read_range)
{
    struct guest_request *request = field_place(field, record);
    struct range_spec range;

    if (range_read(loader, node, &type_sectors, &range) && request->op != OP_FLUSH) {
        request->offset = range.offset;
        request->bytes = range.bytes;
        if (loader->plan->job.source != PLAN_NONE) {
            range_check(loader, node, &range, loader->plan->job.source);
        }
    }
}

FIELD_WRITER(guest_write_request)
{
    const struct guest_request *request = field_member(field, record);

    if (request->op != (enum op)field->kind) {
        return;
    }
    if (request->op == OP_FLUSH) {
        emit_word(emit, field->key, "true");
    } else {
        emit_key(emit, field->key);
        range_write(emit->file, request->offset, request->bytes);
    }
}

FIELD_READER(guest_read_tag)
{
    struct guest_request *request = field_place(field, record);

    request->tag = read_name(loader, node, "tag");
}

FIELD_WRITER(guest_write_tag)
{
    const struct guest_request *request = field_member(field, record);

    if (request->tag) {
        emit_word(emit, field->key, request->tag);
    }
}

FIELD_READER(guest_read_latency)
{
    struct guest_request *request = field_place(field, record);
    int64_t time;

    if (value_read(loader, node, field->type, &time)) {
        request->has_latency = true;
        request->latency_ns = (uint64_t)time;
    }
}

FIELD_WRITER(guest_write_latency)
{
    const struct guest_request *request = field_member(field, record);

    if (request->has_latency) {
        write_value(emit, field->key, field->type, (int64_t)request->latency_ns);
    }
}

void guest_check(struct loader *loader, const struct yaml_node *node,
                 const struct guest_request *request)
{
    if (request->op == OP_COUNT) {
        read_mistake(loader, node,
                     "a guest request is one of read, write, write-zeroes, discard "
                     "and flush");
    } else if (request->op != OP_FLUSH && request->bytes == 0 && yaml_get(node, "op")) {
        read_mistake(loader, node, "this operation needs a range");
    }
}

/* ---- As a step ---- */

static const struct field step_fields[] = {GUEST_FIELDS(struct guest_request, op), FIELD_END};

const struct shape shape_guest_step = {
    .kind = SHAPE_ANY,
    .fields = step_fields,
    .any = ALTERNATIVES(WORD_OF("flush"), MAPPING_OF("guest-step", step_fields))};

FIELD_READER(guest_read_step)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    action->guest.op = OP_COUNT;
    if (read_is_word(loader, node, "flush")) {
        action->guest.op = OP_FLUSH;
        return;
    }
    read_fields(loader, node, "guest", step_fields, &action->guest);
    guest_check(loader, node, &action->guest);
}

const char *guest_find_tag(struct loader *loader, const struct yaml_node *node, const char *name)
{
    struct nearest nearest = nearest_to(name);

    for (uint32_t i = 0; i < loader->guest_tag_count; i++) {
        if (strcmp(loader->guest_tags[i], name) == 0) {
            return loader->guest_tags[i];
        }
        nearest_offer(&nearest, loader->guest_tags[i]);
    }
    read_unknown_name(loader, node, "guest request", name, &nearest);
    return NULL;
}

/* ---- The section `guest` ---- */

/* An entry of `guest` before it is known whether it is timed or a reaction. */
struct guest_entry {
    struct guest_request request;
    struct event_spec when;
    uint64_t at_ns;
    uint64_t after_ns;
    bool optional;
};

static const struct field entry_fields[] = {
    GUEST_FIELDS(struct guest_entry, request),
    FIELD("at", "When it is made; whenever: a search without times tries every moment.",
          .type = &type_instant, MEMBER(struct guest_entry, at_ns), .group = 2, .always = true),
    FIELD("when", "It is made once this event happens; nth is 1 unless it says otherwise.",
          .shape = &shape_answered, MEMBER(struct guest_entry, when), .group = 2,
          .read = event_read_when, .write = event_write_when),
    FIELD("after", "How long after the event; default 0.", .type = &type_time,
          MEMBER(struct guest_entry, after_ns), .needs = "when"),
    FIELD("optional", "It need not be made; any other must in some run of the file.",
          .shape = &shape_flag, MEMBER(struct guest_entry, optional), .needs = "when"),
    FIELD_END};

static void add_guest_entry(struct loader *loader, const struct yaml_node *node,
                            const struct guest_entry *entry, bool is_timed)
{
    struct plan *plan = loader->plan;
    struct action action = {.kind = DO_GUEST, .where = node->where, .guest = entry->request};

    if (is_timed) {
        struct timed_spec *timed =
            read_append(loader, &plan->timed, &plan->timed_count, sizeof(*timed));

        *timed = (struct timed_spec){node->where, entry->at_ns, action};
    } else {
        struct react_spec *react =
            read_append(loader, &plan->reacts, &plan->react_count, sizeof(*react));

        *react = (struct react_spec){.where = node->where,
                                     .when = entry->when.match,
                                     .nth = entry->when.nth > 0 ? entry->when.nth : 1,
                                     .delay_ns = entry->after_ns,
                                     .optional = entry->optional,
                                     .action = action};
    }
}

static void read_guest_entry(struct loader *loader, const struct yaml_node *node)
{
    struct guest_entry entry = {.request.op = OP_COUNT, .request.tag = node->key->text};
    bool is_timed = yaml_get(node, "at") != NULL;
    bool is_answer = yaml_get(node, "when") != NULL;

    entry.request.tag = arena_strdup(loader->arena, node->key->text);
    read_fields(loader, node, "guest request", entry_fields, &entry);
    if (node->kind != YAML_MAPPING) {
        return;
    }
    guest_check(loader, node, &entry.request);
    if (is_timed == is_answer) {
        read_mistake(loader, node,
                     "a guest request comes either `at` a time or `when` an event "
                     "happens");
    } else if (is_timed && yaml_get(node, "after")) {
        read_mistake(loader, yaml_get(node, "after"), "`after` belongs to `when`, not to `at`");
    }
    add_guest_entry(loader, node, &entry, is_timed);
}

FIELD_READER(story_read_guest)
{
    const struct yaml_node *guest = story_find_section(loader, "guest", YAML_MAPPING);

    for (node = guest ? guest->first : NULL; node; node = node->next) {
        if (generator_is_meant(node)) {
            generator_read(loader, node);
        } else {
            read_guest_entry(loader, node);
        }
    }
}

/* An entry's key is its tag; one that has none gets a number. */
static void write_guest_entry(struct emit *guest, const struct plan *plan,
                              const struct timed_spec *timed, uint32_t number)
{
    struct guest_entry entry = {.request = timed->action.guest, .at_ns = timed->at_ns};
    char key[32];

    snprintf(key, sizeof(key), "request-%" PRIu32, number + 1);
    entry.request.tag = NULL;
    write_mapping(guest, plan, timed->action.guest.tag ? timed->action.guest.tag : key,
                  entry_fields, &entry);
}

FIELD_WRITER(story_write_guest)
{
    struct emit guest = emit_open_below(emit, field->key, EMIT_BLOCK);

    for (uint32_t i = 0; i < plan->timed_count; i++) {
        write_guest_entry(&guest, plan, &plan->timed[i], i);
    }
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        generator_write(&guest, plan, &plan->generators[i]);
    }
    emit_end(&guest);
}

const struct shape shape_guest = {
    .kind = SHAPE_NAMES,
    .of = ANY_OF(MAPPING_OF("guest-request", entry_fields), &shape_generator),
    .read = story_read_guest,
    .write = story_write_guest};
