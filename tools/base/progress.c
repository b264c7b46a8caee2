/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The progress line.
 */
#include "tools/base/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/base/terminal.h"

#define FIRST_AFTER_MS 300
#define PERIOD_MS 100

uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

void progress_begin(struct progress *progress, uint64_t total)
{
    uint64_t now_ms = clock_ms();

    *progress = (struct progress){.on = isatty(STDERR_FILENO) == 1,
                                  .total = total,
                                  .start_ms = now_ms,
                                  .next_ms = now_ms + FIRST_AFTER_MS};
}

/* True if it is time to show something. */
static bool is_due(struct progress *progress)
{
    uint64_t now_ms = progress->on ? clock_ms() : 0;

    if (!progress->on || now_ms < progress->next_ms) {
        return false;
    }
    fflush(stdout);
    progress->shown = true;
    progress->next_ms = now_ms + PERIOD_MS;
    return true;
}

/* The last column stays free: some terminals go to the next line after it. */
static void put_line(const char *text)
{
    unsigned columns = terminal_columns(stderr);
    size_t bytes = columns > 1 ? terminal_fit(text, columns - 1) : strlen(text);

    fprintf(stderr, "\r\033[K%.*s", (int)bytes, text);
}

void progress_show(struct progress *progress, uint64_t done, const char *things, uint64_t more,
                   const char *those, const char *note)
{
    char left[40] = "";
    char *text;

    if (!is_due(progress)) {
        return;
    }
    if (done > 0) {
        uint64_t left_ms = (clock_ms() - progress->start_ms) * (progress->total - done) / done;

        snprintf(left, sizeof(left), ", about %" PRIu64 " s left", left_ms / 1000);
    }
    text = must_printf("%" PRIu64 " of %" PRIu64 " %s, %" PRIu64 " %s%s%s", done, progress->total,
                       things, more, those, left, note);
    put_line(text);
    free(text);
}

void progress_say(struct progress *progress, const char *format, ...)
{
    char text[200];
    va_list args;

    if (!is_due(progress)) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put_line(text);
}

void progress_clear(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        progress->shown = false;
    }
}
