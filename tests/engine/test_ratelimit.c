/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rate limiter: T2 holds in every window, whatever the caller's timing, and
 * a caller that always has more still gets the full speed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/2.2/ratelimit.h"
#include "engine/range.h"
#include "engine/units.h"
#include "tests/support/units.h"

#define MAX_CHARGES 400

/* The charges and their instants. */
struct history {
    uint32_t count;
    struct {
        uint64_t now_ns;
        uint64_t bytes;
    } charge[MAX_CHARGES];
};

static uint64_t charge(struct history *history, struct ratelimit *limit, uint64_t bytes,
                       uint64_t now_ns)
{
    assert_true(history->count < MAX_CHARGES);
    history->charge[history->count].now_ns = now_ns;
    history->charge[history->count++].bytes = bytes;
    return ratelimit_charge(limit, bytes, now_ns);
}

/* Asserts T2 for every window that begins and ends with a charge. */
static void assert_within_promise(const struct history *history, uint64_t speed, uint64_t op_bytes)
{
    uint64_t quota = max_u64(speed / 10, SECTOR_BYTES);

    for (uint32_t first = 0; first < history->count; first++) {
        uint64_t bytes = 0;

        for (uint32_t last = first; last < history->count; last++) {
            uint64_t window_ns = history->charge[last].now_ns - history->charge[first].now_ns;
            uint64_t due = window_ns / NS_PER_SECOND * speed +
                           window_ns % NS_PER_SECOND * speed / NS_PER_SECOND;

            bytes += history->charge[last].bytes;
            assert_true(bytes <= due + quota + op_bytes);
        }
    }
}

static const struct {
    uint64_t speed;
    uint64_t op_bytes;
} cases[] = {
    {1 << 20, 65536},   {1 << 20, 512},         {1000000, 10 << 20},
    {100 << 20, 65536}, {(1 << 20) + 1, 65536}, {5120, 512},
    {5119, 512},        {5000, 65536},          {1, 512},
    {12345678, 4096},   {512, 1 << 20},
};

#define CASES COUNT_OF(cases)

/* Runs a caller that always has more, with timers late by up to `late_ns`. */
static void run_bulk(uint64_t speed, uint64_t op_bytes, uint64_t late_ns)
{
    struct history history = {0};
    struct ratelimit limit = {0};
    uint64_t now_ns = 123456789;
    uint64_t total = 0;

    ratelimit_set_speed(&limit, speed, now_ns);
    while (history.count < MAX_CHARGES) {
        uint64_t delay_ns = charge(&history, &limit, op_bytes, now_ns);

        if (delay_ns > 0) {
            now_ns += delay_ns + (late_ns > 0 ? history.count * 7919 % late_ns : 0);
            assert_int_equal(ratelimit_delay(&limit, now_ns), 0);
        }
        total += op_bytes;
    }
    assert_within_promise(&history, speed, op_bytes);
    if (late_ns == 0) { /* and no slower than the limit: each slice pays for its sectors */
        uint64_t quota = max_u64(speed / 10 / SECTOR_BYTES * SECTOR_BYTES, SECTOR_BYTES);
        uint64_t slice_ns = max_u64(SLICE_NS, SECTOR_BYTES * NS_PER_SECOND / speed + 1);

        assert_true(total >= (now_ns - 123456789) / slice_ns * quota);
    }
}

static void test_ratelimit_keeps_promise_and_speed_when_timer_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        run_bulk(cases[i].speed, cases[i].op_bytes, 0);
    }
}

static void test_ratelimit_keeps_promise_when_timer_is_late(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        run_bulk(cases[i].speed, cases[i].op_bytes, 1);
        run_bulk(cases[i].speed, cases[i].op_bytes, 30 * MS);
        run_bulk(cases[i].speed, cases[i].op_bytes, 250 * MS);
    }
}

/*
 * A caller that charges slowly and then all at once around the end of a slice
 * gets one quota, not both the old slice's and the new one's.
 */
static void test_ratelimit_keeps_promise_when_burst_straddles_a_slice(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        uint64_t op_bytes = cases[i].op_bytes;
        struct history history = {0};
        struct ratelimit limit = {0};
        uint64_t now_ns = SLICE_NS - 1000;

        ratelimit_set_speed(&limit, cases[i].speed, 0);
        charge(&history, &limit, 512, 0);
        now_ns += ratelimit_delay(&limit, now_ns);
        while (now_ns < 10 * SLICE_NS && history.count < MAX_CHARGES) {
            now_ns += charge(&history, &limit, op_bytes, now_ns) + 100;
        }
        assert_within_promise(&history, cases[i].speed, op_bytes);
    }
}

/* Time in which nothing is charged earns nothing. */
static void test_ratelimit_keeps_promise_when_idle_before(void **state)
{
    struct history history = {0};
    struct ratelimit limit = {0};
    uint64_t now_ns = 1000 * NS_PER_SECOND;

    (void)state;
    ratelimit_set_speed(&limit, 1 << 20, 0);
    charge(&history, &limit, 4096, 0);
    for (int i = 0; i < 100; i++) {
        now_ns += charge(&history, &limit, 65536, now_ns);
    }
    assert_within_promise(&history, 1 << 20, 65536);
}

/* The excess over the quota is slept for in whole slices, the rest carried over (D11). */
static void test_ratelimit_carries_excess_over_when_quota_is_exceeded(void **state)
{
    struct ratelimit limit = {0};

    (void)state;
    ratelimit_set_speed(&limit, 512000, 0); /* 51200 bytes per slice */
    assert_int_equal(ratelimit_charge(&limit, 51200 - 512, 0), 0);
    assert_int_equal(ratelimit_charge(&limit, 512, 0), SLICE_NS);
    assert_int_equal(ratelimit_charge(&limit, 51200 + 512, SLICE_NS), SLICE_NS);
    assert_int_equal(ratelimit_charge(&limit, 3 * 51200, 2 * SLICE_NS), 3 * SLICE_NS);
    assert_int_equal(ratelimit_charge(&limit, 51200 - 1024, 5 * SLICE_NS), 0);
}

/* A slice is as long as a sector takes if the speed can't pay one in 100 ms. */
static void test_ratelimit_waits_for_whole_sectors_when_speed_is_tiny(void **state)
{
    struct ratelimit limit = {0};

    (void)state;
    ratelimit_set_speed(&limit, 1, 0);
    assert_int_equal(ratelimit_charge(&limit, 512, 0), 512 * NS_PER_SECOND);
    assert_int_equal(ratelimit_charge(&limit, 1024, 0), 3 * 512 * NS_PER_SECOND);
    assert_int_equal(ratelimit_delay(&limit, 3 * 512 * NS_PER_SECOND), 0);
}

/* A new speed neither lowers nor raises the account. */
static void test_ratelimit_pays_at_new_speed_when_speed_changes(void **state)
{
    struct ratelimit limit = {0};

    (void)state;
    ratelimit_set_speed(&limit, 512000, 0);
    ratelimit_charge(&limit, 512000, 0); /* ten slices' worth */
    assert_int_equal(ratelimit_delay(&limit, 0), 10 * SLICE_NS);
    ratelimit_set_speed(&limit, 5120000, 5 * SLICE_NS);
    assert_int_equal(ratelimit_delay(&limit, 5 * SLICE_NS), 0);
    ratelimit_set_speed(&limit, 51200, 5 * SLICE_NS);
    assert_int_equal(ratelimit_delay(&limit, 5 * SLICE_NS), 50 * SLICE_NS);
}

static void test_ratelimit_forgets_when_speed_is_lifted(void **state)
{
    struct ratelimit limit = {0};

    (void)state;
    ratelimit_set_speed(&limit, 512, 0);
    ratelimit_charge(&limit, 1 << 30, 0);
    ratelimit_set_speed(&limit, 0, 0);
    assert_int_equal(ratelimit_delay(&limit, 0), 0);
    assert_int_equal(ratelimit_charge(&limit, 1 << 30, 0), 0);
    ratelimit_set_speed(&limit, 512, 0);
    assert_int_equal(ratelimit_charge(&limit, 512, 0), NS_PER_SECOND);
}

/* However often the speed is set again, the account is paid off in the same time. */
static void test_ratelimit_does_not_starve_when_speed_is_set_again_and_again(void **state)
{
    static const uint64_t speeds[][2] = {{1000, 1000}, {1000, 1001}, {5119, 5121}, {1, 2}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(speeds); i++) {
        struct ratelimit limit = {0};
        uint64_t now_ns = 0;
        uint64_t paid_ns = 4096 * NS_PER_SECOND / speeds[i][0];

        ratelimit_set_speed(&limit, speeds[i][0], 0);
        assert_true(ratelimit_charge(&limit, 4096, 0) > 0);
        for (uint32_t n = 0; ratelimit_delay(&limit, now_ns) > 0; n++) {
            now_ns += paid_ns / 100000;
            ratelimit_set_speed(&limit, speeds[i][n % 2], now_ns);
            assert_true(now_ns <= paid_ns);
        }
    }
}

/* Setting the speed earns nothing: T2 holds for the faster of the two. */
static void test_ratelimit_keeps_promise_when_speed_is_set_again_and_again(void **state)
{
    struct history history = {0};
    struct ratelimit limit = {0};
    uint64_t now_ns = 0;

    (void)state;
    ratelimit_set_speed(&limit, 1 << 20, 0);
    for (uint32_t n = 0; history.count < 200; n++) {
        if (ratelimit_delay(&limit, now_ns) == 0) {
            charge(&history, &limit, 65536, now_ns);
        }
        ratelimit_set_speed(&limit, (1 << 20) - n % 2, now_ns);
        now_ns += 5 * MS;
    }
    assert_within_promise(&history, 1 << 20, 65536);
}

/* The largest numbers do not wrap. */
static void test_ratelimit_does_not_wrap_when_numbers_are_huge(void **state)
{
    struct ratelimit limit = {0};

    (void)state;
    ratelimit_set_speed(&limit, INT64_MAX, 0);
    assert_int_equal(ratelimit_charge(&limit, 1 << 30, 0), 0);
    assert_int_equal(ratelimit_charge(&limit, UINT64_MAX, 0), 20 * SLICE_NS);
    assert_int_equal(ratelimit_delay(&limit, 20 * SLICE_NS), 0);
    ratelimit_set_speed(&limit, 1, 20 * SLICE_NS);
    ratelimit_charge(&limit, UINT64_MAX, 20 * SLICE_NS);
    assert_true(ratelimit_delay(&limit, 20 * SLICE_NS) > UINT64_MAX / 2);
    assert_true(ratelimit_delay(&limit, UINT64_MAX - 1) <= 1);
    ratelimit_set_speed(&limit, UINT64_MAX, UINT64_MAX - 1);
    assert_int_equal(ratelimit_delay(&limit, UINT64_MAX), 0);
}

static uint64_t digest_at(const struct ratelimit *limit, uint64_t now_ns)
{
    struct digest digest;

    digest_init(&digest);
    ratelimit_digest(limit, now_ns, &digest);
    return digest_value(&digest);
}

/* The digest depends only on what will happen, not on when the charges were made. */
static void test_ratelimit_digests_are_equal_just_when_the_future_is(void **state)
{
    struct ratelimit a = {0};
    struct ratelimit b = {0};

    (void)state;
    ratelimit_set_speed(&a, 512000, 0);
    ratelimit_set_speed(&b, 512000, 0);
    ratelimit_charge(&a, 76800, 0);
    ratelimit_charge(&b, 25600, SLICE_NS);
    assert_int_equal(digest_at(&a, SLICE_NS), digest_at(&b, SLICE_NS));
    assert_int_not_equal(digest_at(&a, SLICE_NS), digest_at(&a, SLICE_NS + 20000));
    assert_int_equal(digest_at(&a, NS_PER_SECOND), digest_at(&b, 2 * NS_PER_SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ratelimit_keeps_promise_and_speed_when_timer_is_exact),
        cmocka_unit_test(test_ratelimit_keeps_promise_when_timer_is_late),
        cmocka_unit_test(test_ratelimit_keeps_promise_when_burst_straddles_a_slice),
        cmocka_unit_test(test_ratelimit_keeps_promise_when_idle_before),
        cmocka_unit_test(test_ratelimit_carries_excess_over_when_quota_is_exceeded),
        cmocka_unit_test(test_ratelimit_waits_for_whole_sectors_when_speed_is_tiny),
        cmocka_unit_test(test_ratelimit_pays_at_new_speed_when_speed_changes),
        cmocka_unit_test(test_ratelimit_forgets_when_speed_is_lifted),
        cmocka_unit_test(test_ratelimit_does_not_starve_when_speed_is_set_again_and_again),
        cmocka_unit_test(test_ratelimit_keeps_promise_when_speed_is_set_again_and_again),
        cmocka_unit_test(test_ratelimit_does_not_wrap_when_numbers_are_huge),
        cmocka_unit_test(test_ratelimit_digests_are_equal_just_when_the_future_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
