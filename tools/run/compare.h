/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two engines on one plan, step for step (`run --compare`).
 *
 * A step is what a job does to the disks, or says to people: each of its reads,
 * writes and flushes, submitted and done, with its result; READY, ERROR with its
 * action, COMPLETED and CANCELLED with their result.  Steps are the same if that
 * and their instants are.  How an engine does it (its phases, its queries of allocation, dirty
 * bits, progress, references) is not compared.
 */
#ifndef MIRRORSIM_TOOLS_RUN_COMPARE_H
#define MIRRORSIM_TOOLS_RUN_COMPARE_H

#include "sim/trace/trace.h"
#include "tools/run/runner.h"

/* Looks on while the second engine runs, and compares it with the first, which has run. */
struct comparer {
    struct trace_names names[2];
    const struct trace *traces[2];
    uint64_t next[2]; /* event of each trace from which the next step is to be found */
    struct run_comparison *comparison;
};

/*
 * `comparison` may be seen by another process: at any time it holds how far both
 * have gone, and what the first engine does next.
 */
void comparer_begin(struct comparer *comparer, const struct plan *plan, const struct leg *first,
                    const struct leg *second, struct run_comparison *comparison);

/* The second trace has grown. */
void comparer_look(struct comparer *comparer);

/* The second trace has come to its end: so must have the first. */
void comparer_end(struct comparer *comparer);

/* The second engine's process died: that is its next step. */
void comparison_died(struct run_comparison *comparison, uint64_t now_ns, const char *how);

/*
 * Makes the first engine's result one of both, given the second's.  A difference
 * is a finding of the oracle "compare", and as bad as the outcome says: XFAIL if
 * an xfail of the second engine knows it, XPASS if one does and there is none.
 */
void comparison_conclude(const struct suite *suite, struct run_result *result,
                         const struct run_comparison *comparison, const struct run_result *second);

/* "same", "differs", "differs as known", "unexpectedly same", "not compared". */
const char *compared_name(const struct run_result *result);

#define COMPARE_MAX_BUGS 100

/* How many runs came out how; bugs in the order of their numbers, further ones not listed. */
struct compare_tally {
    uint64_t same;
    uint64_t unexpectedly_same;
    uint64_t known;
    uint64_t different;
    uint64_t not_compared; /* the first engine could not be run to its end */
    uint32_t bug_count;
    struct {
        char name[RUN_BUG_BYTES]; /* "" = the xfail does not say */
        uint64_t runs;
    } bugs[COMPARE_MAX_BUGS];
};

void compare_tally_add(struct compare_tally *tally, const struct run_result *result);

#endif
