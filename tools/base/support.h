/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every subcommand uses: exit codes, and allocation that ends the program if it
 * fails.
 */
#ifndef MIRRORSIM_TOOLS_BASE_SUPPORT_H
#define MIRRORSIM_TOOLS_BASE_SUPPORT_H

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

/* Prints the message and exits with EXIT_HARNESS. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory; dies if there is none. */
void *must_alloc(uint64_t bytes);

/* Returns `list` with room for one more than `count` elements; it doubles when it is full. */
void *must_grow(void *list, uint64_t count, size_t element_bytes);

/* Zeroed memory that children share, to be given back with munmap(); dies if there is none. */
void *must_share(size_t bytes);

char *must_strdup(const char *text);
char *must_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A file in memory (open_memstream(3)): fclose() leaves its text in *text, which is the caller's.
 */
FILE *must_memstream(char **text, size_t *bytes);

#endif
