/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Line by line; the first mistake ends it.
 */
#include "sim/plan/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/errno_name.h"

#define HEAD "mirrorsim requests 1\n"
#define MAX_LINE_BYTES 128

/* One file while it is read. */
struct replay {
    struct arena *arena;
    struct generator_spec *spec;
    uint64_t end; /* of the disk */
    uint64_t line;
    uint32_t capacity;
    const char *why; /* the first thing that is wrong, or NULL */
};

static bool refuse(struct replay *replay, const char *why)
{
    replay->why = arena_printf(replay->arena, "line %" PRIu64 ": %s", replay->line, why);
    return false;
}

/* The next number of the line, and what is behind it; false if there is none. */
static bool take_number(char **at, uint64_t *number)
{
    char *start = *at + strspn(*at, " ");

    errno = 0;
    *number = strtoull(start, at, 10);
    return *start >= '0' && *start <= '9' && errno == 0 && *number <= INT64_MAX;
}

static bool take_op(char **at, enum op *op)
{
    static const enum op ops[] = {OP_READ, OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};
    char *word = *at + strspn(*at, " ");
    size_t length = strcspn(word, " \n");

    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        if (strlen(op_name(ops[i])) == length && strncmp(op_name(ops[i]), word, length) == 0) {
            *op = ops[i];
            *at = word + length;
            return true;
        }
    }
    return false;
}

static bool check(struct replay *replay, const struct replay_request *request)
{
    const struct generator_spec *spec = replay->spec;

    if (spec->replay_count > 0 && request->at_ns < spec->requests[spec->replay_count - 1].at_ns) {
        return refuse(replay, "times must not fall");
    }
    if (request->op == OP_FLUSH) {
        return request->offset == 0 && request->bytes == 0 ? true
                                                           : refuse(replay, "a flush has no range");
    }
    if (request->bytes == 0 || request->offset % SECTOR_BYTES != 0 ||
        request->bytes % SECTOR_BYTES != 0) {
        return refuse(replay, "a request is of whole sectors, and of at least one");
    }
    return request->bytes <= replay->end && request->offset <= replay->end - request->bytes
               ? true
               : refuse(replay, "it goes beyond the disk");
}

static void append(struct replay *replay, const struct replay_request *request)
{
    struct generator_spec *spec = replay->spec;

    if (spec->replay_count == replay->capacity) {
        uint32_t capacity = replay->capacity > 0 ? 2 * replay->capacity : 1024;
        struct replay_request *list = arena_alloc(replay->arena, capacity * sizeof(*list));

        if (spec->replay_count > 0) {
            memcpy(list, spec->requests, spec->replay_count * sizeof(*list));
        }
        arena_free(replay->arena, spec->requests, replay->capacity * sizeof(*spec->requests));
        spec->requests = list;
        replay->capacity = capacity;
    }
    spec->requests[spec->replay_count++] = *request;
}

static bool take_line(struct replay *replay, char *line)
{
    struct replay_request request;
    char *at = line;

    if (!take_number(&at, &request.at_ns) || !take_op(&at, &request.op) ||
        !take_number(&at, &request.offset) || !take_number(&at, &request.bytes) ||
        strcmp(at, "\n") != 0) {
        return refuse(replay, "NANOSECONDS OPERATION OFFSET BYTES is expected");
    }
    if (!check(replay, &request)) {
        return false;
    }
    append(replay, &request);
    return true;
}

static void read_lines(struct replay *replay, FILE *file)
{
    char line[MAX_LINE_BYTES];

    replay->line = 1;
    if (fgets(line, sizeof(line), file) == NULL || strcmp(line, HEAD) != 0) {
        refuse(replay, "it is no file of requests that `mirrorsim import` has written");
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        replay->line++;
        if (replay->spec->replay_count == UINT32_MAX / 2) {
            refuse(replay, "there are too many requests");
            return;
        }
        if (!take_line(replay, line)) {
            return;
        }
    }
    if (ferror(file)) {
        refuse(replay, "it can't be read");
    } else if (replay->spec->replay_count == 0) {
        refuse(replay, "there is no request");
    }
}

/* A pipe would wait for ever. */
static FILE *open_file(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return NULL;
    }
    return fopen(path, "re");
}

const char *replay_load(struct arena *arena, struct generator_spec *spec, uint64_t end)
{
    struct replay replay = {.arena = arena, .spec = spec, .end = end};
    FILE *file = open_file(spec->replay);

    if (file == NULL) {
        return errno == ENOENT             ? "there is no such file"
               : errno_name(errno) != NULL ? errno_name(errno)
                                           : "it can't be read";
    }
    read_lines(&replay, file);
    fclose(file);
    return replay.why;
}
