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
#define QUOTIENT_SHIFT 61
#define PRODUCT_SHIFT 11
#define LOW_BITS (((uint64_t)1 << (32 - PRODUCT_SHIFT)) - 1)

/* mantissa * 2^exponent; the mantissa has 53 bits, or is 2^53. */
struct real {
    uint64_t mantissa;
    int exponent;
};

static int count_bits(uint64_t value)
{
    return 64 - __builtin_clzll(value);
}

/*
 * To nearest, ties to even.  The value is not 0; one of more than 54 bits may stand for a longer
 * one, if its lowest bit says whether anything follows.
 */
static struct real round_to_double(uint64_t value, int exponent)
{
    int drop = count_bits(value) - MANTISSA_BITS;
    uint64_t rest;
    uint64_t half;
    uint64_t mantissa;

    if (drop <= 0) {
        return (struct real){value << -drop, exponent + drop};
    }
    rest = value & (((uint64_t)1 << drop) - 1);
    half = (uint64_t)1 << (drop - 1);
    mantissa = value >> drop;
    mantissa += rest > half || (rest == half && (mantissa & 1) != 0);
    return (struct real){mantissa, exponent + drop};
}

/* By hand, for not every machine has integers of 128 bits: 61 bits of the quotient or more. */
static struct real divide(struct real dividend, struct real divisor)
{
    uint64_t quotient = dividend.mantissa / divisor.mantissa;
    uint64_t rest = dividend.mantissa % divisor.mantissa;

    for (int i = 0; i < QUOTIENT_SHIFT; i++) {
        rest <<= 1;
        quotient = quotient << 1 | (rest >= divisor.mantissa);
        rest %= divisor.mantissa;
    }
    return round_to_double(quotient << 1 | (rest != 0),
                           dividend.exponent - divisor.exponent - QUOTIENT_SHIFT - 1);
}

/* The product's highest bits, 57 or more, and in the lowest whether anything follows. */
static struct real multiply(struct real value, uint32_t factor)
{
    uint64_t low = (value.mantissa & UINT32_MAX) * factor;
    uint64_t high = (value.mantissa >> 32) * factor + (low >> 32);

    /* high has 53 bits at most. */
    low &= UINT32_MAX;
    return round_to_double(high << PRODUCT_SHIFT | low >> (32 - PRODUCT_SHIFT) |
                               ((low & LOW_BITS) != 0),
                           value.exponent + 32 - PRODUCT_SHIFT);
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
    assert(quota > 0 && bytes >= quota);
    return cut_to_integer(
        multiply(divide(round_to_double(bytes, 0), round_to_double(quota, 0)), ACCOUNT_SLICE_NS));
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
