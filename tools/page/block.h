/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data in a page: tables of numbers, by column, deflated, in base64.
 *
 * A block is a script element that no browser runs.  Base64 has no character that means something
 * in HTML, so no name in the data can break out of it.  The page's data.js reads what is written
 * here.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_BLOCK_H
#define MIRRORSIM_TOOLS_PAGE_BLOCK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/base/pack.h"

/* How the numbers of a column are written. */
enum column_kind {
    COLUMN_NUMBER, /* as it is */
    COLUMN_SIGNED, /* the lowest bit is the sign */
    COLUMN_RISING, /* by how much it differs from the one before; UINT64_MAX = none */
    COLUMN_KIND_COUNT,
};

/* A member of a struct; a name of NULL ends a table's columns. */
struct column {
    const char *name;
    size_t offset;
    size_t bytes; /* 1, 2, 4 or 8 */
    enum column_kind kind;
};

#define COLUMN(type, name, member, kind_name)                                         \
    {                                                                                 \
        name, offsetof(type, member), sizeof(((type *)0)->member), COLUMN_##kind_name \
    }

/*
 * Appends the columns of `count` structs of `stride` bytes, and notes in the object `tables` under
 * `name` what has been written, in the order of writing: the reader goes by that.
 */
void page_block_add_table(struct pack *block, json_t *tables, const char *name,
                          const struct column *columns, const void *rows, size_t count,
                          size_t stride);

/* Appends bytes that the page reads by itself; noted in `tables` likewise. */
void page_block_add_blob(struct pack *block, json_t *tables, const char *name,
                         const struct pack *bytes);

/* Writes the element with this id: the head, which is given back, and the block, which is freed. */
void page_block_write(FILE *out, const char *id, json_t *head, struct pack *block);

#endif
