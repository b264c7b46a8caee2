/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run of one file, for the commands that look into it.
 */
#ifndef MIRRORSIM_TOOLS_RUN_ONE_RUN_H
#define MIRRORSIM_TOOLS_RUN_ONE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"
#include "sim/world/world.h"
#include "tools/base/options.h"

struct one_run {
    /* What to run. */
    const char *file;
    const char *chosen; /* --case; NULL = the first */
    uint64_t seed;
    uint64_t cpu_limit_ms;       /* of a run; the command sets the default */
    const struct engine *engine; /* NULL, until it is loaded: ours of the file's generation */

    struct scenario *scenario;
    struct plan *plan;
    struct trace trace;
    struct world *world;
};

/* The options --case, --seed, --engine and --cpu-limit, with offsets in a struct one_run. */
extern const struct option_row one_run_options[];

/* For the table of a command whose options have a struct one_run `run`: these, and FILE. */
#define ONE_RUN_OF(type)                                                             \
    .shared = one_run_options, .shared_member = offsetof(type, run), .args = "FILE", \
    .take = option_take_file, .member = offsetof(type, run.file), .missing = "which file?"

/* For rows --sector and --offset: a sector of 512 bytes into a uint64_t, by number or by offset. */
option_take one_run_take_sector;
option_take one_run_take_offset;

/*
 * Loads the scenario and makes the plan.  Otherwise explains on stderr and exits with
 * EXIT_USAGE: the file is missing or invalid, has no such case, or is not for the engine.
 */
void one_run_load(struct one_run *run);

/* Makes the world.  What follows may never end: a command isolates itself first (isolate.h). */
void one_run_open(struct one_run *run);
void one_run_close(struct one_run *run);

#endif
