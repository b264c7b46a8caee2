/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a job: states, verbs, pauses, sleep, cancels (modern-algorithm J1 to J5).
 */
#include "tests/engine/life_job.h"

/* ---- The tables ---- */

static const enum job_status statuses[] = {
    JOB_STATUS_UNDEFINED, JOB_STATUS_CREATED,   JOB_STATUS_RUNNING, JOB_STATUS_PAUSED,
    JOB_STATUS_READY,     JOB_STATUS_STANDBY,   JOB_STATUS_WAITING, JOB_STATUS_PENDING,
    JOB_STATUS_ABORTING,  JOB_STATUS_CONCLUDED, JOB_STATUS_NULL,
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* From the page, a row a status, in the order above. */
static const char *const followers[STATUSES] = {
    /*               U C R P R S W P A C N */
    /* undefined */ ".x.........",
    /* created   */ "..x.....x.x",
    /* running   */ "...xx.x.x..",
    /* paused    */ "..x........",
    /* ready     */ ".....xx.x..",
    /* standby   */ "....x......",
    /* waiting   */ ".......xx..",
    /* pending   */ "........xx.",
    /* aborting  */ ".........x.",
    /* concluded */ "..........x",
    /* null      */ "...........",
};

static void test_life_states_follow_each_other_only_as_the_table_says(void **state)
{
    (void)state;
    for (uint32_t from = 0; from < STATUSES; from++) {
        for (uint32_t to = 0; to < STATUSES; to++) {
            assert_int_equal(life_may_follow(statuses[from], statuses[to]),
                             followers[from][to] == 'x');
        }
    }
}

static const struct {
    enum job_verb verb;
    const char *legal; /* by status, in the order above */
} verbs[] = {
    {VERB_CANCEL, ".xxxxxxx..."},    {VERB_PAUSE, ".xxxxx....."},   {VERB_RESUME, ".xxxxx....."},
    {VERB_SET_SPEED, ".xxxxx....."}, {VERB_CHANGE, ".xxxxx....."},  {VERB_COMPLETE, "....xx....."},
    {VERB_FINALIZE, ".......x..."},  {VERB_DISMISS, ".........x."},
};

static void test_life_verbs_are_legal_only_as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(sizeof(verbs) / sizeof(verbs[0]), VERB_COUNT);
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        for (uint32_t status = 0; status < STATUSES; status++) {
            assert_int_equal(life_allows(statuses[status], verbs[i].verb),
                             verbs[i].legal[status] == 'x');
        }
    }
}

/*
 * The refusal of a verb that the status does not allow; without a user's pause resume is another.
 */
static void test_life_refuses_a_verb_when_the_status_does_not_allow_it(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_refused(job, VERB_COMPLETE, 0, REFUSED_VERB);
    assert_refused(job, VERB_FINALIZE, 0, REFUSED_VERB);
    assert_refused(job, VERB_DISMISS, 0, REFUSED_VERB);
    assert_refused(job, VERB_RESUME, 0, REFUSED_NOT_PAUSED);
    assert_refused(job, VERB_SET_SPEED, -1, REFUSED_INVALID_PARAMETER);
    end_and_free(job);
}

/* ---- Beginning ---- */

static void test_life_makes_no_job_when_it_has_no_id(void **state)
{
    struct host *host = *state;
    struct job job = {.host = host};
    struct job_spec spec = spec_of(&job);

    spec.id = NULL;
    assert_int_equal(life_create(&job.life, host, &driver, &spec, &job.error), -EINVAL);
    assert_int_equal(job.error.refusal, REFUSED_ID);
    assert_statuses(host, "");
}

static void test_life_shows_a_job_that_is_null_at_once_when_the_speed_is_negative(void **state)
{
    struct host *host = *state;
    struct job job = {.host = host};
    struct job_spec spec = spec_of(&job);

    spec.speed = -1;
    assert_int_equal(life_create(&job.life, host, &driver, &spec, &job.error), -EINVAL);
    assert_int_equal(job.error.refusal, REFUSED_INVALID_PARAMETER);
    assert_statuses(host, "created null");
}

static void test_life_is_null_without_an_end_when_the_start_fails_late(void **state)
{
    struct host *host = *state;
    struct job *job = create(host, NULL);

    life_fail_early(&job->life);
    assert_statuses(host, "created null");
    assert_int_equal(job->wakes, 0);
    assert_null(host->edges);
    free(job);
}

static void test_life_claims_its_nodes_until_it_lets_them_go(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(stub_source(host)->refs, 2);
    assert_int_equal(stub_source(host)->blockers, 1);
    assert_int_equal(stub_target(host)->blockers, 1);
    end_and_free(job);
    assert_int_equal(stub_source(host)->refs, 1);
    assert_int_equal(stub_target(host)->blockers, 0);
}

/* ---- Pauses (J2 to J5) ---- */

static void test_life_goes_on_at_a_pause_point_when_no_pause_is_wanted(void **state)
{
    struct job *job = start(*state);

    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(*state, "created running");
    end_and_free(job);
}

/* paused, or standby when it was ready; resumed it is what it was. */
static void test_life_parks_and_goes_back_when_it_is_paused_and_resumed(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(give(job, VERB_PAUSE, 0), 0);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_PAUSED);
    park(job);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    life_become_ready(&job->life);
    assert_int_equal(give(job, VERB_PAUSE, 0), 0);
    park(job);
    assert_int_equal(give(job, VERB_COMPLETE, 0), 0);
    assert_int_equal(job->completes, 1);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(host, "created running paused running ready standby ready");
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 2);
    assert_int_equal(stub_event_count(host, EVENT_JOB_RESUMED), 2);
    end_and_free(job);
}

static void test_life_does_not_park_when_it_is_resumed_while_it_waits_for_operations(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    give(job, VERB_PAUSE, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_QUIESCE);
    give(job, VERB_RESUME, 0);
    assert_int_equal(job->wakes, 1);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(host, "created running");
    end_and_free(job);
}

/* M10: nobody sees that it was woken. */
static void test_life_stays_parked_when_it_is_woken_with_a_pause_still_wanted(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    park(job);
    life_enter(&job->life);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_false(job->life.busy);
    assert_statuses(host, "created running paused");
    stub_end_section(host, stub_source(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

/* Each node of the job that is in a section adds one; the job goes on after the last. */
static void test_life_counts_a_pause_for_each_node_in_a_section(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    stub_begin_section(host, stub_target(host));
    stub_begin_section(host, stub_target(host));
    assert_int_equal(job->life.pause_count, 2);
    assert_true(stub_section_is_disturbed(host, stub_source(host)));
    park(job);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_begin_section(host, stub_source(host));
    life_pause(&job->life);
    life_resume(&job->life);
    stub_end_section(host, stub_source(host));
    stub_end_section(host, stub_target(host));
    stub_end_section(host, stub_source(host));
    assert_int_equal(job->wakes, 1);
    stub_end_section(host, stub_target(host));
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_is_paused_by_a_node_that_is_in_a_section_already(void **state)
{
    struct host *host = *state;
    struct job *job;

    stub_begin_section(host, stub_target(host));
    job = start(host);
    assert_int_equal(job->life.pause_count, 1);
    park(job);
    stub_end_section(host, stub_target(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_wakes_a_sleeper_when_it_is_paused(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, 7 * MS), LIFE_WAIT);
    assert_int_equal(stub_timer_delay_ns(host), 7 * MS);
    give(job, VERB_PAUSE, 0);
    assert_int_equal(job->wakes, 2);
    assert_null(host->timer);
    park(job);
    give(job, VERB_RESUME, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_does_not_sleep_but_parks_when_a_pause_is_wanted(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    give(job, VERB_PAUSE, 0);
    assert_int_equal(life_sleep(&job->life, 0), LIFE_QUIESCE);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_null(host->timer);
    give(job, VERB_RESUME, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_is_woken_by_its_timer_when_nobody_disturbs_its_sleep(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_fire(host);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_waits_without_a_timer_when_it_idles(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_become_ready(&job->life);
    assert_int_equal(life_idle(&job->life), LIFE_WAIT);
    assert_null(host->timer);
    life_enter(&job->life);
    life_enter(&job->life);
    assert_int_equal(job->wakes, 2);
    end_and_free(job);
}

/* ---- Cancel ---- */

static void test_life_goes_on_to_its_end_when_a_parked_job_is_force_cancelled(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    park(job);
    assert_int_equal(give(job, VERB_CANCEL, 1), 0);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_int_equal(life_sleep(&job->life, MS), LIFE_GO);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_end_section(host, stub_source(host));
    life_end(&job->life, 0, NULL);
    stub_run_deferred(host);
    assert_statuses(host, "created running paused running aborting concluded null");
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_int_equal(job->ret, -ECANCELED);
    assert_int_equal(job->aborts, 1);
    end_and_free(job);
}

/* Nor does a soft cancel take a force cancel back. */
static void test_life_does_not_sleep_any_more_when_it_is_force_cancelled(void **state)
{
    struct job *job = start(*state);

    life_become_ready(&job->life);
    assert_int_equal(give(job, VERB_CANCEL, 1), 0);
    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_true(job->life.force_cancelled);
    assert_int_equal(life_sleep(&job->life, MS), LIFE_GO);
    assert_int_equal(life_idle(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_lets_a_soft_cancel_undo_only_the_users_pause(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_become_ready(&job->life);
    give(job, VERB_PAUSE, 0);
    stub_begin_section(host, stub_target(host));
    park(job);
    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_int_equal(job->life.pause_count, 1);
    assert_false(job->life.user_paused);
    assert_false(job->life.force_cancelled);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    stub_end_section(host, stub_target(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_refused(job, VERB_COMPLETE, 0, REFUSED_NOT_READY);
    end_and_free(job);
    assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_states_follow_each_other_only_as_the_table_says),
        cmocka_unit_test(test_life_verbs_are_legal_only_as_the_table_says),
        LIFE_TEST(test_life_refuses_a_verb_when_the_status_does_not_allow_it),
        LIFE_TEST(test_life_makes_no_job_when_it_has_no_id),
        LIFE_TEST(test_life_shows_a_job_that_is_null_at_once_when_the_speed_is_negative),
        LIFE_TEST(test_life_is_null_without_an_end_when_the_start_fails_late),
        LIFE_TEST(test_life_claims_its_nodes_until_it_lets_them_go),
        LIFE_TEST(test_life_goes_on_at_a_pause_point_when_no_pause_is_wanted),
        LIFE_TEST(test_life_parks_and_goes_back_when_it_is_paused_and_resumed),
        LIFE_TEST(test_life_does_not_park_when_it_is_resumed_while_it_waits_for_operations),
        LIFE_TEST(test_life_stays_parked_when_it_is_woken_with_a_pause_still_wanted),
        LIFE_TEST(test_life_counts_a_pause_for_each_node_in_a_section),
        LIFE_TEST(test_life_is_paused_by_a_node_that_is_in_a_section_already),
        LIFE_TEST(test_life_wakes_a_sleeper_when_it_is_paused),
        LIFE_TEST(test_life_does_not_sleep_but_parks_when_a_pause_is_wanted),
        LIFE_TEST(test_life_is_woken_by_its_timer_when_nobody_disturbs_its_sleep),
        LIFE_TEST(test_life_waits_without_a_timer_when_it_idles),
        LIFE_TEST(test_life_goes_on_to_its_end_when_a_parked_job_is_force_cancelled),
        LIFE_TEST(test_life_does_not_sleep_any_more_when_it_is_force_cancelled),
        LIFE_TEST(test_life_lets_a_soft_cancel_undo_only_the_users_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
