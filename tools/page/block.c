/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Columns, deflate and base64.
 *
 * A column is a blob of pack_number()s.  Deflate finds the repetitions within it, which are many,
 * so nothing cleverer is done.
 */
#include "tools/page/block.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tools/base/support.h"

/* ---- Columns ---- */

static uint64_t member_of(const struct column *column, const uint8_t *row)
{
    const uint8_t *at = row + column->offset;
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (column->bytes) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof(two));
        return two;
    case 4:
        memcpy(&four, at, sizeof(four));
        return column->kind == COLUMN_SIGNED ? (uint64_t)(int64_t)(int32_t)four : four;
    default:
        memcpy(&eight, at, sizeof(eight));
        return eight;
    }
}

static uint64_t sign_last(uint64_t number)
{
    return number << 1 ^ (number >> 63 != 0 ? UINT64_MAX : 0);
}

/* None becomes 0 by wrapping, and everything else is one more. */
static void add_column(struct pack *block, const struct column *column, const uint8_t *rows,
                       size_t count, size_t stride)
{
    struct pack numbers = {0};
    uint64_t before = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t number = member_of(column, rows + i * stride);

        if (column->kind == COLUMN_RISING) {
            pack_number(&numbers, sign_last(number + 1 - before));
            before = number + 1;
        } else {
            pack_number(&numbers, column->kind == COLUMN_SIGNED ? sign_last(number) : number);
        }
    }
    pack_blob(block, numbers.bytes, numbers.count);
    pack_free(&numbers);
}

void page_block_add_table(struct pack *block, json_t *tables, const char *name,
                          const struct column *columns, const void *rows, size_t count,
                          size_t stride)
{
    static const char *const kinds[COLUMN_KIND_COUNT] = {"number", "signed", "rising"};
    json_t *list = json_array();

    for (const struct column *column = columns; column->name != NULL; column++) {
        json_array_append_new(list, json_pack("[s, s]", column->name, kinds[column->kind]));
        add_column(block, column, rows, count, stride);
    }
    json_object_set_new(tables, name,
                        json_pack("{s:I, s:o}", "count", (json_int_t)count, "columns", list));
}

void page_block_add_blob(struct pack *block, json_t *tables, const char *name,
                         const struct pack *bytes)
{
    pack_blob(block, bytes->bytes, bytes->count);
    json_object_set_new(tables, name, json_pack("{s:b}", "blob", 1));
}

/* ---- As an element ---- */

static uint8_t *deflated(const struct pack *block, size_t *count)
{
    uLongf bytes = compressBound((uLong)block->count);
    uint8_t *data = must_alloc(bytes);

    if (compress2(data, &bytes, block->bytes, (uLong)block->count, Z_DEFAULT_COMPRESSION) != Z_OK) {
        die("a block of the report can't be compressed");
    }
    *count = bytes;
    return data;
}

static void write_base64(FILE *out, const uint8_t *data, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        left > 1 ? digits[three >> 6 & 63] : '=',
                        left > 2 ? digits[three & 63] : '='};

        fwrite(four, 1, sizeof(four), out);
    }
}

static struct pack with_head(json_t *head, const struct pack *block)
{
    struct pack whole = {0};
    char *text = json_dumps(head, JSON_COMPACT);

    if (text == NULL) {
        die("out of memory");
    }
    pack_text(&whole, text);
    pack_bytes(&whole, block->bytes, block->count);
    free(text);
    json_decref(head);
    return whole;
}

void page_block_write(FILE *out, const char *id, json_t *head, struct pack *block)
{
    struct pack whole = with_head(head, block);
    size_t count;
    uint8_t *data = deflated(&whole, &count);

    fprintf(out, "<script type=\"application/octet-stream\" id=\"%s\">", id);
    write_base64(out, data, count);
    fputs("</script>\n", out);
    free(data);
    pack_free(&whole);
    pack_free(block);
}
