/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which strands are woken; strand.h says which and why.
 */
#include "engine/life/strand.h"

#include <assert.h>
#include <stddef.h>

/* One call of strand_enter(). */
struct strand_run {
    struct strand_run *outer;
    struct strand *current;   /* NULL: it has ended, and may be freed */
    struct strand_list woken; /* by `current`, to be run when that waits or has ended */
};

void strand_init(struct strand *strand, void (*resume)(struct strand *strand))
{
    *strand = (struct strand){.resume = resume};
}

static void append(struct strand_list *list, struct strand *strand)
{
    assert(!strand->listed);
    strand->listed = true;
    STAILQ_INSERT_TAIL(list, strand, link);
}

static struct strand *take_first(struct strand_list *list)
{
    struct strand *strand = STAILQ_FIRST(list);

    STAILQ_REMOVE_HEAD(list, link);
    strand->listed = false;
    return strand;
}

static void resume(struct strand_run *run, struct strand *strand)
{
    assert(!strand->running && !strand->listed);
    strand->running = true;
    run->current = strand;
    strand->resume(strand);
    if (run->current != NULL) {
        strand->running = false;
    }
}

/* What a strand has woken comes before what was woken earlier and waits. */
static void run_woken(struct strand_run *run)
{
    struct strand_list todo;

    STAILQ_INIT(&todo);
    STAILQ_CONCAT(&todo, &run->woken);
    while (!STAILQ_EMPTY(&todo)) {
        resume(run, take_first(&todo));
        STAILQ_CONCAT(&run->woken, &todo);
        STAILQ_CONCAT(&todo, &run->woken);
    }
}

void strand_enter(struct strands *strands, struct strand *strand)
{
    struct strand_run run = {.outer = strands->running};

    STAILQ_INIT(&run.woken);
    strands->running = &run;
    resume(&run, strand);
    run_woken(&run);
    strands->running = run.outer;
}

void strand_end(struct strands *strands, struct strand *strand)
{
    assert(strands->running != NULL && strands->running->current == strand);
    assert(!strand->listed);
    strands->running->current = NULL;
}

void strand_wake(struct strands *strands, struct strand *strand)
{
    if (strands->running == NULL) {
        strand_enter(strands, strand);
    } else {
        append(&strands->running->woken, strand);
    }
}

void strand_wait_on(struct strand_list *waiters, struct strand *strand)
{
    append(waiters, strand);
}

void strand_wake_all(struct strands *strands, struct strand_list *waiters)
{
    while (!STAILQ_EMPTY(waiters)) {
        strand_wake(strands, take_first(waiters));
    }
}

void strands_check(const struct strands *strands)
{
    assert(strands->running == NULL);
}
