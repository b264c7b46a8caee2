/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim import: makes a scenario of I/O that some other program has recorded.
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
#include <unistd.h>

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
    const char *replay; /* file for the requests, or NULL */
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

static const char *const actions[] = {"Q", "D", "C", NULL};
static const char *const fills[] = {"unique", "zero", NULL};

static const struct option_row options_of_import[] = {
    {.shown = {0, 0, NULL, 0, "What to read:", 1}},
    {{"format", 0, "NAME", 0,
      "fio, blkparse, ftrace, biosnoop, msr, alibaba, tencent, spc, csv, fiu, mqsim or disksim "
      "(default: detected from the file)",
      1},
     INTO(WORD, import.format),
     .words = import_format_names,
     .value = IMPORT_FIO},
    {{"layout", 0, "TEXT", 0,
      "blkparse: the format that its -f had, like '%T.%t %a %d %S %n'; csv: what the columns are, "
      "like 'time/ms,offset/sectors,bytes,op'",
      1},
     INTO(TEXT, import.layout)},
    {{"file", 0, "NAME", 0,
      "Only requests of this file (fio) or device (blkparse, like 8,0); needed if there are "
      "several",
      1},
     INTO(TEXT, import.file)},
    {{"action", 0, "Q|D|C", 0,
      "blkparse, ftrace, biosnoop: a request is made when it is queued (Q, default of blkparse), "
      "issued (D, default of the others) or completed (C)",
      1},
     INTO(CHOICE, import.action),
     .words = actions},
    {{"from", 0, "N", 0, "Start with the Nth request, which is then made at time 0", 1},
     INTO(ORDINAL, import.first)},
    {{"take", 0, "N", 0, "Number of requests", 1}, INTO(ORDINAL, import.count)},
    {{"count", 0, NULL, OPTION_ALIAS, NULL, 1}, INTO(ORDINAL, import.count)},
    {{"start-at-first", 0, NULL, 0,
      "The first request is made at time 0 (default: only if times are of the calendar)", 1},
     INTO(FLAG, import.start_at_first)},
    {{"lenient", 0, NULL, 0, "Leave lines that are wrong out, after naming them", 1},
     INTO(FLAG, import.lenient)},
    {.shown = {0, 0, NULL, 0, "What to write:", 2}},
    {{"output", 'o', "FILE", 0, "Write into this file (default: standard output)", 2},
     INTO(TEXT, output)},
    {{"replay", 0, "FILE", 0,
      "Write the requests into this file, which the scenario names (default if there are more "
      "than 9900: -o's with .requests)",
      2},
     INTO(TEXT, replay)},
    {{"profile", 0, NULL, 0,
      "Instead of a scenario: how long the device has taken, by operation and size, as the "
      "`latency` of a disk; for recordings with completions (blkparse, ftrace, biosnoop, msr, csv)",
      2},
     INTO(FLAG, import.wants_latency)},
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

    if (recording->wrong != NULL) {
        fputs(recording->wrong, stderr);
    }
    fprintf(stderr, "mirrorsim import: %" PRIu32 " request%s%s%s", recording->request_count,
            recording->request_count == 1 ? "" : "s", *left_out != '\0' ? "; left out: " : "",
            left_out);
    if (recording->widened > 0) {
        fprintf(stderr, "; widened to whole sectors: %" PRIu64, recording->widened);
    }
    fputc('\n', stderr);
    free(left_out);
}

/* ---- A file for the requests ---- */

/* Only the rest of the path if the file is in the scenario's folder or below it. */
static char *relative(const char *file, const char *scenario)
{
    const char *slash = scenario != NULL ? strrchr(scenario, '/') : NULL;
    size_t folder = slash != NULL ? (size_t)(slash + 1 - scenario) : 0;
    char *real;

    if (*file != '/' && folder == 0) {
        return must_strdup(file);
    }
    if (folder > 0 && strncmp(file, scenario, folder) == 0) {
        return must_strdup(file + folder);
    }
    real = realpath(file, NULL);
    return real != NULL ? real : must_strdup(file);
}

/* NAME.requests beside NAME.yaml. */
static char *default_replay(const char *output)
{
    const char *dot = strrchr(output, '.');
    const char *slash = strrchr(output, '/');
    bool has_ending = dot != NULL && (slash == NULL || dot > slash);

    return must_printf("%.*s.requests", has_ending ? (int)(dot - output) : (int)strlen(output),
                       output);
}

/* The file that the requests go to; NULL: they stand in the scenario. */
static char *choose_replay(const struct command_options *options, const struct recording *recording)
{
    if (options->replay != NULL) {
        return must_strdup(options->replay);
    }
    if (recording->request_count <= IMPORT_MAX_INLINE) {
        return NULL;
    }
    if (options->output == NULL) {
        fprintf(stderr,
                "mirrorsim import: more than %u requests are too many for a scenario: take a part "
                "of them with --from and --take, or let them have a file of their own with "
                "--replay FILE or -o NAME.yaml\n",
                IMPORT_MAX_INLINE);
        exit(EXIT_USAGE);
    }
    return default_replay(options->output);
}

static void write_requests(const struct recording *recording, const char *path)
{
    struct output output;

    if (!output_open(&output, path)) {
        die("%s: %s", path, strerror(errno));
    }
    import_write_requests(recording, output.stream);
    if (!output_close(&output)) {
        die("%s: %s", path, strerror(errno));
    }
}

/* ---- The scenario ---- */

/* Where the scenario will stand: what it names is relative to that. */
static const char *place(const struct command_options *options)
{
    return options->output != NULL ? options->output : "scenario";
}

/* Only --name and --job can make it invalid.  Its requests are written first: it is checked with
 * them. */
static int write_scenario(const struct command_options *options, const struct recording *recording)
{
    size_t bytes;
    char *replay = choose_replay(options, recording);
    char *name = replay != NULL ? relative(replay, options->output) : NULL;
    char *text = import_scenario(recording, name, &bytes);
    struct scenario *scenario;
    const struct mistakes *mistakes;
    int code = EXIT_USAGE;

    if (replay != NULL) {
        load_guard_output(replay, options->import.path, true);
        write_requests(recording, replay);
    }
    scenario = scenario_load_text(place(options), text, bytes);
    mistakes = scenario_mistakes(scenario);
    if (mistakes->count > 0) {
        fputs("mirrorsim import: the scenario would be invalid:\n", stderr);
        load_show_mistakes("scenario", mistakes);
        if (replay != NULL) {
            unlink(replay);
        }
    } else {
        show_counts(recording);
        write_text(options, text);
        code = EXIT_PASSED;
    }
    scenario_free(scenario);
    free(text);
    free(name);
    free(replay);
    return code;
}

static int write_profile(const struct command_options *options, const struct recording *recording)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = must_memstream(&text, &bytes);
    uint64_t known = import_write_profile(recording, out);

    fclose(out);
    if (known == 0) {
        fprintf(stderr, "mirrorsim import: %s does not say when a request was completed\n",
                options->import.path);
    } else {
        fprintf(stderr,
                "mirrorsim import: %" PRIu64 " of %" PRIu32 " requests with their completions\n",
                known, recording->request_count);
        write_text(options, text);
    }
    free(text);
    return known == 0 ? EXIT_USAGE : EXIT_PASSED;
}

static int run_import(int argc, char **argv)
{
    struct command_options options = {
        .import = {.first = 1, .count = UINT64_MAX, .speed_up = 1000}};
    struct recording recording;
    int code = EXIT_USAGE;

    options_parse(&table, argc, argv, &options);
    load_guard_output(options.output, options.import.path, true);
    recording_read(&recording, &options.import);
    if (recording.mistakes.count > 0) {
        load_show_mistakes(options.import.path, &recording.mistakes);
    } else {
        code = options.import.wants_latency ? write_profile(&options, &recording)
                                            : write_scenario(&options, &recording);
    }
    recording_free(&recording);
    return code;
}

const struct command command_import = {
    "import", "make a scenario, or a device's latency, from recorded I/O", &table, run_import};
