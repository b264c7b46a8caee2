/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reference revision's rate limiter, with its defect (D11), because its rule is
 * observable.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_RATELIMIT_H
#define MIRRORSIM_ENGINE_QEMU_2_2_RATELIMIT_H

#include <stdint.h>

/* Our own engine has functions of these names. */
#define ratelimit_calculate_delay qemu_ratelimit_calculate_delay
#define ratelimit_set_speed qemu_ratelimit_set_speed

/* All zero initially. */
typedef struct RateLimit {
    int64_t next_slice_time;
    uint64_t slice_ns;
    uint64_t slice_quota;
    uint64_t dispatched;
} RateLimit;

/*
 * Charges n units and returns 0, or the ns to wait until the next slice.  The first charge
 * of a slice is free, and so is the part of a charge that exceeds the quota.
 */
int64_t ratelimit_calculate_delay(RateLimit *limit, uint64_t n);

/* Sets `speed` units per second, in slices of `slice_ns`; charges already made stay. */
void ratelimit_set_speed(RateLimit *limit, uint64_t speed, uint64_t slice_ns);

#endif
