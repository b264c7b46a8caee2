/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": pauses and commands of today's job.
 */
#include "tests/support/witness_modern.h"

static struct witness *called(void **state)
{
    return modern(state, &oracle_life);
}

static void at(struct witness *w, uint64_t now_ns)
{
    w->evidence.now_ns = now_ns;
}

/* ---- Pauses ---- */

static void test_life_finds_a_pause_that_comes_late(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    at(w, 1 * MS);
    command(w, VERB_PAUSE);
    settle(w);
    assert_silent(w);
    at(w, 2 * MS);
    settle(w);
    assert_found(w, "late-pause", "told to pause at 1ms, but at 2ms it is still ready");
}

static void test_life_finds_a_resume_that_comes_late(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_PAUSE);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    settle(w);
    at(w, 1 * MS);
    command(w, VERB_RESUME);
    settle(w);
    at(w, 2 * MS);
    settle(w);
    assert_found(w, "late-resume", "since 1ms, but at 2ms it is still standby");
}

static void test_life_lets_a_drained_section_pause(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    section(w, BY_NONE, SECTION_BEGUN, SRC);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    section(w, BY_NONE, SECTION_QUIET, SRC);
    settle(w);
    section(w, BY_NONE, SECTION_ENDED, SRC);
    become(w, JOB_STATUS_STANDBY, JOB_STATUS_READY);
    settle(w);
    assert_silent(w);
    section(w, BY_NONE, SECTION_BEGUN, SRC);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    become(w, JOB_STATUS_STANDBY, JOB_STATUS_READY);
    assert_found(w, "wrong-status", "nothing has ended its pause");
}

static void test_life_finds_what_a_paused_job_does(void **state)
{
    struct witness *w = called(state);
    struct ticket guest;

    w->plan->job.copy_mode = COPY_WRITE_BLOCKING;
    w = called(state);
    modern_ready(w);
    command(w, VERB_PAUSE);
    become(w, JOB_STATUS_READY, JOB_STATUS_STANDBY);
    settle(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    end_active(w, begin_active(w, guest), guest);
    assert_silent(w); /* N11 */
    submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK);
    assert_found(w, "illegal-issue", "but the job is paused");
}

static void test_life_finds_chunks_taken_after_a_pause(void **state)
{
    struct witness *w = called(state);

    modern_start(w);
    copy(w, 0, CHUNK);
    command(w, VERB_PAUSE);
    settle(w);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    assert_found(w, "illegal-issue", "a pause has been asked for");
}

static void test_life_finds_a_second_run_after_a_force_cancel(void **state)
{
    struct witness *w = called(state);

    w->plan->job.buffer_bytes = CHUNK;
    modern_start(w);
    command_with(w, VERB_CANCEL, 1);
    settle(w);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    assert_silent(w);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    assert_found(w, "illegal-issue", "more than one run");
}

/* ---- Commands ---- */

static void test_life_finds_what_was_refused_or_accepted_wrongly(void **state)
{
    static const struct {
        enum job_verb verb;
        bool wrongly_refused; /* when ready */
        bool wrongly_accepted;
    } cases[] = {
        {VERB_COMPLETE, true, false}, {VERB_PAUSE, true, false},    {VERB_CANCEL, true, false},
        {VERB_RESUME, false, true},   {VERB_FINALIZE, false, true}, {VERB_DISMISS, false, true},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        modern_ready(w);
        command(w, cases[i].verb);
        refuse(w, cases[i].verb, REFUSED_VERB);
        settle(w);
        assert_int_equal(w->verdict.finding_count, cases[i].wrongly_refused);
        w = called(state);
        modern_ready(w);
        command(w, cases[i].verb);
        settle(w);
        assert_int_equal(w->verdict.finding_count, cases[i].wrongly_accepted);
    }
}

static void test_life_finds_complete_after_a_cancel(void **state)
{
    struct witness *w = called(state);

    modern_ready(w);
    command(w, VERB_CANCEL);
    settle(w);
    command(w, VERB_COMPLETE);
    settle(w);
    assert_found(w, "accepted", "the job is cancelled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_life_finds_a_pause_that_comes_late),
        WITNESS_TEST(test_life_finds_a_resume_that_comes_late),
        WITNESS_TEST(test_life_lets_a_drained_section_pause),
        WITNESS_TEST(test_life_finds_what_a_paused_job_does),
        WITNESS_TEST(test_life_finds_chunks_taken_after_a_pause),
        WITNESS_TEST(test_life_finds_a_second_run_after_a_force_cancel),
        WITNESS_TEST(test_life_finds_what_was_refused_or_accepted_wrongly),
        WITNESS_TEST(test_life_finds_complete_after_a_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
