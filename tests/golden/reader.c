/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsing the words of one configuration line.
 */
#include "tests/golden/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/errno_name.h"

/* Sums of two such values stay below 2^63, as engine/range.h asks. */
#define MAX_BYTES (UINT64_C(1) << 62)
#define MAX_TIME_NS (UINT64_C(1) << 62)
#define MAX_ERRNO 4095
#define MODERN_MAX_IOV 1024

static const char separators[] = " \t\r";

static void note_error(struct reader *reader, bool unsupported, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void note_error(struct reader *reader, bool unsupported, const char *format, va_list args)
{
    struct config_error *error = reader->error;
    error->line = reader->where.line;
    error->unsupported = unsupported;
    vsnprintf(error->text, sizeof(error->text), format, args);
    for (char *at = error->text; *at; at++) {
        /* Control characters from the file must not reach a terminal. */
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    }
}

bool reader_fail(struct reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_error(reader, false, format, args);
    va_end(args);
    return false;
}

bool reader_unsupported(struct reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note_error(reader, true, format, args);
    va_end(args);
    return false;
}

bool reader_split(struct reader *reader, char *line)
{
    line[strcspn(line, "#")] = '\0';
    uint32_t most = reader->generation == GENERATION_2_2 ? READER_MAX_WORDS_2_2 : READER_MAX_WORDS;
    reader->count = 0;
    char *rest = line;
    for (char *word; (word = strsep(&rest, separators)) != NULL;) {
        if (*word == '\0') {
            continue;
        }
        if (reader->count == most) {
            return reader_fail(reader, "more than %" PRIu32 " words", most);
        }
        reader->words[reader->count++] = word;
    }
    return true;
}

static bool parse_digits(const char *digits, unsigned base, uint64_t *value)
{
    /* strtoull() would also accept signs, spaces and a second prefix. */
    const char *legal = base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
    if (*digits == '\0' || digits[strspn(digits, legal)] != '\0') {
        return false;
    }
    errno = 0;
    *value = strtoull(digits, NULL, (int)base);
    return errno == 0;
}

bool config_parse_number(const char *word, uint64_t *value)
{
    bool hexadecimal = strncmp(word, "0x", 2) == 0 || strncmp(word, "0X", 2) == 0;
    return hexadecimal ? parse_digits(word + 2, 16, value) : parse_digits(word, 10, value);
}

bool words_number(struct reader *reader, const char *word, uint64_t *value)
{
    return config_parse_number(word, value) ||
           reader_fail(reader, "'%.40s' is not a number from 0 to 2^64 - 1", word);
}

bool words_time(struct reader *reader, const char *word, uint64_t *value_ns)
{
    return (config_parse_number(word, value_ns) && *value_ns <= MAX_TIME_NS) ||
           reader_fail(reader, "'%.40s' is not a time in ns from 0 to 2^62", word);
}

bool words_signed(struct reader *reader, const char *word, int64_t *value)
{
    bool negative = *word == '-';
    uint64_t magnitude;
    if (!config_parse_number(word + negative, &magnitude) || magnitude > (uint64_t)INT64_MAX) {
        return reader_fail(reader, "'%.40s' is not a number of 63 bits", word);
    }
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

bool words_bytes(struct reader *reader, const char *word, uint64_t *bytes)
{
    if (!config_parse_number(word, bytes) || *bytes % SECTOR_BYTES != 0 || *bytes > MAX_BYTES) {
        return reader_fail(reader, "'%.40s' is not a multiple of 512 from 0 to 2^62", word);
    }
    return true;
}

bool words_choice(struct reader *reader, const char *word, const struct word_value *list,
                  int *value)
{
    char names[120] = "";
    for (; list->name; list++) {
        if (strcmp(list->name, word) == 0) {
            *value = list->value;
            return true;
        }
        size_t used = strlen(names);
        snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", list->name);
    }
    return reader_fail(reader, "'%.40s' is none of %s", word, names);
}

bool words_errno(struct reader *reader, const char *word, int *error)
{
    uint64_t number;
    if (errno_from_name(word, error)) {
        number = (uint64_t)*error;
    } else if (!config_parse_number(word, &number) || number == 0 || number > MAX_ERRNO) {
        return reader_fail(reader, "'%.40s' is neither the name nor the number of an error", word);
    }
    *error = (int)number;
    return number != EINPROGRESS ||
           reader_unsupported(reader, "EINPROGRESS: an engine takes it for 'ask again later'");
}

static void modern_defaults(struct disk_spec *disk)
{
    static const enum op requests[] = {OP_READ, OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        disk->latency[requests[i]].a_ns = CONFIG_MODERN_LATENCY_NS;
    }
    disk->read_effect = EFFECT_AT_START;
    disk->max_segments = MODERN_MAX_IOV;
}

bool words_node(struct reader *reader, const char *word, uint32_t *disk)
{
    struct plan *plan = reader->plan;
    *disk = plan_find_disk(plan, word);
    if (*disk != PLAN_NONE) {
        return true;
    }
    if (strlen(word) >= CONFIG_MAX_NAME) {
        return reader_fail(reader, "a name of %d bytes or more: '%.20s...'", CONFIG_MAX_NAME, word);
    }
    if (plan->disk_count == PLAN_MAX_DISKS) {
        return reader_unsupported(reader, "more than %d nodes", PLAN_MAX_DISKS);
    }
    bool is_target = strcmp(word, "target") == 0;
    uint32_t flags = DISK_FLAG_WRITE_BACK;
    if (is_target) {
        flags |= DISK_FLAG_RDWR | DISK_FLAG_NO_BACKING;
    } else if (strcmp(word, "source") == 0) {
        flags |= DISK_FLAG_RDWR;
    }
    *disk = plan->disk_count++;
    plan->disks[*disk] = (struct disk_spec){
        .name = arena_strdup(plan->arena, word),
        .where = reader->where,
        .bytes = CONFIG_NO_LENGTH,
        .fill = is_target ? FILL_ZERO : FILL_UNIQUE,
        .backing = PLAN_NONE,
        .flags = flags,
        .tracks_io_status = true,
    };
    if (reader->generation == GENERATION_MODERN) {
        modern_defaults(&plan->disks[*disk]);
    }
    return true;
}

/* Capacities are powers of two, so that the count alone says when to grow. */
void *reader_append(struct arena *arena, void *array, uint32_t *count, size_t element)
{
    if ((*count & (*count - 1)) == 0) {
        size_t used = *count * element;
        void *grown = arena_alloc(arena, used == 0 ? element : 2 * used);
        if (used > 0) {
            memcpy(grown, array, used);
            arena_free(arena, array, used);
        }
        array = grown;
    }
    ++*count;
    return array;
}
