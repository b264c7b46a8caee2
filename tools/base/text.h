/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsing plain numbers, and writing escaped text.
 */
#ifndef MIRRORSIM_TOOLS_BASE_TEXT_H
#define MIRRORSIM_TOOLS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Parses a decimal number and nothing else. */
bool number_parse(const char *text, uint64_t *number);

/* `text` with every byte that is not valid UTF-8 replaced by '?'; the caller frees it. */
char *utf8_clean(const char *text);

/* Copies as much as fits, without splitting a UTF-8 character. */
void text_copy(char *buf, size_t size, const char *text);

/*
 * Writes text as XML character data (also for attributes), without characters
 * that XML cannot hold.
 */
void xml_write(FILE *out, const char *text);

/* Writes text, quoted if necessary, as one word of a shell command. */
void shell_write(FILE *out, const char *text);

#endif
