/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cycles of a run: known again whatever counters and names say, and a livelock if the job would
 * have to get on.
 */
#include "sim/world/cycle.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/stage.h"

#include "tests/support/load.h"

/* ---- Engines ---- */

/* Takes the command to complete, and forgets it: the job stays ready, and looks now and then. */
static int forgetful_command(struct engine_job *job, enum job_verb verb, int64_t value,
                             struct job_error *error)
{
    return verb == VERB_COMPLETE ? 0 : mirror_engine.command(job, verb, value, error);
}

static struct engine forgetful_engine(void)
{
    struct engine engine = mirror_engine;

    engine.command = forgetful_command;
    return engine;
}

/* ---- Runs ---- */

struct run_of {
    struct plan *plan;
    struct trace trace;
    struct world *world;
};

static void begin(struct run_of *run, const char *more, const struct engine *engine)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "disks:\n  src: {size: 64KiB, fill: unique}\n  dst: {size: 64KiB, fill: zero}\n"
             "job: {mirror: src, to: dst, granularity: 64KiB}\nlimits: {time: 2h}\n%s",
             more);
    run->plan = load_plan(text, 0, 0);
    trace_init(&run->trace, true);
    run->world = world_create(run->plan, &(struct world_options){.engine = engine}, &run->trace);
    assert_non_null(run->world);
}

static void end(struct run_of *run)
{
    world_destroy(run->world);
    trace_free(&run->trace);
    plan_destroy(run->plan);
}

/* Steps past an event that happens again and again; the digest of the state after it. */
static uint64_t digest_after_next(struct run_of *run, enum event_kind kind, enum by by)
{
    uint64_t from = run->trace.count;
    uint64_t words;

    do {
        assert_true(world_step(run->world));
        for (uint64_t i = from; i < run->trace.count; i++) {
            if (run->trace.events[i].kind == kind && run->trace.events[i].by == by) {
                return world_digest_repeating(run->world, &words);
            }
        }
    } while (true);
}

/* ---- Tests ---- */

#define WRITER "guest: {w: {outstanding: 1, write: {at: 0, len: 4KiB}}}\n"
#define FOLLOWED "steps: [start, {wait: ready}]\n"

/*
 * The job copies what the guest writes again and again.  Its counters grow, each write has a new
 * number, and time goes on: the exact digest is always new, and the other one is not.
 */
static void test_cycle_of_a_job_that_follows_a_writer_has_states_that_are_known_again(void **state)
{
    enum { ROUNDS = 2000 }; /* of 200us, in slices of 100ms */
    static uint64_t digests[ROUNDS], exact[ROUNDS];
    uint32_t same = 0, same_exact = 0;
    struct run_of run;

    (void)state;
    begin(&run, WRITER FOLLOWED, &mirror_engine);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        digests[i] = digest_after_next(&run, EVENT_REQUEST_DONE, BY_JOB);
        exact[i] = world_digest(run.world);
        for (uint32_t j = 0; j < i; j++) {
            same += digests[i] == digests[j];
            same_exact += exact[i] == exact[j];
        }
    }
    assert_true(same > 0);
    assert_int_equal(same_exact, 0);
    end(&run);
}

/* Nobody has told it to end: it may follow the guest for ever, and the run goes to its limit. */
static void test_cycle_is_no_livelock_while_the_job_owes_nothing(void **state)
{
    struct run_of run;

    (void)state;
    begin(&run, FOLLOWED, &mirror_engine);
    assert_int_equal(world_run(run.world, UINT64_MAX), END_TIME);
    assert_false(world_evidence(run.world)->repeats);
    assert_int_equal(world_judge(run.world)->findings[0].id, FINDING_LIVENESS_NEVER_TOLD);
    end(&run);
}

/* The run ends long before its limit, and says from when on it has repeated itself, and how. */
static void test_cycle_is_a_livelock_when_the_job_was_told_to_end(void **state)
{
    const struct engine engine = forgetful_engine();
    const struct verdict *verdict;
    struct run_of run;

    (void)state;
    begin(&run, "steps: [start, {wait: ready}, complete, {wait: concluded}]\n", &engine);
    assert_int_equal(world_run(run.world, UINT64_MAX), END_LIVELOCK);
    assert_true(world_events(run.world) < 5000);
    verdict = world_judge(run.world);
    assert_int_equal(verdict->findings[0].id, FINDING_LIVENESS_LIVELOCK);
    assert_non_null(
        strstr(verdict->findings[0].text, "the same repeats every 100.05ms for ever ("));
    assert_non_null(strstr(verdict->findings[0].text, " events, 1 flush): the job was ready"));
    end(&run);
}

/* How long a step is still willing to wait makes no difference: its patience is not the job's. */
static void test_cycle_is_found_under_a_wait_with_a_bound(void **state)
{
    const struct engine engine = forgetful_engine();
    struct run_of run;

    (void)state;
    begin(&run, "steps: [start, {wait: ready}, complete, {wait: {concluded: true, within: 1h}}]\n",
          &engine);
    assert_int_equal(world_run(run.world, UINT64_MAX), END_LIVELOCK);
    assert_true(world_now_ns(run.world) < UINT64_C(3600) * 1000000000);
    end(&run);
}

/* What has not had its turn on the way round might have broken the cycle. */
static void test_cycle_counts_only_if_nothing_was_kept_waiting(void **state)
{
    const struct engine engine = forgetful_engine();
    struct world_place early, late;
    struct run_of run;

    (void)state;
    begin(&run, "steps: [start, {wait: ready}, complete, {wait: concluded}]\n", &engine);
    world_run(run.world, UINT64_C(1000000000));
    early = world_place(run.world);
    late = early;
    world_run(run.world, UINT64_C(2000000000));
    late.sequence = world_place(run.world).sequence;
    assert_false(world_closes_cycle(run.world, &late));
    assert_true(world_closes_cycle(run.world, &early));
    end(&run);
}

/* A foreign engine's state can't be digested, and what a search leaves open has no cycle. */
static void test_cycle_is_not_looked_for_where_the_state_is_not_known(void **state)
{
    struct engine engine = forgetful_engine();
    struct run_of run;

    (void)state;
    engine.foreign = true;
    begin(&run, "steps: [start, {wait: ready}, complete, {wait: concluded}]\n", &engine);
    assert_int_equal(world_run(run.world, UINT64_MAX), END_TIME);
    end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycle_of_a_job_that_follows_a_writer_has_states_that_are_known_again),
        cmocka_unit_test(test_cycle_is_no_livelock_while_the_job_owes_nothing),
        cmocka_unit_test(test_cycle_is_a_livelock_when_the_job_was_told_to_end),
        cmocka_unit_test(test_cycle_is_found_under_a_wait_with_a_bound),
        cmocka_unit_test(test_cycle_counts_only_if_nothing_was_kept_waiting),
        cmocka_unit_test(test_cycle_is_not_looked_for_where_the_state_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
