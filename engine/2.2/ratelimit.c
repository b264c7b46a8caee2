/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slices and quotas: the job's speed limit (mirror-algorithm T).
 */
#include "engine/2.2/ratelimit.h"

#include "engine/range.h"
#include "engine/units.h"

#define SLICES_PER_SECOND (NS_PER_SECOND / SLICE_NS)

/* What a slice pays, in whole sectors; a limit is set. */
static uint64_t quota_bytes(const struct ratelimit *limit)
{
    return max_u64(align_down(limit->speed / SLICES_PER_SECOND, SECTOR_BYTES), SECTOR_BYTES);
}

/* How long it takes to pay a quota, at most. */
static uint64_t slice_ns(const struct ratelimit *limit)
{
    return max_u64(SLICE_NS, div_round_up(SECTOR_BYTES * NS_PER_SECOND, limit->speed));
}

/*
 * Pays for the time that has passed, in two steps, so that no sum overflows.
 * Where there is no limit nothing is owed.
 */
static void pay(struct ratelimit *limit, uint64_t now_ns)
{
    uint64_t seconds = (now_ns - limit->paid_ns) / NS_PER_SECOND;
    uint64_t ns = (now_ns - limit->paid_ns) % NS_PER_SECOND;
    uint64_t parts = limit->paid_parts + ns * (limit->speed % NS_PER_SECOND);
    uint64_t bytes = ns * (limit->speed / NS_PER_SECOND) + parts / NS_PER_SECOND;

    limit->paid_ns = now_ns;
    limit->account_bytes -= min_u64(limit->account_bytes, bytes);
    if (limit->speed == 0 || limit->account_bytes / limit->speed < seconds) {
        limit->account_bytes = 0;
    } else {
        limit->account_bytes -= limit->speed * seconds;
    }
    limit->paid_parts = limit->account_bytes == 0 ? 0 : parts % NS_PER_SECOND;
}

void ratelimit_set_speed(struct ratelimit *limit, uint64_t speed, uint64_t now_ns)
{
    pay(limit, now_ns);
    limit->speed = speed;
}

uint64_t ratelimit_charge(struct ratelimit *limit, uint64_t bytes, uint64_t now_ns)
{
    pay(limit, now_ns);
    limit->account_bytes += min_u64(bytes, UINT64_MAX - limit->account_bytes);
    return ratelimit_delay(limit, now_ns);
}

uint64_t ratelimit_delay(struct ratelimit *limit, uint64_t now_ns)
{
    uint64_t slices;

    pay(limit, now_ns);
    if (limit->speed == 0 || limit->account_bytes < quota_bytes(limit)) {
        return 0;
    }
    slices = limit->account_bytes / quota_bytes(limit);
    return min_u64(slices, (UINT64_MAX - now_ns) / slice_ns(limit)) * slice_ns(limit);
}

void ratelimit_digest(const struct ratelimit *limit, uint64_t now_ns, struct digest *digest)
{
    struct ratelimit paid = *limit;

    pay(&paid, now_ns);
    digest_u64(digest, paid.speed);
    digest_u64(digest, paid.account_bytes);
    digest_u64(digest, paid.paid_parts);
}
