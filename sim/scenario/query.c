/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `query`: what a job must look like.
 */
#include "sim/scenario/private.h"

static void add_check(struct loader *loader, struct query_list *list, const struct yaml_node *node,
                      enum query_field field, enum comparison comparison, int64_t value)
{
    struct query_check *check =
        read_append(loader, &list->checks, &list->count, sizeof(*list->checks));

    *check = (struct query_check){field, comparison, (uint64_t)value, node->where};
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

/* A field that can be compared with bounds. */
struct amount {
    struct query_list *list;
    enum query_field field;
    const struct value_type *type;
};

static void read_at_least(struct loader *loader, const struct yaml_node *node, void *record)
{
    const struct amount *amount = record;

    read_compared(loader, node, amount->list, amount->field, amount->type, COMPARE_AT_LEAST);
}

static void read_at_most(struct loader *loader, const struct yaml_node *node, void *record)
{
    const struct amount *amount = record;

    read_compared(loader, node, amount->list, amount->field, amount->type, COMPARE_AT_MOST);
}

static const struct field bound_fields[] = {FIELD_WHOLE("at-least", read_at_least),
                                            FIELD_WHOLE("at-most", read_at_most), FIELD_END};

/* 64KiB, or {at-least: 64KiB, at-most: 1MiB}. */
static void read_amount(struct loader *loader, const struct yaml_node *node,
                        struct query_list *list, enum query_field field,
                        const struct value_type *type)
{
    struct amount amount = {list, field, type};

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING && !yaml_get(node, "choose") && !yaml_get(node, "range")) {
        read_fields(loader, node, "a comparison", bound_fields, &amount);
    } else {
        read_compared(loader, node, list, field, type, COMPARE_EQUAL);
    }
}

static void read_offset(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_amount(loader, node, record, QUERY_OFFSET, &type_bytes);
}

static void read_len(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_amount(loader, node, record, QUERY_LEN, &type_bytes);
}

static void read_speed(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_amount(loader, node, record, QUERY_SPEED, &type_speed);
}

static void read_io_status(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_compared(loader, node, record, QUERY_IO_STATUS, &type_io_status, COMPARE_EQUAL);
}

static void read_status(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_compared(loader, node, record, QUERY_STATUS, &type_job_status, COMPARE_EQUAL);
}

static void read_kind(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_compared(loader, node, record, QUERY_KIND, &type_job_kind, COMPARE_EQUAL);
}

static void read_flag_value(struct loader *loader, const struct yaml_node *node,
                            struct query_list *list, bool value)
{
    int64_t flag;

    if (value_read(loader, node, &type_job_flag, &flag)) {
        add_check(loader, list, node, (enum query_field)flag, COMPARE_EQUAL, value);
    }
}

/* A flag, or a list of flags. */
static void read_flags(struct loader *loader, const struct yaml_node *node, struct query_list *list,
                       bool value)
{
    node = read_resolve(loader, node);
    if (node->kind != YAML_SEQUENCE) {
        read_flag_value(loader, node, list, value);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_flag_value(loader, item, list, value);
    }
}

static void read_is(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_flags(loader, node, record, true);
}

static void read_is_not(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_flags(loader, node, record, false);
}

static const struct field query_fields[] = {FIELD_WHOLE("offset", read_offset),
                                            FIELD_WHOLE("len", read_len),
                                            FIELD_WHOLE("speed", read_speed),
                                            FIELD_WHOLE("io-status", read_io_status),
                                            FIELD_WHOLE("status", read_status),
                                            FIELD_WHOLE("kind", read_kind),
                                            FIELD_WHOLE("is", read_is),
                                            FIELD_WHOLE("is-not", read_is_not),
                                            FIELD_END};

void action_read_query(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fields(loader, node, "query", query_fields, record);
}
