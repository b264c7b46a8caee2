/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collecting the mistakes of a scenario file, and showing its text safely.
 */
#include "sim/yaml/mistakes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/utf8.h"

/* More than this is noise; the earliest of them are shown. */
#define MAX_COLLECTED (20 * YAML_MAX_MISTAKES)

#define QUOTE_MAX_BYTES 60u

/* How much of a long line is shown around its column. */
#define SHOWN_BEFORE 80u
#define SHOWN_COLUMNS 140u

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

/*
 * Bytes of the character at `text`; 0 if it would garble a terminal: a control byte, or no UTF-8.
 */
static size_t clean_length(const char *text, size_t left)
{
    uint32_t value;

    return is_control(*text) ? 0 : utf8_decode(text, left, &value);
}

/* ---- Pieces of sentences ---- */

const char *mistake_part(struct mistake_list *mistakes, const char *format, ...)
{
    size_t room = sizeof(mistakes->parts) - mistakes->parts_used;
    char *part = mistakes->parts + mistakes->parts_used;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(part, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room) {
        return "...";
    }
    mistakes->parts_used += (size_t)length + 1;
    return part;
}

const char *mistake_quote(struct mistake_list *mistakes, const char *text)
{
    size_t length = utf8_cut(text, QUOTE_MAX_BYTES);
    char copy[QUOTE_MAX_BYTES + 1];

    for (size_t i = 0; i < length;) {
        size_t bytes = clean_length(text + i, length - i);

        memcpy(copy + i, bytes > 0 ? text + i : "?", bytes > 0 ? bytes : 1);
        i += bytes > 0 ? bytes : 1;
    }
    copy[length] = '\0';
    return mistake_part(mistakes, "\"%s%s\"", copy, text[length] != '\0' ? "..." : "");
}

void mistake_discard(struct mistake_list *mistakes)
{
    mistakes->parts_used = 0;
}

/* ---- Collecting ---- */

static void grow(struct mistake_list *mistakes)
{
    uint32_t capacity = mistakes->capacity ? 4 * mistakes->capacity : 16;
    struct mistake *list = arena_alloc(mistakes->arena, capacity * sizeof(*list));

    if (mistakes->count > 0) {
        memcpy(list, mistakes->list, mistakes->count * sizeof(*list));
    }
    mistakes->list = list;
    mistakes->capacity = capacity;
}

/* The matrix cases of a file repeat most of what is wrong. */
static bool is_known(const struct mistake_list *mistakes, struct where where, const char *text)
{
    for (uint32_t i = 0; i < mistakes->count; i++) {
        const struct mistake *mistake = &mistakes->list[i];

        if (mistake->line == where.line && mistake->column == where.column &&
            strcmp(mistake->text, text) == 0) {
            return true;
        }
    }
    return false;
}

void mistake_add(struct mistake_list *mistakes, struct where where, const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mistake_discard(mistakes);
    if (is_known(mistakes, where, text)) {
        return;
    }
    if (mistakes->count == MAX_COLLECTED) {
        mistakes->dropped++;
        return;
    }
    if (mistakes->count == mistakes->capacity) {
        grow(mistakes);
    }
    mistakes->list[mistakes->count++] = (struct mistake){
        .line = where.line,
        .column = where.column,
        .text = arena_strdup(mistakes->arena, text),
    };
}

/* By place; the text makes the order of two at one place independent of the sort. */
static int compare_places(const void *a, const void *b)
{
    const struct mistake *x = a;
    const struct mistake *y = b;

    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    if (x->column != y->column) {
        return x->column < y->column ? -1 : 1;
    }
    return strcmp(x->text, y->text);
}

/* A copy of that line (from 1) without its end; NULL if there is none. */
static const char *find_line(const struct mistake_list *mistakes, uint32_t line)
{
    const char *start = mistakes->text;
    const char *end;
    const char *newline;
    size_t length;
    char *copy;

    if (!start || line == 0) {
        return NULL;
    }
    end = start + mistakes->bytes;
    for (; start && line > 1; line--) {
        newline = memchr(start, '\n', (size_t)(end - start));
        start = newline ? newline + 1 : NULL;
    }
    if (!start) {
        return NULL;
    }
    newline = memchr(start, '\n', (size_t)(end - start));
    length = (size_t)((newline ? newline : end) - start);
    length -= length > 0 && start[length - 1] == '\r';
    copy = arena_alloc(mistakes->arena, length + 1);
    memcpy(copy, start, length);
    return copy;
}

void mistakes_finish(struct mistake_list *mistakes, struct mistakes *result)
{
    if (mistakes->count > 1) {
        qsort(mistakes->list, mistakes->count, sizeof(mistakes->list[0]), compare_places);
    }
    if (mistakes->count > YAML_MAX_MISTAKES) {
        mistakes->dropped += mistakes->count - YAML_MAX_MISTAKES;
        mistakes->count = YAML_MAX_MISTAKES;
    }
    for (uint32_t i = 0; i < mistakes->count; i++) {
        struct mistake *mistake = &mistakes->list[i];
        bool is_same = i > 0 && mistake[-1].line == mistake->line;

        mistake->source_line =
            is_same ? mistake[-1].source_line : find_line(mistakes, mistake->line);
    }
    result->list = mistakes->list;
    result->count = mistakes->count;
    result->dropped = mistakes->dropped;
}

/* ---- Showing ---- */

/* The first byte of the character in that column (from 1), or the end. */
static const char *at_column(const char *line, uint32_t column)
{
    const char *end = line + strlen(line);
    uint32_t value;

    for (; line < end && column > 1; column--) {
        line += max_u64(utf8_decode(line, (size_t)(end - line), &value), 1);
    }
    return line;
}

static void put_clean(FILE *out, const char *start, const char *end)
{
    while (start < end) {
        size_t bytes = clean_length(start, (size_t)(end - start));

        if (bytes > 0) {
            fwrite(start, 1, bytes, out);
        } else {
            fputc(*start == '\t' ? ' ' : '?', out);
        }
        start += max_u64(bytes, 1);
    }
}

/* The line, or the part of it around the column, and a caret under the column. */
static void put_line(FILE *out, const struct mistake *mistake)
{
    uint32_t first = mistake->column > SHOWN_COLUMNS - 20 ? mistake->column - SHOWN_BEFORE : 1;
    const char *start = at_column(mistake->source_line, first);
    const char *end = at_column(start, SHOWN_COLUMNS + 1);
    const char *before = first > 1 ? "..." : "";

    fprintf(out, "    %s", before);
    put_clean(out, start, end);
    fprintf(out, "%s\n    %*s^\n", *end ? "..." : "",
            (int)(strlen(before) + mistake->column - first), "");
}

char *mistakes_format(const char *file, const struct mistakes *mistakes)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (!out) {
        arena_exhausted(sizeof(*out));
    }
    for (uint32_t i = 0; i < mistakes->count; i++) {
        const struct mistake *mistake = &mistakes->list[i];

        if (mistake->line == 0) {
            fprintf(out, "%s: %s\n", file, mistake->text);
            continue;
        }
        fprintf(out, "%s:%" PRIu32 ":%" PRIu32 ": %s\n", file, mistake->line, mistake->column,
                mistake->text);
        if (mistake->source_line) {
            put_line(out, mistake);
        }
    }
    if (mistakes->dropped > 0) {
        fprintf(out, "%s: and %" PRIu32 " more mistakes\n", file, mistakes->dropped);
    }
    fclose(out);
    return text;
}
