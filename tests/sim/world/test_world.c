/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Worlds: whole runs of the mirror engine, their ends, and snapshots.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/units.h"
#include "tests/support/stage.h"

#define CHUNK (64 * KIB)
#define SECOND_NS UINT64_C(1000000000)

/* The size of a world that exploring copies many thousand times a second. */
#define SMALL_WORLD_BYTES (16 * KIB)

/* Sixteen chunks through one buffer; completes when ready. */
static void plan_mirror(struct stage *stage)
{
    struct plan *plan = stage->plan;

    plan->disk_count = 2;
    plan->job.granularity = CHUNK;
    plan->job.buffer_bytes = CHUNK;
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY)->wait.within_ns = SECOND_NS;
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED)->wait.within_ns = SECOND_NS;
}

/* A run with something of everything: lanes, draws, faults, a guest. */
static void plan_busy(struct stage *stage)
{
    struct plan *plan = stage->plan;
    struct fault_spec *fault;

    plan_mirror(stage);
    plan->disks[SRC].effect = EFFECT_BY_CHOICE;
    plan->disks[SRC].lanes = 2;
    plan->disks[DST].latency[OP_WRITE] =
        (struct latency_spec){.kind = LATENCY_EXPONENTIAL, .a_ns = 1000};
    plan->disks[DST].volatile_cache = true;
    plan->job.buffer_bytes = 2 * CHUNK;
    plan->job.on_target_error = POLICY_IGNORE;
    fault = stage_fault(stage, FAULT_ERROR);
    fault->match = (struct request_match){.disks = 1 << DST, .ops = 1 << OP_WRITE};
    fault->error = -EIO;
    fault->nth = 2;
    fault->times = 1;
    plan->timed = arena_alloc(plan->arena, 8 * sizeof(*plan->timed));
    plan->timed_count = 8;
    for (uint32_t i = 0; i < 8; i++) {
        plan->timed[i].at_ns = 100 * i;
        plan->timed[i].action.kind = DO_GUEST;
        plan->timed[i].action.guest = (struct guest_request){
            .op = i % 3 == 2 ? OP_DISCARD : OP_WRITE, .offset = i * CHUNK, .bytes = 4 * KIB};
    }
    stage->options.choices.seed = 7;
}

/* ---- Whole runs ---- */

static void test_world_mirrors_a_disk_and_pivots(void **state)
{
    struct stage *stage = *state;
    const struct verdict *verdict;
    struct job_info info;

    plan_mirror(stage);
    stage_open(stage);
    assert_int_equal(world_run(stage->world, UINT64_MAX), END_CONCLUDED);
    assert_false(world_job(stage->world, &info));
    assert_true(world_last_job(stage->world, &info));
    assert_int_equal(info.offset, MIB);
    assert_int_equal(world_guest_disk(stage->world), DST);
    assert_int_equal(image_runs(stage->world->layer.nodes[DST].disk.image), 1);
    assert_int_equal(stage_tag(stage, DST, MIB - 512), tag_fill(SRC, MIB / 512 - 1));
    assert_int_equal(world_now_ns(stage->world), 16 * (READ_NS + WRITE_NS) + 2 * FLUSH_NS);
    assert_int_equal(stage->world->layer.nodes[SRC].refs, 1);
    assert_int_equal(stage->world->layer.nodes[DST].refs, 1);
    verdict = world_judge(stage->world);
    assert_true(verdict->concluded);
    assert_int_equal(verdict->ret, 0);
    assert_int_equal(verdict->finding_count, 0);
    assert_int_equal(verdict->outcome, OUTCOME_PASS);
}

static void test_world_is_the_same_when_it_is_made_twice(void **state)
{
    struct stage *stage = *state;
    uint64_t hash;

    plan_busy(stage);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(world_fault_hits(stage->world, 0), 1);
    hash = stage->trace.hash;
    world_destroy(stage->world);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage->trace.hash, hash);
    world_destroy(stage->world);
    stage->options.choices.seed = 8;
    stage_open(stage);
    stage_run(stage);
    assert_int_not_equal(stage->trace.hash, hash);
}

static void test_world_runs_to_an_instant_and_no_further(void **state)
{
    struct stage *stage = *state;

    plan_mirror(stage);
    stage_open(stage);
    assert_int_equal(world_run(stage->world, READ_NS + WRITE_NS - 1), END_NOT);
    assert_int_equal(world_now_ns(stage->world), READ_NS);
    assert_int_equal(world_run(stage->world, READ_NS + WRITE_NS), END_NOT);
    assert_int_equal(world_now_ns(stage->world), READ_NS + WRITE_NS);
}

/* ---- Ends ---- */

static void test_world_ends_as_it_must(void **state)
{
    static const struct {
        struct limits_spec limits;
        bool hang;  /* a read of the source that never finishes */
        bool react; /* each mark triggers another one */
        enum world_end end;
    } cases[] = {
        {{SECOND_NS, 1000, 1000, 0}, false, false, END_CONCLUDED},
        {{READ_NS + 1, 1000, 1000, 0}, false, false, END_TIME},
        {{SECOND_NS, 10, 1000, 0}, false, false, END_EVENTS},
        {{SECOND_NS, 1000, 20, 0}, false, true, END_LIVELOCK},
        {{10 * SECOND_NS, 1000, 1000, 0}, true, false, END_DEADLOCK},
    };
    struct react_spec react = {.when = event_match_kind(EVENT_REACT), .action = {.kind = DO_MARK}};
    struct stage *stage = *state;

    plan_mirror(stage);
    stage_fault(stage, FAULT_HANG)->match.disks = 1 << SRC;
    stage->plan->faults[0].match.ops = 1 << OP_READ;
    react.when.kinds |= UINT64_C(1) << EVENT_REQUEST_SUBMIT;
    stage->plan->reacts = &react;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct event *last;

        stage->plan->limits = cases[i].limits;
        stage->plan->faults[0].armed = cases[i].hang;
        stage->plan->react_count = cases[i].react;
        stage_open(stage);
        assert_int_equal(world_run(stage->world, UINT64_MAX), cases[i].end);
        assert_false(world_step(stage->world));
        last = &stage->trace.events[stage->trace.count - 1];
        assert_int_equal(last->kind, EVENT_END);
        assert_int_equal(last->detail, cases[i].end);
        assert_true(world_now_ns(stage->world) <= cases[i].limits.time_ns);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

static void test_world_shows_what_is_not_finished(void **state)
{
    struct request_info info[2];
    struct stage *stage = *state;

    plan_mirror(stage);
    stage_fault(stage, FAULT_HANG)->match.ops = 1 << OP_READ;
    stage_open(stage);
    world_run(stage->world, 0);
    stage_guest(stage, OP_WRITE, CHUNK, 512);
    assert_int_equal(world_requests(stage->world, info, 2), 2);
    assert_string_equal(info[0].state, "hung");
    assert_int_equal(info[0].by, BY_JOB);
    assert_string_equal(info[1].state, "served");
    assert_int_equal(info[1].offset, CHUNK);
}

/* ---- Snapshots and digests ---- */

static void test_world_goes_on_the_same_from_every_snapshot(void **state)
{
    struct stage *stage = *state;
    uint64_t hash;
    uint64_t events;

    plan_busy(stage);
    stage_open(stage);
    stage_run(stage);
    hash = stage->trace.hash;
    events = world_events(stage->world);
    assert_true(events > 40);
    world_destroy(stage->world);
    stage_open(stage);
    for (uint64_t i = 0; i < events; i++) {
        void *snapshot = malloc(world_save_bytes(stage->world));
        uint64_t digest = world_digest(stage->world);

        world_save(stage->world, snapshot);
        stage_run(stage);
        assert_int_equal(stage->trace.hash, hash);
        world_judge(stage->world);
        world_load(stage->world, snapshot);
        assert_int_equal(world_digest(stage->world), digest);
        assert_int_equal(world_events(stage->world), i);
        assert_true(world_step(stage->world));
        assert_int_not_equal(world_digest(stage->world), digest);
        free(snapshot);
    }
}

static void test_world_digest_is_that_of_the_state_and_not_of_the_path(void **state)
{
    struct stage *stage = *state;
    uint64_t digest[2];

    for (int i = 0; i < 2; i++) {
        stage_open(stage);
        /* The same content, written at different times and in a different order. */
        stage_guest(stage, OP_WRITE_ZEROES, i == 0 ? 0 : CHUNK, CHUNK);
        stage_run(stage);
        stage->world->evidence.end = END_NOT;
        stage_guest(stage, OP_WRITE_ZEROES, i == 0 ? CHUNK : 0, CHUNK);
        stage_run(stage);
        digest[i] = world_digest(stage->world);
        world_destroy(stage->world);
    }
    stage->world = NULL;
    assert_int_equal(digest[0], digest[1]);
}

static void test_world_forgets_findings_when_going_back(void **state)
{
    struct stage *stage = *state;
    void *snapshot;

    stage_step(stage, DO_PAUSE);
    stage_open(stage);
    snapshot = malloc(world_save_bytes(stage->world));
    world_save(stage->world, snapshot);
    stage_run(stage);
    assert_true(stage->world->verdict->finding_count > 0);
    world_load(stage->world, snapshot);
    assert_int_equal(stage->world->verdict->finding_count, 0);
    assert_int_equal(stage->trace.count, 0);
    free(snapshot);
}

static void test_world_is_small_when_its_disks_are(void **state)
{
    struct stage *stage = *state;

    plan_mirror(stage);
    stage_open(stage);
    stage_run(stage);
    assert_true(world_save_bytes(stage->world) < SMALL_WORLD_BYTES);
}

/* ---- A step that does not end ---- */

static jmp_buf beyond_the_limit;
static uint64_t limit_seen;

static void leave_the_step(uint64_t events)
{
    limit_seen = events;
    longjmp(beyond_the_limit, 1);
}

/* Runs to the end, or to the limit: then true. */
static bool reaches_limit(struct stage *stage, uint64_t limit)
{
    stage->plan->limits.events_at_once = limit;
    stage->options.step_limit = leave_the_step;
    limit_seen = 0;
    if (setjmp(beyond_the_limit) == 0) {
        stage->world = world_renew(stage->world, stage->plan, &stage->options, &stage->trace);
        world_run(stage->world, UINT64_MAX);
        return false;
    }
    return true;
}

static void test_world_calls_the_step_limit_when_one_step_emits_more_events(void **state)
{
    struct stage *stage = *state;

    plan_mirror(stage);
    assert_true(reaches_limit(stage, 3));
    assert_int_equal(limit_seen, 3);
    assert_int_equal(stage->trace.count, 3);
    assert_int_equal(world_events(stage->world), 0); /* in the first step */
}

static void test_world_counts_the_events_of_each_step_anew(void **state)
{
    struct stage *stage = *state;

    plan_mirror(stage);
    assert_false(reaches_limit(stage, 60));
    assert_true(stage->trace.count > 60);
    assert_int_equal(world_ended(stage->world), END_CONCLUDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_world_mirrors_a_disk_and_pivots),
        STAGE_TEST(test_world_is_the_same_when_it_is_made_twice),
        STAGE_TEST(test_world_runs_to_an_instant_and_no_further),
        STAGE_TEST(test_world_ends_as_it_must),
        STAGE_TEST(test_world_shows_what_is_not_finished),
        STAGE_TEST(test_world_goes_on_the_same_from_every_snapshot),
        STAGE_TEST(test_world_digest_is_that_of_the_state_and_not_of_the_path),
        STAGE_TEST(test_world_forgets_findings_when_going_back),
        STAGE_TEST(test_world_is_small_when_its_disks_are),
        STAGE_TEST(test_world_calls_the_step_limit_when_one_step_emits_more_events),
        STAGE_TEST(test_world_counts_the_events_of_each_step_anew),
    };

    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
