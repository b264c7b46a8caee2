/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every subcommand uses: exit codes, memory, text for people and machines.
 */
#ifndef MIRRORSIM_TOOLS_SUPPORT_H
#define MIRRORSIM_TOOLS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The program's exit codes; an interrupted run ends with 128 + the signal. */
enum exit_code {
    EXIT_PASSED = 0,
    EXIT_FAILED = 1,  /* a scenario failed */
    EXIT_USAGE = 2,   /* wrong usage, or an invalid file */
    EXIT_HARNESS = 3, /* the harness itself failed */
};

/* Says so and exits with EXIT_HARNESS. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory; dies without. */
void *must_alloc(size_t bytes);

/* `list` of `count` elements with room for one more; doubles when it is full. */
void *must_grow(void *list, size_t count, size_t element_bytes);

char *must_strdup(const char *text);
char *must_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A virtual time in the largest fitting unit, exact: "12.5ms", "0s". */
#define TIME_TEXT_BYTES 32
const char *time_text(uint64_t ns, char buf[TIME_TEXT_BYTES]);

/* The reverse; a unit (ns, us, ms, s, min) is needed unless the value is 0. */
bool time_parse(const char *text, uint64_t *ns);

/* A decimal number and nothing else. */
bool number_parse(const char *text, uint64_t *number);

/* A number of bytes in the largest unit that divides it: "64KiB", "513". */
const char *size_text(uint64_t bytes, char buf[TIME_TEXT_BYTES]);

/* `text` with every byte that is not valid UTF-8 replaced by '?'; the caller frees it. */
char *utf8_clean(const char *text);

/* Copies what fits, ending between two UTF-8 characters. */
void text_copy(char *buf, size_t size, const char *text);

/* Writes text as XML character data (also for attributes), without what XML cannot hold. */
void xml_write(FILE *out, const char *text);

/* Writes text as one word of a shell command. */
void shell_write(FILE *out, const char *text);

#endif
