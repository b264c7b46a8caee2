/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where our engine is known to differ from a reference trace, and how.
 *
 * The file has a block per case:
 *
 *   NAME D5: a sentence on what our engine does instead
 *    a line that stays (says where the next edit belongs)
 *   -a line of the reference that our engine does not print
 *   +a line that it prints here
 *
 * D5 is the entry of mirror-algorithm section 11 that gives the reason; D'5 would be one of
 * engine/modern/ALGORITHM.md.  Lines
 * must match exactly, and edits come in order; everything that no edit names
 * must be equal.  Empty lines and lines that begin with # are ignored.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_EXCEPTIONS_H
#define MIRRORSIM_TESTS_GOLDEN_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/golden/text.h"

struct exception {
    const char *name;   /* of the case */
    const char *defect; /* "D5", "D'15" */
    uint32_t number;    /* line in the file */
    const struct line *edits;
    size_t edit_count;
};

struct exceptions {
    struct text text;
    struct exception *list;
    size_t count;
};

/*
 * Reads the file.  Returns false with `file:line: sentence` in `error` if the
 * format is wrong; *exceptions is then empty.
 */
bool exceptions_read(const char *path, struct exceptions *exceptions, char *error, size_t size);
void exceptions_free(struct exceptions *exceptions);

/* The exception of a case, or NULL. */
const struct exception *exceptions_find(const struct exceptions *exceptions, const char *name);

/*
 * Applies the edits to a reference trace.  `edited` has room for
 * `count + exception->edit_count` lines; returns the number of lines.  If an
 * edit does not apply, *failed is that edit; otherwise NULL.  An added line has
 * the number of the line that it precedes.
 */
size_t exception_apply(const struct exception *exception, const struct line *lines, size_t count,
                       struct line *edited, const struct line **failed);

#endif
