/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slices and quotas: the job's speed limit (mirror-algorithm T).
 *
 * A leaky bucket.  The account holds bytes charged and not yet paid; time pays
 * them at the job's speed, and an empty account earns nothing.  While the
 * account is below one quota (what a slice pays) the caller may charge more;
 * from there on, it sleeps until whole slices have paid all but a rest below the
 * quota, and that rest stays in the account (D11: nothing is forgotten,
 * nothing is free).  So the account never exceeds a quota and an operation,
 * and T2 follows: over any window, bytes charged are at most speed * window +
 * one quota + one operation, however early or late the caller comes.
 *
 * A speed too low to pay one sector per slice (below 5120 bytes/s) gets a
 * quota of one sector, and a slice as long as it takes to pay it.
 */
#ifndef MIRRORSIM_ENGINE_2_2_RATELIMIT_H
#define MIRRORSIM_ENGINE_2_2_RATELIMIT_H

#include <stdint.h>

#include "engine/digest.h"

/* The period of forced yielding, of idle polling and of the rate limiter. */
#define SLICE_NS UINT64_C(100000000)

struct ratelimit {
    uint64_t speed;         /* bytes/s; 0 = no limit */
    uint64_t account_bytes; /* charged and, at paid_ns, not yet paid */
    uint64_t paid_parts;    /* of the next byte, in 1/10^9: paid already */
    uint64_t paid_ns;
};

/*
 * Sets the speed in bytes/s from instant `now_ns` on; what was charged before
 * stays to be paid, except that 0 lifts the limit and forgets the account.
 */
void ratelimit_set_speed(struct ratelimit *limit, uint64_t speed, uint64_t now_ns);

/*
 * Charges `bytes` at `now_ns` and returns how long to sleep, in ns; 0 = go
 * on.  Without a limit it always returns 0.
 */
uint64_t ratelimit_charge(struct ratelimit *limit, uint64_t bytes, uint64_t now_ns);

/* How long to sleep from `now_ns` before anything more may be charged. */
uint64_t ratelimit_delay(struct ratelimit *limit, uint64_t now_ns);

void ratelimit_digest(const struct ratelimit *limit, uint64_t now_ns, struct digest *digest);

#endif
