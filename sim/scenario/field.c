/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the language's tables: members as numbers, and finding a row.
 */
#include "sim/scenario/field.h"

#include <assert.h>
#include <string.h>

/*
 * Members are enumerations, ints, counts of 32 and 64 bits, and flags: a row
 * knows the width only.  On every system that builds this, an enumeration is
 * as wide as an int, and negative ones are errors or ANY.  memcpy(), because
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
