/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "job": the errors that it reports, the pivot and the result.
 */
#include "engine/units.h"
#include "tests/support/witness_job.h"

/* ---- Errors ---- */

static void test_job_finds_a_failure_when_it_is_not_reported(void **state)
{
    struct witness *w = called(state);

    start(w);
    done(w, begin_read(w, 0, CHUNK), -EIO);
    settle(w);
    assert_found(w, "missing-error", "read #1 of src failed with EIO");
}

static void test_job_finds_an_error_when_nothing_has_failed(void **state)
{
    struct witness *w = called(state);

    start(w);
    error_event(w, OP_READ, -EIO, ACTION_REPORT);
    assert_found(w, "error-without-failure", "(read, EIO)");
}

static void test_job_finds_a_second_error_event_for_one_failure(void **state)
{
    struct witness *w = called(state);

    start(w);
    fail_read(w, -EIO, ACTION_REPORT);
    error_event(w, OP_READ, -EIO, ACTION_REPORT);
    assert_found(w, "error-without-failure", "no request of it has failed");
}

static void test_job_finds_an_error_of_the_wrong_side_or_errno(void **state)
{
    struct witness *w = called(state);

    w->plan->job.on_source_error = POLICY_IGNORE;
    start(w);
    done(w, begin_read(w, 0, CHUNK), -EIO);
    error_event(w, OP_WRITE, -EIO, ACTION_IGNORE);
    done(w, begin_read(w, 0, CHUNK), -EIO);
    error_event(w, OP_READ, -ENOSPC, ACTION_IGNORE);
    assert_int_equal(w->verdict.finding_count, 2);
    assert_found(w, "wrong-error", "reported a write error with EIO");
    assert_string_equal(finding_kind_name(w->verdict.findings[1].id), "wrong-error");
}

static void test_job_takes_the_action_that_the_policy_says(void **state)
{
    static const struct {
        enum error_policy policy;
        int ret;
        enum error_action right;
        enum error_action wrong;
    } cases[] = {
        {POLICY_REPORT, -EIO, ACTION_REPORT, ACTION_IGNORE},
        {POLICY_IGNORE, -EIO, ACTION_IGNORE, ACTION_STOP},
        {POLICY_STOP, -EIO, ACTION_STOP, ACTION_REPORT},
        {POLICY_ENOSPC, -EIO, ACTION_REPORT, ACTION_STOP},
        {POLICY_ENOSPC, -ENOSPC, ACTION_STOP, ACTION_REPORT},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called_again(state);

        w->plan->job.on_target_error = cases[i].policy;
        start(w);
        flush(w, cases[i].ret);
        error_event(w, OP_WRITE, cases[i].ret, cases[i].right);
        settle(w);
        assert_silent(w);
        w = called(state);
        start(w);
        flush(w, cases[i].ret);
        error_event(w, OP_WRITE, cases[i].ret, cases[i].wrong);
        assert_found(w, "wrong-action", error_action_name(cases[i].right));
    }
}

static void test_job_finds_a_commit_that_uses_the_policy_of_the_target(void **state)
{
    struct witness *w = called(state);

    w->plan->job.kind = JOB_COMMIT;
    w->plan->job.on_source_error = POLICY_STOP;
    w->plan->job.on_target_error = POLICY_IGNORE;
    start(w);
    flush(w, -EIO);
    error_event(w, OP_WRITE, -EIO, ACTION_IGNORE);
    assert_found(w, "wrong-action", "the policy says stop");
}

static void test_job_finds_the_wrong_result_when_errors_were_reported(void **state)
{
    static const int results[] = {0, -ENOSPC};

    for (size_t i = 0; i < 2; i++) {
        struct witness *w = called_again(state);
        struct ticket first;
        struct ticket second;

        start(w);
        first = begin_read(w, 0, CHUNK);
        second = begin_read(w, CHUNK, CHUNK);
        done(w, first, -EIO);
        error_event(w, OP_READ, -EIO, ACTION_REPORT);
        settle(w);
        done(w, second, -ENOSPC);
        error_event(w, OP_READ, -ENOSPC, ACTION_REPORT);
        settle(w);
        conclude(w, EVENT_JOB_COMPLETED, results[i]);
        assert_found(w, "wrong-result", "but the first error it reported was EIO");
    }
}

/* The trace does not show whether the copy loop had ended before the error. */
static void test_job_takes_either_end_when_an_error_follows_a_cancel(void **state)
{
    static const struct {
        enum event_kind kind;
        int ret;
    } ends[] = {{EVENT_JOB_CANCELLED, 0}, {EVENT_JOB_COMPLETED, -EIO}};

    for (size_t i = 0; i < 2; i++) {
        struct witness *w = called_again(state);
        struct ticket ticket;

        start(w);
        ticket = begin_read(w, 0, CHUNK);
        settle(w);
        command(w, VERB_CANCEL);
        settle(w);
        done(w, ticket, -EIO);
        error_event(w, OP_READ, -EIO, ACTION_REPORT);
        settle(w);
        conclude(w, ends[i].kind, ends[i].ret);
        assert_silent(w);
    }
}

static void test_job_finds_an_error_result_from_nowhere(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    conclude(w, EVENT_JOB_COMPLETED, -EIO);
    assert_found(w, "wrong-result", "ended with EIO, but the first error it reported was none");
}

/* ---- The pivot and the end ---- */

static void test_job_finds_a_pivot_when_it_may_not_happen(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    wind_down(w);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "dst took the place of src, but nobody asked");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_COMPLETE);
    command(w, VERB_CANCEL);
    wind_down(w);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "but the job was cancelled");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_COMPLETE);
    copy(w, 0, CHUNK);
    wind_down(w);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "the target was not flushed");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_COMPLETE);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "the source was not drained");
}

static void test_job_finds_a_pivot_when_it_replaces_the_wrong_disk(void **state)
{
    struct witness *w = called(state);

    w->plan->job.replaces = "third";
    become_ready(w);
    complete(w);
    assert_found(w, "wrong-pivot", "but dst was to take the place of third");
}

static void test_job_finds_the_wrong_kind_of_end(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "wrong-end", "with success, but nobody asked it to finish");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_COMPLETE);
    wind_down(w);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "wrong-end", "the guest was not switched to the target");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_CANCEL);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    assert_found(w, "wrong-end", "it was ready and had to finish its copy");

    w = called_again(state);
    start(w);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    assert_found(w, "wrong-end", "nobody cancelled it");
}

static void test_job_finds_an_event_after_the_end(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    complete(w);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    assert_found(w, "event-without-job", "\"cancelled\", but it has ended");
}

static void test_job_finds_a_commit_into_a_base_that_is_too_short(void **state)
{
    struct witness *w = called(state);

    w->plan->job.kind = JOB_COMMIT;
    w->evidence.disks[DST]->bytes = LENGTH - SECTOR_BYTES;
    start(w);
    assert_found(w, "base-too-short", "what lies beyond its end can't be written");
    w = called_again(state);
    w->evidence.disks[DST]->bytes = LENGTH;
    start(w);
    assert_null(strstr(finding_kind_name(w->verdict.findings[0].id), "base-too-short"));
}

static void test_job_finds_a_start_that_was_refused_too_late(void **state)
{
    struct witness *w = called(state);

    start(w);
    see(w, (struct event){.kind = EVENT_JOB_REFUSED, .ret = -EINVAL});
    assert_found(w, "refused-but-started", "has reported that it started");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_job_finds_a_failure_when_it_is_not_reported),
        WITNESS_TEST(test_job_finds_an_error_when_nothing_has_failed),
        WITNESS_TEST(test_job_finds_a_second_error_event_for_one_failure),
        WITNESS_TEST(test_job_finds_an_error_of_the_wrong_side_or_errno),
        WITNESS_TEST(test_job_takes_the_action_that_the_policy_says),
        WITNESS_TEST(test_job_finds_a_commit_that_uses_the_policy_of_the_target),
        WITNESS_TEST(test_job_finds_the_wrong_result_when_errors_were_reported),
        WITNESS_TEST(test_job_takes_either_end_when_an_error_follows_a_cancel),
        WITNESS_TEST(test_job_finds_an_error_result_from_nowhere),
        WITNESS_TEST(test_job_finds_a_pivot_when_it_may_not_happen),
        WITNESS_TEST(test_job_finds_a_pivot_when_it_replaces_the_wrong_disk),
        WITNESS_TEST(test_job_finds_the_wrong_kind_of_end),
        WITNESS_TEST(test_job_finds_an_event_after_the_end),
        WITNESS_TEST(test_job_finds_a_commit_into_a_base_that_is_too_short),
        WITNESS_TEST(test_job_finds_a_start_that_was_refused_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
