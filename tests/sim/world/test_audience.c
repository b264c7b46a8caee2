/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The audience: its lists against what each oracle says that it sees.
 */
#include "sim/oracle/oracles.h"
#include "sim/world/audience.h"
#include "tests/support/witness.h"

static void open_audience(struct witness *w, struct audience *audience, enum generation generation)
{
    w->plan->generation = generation;
    audience_init(audience);
    audience_open(audience, &w->evidence);
}

/* The list is made of exactly those members that see such an event, in their order. */
static void assert_list(const struct audience *audience, const struct plan *plan,
                        enum event_kind kind, enum by by)
{
    const struct viewer *viewer = &audience->viewers[audience->first[kind][by]];

    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle_sees(oracle, oracle_kinds(oracle, plan), kind, by)) {
            assert_true(viewer->see == oracle->on[kind]);
            assert_ptr_equal(viewer->state, audience->members[i].state);
            viewer++;
        }
    }
    assert_true(viewer->see == NULL);
}

static void test_audience_lists_have_who_sees_the_event_for_every_kind_and_issuer(void **state)
{
    struct witness *w = *state;

    for (int generation = GENERATION_2_2; generation <= GENERATION_MODERN; generation++) {
        struct audience audience;

        open_audience(w, &audience, (enum generation)generation);
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            for (int by = 0; by < BY_COUNT; by++) {
                assert_list(&audience, w->plan, (enum event_kind)kind, (enum by)by);
            }
        }
    }
}

/* Oracles of the other generation have nothing to judge: they are no members. */
static void test_audience_has_no_oracle_of_the_other_generation(void **state)
{
    struct witness *w = *state;

    for (int generation = GENERATION_2_2; generation <= GENERATION_MODERN; generation++) {
        const struct oracle *other = generation == GENERATION_MODERN ? &oracle_job : &oracle_life;
        struct audience audience;

        open_audience(w, &audience, (enum generation)generation);
        assert_true(audience.member_count > 1);
        for (uint32_t i = 0; i < audience.member_count; i++) {
            assert_ptr_not_equal(audience.members[i].oracle, other);
        }
    }
}

/* In the same audience, opened again: lists of the one before would show. */
static void test_audience_lists_are_right_when_it_is_opened_again(void **state)
{
    struct witness *w = *state;
    struct audience audience;

    open_audience(w, &audience, GENERATION_2_2);
    for (int i = 0; i < 3; i++) {
        w->plan->generation = i == 1 ? GENERATION_MODERN : GENERATION_2_2;
        audience_open(&audience, &w->evidence);
        assert_list(&audience, w->plan, EVENT_REQUEST_DONE, BY_JOB);
        assert_list(&audience, w->plan, EVENT_JOB_STATUS, BY_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_audience_lists_have_who_sees_the_event_for_every_kind_and_issuer, witness_set_up,
            witness_tear_down),
        cmocka_unit_test_setup_teardown(test_audience_has_no_oracle_of_the_other_generation,
                                        witness_set_up, witness_tear_down),
        cmocka_unit_test_setup_teardown(test_audience_lists_are_right_when_it_is_opened_again,
                                        witness_set_up, witness_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
