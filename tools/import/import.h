/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns recorded I/O of a real system into a scenario.
 *
 *   recording_read -> import_scenario -> recording_free
 *
 * recording_read() splits the file into lines and words; the reader for its
 * format (fio.c, blkparse.c) makes requests from them; import_scenario() writes
 * these in the scenario language.  A recording is untrusted input: all sizes
 * are bounded, and everything wrong is reported as a mistake with its place.
 */
#ifndef MIRRORSIM_TOOLS_IMPORT_IMPORT_H
#define MIRRORSIM_TOOLS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/event.h"
#include "sim/yaml/mistakes.h"

#define IMPORT_MAX_BYTES (UINT64_C(64) << 20)
#define IMPORT_MAX_LINE_BYTES 4096u
#define IMPORT_MAX_WORDS 12u
#define IMPORT_MAX_FILES 8u       /* the most files that a message names */
#define IMPORT_MAX_REQUESTS 9900u /* each uses ten of the 100,000 YAML nodes of a scenario */
/* Bounds of the scenario language: disk sizes and, with an hour to spare, times. */
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
    /* Only requests of this file or device; NULL: the recording must have only one. */
    const char *file;
    const char *action;  /* for blkparse: the action at which a request counts as made */
    uint64_t first;      /* ordinal of the first request to take, from 1 */
    uint64_t count;      /* number of requests to take */
    uint64_t speed_up;   /* factor in thousandths */
    uint64_t disk_bytes; /* 0: as large as the requests need */
    enum import_fill fill;
    const char *job_keys; /* more keys for the job, or NULL */
    const char *name;     /* name of the scenario, or NULL */
};

struct import_request {
    uint64_t time_ns; /* since the start of the recording, at the wanted speed */
    uint32_t order;   /* its position in the recording */
    enum op op;       /* READ, WRITE, DISCARD or FLUSH */
    uint64_t offset;
    uint64_t bytes;
};

/* Numbers of what was left out, by reason. */
struct import_left_out {
    uint64_t by_file;   /* requests of other files */
    uint64_t by_part;   /* requests before --from */
    uint64_t by_action; /* lines that are not requests */
    uint64_t fua;       /* writes with forced unit access, taken as plain writes */
};

struct recording {
    const struct import_options *options;
    enum import_format format;
    char *text;
    size_t bytes;
    struct import_request *requests; /* ascending in time */
    uint32_t request_count;
    const char *files[IMPORT_MAX_FILES]; /* files that requests name */
    uint32_t file_count;
    bool more_files;
    uint64_t seen; /* requests of the wanted file so far */
    bool is_over;  /* the rest of the file is not read */
    struct import_left_out left_out;
    struct mistake_list list;
    struct mistakes mistakes;
};

/*
 * Reads the file.  A recording without mistakes has at least one request.
 * Exits only if there is no memory.
 */
void recording_read(struct recording *recording, const struct import_options *options);
void recording_free(struct recording *recording);

/* The scenario's text; the caller frees it. */
char *import_scenario(const struct recording *recording, size_t *bytes);

/*
 * What was left out, like "12 requests of other files, 3 lines of other kinds";
 * the caller frees it.
 */
char *import_left_out_text(const struct recording *recording);

/* ---- For the readers of formats ---- */

struct import_word {
    const char *text;
    uint32_t column;
};

/* A line's words, separated by blanks; those beyond IMPORT_MAX_WORDS are ignored. */
struct import_line {
    uint32_t number;
    uint32_t word_count;
    uint32_t end_column;
    struct import_word words[IMPORT_MAX_WORDS];
};

/* The place of a word, or of the line's end if it has fewer words. */
struct where import_where(const struct import_line *line, uint32_t word);

/* The word as a number below 2^63; false if it is not one, after noting the mistake. */
bool import_number(struct recording *recording, const struct import_line *line, uint32_t word,
                   const char *what, uint64_t *number);

/*
 * Adds a request of `file`; false if it is left out. Mistakes about its range
 * are reported at `word`.
 */
bool import_add(struct recording *recording, const struct import_line *line, uint32_t word,
                const char *file, const struct import_request *request);

void import_fio_line(struct recording *recording, const struct import_line *line);
void import_blkparse_line(struct recording *recording, const struct import_line *line);

/* True if a file with this line near its start seems to have the format. */
bool import_looks_like_fio(const struct import_line *line);
bool import_looks_like_blkparse(const struct import_line *line);

#endif
