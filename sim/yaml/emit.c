/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Braces, quotes, indentation and folding.
 */
#include "sim/yaml/emit.h"

#include <assert.h>
#include <string.h>

/* Longer lines are folded. */
#define MAX_COLUMNS 110

/* ---- Mappings and lists ---- */

struct emit emit_open(FILE *file, enum emit_style style)
{
    return (struct emit){.file = file, .style = style};
}

struct emit emit_open_below(struct emit *outer, const char *key, enum emit_style style)
{
    return (struct emit){.file = outer->file, .style = style, .outer = outer, .key = key};
}

/* Blocks begin on the next line, so that their key has no space after it. */
static void begin(struct emit *emit)
{
    struct emit *outer = emit->outer;

    if (!outer) {
        return;
    }
    emit->outer = NULL;
    if (emit->style == EMIT_BLOCK || emit->style == EMIT_BLOCK_LIST) {
        assert(outer->style == EMIT_FILE);
        fprintf(emit->file, "%s%s:", outer->has_entry ? "\n" : "", emit->key);
        outer->has_entry = true;
    } else {
        emit_key(outer, emit->key);
    }
}

void emit_key(struct emit *emit, const char *key)
{
    static const char *const first[] = {"", "\n  ", "", "", "{", ""};
    static const char *const next[] = {"\n", "\n  ", "", "", ", ", ""};

    assert(emit->style != EMIT_BLOCK_LIST && emit->style != EMIT_FLOW_LIST);
    begin(emit);
    fprintf(emit->file, "%s%s: ", emit->has_entry ? next[emit->style] : first[emit->style], key);
    emit->has_entry = true;
}

void emit_item(struct emit *emit)
{
    assert(emit->style == EMIT_BLOCK_LIST || emit->style == EMIT_FLOW_LIST);
    begin(emit);
    if (emit->style == EMIT_BLOCK_LIST) {
        fputs("\n  - ", emit->file);
    } else {
        fputs(emit->has_entry ? ", " : "[", emit->file);
    }
    emit->has_entry = true;
}

void emit_end(struct emit *emit)
{
    bool is_left_out = emit->outer != NULL;

    if (emit->style == EMIT_FILE) {
        fputc('\n', emit->file);
    } else if (emit->style == EMIT_FLOW && !is_left_out) {
        fputs(emit->has_entry ? "}" : "{}", emit->file);
    } else if (emit->style == EMIT_FLOW_LIST && !is_left_out) {
        fputs(emit->has_entry ? "]" : "[]", emit->file);
    }
}

void emit_word(struct emit *emit, const char *key, const char *word)
{
    emit_key(emit, key);
    fputs(word, emit->file);
}

void emit_list_word(struct emit *emit, const char *word)
{
    emit_item(emit);
    fputs(word, emit->file);
}

/* ---- Texts ---- */

void emit_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            fprintf(file, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", file);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(file, "\\x%02x", c);
        } else {
            fputc(c, file);
        }
    }
    fputc('"', file);
}

void emit_scalar(FILE *file, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_./%+";

    if (*text != '\0' && text[strspn(text, plain)] == '\0' && strchr("/%.", *text) == NULL) {
        fputs(text, file);
    } else {
        emit_text(file, text);
    }
}

/* Spaces at either end of a line are too easily lost; the first line sets the indentation. */
static bool is_block_text(const char *text)
{
    for (const char *at = text; *at; at++) {
        bool begins_line = at == text || at[-1] == '\n';
        bool ends_line = at[1] == '\n' || at[1] == '\0';

        if (((unsigned char)*at < 0x20 && *at != '\n') ||
            (*at == ' ' && (begins_line || ends_line))) {
            return false;
        }
    }
    return *text != '\0' && *text != '\n';
}

/* Of several newlines at its end, a block keeps one: such a text is quoted. */
void emit_block_text(struct emit *emit, const char *key, const char *text)
{
    size_t length = strlen(text);
    bool ends_line = length > 0 && text[length - 1] == '\n';

    emit_key(emit, key);
    if (!is_block_text(text) || (length > 1 && ends_line && text[length - 2] == '\n')) {
        emit_text(emit->file, text);
        return;
    }
    fputs(ends_line ? "|\n  " : "|-\n  ", emit->file);
    length -= ends_line;
    for (size_t i = 0; i < length; i++) {
        fputc(text[i], emit->file);
        if (text[i] == '\n' && text[i + 1] != '\n') {
            fputs("  ", emit->file);
        }
    }
}

/* ---- Folding ---- */

/* Where to fold: behind the last comma within reach that is not quoted; 0 = nowhere. */
static size_t find_fold(const char *line, size_t length)
{
    size_t fold = 0;
    bool quoted = false;

    for (size_t i = 0; i < length && i < MAX_COLUMNS; i++) {
        quoted ^= line[i] == '"' && (i == 0 || line[i - 1] != '\\');
        if (!quoted && line[i] == ',' && line[i + 1] == ' ') {
            fold = i + 1;
        }
    }
    return fold;
}

static void write_folded(FILE *file, const char *line, size_t length)
{
    size_t fold;

    while (length > MAX_COLUMNS && (fold = find_fold(line, length)) > 0) {
        fprintf(file, "%.*s\n     ", (int)fold, line);
        line += fold;
        length -= fold;
    }
    fprintf(file, "%.*s\n", (int)length, line);
}

void emit_folded(FILE *file, const char *text)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        write_folded(file, line, strcspn(line, "\n"));
    }
}
