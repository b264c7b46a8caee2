/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands (C1 to C5, C7, T3) in every phase in which a job can wait.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* ---- Ways to bring a job to where it waits ---- */

static void start(struct host *host, struct job_spec spec)
{
    assert_int_equal(stub_start(host, &spec), 0);
}

static void wait_status(struct host *host)
{
    stub_source(host)->slow_status = true;
    start(host, stub_spec(host));
}

static void wait_op(struct host *host)
{
    start(host, stub_spec(host));
}

/* Chunk 0 is dirty again while it is in flight, another one finishes. */
static void wait_chunk(struct host *host)
{
    stub_allocate(stub_source(host), 0, 64 * KIB);
    stub_allocate(stub_source(host), 512 * KIB, 64 * KIB);
    start(host, stub_spec(host));
    stub_guest_write(host, 0, 512);
    stub_finish(host, OP_READ, 512 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 512 * KIB, 64 * KIB, 0);
}

/* The buffer holds a cluster and a half. */
static void wait_buffers(struct host *host)
{
    struct job_spec spec = stub_spec(host);

    stub_target(host)->names_backing = true;
    stub_target(host)->cluster = 128 * KIB;
    spec.buffer_bytes = 192 * 1024;
    stub_allocate(stub_source(host), 0, 64 * KIB);
    stub_allocate(stub_source(host), 512 * KIB, 64 * KIB);
    start(host, spec);
}

static void wait_first_flush(struct host *host)
{
    start(host, stub_spec(host));
    stub_finish_copies(host);
}

static void sleep_for_speed(struct host *host)
{
    struct job_spec spec = stub_spec(host);

    spec.speed = 64 * 1024;
    start(host, spec);
    stub_finish_copies(host);
}

static void sleep_ready(struct host *host)
{
    start(host, stub_spec(host));
    stub_run_until_ready(host);
}

static void wait_ready_flush(struct host *host)
{
    sleep_ready(host);
    stub_fire(host);
}

static void wait_ready_op(struct host *host)
{
    sleep_ready(host);
    stub_guest_write(host, 0, 512);
    stub_fire(host);
}

static void wait_drain(struct host *host)
{
    sleep_ready(host);
    stub_guest_begin(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_true(stub_source(host)->drained);
}

/* Ends the guest request for which wait_drain() waits. */
static void let_go(struct host *host)
{
    if (stub_source(host)->guest_in_flight > 0) {
        stub_guest_end(host, 0, 0);
    }
}

static const struct {
    void (*reach)(struct host *host);
    bool is_ready;
    bool is_busy;
} waits[] = {
    {wait_status, false, true},  {wait_op, false, true},          {wait_chunk, false, true},
    {wait_buffers, false, true}, {wait_first_flush, false, true}, {sleep_for_speed, false, false},
    {sleep_ready, true, false},  {wait_ready_flush, true, true},  {wait_ready_op, true, true},
    {wait_drain, true, true},
};

#define WAITS COUNT_OF(waits)

static struct host *reach(void **state, size_t i)
{
    struct host *host;

    stub_set_up(state);
    host = *state;
    waits[i].reach(host);
    return host;
}

/* C7: what a query shows in each phase. */
static void test_mirror_commands_query_tells_where_the_job_waits(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        struct job_info info = stub_query(host);

        assert_int_equal(info.kind, JOB_MIRROR);
        assert_int_equal(info.status, waits[i].is_ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING);
        assert_int_equal(info.ready, waits[i].is_ready);
        assert_int_equal(info.busy, waits[i].is_busy);
        assert_false(info.paused);
        assert_false(info.cancelled);
        assert_int_equal(info.io_status, IO_STATUS_OK);
        assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
        let_go(host);
        stub_run_until_concluded(host);
        stub_destroy(host);
    }
}

/* C3: not ready, it ends CANCELLED; ready, it finishes its copy without a pivot. */
static void test_mirror_commands_cancel_ends_the_job_wherever_it_waits(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        uint64_t read = host->bytes_read;

        assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
        let_go(host);
        stub_run_until_concluded(host);
        assert_int_equal(host->ret, 0);
        assert_ptr_equal(host->guest_node, stub_source(host));
        if (waits[i].is_ready || waits[i].reach == wait_first_flush) {
            assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
            stub_assert_equal(stub_source(host), stub_target(host));
        } else {
            assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
            assert_int_equal(host->bytes_read, read);
        }
        stub_destroy(host);
    }
}

/* C1, D5: wherever it waits, a paused job parks and issues no operation. */
static void test_mirror_commands_pause_parks_the_job_wherever_it_waits(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        uint64_t read = host->bytes_read;

        assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
        if (waits[i].reach == wait_drain) {
            stub_guest_end(host, 0, 512); /* a clean source would end the job */
        }
        assert_true(stub_query(host).paused);
        while (stub_event_count(host, EVENT_JOB_PAUSED) == 0) {
            stub_step(host);
        }
        stub_finish_copies(host);
        assert_int_equal(host->request_count, 0);
        assert_int_equal(host->bytes_read, read);
        assert_null(host->timer);
        assert_null(host->status_done);
        assert_false(stub_query(host).busy);
        assert_int_equal(stub_query(host).status,
                         stub_query(host).ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED);
        assert_int_equal(stub_command(host, VERB_COMPLETE, 0), -EBUSY);
        assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
        assert_int_equal(stub_event_count(host, EVENT_JOB_RESUMED), 1);
        stub_run_until_ready(host);
        assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
        stub_run_until_concluded(host);
        stub_assert_equal(stub_source(host), stub_target(host));
        stub_destroy(host);
    }
}

/* C2: a pause that is cancelled before it took effect has no effect. */
static void test_mirror_commands_resume_takes_a_pause_back(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);

        assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
        assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
        let_go(host);
        stub_run_until_ready(host);
        assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 0);
        if (stub_query(host).status == JOB_STATUS_READY) {
            stub_command(host, VERB_COMPLETE, 0);
        }
        stub_run_until_concluded(host);
        assert_int_equal(host->ret, 0);
        stub_assert_equal(stub_source(host), stub_target(host));
        stub_destroy(host);
    }
}

/* C4: only a ready job completes; it does, wherever it waits. */
static void test_mirror_commands_complete_is_accepted_just_when_ready(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        int ret = stub_command(host, VERB_COMPLETE, 0);

        assert_int_equal(ret, waits[i].is_ready ? 0 : -EBUSY);
        if (ret < 0) {
            assert_int_equal(host->error.refusal, REFUSED_NOT_READY);
            stub_run_until_ready(host);
            assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
        }
        let_go(host);
        stub_run_until_concluded(host);
        assert_int_equal(host->ret, 0);
        assert_ptr_equal(host->guest_node, stub_target(host));
        stub_assert_equal(stub_source(host), stub_target(host));
        stub_destroy(host);
    }
}

/* D17: resuming a job that is not paused does not shorten its sleep. */
static void test_mirror_commands_resume_changes_nothing_when_not_paused(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        struct host_timer *timer = host->timer;
        uint64_t submitted = host->submitted;
        uint32_t events = host->event_count;

        assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
        assert_ptr_equal(host->timer, timer);
        assert_int_equal(host->submitted, submitted);
        assert_int_equal(host->event_count, events);
        stub_command(host, VERB_CANCEL, 0);
        let_go(host);
        stub_run_until_concluded(host);
        stub_destroy(host);
    }
}

/* C5: a negative speed is refused and changes nothing; any other is accepted. */
static void test_mirror_commands_set_speed_is_taken_wherever_the_job_waits(void **state)
{
    for (size_t i = 0; i < WAITS; i++) {
        struct host *host = reach(state, i);
        uint64_t speed = stub_query(host).speed;

        assert_int_equal(stub_command(host, VERB_SET_SPEED, -1), -EINVAL);
        assert_int_equal(host->error.refusal, REFUSED_INVALID_PARAMETER);
        assert_int_equal(stub_query(host).speed, speed);
        assert_int_equal(stub_command(host, VERB_SET_SPEED, INT64_MAX), 0);
        assert_int_equal(stub_query(host).speed, INT64_MAX);
        assert_int_equal(stub_command(host, VERB_SET_SPEED, 0), 0);
        let_go(host);
        stub_run_until_ready(host);
        assert_true(host->now_ns <= 100 * MS);
        if (stub_query(host).status == JOB_STATUS_READY) {
            stub_command(host, VERB_CANCEL, 0);
        }
        stub_run_until_concluded(host);
        stub_destroy(host);
    }
}

/* C2: a sleeping job continues at once, and its timer is dropped. */
static void test_mirror_commands_resume_wakes_a_sleeping_job_when_paused(void **state)
{
    struct host *host = *state;

    sleep_ready(host);
    assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
    assert_non_null(host->timer);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_null(host->timer);
    stub_find(host, OP_FLUSH, 0, 0);
    stub_cancel(host);
}

/* C2, T2: but a sleep for the speed limit is not cut short. */
static void test_mirror_commands_resume_keeps_the_speed_when_job_sleeps_for_it(void **state)
{
    struct host *host = *state;
    uint64_t delay_ns;

    sleep_for_speed(host); /* 64 KiB at 64 KiB/s */
    delay_ns = stub_timer_delay_ns(host);
    host->now_ns += 300 * MS;
    assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_int_equal(host->request_count, 0);
    assert_in_range(stub_timer_delay_ns(host), 1, delay_ns - 300 * MS);
    stub_cancel(host);
}

/* T3: a new speed holds at once, even for a job that sleeps because of the old one. */
static void test_mirror_commands_set_speed_changes_the_sleep_when_job_sleeps_for_it(void **state)
{
    struct host *host = *state;
    uint64_t delay_ns;

    sleep_for_speed(host);
    delay_ns = stub_timer_delay_ns(host);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 32 * 1024), 0);
    assert_in_range(stub_timer_delay_ns(host), 2 * delay_ns - 200 * MS, 2 * delay_ns + 200 * MS);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 128 * 1024), 0);
    assert_in_range(stub_timer_delay_ns(host), delay_ns / 2 - 100 * MS, delay_ns / 2 + 100 * MS);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 0), 0);
    assert_null(host->timer);
    assert_int_equal(host->request_count, 1);
    stub_cancel(host);
}

/* T3: a trip through the event loop is not a sleep for the speed limit. */
static void test_mirror_commands_set_speed_leaves_other_sleeps_alone(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.on_target_error = POLICY_IGNORE;
    start(host, spec);
    stub_finish_copies(host);
    stub_finish(host, OP_FLUSH, 0, 0, -EIO);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 1), 0);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    stub_run_until_ready(host);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 2), 0);
    assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
    stub_cancel(host);
}

/* C3: a cancel wakes a parked job. */
static void test_mirror_commands_cancel_wakes_the_job_when_parked(void **state)
{
    struct host *host = *state;

    sleep_ready(host);
    assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
    stub_fire(host);
    assert_int_equal(stub_query(host).status, JOB_STATUS_STANDBY);
    stub_guest_write(host, 0, 512);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    assert_false(stub_query(host).paused);
    stub_run_until_concluded(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* C3, C4: after a cancel no complete is accepted. */
static void test_mirror_commands_complete_is_refused_when_cancelled(void **state)
{
    struct host *host = *state;

    wait_ready_flush(host);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), -EBUSY);
    stub_run_until_concluded(host);
    assert_ptr_equal(host->guest_node, stub_source(host));
}

/* C3, D10: a cancel withdraws an earlier complete, even during the drain. */
static void test_mirror_commands_cancel_withdraws_complete_when_draining(void **state)
{
    struct host *host = *state;

    wait_drain(host);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    stub_guest_end(host, 0, 0);
    stub_fire(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
    assert_ptr_equal(host->guest_node, stub_source(host));
}

/* D12: from the end of the loop on, every command is refused. */
static void test_mirror_commands_are_refused_when_job_is_about_to_conclude(void **state)
{
    static const enum job_verb verbs[] = {VERB_COMPLETE, VERB_CANCEL, VERB_PAUSE, VERB_RESUME,
                                          VERB_SET_SPEED};
    struct host *host = *state;

    sleep_ready(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        assert_true(stub_command(host, verbs[i], 1) < 0);
        assert_int_equal(host->error.refusal, REFUSED_NOT_ACTIVE);
    }
    stub_fire(host);
    assert_ptr_equal(host->guest_node, stub_target(host));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_commands_query_tells_where_the_job_waits),
        cmocka_unit_test(test_mirror_commands_cancel_ends_the_job_wherever_it_waits),
        cmocka_unit_test(test_mirror_commands_pause_parks_the_job_wherever_it_waits),
        cmocka_unit_test(test_mirror_commands_resume_takes_a_pause_back),
        cmocka_unit_test(test_mirror_commands_complete_is_accepted_just_when_ready),
        cmocka_unit_test(test_mirror_commands_resume_changes_nothing_when_not_paused),
        cmocka_unit_test(test_mirror_commands_set_speed_is_taken_wherever_the_job_waits),
        CASE(test_mirror_commands_resume_wakes_a_sleeping_job_when_paused),
        CASE(test_mirror_commands_resume_keeps_the_speed_when_job_sleeps_for_it),
        CASE(test_mirror_commands_set_speed_changes_the_sleep_when_job_sleeps_for_it),
        CASE(test_mirror_commands_set_speed_leaves_other_sleeps_alone),
        CASE(test_mirror_commands_cancel_wakes_the_job_when_parked),
        CASE(test_mirror_commands_complete_is_refused_when_cancelled),
        CASE(test_mirror_commands_cancel_withdraws_complete_when_draining),
        CASE(test_mirror_commands_are_refused_when_job_is_about_to_conclude),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
