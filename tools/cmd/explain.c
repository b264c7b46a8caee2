/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim explain: shows how a finding, or the content of a sector, came
 * about.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/explain/explain.h"
#include "tools/run/isolate.h"
#include "tools/run/load.h"

#define CPU_LIMIT_MS 2000

struct explain_options {
    struct one_run run;
    struct finding_pattern wanted;
    const char *disk; /* NULL = the job's source */
    bool has_sector;
    uint64_t sector;
    bool all;
    bool json;
};

enum { EITHER_SECTOR = 1 };

#define AT(member) offsetof(struct explain_options, member)

static const struct option_row options_of_explain[] = {
    {{"sector", 0, "N", 0, "Explain this sector of 512 bytes", 2},
     INTO(OTHER, sector),
     .given = AT(has_sector),
     .take = one_run_take_sector,
     .alternative = EITHER_SECTOR},
    {{"offset", 0, "BYTES", 0, "The same, by offset, like 640KiB", 2},
     INTO(OTHER, sector),
     .given = AT(has_sector),
     .take = one_run_take_offset,
     .alternative = EITHER_SECTOR},
    {{"disk", 0, "NAME", 0, "The disk of the sector: the job's source (default) or target", 2},
     INTO(TEXT, disk)},
    {{"finding", 0, "ORACLE[/KIND]", OPTION_ARG_OPTIONAL,
      "Explain this finding of the run (default: the first), like --finding=debt/forgotten-sector",
      2},
     INTO(OTHER, wanted),
     .take = load_take_finding},
    {{"all", 0, NULL, 0, "Show all events of a long chain", 2}, INTO(FLAG, all)},
    {{"json", 0, NULL, 0, "Write the answer as JSON", 2}, INTO(FLAG, json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_explain,
    ONE_RUN_OF(struct explain_options),
    .doc = "Runs one case of a scenario file and explains how its first finding, or the content of "
           "a sector, came about: the events that matter, in order, where it went wrong, and which "
           "fault, guest request, command or recorded choice it depends on.\vExit codes: 0 "
           "explained, 1 there is nothing to explain (no finding, and no sector given), 2 an "
           "invalid file or wrong usage, 3 the harness failed."};

/* ---- The command ---- */

static const struct run_finding *choose_finding(const struct explain_options *options,
                                                const struct run_result *result)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (finding_fits(&options->wanted, result->findings[i].id)) {
            return &result->findings[i];
        }
    }
    return NULL;
}

static int nothing_to_explain(const struct explain_options *options)
{
    fprintf(stderr,
            "mirrorsim explain: %s has no finding%s%s%s%s: give --sector, or see its findings with "
            "`mirrorsim run`\n",
            options->run.file, options->wanted.oracle != NULL ? " " : "",
            options->wanted.oracle != NULL ? options->wanted.oracle : "",
            options->wanted.kind != NULL ? "/" : "",
            options->wanted.kind != NULL ? options->wanted.kind : "");
    return EXIT_FAILED;
}

/* True if there is such a sector; else explains why not. */
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
                "mirrorsim explain: --disk %s: only the job's source and target can be explained\n",
                options->disk);
        return false;
    }
    if (options->has_sector && options->sector >= plan->disks[disk].bytes / SECTOR_BYTES) {
        fprintf(stderr,
                "mirrorsim explain: %s has %" PRIu64 " sectors, none with number %" PRIu64 "\n",
                plan->disks[disk].name, plan->disks[disk].bytes / SECTOR_BYTES, options->sector);
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

    if (answer.finding == NULL && (options->wanted.oracle != NULL || !options->has_sector)) {
        free(base);
        return nothing_to_explain(options);
    }
    explain_answer(&options->run, &subject, &answer);
    if (options->json) {
        explain_show_json(&answer);
    } else {
        explain_show_text(&answer);
    }
    answer_free(&answer);
    free(base);
    return EXIT_PASSED;
}

static int run_explain(int argc, char **argv)
{
    struct explain_options options = {.run = {.cpu_limit_ms = CPU_LIMIT_MS}};
    int code;

    options_parse(&table, argc, argv, &options);
    one_run_load(&options.run);
    isolate_stand_apart(options.run.engine, NULL);
    one_run_open(&options.run);
    code = sector_is_there(&options) ? explain(&options) : EXIT_USAGE;
    one_run_close(&options.run);
    return code;
}

const struct command command_explain = {
    "explain", "explain how a run came to its finding, and what that depends on", &table,
    run_explain};
