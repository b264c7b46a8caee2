/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recordings with commas: a table says which column has what, in which unit.
 *
 *   MSR Cambridge  TICKS,HOST,DISK,Read|Write,OFFSET,BYTES,TICKS    ticks of 100 ns; the latency
 *   Alibaba        DEVICE,R|W,OFFSET,BYTES,MICROSECONDS
 *   Tencent        SECONDS,SECTOR,SECTORS,0|1,VOLUME                0 = read
 *   SPC            ASU,SECTOR,BYTES,r|w,SECONDS
 *   csv            any columns: named by a line at the start (libCacheSim's have one), or by
 *                  --layout, like "time/ms, offset/sectors, -, bytes, op"
 *
 * Declared in tools/import/import.h: the formats with commas.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tools/import/import.h"

#define NS_PER_TICK UINT64_C(100)

/* What a column may hold. */
enum column { COLUMN_NONE, TIME, OFFSET, LENGTH, OP, LATENCY, DISK, DISK_PART, COLUMNS };

/* For each kind: the column from 1 on, or 0 = there is none, and how much one of its units is. */
struct layout {
    uint32_t at[COLUMNS];
    uint64_t unit[COLUMNS];
    bool is_absolute; /* times of the calendar */
    bool reads_are_0; /* operations are numbers: else 0 means a write */
    const char *expected;
};

static const struct layout msr = {
    .at = {[TIME] = 1,
           [DISK] = 2,
           [DISK_PART] = 3,
           [OP] = 4,
           [OFFSET] = 5,
           [LENGTH] = 6,
           [LATENCY] = 7},
    .unit = {[TIME] = NS_PER_TICK, [OFFSET] = 1, [LENGTH] = 1, [LATENCY] = NS_PER_TICK},
    .is_absolute = true,
    .expected = "TIMESTAMP,HOST,DISK,Read|Write,OFFSET,SIZE,RESPONSETIME"};
static const struct layout alibaba = {
    .at = {[DISK] = 1, [OP] = 2, [OFFSET] = 3, [LENGTH] = 4, [TIME] = 5},
    .unit = {[TIME] = NS_PER_US, [OFFSET] = 1, [LENGTH] = 1},
    .is_absolute = true,
    .expected = "DEVICE,R|W,OFFSET,LENGTH,TIMESTAMP"};
static const struct layout tencent = {
    .at = {[TIME] = 1, [OFFSET] = 2, [LENGTH] = 3, [OP] = 4, [DISK] = 5},
    .unit = {[TIME] = NS_PER_SECOND, [OFFSET] = SECTOR_BYTES, [LENGTH] = SECTOR_BYTES},
    .is_absolute = true,
    .reads_are_0 = true,
    .expected = "TIMESTAMP,OFFSET,SIZE,0|1,VOLUME"};
static const struct layout spc = {
    .at = {[DISK] = 1, [OFFSET] = 2, [LENGTH] = 3, [OP] = 4, [TIME] = 5},
    .unit = {[TIME] = NS_PER_SECOND, [OFFSET] = SECTOR_BYTES, [LENGTH] = 1},
    .expected = "ASU,LBA,SIZE,r|w,SECONDS"};

/* ---- Fields ---- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '"';
}

/* Makes words of what stands between commas, without the blanks and quotes around it. */
static void split(const struct import_line *line, char copy[IMPORT_MAX_LINE_BYTES + 1],
                  struct import_line *fields)
{
    uint32_t start = 0;

    *fields = (struct import_line){
        .number = line->number, .text = line->text, .end_column = line->end_column};
    strcpy(copy, line->text);
    for (uint32_t at = 0;; at++) {
        bool ends = copy[at] == '\0';
        uint32_t end = at;

        if (!ends && copy[at] != ',') {
            continue;
        }
        copy[at] = '\0';
        while (is_blank(copy[start])) {
            start++;
        }
        while (end > start && is_blank(copy[end - 1])) {
            copy[--end] = '\0';
        }
        if (fields->word_count < IMPORT_MAX_WORDS) {
            fields->words[fields->word_count++] =
                (struct import_word){copy + start, start + 1, start};
        }
        start = at + 1;
        if (ends) {
            return;
        }
    }
}

/* ---- A line ---- */

static bool read_op(struct recording *recording, const struct import_line *fields,
                    const struct layout *layout, enum op *op)
{
    const char *word = layout->at[OP] > 0 ? fields->words[layout->at[OP] - 1].text : "read";

    switch (tolower((unsigned char)word[0])) {
    case 'r':
    case 'g': /* libCacheSim: get */
        *op = OP_READ;
        return true;
    case 'w':
    case 's': /* set */
        *op = OP_WRITE;
        return true;
    case 'd':
    case 't':
        *op = OP_DISCARD;
        return true;
    case 'f':
        *op = OP_FLUSH;
        return true;
    case '0':
    case '1':
        *op = (word[0] == '0') == layout->reads_are_0 ? OP_READ : OP_WRITE;
        return true;
    default:
        mistake_add(&recording->list, import_where(fields, layout->at[OP] - 1),
                    "a kind of request is expected, like R or Write, not %s",
                    mistake_quote(&recording->list, word));
        return false;
    }
}

/* A number of the column's units; 0 if there is no such column. */
static bool read_units(struct recording *recording, const struct import_line *fields,
                       const struct layout *layout, enum column column, const char *what,
                       uint64_t *value)
{
    uint64_t number = 0;

    if (layout->at[column] > 0 &&
        !import_number(recording, fields, layout->at[column] - 1, what, &number)) {
        return false;
    }
    *value = (uint64_t)import_ns(number, layout->unit[column]);
    return true;
}

static bool read_time(struct recording *recording, const struct import_line *fields,
                      const struct layout *layout, int64_t *time_ns)
{
    uint64_t number;

    if (layout->at[TIME] == 0) {
        *time_ns = 0;
        return true;
    }
    if (!layout->is_absolute) {
        return import_time(recording, fields, layout->at[TIME] - 1, "time", layout->unit[TIME],
                           time_ns);
    }
    if (!import_number(recording, fields, layout->at[TIME] - 1, "time", &number)) {
        return false;
    }
    *time_ns = import_since_first(recording, number, layout->unit[TIME]);
    return true;
}

static void add(struct recording *recording, const struct import_line *fields,
                const struct layout *layout, const struct import_request *request)
{
    char disk[2 * IMPORT_MAX_LINE_BYTES] = "disk";

    if (layout->at[DISK_PART] > 0) {
        snprintf(disk, sizeof(disk), "%s.%s", fields->words[layout->at[DISK] - 1].text,
                 fields->words[layout->at[DISK_PART] - 1].text);
    } else if (layout->at[DISK] > 0) {
        snprintf(disk, sizeof(disk), "%s", fields->words[layout->at[DISK] - 1].text);
    }
    import_add(recording, fields, layout->at[OFFSET] - 1, disk, request);
}

/* How many columns there must be. */
static uint32_t last_column(const struct layout *layout)
{
    uint32_t last = 0;

    for (int i = 0; i < COLUMNS; i++) {
        last = layout->at[i] > last ? layout->at[i] : last;
    }
    return last;
}

static bool is_header(const struct import_line *fields)
{
    return fields->number == 1 && isalpha((unsigned char)fields->words[0].text[0]);
}

static void read_line(struct recording *recording, const struct import_line *line,
                      const struct layout *layout)
{
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    char copy[IMPORT_MAX_LINE_BYTES + 1];
    struct import_line fields;

    split(line, copy, &fields);
    if (fields.word_count < last_column(layout)) {
        mistake_add(&recording->list, import_where(&fields, fields.word_count),
                    "the line ends too soon: %s is expected", layout->expected);
        return;
    }
    if (!read_time(recording, &fields, layout, &request.time_ns) ||
        !read_op(recording, &fields, layout, &request.op) ||
        !read_units(recording, &fields, layout, OFFSET, "offset", &request.offset) ||
        !read_units(recording, &fields, layout, LENGTH, "length", &request.bytes)) {
        return;
    }
    if (layout->at[LATENCY] > 0 &&
        !read_units(recording, &fields, layout, LATENCY, "latency", &request.latency_ns)) {
        return;
    }
    if (layout->at[LENGTH] == 0) {
        request.bytes = SECTOR_BYTES;
    }
    add(recording, &fields, layout, &request);
}

/* ---- Known layouts ---- */

/* A letter for each field: n a number, f one with a fraction, w another word. */
static void shape_of(const struct import_line *line, char shape[IMPORT_MAX_WORDS + 1])
{
    char copy[IMPORT_MAX_LINE_BYTES + 1];
    struct import_line fields;

    split(line, copy, &fields);
    for (uint32_t i = 0; i < fields.word_count; i++) {
        const char *word = fields.words[i].text;
        bool is_number = *word != '\0' && word[strspn(word, "0123456789.")] == '\0';

        shape[i] = !is_number ? 'w' : strchr(word, '.') != NULL ? 'f' : 'n';
    }
    shape[fields.word_count] = '\0';
}

static bool has_shape(const struct import_line *line, const char *expected)
{
    char shape[IMPORT_MAX_WORDS + 1];

    shape_of(line, shape);
    return strcmp(shape, expected) == 0;
}

bool import_is_msr(const struct import_line *line)
{
    return has_shape(line, "nwnwnnn") ||
           strncasecmp(line->text, "Timestamp,Hostname", strlen("Timestamp,Hostname")) == 0;
}

bool import_is_alibaba(const struct import_line *line)
{
    return has_shape(line, "nwnnn") || strncmp(line->text, "device_id,", strlen("device_id,")) == 0;
}

bool import_is_tencent(const struct import_line *line)
{
    return has_shape(line, "nnnnn");
}

bool import_is_spc(const struct import_line *line)
{
    return has_shape(line, "nnnwf") || has_shape(line, "nnnwn");
}

static void read_known(struct recording *recording, const struct import_line *line,
                       const struct layout *layout)
{
    if (line->number > 1 || !isalpha((unsigned char)line->words[0].text[0])) {
        read_line(recording, line, layout);
    }
}

void import_msr_line(struct recording *recording, const struct import_line *line)
{
    read_known(recording, line, &msr);
}

void import_alibaba_line(struct recording *recording, const struct import_line *line)
{
    read_known(recording, line, &alibaba);
}

void import_tencent_line(struct recording *recording, const struct import_line *line)
{
    read_known(recording, line, &tencent);
}

void import_spc_line(struct recording *recording, const struct import_line *line)
{
    read_known(recording, line, &spc);
}

/* ---- Named columns ---- */

/* What a column may be called, and its unit unless the name says one. */
static const struct name {
    const char *name;
    enum column column;
    uint64_t unit;
} names[] = {
    {"time", TIME, NS_PER_SECOND},
    {"timestamp", TIME, NS_PER_SECOND},
    {"ts", TIME, NS_PER_SECOND},
    {"real_time", TIME, NS_PER_SECOND},
    {"clock_time", TIME, NS_PER_SECOND},
    {"offset", OFFSET, 1},
    {"lba", OFFSET, SECTOR_BYTES},
    {"lbn", OFFSET, SECTOR_BYTES},
    {"sector", OFFSET, SECTOR_BYTES},
    {"object", OFFSET, SECTOR_BYTES},
    {"obj_id", OFFSET, SECTOR_BYTES},
    {"id", OFFSET, SECTOR_BYTES},
    {"size", LENGTH, 1},
    {"bytes", LENGTH, 1},
    {"len", LENGTH, 1},
    {"length", LENGTH, 1},
    {"obj_size", LENGTH, 1},
    {"sectors", LENGTH, SECTOR_BYTES},
    {"op", OP, 1},
    {"opcode", OP, 1},
    {"type", OP, 1},
    {"latency", LATENCY, NS_PER_MS},
    {"device", DISK, 1},
    {"disk", DISK, 1},
    {"volume", DISK, 1},
};

static const struct {
    const char *name;
    uint64_t unit;
} units[] = {{"s", NS_PER_SECOND}, {"ms", NS_PER_MS},         {"us", NS_PER_US}, {"ns", 1},
             {"bytes", 1},         {"sectors", SECTOR_BYTES}, {"4KiB", 4096}};

/* NAME or NAME/UNIT; a leading # is no part of it. */
static bool name_column(struct layout *layout, const char *word, uint32_t at)
{
    size_t length = strcspn(word += *word == '#' || *word == ' ', "/");
    const char *unit = word[length] == '/' ? word + length + 1 : NULL;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        enum column column = names[i].column;

        if (strlen(names[i].name) != length || strncasecmp(names[i].name, word, length) != 0) {
            continue;
        }
        layout->at[column] = at;
        layout->unit[column] = names[i].unit;
        for (size_t j = 0; unit != NULL && j < COUNT_OF(units); j++) {
            if (strcmp(units[j].name, unit) == 0) {
                layout->unit[column] = units[j].unit;
                return true;
            }
        }
        return unit == NULL;
    }
    return false;
}

/* The columns that a line names; those with other names don't matter in a file, and - in an
 * option. */
static struct layout name_columns(const struct import_line *fields, const char **unknown)
{
    struct layout layout = {.expected = "a field for each column"};

    *unknown = NULL;
    for (uint32_t i = 0; i < fields->word_count; i++) {
        const char *word = fields->words[i].text;

        if (!name_column(&layout, word + strspn(word, "# "), i + 1) && strcmp(word, "-") != 0) {
            *unknown = word;
        }
    }
    return layout;
}

bool import_is_csv(const struct import_line *line)
{
    char copy[IMPORT_MAX_LINE_BYTES + 1];
    struct import_line fields;
    struct layout layout;
    const char *unknown;

    split(line, copy, &fields);
    layout = name_columns(&fields, &unknown);
    return fields.word_count > 1 && layout.at[OFFSET] > 0 &&
           (layout.at[LENGTH] > 0 || layout.at[TIME] > 0);
}

static void keep_layout(struct recording *recording, const struct import_line *line,
                        const struct layout *layout)
{
    struct layout *kept = arena_alloc(recording->list.arena, sizeof(*kept));

    *kept = *layout;
    recording->layout = kept;
    if (layout->at[OFFSET] == 0) {
        mistake_add(&recording->list, import_where(line, 0),
                    "no column is named offset: say with --layout what they are, like \"time/ms, "
                    "offset/sectors, bytes, op\"");
        recording->is_over = true;
    }
}

/* --layout, or the line itself if it has names.  True if the line has been taken. */
static bool find_layout(struct recording *recording, const struct import_line *line)
{
    const char *given = recording->options->layout;
    const struct import_line option = {.number = line->number, .text = given};
    char copy[IMPORT_MAX_LINE_BYTES + 1];
    struct import_line fields;
    struct layout layout;
    const char *unknown;

    if (given != NULL && strlen(given) > IMPORT_MAX_LINE_BYTES) {
        given = NULL;
    }
    split(given != NULL ? &option : line, copy, &fields);
    layout = name_columns(&fields, &unknown);
    if (given != NULL && unknown != NULL) {
        mistake_add(&recording->list, (struct where){0, 0},
                    "--layout: %s is no column: there are time, offset, sector, bytes, sectors, "
                    "op, latency, disk and -, with units like time/ms or offset/sectors",
                    mistake_quote(&recording->list, unknown));
        recording->is_over = true;
        return true;
    }
    keep_layout(recording, line, &layout);
    split(line, copy, &fields);
    return given == NULL || is_header(&fields) || line->text[0] == '#';
}

void import_csv_line(struct recording *recording, const struct import_line *line)
{
    if (recording->layout == NULL && find_layout(recording, line)) {
        return;
    }
    if (line->text[0] != '#') {
        read_line(recording, line, recording->layout);
    }
}
