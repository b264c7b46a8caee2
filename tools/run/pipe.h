/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole records through a pipe: a length, then as many bytes.
 *
 * A record arrives whole or not at all: when the writer dies in the middle of one, the
 * reader sees the end of the pipe.  Signals in between make no difference.
 */
#ifndef MIRRORSIM_TOOLS_RUN_PIPE_H
#define MIRRORSIM_TOOLS_RUN_PIPE_H

#include <stdbool.h>
#include <stddef.h>

/* Async-signal-safe.  False if nobody reads any more. */
bool pipe_send(int fd, const void *record, size_t bytes);

/*
 * The next record, with a zero byte behind it, to be freed by the caller; *bytes is its length.
 * NULL at the end of the pipe, and for a record of more than `max` bytes: that is no record
 * of ours.
 */
void *pipe_receive(int fd, size_t max, size_t *bytes);

#endif
