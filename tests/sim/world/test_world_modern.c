/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Worlds of today's generation: whole runs of the modern engine, snapshots, digests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/section.h"
#include "engine/units.h"
#include "tests/support/stage.h"

#define CHUNK (64 * KIB)
#define SECOND_NS UINT64_C(1000000000)

static void plan_mirror(struct stage *stage)
{
    struct plan *plan = stage->plan;

    stage->options.engine = &modern_engine;
    stage->options.no_oracles = true; /* they are those of 2.2 */
    plan->generation = GENERATION_MODERN;
    plan->disk_count = 2;
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        plan->disks[i].backing = PLAN_NONE;
        plan->disks[i].read_effect = EFFECT_AT_START;
    }
    plan->job.id = "job";
    plan->job.granularity = CHUNK;
    plan->job.buffer_bytes = 2 * CHUNK;
    plan->job.unmap = true;
    plan->job.auto_finalize = true;
    plan->job.auto_dismiss = true;
    stage_step(stage, DO_AT)->at_ns = 10;
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY)->wait.within_ns = SECOND_NS;
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED)->wait.within_ns = SECOND_NS;
}

/* The guest writes, zeroes and discards from the start, which has to wait for it, to the end. */
static void plan_busy(struct stage *stage)
{
    static const enum op ops[] = {OP_WRITE, OP_WRITE_ZEROES, OP_WRITE, OP_DISCARD, OP_READ};
    struct plan *plan = stage->plan;
    struct fault_spec *fault;

    plan_mirror(stage);
    plan->job.copy_mode = COPY_WRITE_BLOCKING;
    plan->filter_passes_discards = true;
    plan->timer_slack_ns = 7;
    plan->disks[SRC].latency[OP_CONTENT].a_ns = 60;
    plan->disks[SRC].latency[OP_STATUS].a_ns = 90;
    plan->disks[SRC].cluster = 2 * CHUNK;
    plan->disks[DST].lanes = 2;
    plan->job.on_target_error = POLICY_IGNORE;
    fault = stage_fault(stage, FAULT_ERROR);
    fault->match = (struct request_match){.disks = 1 << DST, .ops = 1 << OP_WRITE};
    fault->error = -EIO;
    fault->nth = 3;
    fault->times = 1;
    plan->timed = arena_alloc(plan->arena, 10 * sizeof(*plan->timed));
    plan->timed_count = 10;
    for (uint32_t i = 0; i < 10; i++) {
        plan->timed[i].at_ns = 170 * i;
        plan->timed[i].action.kind = DO_GUEST;
        plan->timed[i].action.guest = (struct guest_request){
            .op = ops[i % COUNT_OF(ops)], .offset = i * CHUNK / 2, .bytes = CHUNK};
    }
}

/* ---- Whole runs ---- */

static void test_world_modern_mirrors_a_disk_and_pivots(void **state)
{
    struct stage *stage = *state;
    struct job_info info;

    plan_mirror(stage);
    stage_open(stage);
    assert_int_equal(world_run(stage->world, UINT64_MAX), END_CONCLUDED);
    assert_false(world_job(stage->world, &info));
    assert_int_equal(world_guest_disk(stage->world), DST);
    assert_int_equal(stage_tag(stage, DST, MIB - 512), tag_fill(SRC, MIB / 512 - 1));
    assert_null(stage->world->layer.filter);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(stage->world->layer.nodes[i].refs, 1);
        assert_int_equal(stage->world->layer.nodes[i].sections, 0);
    }
}

/* Commands find no job before it is there; the guest's requests make the start wait. */
static void test_world_modern_start_waits_for_the_guest(void **state)
{
    struct stage *stage = *state;
    struct job_info info;

    plan_busy(stage);
    stage_open(stage);
    while (world_step(stage->world) && !stage->world->job_starts) {
        world_check(stage->world);
    }
    assert_true(stage->world->job_starts);
    assert_false(world_job(stage->world, &info));
    while (stage->world->job_starts && world_step(stage->world)) {
        world_check(stage->world);
    }
    assert_true(world_job(stage->world, &info));
    assert_int_equal(info.status, JOB_STATUS_RUNNING);
    stage_run(stage);
}

/* ---- Snapshots ---- */

static void test_world_modern_goes_on_the_same_from_every_snapshot(void **state)
{
    struct stage *stage = *state;
    uint64_t hash;
    uint64_t events;

    plan_busy(stage);
    stage_open(stage);
    stage_run(stage);
    hash = stage->trace.hash;
    events = world_events(stage->world);
    assert_int_equal(world_ended(stage->world), END_CONCLUDED);
    assert_true(events > 40);
    world_destroy(stage->world);
    stage_open(stage);
    for (uint64_t i = 0; i < events; i++) {
        void *snapshot = malloc(world_save_bytes(stage->world));
        uint64_t digest = world_digest(stage->world);

        world_check(stage->world);
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

/* Two worlds at different addresses, step by step: no address has a part in a digest. */
static void test_world_modern_digest_is_that_of_meaning(void **state)
{
    struct stage *stage = *state;
    struct trace trace;
    struct world *other;

    plan_busy(stage);
    stage_open(stage);
    trace_init(&trace, true);
    other = world_create(stage->plan, &stage->options, &trace);
    assert_non_null(other);
    do {
        assert_int_equal(world_digest(stage->world), world_digest(other));
        assert_int_equal(world_digest_judged(stage->world), world_digest_judged(other));
    } while (world_step(stage->world) && world_step(other));
    world_destroy(other);
    trace_free(&trace);
}

/* ---- The host ---- */

struct calls {
    struct world *world;
    uint64_t at_ns[2];
    uint32_t count;
};

static void call(void *opaque)
{
    struct calls *calls = opaque;

    calls->at_ns[calls->count++] = world_now_ns(calls->world);
}

/* Every timer is late, also one of 0; what is deferred never is. */
static void test_world_modern_has_late_timers_and_calls_in_time(void **state)
{
    struct stage *stage = *state;
    struct calls calls = {0};

    plan_mirror(stage);
    stage->plan->step_count = 0;
    stage->plan->timer_slack_ns = 5;
    stage_open(stage);
    calls.world = stage->world;
    host_timer_start(world_host(stage->world), 0, call, &calls);
    host_defer(world_host(stage->world), call, &calls);
    stage_run(stage);
    assert_int_equal(calls.count, 2);
    assert_int_equal(calls.at_ns[0], 0);
    assert_int_equal(calls.at_ns[1], 5);
}

/* Found when the memory is used again, or at the latest when the job is gone. */
static void test_world_modern_finds_writes_to_memory_that_was_given_back(void **state)
{
    struct stage *stage = *state;
    struct host *host;
    char *memory;

    plan_mirror(stage);
    stage_open(stage);
    host = world_host(stage->world);
    memory = host_alloc(host, 100);
    host_free(host, memory, 100);
    host_judge_memory(stage->world);
    assert_int_equal(stage->world->verdict->finding_count, 0);
    memory = host_alloc(host, 100);
    host_free(host, memory, 100);
    memory[99] = 0;
    host_judge_memory(stage->world);
    assert_int_equal(stage->world->verdict->finding_count, 1);
    assert_int_equal(stage->world->verdict->findings[0].id, FINDING_BOUNDS_FREED_MEMORY);
    memory = host_alloc(host, 100);
    host_free(host, memory, 100);
    memory[0] = 0;
    for (int i = 0; i < 40; i++) {
        host_free(host, host_alloc(host, 100), 100);
    }
    assert_int_equal(stage->world->verdict->finding_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_world_modern_mirrors_a_disk_and_pivots),
        STAGE_TEST(test_world_modern_start_waits_for_the_guest),
        STAGE_TEST(test_world_modern_goes_on_the_same_from_every_snapshot),
        STAGE_TEST(test_world_modern_digest_is_that_of_meaning),
        STAGE_TEST(test_world_modern_has_late_timers_and_calls_in_time),
        STAGE_TEST(test_world_modern_finds_writes_to_memory_that_was_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
