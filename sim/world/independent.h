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
 * Three more kinds of events are taken first, or at once, for less:
 *
 *   - A step that only begins a wait, which has not come true: for READY or another event, after
 *     which no later step counts events from the end of it; for the job's end.  Untimed, and if
 *     nothing in the plan looks at steps.
 *   - The first event of a flush, and of a write that fails and leaves nothing behind: nothing
 *     moves then, and what its result will be is known already.
 *   - The end of a job's write to the target, active or not, right after its data has moved, if no
 *     other request there overlaps.  What could come between them can as well come before the
 *     move: nobody sees the target's data before the end but who writes there, too.
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

enum independent_kind {
    INDEPENDENT_READ,
    INDEPENDENT_WAIT,  /* a step that begins one */
    INDEPENDENT_STILL, /* a request's first event: nothing moves */
    INDEPENDENT_END,   /* of a write whose data has moved */
};

/* An event that could be next, and what the world was like before it. */
struct independent {
    enum independent_kind kind;
    uint32_t place; /* among the candidates: the answer to "order" that takes it */
    uint32_t request;
    uint64_t trace_count;
    uint64_t job_digest;
    uint32_t findings;
};

/* What the plan leaves room for; the same during a whole run. */
struct independent_plan {
    bool reads;     /* of the job */
    bool ends;      /* of the job's writes */
    bool waits;     /* steps that begin one */
    bool stillness; /* first events at which nothing moves */
};

struct independent_plan independent_possible(const struct world *world);

/*
 * The first of the events that could be next which is independent; false: none is.  To be
 * asked between two steps, with what independent_possible() has said.
 */
bool independent_find(struct world *world, const struct independent_plan *plan,
                      struct independent *found);

/* After the step that took it: has it done only what it should? */
bool independent_held(const struct world *world, const struct independent *found);

#endif
