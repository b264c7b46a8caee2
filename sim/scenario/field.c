/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the language's tables: members as numbers, finding a row, and writing
 * records as sim/scenario/read.c reads them.
 */
#include "sim/scenario/field.h"

#include <assert.h>
#include <string.h>

#include "sim/yaml/emit.h"

/*
 * Members are enumerations, ints, counts of 32 and 64 bits, and flags: a row
 * knows the width only.  On every system that builds this, an enumeration is
 * as wide as an int, and negative ones are errors or MATCH_ANY.  memcpy(), because
 * the member's own type is not known here.
 */
int64_t field_value(const struct field *field, const void *record)
{
    const void *member = field_member(field, record);
    int64_t value = 0;
    int32_t value32;
    bool flag;

    if (field->width == sizeof(value)) {
        memcpy(&value, member, sizeof(value));
    } else if (field->width == sizeof(value32)) {
        memcpy(&value32, member, sizeof(value32));
        value = value32;
        if (field->type && field->type->max > INT32_MAX) {
            value = (uint32_t)value32;
        }
    } else {
        assert(field->width == sizeof(flag));
        memcpy(&flag, member, sizeof(flag));
        value = flag;
    }
    return value;
}

void field_store(const struct field *field, void *record, int64_t value)
{
    void *member = field_place(field, record);
    uint32_t value32 = (uint32_t)value;
    bool flag = value != 0;

    if (field->width == sizeof(value)) {
        memcpy(member, &value, sizeof(value));
    } else if (field->width == sizeof(value32)) {
        memcpy(member, &value32, sizeof(value32));
    } else {
        assert(field->width == sizeof(flag));
        memcpy(member, &flag, sizeof(flag));
    }
}

const struct field *field_find(const struct field *fields, const char *key)
{
    for (const struct field *field = fields; field->key; field++) {
        if (strcmp(field->key, key) == 0) {
            return field;
        }
    }
    return NULL;
}

const struct field *field_of_kind(const struct field *fields, int kind)
{
    for (const struct field *field = fields; field->key; field++) {
        if (field->kind == kind) {
            return field;
        }
    }
    return NULL;
}

/* ---- Writing ---- */

FIELD_WRITER(write_nothing)
{
}

void write_value(struct emit *emit, const char *key, const struct value_type *type, int64_t value)
{
    emit_key(emit, key);
    value_write(emit->file, type, value);
}

void write_member(struct emit *emit, const struct plan *plan, const struct field *field,
                  const void *record)
{
    if (field->type && !field->shape) {
        write_value(emit, field->key, field->type, field_value(field, record));
    } else if (field->shape->kind == SHAPE_FLAG) {
        emit_word(emit, field->key, "true");
    } else if (field->shape->write) {
        field->shape->write(emit, plan, field, record);
    } else {
        assert(field->shape->fields);
        write_mapping(emit, plan, field->key, field->shape->fields, field_member(field, record));
    }
}

/* The mapping is left out if none of its rows has anything to say. */
static void write_mapping_if_any(struct emit *emit, const struct plan *plan,
                                 const struct field *field, const void *record)
{
    struct emit inner = emit_open_below(emit, field->key, EMIT_FLOW);

    write_fields(&inner, plan, field->shape->fields, field_member(field, record));
    emit_end(&inner);
}

void write_field(struct emit *emit, const struct plan *plan, const struct field *field,
                 const void *record)
{
    bool is_always = field->required || field->always;

    if (field->write) {
        field->write(emit, plan, field, record);
    } else if (field->type && !field->shape) {
        if (is_always || field_value(field, record) != field->otherwise) {
            write_member(emit, plan, field, record);
        }
    } else if (field->shape->write) {
        field->shape->write(emit, plan, field, record);
    } else if (is_always) {
        write_member(emit, plan, field, record);
    } else {
        assert(field->shape->fields);
        write_mapping_if_any(emit, plan, field, record);
    }
}

/* Ranges are written without a plan. */
static bool is_written(const struct plan *plan, const struct field *field)
{
    return field->generations == 0 || field_is_in(field, plan->generation);
}

void write_fields(struct emit *emit, const struct plan *plan, const struct field *fields,
                  const void *record)
{
    for (uint8_t turn = 0; turn <= LAST_TURN; turn++) {
        for (const struct field *field = fields; field->key; field++) {
            if (field->turn == turn && is_written(plan, field)) {
                write_field(emit, plan, field, record);
            }
        }
    }
}

void write_mapping(struct emit *emit, const struct plan *plan, const char *key,
                   const struct field *fields, const void *record)
{
    struct emit inner = emit_open(emit->file, EMIT_FLOW);

    emit_key(emit, key);
    write_fields(&inner, plan, fields, record);
    emit_end(&inner);
}
