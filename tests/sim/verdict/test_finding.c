/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of findings: names lead to findings and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/verdict/finding.h"

static void test_finding_is_found_again_by_its_names(void **state)
{
    (void)state;
    for (enum finding_id id = FINDING_NONE + 1; id < FINDING_COUNT; id++) {
        assert_true(strlen(finding_by(id)) > 0);
        assert_true(strlen(finding_kind_name(id)) > 0);
        assert_int_equal(finding_find(finding_by(id), finding_kind_name(id)), id);
    }
}

static void test_finding_find_knows_no_other_names(void **state)
{
    (void)state;
    assert_int_equal(finding_find("debt", "deadlock"), FINDING_NONE);
    assert_int_equal(finding_find("debts", NULL), FINDING_NONE);
    assert_int_equal(finding_find("debt", ""), FINDING_NONE);
}

static void test_finding_fits_by_oracle_by_kind_or_always(void **state)
{
    const struct finding_pattern any = {NULL, NULL};
    const struct finding_pattern debt = {"debt", NULL};
    const struct finding_pattern forgotten = {"debt", "forgotten-sector"};

    (void)state;
    assert_true(finding_fits(&any, FINDING_CRASH_HANG));
    assert_true(finding_fits(&debt, FINDING_DEBT_NOT_CLEANED));
    assert_false(finding_fits(&debt, FINDING_CRASH_HANG));
    assert_true(finding_fits(&forgotten, FINDING_DEBT_FORGOTTEN_SECTOR));
    assert_false(finding_fits(&forgotten, FINDING_DEBT_NOT_CLEANED));
}

static void test_finding_has_the_traits_of_its_oracle(void **state)
{
    (void)state;
    assert_true(finding_is(FINDING_EXPECT_RESULT, FINDING_OF_SCENARIO));
    assert_true(finding_is(FINDING_LIVENESS_DEADLOCK, FINDING_OF_NO_END | FINDING_OF_FLUSH));
    assert_false(finding_is(FINDING_LIVENESS_DEADLOCK, FINDING_OF_SCENARIO));
    assert_false(finding_is(FINDING_NONE, UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finding_is_found_again_by_its_names),
        cmocka_unit_test(test_finding_find_knows_no_other_names),
        cmocka_unit_test(test_finding_fits_by_oracle_by_kind_or_always),
        cmocka_unit_test(test_finding_has_the_traits_of_its_oracle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
