/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns recorded I/O of a real system into a scenario.
 *
 *   recording_read -> import_scenario -> recording_free
 *
 * recording_read() splits the file into lines and words; the reader for its
 * format (format.c has the table) makes requests from them; import_scenario() writes
 * these in the scenario language.  A recording is untrusted input: all sizes
 * are bounded, and everything wrong is reported as a mistake with its place.
 */
#ifndef MIRRORSIM_TOOLS_IMPORT_IMPORT_H
#define MIRRORSIM_TOOLS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/event.h"
#include "sim/yaml/mistakes.h"

#define IMPORT_MAX_BYTES                                                    \
    (sizeof(size_t) >= 8 ? UINT64_C(4) << 30 : UINT64_C(512) << 20) /* text \
                                                                     */
#define IMPORT_MAX_LINE_BYTES 4096u
#define IMPORT_MAX_WORDS 64u
#define IMPORT_MAX_FILES 8u /* the most files that a message names */
#define IMPORT_MAX_INLINE \
    9900u /* requests: each uses ten of the 100,000 YAML nodes of a scenario */
/* Bounds of the scenario language: disk sizes and, with an hour to spare, times. */
#define IMPORT_MAX_DISK_BYTES (UINT64_C(64) << 40)
#define IMPORT_MAX_TIME_NS UINT64_C(900000000000000)
#define IMPORT_MAX_SPEED_UP UINT64_C(10000)

/* The rows of import_formats; IMPORT_DETECT stands for one of them. */
enum import_format_id {
    IMPORT_DETECT,
    IMPORT_FIO,
    IMPORT_BLKPARSE,
    IMPORT_FTRACE,
    IMPORT_BIOSNOOP,
    IMPORT_MSR,
    IMPORT_ALIBABA,
    IMPORT_TENCENT,
    IMPORT_SPC,
    IMPORT_CSV,
    IMPORT_FIU,
    IMPORT_MQSIM,
    IMPORT_DISKSIM,
    IMPORT_FORMATS
};

/* Their names for --format, in this order, without IMPORT_DETECT; NULL ends them. */
extern const char *const import_format_names[];

enum import_fill {
    IMPORT_FILL_BY_SIZE,
    IMPORT_FILL_UNIQUE,
    IMPORT_FILL_ZERO,
};

struct import_options {
    const char *path;
    enum import_format_id format;
    const char *layout; /* of blkparse -f, or of a CSV file's columns; NULL: the usual one */
    /* Only requests of this file or device; NULL: the recording must have only one. */
    const char *file;
    const char *action;  /* of the kernel: at which a request counts as made; NULL: the format's */
    bool start_at_first; /* the first request is made at time 0 */
    bool lenient;        /* lines that are wrong are left out, too */
    bool wants_latency;  /* for a profile: completions are read, too */
    uint64_t first;      /* ordinal of the first request to take, from 1 */
    uint64_t count;      /* number of requests to take */
    uint64_t speed_up;   /* factor in thousandths */
    uint64_t disk_bytes; /* 0: as large as the requests need */
    enum import_fill fill;
    const char *job_keys; /* more keys for the job, or NULL */
    const char *name;     /* name of the scenario, or NULL */
};

#define IMPORT_NO_LATENCY UINT64_MAX

struct import_request {
    int64_t time_ns;     /* since the start of the recording; below 0 only while it is read */
    uint64_t latency_ns; /* until it was completed, if the recording says so */
    uint32_t order;      /* its position in the recording */
    enum op op;          /* READ, WRITE, WRITE_ZEROES, DISCARD or FLUSH */
    uint64_t offset;
    uint64_t bytes;
    struct where where;
};

/* Numbers of what was left out, by reason. */
struct import_left_out {
    uint64_t by_file;   /* requests of other files */
    uint64_t by_part;   /* requests before --from */
    uint64_t by_action; /* lines that are not requests */
    uint64_t empty;     /* requests of no bytes */
    uint64_t fua;       /* writes with forced unit access, taken as plain writes */
    uint64_t wrong;     /* lines, with --lenient */
};

struct recording {
    const struct import_options *options;
    enum import_format_id format;
    uint32_t version; /* of the format, where it has several */
    char *text;
    size_t bytes;
    struct import_request *requests; /* ascending in time */
    uint32_t request_count;
    uint32_t request_capacity;
    const char *files[IMPORT_MAX_FILES]; /* files that requests name */
    uint32_t file_count;
    bool more_files;
    uint64_t seen; /* requests of the wanted file so far */
    bool is_over;  /* the rest of the file is not read */
    bool has_base;
    uint64_t base;      /* of import_since_first() */
    int64_t clock_ns;   /* of a format that only says how time passes */
    const void *layout; /* its reader's own, in list.arena */
    uint64_t widened;   /* requests that did not consist of whole sectors */
    struct import_left_out left_out;
    struct mistake_list list;
    struct mistakes mistakes;
    char *wrong; /* with --lenient: what is wrong with the lines left out, as text; or NULL */
};

/*
 * Reads the file.  A recording without mistakes has at least one request.
 * Exits only if there is no memory.
 */
void recording_read(struct recording *recording, const struct import_options *options);
void recording_free(struct recording *recording);

/*
 * The scenario's text; the caller frees it.  `replay` is the file that import_requests() is written
 * to, relative to the scenario, or NULL: then the requests stand in the scenario.
 */
char *import_scenario(const struct recording *recording, const char *replay, size_t *bytes);

/* The requests, as the `replay` of a scenario has them. */
void import_write_requests(const struct recording *recording, FILE *out);

/*
 * How long the requests have taken, as the `latency` of a disk.  Returns of how many requests the
 * recording says it.
 */
uint64_t import_write_profile(const struct recording *recording, FILE *out);

/*
 * What was left out or changed, like "12 requests of other files, 3 lines of other kinds";
 * the caller frees it.
 */
char *import_left_out_text(const struct recording *recording);

/* ---- For the readers of formats ---- */

struct import_word {
    const char *text;
    uint32_t column;
    uint32_t offset; /* in the line's text */
};

/* A line's words, separated by blanks; those beyond IMPORT_MAX_WORDS are ignored. */
struct import_line {
    uint32_t number;
    const char *text; /* the whole line */
    uint32_t word_count;
    uint32_t end_column;
    struct import_word words[IMPORT_MAX_WORDS];
};

/* Splits a copy of the line into its words. */
void import_split(struct import_line *line, char *copy);

/* Reads the text of the file; notes a mistake if that is impossible. */
void import_load(struct recording *recording);

/* The place of a word, or of the line's end if it has fewer words. */
struct where import_where(const struct import_line *line, uint32_t word);

/* The word as a number below 2^63; false if it is not one, after noting the mistake. */
bool import_number(struct recording *recording, const struct import_line *line, uint32_t word,
                   const char *what, uint64_t *number);

/*
 * A time like 12.345 in a unit of so many nanoseconds; digits below a nanosecond are dropped, and
 * what is too late for a number is INT64_MAX.  False after noting the mistake.
 */
bool import_time(struct recording *recording, const struct import_line *line, uint32_t word,
                 const char *what, uint64_t unit_ns, int64_t *time_ns);

/* The product, or INT64_MAX. */
int64_t import_ns(uint64_t count, uint64_t unit_ns);

/* For times of the calendar: how much later than that of the first request. */
int64_t import_since_first(struct recording *recording, uint64_t count, uint64_t unit_ns);

/*
 * Adds a request of `file`, whose range is in bytes; false if it is left out.  A range that does
 * not consist of whole sectors is widened.  Mistakes about it are reported at `word`.
 */
bool import_add(struct recording *recording, const struct import_line *line, uint32_t word,
                const char *file, const struct import_request *request);

/* The newest request there, as yet without a latency, was completed at that time. */
void import_complete(struct recording *recording, const char *file, uint64_t offset,
                     int64_t time_ns);

/* A place and a length in sectors: false, after noting the mistake, if one is no number. */
bool import_sectors(struct recording *recording, const struct import_line *line, uint32_t offset,
                    uint32_t length, struct import_request *request);

/* The letters by which the kernel says what a request does. */
struct import_kind {
    bool is_known;
    bool flush_before;
    bool is_durable;
    enum op op;
};

struct import_kind import_read_kind(const char *rwbs);

/* Adds a request of the kernel; one with a flush before it becomes two. */
void import_add_kind(struct recording *recording, const struct import_line *line, uint32_t word,
                     const char *device, const struct import_kind *kind,
                     struct import_request request);

/* True for "8,0". */
bool import_is_device(const char *word);

/* The action that is wanted: Q, D or C. */
char import_action(const struct recording *recording);

/* A line of a format, and whether a file that begins with this line seems to have it. */
typedef void import_reader(struct recording *recording, const struct import_line *line);
typedef bool import_recogniser(const struct import_line *line);

struct import_format {
    const char *recorder; /* in sentences: "recorded by ..." */
    import_recogniser *recognise;
    import_reader *read;
    bool is_absolute; /* its times are of the calendar: the first request is made at 0 */
    char action;      /* the usual one, if it has actions */
};

extern const struct import_format import_formats[IMPORT_FORMATS];

import_reader import_fio_line, import_blkparse_line, import_ftrace_line, import_biosnoop_line,
    import_msr_line, import_alibaba_line, import_tencent_line, import_spc_line, import_csv_line,
    import_fiu_line, import_mqsim_line, import_disksim_line;
import_recogniser import_is_fio, import_is_blkparse, import_is_ftrace, import_is_biosnoop,
    import_is_msr, import_is_alibaba, import_is_tencent, import_is_spc, import_is_csv,
    import_is_fiu, import_is_mqsim, import_is_disksim;

/* A line of `blkparse -f` in the format of options->layout. */
import_reader import_blkparse_fields_line;

#endif
