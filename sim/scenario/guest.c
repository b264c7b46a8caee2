/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single requests of the guest: the rows that say them, wherever they stand.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
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
    }
}

/* ---- As a step ---- */

static const struct field guest_fields[] = {GUEST_FIELDS(struct guest_request, op), FIELD_END};

const struct shape shape_guest_step = {
    .kind = SHAPE_ANY,
    .fields = guest_fields,
    .any = ALTERNATIVES(WORD_OF("flush"), MAPPING_OF("guest-step", guest_fields))};

FIELD_READER(guest_read_step)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    action->guest.op = OP_COUNT;
    if (read_is_word(loader, node, "flush")) {
        action->guest.op = OP_FLUSH;
        return;
    }
    read_fields(loader, node, "guest", guest_fields, &action->guest);
    guest_check(loader, node, &action->guest);
}
