/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans: no oracle finds anything, the engine's own check always holds,
 * and a run can be repeated, resumed from a snapshot, and run without oracles,
 * with the same result.
 *
 *   test_random_plans [FIRST [COUNT]]     one plan alone shows its trace
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/world/private.h"
#include "tests/sim/world/random_plan.h"

#define PLANS 20000

/* The number of plans surveyed for the kinds of events they lead to. */
#define SURVEYED 1000

/* More failing plans would not be worth reporting. */
#define MAX_FAILURES 10

/* The engine is checked after this many events, and after each command. */
#define EVENTS_PER_CHECK 8

/* The snapshot is made after fewer events than this. */
#define SNAPSHOT_BOUND 200

struct range_of_plans {
    uint64_t first;
    uint64_t count;
};

/* One plan and the results of its first run. */
struct trial {
    uint64_t seed;
    struct plan *plan;
    struct trace trace;
    struct world *world;
    uint64_t digest; /* of the world at the snapshot */
    uint64_t hash;   /* of the whole trace */
    bool failed;
};

/* ---- The engine, checked ---- */

static int checked_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                         struct job_error *error)
{
    int ret = mirror_engine.start(host, spec, job, error);

    if (ret == 0) {
        mirror_engine.check(*job);
    }
    return ret;
}

static int checked_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                           struct job_error *error)
{
    int ret = mirror_engine.command(job, verb, arg, error);

    mirror_engine.check(job);
    return ret;
}

static struct engine checked_engine(void)
{
    struct engine engine = mirror_engine;

    engine.start = checked_start;
    engine.command = checked_command;
    return engine;
}

static void check_world(const struct world *world)
{
    if (world->job != NULL) {
        world->engine->check(world->job);
    }
    timeline_check(&world->timeline);
}

/* ---- Failures ---- */

/* For the handler of SIGABRT, the signal of a failed assertion. */
static volatile uint64_t seed_now;

static void name_the_plan(int signal)
{
    char text[80];
    int length = snprintf(text, sizeof(text), "plan %" PRIu64 " crashed\n", seed_now);

    (void)signal;
    if (write(STDERR_FILENO, text, (size_t)length) != length) {
        _exit(3);
    }
}

static void fail_trial(struct trial *trial, const char *what)
{
    trial->failed = true;
    print_error("plan %" PRIu64 ": %s\n", trial->seed, what);
}

static void print_trace(const struct trial *trial)
{
    struct trace_names names = {trial->plan, &mirror_engine};
    char text[400];

    for (uint64_t i = 0; i < trial->trace.count; i++) {
        trace_format_text(&names, &trial->trace.events[i], text, sizeof(text));
        print_message("%6" PRIu64 " %s\n", i, text);
    }
}

/* ---- The properties ---- */

static bool step(struct world *world)
{
    bool more = world_step(world);

    if (world->events % EVENTS_PER_CHECK == 0) {
        check_world(world);
    }
    return more;
}

static struct world_options options_of(const struct trial *trial, const struct engine *engine)
{
    /* Every fourth run is quiet: all choices are 0. */
    return (struct world_options){.engine = engine,
                                  .choices.seed = trial->seed % 4 == 0 ? 0 : trial->seed};
}

static void step_to_snapshot(const struct trial *trial, struct world *world)
{
    for (uint64_t i = trial->seed % SNAPSHOT_BOUND; i > 0 && step(world); i--) {
    }
}

/* Runs to the end, then restores a snapshot and checks that the rest repeats. */
static void run_twice_from_snapshot(struct trial *trial)
{
    struct world *world = trial->world;
    void *snapshot;

    step_to_snapshot(trial, world);
    trial->digest = world_digest(world);
    snapshot = malloc(world_save_bytes(world));
    assert_non_null(snapshot);
    world_save(world, snapshot);
    while (step(world)) {
    }
    trial->hash = trial->trace.hash;
    world_load(world, snapshot);
    free(snapshot);
    if (world_digest(world) != trial->digest) {
        fail_trial(trial, "is not what it was, when restored from a snapshot");
    }
    world_run(world, UINT64_MAX);
    if (trial->trace.hash != trial->hash) {
        fail_trial(trial, "goes on differently from a snapshot");
    }
}

static void judge(struct trial *trial)
{
    const struct verdict *verdict = world_judge(trial->world);

    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        print_error("  event %" PRIu64 ", %s, %s: %s\n", finding->event_number,
                    finding_by(finding->id), finding_kind_name(finding->id), finding->text);
    }
    if (verdict->outcome != OUTCOME_PASS) {
        fail_trial(trial, "findings as above");
    }
}

/* Another world, without oracles, must reach the same state and have the same trace. */
static void run_unwatched(struct trial *trial, const struct engine *engine)
{
    struct world_options options = options_of(trial, engine);
    struct trace trace;
    struct world *world;

    options.no_oracles = true;
    trace_init(&trace, false);
    world = world_create(trial->plan, &options, &trace);
    assert_non_null(world);
    step_to_snapshot(trial, world);
    if (world_digest(world) != trial->digest) {
        fail_trial(trial, "has a different state without oracles");
    }
    world_run(world, UINT64_MAX);
    if (trace.hash != trial->hash) {
        fail_trial(trial, "runs differently without oracles");
    }
    world_destroy(world);
    trace_free(&trace);
}

/* True if the plan has all properties. */
static bool try_plan(uint64_t seed, bool show)
{
    struct engine engine = checked_engine();
    struct trial trial = {.seed = seed, .plan = random_plan_create(seed)};
    struct world_options options = options_of(&trial, &engine);

    seed_now = seed;
    trace_init(&trial.trace, true);
    trial.world = world_create(trial.plan, &options, &trial.trace);
    assert_non_null(trial.world);
    run_twice_from_snapshot(&trial);
    if (show) {
        print_trace(&trial);
    }
    judge(&trial);
    run_unwatched(&trial, &engine);
    world_destroy(trial.world);
    trace_free(&trial.trace);
    plan_destroy(trial.plan);
    return !trial.failed;
}

static void test_random_plans_have_no_findings_when_repeated_resumed_or_unwatched(void **state)
{
    const struct range_of_plans *range = *state;
    uint64_t failures = 0;

    for (uint64_t i = 0; i < range->count && failures < MAX_FAILURES; i++) {
        failures += !try_plan(range->first + i, range->count == 1);
    }
    assert_int_equal(failures, 0);
}

/* ---- The generator ---- */

static void count_kinds(const struct trace *trace, uint64_t *seen)
{
    bool in_this[EVENT_KIND_COUNT] = {false};

    for (uint64_t i = 0; i < trace->count; i++) {
        in_this[trace->events[i].kind] = true;
    }
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        seen[kind] += in_this[kind];
    }
}

/*
 * Kinds that a random plan never asks for, that would be a finding, that our
 * engine does not emit, or that belong to today's generation.
 */
static bool is_left_out(uint32_t kind)
{
    return kind == EVENT_QUERY || kind == EVENT_CHECK_FAILED || kind == EVENT_JOB_TRACE ||
           kind > EVENT_END;
}

static void test_random_plans_lead_to_every_kind_of_event(void **state)
{
    uint64_t seen[EVENT_KIND_COUNT] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= SURVEYED; seed++) {
        struct world_options options = {
            .engine = &mirror_engine, .choices.seed = seed, .no_oracles = true};
        struct plan *plan = random_plan_create(seed);
        struct trace trace;
        struct world *world;

        trace_init(&trace, true);
        world = world_create(plan, &options, &trace);
        assert_non_null(world);
        world_run(world, UINT64_MAX);
        count_kinds(&trace, seen);
        world_destroy(world);
        trace_free(&trace);
        plan_destroy(plan);
    }
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (!is_left_out(kind) && seen[kind] < SURVEYED / 100) {
            fail_msg("only %u plans lead to \"%s\"", (unsigned)seen[kind],
                     event_kind_name((enum event_kind)kind));
        }
    }
}

int main(int argc, char **argv)
{
    struct range_of_plans range = {1, PLANS};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(
            test_random_plans_have_no_findings_when_repeated_resumed_or_unwatched, &range),
        cmocka_unit_test(test_random_plans_lead_to_every_kind_of_event),
    };

    if (argc > 1) {
        range.first = strtoull(argv[1], NULL, 0);
        range.count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    }
    signal(SIGABRT, name_the_plan);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
