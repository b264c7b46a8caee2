/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a recording: the file, its lines and words, and the requests in them.
 *
 * Declared in tools/import/import.h: the first step of an import.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/import/import.h"

static const struct where whole_file = {0, 0};

/* How far back a completion looks for its request. */
#define MAX_IN_FLIGHT 4096u

/* ---- Requests ---- */

static bool is_wanted(const struct recording *recording, const char *file)
{
    return recording->options->file == NULL || strcmp(recording->options->file, file) == 0;
}

static void note_file(struct recording *recording, const char *file)
{
    for (uint32_t i = 0; i < recording->file_count; i++) {
        if (strcmp(recording->files[i], file) == 0) {
            return;
        }
    }
    if (recording->file_count == IMPORT_MAX_FILES) {
        recording->more_files = true;
    } else {
        recording->files[recording->file_count++] = arena_strdup(recording->list.arena, file);
    }
}

/* What is wrong with the request itself, or NULL. */
static const char *request_mistake(struct recording *recording,
                                   const struct import_request *request)
{
    uint64_t disk_bytes = recording->options->disk_bytes;
    uint64_t most = disk_bytes > 0 ? disk_bytes : IMPORT_MAX_DISK_BYTES;

    if (request->op == OP_FLUSH) {
        return NULL;
    }
    if (request->bytes > most || request->offset > most - request->bytes) {
        return mistake_part(&recording->list, "the request goes beyond the end of %s, at %s",
                            disk_bytes > 0 ? "the disk (--size)" : "any disk",
                            quantity_bytes(most).text);
    }
    return NULL;
}

static void append(struct recording *recording, const struct import_request *request)
{
    if (recording->request_count == recording->request_capacity) {
        recording->requests = must_grow(recording->requests, recording->request_capacity,
                                        sizeof(*recording->requests));
        recording->request_capacity =
            recording->request_capacity > 0 ? 2 * recording->request_capacity : 1;
    }
    recording->requests[recording->request_count] = *request;
    recording->requests[recording->request_count].order = recording->request_count;
    recording->request_count++;
    /* For a profile, completions follow. */
    recording->is_over =
        recording->request_count == recording->options->count && !recording->options->wants_latency;
}

/* The whole sectors that it touches. */
static void widen(struct recording *recording, struct import_request *request)
{
    uint64_t end = request->offset + request->bytes;
    uint64_t start = request->offset / SECTOR_BYTES * SECTOR_BYTES;
    uint64_t bytes = div_round_up(end, SECTOR_BYTES) * SECTOR_BYTES - start;

    recording->widened += bytes != request->bytes;
    request->offset = start;
    request->bytes = bytes;
}

/* True if the request is in the part to take (--from). */
static bool is_in_part(struct recording *recording)
{
    bool is_before = ++recording->seen < recording->options->first;

    recording->left_out.by_part += is_before;
    return !is_before;
}

bool import_add(struct recording *recording, const struct import_line *line, uint32_t word,
                const char *file, const struct import_request *request)
{
    struct import_request copy = *request;
    const char *mistake;

    if (recording->is_over) {
        return false;
    }
    note_file(recording, file);
    if (!is_wanted(recording, file)) {
        recording->left_out.by_file++;
        return false;
    }
    if (!is_in_part(recording)) {
        return false;
    }
    if (copy.op == OP_FLUSH) {
        copy.offset = copy.bytes = 0;
    } else if (copy.bytes == 0) {
        recording->left_out.empty++;
        return false;
    }
    mistake = request_mistake(recording, &copy);
    if (mistake != NULL) {
        mistake_add(&recording->list, import_where(line, word), "%s", mistake);
        return false;
    }
    if (recording->request_count == recording->options->count) {
        return false;
    }
    copy.where = import_where(line, word);
    widen(recording, &copy);
    append(recording, &copy);
    return true;
}

void import_complete(struct recording *recording, const char *file, uint64_t offset,
                     int64_t time_ns)
{
    uint32_t least =
        recording->request_count > MAX_IN_FLIGHT ? recording->request_count - MAX_IN_FLIGHT : 0;

    for (uint32_t i = recording->request_count; i > least && is_wanted(recording, file); i--) {
        struct import_request *request = &recording->requests[i - 1];

        if (request->offset == offset && request->op != OP_FLUSH &&
            request->latency_ns == IMPORT_NO_LATENCY && time_ns >= request->time_ns) {
            request->latency_ns = (uint64_t)(time_ns - request->time_ns);
            return;
        }
    }
}

/* ---- Lines ---- */

/* Comments at the start may be those of any format. */
static void detect_format(struct recording *recording, const struct import_line *line)
{
    for (int i = IMPORT_DETECT + 1; i < IMPORT_FORMATS; i++) {
        if (import_formats[i].recognise(line)) {
            recording->format = (enum import_format_id)i;
            return;
        }
    }
    if (line->text[0] != '#') {
        mistake_add(&recording->list, import_where(line, 0),
                    "the format of the recording is unknown: an iolog of fio begins with \"fio "
                    "version 3 iolog\", the text of blkparse with a line like \"8,0 3 1 "
                    "0.000012345 697 Q W 223490 + 8 [name]\"; choose one with --format");
        recording->is_over = true;
    }
}

static void read_words(struct recording *recording, struct import_line *line, char *copy)
{
    uint32_t mistakes = recording->list.count + recording->list.dropped;

    import_split(line, copy);
    if (line->word_count == 0) {
        return;
    }
    if (recording->format == IMPORT_DETECT) {
        detect_format(recording, line);
    }
    if (recording->format != IMPORT_DETECT) {
        import_formats[recording->format].read(recording, line);
    }
    recording->left_out.wrong += recording->list.count + recording->list.dropped > mistakes;
}

static void read_line(struct recording *recording, const char *text, size_t bytes, uint32_t number)
{
    char kept[IMPORT_MAX_LINE_BYTES + 1];
    char copy[IMPORT_MAX_LINE_BYTES + 1];
    struct import_line line = {.number = number, .text = kept, .end_column = 1};

    if (bytes > IMPORT_MAX_LINE_BYTES) {
        mistake_add(&recording->list, import_where(&line, 0),
                    "the line has more than %u bytes, the maximum", IMPORT_MAX_LINE_BYTES);
        recording->left_out.wrong++;
        return;
    }
    for (size_t i = 0; i < bytes; i++) {
        kept[i] = text[i] != '\0' ? text[i] : '?'; /* a NUL byte must not look like the end */
    }
    kept[bytes] = '\0';
    memcpy(copy, kept, bytes + 1);
    read_words(recording, &line, copy);
}

static void read_lines(struct recording *recording)
{
    const char *at = recording->text;
    const char *end = at + recording->bytes;

    for (uint32_t number = 1; at < end && !recording->is_over; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;

        read_line(recording, at, (size_t)(line_end - at), number);
        at = line_end + (newline != NULL);
    }
}

/* ---- The whole ---- */

static const char *list_files(struct recording *recording)
{
    const char *names = "";

    for (uint32_t i = 0; i < recording->file_count; i++) {
        names = mistake_part(&recording->list, "%s%s%s", names, i > 0 ? ", " : "",
                             mistake_quote(&recording->list, recording->files[i]));
    }
    return recording->more_files ? mistake_part(&recording->list, "%s and others", names) : names;
}

/* Mistakes that only show when all lines have been read. */
static void check_whole(struct recording *recording)
{
    const struct import_options *options = recording->options;

    if (options->file == NULL && (recording->file_count > 1 || recording->more_files)) {
        mistake_add(&recording->list, whole_file,
                    "there are requests of several files: choose one of %s with --file",
                    list_files(recording));
    } else if (options->file != NULL && recording->seen == 0 && recording->file_count > 0) {
        mistake_add(&recording->list, whole_file,
                    "there is no request of the file %s; the files are %s",
                    mistake_quote(&recording->list, options->file), list_files(recording));
    } else if (recording->request_count == 0 && recording->seen > 0 &&
               recording->seen < options->first) {
        mistake_add(&recording->list, whole_file,
                    "there are only %" PRIu64 " requests, fewer than --from=%" PRIu64,
                    recording->seen, options->first);
    } else if (recording->request_count == 0) {
        mistake_add(&recording->list, whole_file, "the recording has no request%s",
                    recording->left_out.empty > 0 ? " with at least one byte"
                    : recording->format != IMPORT_DETECT &&
                            import_formats[recording->format].action == 'Q'
                        ? " of that --action (default: Q)"
                        : "");
    }
}

static int compare_times(const void *a, const void *b)
{
    const struct import_request *x = a;
    const struct import_request *y = b;

    if (x->time_ns != y->time_ns) {
        return x->time_ns < y->time_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- Times ---- */

/* Divides exactly and without overflow. */
static int64_t speed_up(int64_t time_ns, uint64_t thousandths)
{
    uint64_t time = (uint64_t)time_ns;

    return (int64_t)(time / thousandths * 1000 + time % thousandths * 1000 / thousandths);
}

/* Takes the requests that come too late out. */
static void check_times(struct recording *recording)
{
    /* The product cannot overflow, because the factor is bounded. */
    uint64_t most = IMPORT_MAX_TIME_NS / 1000 * recording->options->speed_up;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < recording->request_count; i++) {
        struct import_request *request = &recording->requests[i];

        if ((uint64_t)request->time_ns > most) {
            mistake_add(&recording->list, request->where,
                        "the request comes later than %s, the latest time of a scenario",
                        quantity_time(IMPORT_MAX_TIME_NS).text);
            recording->left_out.wrong++;
        } else {
            recording->requests[kept++] = *request;
        }
    }
    recording->request_count = kept;
}

static void shift(struct recording *recording)
{
    int64_t first_ns = recording->request_count > 0 ? recording->requests[0].time_ns : 0;

    for (uint32_t i = 0; i < recording->request_count; i++) {
        recording->requests[i].time_ns -= first_ns;
    }
}

/*
 * In order, and at the wanted speed.  In a part of a recording, times count from its first request.
 */
static void arrange(struct recording *recording)
{
    const struct import_options *options = recording->options;

    if (recording->request_count > 1) {
        qsort(recording->requests, recording->request_count, sizeof(*recording->requests),
              compare_times);
    }
    if (options->start_at_first || import_formats[recording->format].is_absolute) {
        shift(recording);
    }
    check_times(recording);
    for (uint32_t i = 0; i < recording->request_count; i++) {
        recording->requests[i].time_ns =
            speed_up(recording->requests[i].time_ns, options->speed_up);
    }
    if (options->first > 1) {
        shift(recording);
    }
}

/* With --lenient, what is wrong with lines is shown and no mistake of the whole. */
static void check(struct recording *recording)
{
    struct mistake_list *list = &recording->list;
    bool forgives = recording->options->lenient && recording->request_count > 0;

    if (list->count == 0) {
        check_whole(recording);
    } else if (forgives) {
        struct mistakes wrong;

        mistakes_finish(list, &wrong);
        recording->wrong = mistakes_format(recording->options->path, &wrong);
        list->count = list->dropped = 0;
        check_whole(recording);
    }
    if (!forgives) {
        recording->left_out.wrong = 0;
    }
}

void recording_read(struct recording *recording, const struct import_options *options)
{
    *recording = (struct recording){.options = options, .format = options->format};
    recording->list.arena = arena_create((size_t)64 << 20);
    if (recording->list.arena == NULL) {
        arena_exhausted(ARENA_LEAST_BYTES);
    }
    import_load(recording);
    read_lines(recording);
    arrange(recording);
    check(recording);
    mistakes_finish(&recording->list, &recording->mistakes);
}

void recording_free(struct recording *recording)
{
    arena_destroy(recording->list.arena);
    free(recording->requests);
    free(recording->wrong);
    free(recording->text);
}
