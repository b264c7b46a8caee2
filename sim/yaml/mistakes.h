/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collecting the mistakes of a scenario file, and showing its text safely.
 *
 * What a file says may be hostile: whatever is quoted from it is shortened,
 * and bytes that are not printable text are replaced.
 */
#ifndef MIRRORSIM_SIM_YAML_MISTAKES_H
#define MIRRORSIM_SIM_YAML_MISTAKES_H

#include <stddef.h>

#include "sim/base/arena.h"
#include "sim/plan/disk.h" /* struct where */

#define YAML_MAX_MISTAKES 50 /* what is beyond is counted */

/* One mistake: a place, a sentence, and the line of the file it is in. */
struct mistake {
    uint32_t line; /* from 1; 0 = the file as a whole */
    uint32_t column;
    const char *text;        /* what is wrong and what would be right */
    const char *source_line; /* without newline; NULL if there is none */
};

/* Mistakes in order of their place. */
struct mistakes {
    struct mistake *list;
    uint32_t count;
    uint32_t dropped; /* beyond YAML_MAX_MISTAKES */
};

/* The pieces of one sentence; what does not fit is left out. */
#define MISTAKE_PARTS_BYTES 8192

/* Mistakes in the order of finding; all lasting memory is the arena's. */
struct mistake_list {
    struct arena *arena;
    const char *text; /* the file, for showing lines of it; it must outlive the result */
    size_t bytes;
    struct mistake *list;
    uint32_t count;
    uint32_t capacity;
    uint32_t dropped;
    size_t parts_used;
    char parts[MISTAKE_PARTS_BYTES];
};

/* Notes a sentence about a place; line 0 means the file as a whole. */
void mistake_add(struct mistake_list *mistakes, struct where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sorts by place, drops repetitions and what is beyond the bound, finds the lines. */
void mistakes_finish(struct mistake_list *mistakes, struct mistakes *result);

/* A piece of the next sentence, good until that is added. */
const char *mistake_part(struct mistake_list *mistakes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Such a piece: the text in double quotes. */
const char *mistake_quote(struct mistake_list *mistakes, const char *text);

/* Gives up the sentence whose pieces have been made. */
void mistake_discard(struct mistake_list *mistakes);

/* Renders mistakes as file:line:column text with line and caret; caller frees. */
char *mistakes_format(const char *file, const struct mistakes *mistakes);

#endif
