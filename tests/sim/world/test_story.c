/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The story: when steps begin, what waits match, and the work of reactions and
 * checks.
 */
#include <string.h>

#include "engine/units.h"
#include "tests/support/stage.h"

/* When step `step` began; UINT64_MAX if it never did. */
static uint64_t began_ns(const struct stage *stage, uint16_t step)
{
    const struct event *event;

    for (uint64_t i = 0; (event = stage_event(stage, EVENT_STEP, i)) != NULL; i++) {
        if (event->index == step) {
            return event->now_ns;
        }
    }
    return UINT64_MAX;
}

static bool has_finding(const struct stage *stage, const char *kind)
{
    const struct verdict *verdict = stage->world->verdict;

    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (strcmp(finding_kind_name(verdict->findings[i].id), kind) == 0) {
            return true;
        }
    }
    return false;
}

static void add_guest_write(struct stage *stage, uint64_t latency_ns)
{
    struct action *action = stage_step(stage, DO_GUEST);

    action->guest = (struct guest_request){
        .op = OP_WRITE, .bytes = 512, .has_latency = true, .latency_ns = latency_ns};
}

static void add_wait_for(struct stage *stage, uint64_t duration_ns)
{
    stage_wait(stage, WAIT_DURATION)->wait.within_ns = duration_ns;
}

/* ---- Steps and waits ---- */

static void test_story_steps_begin_when_the_one_before_ends(void **state)
{
    struct stage *stage = *state;

    add_guest_write(stage, 70);
    stage_wait(stage, WAIT_GUEST_IDLE);
    stage_step(stage, DO_AT)->at_ns = 100;
    add_wait_for(stage, 30);
    stage_step(stage, DO_AT)->at_ns = 50;
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(began_ns(stage, 0), 0);
    assert_int_equal(began_ns(stage, 1), 0);
    assert_int_equal(began_ns(stage, 2), 70);
    assert_int_equal(began_ns(stage, 3), 100);
    assert_int_equal(began_ns(stage, 4), 130);
    assert_int_equal(began_ns(stage, 5), 130);
    assert_true(world_evidence(stage->world)->story_over);
    assert_int_equal(world_evidence(stage->world)->steps_run, 6);
}

static void test_story_wait_counts_since_the_last_step_that_took_time(void **state)
{
    struct stage *stage = *state;

    /* A mark set before the wait begins counts, but only once. */
    stage_step(stage, DO_MARK);
    add_guest_write(stage, 0);
    stage_wait_event(stage, EVENT_MARK)->wait.within_ns = 10;
    stage_wait_event(stage, EVENT_MARK)->wait.within_ns = 10;
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(began_ns(stage, 3), 0);
    assert_int_equal(began_ns(stage, 4), UINT64_MAX);
    assert_true(has_finding(stage, "wait-timeout"));
}

static void test_story_wait_counts_the_nth_match(void **state)
{
    struct stage *stage = *state;
    struct action *wait;

    add_guest_write(stage, 10);
    add_guest_write(stage, 20);
    add_guest_write(stage, 30);
    wait = stage_wait_event(stage, EVENT_REQUEST_DONE);
    wait->wait.nth = 2;
    wait = stage_wait_event(stage, EVENT_REQUEST_DONE);
    wait->wait.nth = 3;
    wait->wait.since_start = true;
    stage_wait_event(stage, EVENT_REQUEST_SUBMIT)->wait.since_start = true;
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(began_ns(stage, 4), 20);
    assert_int_equal(began_ns(stage, 5), 30);
    assert_int_equal(began_ns(stage, 6), 30);
}

static void test_story_stops_when_a_wait_exceeds_its_bound(void **state)
{
    struct stage *stage = *state;

    add_guest_write(stage, 100);
    stage_wait(stage, WAIT_GUEST_IDLE)->wait.within_ns = 99;
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_true(has_finding(stage, "wait-timeout"));
    assert_int_equal(stage_event(stage, EVENT_CHECK_FAILED, 0)->index, 1);
    assert_int_equal(stage_event(stage, EVENT_CHECK_FAILED, 0)->now_ns, 99);
    assert_int_equal(stage_count(stage, EVENT_MARK), 0);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 1);
    assert_int_equal(world_ended(stage->world), END_CONCLUDED);
}

static void test_story_waits_for_a_hold_and_releases_it(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *hold = stage_fault(stage, FAULT_HOLD);

    hold->armed = false;
    hold->match.ops = 1 << OP_WRITE;
    add_guest_write(stage, 5);
    stage_wait(stage, WAIT_GUEST_IDLE);
    stage_step(stage, DO_HOLD);
    add_guest_write(stage, 10);
    stage_wait(stage, WAIT_HELD);
    add_wait_for(stage, 10);
    stage_step(stage, DO_RELEASE);
    add_guest_write(stage, 10);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, 5);
    assert_int_equal(stage_event(stage, EVENT_HELD, 0)->now_ns, 15);
    assert_int_equal(began_ns(stage, 5), 15);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 1)->now_ns, 25);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 2)->now_ns, 35);
    assert_int_equal(stage_count(stage, EVENT_HELD), 1);
}

/* ---- Reactions and timed actions ---- */

static void add_react(struct stage *stage, const struct react_spec *react)
{
    struct plan *plan = stage->plan;

    plan->reacts = arena_alloc(plan->arena, sizeof(*plan->reacts));
    plan->reacts[0] = *react;
    plan->react_count = 1;
}

static void test_story_reacts_to_the_matches_that_it_should(void **state)
{
    static const struct {
        uint64_t nth;
        uint64_t limit;
        uint64_t delay_ns;
        uint64_t marks_ns[4]; /* UINT64_MAX: no such mark */
    } cases[] = {
        {0, 0, 0, {10, 20, 30, UINT64_MAX}},
        {2, 0, 0, {20, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
        {0, 2, 0, {10, 20, UINT64_MAX, UINT64_MAX}},
        {0, 0, 100, {110, 120, 130, UINT64_MAX}},
    };
    struct stage *stage = *state;

    add_guest_write(stage, 10);
    add_guest_write(stage, 20);
    add_guest_write(stage, 30);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        add_react(stage, &(struct react_spec){.when = event_match_kind(EVENT_REQUEST_DONE),
                                              .nth = cases[i].nth,
                                              .limit = cases[i].limit,
                                              .delay_ns = cases[i].delay_ns,
                                              .action = {.kind = DO_MARK}});
        stage_open(stage);
        stage_run(stage);
        for (uint64_t j = 0; j < 4; j++) {
            const struct event *mark = stage_event(stage, EVENT_MARK, j);

            assert_int_equal(mark != NULL ? mark->now_ns : UINT64_MAX, cases[i].marks_ns[j]);
        }
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

/* A reaction comes after everything else that its event causes at the same instant. */
static void test_story_reaction_acts_as_an_event_of_its_own(void **state)
{
    struct stage *stage = *state;
    struct block_dirty *dirty;

    add_react(stage, &(struct react_spec){.when = event_match_kind(EVENT_REQUEST_EFFECT),
                                          .action = {.kind = DO_MARK}});
    stage_open(stage);
    block_dirty_create(&stage->world->layer.nodes[SRC], 64 * KIB, &dirty);
    stage_guest(stage, OP_WRITE, 0, 512);
    stage_run(stage);
    assert_true(stage_event(stage, EVENT_REACT, 0) > stage_event(stage, EVENT_REQUEST_DONE, 0));
    assert_true(stage_event(stage, EVENT_MARK, 0) > stage_event(stage, EVENT_REACT, 0));
}

static void test_story_timed_actions_follow_the_first_step_in_their_order(void **state)
{
    struct stage *stage = *state;
    struct plan *plan = stage->plan;

    plan->timed = arena_alloc(plan->arena, 3 * sizeof(*plan->timed));
    plan->timed_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        plan->timed[i].at_ns = i == 2 ? 0 : 5;
        plan->timed[i].action = (struct action){.kind = DO_MARK, .index = i + 1};
    }
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_MARK, 0)->index, 0);
    assert_int_equal(stage_event(stage, EVENT_MARK, 1)->index, 3);
    assert_int_equal(stage_event(stage, EVENT_MARK, 2)->index, 1);
    assert_int_equal(stage_event(stage, EVENT_MARK, 3)->index, 2);
    assert_int_equal(stage_event(stage, EVENT_MARK, 3)->now_ns, 5);
}

/*
 * The events of an untimed world, in the order of those answers; does the mark precede the write?
 */
static bool mark_is_first(struct stage *stage, const struct choice_answer *answers, uint32_t count)
{
    stage->plan->untimed = true;
    stage->options.choices.recorded = answers;
    stage->options.choices.recorded_count = count;
    world_destroy(stage->world); /* of the answers before */
    stage_open(stage);
    stage_run(stage);
    return stage_event(stage, EVENT_MARK, 0) < stage_event(stage, EVENT_REQUEST_EFFECT, 0);
}

static void test_story_whenever_is_any_moment_of_an_untimed_world(void **state)
{
    static const struct choice_answer second[] = {{"order", 1, 1}, {"order", 2, 1}};
    struct stage *stage = *state;

    add_guest_write(stage, 70);
    stage_step(stage, DO_AT)->at_ns = AT_WHENEVER;
    stage_step(stage, DO_MARK);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_MARK, 0)->now_ns, 0);
    assert_false(mark_is_first(stage, NULL, 0));
    assert_true(mark_is_first(stage, second, COUNT_OF(second)));
}

static void test_story_timed_action_comes_whenever_in_an_untimed_world(void **state)
{
    static const struct choice_answer later[] = {{"order", 2, 1}, {"order", 3, 1}, {"order", 4, 1}};
    struct stage *stage = *state;
    struct plan *plan = stage->plan;

    plan->timed = arena_alloc(plan->arena, sizeof(*plan->timed));
    plan->timed_count = 1;
    plan->timed[0].at_ns = AT_WHENEVER;
    plan->timed[0].action = (struct action){.kind = DO_MARK};
    add_guest_write(stage, 70);
    assert_true(mark_is_first(stage, NULL, 0));
    assert_false(mark_is_first(stage, later, COUNT_OF(later)));
}

/* ---- Commands and checks ---- */

static void test_story_finds_what_a_command_was_not_expected_to_answer(void **state)
{
    static const struct {
        bool expect_refused;
        int refusal;
        bool may_be_refused;
        const char *finding; /* NULL: none */
    } cases[] = {
        {false, MATCH_ANY, false, "refused"},
        {false, MATCH_ANY, true, NULL},
        {true, MATCH_ANY, false, NULL},
        {true, REFUSED_NOT_ACTIVE, false, NULL},
        {true, REFUSED_NOT_READY, false, "refused-otherwise"},
    };
    struct stage *stage = *state;
    struct action *pause = stage_step(stage, DO_PAUSE);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pause->expect_refused = cases[i].expect_refused;
        pause->refusal = cases[i].refusal;
        pause->may_be_refused = cases[i].may_be_refused;
        stage_open(stage);
        stage_run(stage);
        assert_int_equal(stage_event(stage, EVENT_COMMAND_REFUSED, 0)->detail2, REFUSED_NOT_ACTIVE);
        assert_int_equal(stage_count(stage, EVENT_CHECK_FAILED), cases[i].finding != NULL);
        assert_int_equal(stage->world->verdict->finding_count, cases[i].finding != NULL);
        assert_true(cases[i].finding == NULL || has_finding(stage, cases[i].finding));
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

static void test_story_finds_an_accepted_start_that_was_to_be_refused(void **state)
{
    struct stage *stage = *state;

    stage_step(stage, DO_START)->expect_refused = true;
    stage_step(stage, DO_JOB_NONE);
    stage_open(stage);
    stage_run(stage);
    assert_true(has_finding(stage, "not-refused"));
    assert_true(has_finding(stage, "job-exists"));
}

static void test_story_queries_the_job(void **state)
{
    struct query_check checks[] = {{.field = QUERY_READY, .value = 1},
                                   {.field = QUERY_SPEED, .value = 7}};
    struct stage *stage = *state;
    struct action *query;

    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    query = stage_step(stage, DO_QUERY);
    query->checks = checks;
    query->check_count = 2;
    stage_step(stage, DO_CANCEL);
    stage_step(stage, DO_SETTLE)->wait.within_ns = 1000000000;
    stage_step(stage, DO_QUERY);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_count(stage, EVENT_QUERY), 1);
    assert_int_equal(stage_event(stage, EVENT_QUERY, 0)->bytes, MIB);
    assert_int_equal(stage_count(stage, EVENT_CHECK_FAILED), 2);
    assert_int_equal(stage_event(stage, EVENT_CHECK_FAILED, 0)->index, 2);
    assert_int_equal(stage_event(stage, EVENT_CHECK_FAILED, 1)->index, 5);
}

static void test_story_queries_a_disk(void **state)
{
    static const struct {
        struct disk_check check;
        const char *says;
    } cases[] = {
        {{IO_STATUS_OK, 1, POLICY_REPORT, DISK_FLAG_WRITE_BACK}, NULL},
        {{MATCH_ANY, MATCH_ANY, MATCH_ANY, MATCH_ANY}, NULL},
        {{IO_STATUS_NOSPACE, MATCH_ANY, MATCH_ANY, MATCH_ANY},
         "The I/O status of dst is ok, not nospace."},
        {{MATCH_ANY, 0, MATCH_ANY, MATCH_ANY}, "The I/O status of dst is tracked."},
        {{MATCH_ANY, MATCH_ANY, POLICY_STOP, MATCH_ANY}, "The policy of dst is report, not stop."},
        {{MATCH_ANY, MATCH_ANY, MATCH_ANY, DISK_FLAG_RDWR},
         "The open flags of dst are 0x40, not 0x2."},
    };

    stage_tear_down(state);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stage *stage;
        struct action *query;

        assert_int_equal(stage_set_up(state), 0);
        stage = *state;
        stage_step(stage, DO_START);
        query = stage_step(stage, DO_QUERY_DISK);
        query->index = stage->plan->job.target;
        query->disk = cases[i].check;
        stage_open(stage);
        stage_run(stage);
        assert_int_equal(stage_count(stage, EVENT_CHECK_FAILED), cases[i].says != NULL);
        if (cases[i].says != NULL) {
            assert_string_equal(stage->world->verdict->findings[0].text, cases[i].says);
        }
        if (i + 1 < COUNT_OF(cases)) {
            stage_tear_down(state);
        }
    }
}

static void test_story_expects_what_a_refusal_says(void **state)
{
    struct stage *stage = *state;

    for (int i = 0; i < 2; i++) {
        struct action *pause = stage_step(stage, DO_PAUSE);

        pause->expect_refused = true;
        pause->refusal = MATCH_ANY;
        pause->saying = i == 0 ? "no job" : "no jar";
    }
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_count(stage, EVENT_CHECK_FAILED), 1);
    assert_int_equal(stage_event(stage, EVENT_CHECK_FAILED, 0)->index, 1);
    assert_true(has_finding(stage, "refused-otherwise"));
}

/* ---- Waiting in vain ---- */

/*
 * The run ends within the world's patience, though the job would follow a guest for ever, and the
 * finding says where the job stands.
 */
static void test_story_ends_soon_when_it_has_waited_in_vain(void **state)
{
    struct stage *stage = *state;
    const struct verdict *verdict;

    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_wait_event(stage, EVENT_JOB_PAUSED)->wait.within_ns = UINT64_C(20000000);
    stage_open(stage);
    assert_int_equal(world_run(stage->world, UINT64_MAX), END_GIVEN_UP);
    assert_true(world_now_ns(stage->world) <= UINT64_C(21000000) + WORLD_PATIENCE_NS);
    verdict = world_judge(stage->world);
    assert_int_equal(verdict->finding_count, 1);
    assert_int_equal(verdict->findings[0].id, FINDING_EXPECT_WAIT_TIMEOUT);
    assert_non_null(strstr(verdict->findings[0].text,
                           "within 20ms it did not come: the job is ready, having done 1MiB of "
                           "1MiB."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_story_ends_soon_when_it_has_waited_in_vain),
        STAGE_TEST(test_story_steps_begin_when_the_one_before_ends),
        STAGE_TEST(test_story_wait_counts_since_the_last_step_that_took_time),
        STAGE_TEST(test_story_wait_counts_the_nth_match),
        STAGE_TEST(test_story_stops_when_a_wait_exceeds_its_bound),
        STAGE_TEST(test_story_waits_for_a_hold_and_releases_it),
        STAGE_TEST(test_story_reacts_to_the_matches_that_it_should),
        STAGE_TEST(test_story_reaction_acts_as_an_event_of_its_own),
        STAGE_TEST(test_story_timed_actions_follow_the_first_step_in_their_order),
        STAGE_TEST(test_story_whenever_is_any_moment_of_an_untimed_world),
        STAGE_TEST(test_story_timed_action_comes_whenever_in_an_untimed_world),
        STAGE_TEST(test_story_finds_what_a_command_was_not_expected_to_answer),
        STAGE_TEST(test_story_finds_an_accepted_start_that_was_to_be_refused),
        STAGE_TEST(test_story_queries_the_job),
        STAGE_TEST(test_story_queries_a_disk),
        STAGE_TEST(test_story_expects_what_a_refusal_says),
    };

    return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
