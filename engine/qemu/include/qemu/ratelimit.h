/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reference revision's rate limiter, with its defect (D11): the rule is observable.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_RATELIMIT_H
#define MIRRORSIM_ENGINE_QEMU_RATELIMIT_H

#include <stdint.h>

/* Our own engine has functions of these names. */
#define ratelimit_calculate_delay qemu_ratelimit_calculate_delay
#define ratelimit_set_speed qemu_ratelimit_set_speed

/* All zero to begin with. */
typedef struct RateLimit {
    int64_t next_slice_time;
    uint64_t slice_ns;
    uint64_t slice_quota;
    uint64_t dispatched;
} RateLimit;

/*
 * Accounts n units: 0, or the ns to wait until the next slice.  The first charge of a slice
 * is free, and so is what one charge exceeds the quota by.
 */
int64_t ratelimit_calculate_delay(RateLimit *limit, uint64_t n);

/* `speed` units a second, in slices of so many ns; what was accounted stays. */
void ratelimit_set_speed(RateLimit *limit, uint64_t speed, uint64_t slice_ns);

#endif
