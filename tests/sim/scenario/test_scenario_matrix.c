/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file stands for many runs: cases of a matrix, variables, values left to a choice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/support/load.h"

enum { SRC, DST };

static void test_scenario_matrix_has_a_case_for_each_combination_when_it_has_two_names(void **state)
{
    static const char sections[] =
        "matrix: {policy: [stop, ignore], lanes: [1, 2, 3]}\n"
        "vars: {big: {at: 0, len: \"${lanes}KiB\"}}\n"
        "disks: {src: {size: 1MiB, lanes: \"${lanes}\", allocated: [big]},\n"
        "        dst: {size: 1MiB}}\n"
        "job: {mirror: src, to: dst, on-target-error: \"${policy}\"}\n";
    struct scenario *scenario = load_sections(sections);
    struct plan *plan;

    (void)state;
    assert_int_equal(scenario_cases(scenario), 6);
    assert_false(scenario_has_choices(scenario));
    scenario_free(scenario);
    plan = load_plan(sections, 4, 0);
    assert_string_equal(plan->case_name, "policy=ignore lanes=2");
    assert_int_equal(plan->disks[SRC].lanes, 2);
    assert_int_equal(plan->disks[SRC].allocated[0].bytes, 2 * KIB);
    assert_int_equal(plan->job.on_target_error, POLICY_IGNORE);
    plan_destroy(plan);
}

static void test_scenario_choice_takes_the_first_value_when_the_seed_is_zero(void **state)
{
    struct plan *plan =
        load_plan("vars: {g: {choose: [64KiB, 1MiB]}}\n"
                  "job: {mirror: src, to: dst, granularity: \"${g}\", buffer: \"${g}\",\n"
                  "      speed: {range: [1MiB/s, 2MiB/s]}}\n",
                  0, 0);

    (void)state;
    assert_int_equal(plan->job.granularity, 64 * KIB);
    assert_int_equal(plan->job.buffer_bytes, 64 * KIB);
    assert_int_equal(plan->job.speed, MIB);
    plan_destroy(plan);
}

/* A variable has one value in a run; a range stays on its steps. */
static void test_scenario_choice_decides_once_when_a_value_is_used_twice(void **state)
{
    static const char sections[] =
        "vars: {g: {choose: [64KiB, 1MiB]}}\n"
        "job: {mirror: src, to: dst, granularity: \"${g}\", buffer: \"${g}\",\n"
        "      speed: {range: [10B/s, 30B/s], step: 7B/s}}\n";
    uint32_t large = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct plan *plan = load_plan(sections, 0, seed);

        assert_int_equal(plan->job.granularity, plan->job.buffer_bytes);
        assert_true(plan->job.speed == 10 || plan->job.speed == 17 || plan->job.speed == 24);
        large += plan->job.granularity == MIB;
        plan_destroy(plan);
    }
    assert_in_range(large, 5, 35);
}

static void test_scenario_choice_follows_its_record_when_choices_are_listed(void **state)
{
    struct plan *plan =
        load_plan("job: {mirror: src, to: dst, granularity: {choose: [4KiB, 64KiB, 1MiB]}}\n"
                  "choices: [{at: \"choose 4:42\", pick: 2}, {at: order, pick: 1}]\n",
                  0, 0);

    (void)state;
    assert_int_equal(plan->job.granularity, MIB);
    /* Choices that the world will not ask about are left out. */
    assert_int_equal(plan->choice_count, 1);
    assert_string_equal(plan->choices[0].site, "order");
    plan_destroy(plan);
}

static void test_scenario_choice_takes_the_first_value_when_the_file_is_quiet(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plan *plan =
            load_plan("job: {mirror: src, to: dst, granularity: {choose: [4KiB, 64KiB, 1MiB]}}\n"
                      "choices: quiet\n",
                      0, seed);

        assert_true(plan->quiet);
        assert_int_equal(plan->job.granularity, 4 * KIB);
        plan_destroy(plan);
    }
}

static void test_scenario_xfail_is_of_the_cases_that_have_its_values(void **state)
{
    static const char text[] =
        "matrix: {a: [1, 2, 3], b: [x, y]}\n"
        "xfail: [{bug: \"${a}${b}\", case: {a: [1, 3], b: y}}, {engine: e}]\n";
    static const char *const bugs[] = {NULL, "1y", NULL, NULL, NULL, "3y"};

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        struct plan *plan = load_plan(text, i, 0);

        assert_int_equal(plan->xfail_count, bugs[i] ? 2 : 1);
        if (bugs[i]) {
            assert_string_equal(plan->xfails[0].bug, bugs[i]);
        }
        plan_destroy(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_scenario_matrix_has_a_case_for_each_combination_when_it_has_two_names),
        cmocka_unit_test(test_scenario_choice_takes_the_first_value_when_the_seed_is_zero),
        cmocka_unit_test(test_scenario_choice_decides_once_when_a_value_is_used_twice),
        cmocka_unit_test(test_scenario_choice_follows_its_record_when_choices_are_listed),
        cmocka_unit_test(test_scenario_choice_takes_the_first_value_when_the_file_is_quiet),
        cmocka_unit_test(test_scenario_xfail_is_of_the_cases_that_have_its_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
