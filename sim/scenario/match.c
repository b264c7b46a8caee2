/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches of requests, and references to faults, holds and marks.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

static void read_disk(struct loader *loader, const struct yaml_node *node, uint64_t *mask)
{
    uint32_t disk;

    if (disk_read_reference(loader, node, &disk)) {
        *mask |= UINT64_C(1) << disk;
    }
}

FIELD_READER(match_read_disks)
{
    uint64_t *mask = field_place(field, record);

    node = read_resolve(loader, node);
    if (node->kind != YAML_SEQUENCE) {
        read_disk(loader, node, mask);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_disk(loader, item, mask);
    }
}

/* One name, or a list. */
FIELD_WRITER(match_write_disks)
{
    const uint64_t *disks = field_member(field, record);
    struct emit list = emit_open_below(emit, field->key, EMIT_FLOW_LIST);
    bool is_one = (*disks & (*disks - 1)) == 0;

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (!(*disks >> i & 1)) {
            continue;
        }
        if (is_one) {
            emit_word(emit, field->key, plan->disks[i].name);
        } else {
            emit_list_word(&list, plan->disks[i].name);
        }
    }
    emit_end(&list);
}

const struct shape shape_match_disks = {.kind = SHAPE_ANY,
                                        .any = ALTERNATIVES(&shape_disk, LIST_OF(&shape_disk))};

static void read_op(struct loader *loader, const struct yaml_node *node, uint32_t *mask)
{
    int64_t op;

    if (value_read(loader, node, &type_op, &op)) {
        *mask |= UINT32_C(1) << op;
    }
}

FIELD_READER(match_read_ops)
{
    uint32_t *mask = field_place(field, record);

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

FIELD_WRITER(match_write_ops)
{
    const uint32_t *ops = field_member(field, record);
    struct emit list = emit_open_below(emit, field->key, EMIT_FLOW_LIST);
    bool is_one = (*ops & (*ops - 1)) == 0;

    for (uint32_t i = 0; i < OP_COUNT; i++) {
        if (!(*ops >> i & 1)) {
            continue;
        }
        if (is_one) {
            emit_word(emit, field->key, op_name((enum op)i));
        } else {
            emit_list_word(&list, op_name((enum op)i));
        }
    }
    emit_end(&list);
}

const struct shape shape_match_ops = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(WORD_OF("any"), VALUE_OF(type_op), LIST_OF(VALUE_OF(type_op)))};

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

FIELD_READER(match_read_overlaps)
{
    struct request_match *match = field_place(field, record);
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

FIELD_WRITER(match_write_overlaps)
{
    const struct request_match *match = field_member(field, record);

    if (match->has_range) {
        emit_key(emit, field->key);
        range_write(emit->file, match->offset, match->bytes);
    }
}

static const struct field match_fields[] = {REQUEST_FIELDS(struct match_spec, request),
                                            FIELD("nth", "The first that is meant, from 1.",
                                                  .type = &type_count,
                                                  MEMBER(struct match_spec, nth)),
                                            FIELD_END};

const struct shape shape_match = {.kind = SHAPE_MAPPING, .name = "match", .fields = match_fields};

void match_read(struct loader *loader, const struct yaml_node *node, struct match_spec *match)
{
    read_fields(loader, node, "match", match_fields, match);
}

void match_write(struct emit *emit, const struct plan *plan, const char *key,
                 const struct match_spec *match)
{
    write_mapping(emit, plan, key, match_fields, match);
}

/* ---- Names of faults, holds and marks ---- */

uint32_t fault_find(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (strcmp(plan->faults[i].name, name) == 0) {
            return i;
        }
    }
    return PLAN_NONE;
}

bool fault_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *fault)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "fault's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    *fault = fault_find(plan, name);
    if (*fault == PLAN_NONE) {
        nearest = nearest_to(name);
        for (uint32_t i = 0; i < plan->fault_count; i++) {
            nearest_offer(&nearest, plan->faults[i].name);
        }
        read_unknown_name(loader, node, "fault or hold", name, &nearest);
    }
    return *fault != PLAN_NONE;
}

bool fault_read_mark(struct loader *loader, const struct yaml_node *node, uint32_t *mark)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "mark's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    nearest = nearest_to(name);
    for (uint32_t i = 0; i < plan->mark_count; i++) {
        if (strcmp(plan->marks[i], name) == 0) {
            *mark = i;
            return true;
        }
        nearest_offer(&nearest, plan->marks[i]);
    }
    read_unknown_name(loader, node, "mark", name, &nearest);
    return false;
}

static FIELD_READER(read_mark)
{
    fault_read_mark(loader, node, field_place(field, record));
}

static FIELD_WRITER(write_mark)
{
    const uint32_t *mark = field_member(field, record);

    emit_word(emit, field->key, plan->marks[*mark]);
}

const struct shape shape_fault = {.kind = SHAPE_NAME, .thing = "fault"};
const struct shape shape_mark = {
    .kind = SHAPE_NAME, .thing = "mark", .read = read_mark, .write = write_mark};
