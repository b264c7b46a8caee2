/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rate limit's account (modern-algorithm T1').
 *
 * Bytes are charged after the fact, without delay; who wants to go on asks how long to sleep.  The
 * end of an extended slice is defined in double precision, cut to whole ns: start + account / quota
 * * 10^8.  This is computed here in integers, with the roundings of IEEE 754 (to nearest, ties to
 * even, for the division and for the multiplication), since a slice that ends one ns sooner is
 * another trace.
 */
#ifndef MIRRORSIM_ENGINE_LIFE_ACCOUNT_H
#define MIRRORSIM_ENGINE_LIFE_ACCOUNT_H

#include <stdint.h>

#include "engine/digest.h"

#define ACCOUNT_SLICE_NS UINT64_C(100000000)

struct account {
    uint64_t quota; /* bytes per slice, at least 1; 0 = no limit */
    uint64_t charged_bytes;
    uint64_t slice_start_ns;
    uint64_t slice_end_ns; /* 0 = there has been no slice */
};

/* speed in bytes/s, 0 = no limit.  Leaves account and slice as they are. */
void account_set_speed(struct account *account, uint64_t speed);

/* Nothing is charged without a limit. */
void account_charge(struct account *account, uint64_t bytes, uint64_t now_ns);

/* How long to sleep from now on; 0 = not at all. */
uint64_t account_delay_ns(struct account *account, uint64_t now_ns);

/*
 * bytes / quota * ACCOUNT_SLICE_NS as doubles would give it, cut to ns; saturates.  bytes >= quota.
 */
uint64_t account_slices_ns(uint64_t bytes, uint64_t quota);

void account_digest(const struct account *account, uint64_t now_ns, struct digest *digest);

#endif
