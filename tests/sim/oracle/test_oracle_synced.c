/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "synced": actively synced means that nothing is dirty, and nothing is being copied.
 */
#include "tests/support/witness_modern.h"

static struct witness *called(void **state)
{
    return modern(state, &oracle_synced);
}

static void test_synced_is_silent_when_it_is_true(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_ready(w);
    synced(w, true);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    end_active(w, begin_active(w, guest), guest);
    assert_silent(w);
    assert_true(w->verdict.checks > 0);
}

static void test_synced_is_silent_when_the_job_takes_it_back(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_ready(w);
    synced(w, true);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    synced(w, false);
    answer_marked(w, guest);
    assert_silent(w);
}

static void test_synced_finds_dirty_chunks(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    modern_ready(w);
    synced(w, true);
    settle(w);
    guest = arrive(w, OP_WRITE, CHUNK, CHUNK);
    pass(w, guest);
    answer_marked(w, guest);
    assert_found(w, "dirty", "1 chunks are dirty, the first at 64KiB");
}

static void test_synced_finds_copies_in_flight(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    begin_read(w, 0, CHUNK);
    settle(w);
    synced(w, true);
    assert_found(w, "held", "it copies [0B, 64KiB) in the background");
}

static void test_synced_finds_it_said_too_early(void **state)
{
    struct witness *w = called(state);

    modern_start(w);
    synced(w, true);
    assert_found(w, "dirty", "4 chunks are dirty");
}

static void query(struct witness *w, bool is_synced)
{
    see(w, (struct event){.kind = EVENT_QUERY, .detail = is_synced});
}

static void test_synced_finds_a_query_that_says_otherwise(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    query(w, false);
    synced(w, true);
    query(w, true);
    assert_silent(w);
    query(w, false);
    assert_found(w, "query", "says that the job is not actively synced");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_synced_is_silent_when_it_is_true),
        WITNESS_TEST(test_synced_is_silent_when_the_job_takes_it_back),
        WITNESS_TEST(test_synced_finds_dirty_chunks),
        WITNESS_TEST(test_synced_finds_copies_in_flight),
        WITNESS_TEST(test_synced_finds_it_said_too_early),
        WITNESS_TEST(test_synced_finds_a_query_that_says_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
