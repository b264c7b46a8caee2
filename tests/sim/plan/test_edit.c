/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Editing a copy of a plan leaves the original as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/plan/edit.h"

/* Steps: start, wait until fault 1 holds, wait for an event, complete. */
static struct plan *plan_to_edit(void)
{
    struct plan *plan = plan_create();

    plan->faults = arena_alloc(plan->arena, 2 * sizeof(*plan->faults));
    plan->faults[0] = (struct fault_spec){.name = "first", .nth = 1};
    plan->faults[1] = (struct fault_spec){.name = "second", .nth = 1};
    plan->fault_count = 2;
    plan->steps = arena_alloc(plan->arena, 4 * sizeof(*plan->steps));
    plan->steps[0] = (struct action){.kind = DO_START};
    plan->steps[1] = (struct action){.kind = DO_WAIT, .wait = {.kind = WAIT_HELD, .index = 1}};
    plan->steps[2] = (struct action){.kind = DO_WAIT, .wait = {.kind = WAIT_EVENT, .index = 1}};
    plan->steps[3] = (struct action){.kind = DO_COMPLETE};
    plan->step_count = 4;
    return plan;
}

static void test_edit_adds_at_the_end_and_keeps_the_original(void **state)
{
    struct plan *plan = plan_to_edit();
    struct plan copy = *plan;
    struct react_spec *react;

    (void)state;
    edit_add_fault(&copy, &(struct fault_spec){.name = "third"});
    react = edit_add_react(&copy, event_match_kind(EVENT_JOB_READY), 3, DO_CANCEL);
    assert_int_equal(copy.fault_count, 3);
    assert_string_equal(copy.faults[1].name, "second");
    assert_string_equal(copy.faults[2].name, "third");
    assert_ptr_equal(react, &copy.reacts[0]);
    assert_int_equal(react->nth, 3);
    assert_int_equal(react->action.kind, DO_CANCEL);
    assert_int_equal(plan->fault_count, 2);
    assert_int_equal(plan->react_count, 0);
    plan_destroy(plan);
}

static void test_edit_drops_a_step_and_keeps_the_others_in_order(void **state)
{
    struct plan *plan = plan_to_edit();
    struct plan copy = *plan;

    (void)state;
    edit_drop_step(&copy, 3);
    edit_drop_step(&copy, 0);
    assert_int_equal(copy.step_count, 2);
    assert_int_equal(copy.steps[0].wait.kind, WAIT_HELD);
    assert_int_equal(copy.steps[1].wait.kind, WAIT_EVENT);
    assert_int_equal(plan->step_count, 4);
    assert_int_equal(plan->steps[0].kind, DO_START);
    plan_destroy(plan);
}

static void test_edit_drops_a_fault_with_the_steps_that_wait_for_it(void **state)
{
    struct plan *plan = plan_to_edit();
    struct plan copy = *plan;

    (void)state;
    edit_drop_fault(&copy, 1);
    assert_int_equal(copy.fault_count, 2);
    assert_int_equal(copy.faults[0].nth, 1);
    assert_true(copy.faults[1].nth == UINT64_MAX && copy.faults[1].optional);
    assert_int_equal(copy.step_count, 3);
    assert_int_equal(copy.steps[1].wait.kind, WAIT_EVENT);
    assert_int_equal(plan->faults[1].nth, 1);
    assert_int_equal(plan->step_count, 4);
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_adds_at_the_end_and_keeps_the_original),
        cmocka_unit_test(test_edit_drops_a_step_and_keeps_the_others_in_order),
        cmocka_unit_test(test_edit_drops_a_fault_with_the_steps_that_wait_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
