/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsing the words of one configuration line.
 *
 * Every words_* function returns false after filling in the reader's error, so
 * that a directive is a chain of them.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_READER_H
#define MIRRORSIM_TESTS_GOLDEN_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/golden/config.h"

#define READER_MAX_WORDS 24 /* of today's generation, ... */
#define READER_MAX_WORDS_2_2 12

/* Keeps the plan within its arena. */
#define READER_MAX_LINES 10000

/* The length of a disk for which no directive gives one. */
#define CONFIG_NO_LENGTH UINT64_MAX

/* A name of a hold, which a later line may make: of a release, or of `on held`. */
struct hold_name {
    const char *name;
    bool is_react; /* else a timed action */
    bool is_event; /* a reaction's event, not its action */
    uint32_t index;
};

/* A configuration being read: its plan so far, and the current line. */
struct reader {
    struct plan *plan;
    enum generation generation;
    struct hold_name *hold_names;
    uint32_t hold_name_count;
    struct fault_spec *op_latencies; /* today's generation: in the plan's faults at the end */
    uint32_t op_latency_count;
    uint64_t status_latency_ns;
    struct config_error *error;
    struct where where;
    char *words[READER_MAX_WORDS];
    uint32_t count;
};

/* A word and the number it stands for; lists end with a NULL name. */
struct word_value {
    const char *name;
    int value;
};

/* One kind of line: its first word, and the function that reads the `count` words after it. */
struct directive {
    const char *name; /* NULL ends a table */
    uint32_t min_args;
    uint32_t max_args;
    bool (*read)(struct reader *reader, char **args, uint32_t count);
    const char *usage;    /* the words after the name */
    uint32_t generations; /* bit per generation that has it; 0: all */
};

#define ONLY_2_2 (1u << GENERATION_2_2)
#define ONLY_MODERN (1u << GENERATION_MODERN)

extern const struct directive disk_directives[];
extern const struct directive story_directives[];
extern const struct directive modern_directives[]; /* config_modern.c */

/* The latency of an operation for which no directive gives one, in today's generation. */
#define CONFIG_MODERN_LATENCY_NS 100000u

/* After the last line of a file of today's generation: names of holds, latencies, defaults. */
bool modern_finish(struct reader *reader);

/* Splits a line into words and drops its comment. */
bool reader_split(struct reader *reader, char *line);

/* Notes what is wrong with the current line; returns false. */
bool reader_fail(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As reader_fail(), for a line that is valid but not supported. */
bool reader_unsupported(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool words_number(struct reader *reader, const char *word, uint64_t *value);
bool words_time(struct reader *reader, const char *word, uint64_t *value_ns);

/* A number that may be negative: a speed, a granularity, a buffer size. */
bool words_signed(struct reader *reader, const char *word, int64_t *value);

/* A length or an offset: a multiple of the sector size, below 2^62. */
bool words_bytes(struct reader *reader, const char *word, uint64_t *bytes);

/* One of a list. */
bool words_choice(struct reader *reader, const char *word, const struct word_value *list,
                  int *value);

/* A positive errno, by name or number. */
bool words_errno(struct reader *reader, const char *word, int *error);

/* The disk of that name, made on its first mention. */
bool words_node(struct reader *reader, const char *word, uint32_t *disk);

/* Room for one more element in an array that lives in the arena; updates *count. */
void *reader_append(struct arena *arena, void *array, uint32_t *count, size_t element);

/* Appends to `array` and points at its new, uninitialised last element. */
#define READER_APPEND(arena, array, count) \
    ((array) = reader_append((arena), (array), &(count), sizeof(*(array))), &(array)[(count)-1])

#endif
