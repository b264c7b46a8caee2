/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `query`: what a job must look like.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

static void add_check(struct loader *loader, struct query_list *list, const struct yaml_node *node,
                      enum query_field field, enum comparison comparison, int64_t value)
{
    struct query_check *check =
        read_append(loader, &list->checks, &list->count, sizeof(*list->checks));

    *check = (struct query_check){field, comparison, (uint64_t)value, node->where, NULL};
}

static void read_compared(struct loader *loader, const struct yaml_node *node,
                          struct query_list *list, enum query_field field,
                          const struct value_type *type, enum comparison comparison)
{
    int64_t value;

    if (value_read(loader, node, type, &value)) {
        add_check(loader, list, node, field, comparison, value);
    }
}

/* ---- Amounts, which may be compared with bounds ---- */

struct amount {
    struct query_list *list;
    enum query_field field;
};

static FIELD_READER(read_bound)
{
    const struct amount *amount = record;

    read_compared(loader, node, amount->list, amount->field, field->type,
                  (enum comparison)field->kind);
}

static FIELD_WRITER(write_bound)
{
    const struct amount *amount = record;

    for (uint32_t i = 0; i < amount->list->count; i++) {
        const struct query_check *check = &amount->list->checks[i];

        if (check->field == amount->field && check->comparison == (enum comparison)field->kind) {
            write_value(emit, field->key, field->type, (int64_t)check->value);
        }
    }
}

#define BOUND(key, doc, type_, kind_) \
    FIELD(key, doc, .type = &(type_), .kind = (kind_), .read = read_bound, .write = write_bound)

#define BOUND_FIELDS(type_)                                                            \
    {                                                                                  \
        BOUND("at-least", "It is this or more.", type_, COMPARE_AT_LEAST),             \
            BOUND("at-most", "It is this or less.", type_, COMPARE_AT_MOST), FIELD_END \
    }

static const struct field byte_bounds[] = BOUND_FIELDS(type_bytes);
static const struct field speed_bounds[] = BOUND_FIELDS(type_speed);

static const struct field *bounds_of(const struct field *field)
{
    return field->type == &type_speed ? speed_bounds : byte_bounds;
}

/* 64KiB, or {at-least: 64KiB, at-most: 1MiB}. */
static FIELD_READER(read_amount)
{
    struct amount amount = {record, (enum query_field)field->kind};

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING && !yaml_get(node, "choose") && !yaml_get(node, "range")) {
        read_fields(loader, node, "a comparison", bounds_of(field), &amount);
    } else {
        read_compared(loader, node, record, amount.field, field->type, COMPARE_EQUAL);
    }
}

/* All that is asked of one field stands under one key. */
static FIELD_WRITER(write_amount)
{
    struct query_list list = *(const struct query_list *)record;
    struct amount amount = {&list, (enum query_field)field->kind};
    struct emit bounds = emit_open_below(emit, field->key, EMIT_FLOW);

    for (uint32_t i = 0; i < list.count; i++) {
        if (list.checks[i].field == amount.field && list.checks[i].comparison == COMPARE_EQUAL) {
            write_value(emit, field->key, field->type, (int64_t)list.checks[i].value);
            return;
        }
    }
    write_fields(&bounds, plan, bounds_of(field), &amount);
    emit_end(&bounds);
}

/* ---- Words and flags ---- */

static FIELD_READER(read_exactly)
{
    read_compared(loader, node, record, (enum query_field)field->kind, field->type, COMPARE_EQUAL);
}

static void read_flag_value(struct loader *loader, const struct yaml_node *node,
                            struct query_list *list, bool value)
{
    int64_t flag;

    if (value_read(loader, node, &type_job_flag, &flag)) {
        add_check(loader, list, node, (enum query_field)flag, COMPARE_EQUAL, value);
    }
}

/* A flag, or a list of flags, that must have the value of the row. */
static FIELD_READER(read_flags)
{
    node = read_resolve(loader, node);
    if (node->kind != YAML_SEQUENCE) {
        read_flag_value(loader, node, record, field->kind);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_flag_value(loader, item, record, field->kind);
    }
}

static bool is_flag(enum query_field field)
{
    return field == QUERY_BUSY || field == QUERY_PAUSED || field == QUERY_READY ||
           field == QUERY_CANCELLED || field == QUERY_SYNCED;
}

/* ---- Text ---- */

static FIELD_READER(read_error)
{
    struct query_list *list = record;
    const char *text = read_line(loader, node, "part of an error");

    if (text) {
        add_check(loader, list, node, QUERY_ERROR, COMPARE_EQUAL, 0);
        list->checks[list->count - 1].text = text;
    }
}

static FIELD_WRITER(write_error)
{
    const struct query_list *list = record;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->checks[i].field == QUERY_ERROR) {
            emit_key(emit, field->key);
            emit_text(emit->file, list->checks[i].text);
        }
    }
}

static FIELD_WRITER(write_flags)
{
    const struct query_list *list = record;
    struct emit flags = emit_open_below(emit, field->key, EMIT_FLOW_LIST);

    for (uint32_t i = 0; i < list->count; i++) {
        const struct query_check *check = &list->checks[i];

        if (is_flag(check->field) && (check->value != 0) == field->kind) {
            emit_item(&flags);
            value_write(emit->file, &type_job_flag, (int64_t)check->field);
        }
    }
    emit_end(&flags);
}

#define AMOUNT(key, doc, type_, bounds_name, bounds, kind_)                                   \
    FIELD(key, doc, .type = &(type_),                                                         \
          .shape = ANY_OF(VALUE_OF(type_), MAPPING_OF(bounds_name, bounds)), .kind = (kind_), \
          .read = read_amount, .write = write_amount)
#define AMOUNT_IN_MODERN(key, doc, type_, bounds_name, bounds, kind_)                         \
    FIELD(key, doc, .type = &(type_),                                                         \
          .shape = ANY_OF(VALUE_OF(type_), MAPPING_OF(bounds_name, bounds)), .kind = (kind_), \
          .read = read_amount, .write = write_amount, IN_MODERN)
#define EXACTLY(key, doc, type_, kind_) \
    FIELD(key, doc, .type = &(type_), .kind = (kind_), .read = read_exactly, .write = write_amount)
#define FLAGS(key, doc, value)                                                                  \
    FIELD(key, doc, .shape = ANY_OF(VALUE_OF(type_job_flag), LIST_OF(VALUE_OF(type_job_flag))), \
          .kind = (value), .read = read_flags, .write = write_flags)

static const struct field query_fields[] = {
    AMOUNT("offset", "How far the job has come, exactly or between bounds.", type_bytes, "bounds",
           byte_bounds, QUERY_OFFSET),
    AMOUNT("len", "How far it will have to come.", type_bytes, "bounds", byte_bounds, QUERY_LEN),
    AMOUNT("speed", "Its bound in bytes a second.", type_speed, "speed-bounds", speed_bounds,
           QUERY_SPEED),
    EXACTLY("io-status", "ok, failed or nospace.", type_io_status, QUERY_IO_STATUS),
    EXACTLY("status", "The job's state.", type_job_status, QUERY_STATUS),
    EXACTLY("kind", "mirror or commit.", type_job_kind, QUERY_KIND),
    AMOUNT_IN_MODERN("dirty", "Bytes of dirty chunks.", type_bytes, "bounds", byte_bounds,
                     QUERY_DIRTY),
    FIELD("error", "Part of the sentence that says why it has failed.", .shape = &shape_text,
          .read = read_error, .write = write_error, IN_MODERN),
    FLAGS("is", "Flags that are set: busy, paused, ready, cancelled; actively-synced.", true),
    FLAGS("is-not", "Flags that are not set.", false),
    FIELD_END};

const struct shape shape_query = {.kind = SHAPE_MAPPING, .name = "query", .fields = query_fields};

void query_read(struct loader *loader, const struct yaml_node *node, struct query_list *list)
{
    read_fields(loader, node, "query", query_fields, list);
}

void query_write(struct emit *emit, const struct plan *plan, const char *key,
                 struct query_check *checks, uint32_t count)
{
    struct query_list list = {checks, count};

    write_mapping(emit, plan, key, query_fields, &list);
}
