/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line on stderr, if that is a terminal, that shows how far a long run has come and how long
 * it may still take.  It is cut to the width of the terminal, so that it stays one line.
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
    uint64_t next_ms; /* the earliest time of the next output */
};

/* Milliseconds, and microseconds, of a monotonic clock. */
uint64_t clock_ms(void);
uint64_t clock_us(void);

void progress_begin(struct progress *progress, uint64_t total);

/*
 * Shows, not too often, that `done` of `things` are done and `more` of `those`
 * have come of them, and then the note.
 */
void progress_show(struct progress *progress, uint64_t done, const char *things, uint64_t more,
                   const char *those, const char *note);

/* The same for work of unknown length, with any text. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Erases the line; to be called before anything else is written, and at the end. */
void progress_clear(struct progress *progress);

#endif
