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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_synced_is_silent_when_it_is_true),
        WITNESS_TEST(test_synced_is_silent_when_the_job_takes_it_back),
        WITNESS_TEST(test_synced_finds_dirty_chunks),
        WITNESS_TEST(test_synced_finds_copies_in_flight),
        WITNESS_TEST(test_synced_finds_it_said_too_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
