/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators: a guest that makes up its requests as it goes.
 *
 * A generator with a rate, or a span from one request to the next, is an open
 * loop: its requests come whether the ones before have finished or not.  With
 * GENERATOR_MAX_UNFINISHED of them unfinished it leaves requests out, as the
 * queue of a real disk is bounded too.  One with a number of requests
 * outstanding is a closed loop: each that finishes is followed by another.
 *
 * A generator ends at its bounds.  One without a bound ends with the story, or
 * in a settle step once the job has concluded: else that step would never end.
 *
 * What is drawn for each request (which of the mix, its length, its place) is a
 * walk: a 32-bit number that advances by a fixed odd step, so that it visits
 * all values evenly, plus the answer of the choice sites "guest NAME mix",
 * "... len" and "... offset".  So a quiet run follows the distributions
 * closely, and with a seed each draw is random.
 */
#ifndef MIRRORSIM_SIM_WORLD_GENERATOR_H
#define MIRRORSIM_SIM_WORLD_GENERATOR_H

#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/event.h"
#include "sim/base/choice.h"
#include "sim/base/timeline.h"
#include "sim/plan/address.h"
#include "sim/plan/plan.h"

struct world;

/* What a request that moves no data counts for in a rate or an amount of bytes. */
#define GENERATOR_FLUSH_BYTES UINT64_C(4096)

enum generator_state {
    GENERATOR_WAITING, /* for the event that it begins with */
    GENERATOR_RUNNING,
    GENERATOR_OVER,
};

/* A sequence of 32-bit numbers, evenly spread. */
struct walk {
    struct choice_site *site;
    uint32_t position;
    uint32_t step;
};

/* One request: to come, then in flight. */
struct turn {
    LIST_ENTRY(turn) link; /* those to come */
    struct pending pending;
    struct generator *generator;
    struct guest_request request;
};

/* One generator of the plan, as it is now. */
struct generator {
    const struct generator_spec *spec;
    struct world *world;
    uint32_t number; /* in the plan */
    enum generator_state state;
    uint64_t matched;    /* events that it may begin with */
    uint64_t drawn;      /* of a replay: requests that were made, ... */
    uint64_t begin_ns;   /* ... since this instant; ... */
    bool is_full;        /* ... the next one waits until one of them is done */
    uint64_t submitted;  /* requests ... */
    uint64_t bytes;      /* ... and what they add up to */
    uint32_t unfinished; /* submitted, not done */
    uint64_t weight;     /* of the whole mix */
    struct walk mix;
    struct walk length;
    struct walk place;
    struct address *addresses; /* one an entry of the mix */
    LIST_HEAD(, turn) turns;   /* to come */
};

/* Makes the live generators and inserts the first requests of those that begin at an instant. */
void generators_create(struct world *world);

/* Kinds of events that generators_observe() must see. */
uint64_t generators_watched(const struct plan *plan);
void generators_observe(struct world *world, const struct event *event);

/* Those without a bound of their own end. */
void generators_stop(struct world *world);

/* True if every generator with a bound of its own that has begun has ended. */
/* Will this one make no more requests? */
bool generator_is_over(const struct world *world, uint32_t index);

bool generators_are_done(const struct world *world);

void generators_digest(const struct world *world, struct digest *digest);

/* Asserts that turns are pending, and that no more requests are unfinished than allowed. */
void generators_check(const struct world *world);

#endif
