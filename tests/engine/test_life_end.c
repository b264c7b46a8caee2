/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a job: errors, speed, progress, the end (modern-algorithm E', J6 to J10, C7').
 */
#include "tests/engine/life_job.h"

/* ---- Errors ---- */

static const struct {
    enum error_policy policy;
    int error;
    enum error_action action;
    enum io_status status;
} errors[] = {
    {POLICY_REPORT, -EIO, ACTION_REPORT, IO_STATUS_OK},
    {POLICY_IGNORE, -EIO, ACTION_IGNORE, IO_STATUS_OK},
    {POLICY_STOP, -EIO, ACTION_STOP, IO_STATUS_FAILED},
    {POLICY_STOP, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE},
    {POLICY_ENOSPC, -EIO, ACTION_REPORT, IO_STATUS_OK},
    {POLICY_ENOSPC, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE},
};

static void test_life_does_with_an_error_what_the_policy_says(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct job *job = start(host);
        const struct event *event;

        assert_int_equal(
            life_handle_error(&job->life, errors[i].policy, OP_WRITE, errors[i].error, 512, 1024),
            errors[i].action);
        event = stub_event(host, EVENT_JOB_ERROR);
        assert_int_equal(event->node, block_node_id(stub_target(host)));
        assert_int_equal(event->detail, errors[i].action);
        assert_int_equal(event->offset, 512);
        assert_int_equal(event->ret, errors[i].error);
        assert_int_equal(job->life.io_status, errors[i].status);
        assert_int_equal(job->life.pause_count, errors[i].action == ACTION_STOP);
        end_and_free(job);
    }
}

static void test_life_has_one_pause_when_several_operations_stop_it(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
    life_handle_error(&job->life, POLICY_STOP, OP_READ, -EIO, 0, 512);
    assert_int_equal(job->wakes, 2);
    life_handle_error(&job->life, POLICY_STOP, OP_READ, -ENOSPC, 512, 512);
    assert_int_equal(job->life.pause_count, 1);
    assert_int_equal(job->life.io_status, IO_STATUS_FAILED);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_PAUSED);
    park(job);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(job->life.io_status, IO_STATUS_OK);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

/* ---- Speed, progress ---- */

static const struct {
    int64_t before;
    int64_t after;
    bool wakes;
} speeds[] = {
    {1000, 1000, false}, {1000, 999, false}, {1000, 1001, true}, {1000, 0, true}, {0, 5, true},
};

static void test_life_wakes_a_sleeper_when_the_speed_is_raised_or_unlimited(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        struct job *job = start(host);

        assert_int_equal(give(job, VERB_SET_SPEED, speeds[i].before), 0);
        assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
        assert_int_equal(give(job, VERB_SET_SPEED, speeds[i].after), 0);
        assert_int_equal(job->life.speed, speeds[i].after);
        assert_int_equal(job->wakes, speeds[i].wakes ? 2 : 1);
        end_and_free(job);
    }
}

/* It idles without a timer: nothing in its life depends on the speed. */
static void test_life_does_not_wake_for_a_speed_when_it_has_no_timer(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_idle(&job->life), LIFE_WAIT);
    assert_int_equal(give(job, VERB_SET_SPEED, 7), 0);
    assert_int_equal(job->wakes, 1);
    end_and_free(job);
}

/* A tenth of a second's worth. */
static void test_life_accounts_for_the_speed_it_was_given(void **state)
{
    struct job *job = start(*state);

    assert_int_equal(give(job, VERB_SET_SPEED, 20), 0);
    assert_int_equal(job->life.account.quota, 2);
    assert_int_equal(give(job, VERB_SET_SPEED, 19), 0);
    assert_int_equal(job->life.account.quota, 1);
    assert_int_equal(give(job, VERB_SET_SPEED, 0), 0);
    assert_int_equal(job->life.account.quota, 0);
    end_and_free(job);
}

static void test_life_says_its_progress_only_when_it_has_changed(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_set_remaining(&job->life, 100);
    life_set_remaining(&job->life, 100);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PROGRESS), 1);
    life_advance(&job->life, 60);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PROGRESS), 2);
    life_set_remaining(&job->life, 40);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PROGRESS), 2);
    life_add_total(&job->life, 5);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->offset, 60);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->bytes, 105);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->ret, 0);
    end_and_free(job);
}

/* ---- The end (J6 to J10) ---- */

/* How a job ends. */
static const struct {
    const char *what;
    bool ready;
    int run_ret;
    int prepare_ret;
    int cancel_in_window; /* 0: none, 1: soft, 2: force */
    const char *statuses; /* after running, or ready */
    enum event_kind event;
    int ret;
    uint32_t prepares;
    uint32_t aborts;
} ends[] = {
    {"success", true, 0, 0, 0, "waiting pending concluded null", EVENT_JOB_COMPLETED, 0, 1, 0},
    {"failure", false, -EIO, 0, 0, "aborting concluded null", EVENT_JOB_COMPLETED, -EIO, 0, 1},
    {"failed preparation", true, 0, -EPERM, 0, "waiting pending aborting concluded null",
     EVENT_JOB_COMPLETED, -EPERM, 1, 1},
    {"ready, soft cancel in the window", true, 0, 0, 1, "waiting pending concluded null",
     EVENT_JOB_COMPLETED, 0, 1, 0},
    {"ready, force cancel in the window", true, 0, 0, 2, "aborting concluded null",
     EVENT_JOB_CANCELLED, -ECANCELED, 0, 1},
    {"failed, soft cancel in the window", false, -EIO, 0, 1, "aborting concluded null",
     EVENT_JOB_CANCELLED, -EIO, 0, 1},
};

static void test_life_ends_as_its_result_and_its_cancels_say(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct job *job;
        char expected[200];

        host->event_count = 0;
        job = start(host);
        job->prepare_ret = ends[i].prepare_ret;
        if (ends[i].ready) {
            life_become_ready(&job->life);
        }
        life_end(&job->life, ends[i].run_ret, NULL);
        assert_true(job->life.busy);
        if (ends[i].cancel_in_window > 0) {
            struct job_info info;

            assert_int_equal(give(job, VERB_CANCEL, ends[i].cancel_in_window == 2), 0);
            life_query(&job->life, &info);
            assert_int_equal(info.cancelled, ends[i].event == EVENT_JOB_CANCELLED);
        }
        stub_run_deferred(host);
        snprintf(expected, sizeof(expected), "created running %s%s", ends[i].ready ? "ready " : "",
                 ends[i].statuses);
        assert_statuses(host, expected);
        assert_int_equal(stub_event_count(host, ends[i].event), 1);
        assert_int_equal(stub_event(host, ends[i].event)->ret, ends[i].ret);
        assert_int_equal(job->prepares, ends[i].prepares);
        assert_int_equal(job->aborts, ends[i].aborts);
        assert_true(job->is_over);
        assert_int_equal(job->ret, ends[i].ret);
        free(job);
    }
}

static struct job *run_to_pending(struct host *host)
{
    struct job prototype = {.host = host};
    struct job_spec spec = spec_of(&prototype);
    struct job *job;

    spec.auto_finalize = false;
    spec.auto_dismiss = false;
    job = create(host, &spec);
    life_start(&job->life);
    life_become_ready(&job->life);
    life_end(&job->life, 0, NULL);
    stub_run_deferred(host);
    assert_int_equal(job->life.status, JOB_STATUS_PENDING);
    assert_false(job->life.busy);
    return job;
}

static void test_life_waits_for_finalize_and_dismiss_when_they_are_the_users(void **state)
{
    struct host *host = *state;
    struct job *job = run_to_pending(host);

    assert_int_equal(stub_event_count(host, EVENT_JOB_PENDING), 1);
    assert_int_equal(job->prepares, 0);
    stub_begin_section(host, stub_source(host));
    stub_end_section(host, stub_source(host));
    assert_int_equal(job->wakes, 1);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_VERB);
    assert_refused(job, VERB_DISMISS, 0, REFUSED_VERB);
    assert_int_equal(give(job, VERB_FINALIZE, 0), 0);
    assert_int_equal(job->prepares, 1);
    assert_int_equal(job->life.status, JOB_STATUS_CONCLUDED);
    assert_false(job->is_over);
    assert_refused(job, VERB_CANCEL, 1, REFUSED_VERB);
    assert_int_equal(give(job, VERB_DISMISS, 0), 0);
    assert_true(job->is_over);
    free(job);
}

/* J7: a job that is pending is not ready. */
static void test_life_takes_a_soft_cancel_for_a_force_cancel_when_it_is_pending(void **state)
{
    struct host *host = *state;
    struct job *job = run_to_pending(host);

    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_statuses(host, "created running ready waiting pending aborting concluded");
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_int_equal(job->prepares, 0);
    assert_int_equal(job->aborts, 1);
    assert_int_equal(give(job, VERB_DISMISS, 0), 0);
    free(job);
}

/* Letting go is a section over all nodes; until it is quiet the job is there, and NULL. */
static void test_life_is_null_but_there_when_a_section_has_to_wait(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);
    struct job_info info;

    host->sections_wait = true;
    life_end(&job->life, 0, NULL);
    job->life.status = JOB_STATUS_READY;
    stub_run_deferred(host);
    life_query(&job->life, &info);
    assert_int_equal(info.status, JOB_STATUS_NULL);
    assert_false(job->is_over);
    assert_refused(job, VERB_CANCEL, 1, REFUSED_VERB);
    stub_let_quiet(host);
    assert_true(job->is_over);
    assert_int_equal(host->all_node_sections, 0);
    free(job);
}

/* What every driver has; a job ends without the rest, too, and refuses what it is for. */
static void test_life_needs_only_two_functions_of_its_driver(void **state)
{
    static const struct life_driver bare = {.wake = wake, .is_busy = is_busy};
    static const int results[] = {0, -EIO};
    struct host *host = *state;

    for (uint32_t i = 0; i < 2; i++) {
        struct job *job = create_driven(host, &bare, NULL);

        life_start(&job->life);
        assert_refused(job, VERB_CHANGE, 1, REFUSED_TYPE);
        life_become_ready(&job->life);
        assert_refused(job, VERB_COMPLETE, 0, REFUSED_NOT_READY);
        life_release_nodes(&job->life);
        job->is_free = true;
        life_end(&job->life, results[i], NULL);
        stub_run_deferred(host);
        assert_int_equal(job->ret, results[i]);
        end_and_free(job);
    }
}

/* Nobody says that it is a soft one. */
static void test_life_takes_any_cancel_for_a_force_cancel_when_its_driver_does_not_say(void **state)
{
    static const struct life_driver bare = {.wake = wake, .is_busy = is_busy, .free = free_job};
    struct job *job = create_driven(*state, &bare, NULL);

    life_start(&job->life);
    life_become_ready(&job->life);
    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_true(job->life.force_cancelled);
    life_release_nodes(&job->life);
    end_and_free(job);
}

static void test_life_query_has_the_error_only_when_a_failed_run_has_ended(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);
    struct job_info info;

    life_query(&job->life, &info);
    assert_null(info.error_text);
    assert_int_equal(info.dirty_bytes, -1); /* it knows of no bitmap */
    assert_true(info.busy && !info.paused && !info.ready && !info.cancelled);
    life_end(&job->life, -EINVAL, "a text of its own");
    life_query(&job->life, &info);
    assert_string_equal(info.error_text, "a text of its own");
    job->life.own_text = NULL;
    life_query(&job->life, &info);
    assert_string_equal(info.error_text, strerror(EINVAL));
    stub_run_deferred(host);
    end_and_free(job);
}

/* ---- Digest ---- */

static uint64_t digest_of(const struct job *job)
{
    struct digest digest;

    digest_init(&digest);
    life_digest(&job->life, &digest);
    return digest_value(&digest);
}

/* Each command that changes what may come changes the digest; time alone does not. */
static void test_life_digest_changes_when_the_future_does(void **state)
{
    static const struct {
        enum job_verb verb;
        int64_t arg;
    } changes[] = {{VERB_PAUSE, 0}, {VERB_SET_SPEED, 9}, {VERB_CANCEL, 0}, {VERB_CANCEL, 1}};
    struct host *host = *state;
    struct job *job = start(host);
    uint64_t before;

    life_become_ready(&job->life);
    before = digest_of(job);
    host->now_ns += MS;
    assert_true(digest_of(job) == before);
    for (uint32_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        before = digest_of(job);
        assert_int_equal(give(job, changes[i].verb, changes[i].arg), 0);
        assert_true(digest_of(job) != before);
    }
    end_and_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_life_does_with_an_error_what_the_policy_says),
        LIFE_TEST(test_life_has_one_pause_when_several_operations_stop_it),
        LIFE_TEST(test_life_wakes_a_sleeper_when_the_speed_is_raised_or_unlimited),
        LIFE_TEST(test_life_does_not_wake_for_a_speed_when_it_has_no_timer),
        LIFE_TEST(test_life_accounts_for_the_speed_it_was_given),
        LIFE_TEST(test_life_says_its_progress_only_when_it_has_changed),
        LIFE_TEST(test_life_ends_as_its_result_and_its_cancels_say),
        LIFE_TEST(test_life_waits_for_finalize_and_dismiss_when_they_are_the_users),
        LIFE_TEST(test_life_takes_a_soft_cancel_for_a_force_cancel_when_it_is_pending),
        LIFE_TEST(test_life_is_null_but_there_when_a_section_has_to_wait),
        LIFE_TEST(test_life_needs_only_two_functions_of_its_driver),
        LIFE_TEST(test_life_takes_any_cancel_for_a_force_cancel_when_its_driver_does_not_say),
        LIFE_TEST(test_life_query_has_the_error_only_when_a_failed_run_has_ended),
        LIFE_TEST(test_life_digest_changes_when_the_future_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
