/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run: plan, world, verdict, and the result as plain data.
 *
 * A result holds no pointers, so that it can be sent through a pipe as it is
 * from one process of this program to another.
 */
#ifndef MIRRORSIM_TOOLS_RUNNER_H
#define MIRRORSIM_TOOLS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/verdict.h"
#include "sim/world.h"
#include "tools/suite.h"

#define RUN_NAME_BYTES 200
#define RUN_MAX_FINDINGS (VERDICT_MAX_FINDINGS + 1)

struct run_finding {
    char oracle[24];
    char kind[32];
    char text[FINDING_TEXT_BYTES];
    uint64_t now_ns;
    uint64_t event_number;
    uint64_t trace_from_ns; /* the story just before it begins here */
    bool has_sector;
    char disk[64];
    uint64_t sector;
    uint32_t line;       /* of the scenario that it is about; 0 = none */
    uint32_t step_line;  /* of the step that was under way */
    uint32_t fault_line; /* of the last fault that had hit */
};

struct run_result {
    uint64_t number; /* in the suite */
    char case_name[RUN_NAME_BYTES];
    enum outcome outcome;
    bool died; /* the process did; the figures below are 0 */
    uint64_t virtual_ns;
    uint64_t events;
    uint64_t trace_events;
    uint64_t trace_hash;
    uint32_t checks;
    uint32_t dropped; /* findings beyond the bounds */
    bool concluded;
    bool cancelled;
    int ret;
    uint32_t finding_count;
    struct run_finding findings[];
};

/* What a result with so many findings takes. */
size_t run_result_bytes(uint32_t findings);

/* Room for RUN_MAX_FINDINGS. */
struct run_result *run_result_create(void);

/* Appends a finding without a time; NULL if there is no room. */
struct run_finding *run_result_add(struct run_result *result, const char *oracle, const char *kind,
                                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Takes outcome, figures and findings from a run's verdict.  The lines of the step and the fault
 * at each finding are not in it: they are in the trace.
 */
void run_result_fill(struct run_result *result, const struct plan *plan,
                     const struct verdict *verdict);

/* How far the run under way has come, for whoever finds the process dead. */
struct run_progress {
    uint64_t number;
    uint64_t now_ns;
    uint64_t event_number;
    char case_name[RUN_NAME_BYTES];
    bool under_way;
    bool
        death_is_known; /* the scenario's xfail expects a crash, and the finding, if there is one */
    bool has_finding;
    struct run_finding finding; /* the first, made before the step of the death */
};

/* The run's plan is made: notes its case, and whether its xfail expects a crash. */
void run_progress_begin(struct run_progress *progress, const struct plan *plan,
                        const struct engine *engine);

/* The world has taken a step: notes its time, and the first finding. */
void run_progress_step(struct run_progress *progress, const struct plan *plan,
                       const struct engine *engine, struct world *world);

/* Runs a suite's runs one by one; keeps the plan and the memory of the last. */
struct runner {
    const struct suite *suite;
    bool twice;              /* every run a second time: traces and states must be equal */
    uint64_t memory_limit;   /* bytes of world and trace beyond which a run is given up */
    const char *dump_images; /* folder for what the disks hold at the end; NULL = not wanted */
    struct run_progress *progress;
    const struct suite_entry *planned; /* what `plan` is of */
    struct plan *plan;
    struct world *world;
};

void runner_run(struct runner *runner, uint64_t number, struct run_result *result);
/* The runner is not to be used afterwards. */
void runner_close(struct runner *runner);

/* The world's options for a plan: engine, seed, and the answers that the plan records. */
struct world_options runner_options(const struct plan *plan, const struct engine *engine,
                                    uint64_t seed);

#endif
