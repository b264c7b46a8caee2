/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * write() and read() until all bytes have passed.
 */
#include "tools/run/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/base/support.h"

static bool write_all(int fd, const void *memory, size_t bytes)
{
    const char *at = memory;

    while (bytes > 0) {
        ssize_t sent = write(fd, at, bytes);

        if (sent < 0 && errno != EINTR) {
            return false;
        }
        at += sent > 0 ? sent : 0;
        bytes -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool read_all(int fd, void *memory, size_t bytes)
{
    char *at = memory;

    while (bytes > 0) {
        ssize_t got = read(fd, at, bytes);

        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool pipe_send(int fd, const void *record, size_t bytes)
{
    return write_all(fd, &bytes, sizeof(bytes)) && write_all(fd, record, bytes);
}

void *pipe_receive(int fd, size_t max, size_t *bytes)
{
    char *record;

    if (!read_all(fd, bytes, sizeof(*bytes)) || *bytes > max) {
        return NULL;
    }
    record = must_alloc(*bytes + 1);
    if (!read_all(fd, record, *bytes)) {
        free(record);
        return NULL;
    }
    return record;
}
