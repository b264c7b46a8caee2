/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Digests: equal for equal values, different otherwise, the same on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/digest.h"

/* The digest of 0, 1, .. count - 1, with `changed` (if less) replaced. */
static uint64_t digest_of_count(uint32_t count, uint32_t changed)
{
    struct digest digest;

    digest_init(&digest);
    for (uint32_t i = 0; i < count; i++) {
        digest_u64(&digest, i == changed ? UINT64_MAX : i);
    }
    return digest_value(&digest);
}

/* Each length has its own digest, also around multiples of DIGEST_WORDS. */
static void test_digest_differs_when_lengths_do(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < 3 * DIGEST_WORDS; a++) {
        assert_int_equal(digest_of_count(a, UINT32_MAX), digest_of_count(a, UINT32_MAX));
        for (uint32_t b = 0; b < a; b++) {
            assert_int_not_equal(digest_of_count(a, UINT32_MAX), digest_of_count(b, UINT32_MAX));
        }
    }
}

/* Every value counts, even one in a block that was hashed long ago. */
static void test_digest_differs_when_any_one_value_does(void **state)
{
    uint32_t count = 2 * DIGEST_WORDS + 3;

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_not_equal(digest_of_count(count, i), digest_of_count(count, UINT32_MAX));
    }
}

static uint64_t digest_of_flags(const bool facts[3])
{
    struct digest digest;

    digest_init(&digest);
    digest_flags(&digest, facts[0], facts[1], facts[2]);
    return digest_value(&digest);
}

/* Each of several flags counts, and so does its position. */
static void test_digest_flags_differ_when_any_fact_does(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 8; a++) {
        const bool x[3] = {(a & 1) != 0, (a & 2) != 0, (a & 4) != 0};

        for (unsigned b = 0; b < 8; b++) {
            const bool y[3] = {(b & 1) != 0, (b & 2) != 0, (b & 4) != 0};

            assert_true((digest_of_flags(x) == digest_of_flags(y)) == (a == b));
        }
    }
}

/* Order counts. */
static void test_digest_differs_when_values_are_swapped(void **state)
{
    struct digest a;
    struct digest b;

    (void)state;
    digest_init(&a);
    digest_init(&b);
    digest_u64(&a, 1);
    digest_u64(&a, 2);
    digest_u64(&b, 2);
    digest_u64(&b, 1);
    assert_int_not_equal(digest_value(&a), digest_value(&b));
}

static uint64_t digest_of_strings(const char *first, const char *second)
{
    struct digest digest;

    digest_init(&digest);
    digest_string(&digest, first);
    digest_string(&digest, second);
    return digest_value(&digest);
}

/* A string's end is part of it. */
static void test_digest_of_strings_differs_when_cut_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(digest_of_strings("ab", "c"), digest_of_strings("ab", "c"));
    assert_int_not_equal(digest_of_strings("ab", "c"), digest_of_strings("a", "bc"));
    assert_int_not_equal(digest_of_strings("", "abc"), digest_of_strings("abc", ""));
}

/* Reading a digest changes nothing: values can be added afterwards. */
static void test_digest_goes_on_when_it_has_been_read(void **state)
{
    struct digest a;
    struct digest b;
    uint64_t value;

    (void)state;
    digest_init(&a);
    digest_u64(&a, 7);
    value = digest_value(&a);
    assert_int_equal(digest_value(&a), value);
    digest_u64(&a, 8);
    digest_init(&b);
    digest_u64(&b, 8);
    assert_int_not_equal(digest_value(&a), value);
    assert_int_not_equal(digest_value(&a), digest_value(&b));
}

/* A fixed value, so that traces of different machines can be compared. */
static void test_digest_is_what_it_always_was(void **state)
{
    (void)state;
    assert_int_equal(digest_of_count(40, UINT32_MAX), UINT64_C(0xc5274690dba27ae3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_differs_when_lengths_do),
        cmocka_unit_test(test_digest_differs_when_any_one_value_does),
        cmocka_unit_test(test_digest_flags_differ_when_any_fact_does),
        cmocka_unit_test(test_digest_differs_when_values_are_swapped),
        cmocka_unit_test(test_digest_of_strings_differs_when_cut_elsewhere),
        cmocka_unit_test(test_digest_goes_on_when_it_has_been_read),
        cmocka_unit_test(test_digest_is_what_it_always_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
