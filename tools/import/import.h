/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded I/O of a real system, on its way to a scenario.
 *
 *   recording_read -> import_scenario -> recording_free
 *
 * recording_read() cuts the file into lines and words; a reader for its format
 * (import_fio.c, import_blkparse.c) makes requests of them; import_scenario()
 * writes those down in the scenario language.  A recording is hostile until it
 * has been read: all sizes are bounded, and all that is wrong is a mistake with
 * its place.
 */
#ifndef MIRRORSIM_TOOLS_IMPORT_IMPORT_H
#define MIRRORSIM_TOOLS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/event.h"
#include "sim/scenario/mistakes.h"

#define IMPORT_MAX_BYTES (UINT64_C(64) << 20)
#define IMPORT_MAX_LINE_BYTES 4096u
#define IMPORT_MAX_WORDS 12u
#define IMPORT_MAX_FILES 8u       /* that are named in a message */
#define IMPORT_MAX_REQUESTS 9900u /* each takes ten of a scenario's 100,000 YAML nodes */
/* What a scenario may say: its disks' sizes, and, with an hour to spare, its times. */
#define IMPORT_MAX_DISK_BYTES (UINT64_C(64) << 40)
#define IMPORT_MAX_TIME_NS UINT64_C(900000000000000)
#define IMPORT_MAX_SPEED_UP UINT64_C(10000)

enum import_format {
    IMPORT_DETECT,
    IMPORT_FIO,
    IMPORT_BLKPARSE,
};

enum import_fill {
    IMPORT_FILL_BY_SIZE,
    IMPORT_FILL_UNIQUE,
    IMPORT_FILL_ZERO,
};

struct import_options {
    const char *path;
    enum import_format format;
    const char *file;    /* only requests of this file, or device; NULL: there must be one */
    const char *action;  /* of blkparse: when a request counts as made */
    uint64_t first;      /* the first request that is taken, from 1 */
    uint64_t count;      /* how many are taken */
    uint64_t speed_up;   /* in thousandths */
    uint64_t disk_bytes; /* 0: what the requests need */
    enum import_fill fill;
    const char *job_keys; /* further keys of the job, or NULL */
    const char *name;     /* of the scenario, or NULL */
};

struct import_request {
    uint64_t time_ns; /* since the recording's beginning, in the speed that is wanted */
    uint32_t order;   /* in the recording */
    enum op op;       /* READ, WRITE, DISCARD or FLUSH */
    uint64_t offset;
    uint64_t bytes;
};

/* What is left out, by reason. */
struct import_left_out {
    uint64_t by_file;   /* requests of other files */
    uint64_t by_part;   /* requests before --from */
    uint64_t by_action; /* lines that are no request */
    uint64_t fua;       /* writes that were to be durable at once, and are taken as plain ones */
};

struct recording {
    const struct import_options *options;
    enum import_format format;
    char *text;
    size_t bytes;
    struct import_request *requests; /* ascending in time */
    uint32_t request_count;
    const char *files[IMPORT_MAX_FILES]; /* of requests */
    uint32_t file_count;
    bool more_files;
    uint64_t seen; /* requests of the file */
    bool is_over;  /* nothing after this line is to be read */
    struct import_left_out left_out;
    struct mistake_list list;
    struct mistakes mistakes;
};

/*
 * Reads the file.  If the recording's mistakes are none, it has at least one
 * request.  Exits only if there is no memory.
 */
void recording_read(struct recording *recording, const struct import_options *options);
void recording_free(struct recording *recording);

/* The scenario's text; the caller frees it. */
char *import_scenario(const struct recording *recording, size_t *bytes);

/* What was left out, as in "12 requests of other files, 3 lines of other kinds"; the caller frees
 * it. */
char *import_left_out_text(const struct recording *recording);

/* ---- For the readers of formats ---- */

struct import_word {
    const char *text;
    uint32_t column;
};

/* Words are separated by blanks; what is beyond IMPORT_MAX_WORDS is not there. */
struct import_line {
    uint32_t number;
    uint32_t word_count;
    uint32_t end_column;
    struct import_word words[IMPORT_MAX_WORDS];
};

/* The place of a word, or of the line's end if it has not so many. */
struct where import_where(const struct import_line *line, uint32_t word);

/* The word as a number below 2^63; false after noting the mistake. */
bool import_number(struct recording *recording, const struct import_line *line, uint32_t word,
                   const char *what, uint64_t *number);

/* Takes a request of a file, or leaves it out: false; its range is at `word`. */
bool import_add(struct recording *recording, const struct import_line *line, uint32_t word,
                const char *file, const struct import_request *request);

void import_fio_line(struct recording *recording, const struct import_line *line);
void import_blkparse_line(struct recording *recording, const struct import_line *line);

/* Does a file that has this among its first lines seem to be of the format? */
bool import_looks_like_fio(const struct import_line *line);
bool import_looks_like_blkparse(const struct import_line *line);

#endif
