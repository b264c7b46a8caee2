/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "naming": silent on correct events; finds each wrong name.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

/* The source is not disk 0, so that a missing name (0) is a wrong one. */
static struct witness *called(void **state)
{
    struct witness *w = *state;

    w->plan->job.source = THIRD;
    w->plan->job.target = DST;
    witness_call(w, &oracle_naming);
    see(w, (struct event){.kind = EVENT_JOB_STARTED, .by = BY_JOB, .node = THIRD, .index = DST});
    return w;
}

static void say_phase(struct witness *w, uint8_t from, uint8_t to)
{
    see(w, (struct event){.kind = EVENT_JOB_PHASE, .by = BY_JOB, .detail = from, .detail2 = to});
}

static void say_error(struct witness *w, uint8_t node, uint64_t offset, uint64_t bytes)
{
    see(w, (struct event){.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = OP_WRITE,
                          .node = node,
                          .ret = -EIO,
                          .offset = offset,
                          .bytes = bytes});
}

static void test_naming_is_silent_when_all_names_are_right(void **state)
{
    struct witness *w = called(state);

    say_phase(w, 3, 5);
    say_phase(w, 5, 3);
    say(w, EVENT_JOB_PROGRESS);
    done(w, submit(w, BY_JOB, DST, OP_WRITE, CHUNK, CHUNK), -EIO);
    say_error(w, DST, CHUNK, CHUNK);
    say_of(w, EVENT_JOB_PAUSED, THIRD);
    say_of(w, EVENT_JOB_RESUMED, THIRD);
    say_of(w, EVENT_JOB_READY, THIRD);
    say_of(w, EVENT_JOB_COMPLETED, THIRD);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 9);
}

static void test_naming_finds_an_event_about_another_disk(void **state)
{
    static const enum event_kind kinds[] = {EVENT_JOB_READY, EVENT_JOB_PAUSED, EVENT_JOB_RESUMED,
                                            EVENT_JOB_COMPLETED, EVENT_JOB_CANCELLED};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct witness *w = called(state);

        verdict_init(&w->verdict);
        say_of(w, kinds[i], SRC);
        assert_found(w, "wrong-disk", "is about third, but names src");
    }
}

static void test_naming_finds_an_event_that_is_not_the_jobs(void **state)
{
    struct witness *w = called(state);

    see(w, (struct event){.kind = EVENT_JOB_READY, .by = BY_GUEST, .node = THIRD});
    assert_found(w, "wrong-speaker", "\"ready\" is the job's, but says that it is by guest");
}

static void test_naming_finds_a_start_towards_another_target(void **state)
{
    struct witness *w = called(state);

    see(w, (struct event){.kind = EVENT_JOB_STARTED, .by = BY_JOB, .node = THIRD, .index = SRC});
    assert_found(w, "wrong-target", "its target is src, but it is dst");
}

static void test_naming_finds_an_error_about_another_request(void **state)
{
    static const struct {
        uint8_t node;
        uint64_t offset;
        uint64_t bytes;
        const char *kind;
    } cases[] = {
        {THIRD, CHUNK, CHUNK, "wrong-disk"},
        {DST, CHUNK + 1, CHUNK, "wrong-range"},
        {DST, CHUNK, CHUNK - 1, "wrong-range"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        verdict_init(&w->verdict);
        done(w, submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK), 0);
        done(w, submit(w, BY_JOB, DST, OP_WRITE, CHUNK, CHUNK), -EIO);
        say_error(w, cases[i].node, cases[i].offset, cases[i].bytes);
        assert_found(w, cases[i].kind, "dst");
    }
}

static void say_amounts(struct witness *w, enum event_kind kind, uint64_t offset, uint64_t len)
{
    see(w, (struct event){.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = kind == EVENT_JOB_PROGRESS ? 0 : THIRD,
                          .offset = offset,
                          .bytes = len});
}

static void test_naming_finds_progress_that_is_not_in_sectors_or_not_the_last(void **state)
{
    struct witness *w = called(state);

    say_amounts(w, EVENT_JOB_PROGRESS, CHUNK, 2 * CHUNK);
    say_amounts(w, EVENT_JOB_COMPLETED, 2 * CHUNK, 2 * CHUNK);
    assert_silent(w);
    say_amounts(w, EVENT_JOB_COMPLETED, 2 * CHUNK, 3 * CHUNK);
    assert_found(w, "wrong-progress",
                 "ended with len 196608, but its last progress event had 131072");
    verdict_init(&w->verdict);
    say_amounts(w, EVENT_JOB_PROGRESS, CHUNK, CHUNK + 1);
    assert_found(w, "wrong-progress", "of len 65537: these are not whole sectors");
}

static void test_naming_finds_phases_that_do_not_follow_one_another(void **state)
{
    struct witness *w = called(state);

    say_phase(w, 3, 5);
    say_phase(w, 4, 3);
    assert_found(w, "wrong-phase", "from its phase 4 to 3, but it was in phase 5");
    verdict_init(&w->verdict);
    say_phase(w, 3, 3);
    assert_found(w, "wrong-phase", "from its phase 3 to 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_naming_is_silent_when_all_names_are_right),
        WITNESS_TEST(test_naming_finds_an_event_about_another_disk),
        WITNESS_TEST(test_naming_finds_an_event_that_is_not_the_jobs),
        WITNESS_TEST(test_naming_finds_a_start_towards_another_target),
        WITNESS_TEST(test_naming_finds_an_error_about_another_request),
        WITNESS_TEST(test_naming_finds_progress_that_is_not_in_sectors_or_not_the_last),
        WITNESS_TEST(test_naming_finds_phases_that_do_not_follow_one_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
