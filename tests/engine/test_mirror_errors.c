/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failed reads, writes and flushes (E1 to E6) under each policy.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* One chunk of buffer each: three operations in flight, of chunks 0, 2 and 4. */
static void start_three(struct host *host, enum error_policy source, enum error_policy target)
{
    struct job_spec spec = stub_spec(host);

    spec.on_source_error = source;
    spec.on_target_error = target;
    for (uint64_t i = 0; i < 3; i++) {
        stub_allocate(stub_source(host), i * 128 * KIB, 64 * KIB);
    }
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(host->request_count, 3);
}

static void start_ready(struct host *host, enum error_policy target)
{
    struct job_spec spec = stub_spec(host);

    spec.on_target_error = target;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
}

static void finish_at(struct host *host, enum op op, uint64_t chunk, int ret)
{
    stub_finish(host, op, chunk * 64 * KIB, 64 * KIB, ret);
}

/* E1, E2: the action follows from side, policy and errno; one event each. */
static void test_mirror_errors_act_by_policy_of_the_side(void **state)
{
    static const struct {
        enum op op;
        enum error_policy source;
        enum error_policy target;
        int error;
        enum error_action action;
        enum io_status io_status;
        bool target_stops;
    } cases[] = {
        {OP_READ, POLICY_REPORT, POLICY_STOP, -EIO, ACTION_REPORT, IO_STATUS_OK, false},
        {OP_READ, POLICY_IGNORE, POLICY_STOP, -ENOSPC, ACTION_IGNORE, IO_STATUS_OK, false},
        {OP_READ, POLICY_STOP, POLICY_REPORT, -EIO, ACTION_STOP, IO_STATUS_FAILED, false},
        {OP_READ, POLICY_STOP, POLICY_REPORT, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE, false},
        {OP_READ, POLICY_ENOSPC, POLICY_REPORT, -EIO, ACTION_REPORT, IO_STATUS_OK, false},
        {OP_WRITE, POLICY_STOP, POLICY_REPORT, -EIO, ACTION_REPORT, IO_STATUS_OK, false},
        {OP_WRITE, POLICY_STOP, POLICY_IGNORE, -EIO, ACTION_IGNORE, IO_STATUS_OK, false},
        {OP_WRITE, POLICY_REPORT, POLICY_STOP, -EIO, ACTION_STOP, IO_STATUS_FAILED, true},
        {OP_WRITE, POLICY_REPORT, POLICY_ENOSPC, -EIO, ACTION_REPORT, IO_STATUS_OK, false},
        {OP_WRITE, POLICY_REPORT, POLICY_ENOSPC, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE, true},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct event *event;
        struct host *host;

        stub_set_up(state);
        host = *state;
        start_three(host, cases[i].source, cases[i].target);
        if (cases[i].op == OP_WRITE) {
            finish_at(host, OP_READ, 2, 0);
        }
        finish_at(host, cases[i].op, 2, cases[i].error);
        event = stub_event(host, EVENT_JOB_ERROR);
        assert_int_equal(stub_event_count(host, EVENT_JOB_ERROR), 1);
        assert_int_equal(event->op, cases[i].op);
        assert_int_equal(event->detail, cases[i].action);
        assert_int_equal(event->ret, cases[i].error);
        assert_int_equal(event->offset, 128 * KIB);
        assert_int_equal(event->bytes, 64 * KIB);
        assert_int_equal(event->node, cases[i].op == OP_READ ? 0 : 1);
        assert_int_equal(stub_query(host).io_status, cases[i].io_status);
        assert_int_equal(stub_query(host).paused, cases[i].action == ACTION_STOP);
        assert_int_equal(stub_target(host)->io_status,
                         cases[i].target_stops ? cases[i].io_status : IO_STATUS_OK);
        if (cases[i].action != ACTION_REPORT) {
            assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
        }
        stub_run_until_concluded(host);
        assert_int_equal(host->ret, cases[i].action == ACTION_REPORT ? cases[i].error : 0);
        stub_destroy(host);
    }
}

/* E3, L1: the job ends with the error once nothing is in flight, and issues nothing more. */
static void test_mirror_errors_end_the_job_when_reported(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_REPORT, POLICY_REPORT);
    finish_at(host, OP_READ, 2, -EIO);
    assert_int_equal(host->request_count, 2);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, 0);
    finish_at(host, OP_READ, 4, 0);
    assert_null(host->timer);
    finish_at(host, OP_WRITE, 4, 0);
    assert_false(host->concluded);
    stub_fire(host);
    assert_int_equal(host->ret, -EIO);
    assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->ret, -EIO);
}

/* E3: the first reported error is the result; each later one is an event. */
static void test_mirror_errors_keep_the_first_when_several_are_reported(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_ENOSPC, POLICY_REPORT);
    finish_at(host, OP_READ, 4, 0);
    finish_at(host, OP_WRITE, 4, -EPERM);
    finish_at(host, OP_READ, 0, -EIO);
    finish_at(host, OP_READ, 2, -ENOSPC);
    assert_int_equal(stub_event_count(host, EVENT_JOB_ERROR), 3);
    stub_fire(host);
    assert_int_equal(host->ret, -EPERM);
}

/* E3: the same if the job notices them only when it wakes. */
static void test_mirror_errors_keep_the_first_when_several_come_in_a_sleep(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 2 << 20; /* a little more than three chunks per slice */
    for (uint64_t i = 0; i < 5; i++) {
        stub_allocate(stub_source(host), i * 128 * KIB, 64 * KIB);
    }
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(host->request_count, 4);
    finish_at(host, OP_READ, 2, -EPERM);
    finish_at(host, OP_READ, 0, -EIO);
    stub_finish_copies(host);
    stub_fire(host);
    assert_int_equal(host->request_count, 0);
    stub_fire(host);
    assert_int_equal(host->ret, -EPERM);
}

/* E3, C3: an error that comes after a cancel has ended the loop is an event, not the result. */
static void test_mirror_errors_leave_the_result_when_cancelled_before(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_REPORT, POLICY_REPORT);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, 0);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    finish_at(host, OP_READ, 2, -EIO);
    finish_at(host, OP_READ, 4, 0);
    finish_at(host, OP_WRITE, 4, -EIO);
    assert_int_equal(stub_event_count(host, EVENT_JOB_ERROR), 2);
    stub_fire(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
}

/* L1, C6: an error that comes first ends the job, and the result says so. */
static void test_mirror_errors_are_the_result_when_cancel_is_not_yet_noticed(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_REPORT, POLICY_REPORT);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    finish_at(host, OP_READ, 2, -EIO);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, -EIO);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 0);
    assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->ret, -EIO);
}

/* E1, E5: the range becomes dirty again and is copied again; nothing is lost. */
static void test_mirror_errors_are_retried_when_ignored(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_IGNORE, POLICY_IGNORE);
    finish_at(host, OP_READ, 0, -EIO);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, -EIO);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, 0);
    stub_run_until_ready(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_ERROR), 2);
    assert_int_equal(stub_query(host).offset, 192 * KIB);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* E4: the job parks until resume; operations in flight finish, none is issued. */
static void test_mirror_errors_park_the_job_when_stopped(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_STOP, POLICY_STOP);
    finish_at(host, OP_READ, 2, -EIO);
    assert_int_equal(stub_query(host).status, JOB_STATUS_PAUSED);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 1);
    stub_finish_copies(host);
    assert_int_equal(host->request_count, 0);
    assert_null(host->timer);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), -EBUSY);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_int_equal(stub_query(host).io_status, IO_STATUS_OK);
    stub_find(host, OP_READ, 128 * KIB, 64 * KIB);
    stub_run_until_ready(host);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* E4: the first error decides the status, of the job and of the target. */
static void test_mirror_errors_keep_the_first_status_when_several_stop(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_STOP, POLICY_STOP);
    finish_at(host, OP_READ, 2, 0);
    finish_at(host, OP_READ, 4, 0);
    finish_at(host, OP_READ, 0, -EIO);
    finish_at(host, OP_WRITE, 2, -ENOSPC);
    assert_int_equal(stub_query(host).io_status, IO_STATUS_FAILED);
    finish_at(host, OP_WRITE, 4, -EIO);
    assert_int_equal(stub_target(host)->io_status, IO_STATUS_NOSPACE);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_int_equal(stub_target(host)->io_status, IO_STATUS_OK);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, -EIO);
    assert_int_equal(stub_target(host)->io_status, IO_STATUS_FAILED);
    stub_cancel(host);
}

/* E4: an error that comes after the resume stops the job again. */
static void test_mirror_errors_park_again_when_resumed_too_early(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_STOP, POLICY_STOP);
    finish_at(host, OP_READ, 2, -EIO);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    finish_at(host, OP_READ, 0, -EIO);
    assert_int_equal(stub_query(host).status, JOB_STATUS_PAUSED);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 2);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    stub_run_until_ready(host);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* E4: a cancel makes a stopped job continue to its end. */
static void test_mirror_errors_let_a_stopped_job_be_cancelled(void **state)
{
    struct host *host = *state;

    start_three(host, POLICY_STOP, POLICY_STOP);
    finish_at(host, OP_READ, 2, -EIO);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    stub_run_until_concluded(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
}

/* E1, E6: an error takes readiness away, catching up gives it back. */
static void test_mirror_errors_withdraw_readiness_until_the_job_catches_up(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_IGNORE);
    stub_guest_write(host, 0, 512);
    stub_fire(host);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, -EIO);
    assert_int_equal(stub_query(host).status, JOB_STATUS_RUNNING);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), -EBUSY);
    assert_int_equal(host->error.refusal, REFUSED_NOT_READY);
    stub_run_until_ready(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 2);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* L4: a failed flush counts as a write of the target, by policy. */
static void test_mirror_errors_end_the_job_when_flush_error_is_reported(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_REPORT);
    stub_fire(host);
    stub_finish(host, OP_FLUSH, 0, 0, -EIO);
    assert_int_equal(stub_event(host, EVENT_JOB_ERROR)->op, OP_WRITE);
    assert_int_equal(stub_event(host, EVENT_JOB_ERROR)->bytes, 0);
    stub_fire(host);
    assert_int_equal(host->ret, -EIO);
}

/* L4: not ready before a flush has succeeded; it is tried again. */
static void test_mirror_errors_repeat_the_flush_when_its_error_is_ignored(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.on_target_error = POLICY_IGNORE;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish_copies(host);
    for (int i = 0; i < 3; i++) {
        stub_finish(host, OP_FLUSH, 0, 0, -EIO);
        assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 0);
        assert_int_equal(stub_timer_delay_ns(host), 0);
        stub_fire(host);
    }
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 1);
    stub_cancel(host);
}

/* L6: a cancelled job ends without another trip through the event loop. */
static void test_mirror_errors_end_the_job_at_once_when_flush_fails_after_cancel(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_IGNORE);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, -EIO);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    stub_run_until_concluded(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
}

static void test_mirror_errors_park_the_job_when_flush_error_stops(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_ENOSPC);
    stub_fire(host);
    stub_finish(host, OP_FLUSH, 0, 0, -ENOSPC);
    assert_int_equal(stub_query(host).status, JOB_STATUS_PAUSED);
    assert_int_equal(stub_target(host)->io_status, IO_STATUS_NOSPACE);
    assert_null(host->timer);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 2);
    stub_cancel(host);
}

/* L4: no pivot on a target whose last flush failed. */
static void test_mirror_errors_hold_the_pivot_up_when_flush_fails(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_IGNORE);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, -EIO);
    assert_int_equal(stub_source(host)->drains, 0);
    stub_fire(host);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    stub_fire(host);
    assert_int_equal(host->ret, 0);
    assert_ptr_equal(host->guest_node, stub_target(host));
}

/* D10: complete, then an error, then cancel: no pivot, and CANCELLED. */
static void test_mirror_errors_withdraw_the_pivot_when_cancelled_after(void **state)
{
    struct host *host = *state;

    start_ready(host, POLICY_STOP);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_guest_write(host, 0, 512);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    finish_at(host, OP_READ, 0, 0);
    finish_at(host, OP_WRITE, 0, -ENOSPC);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_ptr_equal(host->guest_node, stub_source(host));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_errors_act_by_policy_of_the_side),
        CASE(test_mirror_errors_end_the_job_when_reported),
        CASE(test_mirror_errors_keep_the_first_when_several_are_reported),
        CASE(test_mirror_errors_keep_the_first_when_several_come_in_a_sleep),
        CASE(test_mirror_errors_leave_the_result_when_cancelled_before),
        CASE(test_mirror_errors_are_the_result_when_cancel_is_not_yet_noticed),
        CASE(test_mirror_errors_are_retried_when_ignored),
        CASE(test_mirror_errors_park_the_job_when_stopped),
        CASE(test_mirror_errors_keep_the_first_status_when_several_stop),
        CASE(test_mirror_errors_park_again_when_resumed_too_early),
        CASE(test_mirror_errors_let_a_stopped_job_be_cancelled),
        CASE(test_mirror_errors_withdraw_readiness_until_the_job_catches_up),
        CASE(test_mirror_errors_end_the_job_when_flush_error_is_reported),
        CASE(test_mirror_errors_repeat_the_flush_when_its_error_is_ignored),
        CASE(test_mirror_errors_end_the_job_at_once_when_flush_fails_after_cancel),
        CASE(test_mirror_errors_park_the_job_when_flush_error_stops),
        CASE(test_mirror_errors_hold_the_pivot_up_when_flush_fails),
        CASE(test_mirror_errors_withdraw_the_pivot_when_cancelled_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
