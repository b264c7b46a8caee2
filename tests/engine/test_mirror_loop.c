/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy loop (L1 to L7): when it issues, waits, flushes, drains and sleeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* A job that follows the guest: ready, asleep, nothing dirty. */
static void start_until_idle(struct host *host)
{
    struct job_spec spec = stub_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
}

/* Starts with room for `buffers` chunks in the buffer and `chunks` chunks that are not adjacent. */
static void start_with_buffers(struct host *host, uint64_t chunks, uint64_t buffers)
{
    struct job_spec spec = stub_spec(host);

    spec.buffer_bytes = (int64_t)(buffers * 64 * KIB);
    for (uint64_t i = 0; i < chunks; i++) {
        stub_allocate(stub_source(host), i * 128 * KIB, 64 * KIB);
    }
    assert_int_equal(stub_start(host, &spec), 0);
}

/* L4: the target is flushed before READY, and READY follows the flush at once. */
static void test_mirror_loop_becomes_ready_when_flush_has_succeeded(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish(host, OP_READ, 0, MIB, 0);
    stub_finish(host, OP_WRITE, 0, MIB, 0);
    stub_find(host, OP_FLUSH, 0, 0);
    assert_int_equal(host->request_count, 1);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 1);
    assert_int_equal(stub_query(host).status, JOB_STATUS_READY);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* L6: an idle ready job sleeps a slice, flushes, and emits READY only once. */
static void test_mirror_loop_flushes_each_slice_when_idle(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    for (int i = 0; i < 3; i++) {
        assert_false(stub_query(host).busy);
        stub_fire(host);
        assert_true(stub_query(host).busy);
        stub_finish(host, OP_FLUSH, 0, 0, 0);
        assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
    }
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 1);
    stub_cancel(host);
}

/* L3: what the guest wrote is copied when the slice is over. */
static void test_mirror_loop_copies_guest_writes_when_it_wakes(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    stub_guest_write(host, 70 * KIB, 4096);
    assert_int_equal(host->request_count, 0);
    stub_fire(host);
    stub_finish(host, OP_READ, 64 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 64 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* L3: sixteen operations at most. */
static void test_mirror_loop_waits_when_sixteen_operations_are_in_flight(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.granularity = 4096;
    for (uint64_t i = 0; i < 17; i++) {
        stub_allocate(stub_source(host), i * 8192, 4096);
    }
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(host->request_count, 16);
    stub_finish(host, OP_READ, 8192, 4096, 0);
    assert_int_equal(host->request_count, 16);
    stub_finish(host, OP_WRITE, 8192, 4096, 0);
    stub_find(host, OP_READ, 16 * 8192, 4096);
    assert_int_equal(host->request_count, 16);
    stub_cancel(host);
}

/* L3: without a free chunk buffer no operation is issued. */
static void test_mirror_loop_waits_when_no_buffer_is_free(void **state)
{
    struct host *host = *state;

    start_with_buffers(host, 3, 2);
    assert_int_equal(host->request_count, 2);
    stub_finish(host, OP_READ, 128 * KIB, 64 * KIB, 0);
    assert_int_equal(host->request_count, 2);
    stub_finish(host, OP_WRITE, 128 * KIB, 64 * KIB, 0);
    stub_find(host, OP_READ, 256 * KIB, 64 * KIB);
    stub_cancel(host);
}

/* L3: nothing dirty but something in flight: no flush yet. */
static void test_mirror_loop_flushes_when_the_last_operation_has_finished(void **state)
{
    struct host *host = *state;

    start_with_buffers(host, 3, 16);
    while (host->request_count > 1) {
        assert_int_not_equal(host->requests[0].op, OP_FLUSH);
        stub_finish_at(host, 0, 0);
    }
    stub_finish(host, OP_WRITE, 256 * KIB, 64 * KIB, 0);
    stub_find(host, OP_FLUSH, 0, 0);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* L3, L6: the job takes a trip through the event loop each slice, however much is left to copy. */
static void test_mirror_loop_yields_when_a_slice_has_passed(void **state)
{
    struct host *host = *state;

    start_with_buffers(host, 4, 1);
    host->now_ns += 100 * MS - 1;
    stub_finish(host, OP_READ, 0, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 64 * KIB, 0);
    stub_find(host, OP_READ, 128 * KIB, 64 * KIB);
    host->now_ns += 1;
    stub_finish(host, OP_READ, 128 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 128 * KIB, 64 * KIB, 0);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    stub_fire(host);
    stub_find(host, OP_READ, 256 * KIB, 64 * KIB);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* Waking: an operation that finishes does not end a sleep. */
static void test_mirror_loop_sleeps_on_when_an_operation_finishes(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 640 * 1024; /* a chunk per slice */
    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish(host, OP_READ, 0, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 64 * KIB, 0);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
    stub_fire(host);
    assert_int_equal(host->request_count, 1);
    stub_cancel(host);
}

/*
 * L2: len counts what is copied, dirty and in flight, and the short last chunk
 * with its real length.
 */
static void test_mirror_loop_publishes_real_bytes_when_last_chunk_is_short(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->bytes = MIB - 512;
    spec.buffer_bytes = 64 * 1024;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_query(host).len, MIB - 512);
    assert_int_equal(stub_query(host).offset, 0);
    stub_run_until_ready(host);
    assert_int_equal(stub_query(host).len, MIB - 512);
    assert_int_equal(stub_query(host).offset, MIB - 512);
    stub_guest_write(host, MIB - 1024, 512);
    stub_fire(host);
    assert_int_equal(stub_query(host).len, MIB - 512 + 64 * KIB - 512);
    stub_run_until_ready(host);
    for (uint32_t i = 0; i < host->event_count; i++) {
        if (host->events[i].kind == EVENT_JOB_PROGRESS) {
            assert_true(host->events[i].offset <= host->events[i].bytes);
        }
    }
    stub_cancel(host);
}

/*
 * R7: chunks are copied in ascending order: those ahead of the cursor in this
 * round, those behind it after the wrap.
 */
static void test_mirror_loop_goes_round_when_chunks_become_dirty_on_the_way(void **state)
{
    static const uint64_t expected[] = {0, 2, 4, 5, 6, 1};
    struct host *host = *state;

    start_with_buffers(host, 4, 1); /* 0, 2, 4, 6 */
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        stub_finish(host, OP_READ, expected[i] * 64 * KIB, 64 * KIB, 0);
        if (expected[i] == 2) {
            stub_guest_write(host, 5 * 64 * KIB, 512);
            stub_guest_write(host, 1 * 64 * KIB, 512);
        }
        stub_finish(host, OP_WRITE, expected[i] * 64 * KIB, 64 * KIB, 0);
    }
    stub_find(host, OP_FLUSH, 0, 0);
    stub_cancel(host);
}

/* L5: nothing in flight on the source, so the drain is over at once. */
static void test_mirror_loop_finishes_when_source_is_quiet(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_true(stub_source(host)->drained);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    stub_fire(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_source(host)->drains, 1);
}

/*
 * L5, L6, D22: a guest request that ends during the drain makes chunks dirty: they
 * are copied in the same drain, and then the job ends.
 */
static void test_mirror_loop_keeps_the_drain_when_drained_source_is_dirty_again(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    stub_guest_begin(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_true(stub_source(host)->drained);
    assert_null(host->timer);
    stub_guest_end(host, 512 * KIB, 4096);
    assert_true(stub_source(host)->drained);
    stub_finish(host, OP_READ, 512 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 512 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    stub_fire(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_source(host)->drains, 1);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* L5: a guest request that changed nothing lets the drained job end. */
static void test_mirror_loop_finishes_when_drained_source_is_clean(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    stub_guest_begin(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_query(host).status, JOB_STATUS_READY);
    stub_guest_end(host, 0, 0);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    stub_fire(host);
    assert_int_equal(host->ret, 0);
}

/* L4: what the guest writes during the flush is dirty after it, so there is no drain yet. */
static void test_mirror_loop_copies_first_when_guest_writes_during_last_flush(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_guest_write(host, 0, 512);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_source(host)->drains, 0);
    stub_find(host, OP_READ, 0, 64 * KIB);
    stub_run_until_concluded(host);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* L6: a ready job with work left pauses only for a trip through the event loop. */
static void test_mirror_loop_sleeps_not_at_all_when_dirty_after_flush(void **state)
{
    struct host *host = *state;

    start_until_idle(host);
    stub_fire(host);
    stub_guest_write(host, 0, 512);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    stub_fire(host);
    stub_find(host, OP_READ, 0, 64 * KIB);
    stub_cancel(host);
}

/* R2: an empty device is ready at once and waits without a timer. */
static void test_mirror_loop_has_nothing_to_do_when_length_is_zero(void **state)
{
    static const enum job_verb verbs[] = {VERB_COMPLETE, VERB_CANCEL};

    for (size_t i = 0; i < 2; i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = stub_spec(host);
        stub_source(host)->bytes = 0;
        assert_int_equal(stub_start(host, &spec), 0);
        assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 1);
        assert_null(host->timer);
        assert_false(stub_query(host).busy);
        assert_int_equal(stub_command(host, verbs[i], 0), 0);
        stub_fire(host);
        assert_int_equal(host->ret, 0);
        assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
        assert_int_equal(host->submitted, 0);
        assert_ptr_equal(host->guest_node, &host->nodes[verbs[i] == VERB_COMPLETE ? 1 : 0]);
        stub_destroy(host);
    }
}

/* R2, C1: paused, it refuses complete; resumed, it accepts it. */
static void test_mirror_loop_refuses_complete_when_empty_and_paused(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->bytes = 0;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
    assert_true(stub_command(host, VERB_COMPLETE, 0) < 0);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_mirror_loop_becomes_ready_when_flush_has_succeeded),
        CASE(test_mirror_loop_flushes_each_slice_when_idle),
        CASE(test_mirror_loop_copies_guest_writes_when_it_wakes),
        CASE(test_mirror_loop_waits_when_sixteen_operations_are_in_flight),
        CASE(test_mirror_loop_waits_when_no_buffer_is_free),
        CASE(test_mirror_loop_flushes_when_the_last_operation_has_finished),
        CASE(test_mirror_loop_yields_when_a_slice_has_passed),
        CASE(test_mirror_loop_sleeps_on_when_an_operation_finishes),
        CASE(test_mirror_loop_publishes_real_bytes_when_last_chunk_is_short),
        CASE(test_mirror_loop_goes_round_when_chunks_become_dirty_on_the_way),
        CASE(test_mirror_loop_finishes_when_source_is_quiet),
        CASE(test_mirror_loop_keeps_the_drain_when_drained_source_is_dirty_again),
        CASE(test_mirror_loop_finishes_when_drained_source_is_clean),
        CASE(test_mirror_loop_copies_first_when_guest_writes_during_last_flush),
        CASE(test_mirror_loop_sleeps_not_at_all_when_dirty_after_flush),
        cmocka_unit_test(test_mirror_loop_has_nothing_to_do_when_length_is_zero),
        CASE(test_mirror_loop_refuses_complete_when_empty_and_paused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
