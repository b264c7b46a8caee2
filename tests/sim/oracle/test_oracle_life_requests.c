/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": active requests and errors of today's job.
 */
#include "tests/support/witness_modern.h"

static struct witness *called(void **state)
{
    return modern(state, &oracle_life);
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

/* Section 12: in the ready phase only the last flush, with the guest kept out. */
static void test_life_finds_a_flush_of_a_ready_job_that_lets_the_guest_in(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    assert_silent(w);
    submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
    assert_found(w, "illegal-issue", "a ready job flushes only when the guest is kept out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_life_finds_active_requests_that_should_not_be),
        WITNESS_TEST(test_life_lets_a_change_of_mode_make_requests_active),
        WITNESS_TEST(test_life_finds_an_error_without_an_event),
        WITNESS_TEST(test_life_finds_wrong_and_groundless_errors),
        WITNESS_TEST(test_life_finds_a_result_that_is_not_the_error),
        WITNESS_TEST(test_life_finds_a_flush_of_a_ready_job_that_lets_the_guest_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
