/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": states, progress and ends of today's job.
 */
#include "tests/support/witness_modern.h"

static struct witness *called(void **state)
{
    return modern(state, &oracle_life);
}

/* ---- Legal lives ---- */

static void ready_and_told(struct witness *w, enum job_verb verb)
{
    modern_ready(w);
    command(w, verb);
    settle(w);
}

static void pending_after(struct witness *w, enum job_verb verb)
{
    ready_and_told(w, verb);
    modern_run_ends(w);
    modern_pending(w);
}

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

    pending_after(w, VERB_CANCEL);
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
    pending_after(w, VERB_COMPLETE);
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
    pending_after(w, VERB_CANCEL);
    pivot(w, DST, SRC);
    assert_found(w, "illegal-pivot", "nobody asked it to complete");

    w = called(state);
    pending_after(w, VERB_COMPLETE);
    pivot(w, THIRD, SRC);
    assert_found(w, "wrong-pivot", "third took the place of src");
}

static void test_life_finds_a_wrong_end(void **state)
{
    struct witness *w = called(state);

    pending_after(w, VERB_COMPLETE);
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

    ready_and_told(w, VERB_CANCEL);
    copy(w, 0, CHUNK);
    progress_to(w, w->copied, w->copied);
    section(w, BY_JOB, SECTION_BEGUN, SRC);
    section(w, BY_JOB, SECTION_QUIET, SRC);
    modern_pending(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "wrong-end", "was not flushed successfully");
}

/* J8: from the end of its run on the guest waits. */
static void test_life_finds_an_end_that_does_not_keep_the_guest_out(void **state)
{
    struct witness *w = called(state);

    ready_and_told(w, VERB_COMPLETE);
    become(w, JOB_STATUS_READY, JOB_STATUS_WAITING);
    assert_found(w, "wrong-status", "no section of it is over the source");
}

static void test_life_finds_a_guest_let_in_while_the_job_is_pending(void **state)
{
    struct witness *w = called(state);

    pending_after(w, VERB_COMPLETE);
    assert_silent(w);
    request_event(w, EVENT_ARRIVE,
                  (struct ticket){BLOCK_FILTER_ID, OP_WRITE, BY_GUEST, 0, CHUNK, 9}, 0);
    assert_found(w, "guest-let-in", "Guest write #9 reached the filter, but the job is pending");
}

/* Nothing but its end shows it (S9'). */
static void test_life_finds_success_with_different_lengths(void **state)
{
    struct witness *w = called(state);

    pending_after(w, VERB_CANCEL);
    w->evidence.disks[DST]->bytes += CHUNK;
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    w->evidence.disks[DST]->bytes -= CHUNK;
    assert_found(w, "wrong-end", "source and target have different lengths");
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
        WITNESS_TEST(test_life_finds_progress_that_shrinks_or_lags),
        WITNESS_TEST(test_life_finds_a_pivot_that_should_not_be),
        WITNESS_TEST(test_life_finds_a_wrong_end),
        WITNESS_TEST(test_life_finds_success_without_a_last_flush),
        WITNESS_TEST(test_life_finds_an_end_that_does_not_keep_the_guest_out),
        WITNESS_TEST(test_life_finds_a_guest_let_in_while_the_job_is_pending),
        WITNESS_TEST(test_life_finds_success_with_different_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
