/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PCT: probabilistic concurrency testing, as a backend of the choices.
 *
 * Each chain of events (timeline.h) has a random priority; the next event is that of the enabled
 * chain with the highest.  At depth d, d - 1 random questions of a run lower the chain that would
 * have run below all others.  A bug that shows whenever d events come in
 * a certain order is found by a run with a probability of at least 1 / (n * k^(d-1)), with n
 * chains and k questions: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler
 * with probabilistic guarantees of finding bugs", ASPLOS 2010.
 *
 * Questions about anything but the order are answered at random, and so are those after the first
 * k of a run: otherwise a chain that polls could starve the others.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_PCT_H
#define MIRRORSIM_TOOLS_EXPLORE_PCT_H

#include <stdint.h>

#include "sim/base/choice.h"

#define PCT_MAX_DEPTH 16u
#define PCT_DEFAULT_DEPTH 3u

/* A question at which the chain that would run is lowered. */
struct pct_change {
    uint64_t at;
    uint32_t chain; /* 0 = not yet */
};

struct pct {
    uint64_t seed;
    uint32_t depth;     /* d */
    uint64_t questions; /* k */
    uint64_t asked;     /* questions about the order so far, ... */
    uint32_t chains;    /* ... and the chains that they were about: n */
    struct pct_change changes[PCT_MAX_DEPTH - 1];
};

/* Begins a run.  `questions` is what a quiet run asks; depth is 1 to PCT_MAX_DEPTH. */
void pct_begin(struct pct *pct, uint64_t seed, uint32_t depth, uint64_t questions);

/* A choice_backend; `opaque` is the struct pct. */
uint32_t pct_answer(void *opaque, const struct question *question);

/* 1 / (n * k^(d-1)): a lower bound of the probability that a run finds a bug of that depth. */
double pct_chance(uint32_t chains, uint64_t questions, uint32_t depth);

#endif
