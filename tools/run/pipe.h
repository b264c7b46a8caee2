/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole pieces of memory through a pipe, whatever signals come between.
 */
#ifndef MIRRORSIM_TOOLS_RUN_PIPE_H
#define MIRRORSIM_TOOLS_RUN_PIPE_H

#include <stdbool.h>
#include <stddef.h>

/* False if nobody reads any more. */
bool pipe_send(int fd, const void *memory, size_t bytes);

/* False if the writer has come to its end before so much has come. */
bool pipe_receive(int fd, void *memory, size_t bytes);

#endif
