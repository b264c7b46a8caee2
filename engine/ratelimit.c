/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slices and quotas: the job's speed limit (mirror-algorithm T).
 */
#include "engine/ratelimit.h"

#include "engine/range.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define SLICES_PER_SECOND (NS_PER_SECOND / SLICE_NS)

/* Sectors due after that many slices; saturates. */
static uint64_t paid_by(const struct ratelimit *limit, uint64_t slices)
{
    if (slices > UINT64_MAX / limit->quota_sectors) {
        return UINT64_MAX;
    }
    return slices * limit->quota_sectors;
}

/*
 * Pays for the slices that have passed.  With an empty account the next slice
 * starts at the next charge, so idle time earns nothing.
 */
static void pay(struct ratelimit *limit, uint64_t now_ns)
{
    uint64_t slices;

    if (limit->quota_sectors == 0 || limit->account_sectors == 0) {
        limit->slice_start_ns = now_ns;
        return;
    }
    slices = (now_ns - limit->slice_start_ns) / limit->slice_ns;
    limit->account_sectors -= min_u64(limit->account_sectors, paid_by(limit, slices));
    limit->slice_start_ns =
        limit->account_sectors == 0 ? now_ns : limit->slice_start_ns + slices * limit->slice_ns;
}

void ratelimit_set_speed(struct ratelimit *limit, uint64_t speed, uint64_t now_ns)
{
    uint64_t slice_ns = SLICE_NS;
    uint64_t quota = speed / (SLICES_PER_SECOND * SECTOR_BYTES);

    pay(limit, now_ns);
    if (speed == 0) {
        limit->account_sectors = 0;
    } else if (quota == 0) {
        quota = 1;
        slice_ns = div_round_up(SECTOR_BYTES * NS_PER_SECOND, speed);
    }
    if (slice_ns != limit->slice_ns) {
        limit->slice_start_ns = now_ns;
    }
    limit->quota_sectors = quota;
    limit->slice_ns = slice_ns;
}

/* The account is up to date: how long until it is below the quota again. */
static uint64_t delay_from(const struct ratelimit *limit, uint64_t now_ns)
{
    uint64_t slices;

    if (limit->quota_sectors == 0 || limit->account_sectors <= limit->quota_sectors) {
        return 0;
    }
    slices = limit->account_sectors / limit->quota_sectors;
    if (slices > (UINT64_MAX - limit->slice_start_ns) / limit->slice_ns) {
        return UINT64_MAX - now_ns;
    }
    return limit->slice_start_ns + slices * limit->slice_ns - now_ns;
}

uint64_t ratelimit_charge(struct ratelimit *limit, uint64_t sectors, uint64_t now_ns)
{
    if (limit->quota_sectors == 0) {
        return 0;
    }
    pay(limit, now_ns);
    limit->account_sectors += sectors;
    return delay_from(limit, now_ns);
}

uint64_t ratelimit_delay(struct ratelimit *limit, uint64_t now_ns)
{
    pay(limit, now_ns);
    return delay_from(limit, now_ns);
}

void ratelimit_digest(const struct ratelimit *limit, uint64_t now_ns, struct digest *digest)
{
    digest_u64(digest, limit->quota_sectors);
    digest_u64(digest, limit->slice_ns);
    digest_u64(digest, limit->account_sectors);
    digest_u64(digest, limit->account_sectors == 0 ? 0 : now_ns - limit->slice_start_ns);
}
