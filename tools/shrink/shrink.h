/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shrinking: the smallest scenario that still has the same finding.
 *
 * Delta debugging on the text of the scenario, as a tree.  A candidate is the tree with
 * something dropped, simplified, or with smaller numbers.  It is loaded like any file and run as
 * `mirrorsim run` does it, and kept if it has the same finding (oracle and kind) and no new one.
 * So whatever is kept is a valid file that fails in the same way.  Shrinking ends when no single
 * change can be kept.  The same input gives the same output.
 *
 * An engine without the bug must pass the result.  Only a sound engine (options->sound) can show
 * whether it does.  Without one, everything stays that the failing run cannot judge: steps that
 * failed or that it has not reached, expected refusals, the error that the job is to end with;
 * and a job that hangs must hang in the same state.
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_SHRINK_H
#define MIRRORSIM_TOOLS_SHRINK_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/plan/plan.h"
#include "sim/verdict/verdict.h"

enum shrink_end {
    SHRINK_DONE,         /* nothing more can be dropped */
    SHRINK_STOPPED,      /* stopped by the options; the result might get smaller still */
    SHRINK_NO_FINDING,   /* the run does not fail, or not with the wanted finding */
    SHRINK_UNSOUND,      /* the sound engine fails the run, too */
    SHRINK_NOT_REPEATED, /* replaying the recorded choices does not give the same finding */
};

struct shrink_report {
    enum shrink_end end;
    enum finding_id id;            /* of the target finding */
    char text[FINDING_TEXT_BYTES]; /* its sentence in the result */
    uint32_t lines_before;         /* lines of the plan, written as a file */
    uint32_t lines;                /* lines of the result */
    uint64_t runs;
    char *scenario; /* the result as a file, which the caller frees; NULL if there is none */
};

struct shrink_options {
    uint64_t seed;
    struct finding_pattern wanted; /* of the target; if it fits any, the first that is not vague */
    const struct engine *sound;    /* an engine that must pass the result, or NULL */
    const char *origin;            /* named in the result as what it was shrunk from */
    uint64_t cpu_limit_ms;         /* a run that takes more processor time counts as a hang */
    uint64_t max_runs;             /* 0 = no bound */

    /* Called after every run, or NULL; shrinking stops when it returns false. */
    bool (*go_on)(void *opaque, const struct shrink_report *so_far);
    void *opaque;
};

/*
 * Returns the plan of report->scenario, which the caller destroys; NULL, with the
 * reason in report->end, if there is nothing to shrink.
 */
struct plan *shrink_plan(const struct plan *plan, const struct engine *engine,
                         const struct shrink_options *options, struct shrink_report *report);

#endif
