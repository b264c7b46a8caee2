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

struct command_options {
    struct import_options import;
    const char *output; /* NULL: standard output */
};

static const struct argp_option option_list[] = {
    {0, 0, NULL, 0, "What to read:", 1},
    {"format", KEY_FORMAT, "fio|blkparse", 0,
     "`fio --write_iolog` version 3, or the text of blkparse (default: what the file looks like)",
     1},
    {"file", KEY_FILE, "NAME", 0,
     "Requests of this file (fio) or device (blkparse, like 8,0), if there are several", 1},
    {"action", KEY_ACTION, "Q|D|C", 0,
     "blkparse: a request is made when it is queued (Q, default), given to the device, complete",
     1},
    {"from", KEY_FROM, "N", 0, "From the Nth request on, which is then made at time 0", 1},
    {"count", KEY_COUNT, "N", 0, "So many requests; a scenario has room for 9900", 1},
    {0, 0, NULL, 0, "What to write:", 2},
    {"output", 'o', "FILE", 0, "Into this file (default: standard output)", 2},
    {"name", KEY_NAME, "NAME", 0, "The scenario's name (default: import- and the file's)", 2},
    {"speed-up", KEY_SPEED_UP, "FACTOR", 0, "Requests come so many times faster, like 10 or 0.5",
     2},
    {"size", KEY_SIZE, "SIZE", 0, "Of the disks (default: what the requests need, in whole MiB)",
     2},
    {"fill", KEY_FILL, "unique|zero", 0,
     "What the source holds (default: unique, and zero if it is larger than 1TiB)", 2},
    {"job", KEY_JOB, "KEYS", 0, "More keys of the job, like 'speed: 10MiB/s, granularity: 4KiB'",
     2},
    {0},
};

/* ---- Options ---- */

static uint64_t parse_count(const struct argp_state *state, const char *option, const char *arg)
{
    uint64_t number = option_number(state, option, arg);

    if (number == 0) {
        argp_error(state, "%s wants a number from 1 up, not '%s'", option, arg);
    }
    return number;
}

static uint64_t parse_size(const struct argp_state *state, const char *arg)
{
    uint64_t bytes = 0;

    if (!quantity_read_size(arg, &bytes) || bytes == 0 || bytes % SECTOR_BYTES != 0 ||
        bytes > IMPORT_MAX_DISK_BYTES) {
        argp_error(state, "--size wants a multiple of 512 up to 64TiB, like 64MiB, not '%s'", arg);
    }
    return bytes;
}

static uint64_t parse_speed_up(const struct argp_state *state, const char *arg)
{
    uint64_t thousandths = 0;

    if (!quantity_read_thousandths(arg, &thousandths) || thousandths == 0 ||
        thousandths > IMPORT_MAX_SPEED_UP * 1000) {
        argp_error(state, "--speed-up wants a factor from 0.001 to 10000, like 10, not '%s'", arg);
    }
    return thousandths;
}

/* The number of the word in a list that NULL ends. */
static int parse_word(const struct argp_state *state, const char *option, const char *const words[],
                      const char *arg)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], arg) == 0) {
            return i;
        }
    }
    argp_error(state, "%s does not know '%s'; see --help", option, arg);
    return 0;
}

static error_t parse_input(int key, char *arg, struct argp_state *state,
                           struct import_options *options)
{
    static const char *const formats[] = {"fio", "blkparse", NULL};
    static const char *const actions[] = {"Q", "D", "C", NULL};

    switch (key) {
    case KEY_FORMAT:
        options->format =
            (enum import_format)(IMPORT_FIO + parse_word(state, "--format", formats, arg));
        return 0;
    case KEY_FILE:
        options->file = arg;
        return 0;
    case KEY_ACTION:
        options->action = actions[parse_word(state, "--action", actions, arg)];
        return 0;
    case KEY_FROM:
        options->first = parse_count(state, "--from", arg);
        return 0;
    case KEY_COUNT:
        options->count = parse_count(state, "--count", arg);
        return 0;
    case ARGP_KEY_ARG:
        option_one_file(state, &options->path, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const fills[] = {"unique", "zero", NULL};
    struct command_options *options = state->input;

    switch (key) {
    case 'o':
        options->output = arg;
        return 0;
    case KEY_NAME:
        options->import.name = arg;
        return 0;
    case KEY_SPEED_UP:
        options->import.speed_up = parse_speed_up(state, arg);
        return 0;
    case KEY_SIZE:
        options->import.disk_bytes = parse_size(state, arg);
        return 0;
    case KEY_FILL:
        options->import.fill =
            (enum import_fill)(IMPORT_FILL_UNIQUE + parse_word(state, "--fill", fills, arg));
        return 0;
    case KEY_JOB:
        options->import.job_keys = arg;
        return 0;
    default:
        return parse_input(key, arg, state, &options->import);
    }
}

/* ---- The command ---- */

static void write_text(const struct command_options *options, const char *text)
{
    if (options->output == NULL) {
        fputs(text, stdout);
    } else if (!output_write(options->output, text)) {
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
        command_show_mistakes("scenario", mistakes);
    } else {
        show_counts(recording);
        write_text(options, text);
        code = EXIT_PASSED;
    }
    scenario_free(scenario);
    free(text);
    return code;
}

int cmd_import(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Makes a scenario of recorded I/O: a mirror that runs while the guest makes the "
               "recorded requests at the recorded times.\v"
               "Exit codes: 0 done, 2 wrong usage or an invalid file, 3 it could not be written.",
    };
    struct command_options options = {
        .import = {.action = "Q", .first = 1, .count = UINT64_MAX, .speed_up = 1000}};
    struct recording recording;
    int code = EXIT_USAGE;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    command_guard(options.output, options.import.path);
    recording_read(&recording, &options.import);
    if (recording.mistakes.count > 0) {
        command_show_mistakes(options.import.path, &recording.mistakes);
    } else {
        code = write_scenario(&options, &recording);
    }
    recording_free(&recording);
    return code;
}
