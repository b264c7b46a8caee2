/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Figures of a run: how long the guest and the job were kept waiting, and how much was copied.
 *
 * The oracles prove that a run ends and that nothing is lost.  They say nothing about a job that
 * lets one hung request stop all others (mirror-algorithm L3), or that copies everything again
 * after an error; these figures do.
 */
#ifndef MIRRORSIM_SIM_VERDICT_FIGURES_H
#define MIRRORSIM_SIM_VERDICT_FIGURES_H

#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

struct figures {
    uint64_t guest_longest_ns; /* that one of its requests took, to its end or the run's */

    /*
     * The longest that the job stood still: it had to get on (it had started, was not paused, and
     * if it was ready it was told to end), and none of its requests began or ended, nor did it
     * report anything.  Sleeping for its speed limit is standing still.
     */
    uint64_t job_still_ns;
    uint64_t job_still_event; /* of the trace: the last before it */

    uint64_t copied_bytes; /* that the job has written to its target, successfully */
};

/* Of a kept trace of a run that ended at `end_ns`. */
struct figures figures_make(const struct plan *plan, const struct trace *trace, uint64_t end_ns);

#endif
