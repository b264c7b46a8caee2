/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim explain: how it came to a finding, or to what a sector holds.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/explain/explain.h"

#define SECTOR_SIZE 512u

struct explain_options {
    struct one_run run;
    const char *oracle; /* NULL = any */
    const char *kind;   /* NULL = any */
    const char *disk;   /* NULL = the job's source */
    bool has_sector;
    uint64_t sector;
    bool all;
    bool json;
};

static const struct argp_option option_list[] = {
    {"sector", KEY_SECTOR, "N", 0, "What happened to this sector of 512 bytes", 2},
    {"offset", KEY_OFFSET, "BYTES", 0, "The same, by its offset, like 640KiB", 2},
    {"disk", KEY_DISK, "NAME", 0,
     "Of source or target; the sector must be there (default: the source)", 2},
    {"finding", KEY_FINDING, "ORACLE[/KIND]", OPTION_ARG_OPTIONAL,
     "This finding of the run (default: the first), like --finding=debt/forgotten-sector", 2},
    {"all", KEY_ALL, NULL, 0, "Show all of a long chain", 2},
    {"json", KEY_JSON, NULL, 0, "Write the answer as JSON", 2},
    {0},
};

static void parse_offset(struct explain_options *options, const struct argp_state *state,
                         const char *arg)
{
    uint64_t bytes;

    if (!quantity_read_size(arg, &bytes)) {
        argp_error(state, "--offset wants a size like 640KiB, not '%s'", arg);
    }
    options->has_sector = true;
    options->sector = bytes / SECTOR_SIZE;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct explain_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->run;
        return 0;
    case KEY_SECTOR:
        options->has_sector = true;
        options->sector = option_number(state, "--sector", arg);
        return 0;
    case KEY_OFFSET:
        parse_offset(options, state, arg);
        return 0;
    case KEY_DISK:
        options->disk = arg;
        return 0;
    case KEY_FINDING:
        if (arg != NULL) {
            option_finding(state, arg, &options->oracle, &options->kind);
        }
        return 0;
    case KEY_ALL:
        options->all = true;
        return 0;
    case KEY_JSON:
        options->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- The command ---- */

static const struct run_finding *choose_finding(const struct explain_options *options,
                                                const struct run_result *result)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        if ((options->oracle == NULL || strcmp(options->oracle, finding->oracle) == 0) &&
            (options->kind == NULL || strcmp(options->kind, finding->kind) == 0)) {
            return finding;
        }
    }
    return NULL;
}

static int nothing_to_explain(const struct explain_options *options)
{
    fprintf(stderr,
            "mirrorsim explain: %s has no finding%s%s%s%s: give --sector, or `mirrorsim "
            "run` shows what it finds\n",
            options->run.file, options->oracle != NULL ? " " : "",
            options->oracle != NULL ? options->oracle : "", options->kind != NULL ? "/" : "",
            options->kind != NULL ? options->kind : "");
    return EXIT_FAILED;
}

/* Is there such a sector?  Explains if not. */
static bool sector_is_there(const struct explain_options *options)
{
    const struct plan *plan = options->run.plan;
    uint32_t disk = options->disk != NULL ? plan_find_disk(plan, options->disk) : plan->job.source;

    if (disk == PLAN_NONE) {
        fprintf(stderr, "mirrorsim explain: --disk %s: there is no such disk in %s\n",
                options->disk != NULL ? options->disk : "", options->run.file);
        return false;
    }
    if (options->disk != NULL && disk != plan->job.source && disk != plan->job.target) {
        fprintf(stderr,
                "mirrorsim explain: --disk %s: only the job's source and target can be "
                "followed\n",
                options->disk);
        return false;
    }
    if (options->has_sector && options->sector >= plan->disks[disk].bytes / SECTOR_SIZE) {
        fprintf(stderr,
                "mirrorsim explain: %s has %" PRIu64 " sectors, none with number %" PRIu64 "\n",
                plan->disks[disk].name, plan->disks[disk].bytes / SECTOR_SIZE, options->sector);
        return false;
    }
    return true;
}

static int explain(struct explain_options *options)
{
    struct run_result *base = explain_run(&options->run);
    struct answer answer = {.file = options->run.file,
                            .all = options->all,
                            .result = base,
                            .finding = choose_finding(options, base)};
    struct explain_subject subject = {
        .finding = answer.finding, .has_sector = options->has_sector, .sector = options->sector};

    if (answer.finding == NULL && (options->oracle != NULL || !options->has_sector)) {
        free(base);
        return nothing_to_explain(options);
    }
    if (!options->has_sector && answer.finding->has_sector) {
        subject.has_sector = true;
        subject.sector = answer.finding->sector;
    }
    if (subject.has_sector && options->run.plan->job.target != PLAN_NONE) {
        explain_sector(&options->run, &subject, &answer.explanation);
    } else {
        explain_job(&options->run, &subject, &answer.explanation);
    }
    if (answer.finding != NULL) {
        explain_without(&options->run, base, answer.finding, &answer.without);
    }
    if (options->json) {
        explain_show_json(&answer);
    } else {
        explain_show_text(&answer);
    }
    explanation_free(&answer.explanation);
    without_list_free(&answer.without);
    free(base);
    return EXIT_PASSED;
}

int cmd_explain(int argc, char **argv)
{
    static const struct argp_child children[] = {{&one_run_argp, 0, NULL, 1}, {0}};
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "FILE",
        .doc = "Runs one case of a scenario file and tells how it came to its first finding, or "
               "to what a sector holds: the events that matter, in order, where it went wrong, "
               "and which fault, guest request, command or recorded choice it hangs on.\v"
               "Exit codes: 0 explained, 1 there is nothing to explain (no finding, and no sector "
               "given), 2 an invalid file or wrong usage, 3 the harness failed.",
        .children = children,
    };
    struct explain_options options = {.run = {.engine = engines[0]}};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    one_run_open(&options.run);
    code = sector_is_there(&options) ? explain(&options) : EXIT_USAGE;
    one_run_close(&options.run);
    return code;
}
