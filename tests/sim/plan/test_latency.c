/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Latencies: quiet is the median, quantiles ascend, and samples are committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/plan/latency.h"
#include "tests/support/units.h"

#define SLOWEST (LATENCY_BOUND - 1)

static const struct latency_spec fixed = {.kind = LATENCY_FIXED, .a_ns = 200 * US};
static const struct latency_spec uniform = {
    .kind = LATENCY_UNIFORM, .a_ns = 100 * US, .b_ns = 300 * US};
static const struct latency_spec exponential = {.kind = LATENCY_EXPONENTIAL, .a_ns = 2 * MS};
static const struct latency_spec percentiles = {
    .kind = LATENCY_PERCENTILES, .a_ns = 80 * US, .b_ns = 900 * US};

static uint32_t answer_of(void *opaque, const struct question *question)
{
    uint32_t *answer = opaque;

    assert_string_equal(question->site, "latency");
    assert_int_equal(question->bound, LATENCY_BOUND);
    return (*answer)++;
}

/* Quiet answers, then answers 0, 1, ... counted from the median, wrapping round. */
static void test_latency_draw_starts_at_the_median_when_answers_count_up(void **state)
{
    struct arena *arena = arena_create((size_t)1 << 20);
    uint32_t answer = 0;
    struct choice_spec quiet_spec = {0};
    struct choice_spec spec = {.backend = answer_of, .opaque = &answer};
    struct choices *quiet = choices_create(arena, &quiet_spec);
    struct choices *choices = choices_create(arena, &spec);
    struct choice_site *site = choices_site(choices, "latency");

    (void)state;
    assert_int_equal(latency_draw(&uniform, quiet, choices_site(quiet, "latency")), 200 * US);
    assert_int_equal(latency_draw(&percentiles, quiet, choices_site(quiet, "latency")), 80 * US);
    assert_int_equal(latency_draw(&exponential, quiet, choices_site(quiet, "latency")), 1386291);

    for (uint32_t i = 0; i < LATENCY_BOUND; i++) {
        assert_int_equal(latency_draw(&percentiles, choices, site),
                         latency_quantile(&percentiles, (LATENCY_MEDIAN + i) % LATENCY_BOUND));
    }
    assert_int_equal(latency_draw(&fixed, choices, NULL), 200 * US);
    assert_int_equal(answer, LATENCY_BOUND);
    arena_destroy(arena);
}

static void test_latency_quantiles_ascend_whatever_the_distribution(void **state)
{
    static const struct latency_spec *const specs[] = {&fixed, &uniform, &exponential,
                                                       &percentiles};

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        for (uint32_t i = 1; i < LATENCY_BOUND; i++) {
            assert_true(latency_quantile(specs[k], i - 1) <= latency_quantile(specs[k], i));
            assert_true(k == 0 ||
                        latency_quantile(specs[k], i - 1) < latency_quantile(specs[k], i));
        }
    }
}

/* Committed: the same on every compiler, word size and byte order. */
static void test_latency_quantiles_are_the_committed_ones(void **state)
{
    static const struct {
        const struct latency_spec *spec;
        uint32_t quantile;
        uint64_t latency_ns;
    } samples[] = {
        {&uniform, 0, 100 * US},
        {&uniform, 1, 100195},
        {&uniform, SLOWEST, 300 * US},
        {&exponential, 0, 976},
        {&exponential, SLOWEST, 15247283},
        {&percentiles, 0, 2590},
        {&percentiles, LATENCY_MEDIAN + 1, 80203},
        {&percentiles, 1012, 890869},
        {&percentiles, 1013, 926266},
        {&percentiles, SLOWEST, 2470517},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        assert_int_equal(latency_quantile(samples[i].spec, samples[i].quantile),
                         samples[i].latency_ns);
    }
}

static void test_latency_exponential_has_the_mean_that_was_asked_for(void **state)
{
    uint64_t sum = 0;

    (void)state;
    for (uint32_t i = 0; i < LATENCY_BOUND; i++) {
        sum += latency_quantile(&exponential, i);
    }
    assert_in_range(sum / LATENCY_BOUND, 2 * MS - 2 * US, 2 * MS + 2 * US);
}

/* The 99th percentile lies between two quantiles; the halves mirror each other. */
static void test_latency_percentiles_are_met_when_lognormal(void **state)
{
    (void)state;
    assert_true(latency_quantile(&percentiles, 1012) < 900 * US);
    assert_true(latency_quantile(&percentiles, 1013) > 900 * US);
    for (uint32_t i = 1; i <= LATENCY_MEDIAN; i++) {
        uint64_t product = latency_quantile(&percentiles, LATENCY_MEDIAN - i) *
                           latency_quantile(&percentiles, LATENCY_MEDIAN + i);

        assert_in_range(product, 80 * US * 80 * US / 1000 * 998, 80 * US * 80 * US / 1000 * 1002);
    }
}

static void test_latency_is_clamped_when_the_spec_says_so(void **state)
{
    struct latency_spec spec = exponential;

    (void)state;
    spec.min_ns = 100 * US;
    spec.max_ns = 3 * MS;
    assert_int_equal(latency_quantile(&spec, 0), 100 * US);
    assert_int_equal(latency_quantile(&spec, SLOWEST), 3 * MS);
    assert_int_equal(latency_quantile(&spec, LATENCY_MEDIAN), 1386291);
}

static void test_latency_saturates_when_the_spec_is_extreme(void **state)
{
    const struct latency_spec huge_mean = {.kind = LATENCY_EXPONENTIAL, .a_ns = UINT64_MAX};
    const struct latency_spec huge_range = {.kind = LATENCY_UNIFORM, .b_ns = UINT64_MAX};
    const struct latency_spec huge_spread = {
        .kind = LATENCY_PERCENTILES, .a_ns = 1, .b_ns = UINT64_MAX};
    const struct latency_spec long_median = {
        .kind = LATENCY_PERCENTILES, .a_ns = UINT64_C(1) << 40, .b_ns = UINT64_C(1) << 41};

    (void)state;
    assert_true(latency_quantile(&huge_mean, SLOWEST) == UINT64_MAX);
    assert_true(latency_quantile(&huge_range, SLOWEST) == UINT64_MAX);
    assert_true(latency_quantile(&huge_range, 0) == 0);
    assert_true(latency_quantile(&huge_spread, SLOWEST) == UINT64_MAX);
    assert_true(latency_quantile(&huge_spread, LATENCY_MEDIAN) == 1);
    assert_true(latency_quantile(&huge_spread, 0) == 0);
    assert_in_range(latency_quantile(&long_median, 1013), UINT64_C(1) << 41,
                    (UINT64_C(1) << 41) / 100 * 103);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency_draw_starts_at_the_median_when_answers_count_up),
        cmocka_unit_test(test_latency_quantiles_ascend_whatever_the_distribution),
        cmocka_unit_test(test_latency_quantiles_are_the_committed_ones),
        cmocka_unit_test(test_latency_exponential_has_the_mean_that_was_asked_for),
        cmocka_unit_test(test_latency_percentiles_are_met_when_lognormal),
        cmocka_unit_test(test_latency_is_clamped_when_the_spec_says_so),
        cmocka_unit_test(test_latency_saturates_when_the_spec_is_extreme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
