/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text output of blkparse, in its default format.
 *
 *   MAJOR,MINOR CPU SEQUENCE SECONDS PID ACTION RWBS [SECTOR + SECTORS] [PROCESS]
 *
 * One of a request's actions is used: queued (Q), issued to the device (D) or
 * completed (C).  kind.c knows the letters of RWBS.  The summary after the events is not read.
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

bool import_is_blkparse(const struct import_line *line)
{
    return (import_is_device(line->words[DEVICE_WORD].text) && line->word_count > ACTION_WORD) ||
           strcmp(line->words[0].text, "Input") == 0;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_digits(const char *text, size_t length)
{
    return length > 0 && strspn(text, "0123456789") >= length;
}

/* SECONDS.FRACTION, exactly. */
static bool read_time(struct recording *recording, const struct import_line *line, int64_t *time_ns)
{
    const char *word = line->words[TIME_WORD].text;
    const char *dot = strchr(word, '.');

    if (dot == NULL || !is_digits(word, (size_t)(dot - word)) || dot - word > 9 ||
        !is_digits(dot + 1, strlen(dot + 1)) || strlen(dot + 1) > FRACTION_DIGITS) {
        mistake_add(&recording->list, import_where(line, TIME_WORD),
                    "a time in seconds like 12.345678901 is expected, not %s",
                    mistake_quote(&recording->list, word));
        return false;
    }
    return import_time(recording, line, TIME_WORD, "time", NS_PER_S, time_ns);
}

/* SECTOR + SECTORS; only a flush may lack it. */
static bool read_range(struct recording *recording, const struct import_line *line,
                       const struct import_kind *kind, struct import_request *request)
{
    bool has_range = line->word_count > PLUS_WORD && strcmp(line->words[PLUS_WORD].text, "+") == 0;

    if (kind->op == OP_FLUSH || (!has_range && kind->flush_before)) {
        return true;
    }
    if (!has_range) {
        mistake_add(&recording->list, import_where(line, SECTOR_WORD),
                    "the place is missing: SECTOR + SECTORS is expected");
        return false;
    }
    return import_sectors(recording, line, SECTOR_WORD, SECTORS_WORD, request);
}

static bool read_request(struct recording *recording, const struct import_line *line,
                         struct import_kind *kind, struct import_request *request)
{
    *kind = import_read_kind(line->words[RWBS_WORD].text);
    *request = (struct import_request){.latency_ns = IMPORT_NO_LATENCY};
    if (!kind->is_known) {
        recording->left_out.by_action++;
        return false;
    }
    return read_time(recording, line, &request->time_ns) &&
           read_range(recording, line, kind, request);
}

/* A request, or for a profile its completion. */
static void take_line(struct recording *recording, const struct import_line *line)
{
    const char *action = line->words[ACTION_WORD].text;
    const char *device = line->words[DEVICE_WORD].text;
    bool is_request = action[0] == import_action(recording) && action[1] == '\0';
    bool is_completion = recording->options->wants_latency && strcmp(action, "C") == 0;
    struct import_kind kind;
    struct import_request request;

    if (!is_request && !is_completion) {
        recording->left_out.by_action++;
    } else if (read_request(recording, line, &kind, &request)) {
        if (is_request) {
            import_add_kind(recording, line, SECTOR_WORD, device, &kind, request);
        } else {
            import_complete(recording, device, request.offset, request.time_ns);
        }
    }
}

void import_blkparse_line(struct recording *recording, const struct import_line *line)
{
    const char *first = line->words[0].text;

    if (recording->options->layout != NULL) {
        import_blkparse_fields_line(recording, line);
    } else if (begins_with(first, "CPU") || begins_with(first, "Total")) {
        recording->is_over = true;
    } else if (strcmp(first, "Input") == 0) {
        return; /* "Input file NAME added" */
    } else if (!import_is_device(first)) {
        mistake_add(&recording->list, import_where(line, 0),
                    "a device like 8,0 is expected, not %s: say with --layout which format "
                    "blkparse -f had",
                    mistake_quote(&recording->list, first));
    } else if (line->word_count <= RWBS_WORD) {
        mistake_add(&recording->list, import_where(line, RWBS_WORD),
                    "the line ends too soon: DEVICE CPU SEQUENCE TIME PID ACTION RWBS SECTOR + "
                    "SECTORS is expected");
    } else {
        take_line(recording, line);
    }
}
