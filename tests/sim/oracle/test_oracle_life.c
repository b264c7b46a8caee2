/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": states, pauses, commands, errors, requests and ends of today's job.
 */
#include "tests/support/witness_modern.h"

static struct witness *called(void **state)
{
    return modern(state, &oracle_life);
}

static void at(struct witness *w, uint64_t now_ns)
{
    w->evidence.now_ns = now_ns;
}

/* ---- Legal lives ---- */

static void test_life_is_silent_when_all_goes_well(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    modern_complete(w);
    assert_silent(w);
    assert_true(w->verdict.checks > 0);
}

static void test_life_judges_nothing_of_a_job_of_2_2(void **state)
{
    struct witness *w = called(state);

    assert_true(oracle_kinds(&oracle_life, w->plan) != 0);
    assert_int_equal(oracle_kinds(&oracle_job, w->plan), 0);
    w->plan->generation = GENERATION_2_2;
    assert_int_equal(oracle_kinds(&oracle_life, w->plan), 0);
    assert_true(oracle_kinds(&oracle_job, w->plan) != 0);
}

static void test_life_is_silent_when_a_ready_job_is_cancelled_softly(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    modern_gone(w, JOB_STATUS_PENDING);
    assert_silent(w);
}

static void test_life_is_silent_when_it_is_cancelled_by_force_in_a_pause(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_PAUSE);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    say(w, EVENT_JOB_PAUSED);
    settle(w);
    command_with(w, VERB_CANCEL, 1);
    become(w, JOB_STATUS_STANDBY, JOB_STATUS_READY);
    say(w, EVENT_JOB_RESUMED);
    say(w, EVENT_BUFFERS_RELEASE);
    section(w, BY_JOB, SECTION_BEGUN, SRC);
    section(w, BY_JOB, SECTION_QUIET, SRC);
    settle(w);
    become(w, JOB_STATUS_READY, JOB_STATUS_ABORTING);
    modern_end(w, EVENT_JOB_CANCELLED, -ECANCELED);
    modern_gone(w, JOB_STATUS_ABORTING);
    assert_silent(w);
}

static void test_life_is_silent_when_it_ends_by_hand(void **state)
{
    struct witness *w = called(state);

    w->plan->job.auto_finalize = w->plan->job.auto_dismiss = false;
    modern_ready(w);
    command(w, VERB_COMPLETE);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    say(w, EVENT_JOB_PENDING);
    settle(w);
    command(w, VERB_FINALIZE);
    pivot(w, DST, SRC);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    become(w, JOB_STATUS_PENDING, JOB_STATUS_CONCLUDED);
    settle(w);
    command(w, VERB_DISMISS);
    become(w, JOB_STATUS_CONCLUDED, JOB_STATUS_NULL);
    settle(w);
    assert_silent(w);
}

/* ---- States ---- */

static void test_life_finds_states_that_may_not_follow(void **state)
{
    static const struct {
        enum job_status from;
        enum job_status to;
        const char *kind;
    } cases[] = {
        {JOB_STATUS_READY, JOB_STATUS_READY, "illegal-status"},
        {JOB_STATUS_READY, JOB_STATUS_RUNNING, "illegal-status"},
        {JOB_STATUS_READY, JOB_STATUS_CONCLUDED, "illegal-status"},
        {JOB_STATUS_RUNNING, JOB_STATUS_WAITING, "illegal-status"}, /* it is ready */
        {JOB_STATUS_READY, JOB_STATUS_STANDBY, "wrong-status"},     /* nobody wants a pause */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        modern_ready(w);
        become(w, cases[i].from, cases[i].to);
        assert_found(w, cases[i].kind, "went from");
    }
}

static void test_life_finds_a_second_ready(void **state)
{
    struct witness *w = called(state);

    modern_start(w);
    copy(w, 0, LENGTH);
    flush(w, 0);
    become(w, JOB_STATUS_RUNNING, JOB_STATUS_READY);
    say(w, EVENT_JOB_READY);
    become(w, JOB_STATUS_READY, JOB_STATUS_RUNNING);
    assert_found(w, "illegal-status", "may not follow");
}

static void test_life_finds_ready_without_a_flush_but_does_not_ask_for_active_writes(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_start(w);
    copy(w, 0, LENGTH);
    become(w, JOB_STATUS_RUNNING, JOB_STATUS_READY);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-before-flush", "was not flushed");

    w->plan->job.copy_mode = COPY_WRITE_BLOCKING;
    w = called(state);
    modern_start(w);
    copy(w, 0, LENGTH);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    flush(w, 0);
    end_active(w, begin_active(w, guest), guest);
    progress_to(w, LENGTH + CHUNK, LENGTH + CHUNK);
    become(w, JOB_STATUS_RUNNING, JOB_STATUS_READY);
    say(w, EVENT_JOB_READY);
    assert_silent(w);
}

static void test_life_finds_a_job_that_does_not_wait_for_finalize_or_dismiss(void **state)
{
    struct witness *w = called(state);

    w->plan->job.auto_finalize = w->plan->job.auto_dismiss = false;
    modern_ready(w);
    modern_complete(w);
    assert_found(w, "wrong-status", "nobody told it to finalize");
    assert_int_equal(w->verdict.findings[1].id, FINDING_LIFE_WRONG_STATUS);
    assert_non_null(strstr(w->verdict.findings[1].text, "nobody dismissed it"));
}

static void test_life_finds_events_in_the_wrong_state(void **state)
{
    static const enum event_kind kinds[] = {EVENT_JOB_PAUSED, EVENT_JOB_PENDING,
                                            EVENT_JOB_COMPLETED};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct witness *w = called(state);

        modern_ready(w);
        say(w, kinds[i]);
        assert_found(w, "wrong-event", "but it was ready");
    }
}

static void test_life_finds_events_of_a_job_that_is_gone(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    modern_complete(w);
    say(w, EVENT_JOB_READY);
    assert_found(w, "event-without-job", "it is gone");
}

static void test_life_finds_a_query_of_another_status(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    see(w, (struct event){.kind = EVENT_QUERY, .detail2 = JOB_STATUS_READY});
    assert_silent(w);
    see(w, (struct event){.kind = EVENT_QUERY, .detail2 = JOB_STATUS_RUNNING});
    assert_found(w, "wrong-query", "says that the job is running");
}

/* ---- Pauses ---- */

static void test_life_finds_a_pause_that_comes_late(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    at(w, 1 * MS);
    command(w, VERB_PAUSE);
    settle(w);
    assert_silent(w);
    at(w, 2 * MS);
    settle(w);
    assert_found(w, "late-pause", "told to pause at 1ms, but at 2ms it is still ready");
}

static void test_life_finds_a_resume_that_comes_late(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_PAUSE);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    settle(w);
    at(w, 1 * MS);
    command(w, VERB_RESUME);
    settle(w);
    at(w, 2 * MS);
    settle(w);
    assert_found(w, "late-resume", "since 1ms, but at 2ms it is still standby");
}

static void test_life_lets_a_drained_section_pause(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    section(w, BY_NONE, SECTION_BEGUN, SRC);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    section(w, BY_NONE, SECTION_QUIET, SRC);
    settle(w);
    section(w, BY_NONE, SECTION_ENDED, SRC);
    become(w, JOB_STATUS_STANDBY, JOB_STATUS_READY);
    settle(w);
    assert_silent(w);
    section(w, BY_NONE, SECTION_BEGUN, SRC);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    become(w, JOB_STATUS_STANDBY, JOB_STATUS_READY);
    assert_found(w, "wrong-status", "nothing has ended its pause");
}

static void test_life_finds_what_a_paused_job_does(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    w->plan->job.copy_mode = COPY_WRITE_BLOCKING;
    w = called(state);
    modern_ready(w);
    command(w, VERB_PAUSE);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    end_active(w, begin_active(w, guest), guest);
    assert_silent(w); /* N11 */
    submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK);
    assert_found(w, "illegal-issue", "but the job is paused");
}

static void test_life_finds_chunks_taken_after_a_pause(void **state)
{
    struct witness *w = called(state);

    modern_start(w);
    copy(w, 0, CHUNK);
    command(w, VERB_PAUSE);
    settle(w);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    assert_found(w, "illegal-issue", "a pause has been asked for");
}

static void test_life_finds_a_second_run_after_a_force_cancel(void **state)
{
    struct witness *w = called(state);

    w->plan->job.buffer_bytes = CHUNK;
    modern_start(w);
    command_with(w, VERB_CANCEL, 1);
    settle(w);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    assert_silent(w);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    assert_found(w, "illegal-issue", "more than one run");
}

/* ---- Active requests ---- */

static void test_life_finds_active_requests_that_should_not_be(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_ready(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    begin_active(w, guest);
    assert_found(w, "illegal-active", "not in write-blocking mode");

    w->plan->job.copy_mode = COPY_WRITE_BLOCKING;
    w = called(state);
    modern_ready(w);
    command_with(w, VERB_CANCEL, 1);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    begin_active(w, guest);
    assert_found(w, "illegal-active", "had been cancelled");

    w = called(state);
    modern_ready(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, CHUNK);
    assert_found(w, "illegal-active", "has done that on the source");

    w = called(state);
    modern_ready(w);
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, CHUNK);
    assert_found(w, "illegal-active", "no guest request wants that");
    w->plan->job.copy_mode = COPY_BACKGROUND;
}

static void test_life_lets_a_change_of_mode_make_requests_active(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_ready(w);
    command_with(w, VERB_CHANGE, COPY_WRITE_BLOCKING);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    end_active(w, begin_active(w, guest), guest);
    assert_silent(w);
    command_with(w, VERB_CHANGE, COPY_BACKGROUND);
    settle(w);
    assert_found(w, "accepted", "can't be changed back");
}

/* ---- Errors ---- */

static void test_life_finds_an_error_without_an_event(void **state)
{
    struct witness *w = called(state);
    struct ticket read;

    modern_start(w);
    read = begin_read(w, 0, CHUNK);
    settle(w);
    done(w, read, -EIO);
    settle(w);
    assert_found(w, "missing-error", "emitted no error event");
}

static void test_life_finds_wrong_and_groundless_errors(void **state)
{
    struct witness *w = called(state);
    struct ticket read;

    modern_start(w);
    error_event(w, OP_READ, -EIO, ACTION_REPORT);
    assert_found(w, "error-without-failure", "no request of it has failed");

    w = called(state);
    modern_start(w);
    read = begin_read(w, 0, CHUNK);
    done(w, read, -EIO);
    error_event(w, OP_WRITE, -EIO, ACTION_REPORT);
    assert_found(w, "wrong-error", "reported a write error");

    w = called(state);
    modern_start(w);
    read = begin_read(w, 0, CHUNK);
    done(w, read, -EIO);
    error_event(w, OP_READ, -EIO, ACTION_STOP);
    assert_found(w, "wrong-action", "the policy says report");
}

static void test_life_finds_a_result_that_is_not_the_error(void **state)
{
    struct witness *w = called(state);
    struct ticket read;

    modern_start(w);
    read = begin_read(w, 0, CHUNK);
    done(w, read, -ENOSPC);
    error_event(w, OP_READ, -ENOSPC, ACTION_REPORT);
    settle(w);
    become(w, JOB_STATUS_RUNNING, JOB_STATUS_ABORTING);
    modern_end(w, EVENT_JOB_COMPLETED, -EIO);
    assert_found(w, "wrong-result", "ended with EIO");
}

/* ---- Commands ---- */

static void test_life_finds_what_was_refused_or_accepted_wrongly(void **state)
{
    static const struct {
        enum job_verb verb;
        bool wrongly_refused; /* when ready */
        bool wrongly_accepted;
    } cases[] = {
        {VERB_COMPLETE, true, false}, {VERB_PAUSE, true, false},    {VERB_CANCEL, true, false},
        {VERB_RESUME, false, true},   {VERB_FINALIZE, false, true}, {VERB_DISMISS, false, true},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        modern_ready(w);
        command(w, cases[i].verb);
        refuse(w, cases[i].verb, REFUSED_VERB);
        settle(w);
        assert_int_equal(w->verdict.finding_count, cases[i].wrongly_refused);
        w = called(state);
        modern_ready(w);
        command(w, cases[i].verb);
        settle(w);
        assert_int_equal(w->verdict.finding_count, cases[i].wrongly_accepted);
    }
}

static void test_life_finds_complete_after_a_cancel(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    command(w, VERB_COMPLETE);
    settle(w);
    assert_found(w, "accepted", "the job is cancelled");
}

/* ---- Progress and the end ---- */

static void test_life_finds_progress_that_shrinks_or_lags(void **state)
{
    struct witness *w = called(state);

    modern_start(w);
    progress_to(w, 2 * CHUNK, LENGTH);
    progress_to(w, CHUNK, LENGTH);
    assert_found(w, "progress", "must not shrink");

    w = called(state);
    modern_start(w);
    copy(w, 0, 2 * CHUNK);
    progress_to(w, CHUNK, LENGTH);
    assert_found(w, "progress", "it has written 131072 bytes");
}

static void test_life_finds_a_pivot_that_should_not_be(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "the job was not pending");

    w = called(state);
    modern_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "nobody asked it to complete");

    w = called(state);
    modern_ready(w);
    command(w, VERB_COMPLETE);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    pivot(w, THIRD, SRC);
    assert_found(w, "wrong-pivot", "third took the place of src");
}

static void test_life_finds_a_wrong_end(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_COMPLETE);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "wrong-end", "the guest was not moved to the target");

    w = called(state);
    modern_ready(w);
    command_with(w, VERB_CANCEL, 1);
    settle(w);
    become(w, JOB_STATUS_READY, JOB_STATUS_ABORTING);
    modern_end(w, EVENT_JOB_COMPLETED, -ECANCELED);
    assert_found(w, "wrong-end", "it was cancelled by force");
}

static void test_life_finds_success_without_a_last_flush(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    copy(w, 0, CHUNK);
    progress_to(w, w->copied, w->copied);
    modern_pending(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "wrong-end", "was not flushed successfully");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_life_is_silent_when_all_goes_well),
        WITNESS_TEST(test_life_judges_nothing_of_a_job_of_2_2),
        WITNESS_TEST(test_life_is_silent_when_a_ready_job_is_cancelled_softly),
        WITNESS_TEST(test_life_is_silent_when_it_is_cancelled_by_force_in_a_pause),
        WITNESS_TEST(test_life_is_silent_when_it_ends_by_hand),
        WITNESS_TEST(test_life_finds_states_that_may_not_follow),
        WITNESS_TEST(test_life_finds_a_second_ready),
        WITNESS_TEST(test_life_finds_ready_without_a_flush_but_does_not_ask_for_active_writes),
        WITNESS_TEST(test_life_finds_a_job_that_does_not_wait_for_finalize_or_dismiss),
        WITNESS_TEST(test_life_finds_events_in_the_wrong_state),
        WITNESS_TEST(test_life_finds_events_of_a_job_that_is_gone),
        WITNESS_TEST(test_life_finds_a_query_of_another_status),
        WITNESS_TEST(test_life_finds_a_pause_that_comes_late),
        WITNESS_TEST(test_life_finds_a_resume_that_comes_late),
        WITNESS_TEST(test_life_lets_a_drained_section_pause),
        WITNESS_TEST(test_life_finds_what_a_paused_job_does),
        WITNESS_TEST(test_life_finds_chunks_taken_after_a_pause),
        WITNESS_TEST(test_life_finds_a_second_run_after_a_force_cancel),
        WITNESS_TEST(test_life_finds_active_requests_that_should_not_be),
        WITNESS_TEST(test_life_lets_a_change_of_mode_make_requests_active),
        WITNESS_TEST(test_life_finds_an_error_without_an_event),
        WITNESS_TEST(test_life_finds_wrong_and_groundless_errors),
        WITNESS_TEST(test_life_finds_a_result_that_is_not_the_error),
        WITNESS_TEST(test_life_finds_what_was_refused_or_accepted_wrongly),
        WITNESS_TEST(test_life_finds_complete_after_a_cancel),
        WITNESS_TEST(test_life_finds_progress_that_shrinks_or_lags),
        WITNESS_TEST(test_life_finds_a_pivot_that_should_not_be),
        WITNESS_TEST(test_life_finds_a_wrong_end),
        WITNESS_TEST(test_life_finds_success_without_a_last_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
