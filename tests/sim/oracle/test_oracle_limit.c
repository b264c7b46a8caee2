/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "limit": silent at the limit; finds what exceeds it.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

#define SECOND_NS (1000 * MS)
#define SLICE_NS (100 * MS)
#define SPEED (10 * CHUNK) /* one chunk per slice */

static struct witness *called_at(void **state, uint64_t speed)
{
    struct witness *w = *state;

    verdict_init(&w->verdict);
    w->plan->job.speed = (int64_t)speed;
    witness_call(w, &oracle_limit);
    w->evidence.now_ns = 0;
    say(w, EVENT_JOB_STARTED);
    return w;
}

static void read_at(struct witness *w, uint64_t now_ns, uint64_t bytes)
{
    w->evidence.now_ns = now_ns;
    submit(w, BY_JOB, SRC, OP_READ, 0, bytes);
}

static void set_speed(struct witness *w, uint64_t speed)
{
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = VERB_SET_SPEED, .offset = speed});
}

static void test_limit_is_silent_when_each_slice_reads_its_quota(void **state)
{
    struct witness *w = called_at(state, SPEED);

    read_at(w, 0, CHUNK); /* the quota of the burst that T2 allows */
    for (uint64_t slice = 0; slice < 50; slice++) {
        read_at(w, slice * SLICE_NS, CHUNK);
    }
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 51);
}

static void test_limit_finds_one_chunk_too_many(void **state)
{
    struct witness *w = called_at(state, SPEED);

    read_at(w, 0, CHUNK);
    read_at(w, 0, CHUNK);
    assert_silent(w);
    read_at(w, 0, CHUNK);
    assert_found(w, "too-fast",
                 "With read #3 at 0s the job is 196608 bytes ahead of its speed of 640KiB/s; "
                 "it may be 131072 ahead");
}

/* 1.25 times the limit, as with D11, is found although no single slice exceeds it much. */
static void test_limit_finds_a_small_excess_when_it_goes_on(void **state)
{
    struct witness *w = called_at(state, SPEED);

    for (uint64_t slice = 0; slice < 20; slice++) {
        read_at(w, slice * SLICE_NS, CHUNK + CHUNK / 4);
    }
    assert_found(w, "too-fast", "bytes ahead of its speed");
}

static void test_limit_lets_idle_time_earn_nothing(void **state)
{
    struct witness *w = called_at(state, SPEED);

    read_at(w, 3600 * SECOND_NS, CHUNK);
    read_at(w, 3600 * SECOND_NS, CHUNK);
    assert_silent(w);
    read_at(w, 3600 * SECOND_NS, CHUNK);
    assert_found(w, "too-fast", "196608 bytes ahead");
}

static void test_limit_is_silent_when_there_is_none_or_the_job_is_ready(void **state)
{
    struct witness *w = called_at(state, 0);

    for (int i = 0; i < 9; i++) {
        read_at(w, 0, CHUNK);
    }
    assert_silent(w);
    w = called_at(state, SPEED);
    say(w, EVENT_JOB_READY);
    for (int i = 0; i < 9; i++) {
        read_at(w, 0, CHUNK);
    }
    assert_silent(w);
    say(w, EVENT_JOB_ERROR);
    for (int i = 0; i < 3; i++) {
        read_at(w, 0, CHUNK);
    }
    assert_found(w, "too-fast", "bytes ahead");
}

static void test_limit_follows_the_speed_when_it_changes(void **state)
{
    struct witness *w = called_at(state, SPEED);

    set_speed(w, 0);
    for (int i = 0; i < 9; i++) {
        read_at(w, 0, CHUNK);
    }
    assert_silent(w);
    set_speed(w, SPEED / 2);
    read_at(w, 0, CHUNK);
    assert_silent(w);
    read_at(w, 0, CHUNK);
    assert_found(w, "too-fast", "it may be 98304 ahead");
}

static void test_limit_keeps_the_speed_when_the_change_is_refused(void **state)
{
    struct witness *w = called_at(state, SPEED);

    read_at(w, 0, CHUNK);
    read_at(w, 0, CHUNK);
    set_speed(w, 1000 * SPEED);
    refuse(w, VERB_SET_SPEED, REFUSED_INVALID_PARAMETER);
    read_at(w, 0, CHUNK);
    assert_found(w, "too-fast", "its speed of 640KiB/s");
}

/* Speeds and spans for which a naive product overflows. */
static void test_limit_counts_right_when_numbers_are_large(void **state)
{
    static const uint64_t speeds[] = {1, UINT64_C(1) << 40, INT64_MAX};

    for (size_t i = 0; i < COUNT_OF(speeds); i++) {
        struct witness *w = called_at(state, speeds[i]);
        uint64_t quota = max_u64(speeds[i] / 10, SECTOR_BYTES);

        read_at(w, 0, quota);
        read_at(w, 0, quota);
        assert_silent(w);
        read_at(w, 999 * MS, SECTOR_BYTES); /* nearly ten quotas later, or next to none */
        assert_int_equal(w->verdict.finding_count, speeds[i] == 1);
        read_at(w, UINT64_C(1) << 62, quota);
        assert_int_equal(w->verdict.finding_count, speeds[i] == 1);
        read_at(w, UINT64_C(1) << 62, quota);
        read_at(w, UINT64_C(1) << 62, quota);
        assert_int_equal(w->verdict.finding_count, 1 + (speeds[i] == 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_limit_is_silent_when_each_slice_reads_its_quota),
        WITNESS_TEST(test_limit_finds_one_chunk_too_many),
        WITNESS_TEST(test_limit_finds_a_small_excess_when_it_goes_on),
        WITNESS_TEST(test_limit_lets_idle_time_earn_nothing),
        WITNESS_TEST(test_limit_is_silent_when_there_is_none_or_the_job_is_ready),
        WITNESS_TEST(test_limit_follows_the_speed_when_it_changes),
        WITNESS_TEST(test_limit_keeps_the_speed_when_the_change_is_refused),
        WITNESS_TEST(test_limit_counts_right_when_numbers_are_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
