/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim import: makes a scenario of I/O that fio or blktrace has recorded.
 *
 * What is written is loaded first, as any scenario: nothing invalid gets out.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "sim/scenario/scenario.h"
#include "tools/base/files.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/import/import.h"
#include "tools/run/load.h"

struct command_options {
    struct import_options import;
    const char *output; /* NULL: standard output */
};

/* ---- Options ---- */

static void take_size(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member)
{
    uint64_t bytes;

    (void)option;
    if (!quantity_read_size(arg, &bytes) || bytes == 0 || bytes % SECTOR_BYTES != 0 ||
        bytes > IMPORT_MAX_DISK_BYTES) {
        option_refuse(state, "--size wants a multiple of 512 up to 64TiB, like 64MiB, not '%s'",
                      arg);
    }
    *(uint64_t *)member = bytes;
}

static void take_speed_up(const struct argp_state *state, const struct option_row *option,
                          const char *arg, void *member)
{
    uint64_t thousandths;

    (void)option;
    if (!quantity_read_thousandths(arg, &thousandths) || thousandths == 0 ||
        thousandths > IMPORT_MAX_SPEED_UP * 1000) {
        option_refuse(state, "--speed-up wants a factor from 0.001 to 10000, like 10, not '%s'",
                      arg);
    }
    *(uint64_t *)member = thousandths;
}

#define AT(member) offsetof(struct command_options, member)

static const char *const formats[] = {"fio", "blkparse", NULL};
static const char *const actions[] = {"Q", "D", "C", NULL};
static const char *const fills[] = {"unique", "zero", NULL};

static const struct option_row options_of_import[] = {
    {.shown = {0, 0, NULL, 0, "What to read:", 1}},
    {{"format", 0, "fio|blkparse", 0,
      "`fio --write_iolog` version 3, or the text of blkparse (default: detected from the file)",
      1},
     INTO(WORD, import.format),
     .words = formats,
     .value = IMPORT_FIO},
    {{"file", 0, "NAME", 0,
      "Only requests of this file (fio) or device (blkparse, like 8,0); needed if there are "
      "several",
      1},
     INTO(TEXT, import.file)},
    {{"action", 0, "Q|D|C", 0,
      "blkparse: a request is made when it is queued (Q, default), issued (D) or completed (C)", 1},
     INTO(CHOICE, import.action),
     .words = actions},
    {{"from", 0, "N", 0, "Start with the Nth request, which is then made at time 0", 1},
     INTO(ORDINAL, import.first)},
    {{"count", 0, "N", 0, "Number of requests; a scenario has room for 9900", 1},
     INTO(ORDINAL, import.count)},
    {.shown = {0, 0, NULL, 0, "What to write:", 2}},
    {{"output", 'o', "FILE", 0, "Write into this file (default: standard output)", 2},
     INTO(TEXT, output)},
    {{"name", 0, "NAME", 0, "The scenario's name (default: import- and the file's)", 2},
     INTO(TEXT, import.name)},
    {{"speed-up", 0, "FACTOR", 0, "Make requests faster by this factor, like 10 or 0.5", 2},
     INTO(OTHER, import.speed_up),
     .take = take_speed_up},
    {{"size", 0, "SIZE", 0, "Size of the disks (default: what the requests need, in whole MiB)", 2},
     INTO(OTHER, import.disk_bytes),
     .take = take_size},
    {{"fill", 0, "unique|zero", 0,
      "What the source holds (default: unique, and zero if it is larger than 1TiB)", 2},
     INTO(WORD, import.fill),
     .words = fills,
     .value = IMPORT_FILL_UNIQUE},
    {{"job", 0, "KEYS", 0, "More keys of the job, like 'speed: 10MiB/s, granularity: 4KiB'", 2},
     INTO(TEXT, import.job_keys)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_import,
    .args = "FILE",
    .take = option_take_file,
    .member = AT(import.path),
    .missing = "which file?",
    .doc = "Makes a scenario from recorded I/O: a mirror that runs while the guest makes the "
           "recorded requests at the recorded times.\vExit codes: 0 done, 2 wrong usage or an "
           "invalid file, 3 it could not be written."};

/* ---- The command ---- */

static void write_text(const struct command_options *options, const char *text)
{
    if (options->output == NULL) {
        fputs(text, stdout);
    } else if (!output_write(options->output, text, true)) {
        die("-o %s: %s", options->output, strerror(errno));
    }
}

static void show_counts(const struct recording *recording)
{
    char *left_out = import_left_out_text(recording);

    fprintf(stderr, "mirrorsim import: %" PRIu32 " requests%s%s\n", recording->request_count,
            *left_out != '\0' ? "; left out: " : "", left_out);
    free(left_out);
}

/* Only --name and --job can make it invalid. */
static int write_scenario(const struct command_options *options, const struct recording *recording)
{
    size_t bytes;
    char *text = import_scenario(recording, &bytes);
    struct scenario *scenario = scenario_load_text("scenario", text, bytes);
    const struct mistakes *mistakes = scenario_mistakes(scenario);
    int code = EXIT_USAGE;

    if (mistakes->count > 0) {
        fputs("mirrorsim import: the scenario would be invalid:\n", stderr);
        load_show_mistakes("scenario", mistakes);
    } else {
        show_counts(recording);
        write_text(options, text);
        code = EXIT_PASSED;
    }
    scenario_free(scenario);
    free(text);
    return code;
}

static int run_import(int argc, char **argv)
{
    struct command_options options = {
        .import = {.action = "Q", .first = 1, .count = UINT64_MAX, .speed_up = 1000}};
    struct recording recording;
    int code = EXIT_USAGE;

    options_parse(&table, argc, argv, &options);
    load_guard_output(options.output, options.import.path, true);
    recording_read(&recording, &options.import);
    if (recording.mistakes.count > 0) {
        load_show_mistakes(options.import.path, &recording.mistakes);
    } else {
        code = write_scenario(&options, &recording);
    }
    recording_free(&recording);
    return code;
}

const struct command command_import = {
    "import", "make a scenario from I/O recorded by fio or blktrace", &table, run_import};
