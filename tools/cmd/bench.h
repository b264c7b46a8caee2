/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measuring: each figure several times, each time in its own process.
 */
#ifndef MIRRORSIM_TOOLS_CMD_BENCH_H
#define MIRRORSIM_TOOLS_CMD_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* The result of one measurement. */
struct bench_sample {
    uint64_t ns;         /* wall clock time of the measured part only */
    uint64_t count;      /* number of what the figure counts; or a size in bytes */
    uint64_t peak_bytes; /* largest resident set of the process; set by its parent */
};

/* How a sample becomes a figure. */
enum bench_unit {
    BENCH_PER_SECOND, /* count / ns */
    BENCH_NS_EACH,    /* ns / count */
    BENCH_SECONDS,    /* ns */
    BENCH_BYTES,      /* count */
};

struct bench_task;

struct bench_figure {
    const char *key;      /* in JSON */
    const char *title;    /* for people */
    const char *peak_key; /* also reports the largest resident set under this key; or NULL */
    const char *scenario; /* text of the scenario; NULL: the path of --scenarios */
    enum bench_unit unit;
    bool no_oracles;
    void (*measure)(const struct bench_task *task, struct bench_sample *sample);
    const char *ratio_to; /* also says how many times as costly it is as this figure, which comes
                             before it and is a rate as well; or NULL */
};

/* One figure to be measured. */
struct bench_task {
    const struct bench_figure *figure;
    const char *path; /* path of the shipped scenarios */
};

/* How many figures there are at most. */
#define BENCH_MAX_FIGURES 32

extern const struct bench_figure bench_figures[];
extern const uint32_t bench_figure_count;

#endif
