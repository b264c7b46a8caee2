/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML out: the one place that knows braces, quotes, indentation and folding.
 *
 * A mapping or list is written entry by entry: emit_key() or emit_item(), then
 * the value into emit->file, by an inner emitter or as a scalar.  Nothing fails
 * here; whoever opened the file asks it for errors.
 */
#ifndef MIRRORSIM_SIM_YAML_EMIT_H
#define MIRRORSIM_SIM_YAML_EMIT_H

#include <stdbool.h>
#include <stdio.h>

enum emit_style {
    EMIT_FILE,       /* the keys of a file, each on its line */
    EMIT_BLOCK,      /* keys on lines of their own below a key of the file */
    EMIT_BLOCK_LIST, /* items on lines of their own below a key of the file */
    EMIT_BARE,       /* the only entry of a mapping that is an item of a block list */
    EMIT_FLOW,       /* {key: value, ...} */
    EMIT_FLOW_LIST,  /* [value, ...] */
};

/* A mapping or list that is being written. */
struct emit {
    FILE *file;
    enum emit_style style;
    bool has_entry;
    struct emit *outer; /* gets `key` before the first entry; NULL: it has it already */
    const char *key;
};

/* One that stands where a value is due. */
struct emit emit_open(FILE *file, enum emit_style style);

/* The value of a key of `outer` that is left out if it stays empty. */
struct emit emit_open_below(struct emit *outer, const char *key, enum emit_style style);

/* The place of the next value. */
void emit_key(struct emit *emit, const char *key);
void emit_item(struct emit *emit);

/* Closes it; an empty one that is not left out is {} or []. */
void emit_end(struct emit *emit);

/* An entry, or item, that is this text as it is. */
void emit_word(struct emit *emit, const char *key, const char *word);
void emit_list_word(struct emit *emit, const char *word);

/* Text in double quotes, with escapes; without quotes where it needs none. */
void emit_text(FILE *file, const char *text);
void emit_scalar(FILE *file, const char *text);

/* A key of the file whose text stands below it as it is; quoted where it can't stand so. */
void emit_block_text(struct emit *emit, const char *key, const char *text);

/* Writes text on, with long lines folded behind a comma; quoted text is left whole. */
void emit_folded(FILE *file, const char *text);

#endif
