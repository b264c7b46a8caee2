/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim bench: measures performance; each figure is the median of several
 * measurements.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/support.h"
#include "tools/cmd/bench.h"
#include "tools/cmd/command.h"
#include "tools/run/isolate.h"

#define MAX_REPEATS 99

struct bench_options {
    uint32_t repeats;
    const char *path;
    bool json;
};

#define AT(member) offsetof(struct bench_options, member)

static const struct option_row options_of_bench[] = {
    {{"repeats", 0, "N", 0, "Measurements of each figure (default 5)", 0},
     INTO(COUNT, repeats),
     .max = MAX_REPEATS},
    {{"scenarios", 0, "PATH", 0, "The shipped scenarios (default: scenarios)", 0},
     INTO(TEXT, path)},
    {{"json", 0, NULL, 0, "Write the figures as JSON", 0}, INTO(FLAG, json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_bench,
    .doc = "Measures speed, memory and the size of a world's state.\vA small run is a mirror of 1 "
           "MiB at 64 KiB granularity with a buffer of 64 KiB, to its completion, with oracles and "
           "verdict; its plan is made once.  A trace event is a line of `mirrorsim trace`; a "
           "timeline event is one step of a world: everything caused by one completion, timer or "
           "step of the story."};

/* ---- Measuring ---- */

static void measure_in_child(void *opaque, void *record, int results)
{
    const struct bench_task *task = opaque;

    (void)results;
    task->figure->measure(task, record);
}

static struct bench_sample measure_once(struct bench_task *task)
{
    struct bench_sample sample;
    struct isolate_death death;
    struct isolate isolate;

    isolate_open(&isolate, sizeof(sample));
    isolate_start(&isolate, measure_in_child, task);
    death = isolate_end(&isolate);
    sample = *(struct bench_sample *)isolate.record;
    sample.peak_bytes = death.peak_bytes;
    if (death.cause != CAUSE_EXIT || death.number != EXIT_PASSED) {
        die("measuring %s failed\n%s", task->figure->key, death.words);
    }
    free(death.words);
    isolate_close(&isolate);
    return sample;
}

static double figure_value(const struct bench_figure *figure, const struct bench_sample *sample)
{
    double ns = (double)sample->ns;
    double number = (double)sample->count;

    switch (figure->unit) {
    case BENCH_PER_SECOND:
        return number * 1e9 / ns;
    case BENCH_NS_EACH:
        return ns / number;
    case BENCH_SECONDS:
        return ns / 1e9;
    case BENCH_BYTES:
        break;
    }
    return number;
}

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

struct figure_result {
    double median;
    double peak_bytes; /* the largest */
};

static struct figure_result measure(const struct bench_options *options,
                                    const struct bench_figure *figure)
{
    struct bench_task task = {figure, options->path};
    struct figure_result result = {0};
    double values[MAX_REPEATS];

    for (uint32_t i = 0; i < options->repeats; i++) {
        struct bench_sample sample = measure_once(&task);

        values[i] = figure_value(figure, &sample);
        if ((double)sample.peak_bytes > result.peak_bytes) {
            result.peak_bytes = (double)sample.peak_bytes;
        }
    }
    qsort(values, options->repeats, sizeof(values[0]), compare_values);
    result.median = values[options->repeats / 2];
    return result;
}

/* ---- Reporting ---- */

static const struct {
    const char *name;
    bool whole; /* print without decimals */
} units[] = {
    [BENCH_PER_SECOND] = {"/s", true},
    [BENCH_NS_EACH] = {"ns", true},
    [BENCH_SECONDS] = {"s", false},
    [BENCH_BYTES] = {"bytes", true},
};

static void set_value(json_t *figures, const char *key, double value, bool whole)
{
    json_object_set_new(figures, key, whole ? json_integer((json_int_t)value) : json_real(value));
}

/* How many times as costly the figure is as the one that it is compared with: KEY_ratio. */
static void report_ratio(const struct bench_options *options, const struct bench_figure *figure,
                         const double medians[], json_t *figures)
{
    uint32_t other = 0;
    double ratio;
    char key[64];

    while (strcmp(bench_figures[other].key, figure->ratio_to) != 0) {
        other++;
    }
    ratio = medians[other] / medians[figure - bench_figures];
    snprintf(key, sizeof(key), "%s_ratio", figure->key);
    set_value(figures, key, ratio, false);
    if (!options->json) {
        printf("%12.2f %-5s  times the cost of %s\n", ratio, "", bench_figures[other].title);
    }
}

static void report(const struct bench_options *options, const struct bench_figure *figure,
                   double medians[], json_t *figures)
{
    struct figure_result result = measure(options, figure);
    bool whole = units[figure->unit].whole;

    medians[figure - bench_figures] = result.median;
    set_value(figures, figure->key, result.median, whole);
    if (figure->peak_key != NULL) {
        set_value(figures, figure->peak_key, result.peak_bytes, true);
    }
    if (!options->json) {
        printf("%12.*f %-5s  %s\n", whole ? 0 : 3, result.median, units[figure->unit].name,
               figure->title);
        if (figure->peak_key != NULL) {
            printf("%12.0f %-5s  its largest resident set\n", result.peak_bytes, "bytes");
        }
    }
    if (figure->ratio_to != NULL) {
        report_ratio(options, figure, medians, figures);
    }
}

static int run_bench(int argc, char **argv)
{
    struct bench_options options = {.repeats = 5, .path = "scenarios"};
    double medians[BENCH_MAX_FIGURES] = {0};
    json_t *figures;

    assert(bench_figure_count <= BENCH_MAX_FIGURES);
    options_parse(&table, argc, argv, &options);
    figures = json_pack("{s:s, s:s, s:I}", "mirrorsim", MIRRORSIM_VERSION, "compiler",
                        MIRRORSIM_COMPILER, "repeats", (json_int_t)options.repeats);
    for (uint32_t i = 0; i < bench_figure_count; i++) {
        if (bench_figures[i].scenario != NULL || access(options.path, R_OK) == 0) {
            report(&options, &bench_figures[i], medians, figures);
        }
    }
    if (options.json) {
        json_dumpf(figures, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        putchar('\n');
    }
    json_decref(figures);
    return EXIT_PASSED;
}

const struct command command_bench = {"bench", "measure speed and memory", &table, run_bench};
