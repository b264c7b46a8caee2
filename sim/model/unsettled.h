/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failures of a job that have not been made good yet.
 *
 * A failed copy is made good when its range has been copied again: a failed
 * read by a read and a write, a failed write by a write, submitted after the failure.
 * A failed flush is made good by a flush.  Zeroes and discards, and what an active request writes,
 * need no read.
 */
#ifndef MIRRORSIM_SIM_MODEL_UNSETTLED_H
#define MIRRORSIM_SIM_MODEL_UNSETTLED_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

#define NO_FAULT UINT16_MAX

struct failure {
    struct event event;      /* the request's DONE */
    uint32_t after;          /* only requests with a greater number can make it good */
    uint16_t fault;          /* the fault that caused it, or NO_FAULT */
    bool reported;           /* the job has emitted an error event */
    struct image *unread;    /* part of its range still to be read; NULL for a flush */
    struct image *unwritten; /* still to be written; empty: made good; NULL for a flush */
};

/* All zero = none. */
struct unsettled {
    struct failure *list; /* in the order in which they happened */
    uint32_t count;
    uint32_t capacity;
};

/* A request of the job has failed; `after` is the number of the last request submitted so far. */
void unsettled_add(struct unsettled *unsettled, const struct evidence *evidence,
                   const struct event *event, uint32_t after, uint16_t fault);

/* A request of the job has succeeded: drops the failures that it makes good. */
void unsettled_succeeded(struct unsettled *unsettled, const struct event *event);

/* The first byte of the failure's range that has not been copied again. */
uint64_t failure_first_left(const struct failure *failure);

void unsettled_digest(const struct unsettled *unsettled, const struct evidence *evidence,
                      struct digest *digest);

/* Asserts the invariants. */
void unsettled_check(const struct unsettled *unsettled);

#endif
