/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "job": legal lives, readiness, pauses, commands and progress.
 */
#include "tests/support/witness_job.h"

static void progress(struct witness *w, uint64_t offset, uint64_t len)
{
    see(w,
        (struct event){.kind = EVENT_JOB_PROGRESS, .by = BY_JOB, .offset = offset, .bytes = len});
}

/* ---- Legal lives ---- */

static void test_job_is_silent_when_all_goes_well(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    command(w, VERB_COMPLETE);
    settle(w);
    complete(w);
    assert_silent(w);
    assert_true(w->verdict.checks > 0);
}

static void test_job_is_silent_when_a_ready_job_is_cancelled_and_completes(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    flush(w, 0);
    wind_down(w);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);
}

static void test_job_is_silent_when_it_stops_on_an_error_and_is_cancelled(void **state)
{
    struct witness *w = called(state);

    w->plan->job.on_source_error = POLICY_STOP;
    start(w);
    fail_read(w, -EIO, ACTION_STOP);
    say(w, EVENT_JOB_PAUSED);
    settle(w);
    command(w, VERB_CANCEL);
    say(w, EVENT_JOB_RESUMED);
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    settle(w);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    assert_silent(w);
}

static void test_job_is_silent_when_set_up_fails_or_a_start_is_refused(void **state)
{
    struct witness *w = called(state);

    see(w, (struct event){.kind = EVENT_JOB_REFUSED, .ret = -EINVAL});
    settle(w);
    say(w, EVENT_JOB_STARTED);
    conclude(w, EVENT_JOB_COMPLETED, -ENOMEM);
    assert_silent(w);
}

static void test_job_is_silent_when_an_empty_device_is_ready_without_a_flush(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = 0;
    w = called(state);
    start(w);
    say(w, EVENT_JOB_READY);
    settle(w);
    command(w, VERB_COMPLETE);
    wind_down(w);
    pivot(w, DST, SRC);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);
}

/* ---- Ready ---- */

static void test_job_finds_ready_when_it_comes_too_early_or_twice(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-twice", "but it was ready");

    w = called_again(state);
    start(w);
    begin_read(w, 0, CHUNK);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-too-early", "with 1 requests in flight");
}

static void test_job_finds_ready_when_the_target_is_not_flushed(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;

    start(w);
    copy(w, 0, LENGTH);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-before-flush", "not flushed successfully after the last write");

    /* A flush that overlaps the write does not cover it. */
    w = called_again(state);
    start(w);
    ticket = begin_write(w, begin_read(w, 0, LENGTH));
    settle(w);
    flush(w, 0);
    end_write(w, ticket);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-before-flush", "not flushed successfully after the last write");
}

/* ---- Pause and cancel ---- */

static void test_job_finds_an_operation_when_it_may_issue_none(void **state)
{
    struct witness *w = called(state);

    start(w);
    command(w, VERB_PAUSE);
    settle(w);
    begin_read(w, 0, CHUNK);
    assert_found(w, "illegal-issue", "read #1, but the job is paused");

    w = called_again(state);
    start(w);
    command(w, VERB_CANCEL);
    settle(w);
    begin_read(w, 0, CHUNK);
    assert_found(w, "illegal-issue", "the job is cancelled and not ready");

    w = called_again(state);
    start(w);
    fail_read(w, -EIO, ACTION_REPORT);
    settle(w);
    begin_read(w, 0, CHUNK); /* it may have waited for its chunk (I2) */
    assert_silent(w);
    begin_read(w, CHUNK, CHUNK);
    assert_found(w, "illegal-issue", "an error has been reported");

    w = called_again(state);
    w->plan->job.on_source_error = POLICY_STOP;
    start(w);
    fail_read(w, -EIO, ACTION_STOP);
    settle(w);
    flush(w, 0);
    assert_found(w, "illegal-issue", "the job is paused");
}

static void test_job_lets_a_paused_job_write_what_it_has_read(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;

    start(w);
    ticket = begin_read(w, 0, CHUNK);
    settle(w);
    command(w, VERB_PAUSE);
    say(w, EVENT_JOB_PAUSED);
    settle(w);
    ticket = begin_write(w, ticket);
    settle(w);
    end_write(w, ticket);
    settle(w);
    command(w, VERB_RESUME);
    say(w, EVENT_JOB_RESUMED);
    begin_read(w, CHUNK, CHUNK);
    settle(w);
    assert_silent(w);
}

static void test_job_finds_a_pause_or_resume_that_nobody_wanted(void **state)
{
    struct witness *w = called(state);

    start(w);
    say(w, EVENT_JOB_PAUSED);
    say(w, EVENT_JOB_PAUSED);
    say(w, EVENT_JOB_RESUMED);
    say(w, EVENT_JOB_RESUMED);
    assert_found(w, "illegal-pause", "nothing asked it to");
    assert_string_equal(finding_kind_name(w->verdict.findings[1].id), "illegal-pause");
    assert_string_equal(finding_kind_name(w->verdict.findings[2].id), "illegal-resume");
}

/* ---- Commands ---- */

static void test_job_finds_a_command_when_it_had_to_be_refused(void **state)
{
    struct witness *w = called(state);

    command(w, VERB_PAUSE);
    settle(w);
    assert_found(w, "accepted", "pause was accepted, but there is no job");

    w = called_again(state);
    start(w);
    command(w, VERB_COMPLETE);
    settle(w);
    assert_found(w, "accepted", "complete was accepted, but the job is not ready");

    w = called_again(state);
    become_ready(w);
    command(w, VERB_PAUSE);
    settle(w);
    command(w, VERB_COMPLETE);
    settle(w);
    assert_found(w, "accepted", "complete was accepted, but the job is paused");

    w = called_again(state);
    become_ready(w);
    wind_down(w);
    command(w, VERB_CANCEL);
    settle(w);
    assert_found(w, "accepted", "cancel was accepted, but its copy loop has ended");
}

static void test_job_is_silent_when_those_commands_are_refused(void **state)
{
    struct witness *w = called(state);

    command(w, VERB_PAUSE);
    refuse(w, VERB_PAUSE, REFUSED_NOT_ACTIVE);
    settle(w);
    start(w);
    command(w, VERB_COMPLETE);
    refuse(w, VERB_COMPLETE, REFUSED_NOT_READY);
    settle(w);
    see(w, (struct event){
               .kind = EVENT_COMMAND, .detail = VERB_SET_SPEED, .offset = (uint64_t)INT64_C(-1)});
    refuse(w, VERB_SET_SPEED, REFUSED_INVALID_PARAMETER);
    settle(w);
    assert_silent(w);
}

static void test_job_finds_a_refusal_when_there_was_no_reason(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    command(w, VERB_COMPLETE);
    refuse(w, VERB_COMPLETE, REFUSED_NOT_READY);
    assert_found(w, "refused", "complete was refused as not ready, but the job was ready");
}

static void test_job_finds_a_side_effect_when_complete_is_refused(void **state)
{
    struct witness *w = called(state);

    start(w);
    command(w, VERB_COMPLETE);
    say_of(w, EVENT_GRAPH_OPEN_BACKING, DST);
    refuse(w, VERB_COMPLETE, REFUSED_NOT_READY);
    assert_found(w, "side-effect", "it has opened the target's backing file");
}

/* ---- Progress ---- */

static void test_job_finds_progress_that_shrinks_overflows_or_lies(void **state)
{
    struct witness *w = called(state);

    start(w);
    copy(w, 0, CHUNK);
    progress(w, CHUNK, LENGTH);
    assert_silent(w);
    progress(w, 0, LENGTH);
    progress(w, LENGTH, LENGTH);
    progress(w, LENGTH + CHUNK, LENGTH);
    assert_int_equal(w->verdict.finding_count, 3);
    assert_found(w, "progress", "offset 0 of len 262144, after offset 65536");
    assert_non_null(strstr(w->verdict.findings[1].text, "it has copied 65536 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_job_is_silent_when_all_goes_well),
        WITNESS_TEST(test_job_is_silent_when_a_ready_job_is_cancelled_and_completes),
        WITNESS_TEST(test_job_is_silent_when_it_stops_on_an_error_and_is_cancelled),
        WITNESS_TEST(test_job_is_silent_when_set_up_fails_or_a_start_is_refused),
        WITNESS_TEST(test_job_is_silent_when_an_empty_device_is_ready_without_a_flush),
        WITNESS_TEST(test_job_finds_ready_when_it_comes_too_early_or_twice),
        WITNESS_TEST(test_job_finds_ready_when_the_target_is_not_flushed),
        WITNESS_TEST(test_job_finds_an_operation_when_it_may_issue_none),
        WITNESS_TEST(test_job_lets_a_paused_job_write_what_it_has_read),
        WITNESS_TEST(test_job_finds_a_pause_or_resume_that_nobody_wanted),
        WITNESS_TEST(test_job_finds_a_command_when_it_had_to_be_refused),
        WITNESS_TEST(test_job_is_silent_when_those_commands_are_refused),
        WITNESS_TEST(test_job_finds_a_refusal_when_there_was_no_reason),
        WITNESS_TEST(test_job_finds_a_side_effect_when_complete_is_refused),
        WITNESS_TEST(test_job_finds_progress_that_shrinks_overflows_or_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
