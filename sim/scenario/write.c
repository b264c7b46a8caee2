/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing records by table, as sim/scenario/read.c reads them.
 */
#include "sim/scenario/write.h"

#include <assert.h>

#include "sim/scenario/emit.h"
#include "sim/scenario/field.h"

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
    if (field->type) {
        write_value(emit, field->key, field->type, field_value(field, record));
    } else if (field->shape->kind == SHAPE_FLAG) {
        emit_word(emit, field->key, "true");
    } else {
        assert(field->shape->write);
        field->shape->write(emit, plan, field, record);
    }
}

void write_field(struct emit *emit, const struct plan *plan, const struct field *field,
                 const void *record)
{
    if (field->write) {
        field->write(emit, plan, field, record);
    } else if (field->type) {
        if (field->required || field->always || field_value(field, record) != field->otherwise) {
            write_member(emit, plan, field, record);
        }
    } else {
        assert(field->shape->write);
        field->shape->write(emit, plan, field, record);
    }
}

void write_fields(struct emit *emit, const struct plan *plan, const struct field *fields,
                  const void *record)
{
    for (uint8_t turn = 0; turn <= LAST_TURN; turn++) {
        for (const struct field *field = fields; field->key; field++) {
            if (field->turn == turn) {
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

void scenario_write(const struct plan *plan, FILE *file)
{
    struct emit emit = emit_open(file, EMIT_FILE);

    write_fields(&emit, plan, shape_scenario.fields, plan);
    emit_end(&emit);
}
