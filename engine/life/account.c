/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rate limit's account, with the roundings of doubles made in integers.
 */
#include "engine/life/account.h"

#include <assert.h>
#include <stdbool.h>

#include "engine/range.h"

#define SLICES_PER_SECOND 10u
#define MANTISSA_BITS 53

__extension__ typedef unsigned __int128 uint128;

/* mantissa * 2^exponent; the mantissa has 53 bits at most, or is 2^53. */
struct real {
    uint64_t mantissa;
    int exponent;
};

static int count_bits(uint128 value)
{
    int bits = 0;

    for (; value != 0; value >>= 1) {
        bits++;
    }
    return bits;
}

/* To nearest, ties to even. */
static struct real round_to_double(uint128 value, int exponent)
{
    int drop = count_bits(value) - MANTISSA_BITS;
    uint128 rest;
    uint128 half;
    uint64_t mantissa;

    if (drop <= 0) {
        return (struct real){(uint64_t)value, exponent};
    }
    rest = value & (((uint128)1 << drop) - 1);
    half = (uint128)1 << (drop - 1);
    mantissa = (uint64_t)(value >> drop);
    mantissa += rest > half || (rest == half && (mantissa & 1) != 0);
    return (struct real){mantissa, exponent + drop};
}

/* At least 66 bits of the quotient are kept, and one that says whether there are more. */
static struct real divide(struct real dividend, struct real divisor)
{
    int shift = 120 - count_bits(dividend.mantissa);
    uint128 wide = (uint128)dividend.mantissa << shift;
    uint128 quotient = wide / divisor.mantissa;
    bool has_rest = wide % divisor.mantissa != 0;

    return round_to_double(quotient << 1 | has_rest,
                           dividend.exponent - divisor.exponent - shift - 1);
}

static uint64_t cut_to_integer(struct real value)
{
    if (value.exponent >= 0) {
        /* 2^53 << 11 is the first that does not fit. */
        return value.exponent >= 11 ? UINT64_MAX : value.mantissa << value.exponent;
    }
    return value.mantissa >> -value.exponent;
}

uint64_t account_slices_ns(uint64_t bytes, uint64_t quota)
{
    struct real slices;

    assert(quota > 0 && bytes >= quota);
    slices = divide(round_to_double(bytes, 0), round_to_double(quota, 0));
    return cut_to_integer(
        round_to_double((uint128)slices.mantissa * ACCOUNT_SLICE_NS, slices.exponent));
}

void account_set_speed(struct account *account, uint64_t speed)
{
    account->quota = speed == 0 ? 0 : max_u64(speed / SLICES_PER_SECOND, 1);
}

/* A slice that ends at this very instant still counts. */
static bool has_ended(const struct account *account, uint64_t now_ns)
{
    return account->slice_end_ns == 0 || account->slice_end_ns < now_ns;
}

/* Returns how long from now on a slice lasts that has been charged too much, else 0. */
static uint64_t charge(struct account *account, uint64_t bytes, uint64_t now_ns)
{
    uint64_t slices_ns;

    if (account->quota == 0) {
        return 0;
    }
    if (has_ended(account, now_ns)) {
        account->slice_start_ns = now_ns;
        account->slice_end_ns = now_ns + ACCOUNT_SLICE_NS;
        account->charged_bytes = 0;
    }
    account->charged_bytes += bytes;
    if (account->charged_bytes < account->quota) {
        return 0;
    }
    slices_ns = account_slices_ns(account->charged_bytes, account->quota);
    account->slice_end_ns =
        account->slice_start_ns + min_u64(slices_ns, INT64_MAX - account->slice_start_ns);
    /* After the speed has been raised, it may have ended before now. */
    return account->slice_end_ns - min_u64(account->slice_end_ns, now_ns);
}

void account_charge(struct account *account, uint64_t bytes, uint64_t now_ns)
{
    charge(account, bytes, now_ns);
}

uint64_t account_delay_ns(struct account *account, uint64_t now_ns)
{
    return charge(account, 0, now_ns);
}

/* Of a slice that has ended nothing matters any more. */
void account_digest(const struct account *account, uint64_t now_ns, struct digest *digest)
{
    bool ended = has_ended(account, now_ns);

    digest_u64(digest, account->quota);
    digest_u64(digest, ended);
    if (!ended) {
        digest_u64(digest, account->charged_bytes);
        digest_u64(digest, now_ns - account->slice_start_ns);
        digest_u64(digest, account->slice_end_ns - now_ns);
    }
}
