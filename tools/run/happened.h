/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must have happened in at least one of a file's runs.
 *
 * A fault that is drawn with a probability need not hit in each run, nor need a rule answer an
 * event in each case of a matrix.  But if no run of the file shows it, it has tested nothing: the
 * last of them then has the finding (vacuous).  Rules and faults that are `optional` need not come
 * into play at all.
 *
 * Rules are judged if all cases of a file have run.  A drawn fault is judged if there was more than
 * one seed; with a single one it is only noted, for with a probability nothing is promised of one
 * run, and the quiet run draws none.  A file with a run that failed has a better finding already.
 */
#ifndef MIRRORSIM_TOOLS_RUN_HAPPENED_H
#define MIRRORSIM_TOOLS_RUN_HAPPENED_H

#include "sim/world/world.h"
#include "tools/run/result.h"
#include "tools/run/suite.h"

/* Faults and rules beyond these are taken to have come into play. */
#define HAPPENED_MAX 64u

/* Of the file whose runs are being delivered.  All zero at the beginning. */
struct happened {
    const struct scenario *scenario;
    uint64_t runs;
    uint64_t fired;         /* bit per fault that has hit in some run */
    uint64_t acted;         /* bit per rule that has acted */
    bool failed;            /* some run has, expected or not */
    uint64_t silent_faults; /* drawn with a single seed, and not fired, in all files so far ... */
    char names[160];        /* ... with their files, as far as they fit */
};

/* Notes in the result of a run what has come into play in it. */
void happened_note(struct run_result *result, const struct world *world, const struct trace *trace);

/*
 * A result is delivered, in the order of its number.  If it is the last of its file and something
 * is missing, returns a copy with that finding, to be freed by the caller; else NULL.
 */
struct run_result *happened_add(struct happened *happened, const struct suite *suite,
                                const struct run_result *result);

#endif
