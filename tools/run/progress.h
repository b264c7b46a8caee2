/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The progress of a run, which outlives the process of the run.
 *
 * It lies in memory that a child shares with its parent (isolate.h): the child keeps it up to
 * date, and the parent makes a result of it if the child dies.
 */
#ifndef MIRRORSIM_TOOLS_RUN_PROGRESS_H
#define MIRRORSIM_TOOLS_RUN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/world.h"
#include "tools/run/isolate.h"
#include "tools/run/result.h"

struct run_progress {
    uint64_t number;
    uint64_t start_us; /* of clock_us() */
    uint64_t now_ns;
    uint64_t event_number;
    char case_name[RUN_NAME_BYTES];
    bool under_way;
    bool death_is_known;           /* the xfail expects it, and the finding, if there is one, ... */
    char death_bug[RUN_BUG_BYTES]; /* ... and calls it so */
    bool has_finding;
    struct run_finding finding; /* the first, made before the step of the death */
    struct run_comparison comparison;
};

/* The run's plan is made: notes its case, and whether its xfail expects a crash. */
void run_progress_begin(struct run_progress *progress, const struct plan *plan,
                        const struct engine *engine);

/* The world has taken a step: notes its time, and the first finding. */
void run_progress_step(struct run_progress *progress, const struct plan *plan,
                       const struct engine *engine, struct world *world);

/*
 * The process has died in the middle of the run: its result, to be freed by the caller.  What was
 * found before the death often explains it, so it comes first; the death is the last finding.
 */
struct run_result *run_progress_died(const struct run_progress *progress,
                                     const struct isolate_death *death);

/*
 * Waits for the end of a child that shares a struct run_progress.  If it died in the middle of
 * a run, that run's result; NULL after an orderly end.  Dies if the child failed outside a run.
 */
struct run_result *run_progress_end(struct isolate *isolate);

#endif
