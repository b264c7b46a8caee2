/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, times and sizes as text, and escaped text.
 */
#ifndef MIRRORSIM_TOOLS_BASE_TEXT_H
#define MIRRORSIM_TOOLS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A virtual time, exact, in the largest fitting unit: "12.5ms", "0s". */
#define TIME_TEXT_BYTES 32
const char *time_text(uint64_t ns, char buf[TIME_TEXT_BYTES]);

/* Parses a time; a unit (ns, us, ms, s, min) is required unless the value is 0. */
bool time_parse(const char *text, uint64_t *ns);

/* Parses a size with or without a unit ("64KiB", "512"). */
bool size_parse(const char *text, uint64_t *bytes);

/* Parses a factor with at most three decimals ("10", "0.5"), in thousandths. */
bool thousandths_parse(const char *text, uint64_t *thousandths);

/* Parses a decimal number and nothing else. */
bool number_parse(const char *text, uint64_t *number);

/* A number of bytes in the largest unit that divides it: "64KiB", "513". */
const char *size_text(uint64_t bytes, char buf[TIME_TEXT_BYTES]);

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
