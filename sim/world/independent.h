/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partial-order reduction: an event that commutes with all others.
 *
 * When several events could be next, and one of them neither changes anything that
 * another looks at nor looks at anything that another changes, now or later, then all
 * that can be found by taking it later is also found by taking it at once: a search
 * need not try the rest here.
 *
 * The events meant are those of the job's reads: the instant at which one sees what the source
 * holds, and its completion, on which a job that keeps struct engine's promise
 * `reads_only_write` hands the data on to the target and does nothing else.  They are independent
 * if
 *
 *   - the read has seen its data, or no guest request that writes any of its sectors is in flight
 *     or still to come;
 *   - the source's data is not the target's, through backing links;
 *   - nothing in the plan counts the reads' completions or the writes that follow: no fault
 *     that could still hit such a write, no wait, reaction or expectation about one;
 *   - the two disks have no lanes or bandwidth to compete for, and data moves all at once;
 *   - no power fails, and no step arms a hold: what is in flight then would matter.
 *
 * That the engine keeps its promise is looked at each time: there must be nothing in the trace but
 * the read's effect and end and the write's beginning, and the job's digest must be what it was.
 * If not, the search tries the others, too.
 */
#ifndef MIRRORSIM_SIM_WORLD_INDEPENDENT_H
#define MIRRORSIM_SIM_WORLD_INDEPENDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world/world.h"

/* An event that could be next, and what the world was like before it. */
struct independent {
    uint32_t place; /* among the candidates: the answer to "order" that takes it */
    uint32_t request;
    uint64_t trace_count;
    uint64_t job_digest;
    uint32_t findings;
};

/* Does the plan leave room for such events at all?  The same during a whole run. */
bool independent_possible(const struct world *world);

/*
 * The first of the events that could be next which is independent; false: none is.  To be
 * asked between two steps, where independent_possible().
 */
bool independent_find(struct world *world, struct independent *found);

/* After the step that took it: has it done only what it should? */
bool independent_held(const struct world *world, const struct independent *found);

#endif
