/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run: plan, world, verdict, result.
 */
#ifndef MIRRORSIM_TOOLS_RUN_RUNNER_H
#define MIRRORSIM_TOOLS_RUN_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/world.h"
#include "tools/run/progress.h"
#include "tools/run/result.h"
#include "tools/run/suite.h"

struct comparer;

/* One run of one engine. */
struct leg {
    const struct engine *engine;
    struct trace trace;
    uint64_t states;           /* digest of those that it went through */
    struct comparer *comparer; /* looks on; NULL = none */
};

/* Runs a suite's runs one by one; keeps the plan and the memory of the last. */
struct runner {
    const struct suite *suite;
    bool figures;            /* results have them (sim/verdict/figures.h) */
    bool twice;              /* every run a second time: traces and states must be equal */
    uint64_t memory_limit;   /* bytes of world and trace beyond which a run is given up */
    const char *dump_images; /* folder for what the disks hold at the end; NULL = not wanted */
    struct run_progress *progress;
    const struct suite_entry *planned; /* what `plan` is of */
    struct plan *plan;
    struct world *world;
    struct leg leg; /* the last run of the suite's engine */
};

void runner_run(struct runner *runner, uint64_t number, struct run_result *result);

/* After a run whose result is half of a comparison: the second engine's, and both together. */
void runner_compare(struct runner *runner, struct run_result *result);

/* The runner is not to be used afterwards. */
void runner_close(struct runner *runner);

/* world_renew(); dies if there is no memory. */
struct world *runner_world(struct world *world, const struct plan *plan,
                           const struct world_options *options, struct trace *trace);

/* The world's options for a plan: engine, seed, and the answers that the plan records. */
struct world_options runner_options(const struct plan *plan, const struct engine *engine,
                                    uint64_t seed);

#endif
