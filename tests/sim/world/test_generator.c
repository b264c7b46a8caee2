/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators: when their requests come, and when they end.
 */
#include "engine/units.h"
#include "tests/sim/world/generating.h"

/* The largest number of guest requests unfinished at the same time. */
static uint64_t most_unfinished(const struct stage *stage)
{
    uint64_t unfinished = 0;
    uint64_t most = 0;

    for (uint64_t i = 0; i < stage->trace.count; i++) {
        unfinished += is_of_guest(&stage->trace.events[i], EVENT_REQUEST_SUBMIT);
        unfinished -= is_of_guest(&stage->trace.events[i], EVENT_REQUEST_DONE);
        most = max_u64(most, unfinished);
    }
    return most;
}

/* ---- When requests come ---- */

static void test_generator_rate_gives_each_request_the_time_of_its_bytes(void **state)
{
    static uint64_t lengths[] = {4 * KIB, 64 * KIB};
    struct stage *stage = *state;
    struct generator_spec *spec = add_generator(stage, "churn");

    spec->pace = PACE_RATE;
    spec->rate = 4 * MIB;
    spec->mix[0].lengths = lengths;
    spec->mix[0].length_count = 2;
    spec->mix[1] = (struct mix_spec){.weight = 1, .request.op = OP_FLUSH};
    spec->mix_count = 2;
    last(stage, SECOND_NS);
    stage_open(stage);
    stage_run(stage);
    for (uint64_t i = 0; submission(stage, i + 1) != NULL; i++) {
        const struct event *event = submission(stage, i);
        uint64_t bytes = event->op == OP_FLUSH ? 4 * KIB : event->bytes;

        assert_int_equal(submission(stage, i + 1)->now_ns - event->now_ns,
                         div_round_up(bytes * SECOND_NS, 4 * MIB));
    }
    /* A half of 4 KiB, a quarter of 4, a quarter of 64: 19 KiB each. */
    assert_in_range(submissions(stage), 4 * KIB / 19 - 2, 4 * KIB / 19 + 2);
}

static void test_generator_every_keeps_to_its_bounds(void **state)
{
    static const struct {
        uint64_t from_ns;
        uint64_t until_ns;
        uint64_t count;
        uint64_t bytes;
        uint64_t submissions; /* in a story of 100 ms */
        uint64_t last_ns;
    } cases[] = {
        {0, 0, 0, 0, 100, 99 * MS},
        {5 * MS, 0, 0, 0, 95, 99 * MS},
        {0, 10 * MS, 0, 0, 10, 9 * MS},
        {5 * MS, 10 * MS, 0, 0, 5, 9 * MS},
        {0, 10 * MS + 1, 0, 0, 11, 10 * MS},
        {0, 0, 7, 0, 7, 6 * MS},
        {0, 0, 0, 32 * KIB, 8, 7 * MS},
        {0, 0, 0, 33 * KIB, 9, 8 * MS},
        {0, 4 * MS, 7, 0, 4, 3 * MS},
        /* A generator with a bound continues when the story is over. */
        {0, 0, 150, 0, 150, 149 * MS},
        {99 * MS, 200 * MS, 0, 0, 101, 199 * MS},
    };
    struct stage *stage = *state;
    struct generator_spec *spec = add_every(stage, MS);

    last(stage, 100 * MS);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        spec->from_ns = cases[i].from_ns;
        spec->until_ns = cases[i].until_ns;
        spec->count = cases[i].count;
        spec->bytes = cases[i].bytes;
        world_destroy(stage->world);
        stage_open(stage);
        stage_run(stage);
        assert_int_equal(submissions(stage), cases[i].submissions);
        assert_int_equal(submission(stage, 0)->now_ns, cases[i].from_ns);
        assert_int_equal(submission(stage, cases[i].submissions - 1)->now_ns, cases[i].last_ns);
    }
}

static void test_generator_keeps_so_many_outstanding(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_outstanding(stage, 3);

    last(stage, 100 * WRITE_NS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(most_unfinished(stage), 3);
    assert_int_equal(submissions(stage), 3 * 100);
    assert_int_equal(submission(stage, 3)->now_ns, WRITE_NS);

    spec->think_ns = 4 * WRITE_NS;
    world_destroy(stage->world);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(most_unfinished(stage), 3);
    assert_int_equal(submissions(stage), 3 * 100 / 5);
    assert_int_equal(submission(stage, 3)->now_ns, 5 * WRITE_NS);
}

/* When the count is reached, eight more turns would be due; none of them comes. */
static void test_generator_closed_loop_stops_at_its_count(void **state)
{
    struct stage *stage = *state;

    add_outstanding(stage, 8)->count = 13;
    last(stage, 100 * WRITE_NS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 13);
    assert_int_equal(submission(stage, 12)->now_ns, WRITE_NS);
}

static void test_generator_begins_with_an_event_and_ends_with_a_mark(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_every(stage, MS);

    spec->has_when = true;
    spec->when = event_match_kind(EVENT_MARK);
    spec->when.index = 0;
    spec->nth = 2;
    spec->after_ns = 500 * US;
    spec->until_mark = 1;
    stage_step(stage, DO_MARK);
    last(stage, 3 * MS);
    stage_step(stage, DO_MARK);
    last(stage, 3 * MS);
    stage_step(stage, DO_MARK)->index = 1;
    last(stage, 3 * MS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 3);
    assert_int_equal(submission(stage, 0)->now_ns, 3 * MS + 500 * US);
}

static void test_generator_leaves_requests_out_when_too_many_are_unfinished(void **state)
{
    struct stage *stage = *state;

    add_every(stage, US);
    stage_fault(stage, FAULT_HANG)->match.by = BY_GUEST;
    stage->plan->faults[0].times = 0;
    last(stage, 2 * MS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), GENERATOR_MAX_UNFINISHED);
}

/* Recorded requests of 4 KiB, so many nanoseconds apart. */
static void add_replay(struct stage *stage, uint32_t count, uint64_t apart_ns)
{
    struct generator_spec *spec = add_generator(stage, "recorded");

    spec->pace = PACE_REPLAY;
    spec->mix_count = 0;
    spec->from_ns = 5 * US;
    spec->replay_count = count;
    spec->requests = arena_alloc(stage->plan->arena, count * sizeof(*spec->requests));
    for (uint32_t i = 0; i < count; i++) {
        spec->requests[i] = (struct replay_request){
            .at_ns = i * apart_ns, .op = OP_WRITE, .offset = i % 16 * 4 * KIB, .bytes = 4 * KIB};
    }
}

static void test_generator_replays_at_the_recorded_times(void **state)
{
    struct stage *stage = *state;

    add_replay(stage, 20, 3 * US);
    last(stage, SECOND_NS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 20);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(submission(stage, i)->now_ns, 5 * US + i * 3 * US);
        assert_int_equal(submission(stage, i)->offset, i % 16 * 4 * KIB);
    }
}

/* No recorded request is left out: those that find too many unfinished come when one is done. */
static void test_generator_replay_waits_when_too_many_are_unfinished(void **state)
{
    struct stage *stage = *state;

    add_replay(stage, GENERATOR_MAX_UNFINISHED + 10, 0);
    last(stage, SECOND_NS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), GENERATOR_MAX_UNFINISHED + 10);
    assert_int_equal(most_unfinished(stage), GENERATOR_MAX_UNFINISHED);
    assert_int_equal(submission(stage, GENERATOR_MAX_UNFINISHED - 1)->now_ns, 5 * US);
    assert_true(submission(stage, GENERATOR_MAX_UNFINISHED)->now_ns >= 5 * US + WRITE_NS);
}

/* ---- The story's end ---- */

/* The job ends before settle begins, or after; there is always a read in flight. */
static void test_generator_lets_settle_end_when_the_job_has(void **state)
{
    struct stage *stage = *state;

    for (int before = 0; before < 2; before++) {
        struct generator_spec *spec;

        stage->plan->step_count = 0;
        stage->plan->generator_count = 0;
        plan_mirror(stage);
        if (before) {
            *stage_wait(stage, WAIT_CONCLUDED) = stage->plan->steps[3];
            stage->plan->steps[3] = (struct action){.kind = DO_WAIT, .wait.kind = WAIT_CONCLUDED};
        }
        spec = add_every(stage, READ_NS / 2);
        spec->mix[0].request.op = OP_READ;
        world_destroy(stage->world);
        stage_open(stage);
        assert_int_equal(world_run(stage->world, UINT64_MAX), END_CONCLUDED);
        assert_true(world_evidence(stage->world)->story_over);
        assert_true(submissions(stage) > 100);
        assert_true(submission(stage, submissions(stage) - 1)->now_ns <=
                    stage_event(stage, EVENT_JOB_COMPLETED, 0)->now_ns);
        assert_int_equal(world_judge(stage->world)->outcome, OUTCOME_PASS);
    }
}

static void test_generator_submits_nothing_when_there_is_no_story(void **state)
{
    struct stage *stage = *state;

    add_every(stage, MS);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 0);
}

/* The requests after the pivot go to the target, and settle waits for all of them. */
static void test_generator_with_a_bound_is_awaited_by_settle_and_follows_the_pivot(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_outstanding(stage, 2);
    uint64_t after = 0;

    plan_mirror(stage);
    stage_step(stage, DO_MARK);
    spec->think_ns = 5 * US;
    spec->count = 200;
    add_every(stage, MS)->until_ns = 20 * MS;
    stage->plan->generators[1].name = "slow";
    stage_open(stage);
    assert_int_equal(world_run(stage->world, UINT64_MAX), END_CONCLUDED);
    assert_int_equal(submissions(stage), 200 + 20);
    for (uint64_t i = 0; i < submissions(stage); i++) {
        after += submission(stage, i)->node == DST;
    }
    assert_true(after > 50);
    assert_int_equal(stage_event(stage, EVENT_MARK, 0)->now_ns, 19 * MS + WRITE_NS);
    assert_int_equal(world_judge(stage->world)->outcome, OUTCOME_PASS);
}

/* The last event is the end of a think time that no request follows. */
static void test_generator_lets_settle_end_when_its_time_is_over(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_outstanding(stage, 1);

    spec->think_ns = 5 * MS;
    spec->until_ns = 10 * MS;
    stage_step(stage, DO_SETTLE)->wait.within_ns = SECOND_NS;
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 2);
    assert_true(world_evidence(stage->world)->story_over);
    assert_int_equal(world_now_ns(stage->world), 5 * MS + 2 * WRITE_NS);
}

static void test_generator_makes_a_run_vacuous_when_it_never_began(void **state)
{
    static const struct {
        bool optional;
        enum outcome outcome;
    } cases[] = {{false, OUTCOME_FAIL}, {true, OUTCOME_PASS}};
    struct stage *stage = *state;
    struct generator_spec *spec = add_every(stage, MS);
    const struct verdict *verdict;

    plan_mirror(stage);
    spec->has_when = true;
    spec->when = event_match_kind(EVENT_JOB_ERROR);
    for (size_t i = 0; i < 2; i++) {
        spec->optional = cases[i].optional;
        world_destroy(stage->world);
        stage_open(stage);
        stage_run(stage);
        verdict = world_judge(stage->world);
        assert_int_equal(verdict->outcome, cases[i].outcome);
    }
    world_destroy(stage->world);
    spec->optional = false;
    stage_open(stage);
    stage_run(stage);
    assert_string_equal(finding_kind_name(world_judge(stage->world)->findings[0].id),
                        "never-began");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_generator_rate_gives_each_request_the_time_of_its_bytes),
        STAGE_TEST(test_generator_every_keeps_to_its_bounds),
        STAGE_TEST(test_generator_keeps_so_many_outstanding),
        STAGE_TEST(test_generator_closed_loop_stops_at_its_count),
        STAGE_TEST(test_generator_begins_with_an_event_and_ends_with_a_mark),
        STAGE_TEST(test_generator_leaves_requests_out_when_too_many_are_unfinished),
        STAGE_TEST(test_generator_replays_at_the_recorded_times),
        STAGE_TEST(test_generator_replay_waits_when_too_many_are_unfinished),
        STAGE_TEST(test_generator_lets_settle_end_when_the_job_has),
        STAGE_TEST(test_generator_submits_nothing_when_there_is_no_story),
        STAGE_TEST(test_generator_with_a_bound_is_awaited_by_settle_and_follows_the_pivot),
        STAGE_TEST(test_generator_lets_settle_end_when_its_time_is_over),
        STAGE_TEST(test_generator_makes_a_run_vacuous_when_it_never_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
