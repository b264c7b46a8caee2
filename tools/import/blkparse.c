/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text output of blkparse, in its default format.
 *
 *   MAJOR,MINOR CPU SEQUENCE SECONDS PID ACTION RWBS [SECTOR + SECTORS] [PROCESS]
 *
 * One of a request's actions is used: queued (Q), issued to the device (D) or
 * completed (C).  RWBS is a word of letters: first F for a flush before the
 * request, then the operation (R, W, D; F alone is a flush), then modifiers: F
 * for a write that must be durable at once; the others do not matter here.  The
 * summary after the events is not read.
 *
 * Declared in tools/import/import.h: one of the formats that can be read.
 */
#include <string.h>

#include "engine/range.h"
#include "tools/import/import.h"

#define NS_PER_S UINT64_C(1000000000)
#define FRACTION_DIGITS 9u

/* The words of a line. */
enum {
    DEVICE_WORD,
    CPU_WORD,
    SEQUENCE_WORD,
    TIME_WORD,
    PROCESS_WORD,
    ACTION_WORD,
    RWBS_WORD,
    SECTOR_WORD,
    PLUS_WORD,
    SECTORS_WORD,
};

static bool is_digits(const char *text, size_t length)
{
    return length > 0 && strspn(text, "0123456789") >= length;
}

static bool is_device(const char *word)
{
    const char *comma = strchr(word, ',');

    return comma != NULL && is_digits(word, (size_t)(comma - word)) &&
           is_digits(comma + 1, strlen(comma + 1));
}

bool import_looks_like_blkparse(const struct import_line *line)
{
    return is_device(line->words[DEVICE_WORD].text) && line->word_count > ACTION_WORD;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* SECONDS.FRACTION, exactly. */
static bool read_time(struct recording *recording, const struct import_line *line,
                      uint64_t *time_ns)
{
    const char *word = line->words[TIME_WORD].text;
    const char *dot = strchr(word, '.');
    uint64_t part = 0;
    uint64_t place = NS_PER_S;

    if (dot == NULL || !is_digits(word, (size_t)(dot - word)) || dot - word > 9 ||
        !is_digits(dot + 1, strlen(dot + 1)) || strlen(dot + 1) > FRACTION_DIGITS) {
        mistake_add(&recording->list, import_where(line, TIME_WORD),
                    "a time in seconds like 12.345678901 is expected, not %s",
                    mistake_quote(&recording->list, word));
        return false;
    }
    for (; word < dot; word++) {
        part = 10 * part + (uint64_t)(*word - '0');
    }
    *time_ns = part * NS_PER_S;
    for (word = dot + 1; *word != '\0'; word++) {
        place /= 10;
        *time_ns += (uint64_t)(*word - '0') * place;
    }
    return true;
}

/* The meaning of the letters. */
struct request_kind {
    bool is_known;
    bool flush_before;
    bool is_durable;
    enum op op;
};

static struct request_kind read_kind(const char *rwbs)
{
    struct request_kind kind = {.is_known = true};

    kind.flush_before = rwbs[0] == 'F';
    rwbs += kind.flush_before;
    switch (*rwbs) {
    case 'R':
        kind.op = OP_READ;
        break;
    case 'W':
        kind.op = OP_WRITE;
        break;
    case 'D':
        kind.op = OP_DISCARD;
        break;
    default:
        kind.op = OP_FLUSH;
        kind.is_known = kind.flush_before;
    }
    kind.is_durable = kind.op == OP_WRITE && strchr(rwbs, 'F') != NULL;
    return kind;
}

/* SECTOR + SECTORS; only a flush may lack it. */
static bool read_range(struct recording *recording, const struct import_line *line,
                       const struct request_kind *kind, struct import_request *request)
{
    bool has_range = line->word_count > PLUS_WORD && strcmp(line->words[PLUS_WORD].text, "+") == 0;
    uint64_t sector;
    uint64_t sectors;

    if (kind->op == OP_FLUSH || (!has_range && kind->flush_before)) {
        return true;
    }
    if (!has_range) {
        mistake_add(&recording->list, import_where(line, SECTOR_WORD),
                    "the place is missing: SECTOR + SECTORS is expected");
        return false;
    }
    if (!import_number(recording, line, SECTOR_WORD, "sector", &sector) ||
        !import_number(recording, line, SECTORS_WORD, "number of sectors", &sectors)) {
        return false;
    }
    if (sector > INT64_MAX / SECTOR_BYTES || sectors > INT64_MAX / SECTOR_BYTES) {
        sector = sectors = INT64_MAX / SECTOR_BYTES; /* beyond the end of any disk */
    }
    request->offset = sector * SECTOR_BYTES;
    request->bytes = sectors * SECTOR_BYTES;
    return true;
}

/* A write with a flush before it becomes two requests; without data, only the flush. */
static void add(struct recording *recording, const struct import_line *line,
                const struct request_kind *kind, struct import_request request)
{
    const char *device = line->words[DEVICE_WORD].text;

    if (kind->flush_before) {
        struct import_request flush = {.time_ns = request.time_ns, .op = OP_FLUSH};

        import_add(recording, line, RWBS_WORD, device, &flush);
    }
    if (kind->flush_before && request.bytes == 0) {
        return;
    }
    request.op = kind->op;
    if (import_add(recording, line, SECTOR_WORD, device, &request)) {
        recording->left_out.fua += kind->is_durable;
    }
}

static void read_request(struct recording *recording, const struct import_line *line)
{
    struct request_kind kind = read_kind(line->words[RWBS_WORD].text);
    struct import_request request = {0};

    if (!kind.is_known) {
        recording->left_out.by_action++;
    } else if (read_time(recording, line, &request.time_ns) &&
               read_range(recording, line, &kind, &request)) {
        add(recording, line, &kind, request);
    }
}

void import_blkparse_line(struct recording *recording, const struct import_line *line)
{
    const char *first = line->words[0].text;

    if (begins_with(first, "CPU") || begins_with(first, "Total")) {
        recording->is_over = true;
    } else if (strcmp(first, "Input") == 0) {
        return; /* "Input file NAME added" */
    } else if (!is_device(first)) {
        mistake_add(&recording->list, import_where(line, 0),
                    "a device like 8,0 is expected, not %s: lines are written as blkparse does "
                    "without -f",
                    mistake_quote(&recording->list, first));
    } else if (line->word_count <= RWBS_WORD) {
        mistake_add(&recording->list, import_where(line, RWBS_WORD),
                    "the line ends too soon: DEVICE CPU SEQUENCE TIME PID ACTION RWBS SECTOR + "
                    "SECTORS is expected");
    } else if (strcmp(line->words[ACTION_WORD].text, recording->options->action) != 0) {
        recording->left_out.by_action++;
    } else {
        read_request(recording, line);
    }
}
