/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Collecting the mistakes of a scenario file, and showing its text safely.
 *
 * What a file says may be hostile: whatever is quoted from it is shortened,
 * and bytes that are not printable text are replaced.
 */
#ifndef MIRRORSIM_SIM_MISTAKES_H
#define MIRRORSIM_SIM_MISTAKES_H

#include <stddef.h>

#include "sim/arena.h"
#include "sim/scenario.h"

/* Mistakes in the order of finding; all memory is the arena's. */
struct mistake_list {
    struct arena *arena;
    const char *text; /* the file, for showing lines of it; it must outlive the result */
    size_t bytes;
    struct mistake *list;
    uint32_t count;
    uint32_t capacity;
    uint32_t dropped;
};

/* Notes a sentence about a place; line 0 means the file as a whole. */
void mistake_add(struct mistake_list *mistakes, struct where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sorts by place, drops repetitions and what is beyond the bound, finds the lines. */
void mistakes_finish(struct mistake_list *mistakes, struct mistakes *result);

/* The text in double quotes, fit for a message. */
const char *mistake_quote(struct arena *arena, const char *text);

#endif
