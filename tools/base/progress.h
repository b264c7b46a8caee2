/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line on a terminal's stderr that says how far a long run has come, and how long it may still
 * take.
 */
#ifndef MIRRORSIM_TOOLS_BASE_PROGRESS_H
#define MIRRORSIM_TOOLS_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on; /* stderr is a terminal */
    bool shown;
    uint64_t total;
    uint64_t start_ms;
    uint64_t next_ms; /* not before */
};

/* Milliseconds of a clock that never goes back. */
uint64_t clock_ms(void);

void progress_begin(struct progress *progress, uint64_t total);

/* Shows it, not too often: so many of these things are done, and so many of those have come of it.
 */
void progress_show(struct progress *progress, uint64_t done, const char *things, uint64_t more,
                   const char *those);

/* The same for work whose end is not known: any words. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the line away: before anything else is written, and at the end. */
void progress_clear(struct progress *progress);

#endif
