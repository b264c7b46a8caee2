/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strands: continuations of an explicit state machine, and the order in which they are woken.
 *
 * A strand is what a coroutine would be: the job's run, a copy, a guest request on its way.  Its
 * stack is a phase in its owner's record; resume() runs it until it waits or has ended, and then
 * returns.  Between two timeline events no strand runs, so everything there is lies in the arena.
 *
 * The order is literal (modern-interface 2.2; golden-modern, Coroutines):
 *   - woken from outside any strand, a strand runs at once;
 *   - woken from inside one, it is put at the end of the waker's list.  When the waker has waited
 *     or ended, the list is run, first in first out, before the code that entered the waker goes
 *     on; what one of them has woken comes before the rest;
 *   - a strand that is entered from inside another (an operation by the copier) runs at once, and
 *     so does all that it wakes, before the enterer goes on.
 *
 * The list belongs to the entering call and not to the strand, because a strand that ends may have
 * freed itself.  Entering a strand that runs, or that is on a list, is a bug and asserted.
 */
#ifndef MIRRORSIM_ENGINE_LIFE_STRAND_H
#define MIRRORSIM_ENGINE_LIFE_STRAND_H

#include <stdbool.h>
#include <sys/queue.h>

struct strand;

STAILQ_HEAD(strand_list, strand);

/* Embedded in its owner. */
struct strand {
    void (*resume)(struct strand *strand);
    STAILQ_ENTRY(strand) link; /* in one list at most: of waiters, or of those woken */
    bool listed;
    bool running;
};

struct strand_run; /* one call of strand_enter(), on the C stack */

/* One per job and filter; all zero between events. */
struct strands {
    struct strand_run *running;
};

void strand_init(struct strand *strand, void (*resume)(struct strand *strand));

/* Runs it now, then everything that it has woken, depth first. */
void strand_enter(struct strands *strands, struct strand *strand);

/*
 * The running strand has ended: its owner may free it before resume() returns, and must return
 * then.
 */
void strand_end(struct strands *strands, struct strand *strand);

/* From outside: as strand_enter(); from inside another: when that one waits or ends. */
void strand_wake(struct strands *strands, struct strand *strand);

/* Puts a strand that is about to wait at the end of a list of waiters. */
void strand_wait_on(struct strand_list *waiters, struct strand *strand);

/* Wakes all, in the order they came; the list is empty afterwards and may be freed. */
void strand_wake_all(struct strands *strands, struct strand_list *waiters);

/* Asserts that no strand runs. */
void strands_check(const struct strands *strands);

#endif
