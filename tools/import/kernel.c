/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tracers of the kernel print of a block device's requests.
 *
 * ftrace (trace, trace_pipe, or `trace-cmd report`), from its events block_bio_queue (Q),
 * block_rq_issue (D) and block_rq_complete (C):
 *
 *   TASK-PID [CPU] FLAGS SECONDS: block_rq_issue: 8,0 W 4096 () SECTOR + SECTORS [TASK]
 *
 * biosnoop of bcc and libbpf-tools; TIME is when a request was completed, and LAT how long that
 * had taken since it was issued:
 *
 *   TIME(s) COMM PID DISK T SECTOR BYTES [QUE(ms)] LAT(ms)
 *
 * Names of tasks may have blanks in them: lines are read from a word that is known, or from the
 * end.
 *
 * Declared in tools/import/import.h: two of the formats that can be read.
 */
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tools/import/import.h"

/* ---- ftrace ---- */

static const struct {
    const char *name;
    char action;
} ftrace_events[] = {
    {"block_bio_queue:", 'Q'}, {"block_rq_issue:", 'D'}, {"block_rq_complete:", 'C'}};

/* The word that names an event of the block layer; the line's end if there is none. */
static uint32_t find_event(const struct import_line *line)
{
    uint32_t word = 0;

    while (word < line->word_count && strncmp(line->words[word].text, "block_", 6) != 0) {
        word++;
    }
    return word;
}

bool import_is_ftrace(const struct import_line *line)
{
    uint32_t event = find_event(line);

    return strcmp(line->words[0].text, "#") == 0
               ? line->word_count > 1 && strcmp(line->words[1].text, "tracer:") == 0
               : event > 0 && event < line->word_count;
}

static char ftrace_action(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(ftrace_events); i++) {
        if (strcmp(word, ftrace_events[i].name) == 0) {
            return ftrace_events[i].action;
        }
    }
    return '\0';
}

/* SECONDS: is the word before the event; the colon goes. */
static bool read_stamp(struct recording *recording, const struct import_line *line, uint32_t word,
                       int64_t *time_ns)
{
    struct import_line copy = *line;
    char text[64] = "";
    size_t length = strlen(line->words[word].text);

    if (length > 1 && length < sizeof(text) && line->words[word].text[length - 1] == ':') {
        memcpy(text, line->words[word].text, length - 1);
    }
    copy.words[word].text = text;
    return import_time(recording, &copy, word, "time", NS_PER_SECOND, time_ns);
}

/* SECTOR + SECTORS, wherever the + is. */
static bool read_place(struct recording *recording, const struct import_line *line, uint32_t from,
                       struct import_request *request)
{
    uint32_t plus = from;

    while (plus < line->word_count && strcmp(line->words[plus].text, "+") != 0) {
        plus++;
    }
    if (plus >= line->word_count) {
        mistake_add(&recording->list, import_where(line, plus),
                    "the place is missing: SECTOR + SECTORS is expected");
        return false;
    }
    return import_sectors(recording, line, plus - 1, plus + 1, request);
}

/* Device and letters are the words after the event. */
static void take_event(struct recording *recording, const struct import_line *line, uint32_t event,
                       char action)
{
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    struct import_kind kind;

    if (event + 2 >= line->word_count || !import_is_device(line->words[event + 1].text)) {
        mistake_add(&recording->list, import_where(line, event + 1),
                    "a device like 8,0 and letters like WS are expected after the event");
        return;
    }
    kind = import_read_kind(line->words[event + 2].text);
    if (!kind.is_known) {
        recording->left_out.by_action++;
    } else if (read_stamp(recording, line, event - 1, &request.time_ns) &&
               read_place(recording, line, event + 3, &request)) {
        if (action == import_action(recording)) {
            import_add_kind(recording, line, event + 1, line->words[event + 1].text, &kind,
                            request);
        } else {
            import_complete(recording, line->words[event + 1].text, request.offset,
                            request.time_ns);
        }
    }
}

void import_ftrace_line(struct recording *recording, const struct import_line *line)
{
    uint32_t event = find_event(line);
    char action = event < line->word_count ? ftrace_action(line->words[event].text) : '\0';
    bool is_completion = recording->options->wants_latency && action == 'C';

    if (line->words[0].text[0] == '#') {
        return;
    }
    if (event == 0 || action == '\0' || (action != import_action(recording) && !is_completion)) {
        recording->left_out.by_action++;
    } else {
        take_event(recording, line, event, action);
    }
}

/* ---- biosnoop ---- */

/* The words of a line without QUE(ms), from the end. */
enum { LAT_FROM_END = 1, BYTES_FROM_END, SECTOR_FROM_END, T_FROM_END, DISK_FROM_END };

#define BIOSNOOP_WORDS 8u

bool import_is_biosnoop(const struct import_line *line)
{
    return strcmp(line->words[0].text, "TIME(s)") == 0;
}

static bool has_queue(const struct import_line *line)
{
    for (uint32_t i = 0; i < line->word_count; i++) {
        if (strcmp(line->words[i].text, "QUE(ms)") == 0) {
            return true;
        }
    }
    return false;
}

void import_biosnoop_line(struct recording *recording, const struct import_line *line)
{
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    uint32_t end = line->word_count;
    struct import_kind kind;
    int64_t latency_ns;
    uint64_t sector;

    if (import_is_biosnoop(line)) {
        recording->version = has_queue(line);
        return;
    }
    if (end < BIOSNOOP_WORDS + recording->version) {
        mistake_add(&recording->list, import_where(line, end),
                    "the line ends too soon: TIME COMM PID DISK T SECTOR BYTES LAT is expected");
        return;
    }
    if (!import_time(recording, line, 0, "time", NS_PER_SECOND, &request.time_ns) ||
        !import_time(recording, line, end - LAT_FROM_END, "latency", NS_PER_MS, &latency_ns)) {
        return;
    }
    end -= recording->version;
    kind = import_read_kind(line->words[end - T_FROM_END].text);
    if (!kind.is_known) {
        recording->left_out.by_action++;
    } else if (import_number(recording, line, end - SECTOR_FROM_END, "sector", &sector) &&
               import_number(recording, line, end - BYTES_FROM_END, "number of bytes",
                             &request.bytes)) {
        request.offset = (uint64_t)import_ns(sector, SECTOR_BYTES);
        request.latency_ns = (uint64_t)latency_ns;
        request.time_ns -= import_action(recording) == 'C' ? 0 : latency_ns;
        import_add_kind(recording, line, end - SECTOR_FROM_END,
                        line->words[end - DISK_FROM_END].text, &kind, request);
    }
}
