/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rule of the reference revision's rate limiter, which uses floating point.
 */
#include "qemu/ratelimit.h"

#include "block/block_int.h"

int64_t ratelimit_calculate_delay(RateLimit *limit, uint64_t n)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    if (limit->next_slice_time < now) {
        limit->next_slice_time = now + (int64_t)limit->slice_ns;
        limit->dispatched = 0;
    }
    if (limit->dispatched == 0 || limit->dispatched + n <= limit->slice_quota) {
        limit->dispatched += n;
        return 0;
    }
    limit->dispatched = n;
    return limit->next_slice_time - now;
}

void ratelimit_set_speed(RateLimit *limit, uint64_t speed, uint64_t slice_ns)
{
    limit->slice_ns = slice_ns;
    limit->slice_quota = (uint64_t)((double)speed * (double)slice_ns / 1e9);
}
