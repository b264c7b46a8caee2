/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "bounds": silent on correct jobs; finds requests out of bounds and leftovers.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_bounds);
    return w;
}

static void test_bounds_is_silent_when_the_job_is_orderly(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    complete(w);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 1);
}

/* ---- One request ---- */

static void test_bounds_finds_a_request_that_the_job_must_not_issue(void **state)
{
    static const struct {
        uint8_t node;
        enum op op;
        uint64_t offset;
        uint64_t bytes;
        const char *kind;
        const char *says;
    } cases[] = {
        {DST, OP_READ, 0, CHUNK, "wrong-disk", "read #1 to dst, which it must not read"},
        {SRC, OP_WRITE, 0, CHUNK, "wrong-disk", "write #1 to src"},
        {THIRD, OP_READ, 0, CHUNK, "wrong-disk", "read #1 to third"},
        {SRC, OP_FLUSH, 0, 0, "wrong-disk", "flush #1 to src"},
        {DST, OP_DISCARD, 0, CHUNK, "wrong-disk", "discard #1 to dst"},
        {SRC, OP_READ, 100, CHUNK, "unaligned", "at offset 100"},
        {SRC, OP_READ, 0, 1000, "unaligned", "1000 bytes"},
        {SRC, OP_READ, LENGTH, CHUNK, "out-of-range", "outside src, which is 256KiB long"},
        {DST, OP_WRITE, LENGTH - CHUNK, 2 * CHUNK, "out-of-range", "at [192KiB, 320KiB)"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        verdict_init(&w->verdict);
        w->requests = 0;
        start(w);
        submit(w, BY_JOB, cases[i].node, cases[i].op, cases[i].offset, cases[i].bytes);
        assert_found(w, cases[i].kind, cases[i].says);
    }
}

static void test_bounds_leaves_the_guest_alone(void **state)
{
    struct witness *w = called(state);

    start(w);
    done(w, submit(w, BY_GUEST, THIRD, OP_DISCARD, 1, LENGTH * 2), 0);
    settle(w);
    assert_silent(w);
}

/* ---- Operations ---- */

static void test_bounds_finds_two_operations_that_share_a_chunk(void **state)
{
    struct witness *w = called(state);
    struct ticket first;

    start(w);
    first = begin_read(w, 0, CHUNK);
    settle(w);
    first = begin_write(w, first);
    settle(w);
    begin_read(w, CHUNK, CHUNK);
    settle(w);
    assert_silent(w);
    begin_read(w, CHUNK - SECTOR_BYTES, SECTOR_BYTES);
    assert_found(w, "shared-chunk",
                 "begins an operation at [65024B, 64KiB), which shares a chunk with one in flight "
                 "at [0B, 64KiB)");
}

static void test_bounds_finds_the_seventeenth_operation(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = 32 * CHUNK;
    w = called(state);
    start(w);
    for (uint64_t i = 0; i < 16; i++) {
        begin_read(w, i * CHUNK, CHUNK);
    }
    settle(w);
    assert_silent(w);
    begin_read(w, 16 * CHUNK, CHUNK);
    assert_found(w, "too-many-operations", "17 operations are in flight; at most 16");
}

static void test_bounds_finds_an_operation_that_is_too_long(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = 2048 * CHUNK;
    w = called(state);
    see(w, (struct event){.kind = EVENT_BUFFERS_CREATE, .bytes = CHUNK, .offset = 2048});
    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    begin_read(w, 0, 1024 * CHUNK);
    assert_silent(w);
    begin_read(w, 1024 * CHUNK, 1024 * CHUNK - SECTOR_BYTES);
    assert_silent(w);

    w = called(state);
    see(w, (struct event){.kind = EVENT_BUFFERS_CREATE, .bytes = CHUNK, .offset = 2048});
    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    begin_read(w, 0, 1024 * CHUNK + SECTOR_BYTES);
    assert_found(w, "too-long", "is 1025 chunk buffers long; at most 1024");
}

static void test_bounds_finds_more_chunks_in_flight_than_buffers(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = 64 * CHUNK;
    w = called(state);
    start(w);
    begin_read(w, 0, BUFFERS * CHUNK);
    settle(w);
    assert_silent(w);
    begin_read(w, BUFFERS * CHUNK, CHUNK);
    assert_found(w, "too-few-buffers", "holds 33 chunk buffers, but it has 32");
}

static void test_bounds_finds_a_read_after_the_buffers_were_released(void **state)
{
    struct witness *w = called(state);

    start(w);
    say(w, EVENT_BUFFERS_RELEASE);
    begin_read(w, 0, CHUNK);
    assert_found(w, "too-few-buffers", "holds 1 chunk buffers, but it has 0");
}

/* Foreign code may take other memory for its reads. */
static void test_bounds_does_not_count_buffers_of_a_job_that_never_had_any(void **state)
{
    struct witness *w = called(state);

    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    begin_read(w, 0, CHUNK);
    assert_silent(w);
}

static void test_bounds_counts_buffers_as_free_when_a_read_has_failed(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = BUFFERS * CHUNK;
    w = called(state);
    start(w);
    for (int i = 0; i < 3; i++) {
        done(w, begin_read(w, 0, BUFFERS * CHUNK), -EIO);
        settle(w);
    }
    assert_silent(w);
}

static void test_bounds_finds_a_read_that_is_not_written(void **state)
{
    struct witness *w = called(state);

    start(w);
    done(w, begin_read(w, 0, CHUNK), 0);
    settle(w);
    assert_found(w, "lost-operation", "did not write it");
}

static void test_bounds_finds_a_write_of_what_was_not_read(void **state)
{
    struct witness *w = called(state);

    start(w);
    done(w, begin_read(w, 0, CHUNK), 0);
    submit(w, BY_JOB, DST, OP_WRITE, CHUNK, CHUNK);
    assert_found(w, "stray-write", "writes [64KiB, 128KiB), which the job has not just read");
}

/* ---- What is left over ---- */

static void leave_buffers(struct witness *w)
{
    see(w, (struct event){.kind = EVENT_BUFFERS_CREATE, .bytes = CHUNK, .offset = BUFFERS});
}

static void leave_operation(struct witness *w)
{
    leave_buffers(w);
    begin_read(w, 0, CHUNK);
    say(w, EVENT_BUFFERS_RELEASE);
}

static void leave_flush(struct witness *w)
{
    submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
}

static void leave_reference(struct witness *w)
{
    say_of(w, EVENT_GRAPH_REF, SRC);
}

static void leave_blocker(struct witness *w)
{
    say_of(w, EVENT_GRAPH_BLOCK, THIRD);
}

static void leave_bitmap(struct witness *w)
{
    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
}

static void leave_drain(struct witness *w)
{
    say_of(w, EVENT_DRAIN_BEGIN, SRC);
}

static void give_back_too_much(struct witness *w)
{
    say_of(w, EVENT_GRAPH_UNREF, DST);
}

static const struct {
    void (*leave)(struct witness *w);
    const char *says;
} left_over[] = {
    {leave_operation, "1 operations and 0 flushes of it are in flight"},
    {leave_flush, "0 operations and 1 flushes of it are in flight"},
    {leave_buffers, "its 32 chunk buffers were not released"},
    {leave_reference, "1 reference of src was not released"},
    {leave_blocker, "1 blocker of third was not released"},
    {leave_bitmap, "1 dirty bitmap of src was not released"},
    {leave_drain, "1 drain of src was not released"},
    {give_back_too_much, "1 reference of dst was released too often"},
};

static void test_bounds_finds_what_is_left_over_when_the_job_is_gone(void **state)
{
    for (size_t i = 0; i < COUNT_OF(left_over); i++) {
        struct witness *w = called(state);

        become_ready(w);
        wind_down(w);
        left_over[i].leave(w);
        verdict_init(&w->verdict);
        conclude(w, EVENT_JOB_COMPLETED, 0);
        assert_found(w, "left-over", left_over[i].says);
    }
}

static void test_bounds_finds_what_is_left_over_when_a_start_is_refused(void **state)
{
    struct witness *w = called(state);

    say_of(w, EVENT_GRAPH_REF, DST);
    see(w, (struct event){.kind = EVENT_JOB_REFUSED, .ret = -EINVAL});
    settle(w);
    assert_found(w, "left-over", "1 reference of dst");
}

static void test_bounds_lets_a_job_go_on_when_a_second_start_is_refused(void **state)
{
    struct witness *w = called(state);

    start(w);
    settle(w);
    see(w, (struct event){.kind = EVENT_JOB_REFUSED, .ret = -EBUSY});
    settle(w);
    assert_silent(w);
}

static void test_bounds_finds_the_chain_that_a_commit_has_not_cut(void **state)
{
    struct witness *w = called(state);

    w->plan->job.kind = JOB_COMMIT;
    w->disks[SRC].backing = DST;
    w->disks[SRC].backing_open = true;
    become_ready(w);
    complete(w);
    assert_found(w, "chain-loop", "the old top src is still linked");

    w = called(state);
    verdict_init(&w->verdict);
    w->disks[SRC].backing_open = false;
    w->disks[DST].backing = DST;
    w->disks[DST].backing_open = true;
    become_ready(w);
    complete(w);
    assert_found(w, "chain-loop", "the backing chain of dst never ends");

    w = called(state);
    verdict_init(&w->verdict);
    w->disks[DST].backing = THIRD;
    become_ready(w);
    complete(w);
    assert_silent(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_bounds_is_silent_when_the_job_is_orderly),
        WITNESS_TEST(test_bounds_finds_a_request_that_the_job_must_not_issue),
        WITNESS_TEST(test_bounds_leaves_the_guest_alone),
        WITNESS_TEST(test_bounds_finds_two_operations_that_share_a_chunk),
        WITNESS_TEST(test_bounds_finds_the_seventeenth_operation),
        WITNESS_TEST(test_bounds_finds_an_operation_that_is_too_long),
        WITNESS_TEST(test_bounds_finds_more_chunks_in_flight_than_buffers),
        WITNESS_TEST(test_bounds_finds_a_read_after_the_buffers_were_released),
        WITNESS_TEST(test_bounds_does_not_count_buffers_of_a_job_that_never_had_any),
        WITNESS_TEST(test_bounds_counts_buffers_as_free_when_a_read_has_failed),
        WITNESS_TEST(test_bounds_finds_a_read_that_is_not_written),
        WITNESS_TEST(test_bounds_finds_a_write_of_what_was_not_read),
        WITNESS_TEST(test_bounds_finds_what_is_left_over_when_the_job_is_gone),
        WITNESS_TEST(test_bounds_finds_what_is_left_over_when_a_start_is_refused),
        WITNESS_TEST(test_bounds_lets_a_job_go_on_when_a_second_start_is_refused),
        WITNESS_TEST(test_bounds_finds_the_chain_that_a_commit_has_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
