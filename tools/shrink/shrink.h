/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shrinking: the smallest scenario that still has the same finding.
 *
 * Delta debugging on the text of the scenario, as a tree.  A candidate is the tree with
 * something left out, put simpler, or with smaller numbers; it is loaded as any file is
 * and run as `mirrorsim run` does, and kept if the finding (its oracle and kind) is still
 * there and no finding that was not there before.  So whatever is kept is a valid file
 * that fails in the same way.  It ends where no single change can be kept.  The same input gives
 * the same output.
 *
 * The result is to be passed by an engine without the bug.  Only a sound engine can say
 * whether it is (options->sound); without one, nothing is left out that the failing run
 * can't judge: steps that failed or that it has not come to, refusals that are right, the
 * error that the job is to end with; and a job that hangs must hang in the same state.
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_SHRINK_H
#define MIRRORSIM_TOOLS_SHRINK_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/plan/plan.h"
#include "sim/verdict/verdict.h"

enum shrink_end {
    SHRINK_DONE,         /* nothing can be left out any more */
    SHRINK_STOPPED,      /* by the options: it may get smaller still */
    SHRINK_NO_FINDING,   /* the run does not fail, or not with the finding that is wanted */
    SHRINK_UNSOUND,      /* it fails with the engine that must pass it, too */
    SHRINK_NOT_REPEATED, /* its choices, written down, don't give the same finding */
};

struct shrink_report {
    enum shrink_end end;
    enum finding_id id;            /* of the finding that was chosen */
    char text[FINDING_TEXT_BYTES]; /* its sentence in the result */
    uint32_t lines_before;         /* of the plan as a file */
    uint32_t lines;                /* now */
    uint64_t runs;
    char *scenario; /* the result as a file, to be freed by the caller; NULL if there is none */
};

struct shrink_options {
    uint64_t seed;
    struct finding_pattern wanted; /* if any will do, the first that is not vague */
    const struct engine *sound;    /* an engine that the result must pass with, or NULL */
    const char *origin;            /* what the result says it was shrunk from */
    uint32_t cpu_limit_s;          /* a run that takes more processor time is a hang */
    uint64_t max_runs;             /* 0 = no bound */

    /* Asked after every run, or NULL; false: stop. */
    bool (*go_on)(void *opaque, const struct shrink_report *so_far);
    void *opaque;
};

/*
 * The plan of report->scenario, to be destroyed by the caller; NULL, with the reason in
 * report->end, if there is nothing to shrink.
 */
struct plan *shrink_plan(const struct plan *plan, const struct engine *engine,
                         const struct shrink_options *options, struct shrink_report *report);

#endif
