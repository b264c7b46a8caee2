/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs in worker processes, so that no run can take the program with it.
 *
 * Workers take the next number from memory that all share, and send results
 * through a pipe each; results are delivered in the order of the numbers,
 * for any number of workers.  When a worker dies, its current run gets a
 * finding (oracle "crash"; kind "crash", "hang" or "memory"), and a new worker takes its place.
 *
 * A worker makes many runs.  Foreign code may damage the process for those that follow: then what
 * has a finding, or dies, is made again as the first run of a new process, and only that counts.
 * When the code has changed data that it keeps for itself, each run gets a process.
 */
#ifndef MIRRORSIM_TOOLS_RUN_WORKERS_H
#define MIRRORSIM_TOOLS_RUN_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/run/runner.h"

struct workers_options {
    uint32_t jobs; /* worker processes; 0 = none: run in this process, for debuggers */
    bool twice;
    bool figures;            /* as struct runner has it */
    uint64_t cpu_limit_ms;   /* a run that takes more processor time is a hang */
    uint64_t memory_limit;   /* bytes, as struct runner has it */
    const char *dump_images; /* as struct runner has it */

    /* Called for each result in order; false stops all. */
    bool (*deliver)(void *opaque, const struct run_result *result);

    /* Called some ten times in a second: a run has been under way for so long. */
    void (*watch)(void *opaque, uint64_t number, uint64_t ms);

    /* Called for each run that is under way when a signal ends all. */
    void (*unfinished)(void *opaque, uint64_t number, uint64_t ms);
    void *opaque;
};

/*
 * Runs the whole suite.  Returns 0, or the number of the signal (SIGINT,
 * SIGTERM) that ended it early.
 */
int workers_run(const struct suite *suite, const struct workers_options *options);

#endif
