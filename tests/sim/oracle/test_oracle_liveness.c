/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "liveness": silent on runs that end; says why others do not.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_liveness);
    return w;
}

static void at(struct witness *w, uint64_t now_ns)
{
    w->evidence.now_ns = now_ns;
}

/* ---- How runs end ---- */

static void test_liveness_is_silent_when_the_run_ends(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    complete(w);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 1);
}

static void test_liveness_has_checked_nothing_when_there_was_no_job(void **state)
{
    struct witness *w = called(state);

    end_run(w, END_CONCLUDED);
    assert_int_equal(w->verdict.checks, 0);
}

static void test_liveness_says_how_the_run_ended_and_what_was_pending(void **state)
{
    static const struct {
        enum world_end end;
        const char *kind;
        const char *says;
    } cases[] = {
        {END_DEADLOCK, "deadlock", "Nothing will ever happen again, but the job has not ended"},
        {END_LIVELOCK, "livelock", "7 events went by without virtual time passing"},
        {END_TIME, "time-limit", "did not end within 5ms"},
        {END_EVENTS, "event-limit", "did not end within 9 events"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct witness *w = called(state);

        verdict_init(&w->verdict);
        w->plan->limits = (struct limits_spec){.time_ns = 5 * MS, .events = 9, .events_at_once = 7};
        at(w, 2 * MS);
        start(w);
        begin_read(w, 0, CHUNK);
        submit(w, BY_GUEST, SRC, OP_WRITE, 0, CHUNK);
        at(w, 5 * MS);
        end_run(w, cases[i].end);
        assert_found(w, cases[i].kind, cases[i].says);
        assert_found(w, cases[i].kind,
                     "the job was not ready, and last reported \"started\" at 2ms; in flight: 1 of "
                     "the job, 1 of the guest.");
    }
}

static void test_liveness_says_that_the_story_waits_when_there_never_was_a_job(void **state)
{
    struct witness *w = called(state);

    end_run(w, END_DEADLOCK);
    assert_found(w, "deadlock",
                 "but the story has not ended: there never was a job; no request is in flight.");
}

static void test_liveness_says_that_nobody_ended_the_job_when_it_is_ready_for_ever(void **state)
{
    struct witness *w = called(state);

    start(w);
    see(w, (struct event){.kind = EVENT_JOB_READY, .node = SRC});
    end_run(w, END_TIME);
    assert_found(w, "never-told", "nobody has told it to complete or to cancel");
    verdict_init(&w->verdict);
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = VERB_COMPLETE});
    see(w, (struct event){.kind = EVENT_COMMAND_REFUSED, .detail = VERB_COMPLETE});
    end_run(w, END_TIME);
    assert_found(w, "never-told", "nobody has told it to complete or to cancel");
    verdict_init(&w->verdict);
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = VERB_COMPLETE});
    end_run(w, END_TIME);
    assert_found(w, "time-limit", "did not end within");
}

static void test_liveness_is_silent_when_a_broken_off_story_left_the_job_ready(void **state)
{
    struct witness *w = called(state);

    start(w);
    see(w, (struct event){.kind = EVENT_JOB_READY, .node = SRC});
    w->evidence.story_stopped = true;
    end_run(w, END_TIME);
    assert_int_equal(w->verdict.finding_count, 0);
}

static void test_liveness_names_the_drain_that_does_not_end(void **state)
{
    struct witness *w = called(state);

    start(w);
    at(w, 2 * MS);
    see(w, (struct event){.kind = EVENT_DRAIN_BEGIN, .node = SRC});
    end_run(w, END_TIME);
    assert_found(w, "time-limit", "; the drain of src has not ended since 2ms.");
    verdict_init(&w->verdict);
    see(w, (struct event){.kind = EVENT_DRAINED, .node = SRC});
    end_run(w, END_TIME);
    assert_null(strstr(w->verdict.findings[0].text, "drain"));
}

static void test_liveness_names_the_fault_when_it_keeps_a_request(void **state)
{
    struct fault_spec faults[] = {{.name = "slow", .kind = FAULT_DELAY},
                                  {.name = "dead", .kind = FAULT_HANG}};
    struct witness *w = called(state);
    struct ticket ticket;

    w->plan->faults = faults;
    w->plan->fault_count = 2;
    start(w);
    ticket = begin_read(w, 0, CHUNK);
    see(w, (struct event){.kind = EVENT_FAULT, .index = 1, .node = SRC, .request = ticket.number});
    see(w, (struct event){.kind = EVENT_FAULT, .index = 0, .node = SRC, .request = 99});
    end_run(w, END_DEADLOCK);
    assert_found(w, "deadlock", "; fault dead keeps read #1 of src.");
}

static void test_liveness_does_not_name_the_fault_when_the_request_ended(void **state)
{
    struct fault_spec fault = {.name = "stop", .kind = FAULT_HOLD};
    struct witness *w = called(state);
    struct ticket ticket;

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    start(w);
    ticket = begin_read(w, 0, CHUNK);
    request_event(w, EVENT_HELD, ticket, 0);
    request_event(w, EVENT_RELEASED, ticket, 0);
    done(w, ticket, 0);
    end_run(w, END_DEADLOCK);
    assert_null(strstr(w->verdict.findings[0].text, "fault stop"));
}

/* ---- Cycles ---- */

/* Does it object if the run is now as it was before event `from`? */
static bool objects(const struct witness *w, uint64_t from)
{
    return oracle_liveness.repeats(w->state, &w->evidence, from);
}

static void test_liveness_objects_to_a_cycle_of_a_job_that_has_to_get_on(void **state)
{
    struct witness *w = called(state);
    uint64_t from;

    assert_false(objects(w, 0)); /* there is no job */
    start(w);
    assert_true(objects(w, w->evidence.event_number + 1)); /* it has to become ready ... */
    from = w->evidence.event_number + 1;
    guest_write(w, 0, CHUNK);
    assert_false(objects(w, from)); /* ... unless the guest writes */
    say(w, EVENT_JOB_READY);
    assert_false(objects(w, w->evidence.event_number + 1)); /* nobody has told it to end */
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = VERB_COMPLETE});
    from = w->evidence.event_number + 1;
    assert_true(objects(w, from));
    assert_false(objects(w, from - 1)); /* the command is part of the cycle */
    guest_write(w, 0, CHUNK);
    assert_false(objects(w, from));
    see(w, (struct event){.kind = EVENT_DRAIN_BEGIN, .node = SRC});
    assert_true(objects(w, from)); /* it has held the guest still, and is as far as before */
}

static void test_liveness_objects_to_no_cycle_that_others_keep_the_job_in(void **state)
{
    struct fault_spec faults[] = {{.name = "bad", .kind = FAULT_ERROR},
                                  {.name = "dead", .kind = FAULT_HANG}};
    struct witness *w = called(state);
    uint64_t from;

    w->plan->faults = faults;
    w->plan->fault_count = 2;
    start(w);
    from = w->evidence.event_number + 1;
    see(w, (struct event){.kind = EVENT_FAULT, .index = 0, .node = SRC, .request = 7});
    assert_false(objects(w, from));
    assert_true(objects(w, w->evidence.event_number + 1));
    see(w, (struct event){.kind = EVENT_JOB_PAUSED, .node = SRC});
    assert_false(objects(w, w->evidence.event_number + 1));
    see(w, (struct event){.kind = EVENT_JOB_RESUMED, .node = SRC});
    assert_true(objects(w, w->evidence.event_number + 1));
    see(w, (struct event){.kind = EVENT_FAULT, .index = 1, .node = SRC, .request = 8});
    assert_false(objects(w, w->evidence.event_number + 1));
}

static void test_liveness_says_from_when_on_the_run_repeats_itself(void **state)
{
    struct witness *w = called(state);

    start(w);
    at(w, 9 * MS);
    w->evidence.repeats = true;
    w->evidence.repeats_event = 3;
    w->evidence.repeats_ns = 2 * MS;
    w->evidence.event_number = 40;
    end_run(w, END_LIVELOCK);
    assert_found(w, "livelock",
                 "everything is as it was at 2ms, event 3, and the same repeats every 7ms");
}

/* ---- READY in time ---- */

static struct witness *called_with_bound(void **state, uint64_t bound_ns)
{
    struct witness *w = called(state);

    w->plan->limits.ready_within_ns = bound_ns;
    return w;
}

static void test_liveness_is_silent_when_ready_comes_in_time(void **state)
{
    struct witness *w = called_with_bound(state, 10 * MS);

    at(w, 3 * MS);
    start(w);
    at(w, 13 * MS);
    say(w, EVENT_JOB_READY);
    at(w, 500 * MS);
    guest_write(w, 0, CHUNK); /* it stays ready */
    at(w, 900 * MS);
    complete(w);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

static void test_liveness_finds_ready_when_it_is_late_or_never_comes(void **state)
{
    struct witness *w = called_with_bound(state, 10 * MS);

    at(w, 3 * MS);
    start(w);
    at(w, 13 * MS + 1);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-overdue",
                 "not ready by 13.000001ms, though nothing has disturbed it since 3ms; it "
                 "had 10ms");

    w = called_with_bound(state, 10 * MS);
    verdict_init(&w->verdict);
    at(w, 0);
    start(w);
    at(w, 11 * MS);
    end_run(w, END_TIME);
    assert_found(w, "ready-overdue", "not ready by 11ms");
}

static void test_liveness_counts_from_the_last_disturbance(void **state)
{
    struct fault_spec fault = {.name = "f", .kind = FAULT_ERROR};
    struct witness *w = called_with_bound(state, 10 * MS);

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    start(w);
    at(w, 9 * MS);
    guest_write(w, 0, CHUNK);
    at(w, 18 * MS);
    see(w, (struct event){.kind = EVENT_FAULT});
    at(w, 27 * MS);
    error_event(w, OP_READ, -EIO, ACTION_IGNORE);
    at(w, 37 * MS);
    say(w, EVENT_JOB_READY);
    assert_silent(w);
    error_event(w, OP_READ, -EIO, ACTION_IGNORE);
    at(w, 48 * MS);
    say(w, EVENT_JOB_READY);
    assert_found(w, "ready-overdue", "since 37ms");
}

static void test_liveness_asks_nothing_of_a_paused_or_cancelled_job(void **state)
{
    struct witness *w = called_with_bound(state, 10 * MS);

    start(w);
    say(w, EVENT_JOB_PAUSED);
    at(w, 500 * MS);
    say(w, EVENT_JOB_RESUMED);
    command(w, VERB_CANCEL);
    at(w, 900 * MS);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_liveness_is_silent_when_the_run_ends),
        WITNESS_TEST(test_liveness_has_checked_nothing_when_there_was_no_job),
        WITNESS_TEST(test_liveness_says_how_the_run_ended_and_what_was_pending),
        WITNESS_TEST(test_liveness_says_that_the_story_waits_when_there_never_was_a_job),
        WITNESS_TEST(test_liveness_says_that_nobody_ended_the_job_when_it_is_ready_for_ever),
        WITNESS_TEST(test_liveness_is_silent_when_a_broken_off_story_left_the_job_ready),
        WITNESS_TEST(test_liveness_names_the_drain_that_does_not_end),
        WITNESS_TEST(test_liveness_names_the_fault_when_it_keeps_a_request),
        WITNESS_TEST(test_liveness_does_not_name_the_fault_when_the_request_ended),
        WITNESS_TEST(test_liveness_objects_to_a_cycle_of_a_job_that_has_to_get_on),
        WITNESS_TEST(test_liveness_objects_to_no_cycle_that_others_keep_the_job_in),
        WITNESS_TEST(test_liveness_says_from_when_on_the_run_repeats_itself),
        WITNESS_TEST(test_liveness_is_silent_when_ready_comes_in_time),
        WITNESS_TEST(test_liveness_finds_ready_when_it_is_late_or_never_comes),
        WITNESS_TEST(test_liveness_counts_from_the_last_disturbance),
        WITNESS_TEST(test_liveness_asks_nothing_of_a_paused_or_cancelled_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
