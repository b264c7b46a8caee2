/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations and vacuity: each kind shown to hold and to fail, at its line of the scenario.
 */
#include "tests/support/run_over.h"

/* ---- The job ---- */

static void test_expect_result_and_end_of_the_job(void **state)
{
    struct witness *w = run_over(state);

    assert_holds(w, (struct expect_spec){.kind = EXPECT_RESULT});
    assert_fails(w, (struct expect_spec){.kind = EXPECT_RESULT, .ret = -EIO}, "result",
                 "expected to end with EIO, but it ended with success at 50ms");
    assert_fails(w, (struct expect_spec){.kind = EXPECT_CANCELLED}, "cancelled",
                 "but it ended with success");
    assert_holds(w, (struct expect_spec){.kind = EXPECT_CONCLUDED});
    assert_holds(w, (struct expect_spec){.kind = EXPECT_CONCLUDED, .time_ns = END_NS});
    assert_fails(w, (struct expect_spec){.kind = EXPECT_CONCLUDED, .time_ns = END_NS - 1},
                 "concluded", "by 49.999999ms, but it ended at 50ms");
}

static void test_expect_fails_when_the_job_has_not_ended(void **state)
{
    struct witness *w = run_over(state);

    trace_rewind(&w->trace, 10, 0);
    assert_fails(w, (struct expect_spec){.kind = EXPECT_RESULT}, "result", "did not end");
    assert_fails(w, (struct expect_spec){.kind = EXPECT_CANCELLED}, "cancelled", "did not end");
    assert_fails(w, (struct expect_spec){.kind = EXPECT_CONCLUDED}, "concluded", "it did not");
}

static void test_expect_cancelled_holds_when_the_job_ended_so(void **state)
{
    struct witness *w = run_over(state);

    conclude(w, EVENT_JOB_CANCELLED, 0);
    assert_holds(w, (struct expect_spec){.kind = EXPECT_CANCELLED});
}

static void test_expect_query_looks_at_the_last_state(void **state)
{
    struct witness *w = run_over(state);
    struct query_check checks[] = {
        {.field = QUERY_OFFSET, .comparison = COMPARE_AT_LEAST, .value = 5},
        {.field = QUERY_LEN, .comparison = COMPARE_EQUAL, .value = 7},
    };
    struct expect_spec expect = {.kind = EXPECT_QUERY, .checks = checks, .check_count = 2};

    assert_holds(w, expect);
    checks[1].value = 8;
    assert_fails(w, expect, "query", "At its end the job's len is 7B, expected 8B");
}

/* ---- Events ---- */

static void test_expect_events_lists_the_reports_completely(void **state)
{
    struct witness *w = run_over(state);
    struct event_match matches[] = {event_match_kind(EVENT_JOB_ERROR),
                                    event_match_kind(EVENT_JOB_READY),
                                    event_match_kind(EVENT_JOB_COMPLETED)};
    struct expect_spec expect = {.kind = EXPECT_EVENTS, .matches = matches, .match_count = 3};

    assert_holds(w, expect);
    expect.match_count = 2;
    assert_fails(w, expect, "events", "nothing after number 2, but it reported completed at 50ms");
    assert_int_equal(w->verdict.findings[0].now_ns, END_NS);
    expect.match_count = 3;
    matches[0].action = ACTION_STOP;
    assert_fails(w, expect, "events",
                 "report error (stop) as number 1 of 3, but it reported error (write, dst, ignore, "
                 "EIO) at 10ms");
    conclude(w, EVENT_JOB_COMPLETED, 0);
    matches[0] = event_match_kind(EVENT_JOB_ERROR);
    assert_fails(w, expect, "events", "nothing after number 3");
}

static void test_expect_events_fails_when_there_are_too_few(void **state)
{
    struct witness *w = run_over(state);
    struct event_match matches[] = {
        event_match_kind(EVENT_JOB_ERROR), event_match_kind(EVENT_JOB_READY),
        event_match_kind(EVENT_JOB_COMPLETED), event_match_kind(EVENT_JOB_PAUSED)};

    assert_fails(w,
                 (struct expect_spec){.kind = EXPECT_EVENTS, .matches = matches, .match_count = 4},
                 "events", "report paused as number 4 of 4, but it reported no more");
}

static void test_expect_order_lets_others_between(void **state)
{
    struct witness *w = run_over(state);
    struct event_match matches[] = {event_match_kind(EVENT_JOB_STARTED),
                                    event_match_kind(EVENT_JOB_COMPLETED),
                                    event_match_kind(EVENT_JOB_READY)};
    struct expect_spec expect = {.kind = EXPECT_IN_ORDER, .matches = matches, .match_count = 2};

    assert_holds(w, expect);
    expect.match_count = 3;
    assert_fails(w, expect, "order",
                 "Event ready was expected after completed, but it did not happen then");
    expect.matches = matches + 2;
    expect.match_count = 2;
    matches[2] = event_match_kind(EVENT_JOB_PAUSED);
    expect.match_count = 1;
    assert_fails(w, expect, "order", "Event paused was expected, but it did not happen.");
}

static void test_expect_never_and_counts(void **state)
{
    struct witness *w = run_over(state);
    struct event_match paused = event_match_kind(EVENT_JOB_PAUSED);
    struct event_match error = event_match_kind(EVENT_JOB_ERROR);
    struct expect_spec expect = {.kind = EXPECT_NEVER, .matches = &paused, .match_count = 1};

    assert_holds(w, expect);
    expect.matches = &error;
    assert_fails(w, expect, "never",
                 "Event error was never to happen, but error (write, dst, ignore, EIO) did at "
                 "10ms");
    assert_int_equal(w->verdict.findings[0].now_ns, 10 * MS);
    expect.kind = EXPECT_AT_MOST;
    expect.count = 1;
    assert_holds(w, expect);
    expect.count = 0;
    assert_fails(w, expect, "at-most", "at most 0 times, but it happened 1 times");
    expect.kind = EXPECT_COUNT;
    expect.count = 1;
    assert_holds(w, expect);
    expect.count = 2;
    assert_fails(w, expect, "count", "exactly 2 times, but it happened 1 times");
}

static void test_expect_instants(void **state)
{
    struct witness *w = run_over(state);
    struct event_match ready = event_match_kind(EVENT_JOB_READY);
    struct event_match paused = event_match_kind(EVENT_JOB_PAUSED);
    struct expect_spec expect = {.matches = &ready, .match_count = 1, .time_ns = 20 * MS};

    expect.kind = EXPECT_WITHIN;
    assert_holds(w, expect);
    expect.kind = EXPECT_NOT_BEFORE;
    assert_holds(w, expect);
    expect.time_ns = 20 * MS + 1;
    assert_fails(w, expect, "not-before", "no sooner than 20.000001ms, but it happened at 20ms");
    expect.kind = EXPECT_WITHIN;
    expect.time_ns = 20 * MS - 1;
    assert_fails(w, expect, "within", "by 19.999999ms, but it happened at 20ms");
    expect.matches = &paused;
    assert_fails(w, expect, "within", "but it never happened");
    expect.kind = EXPECT_NOT_BEFORE;
    assert_fails(w, expect, "not-before", "but it never happened");
}

static void test_expect_guest_stall_measures_from_the_queue_to_the_end(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_GUEST_STALL, .time_ns = 4 * MS};

    assert_holds(w, expect);
    expect.time_ns = 4 * MS - 1;
    assert_fails(w, expect, "guest-stall", "longer than 3.999999ms, but write #1 took 4ms");
    assert_int_equal(w->verdict.findings[0].now_ns, 20 * MS);
    expect.time_ns = 4 * MS;
    w->evidence.now_ns = 60 * MS;
    request_event(w, EVENT_REQUEST_QUEUED, (struct ticket){SRC, OP_READ, BY_GUEST, 0, 512, 2}, 0);
    w->evidence.now_ns = 70 * MS;
    submit(w, BY_GUEST, DST, OP_READ, 0, 512);
    assert_fails(w, expect, "guest-stall", "read #2 took 10ms");
}

/* A guest write of today's generation, in the trace of a run that is over. */
static void guest_event(struct witness *w, enum event_kind kind, uint64_t now_ns)
{
    w->evidence.now_ns = now_ns;
    request_event(w, kind, (struct ticket){SRC, OP_WRITE, BY_GUEST, 0, 512, 9}, 0);
}

static void section_event(struct witness *w, enum by by, uint8_t node, enum section_step step)
{
    see(w, (struct event){
               .kind = EVENT_SECTION, .by = (uint8_t)by, .node = node, .detail = (uint8_t)step});
}

static void test_expect_guest_stall_tells_which_operation_held_the_request_longest(void **state)
{
    struct witness *w = run_over(state);
    struct event holder = {.kind = EVENT_STALL_HOLDER, .request = 9, .offset = 4096, .bytes = 4096};
    struct expect_spec expect = {.kind = EXPECT_GUEST_STALL, .time_ns = 5 * MS};

    w->plan->generation = GENERATION_MODERN;
    w->trace.count = 0;
    guest_event(w, EVENT_ARRIVE, 60 * MS);
    holder.detail = STALLED_BY_RUN;
    see(w, holder);
    w->evidence.now_ns = 61 * MS;
    holder.detail = STALLED_BY_COPY;
    see(w, holder);
    guest_event(w, EVENT_REQUEST_SUBMIT, 69 * MS);
    guest_event(w, EVENT_ANSWERED, 70 * MS);
    assert_fails(w, expect, "guest-stall",
                 "write #9 took 10ms; it waited for the job's copy of [4KiB, 8KiB)");
}

static void test_expect_guest_stall_tells_whose_section_the_request_queued_in(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_GUEST_STALL, .time_ns = 5 * MS};

    w->plan->generation = GENERATION_MODERN;
    w->trace.count = 0;
    section_event(w, BY_NONE, SRC, SECTION_BEGUN);
    section_event(w, BY_JOB, SRC, SECTION_BEGUN);
    section_event(w, BY_JOB, SRC, SECTION_ENDED);
    guest_event(w, EVENT_REQUEST_QUEUED, 60 * MS);
    guest_event(w, EVENT_ARRIVE, 70 * MS);
    guest_event(w, EVENT_ANSWERED, 70 * MS);
    assert_fails(w, expect, "guest-stall",
                 "write #9 took 10ms; it queued in a drained section of the story over src");
}

/* Of five requests of 1 to 5 ms, the third ends half, and the fifth 95 and 99 of a hundred. */
static void test_expect_guest_latency_is_that_of_a_share(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_GUEST_STALL, .errors = -1};

    for (uint64_t i = 1; i <= 5; i++) {
        struct ticket read = submit(w, BY_GUEST, DST, OP_READ, 0, 512);

        w->evidence.now_ns += i == 4 ? 10 * MS : i * MS;
        done(w, read, i == 4 ? -EIO : 0);
    }
    expect.p50_ns = 4 * MS; /* 1 2 3 4 5 10, the first write being one of 4 ms */
    assert_fails(w, (struct expect_spec){.kind = EXPECT_GUEST_STALL, .errors = -1, .p50_ns = MS},
                 "guest-latency", "than 1ms, but 3 of 6 took up to 3ms");
    assert_holds(w, expect);
    expect.p95_ns = 9 * MS;
    assert_fails(w, expect, "guest-latency", "95 of a hundred requests of the guest");
    expect.p95_ns = 10 * MS;
    expect.p99_ns = 10 * MS;
    expect.errors = 1;
    assert_holds(w, expect);
    expect.p99_ns = 10 * MS - 1;
    assert_fails(w, expect, "guest-latency", "6 of 6 took up to 10ms");
    expect.errors = 0;
    assert_fails(w, expect, "guest-errors", "At most 0 requests of the guest were to fail, but 1");
}

/* One that is never answered takes until the end of the run; one of another name does not count. */
static void test_expect_guest_latency_counts_what_is_not_answered(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_GUEST_STALL, .errors = -1, .p99_ns = 5 * MS};

    assert_holds(w, expect);
    submit(w, BY_GUEST, DST, OP_READ, 0, 512);
    w->evidence.now_ns += 20 * MS;
    assert_fails(w, expect, "guest-latency", "2 of 2 took up to 20ms");
    expect.tag = "other";
    assert_holds(w, expect);
}

/* ---- The guest and the faults ---- */

static void test_expect_guest_on(void **state)
{
    struct witness *w = run_over(state);

    assert_holds(w, (struct expect_spec){.kind = EXPECT_GUEST_ON, .a = DST});
    assert_fails(w, (struct expect_spec){.kind = EXPECT_GUEST_ON, .a = SRC}, "guest-on",
                 "on src at the end, but it is on dst");
}

static void test_expect_fired(void **state)
{
    struct witness *w = run_over(state);
    struct fault_spec fault = {.name = "bad", .from_mark = PLAN_NONE};
    struct expect_spec expect = {.kind = EXPECT_FIRED, .a = 0, .count = 0};

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    assert_holds(w, expect); /* and the fault is then not vacuous */
    expect.count = 2;
    judge_with_hits(w, expect, 2);
    assert_silent(w);
    judge_with_hits(w, expect, 1);
    assert_found(w, "fired", "Fault bad was expected to hit 2 times, but it hit 1 times");
}

/* ---- Vacuity ---- */

static void judge_vacuity(struct witness *w, uint64_t hits)
{
    struct final_state final = final_state(&hits);

    verdict_init(&w->verdict);
    w->plan->expect_count = 0;
    expect_judge(&w->evidence, &w->trace, &final);
}

static void assert_vacuous(struct witness *w, const char *kind, const char *says)
{
    judge_vacuity(w, 0);
    assert_found(w, kind, says);
    assert_string_equal(finding_by(w->verdict.findings[0].id), "vacuous");
    assert_int_equal(w->verdict.findings[0].where.line, LINE);
}

static void test_expect_finds_a_fault_that_never_fired(void **state)
{
    struct witness *w = run_over(state);
    struct fault_spec fault = {.name = "bad",
                               .where = {.line = LINE},
                               .match = {.by = BY_GUEST, .ops = 1 << OP_WRITE},
                               .nth = 3,
                               .from_mark = PLAN_NONE};
    const char *mark = "near";

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    w->plan->marks = &mark;
    w->plan->mark_count = 1;
    assert_vacuous(w, "never-fired",
                   "Fault bad never fired: only 1 matching request was seen, and it hits from "
                   "number 3 on.");
    fault.nth = 0;
    assert_vacuous(w, "never-fired", "1 matching request was seen, but not while it was armed");
    fault.from_mark = 0;
    assert_vacuous(w, "never-fired", "mark near was never set");
    judge_vacuity(w, 1);
    assert_silent(w);
}

static void test_expect_excuses_a_fault_that_need_not_fire(void **state)
{
    struct witness *w = run_over(state);
    struct fault_spec fault = {.name = "bad", .from_mark = PLAN_NONE, .optional = true};

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    judge_vacuity(w, 0);
    assert_silent(w);
    fault.optional = false;
    fault.probability_ppm = 1000;
    judge_vacuity(w, 0);
    assert_silent(w);
}

static void test_expect_finds_a_story_that_did_not_end(void **state)
{
    struct witness *w = run_over(state);
    struct action steps[] = {
        {.kind = DO_START}, {.kind = DO_WAIT, .where = {.line = LINE}}, {.kind = DO_COMPLETE}};

    w->plan->steps = steps;
    w->plan->step_count = 3;
    w->evidence.story_over = false;
    w->evidence.steps_run = 2;
    assert_vacuous(w, "steps-not-run", "while step 2 of 3 was still waiting");
}

static void test_expect_is_silent_when_a_finding_explains_the_story(void **state)
{
    struct witness *w = run_over(state);
    uint64_t hits = 0;
    struct final_state final = final_state(&hits);

    w->evidence.story_over = false;
    w->evidence.story_stopped = true;
    verdict_add(&w->evidence, FINDING_EXPECT_WAIT_TIMEOUT, "It timed out.");
    expect_judge(&w->evidence, &w->trace, &final);
    assert_int_equal(w->verdict.finding_count, 1);
    w->evidence.story_stopped = false;
    verdict_init(&w->verdict);
    verdict_add(&w->evidence, FINDING_LIVENESS_DEADLOCK, "It hangs.");
    expect_judge(&w->evidence, &w->trace, &final);
    assert_int_equal(w->verdict.finding_count, 1);
}

/* A run whose job fails passes only if the scenario says how the job ends. */
static void test_expect_finds_a_failure_that_nobody_expects(void **state)
{
    struct witness *w = run_over(state);
    struct event *end = &w->trace.events[w->trace.count - 1];

    while (end->kind != EVENT_JOB_COMPLETED) {
        end--;
    }
    end->ret = -EIO;
    judge(w, (struct expect_spec){.kind = EXPECT_CONCLUDED});
    assert_found(w, "unexpected-error", "The job failed with EIO");
    assert_holds(w, (struct expect_spec){.kind = EXPECT_RESULT, .ret = -EIO});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_expect_result_and_end_of_the_job),
        WITNESS_TEST(test_expect_fails_when_the_job_has_not_ended),
        WITNESS_TEST(test_expect_cancelled_holds_when_the_job_ended_so),
        WITNESS_TEST(test_expect_query_looks_at_the_last_state),
        WITNESS_TEST(test_expect_events_lists_the_reports_completely),
        WITNESS_TEST(test_expect_events_fails_when_there_are_too_few),
        WITNESS_TEST(test_expect_order_lets_others_between),
        WITNESS_TEST(test_expect_never_and_counts),
        WITNESS_TEST(test_expect_instants),
        WITNESS_TEST(test_expect_guest_stall_measures_from_the_queue_to_the_end),
        WITNESS_TEST(test_expect_guest_stall_tells_which_operation_held_the_request_longest),
        WITNESS_TEST(test_expect_guest_stall_tells_whose_section_the_request_queued_in),
        WITNESS_TEST(test_expect_guest_latency_is_that_of_a_share),
        WITNESS_TEST(test_expect_guest_latency_counts_what_is_not_answered),
        WITNESS_TEST(test_expect_guest_on),
        WITNESS_TEST(test_expect_fired),
        WITNESS_TEST(test_expect_finds_a_fault_that_never_fired),
        WITNESS_TEST(test_expect_excuses_a_fault_that_need_not_fire),
        WITNESS_TEST(test_expect_finds_a_story_that_did_not_end),
        WITNESS_TEST(test_expect_is_silent_when_a_finding_explains_the_story),
        WITNESS_TEST(test_expect_finds_a_failure_that_nobody_expects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
