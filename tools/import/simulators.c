/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recordings of numbers and blanks, as simulators read them, and those of FIU.
 *
 *   MQSim    NANOSECONDS DEVICE SECTOR SECTORS 0|1     (0 = write, 1 = read)
 *   DiskSim  MILLISECONDS DEVICE SECTOR SECTORS FLAGS  (lowest bit: 1 = read)
 *   FIU      NANOSECONDS PID PROCESS SECTOR SECTORS R|W MAJOR MINOR MD5
 *
 * The first two are told apart by their times: those of DiskSim have a fraction.
 *
 * Declared in tools/import/import.h: three of the formats that can be read.
 */
#include <stdio.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tools/import/import.h"

enum { TIME_WORD, DEVICE_WORD, SECTOR_WORD, SECTORS_WORD, FLAGS_WORD, WORDS };

static bool is_number(const char *word, const char *digits)
{
    return word[strspn(word, digits)] == '\0';
}

/* Five numbers. */
static bool are_numbers(const struct import_line *line)
{
    for (uint32_t i = DEVICE_WORD; i < line->word_count; i++) {
        if (!is_number(line->words[i].text, "0123456789")) {
            return false;
        }
    }
    return line->word_count == WORDS && is_number(line->words[TIME_WORD].text, "0123456789.");
}

bool import_is_mqsim(const struct import_line *line)
{
    return are_numbers(line) && strchr(line->words[TIME_WORD].text, '.') == NULL;
}

bool import_is_disksim(const struct import_line *line)
{
    return are_numbers(line) && !import_is_mqsim(line);
}

static void read_line(struct recording *recording, const struct import_line *line, uint64_t unit_ns)
{
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    uint64_t flags;

    if (!import_time(recording, line, TIME_WORD, "time", unit_ns, &request.time_ns) ||
        !import_sectors(recording, line, SECTOR_WORD, SECTORS_WORD, &request) ||
        !import_number(recording, line, FLAGS_WORD, "kind of request", &flags)) {
        return;
    }
    request.op = flags & 1 ? OP_READ : OP_WRITE;
    import_add(recording, line, SECTOR_WORD, line->words[DEVICE_WORD].text, &request);
}

void import_mqsim_line(struct recording *recording, const struct import_line *line)
{
    read_line(recording, line, 1);
}

void import_disksim_line(struct recording *recording, const struct import_line *line)
{
    read_line(recording, line, NS_PER_MS);
}

/* ---- FIU ---- */

/* From the end of the line: a process may have blanks in its name. */
enum { MINOR_FROM_END = 2, MAJOR_FROM_END, KIND_FROM_END, SECTORS_FROM_END, SECTOR_FROM_END };

#define FIU_WORDS 9u

static bool is_kind(const char *word)
{
    return strcmp(word, "W") == 0 || strcmp(word, "R") == 0;
}

bool import_is_fiu(const struct import_line *line)
{
    uint32_t end = line->word_count;

    return end >= FIU_WORDS && is_number(line->words[0].text, "0123456789") &&
           is_kind(line->words[end - KIND_FROM_END].text);
}

void import_fiu_line(struct recording *recording, const struct import_line *line)
{
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    uint32_t end = line->word_count;
    char device[2 * IMPORT_MAX_LINE_BYTES];
    uint64_t time;

    if (end < FIU_WORDS || !is_kind(line->words[end - KIND_FROM_END].text)) {
        mistake_add(&recording->list, import_where(line, 0),
                    "TIME PID PROCESS SECTOR SECTORS R|W MAJOR MINOR MD5 is expected");
        return;
    }
    if (!import_number(recording, line, TIME_WORD, "time in nanoseconds", &time) ||
        !import_sectors(recording, line, end - SECTOR_FROM_END, end - SECTORS_FROM_END, &request)) {
        return;
    }
    request.time_ns = import_since_first(recording, time, 1);
    request.op = line->words[end - KIND_FROM_END].text[0] == 'R' ? OP_READ : OP_WRITE;
    snprintf(device, sizeof(device), "%s,%s", line->words[end - MAJOR_FROM_END].text,
             line->words[end - MINOR_FROM_END].text);
    import_add(recording, line, end - SECTOR_FROM_END, device, &request);
}
