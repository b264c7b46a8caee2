/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rate limit's account (T1'): against doubles, and by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/life/account.h"

#define MS UINT64_C(1000000)
#define SLICE ACCOUNT_SLICE_NS
#define PAIRS 300000
#define LARGEST 9.0e18 /* results are compared below it */

static uint64_t next_number(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* The reference's arithmetic: a division and a multiplication of doubles, then cut. */
static void assert_as_doubles(uint64_t bytes, uint64_t quota)
{
    double slices = (double)bytes / (double)quota;
    double ns = slices * (double)SLICE;

    if (bytes >= quota && ns < LARGEST && account_slices_ns(bytes, quota) != (uint64_t)ns) {
        fail_msg("%llu of %llu: %llu instead of %llu", (unsigned long long)bytes,
                 (unsigned long long)quota, (unsigned long long)account_slices_ns(bytes, quota),
                 (unsigned long long)ns);
    }
}

static void test_account_slices_are_those_of_doubles_when_numbers_are_of_any_size(void **state)
{
    uint64_t random = UINT64_C(88172645463325252);

    (void)state;
    for (uint32_t i = 0; i < PAIRS; i++) {
        uint64_t bytes = next_number(&random) >> (random & 31);
        uint64_t quota = (next_number(&random) >> (random & 31) & UINT32_MAX) + 1;

        assert_as_doubles(bytes, quota);
        assert_as_doubles((bytes & 0xffff) * 512, quota % 10000000 + 1);
    }
}

/* Integers alone would give 410000000 here. */
static void test_account_slices_are_cut_as_doubles_when_a_quotient_has_no_end(void **state)
{
    (void)state;
    assert_int_equal(account_slices_ns(41, 10), 409999999);
    /* Just above and just below 2^63 ns, where it saturates. */
    assert_int_equal(account_slices_ns(UINT64_C(100000000000), 1), UINT64_MAX);
    assert_int_equal(account_slices_ns(UINT64_C(92000000000), 1), UINT64_C(9200000000000000000));
    assert_int_equal(account_slices_ns(UINT64_MAX, 1), UINT64_MAX);
    assert_int_equal(account_slices_ns(UINT64_MAX, UINT64_MAX), SLICE);
}

static const struct {
    uint64_t speed;
    uint64_t quota;
} quotas[] = {
    {0, 0}, {1, 1}, {9, 1}, {10, 1}, {19, 1}, {20, 2}, {1048576, 104857},
};

static void test_account_quota_is_a_tenth_and_at_least_one_when_there_is_a_limit(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        struct account account = {0};

        account_set_speed(&account, quotas[i].speed);
        assert_int_equal(account.quota, quotas[i].quota);
    }
}

static void test_account_charges_nothing_when_there_is_no_limit(void **state)
{
    struct account account = {0};

    (void)state;
    account_charge(&account, 1000, 0);
    account_set_speed(&account, 100);
    assert_int_equal(account_delay_ns(&account, 0), 0);
}

/* Also at the time 0, where no slice has begun before. */
static void test_account_asks_for_what_is_left_of_the_slice_when_the_quota_is_used(void **state)
{
    struct account account = {0};

    (void)state;
    account_set_speed(&account, 1000); /* 100 in a slice */
    account_charge(&account, 99, 0);
    assert_int_equal(account_delay_ns(&account, 0), 0);
    account_charge(&account, 1, 0);
    assert_int_equal(account_delay_ns(&account, 0), SLICE);
    assert_int_equal(account_delay_ns(&account, 30 * MS), 70 * MS);
    account_charge(&account, 150, 30 * MS);
    assert_int_equal(account_delay_ns(&account, 30 * MS), 220 * MS);
}

/* A slice that ends now still counts: the next one begins strictly later. */
static void test_account_begins_a_slice_when_the_old_one_has_ended_before_now(void **state)
{
    struct account account = {0};

    (void)state;
    account_set_speed(&account, 1000);
    account_charge(&account, 100, 0);
    assert_int_equal(account_delay_ns(&account, SLICE), 0);
    account_charge(&account, 50, SLICE);
    assert_int_equal(account_delay_ns(&account, SLICE), 50 * MS);
    assert_int_equal(account_delay_ns(&account, 150 * MS + 1), 0);
    account_charge(&account, 99, 150 * MS + 1);
    assert_int_equal(account_delay_ns(&account, 150 * MS + 1), 0);
}

static void test_account_never_asks_for_less_than_nothing_when_the_speed_is_raised(void **state)
{
    struct account account = {0};

    (void)state;
    account_set_speed(&account, 1000);
    account_charge(&account, 1000, 0);
    account_set_speed(&account, 100000);
    assert_int_equal(account.charged_bytes, 1000);
    assert_int_equal(account_delay_ns(&account, 50 * MS), 0);
}

static uint64_t digest_at(const struct account *account, uint64_t now_ns)
{
    struct digest digest;

    digest_init(&digest);
    account_digest(account, now_ns, &digest);
    return digest_value(&digest);
}

/* What the future depends on, and nothing else. */
static void test_account_digest_tells_accounts_apart_when_they_will_answer_differently(void **state)
{
    struct account one = {0};
    struct account other = {0};

    (void)state;
    account_set_speed(&one, 1000);
    account_set_speed(&other, 1000);
    account_charge(&one, 500, 0);
    account_charge(&other, 500, 10 * MS);
    assert_true(digest_at(&one, 20 * MS) != digest_at(&other, 20 * MS));
    assert_true(digest_at(&one, 20 * MS) == digest_at(&other, 30 * MS));
    assert_true(digest_at(&one, 600 * MS) == digest_at(&other, 700 * MS));
    account_set_speed(&other, 2000);
    assert_true(digest_at(&one, 600 * MS) != digest_at(&other, 700 * MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account_slices_are_those_of_doubles_when_numbers_are_of_any_size),
        cmocka_unit_test(test_account_slices_are_cut_as_doubles_when_a_quotient_has_no_end),
        cmocka_unit_test(test_account_quota_is_a_tenth_and_at_least_one_when_there_is_a_limit),
        cmocka_unit_test(test_account_charges_nothing_when_there_is_no_limit),
        cmocka_unit_test(test_account_asks_for_what_is_left_of_the_slice_when_the_quota_is_used),
        cmocka_unit_test(test_account_begins_a_slice_when_the_old_one_has_ended_before_now),
        cmocka_unit_test(test_account_never_asks_for_less_than_nothing_when_the_speed_is_raised),
        cmocka_unit_test(
            test_account_digest_tells_accounts_apart_when_they_will_answer_differently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
