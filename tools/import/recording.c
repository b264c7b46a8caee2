/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a recording: the file, its lines and words, and the requests in them.
 *
 * Declared in tools/import/import.h: the first step of an import.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/import/import.h"

static const struct where whole_file = {0, 0};

/* ---- Words ---- */

struct where import_where(const struct import_line *line, uint32_t word)
{
    return (struct where){line->number,
                          word < line->word_count ? line->words[word].column : line->end_column};
}

bool import_number(struct recording *recording, const struct import_line *line, uint32_t word,
                   const char *what, uint64_t *number)
{
    if (word >= line->word_count) {
        mistake_add(&recording->list, import_where(line, word),
                    "the line ends too soon: the %s is missing", what);
        return false;
    }
    if (!number_parse(line->words[word].text, number) || *number > INT64_MAX) {
        mistake_add(&recording->list, import_where(line, word),
                    "the %s must be a whole number below 2^63, not %s", what,
                    mistake_quote(&recording->list, line->words[word].text));
        return false;
    }
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/*
 * Splits `text` into words. Columns count characters: every byte that is not a
 * UTF-8 continuation byte.
 */
static void split(char *text, struct import_line *line)
{
    bool in_word = false;

    line->word_count = 0;
    line->end_column = 1;
    for (; *text != '\0'; text++) {
        bool blank = is_blank(*text);

        if (blank) {
            *text = '\0';
        } else if (!in_word && line->word_count < IMPORT_MAX_WORDS) {
            line->words[line->word_count++] = (struct import_word){text, line->end_column};
        }
        in_word = !blank;
        line->end_column += ((unsigned char)*text & 0xc0) != 0x80;
    }
}

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

    /* The product cannot overflow, because the factor is bounded. */
    if (request->time_ns > IMPORT_MAX_TIME_NS / 1000 * recording->options->speed_up) {
        return mistake_part(&recording->list,
                            "the request comes later than %s, the latest time of a scenario",
                            quantity_time(IMPORT_MAX_TIME_NS).text);
    }
    if (request->op == OP_FLUSH) {
        return NULL;
    }
    if (request->bytes == 0) {
        return "a request must have at least one byte";
    }
    if (request->bytes > most || request->offset > most - request->bytes) {
        return mistake_part(&recording->list, "the request goes beyond the end of %s, at %s",
                            disk_bytes > 0 ? "the disk (--size)" : "any disk",
                            quantity_bytes(most).text);
    }
    return NULL;
}

/* Divides exactly and without overflow. */
static uint64_t speed_up(uint64_t time_ns, uint64_t thousandths)
{
    return time_ns / thousandths * 1000 + time_ns % thousandths * 1000 / thousandths;
}

static void append(struct recording *recording, const struct import_request *request)
{
    struct import_request *last = &recording->requests[recording->request_count];

    *last = *request;
    last->time_ns = speed_up(request->time_ns, recording->options->speed_up);
    last->order = recording->request_count++;
    recording->is_over = recording->request_count == recording->options->count;
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
    mistake = request_mistake(recording, request);
    if (mistake != NULL) {
        mistake_add(&recording->list, import_where(line, word), "%s", mistake);
        return false;
    }
    if (recording->request_count == IMPORT_MAX_REQUESTS) {
        mistake_add(&recording->list, import_where(line, 0),
                    "more than %u requests are too many for a scenario: take a part of them with "
                    "--from and --count",
                    IMPORT_MAX_REQUESTS);
        recording->is_over = true;
        return false;
    }
    append(recording, request);
    return true;
}

/* ---- Lines ---- */

static void detect_format(struct recording *recording, const struct import_line *line)
{
    if (import_looks_like_fio(line)) {
        recording->format = IMPORT_FIO;
    } else if (import_looks_like_blkparse(line) || strcmp(line->words[0].text, "Input") == 0) {
        recording->format = IMPORT_BLKPARSE;
    } else {
        mistake_add(&recording->list, import_where(line, 0),
                    "the format of the recording is unknown: an iolog of fio begins with \"fio "
                    "version 3 iolog\", the text of blkparse with a line like \"8,0 3 1 "
                    "0.000012345 697 Q W 223490 + 8 [name]\"; choose one with --format");
        recording->is_over = true;
    }
}

static void read_line(struct recording *recording, const char *text, size_t bytes, uint32_t number)
{
    struct import_line line = {.number = number, .end_column = 1};
    char copy[IMPORT_MAX_LINE_BYTES + 1];

    if (bytes > IMPORT_MAX_LINE_BYTES) {
        mistake_add(&recording->list, import_where(&line, 0),
                    "the line has more than %u bytes, the maximum", IMPORT_MAX_LINE_BYTES);
        return;
    }
    for (size_t i = 0; i < bytes; i++) {
        copy[i] = text[i];
        if (text[i] == '\0') {
            copy[i] = '?'; /* a NUL byte must not look like the end */
        }
    }
    copy[bytes] = '\0';
    split(copy, &line);
    if (line.word_count == 0) {
        return;
    }
    if (recording->format == IMPORT_DETECT) {
        detect_format(recording, &line);
    }
    if (recording->format == IMPORT_FIO) {
        import_fio_line(recording, &line);
    } else if (recording->format == IMPORT_BLKPARSE) {
        import_blkparse_line(recording, &line);
    }
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

static void load(struct recording *recording)
{
    FILE *file;

    recording->text = must_alloc(IMPORT_MAX_BYTES + 1);
    errno = 0;
    file = fopen(recording->options->path, "re");
    if (file != NULL) {
        recording->bytes = fread(recording->text, 1, IMPORT_MAX_BYTES + 1, file);
    }
    if (file == NULL || ferror(file)) {
        mistake_add(&recording->list, whole_file, "%s", strerror(errno));
        recording->bytes = 0;
    } else if (recording->bytes > IMPORT_MAX_BYTES) {
        mistake_add(&recording->list, whole_file,
                    "the file has more than %" PRIu64
                    " MiB, the maximum: import a part of it, for instance what `head` gives",
                    IMPORT_MAX_BYTES >> 20);
        recording->bytes = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    recording->list.text = recording->text;
    recording->list.bytes = recording->bytes;
}

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

    if (options->file == NULL && recording->file_count > 1) {
        mistake_add(&recording->list, whole_file,
                    "there are requests of several files: choose one of %s with --file",
                    list_files(recording));
    } else if (options->file != NULL && recording->seen == 0 && recording->file_count > 0) {
        mistake_add(&recording->list, whole_file,
                    "there is no request of the file %s; the files are %s",
                    mistake_quote(&recording->list, options->file), list_files(recording));
    } else if (recording->request_count == 0 && recording->seen > 0) {
        mistake_add(&recording->list, whole_file,
                    "there are only %" PRIu64 " requests, fewer than --from=%" PRIu64,
                    recording->seen, options->first);
    } else if (recording->request_count == 0) {
        mistake_add(&recording->list, whole_file, "the recording has no request%s",
                    recording->format == IMPORT_BLKPARSE ? " of that --action (default: Q)" : "");
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

void recording_read(struct recording *recording, const struct import_options *options)
{
    *recording = (struct recording){.options = options, .format = options->format};
    recording->list.arena = arena_create((size_t)64 << 20);
    if (recording->list.arena == NULL) {
        arena_exhausted(ARENA_LEAST_BYTES);
    }
    recording->requests = must_alloc(IMPORT_MAX_REQUESTS * sizeof(*recording->requests));
    load(recording);
    read_lines(recording);
    if (recording->list.count == 0) {
        check_whole(recording);
    }
    qsort(recording->requests, recording->request_count, sizeof(*recording->requests),
          compare_times);
    mistakes_finish(&recording->list, &recording->mistakes);
}

void recording_free(struct recording *recording)
{
    arena_destroy(recording->list.arena);
    free(recording->requests);
    free(recording->text);
}
