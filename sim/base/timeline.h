/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pending events, ordered by (due_ns, sequence number of insertion).
 *
 * Virtual time moves only when the next event is taken.  Two events due at
 * the same instant are taken first in, first out, unless the choice site
 * "order" says otherwise.
 *
 * An untimed timeline offers more candidates for the next event: every loose
 * one (requests), as if its latency could be anything, and of the others those
 * that are due first.  Candidates are numbered first in, first out; those that
 * are not due yet come last.  Taking a loose event then takes no time.  Events
 * that only end a wait (timeouts) are taken when there is nothing else.
 */
#ifndef MIRRORSIM_SIM_BASE_TIMELINE_H
#define MIRRORSIM_SIM_BASE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "sim/base/arena.h"
#include "sim/base/choice.h"

/* When an event may be taken in an untimed timeline. */
enum pending_kind {
    PENDING_TIMED,
    PENDING_LOOSE,   /* may come at any time */
    PENDING_TIMEOUT, /* comes when nothing else can */
};

/* Embedded in its owner; all zero = not pending. */
struct pending {
    uint64_t due_ns;
    uint64_t sequence;
    void (*fire)(void *opaque);
    void *opaque;
    uint32_t slot;          /* place in the heap plus one; 0 = not pending */
    uint32_t chain;         /* number, from 1 */
    enum pending_kind kind; /* the owner's to set, before it is added */
};

struct timeline {
    bool untimed;
    struct arena *arena;
    struct choices *choices;
    struct choice_site *order;
    uint64_t now_ns;
    uint64_t next_sequence;
    uint32_t chains;  /* begun so far */
    uint32_t goes_on; /* chain of the event that fires, until it adds its successor; 0 = none */
    uint32_t count;
    uint32_t capacity;
    struct pending **heap;
    struct pending **candidates; /* those that could be next, in order; as many as `heap` */
};

void timeline_init(struct timeline *timeline, struct arena *arena, struct choices *choices,
                   bool untimed);

/* Makes `pending` due `delay_ns` from now (saturating); it must not be pending. */
void timeline_add(struct timeline *timeline, struct pending *pending, uint64_t delay_ns,
                  void (*fire)(void *opaque), void *opaque);

/* Takes it out; it must be pending. */
void timeline_remove(struct timeline *timeline, struct pending *pending);

static inline bool pending_is_set(const struct pending *pending)
{
    return pending->slot != 0;
}

/*
 * Due instant of the next event, never before now; in an untimed timeline, that
 * of the first candidate.  False if nothing is pending.
 */
bool timeline_next_due(const struct timeline *timeline, uint64_t *due_ns);

/*
 * The candidates for the next event, numbered as the choice "order" does;
 * *count of them.  Valid until the timeline changes.
 */
struct pending *const *timeline_candidates(struct timeline *timeline, uint32_t *count);

/*
 * Takes the next event, moves now_ns to it and fires it.  The event is not
 * pending any more when it fires.  False if nothing is pending.
 */
bool timeline_step(struct timeline *timeline);

/*
 * Adds when an event is due, from now, and how many of its instant come before
 * it; or that it is not pending.  Untimed, a loose event has no instant, and
 * where the choices decide, any may come first.  Under a symmetry without timeouts (digest.h) one
 * is not pending.
 */
void timeline_digest_pending(const struct timeline *timeline, const struct pending *pending,
                             struct digest *digest);

/* Only when it is due, from now; it is pending. */
void timeline_digest_due(const struct timeline *timeline, const struct pending *pending,
                         struct digest *digest);

/* Asserts the order of the heap, and that every event knows its slot. */
void timeline_check(const struct timeline *timeline);

#endif
