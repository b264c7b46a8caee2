/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records at the end of the file, then the head in one write.
 *
 * A record is its length, eight bytes, and its bytes.  The running checksum is kept, so that an
 * append costs no more than its own bytes.  Numbers have the machine's byte order: another machine
 * has another build.
 */
#include "tools/base/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tools/base/files.h"
#include "tools/base/program.h"
#include "tools/base/support.h"

struct head {
    char format[32];
    uint64_t program;
    uint64_t bytes; /* of the whole file, that count */
    uint64_t checksum;
};

struct journal {
    char *path;
    int fd;
    struct head head;
    XXH3_state_t *checksum; /* of all records */
};

static uint64_t checksum_of(const struct journal *journal)
{
    XXH3_state_t state;
    uint64_t records = XXH3_64bits_digest(journal->checksum);

    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, &journal->head, offsetof(struct head, checksum));
    XXH3_64bits_update(&state, &records, sizeof(records));
    return XXH3_64bits_digest(&state);
}

/* ---- Bytes ---- */

static bool read_at(int fd, void *memory, size_t bytes, uint64_t offset)
{
    char *at = memory;

    while (bytes > 0) {
        ssize_t got = pread(fd, at, bytes, (off_t)offset);

        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
        offset += got > 0 ? (uint64_t)got : 0;
    }
    return true;
}

static void write_at(const struct journal *journal, const void *memory, size_t bytes,
                     uint64_t offset)
{
    const char *at = memory;

    while (bytes > 0) {
        ssize_t put = pwrite(journal->fd, at, bytes, (off_t)offset);

        if (put < 0 && errno != EINTR) {
            die("%s: %s", journal->path, strerror(errno));
        }
        at += put > 0 ? put : 0;
        bytes -= put > 0 ? (size_t)put : 0;
        offset += put > 0 ? (uint64_t)put : 0;
    }
}

/* ---- Checking ---- */

/* Adds all bytes that count to the checksum; false if there are not so many. */
static bool add_up(struct journal *journal)
{
    char buf[65536];
    uint64_t at = sizeof(struct head);

    while (at < journal->head.bytes) {
        uint64_t left = journal->head.bytes - at;
        size_t now = left < sizeof(buf) ? (size_t)left : sizeof(buf);

        if (!read_at(journal->fd, buf, now, at)) {
            return false;
        }
        XXH3_64bits_update(journal->checksum, buf, now);
        at += now;
    }
    return true;
}

/* A checksum can't be right by accident, but a file can be made by hand. */
static bool is_divided(const struct journal *journal)
{
    struct journal_place place = {0};
    uint64_t end = sizeof(struct head);

    while (journal_next(journal, &place)) {
        end = place.offset + place.bytes;
    }
    return end == journal->head.bytes;
}

static char *check_head(struct journal *journal, const struct journal_spec *spec, uint64_t bytes)
{
    struct head *head = &journal->head;

    if (bytes == 0) {
        return must_strdup("it is empty");
    }
    if (bytes < sizeof(*head) || !read_at(journal->fd, head, sizeof(*head), 0) ||
        strncmp(head->format, spec->format, sizeof(head->format)) != 0) {
        return must_printf("it is not %s", spec->name);
    }
    if (head->program != program_hash()) {
        return must_strdup("it is of another build of mirrorsim");
    }
    if (head->bytes > bytes) {
        return must_strdup("it is damaged: its end is missing");
    }
    return NULL;
}

static char *check(struct journal *journal, const struct journal_spec *spec)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat status;
    char *why;

    if (fstat(journal->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return must_strdup("it is not a regular file");
    }
    if (fcntl(journal->fd, F_SETLK, &lock) != 0) {
        return must_strdup("another process is using it");
    }
    why = check_head(journal, spec, (uint64_t)status.st_size);
    if (why != NULL) {
        return why;
    }
    if (journal->head.bytes < sizeof(struct head) || !add_up(journal) ||
        checksum_of(journal) != journal->head.checksum || !is_divided(journal)) {
        return must_strdup("it is damaged: its checksum is wrong");
    }
    return NULL;
}

/* ---- Making a file ---- */

/* Puts a file of these records in place of what there is, and opens it. */
static void replace_file(struct journal *journal, const struct journal *from,
                         struct journal_place *places, uint64_t count)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct output output;

    XXH3_64bits_reset(journal->checksum);
    journal->head.bytes = sizeof(struct head);
    if (!output_open(&output, journal->path)) {
        die("%s: %s", journal->path, strerror(errno));
    }
    fwrite(&journal->head, sizeof(journal->head), 1, output.stream);
    for (uint64_t i = 0; i < count; i++) {
        void *record = journal_read(from, places[i]);

        fwrite(&places[i].bytes, sizeof(places[i].bytes), 1, output.stream);
        fwrite(record, 1, (size_t)places[i].bytes, output.stream);
        XXH3_64bits_update(journal->checksum, &places[i].bytes, sizeof(places[i].bytes));
        XXH3_64bits_update(journal->checksum, record, (size_t)places[i].bytes);
        free(record);
        places[i].offset = journal->head.bytes + sizeof(places[i].bytes);
        journal->head.bytes = places[i].offset + places[i].bytes;
    }
    journal->head.checksum = checksum_of(journal);
    rewind(output.stream);
    fwrite(&journal->head, sizeof(journal->head), 1, output.stream);
    if (!output_close(&output)) {
        die("%s: %s", journal->path, strerror(errno));
    }
    journal->fd = open(journal->path, O_RDWR | O_CLOEXEC);
    if (journal->fd < 0 || fcntl(journal->fd, F_SETLK, &lock) != 0) {
        die("%s: %s", journal->path, strerror(errno));
    }
}

void journal_compact(struct journal *journal, struct journal_place *places, uint64_t count)
{
    struct journal old = *journal;

    replace_file(journal, &old, places, count);
    close(old.fd);
}

/* ---- Records ---- */

bool journal_next(const struct journal *journal, struct journal_place *place)
{
    uint64_t at = place->offset > 0 ? place->offset + place->bytes : sizeof(struct head);
    uint64_t bytes;

    if (at > journal->head.bytes || journal->head.bytes - at < sizeof(bytes) ||
        !read_at(journal->fd, &bytes, sizeof(bytes), at)) {
        return false;
    }
    at += sizeof(bytes);
    if (bytes > journal->head.bytes - at) {
        return false;
    }
    *place = (struct journal_place){.offset = at, .bytes = bytes};
    return true;
}

void *journal_read(const struct journal *journal, struct journal_place place)
{
    char *record = must_alloc(place.bytes + 1);

    if (!read_at(journal->fd, record, (size_t)place.bytes, place.offset)) {
        die("%s: a part of it could not be read", journal->path);
    }
    return record;
}

struct journal_place journal_append(struct journal *journal, const void *record, size_t bytes)
{
    uint64_t length = bytes;
    struct journal_place place = {.offset = journal->head.bytes + sizeof(length), .bytes = bytes};

    write_at(journal, &length, sizeof(length), journal->head.bytes);
    write_at(journal, record, bytes, place.offset);
    XXH3_64bits_update(journal->checksum, &length, sizeof(length));
    XXH3_64bits_update(journal->checksum, record, bytes);
    journal->head.bytes = place.offset + bytes;
    journal->head.checksum = checksum_of(journal);
    write_at(journal, &journal->head, sizeof(journal->head), 0);
    return place;
}

uint64_t journal_bytes(const struct journal *journal)
{
    return journal->head.bytes;
}

/* ---- Life ---- */

struct journal *journal_open(const struct journal_spec *spec, char **why)
{
    struct journal *journal = must_alloc(sizeof(*journal));

    assert(strlen(spec->format) < sizeof(journal->head.format));
    *why = NULL;
    journal->path = must_strdup(spec->path);
    journal->checksum = XXH3_createState();
    if (journal->checksum == NULL) {
        die("out of memory");
    }
    XXH3_64bits_reset(journal->checksum);
    /* A pipe must not wait for its other end: it is refused once it is open. */
    journal->fd = open(spec->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (journal->fd < 0 && errno == ENOENT) {
        strcpy(journal->head.format, spec->format);
        journal->head.program = program_hash();
        replace_file(journal, NULL, NULL, 0);
        return journal;
    }
    *why = journal->fd < 0 ? must_strdup(strerror(errno)) : check(journal, spec);
    if (*why != NULL) {
        journal_close(journal);
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    XXH3_freeState(journal->checksum);
    free(journal->path);
    free(journal);
}
