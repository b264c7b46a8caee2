/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text file in memory, and its lines.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_TEXT_H
#define MIRRORSIM_TESTS_GOLDEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger files are refused. */
#define TEXT_MAX_BYTES (64u << 20)

/* A line of a text, and its number. */
struct line {
    char *text;
    uint32_t number; /* from 1, in its file */
};

struct text {
    char *bytes; /* NUL-terminated */
    size_t size;
    struct line *lines; /* cut by text_split(), else NULL */
    size_t count;
};

/*
 * Reads a file that holds text: no NUL bytes.  Returns false with a sentence in
 * `error` if the file cannot be read or is not text; *text is then empty.
 */
bool text_read(const char *path, struct text *text, char *error, size_t size);

/* Splits the bytes into lines. False if there is no memory. */
bool text_split(struct text *text);

void text_free(struct text *text);

#endif
