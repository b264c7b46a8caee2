/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slices and quotas: the job's speed limit (mirror-algorithm T).
 *
 * The account holds sectors charged and not yet paid.  A slice pays one
 * quota.  While the account is within the quota there is no delay; beyond it,
 * the caller sleeps until whole slices have brought it below the quota again,
 * and what is left stays in the account (D11: nothing is forgotten, nothing
 * is free).  Hence the promise T2: over any window, sectors issued are at
 * most speed * window + one quota + one operation.
 *
 * A speed too low to pay one sector per slice (below 5120 bytes/s) gets a
 * longer slice instead, in which one sector is due.
 */
#ifndef MIRRORSIM_ENGINE_RATELIMIT_H
#define MIRRORSIM_ENGINE_RATELIMIT_H

#include <stdint.h>

#include "engine/digest.h"

/* The period of forced yielding, of idle polling and of the rate limiter. */
#define SLICE_NS UINT64_C(100000000)

struct ratelimit {
    uint64_t quota_sectors; /* paid per slice; 0 = no limit */
    uint64_t slice_ns;
    uint64_t slice_start_ns;
    uint64_t account_sectors;
};

/*
 * Sets the speed in bytes/s at instant `now_ns`; 0 lifts the limit and
 * forgets the account.  Slices that have passed are paid at the old speed.
 */
void ratelimit_set_speed(struct ratelimit *limit, uint64_t speed, uint64_t now_ns);

/*
 * Charges `sectors` at `now_ns` and returns how long to sleep, in ns; 0 = go
 * on.  Without a limit it always returns 0.
 */
uint64_t ratelimit_charge(struct ratelimit *limit, uint64_t sectors, uint64_t now_ns);

/* How long a job that sleeps for this limit must still sleep from `now_ns`. */
uint64_t ratelimit_delay(struct ratelimit *limit, uint64_t now_ns);

void ratelimit_digest(const struct ratelimit *limit, uint64_t now_ns, struct digest *digest);

#endif
