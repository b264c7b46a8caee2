/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A crew: several isolated children (isolate.h) at one kind of work.
 *
 *   crew_open -> crew_wait ... -> crew_close
 *
 * Whoever has a crew attends to the workers that have something to say: receives their records
 * and, at the end of a pipe, makes of it what it was (crew_leave, isolate_end), and starts
 * another in its place if there is work left.
 */
#ifndef MIRRORSIM_TOOLS_RUN_CREW_H
#define MIRRORSIM_TOOLS_RUN_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/run/isolate.h"
#include "tools/run/signals.h"

struct crew {
    uint32_t size;
    uint32_t alive; /* workers that have not come to their end */
    struct isolate *workers;
    struct pollfd *polls; /* one per worker, then the signals */
    struct signals signals;
    isolate_body *body;
    void *opaque; /* of the body, and of who attends */
};

/* Starts `size` workers that share a record of this size each with the parent. */
void crew_open(struct crew *crew, uint32_t size, size_t record_bytes, isolate_body *body,
               void *opaque);

/* Starts a worker in the place of one that has left. */
void crew_start(struct crew *crew, uint32_t number);

/* The worker has nothing more to say: it is not attended to any more. */
void crew_leave(struct crew *crew, uint32_t number);

/*
 * Waits until a worker or a signal comes, or for this time (-1: for ever), and lets attend()
 * receive one record of each worker that has something to say, until it returns false.  Returns
 * the number of the signal (signals.h), or 0.
 */
int crew_wait(struct crew *crew, int timeout_ms, bool (*attend)(void *opaque, uint32_t number));

/* Kills workers that are still there. */
void crew_close(struct crew *crew);

#endif
