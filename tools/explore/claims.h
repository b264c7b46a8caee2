/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a search that has found nothing can honestly claim.
 *
 * PCT: the probability that it would have found a bug of its depth.  Seeds: an estimate of the
 * number of states not seen.  Failures: which kinds of them have happened.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_CLAIMS_H
#define MIRRORSIM_TOOLS_EXPLORE_CLAIMS_H

#include <jansson.h>
#include <stdint.h>

#include "tools/explore/session.h"

struct claims {
    /*
     * PCT: each bug of the depth in a plan of the search was found with at least this probability.
     */
    double chance;

    /*
     * States of a sample of the runs, and an estimate of the number of others, from the number seen
     * by exactly one run and by exactly two: a lower bound (Chao2: Chao, "Estimating the
     * population size for capture-recapture data with unequal catchability", Biometrics 1987).
     */
    uint64_t sampled; /* runs; 0 = no sample was taken */
    uint64_t seen;
    uint64_t unseen;
    uint64_t failures; /* of VARIANT_FAILURES, have happened */
};

/* Runs the sample again, in this process. */
struct claims claims_make(const struct explore_session *session);

/* One line each, of what can be claimed. */
void claims_print(const struct claims *claims, const struct explore_session *session);

/* The same as an object. */
json_t *claims_json(const struct claims *claims, const struct explore_session *session);

#endif
