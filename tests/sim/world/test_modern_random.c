/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random worlds of today's generation: whatever guest, pauses, errors and sizes, a job that ends
 * well leaves a target that reads as the source, and a world that goes back to a snapshot does
 * what it did.
 *
 * Usage: test_modern_random [FIRST COUNT]: these seeds instead of the usual ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world/random_draw.h"
#include "tests/support/stage.h"

#define PLANS 4000
#define GUESTS 24
#define COMMANDS 4
#define BASE THIRD
#define MAX_STEPS 200000

static uint64_t pick(struct draw *draw, uint64_t count, const uint64_t *values)
{
    return values[below(draw, count)];
}

#define PICK(draw, ...)                                              \
    pick(draw, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), \
         (const uint64_t[]){__VA_ARGS__})

/* ---- The plan ---- */

static struct range_spec *draw_ranges(struct draw *draw, uint32_t count, uint64_t unit)
{
    struct range_spec *ranges = arena_alloc(draw->plan->arena, count * sizeof(*ranges));
    uint64_t total = draw->plan->disks[SRC].bytes;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset = below(draw, total / unit) * unit;

        ranges[i].offset = offset;
        ranges[i].bytes = min_u64(PICK(draw, 4 * KIB, 16 * KIB, 64 * KIB), total - offset);
    }
    return ranges;
}

static void draw_disk(struct draw *draw, struct disk_spec *disk)
{
    disk->read_effect = one_in(draw, 3) ? EFFECT_AT_COMPLETE : EFFECT_AT_START;
    disk->cluster = PICK(draw, 0, 4 * KIB, 16 * KIB, 64 * KIB);
    disk->can_unmap = one_in(draw, 3);
    for (uint32_t op = 0; op <= OP_FLUSH; op++) {
        disk->latency[op].a_ns = between(draw, 1, 3000) * US / 10;
    }
    disk->latency[OP_READ].kind = one_in(draw, 2) ? LATENCY_EXPONENTIAL : LATENCY_FIXED;
    disk->latency[OP_WRITE].kind = one_in(draw, 2) ? LATENCY_EXPONENTIAL : LATENCY_FIXED;
}

static void draw_source(struct draw *draw, bool has_base)
{
    struct disk_spec *source = &draw->plan->disks[SRC];

    source->has_allocated = has_base || one_in(draw, 2);
    source->allocated_count = 4;
    source->allocated = draw_ranges(draw, 4, 4 * KIB);
    source->zero_count = (uint32_t)below(draw, 4);
    source->zeroes = draw_ranges(draw, 4, 4 * KIB);
    source->latency[OP_STATUS].a_ns = one_in(draw, 2) ? 0 : between(draw, 1, 300) * US;
    source->latency[OP_CONTENT].a_ns = source->latency[OP_STATUS].a_ns;
    if (has_base) {
        source->backing = BASE;
        source->backing_open = true;
    }
}

/* Sync top: the backing that the target gets at the end, or has. */
static void draw_top(struct draw *draw)
{
    struct plan *plan = draw->plan;
    struct disk_spec *target = &plan->disks[DST];

    plan->job.sync = SYNC_TOP;
    target->backing_possible = true;
    if (one_in(draw, 3)) {
        plan->job.backing_mode = BACKING_SOURCE;
        return;
    }
    target->backing = BASE;
    target->backing_open = one_in(draw, 4);
    plan->job.backing_mode = BACKING_OPEN;
}

static void draw_job(struct draw *draw)
{
    struct plan_job *job = &draw->plan->job;

    job->id = "job";
    job->auto_finalize = job->auto_dismiss = true;
    job->unmap = !one_in(draw, 3);
    job->backing_mode = BACKING_LEAVE;
    job->copy_mode = one_in(draw, 2) ? COPY_BACKGROUND : COPY_WRITE_BLOCKING;
    job->granularity = (int64_t)PICK(draw, 4 * KIB, 16 * KIB, 64 * KIB);
    job->buffer_bytes = (int64_t)PICK(draw, 0, 1, 64 * KIB, 256 * KIB);
    job->speed = one_in(draw, 6) ? (int64_t)PICK(draw, MIB, 16 * MIB) : 0;
    job->on_source_error = job->on_target_error = one_in(draw, 2) ? POLICY_IGNORE : POLICY_STOP;
    if (one_in(draw, 2)) {
        draw_top(draw);
    }
}

static void draw_guest(struct draw *draw, struct timed_spec *timed)
{
    static const enum op ops[] = {OP_WRITE, OP_WRITE, OP_WRITE,  OP_WRITE_ZEROES,
                                  OP_READ,  OP_FLUSH, OP_DISCARD};
    uint64_t total = draw->plan->disks[SRC].bytes;
    struct guest_request *guest = &timed->action.guest;

    timed->at_ns = between(draw, 0, draw->span_ns);
    timed->action.kind = DO_GUEST;
    guest->op = ops[below(draw, sizeof(ops) / sizeof(ops[0]))];
    if (guest->op != OP_FLUSH) {
        guest->offset = below(draw, total / 512) * 512;
        guest->bytes = min_u64(PICK(draw, 512, 4 * KIB, 16 * KIB, 64 * KIB), total - guest->offset);
    }
}

static void draw_command(struct draw *draw, struct timed_spec *timed, enum action_kind kind)
{
    timed->at_ns = between(draw, 0, draw->span_ns);
    timed->action.kind = kind;
    timed->action.may_be_refused = true;
}

/* When an event of that kind comes, does something up to max_ns later. */
static void react(struct draw *draw, enum event_kind when, enum action_kind kind, uint64_t max_ns)
{
    struct react_spec *react = &draw->plan->reacts[draw->plan->react_count++];

    react->when = event_match_kind(when);
    react->delay_ns = between(draw, 0, max_ns);
    react->action.kind = kind;
    react->action.may_be_refused = true;
}

/* Guest requests, pauses with their resumes, a resume after every error, a complete. */
static void draw_events(struct draw *draw)
{
    struct plan *plan = draw->plan;
    uint32_t guests = (uint32_t)below(draw, GUESTS);
    uint32_t commands = (uint32_t)below(draw, COMMANDS);

    plan->timed = arena_alloc(plan->arena, (GUESTS + 2 * COMMANDS) * sizeof(*plan->timed));
    for (uint32_t i = 0; i < guests; i++) {
        draw_guest(draw, &plan->timed[plan->timed_count++]);
    }
    for (uint32_t i = 0; i < commands; i++) {
        draw_command(draw, &plan->timed[plan->timed_count++], DO_PAUSE);
        draw_command(draw, &plan->timed[plan->timed_count++], DO_RESUME);
    }
    plan->reacts = arena_alloc(plan->arena, 3 * sizeof(*plan->reacts));
    react(draw, EVENT_JOB_PAUSED, DO_RESUME, 2 * MS);
    react(draw, EVENT_JOB_ERROR, DO_RESUME, 2 * MS);
    react(draw, EVENT_JOB_READY, DO_COMPLETE, one_in(draw, 3) ? 0 : draw->span_ns);
}

static void draw_fault(struct draw *draw, struct stage *stage)
{
    static const enum op ops[] = {OP_READ, OP_WRITE, OP_WRITE_ZEROES, OP_FLUSH};
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->match = (struct request_match){.disks = UINT64_C(1) << below(draw, 2),
                                          .ops = 1u << ops[below(draw, 4)]};
    fault->error = -EIO;
    fault->nth = between(draw, 1, 8);
    fault->times = 1;
    fault->applied = one_in(draw, 2) ? APPLIED_TORN : APPLIED_NOTHING;
}

static void draw_plan(struct draw *draw, struct stage *stage)
{
    struct plan *plan = draw->plan = stage->plan;
    uint64_t tail = one_in(draw, 3) ? 512 : 0;
    uint64_t chunks = PICK(draw, 6, 24);

    plan->generation = GENERATION_MODERN;
    plan->filter_passes_discards = false;
    plan->timer_slack_ns = one_in(draw, 4) ? between(draw, 1, 5000) : 0;
    draw->span_ns = PICK(draw, MS / 2, 4 * MS);
    draw_job(draw);
    for (uint32_t i = 0; i < STAGE_DISKS; i++) {
        plan->disks[i].bytes = chunks * (uint64_t)plan->job.granularity + tail;
        draw_disk(draw, &plan->disks[i]);
        if (plan->job.sync != SYNC_TOP || i != DST) {
            plan->disks[i].backing = PLAN_NONE;
        }
    }
    if (plan->job.sync == SYNC_TOP && plan->job.backing_mode == BACKING_SOURCE) {
        plan->disks[DST].backing = PLAN_NONE;
    }
    plan->disks[BASE].fill = FILL_UNIQUE;
    draw_source(draw, plan->job.sync == SYNC_TOP);
    draw_events(draw);
    for (uint64_t faults = below(draw, 3); faults > 0; faults--) {
        draw_fault(draw, stage);
    }
    stage_step(stage, DO_START);
    stage_wait(stage, WAIT_CONCLUDED);
    stage->options.engine = &modern_engine;
    stage->options.no_oracles = true;
    stage->options.choices.seed = 1 + below(draw, 1000);
}

/* ---- The run ---- */

static void assert_equal_disks(const struct stage *stage, uint64_t seed)
{
    uint64_t total = stage->plan->disks[SRC].bytes;

    for (uint64_t offset = 0; offset < total; offset += SECTOR_BYTES) {
        if (stage_tag(stage, SRC, offset) != stage_tag(stage, DST, offset)) {
            fail_msg("seed %llu: source and target differ at %llu", (unsigned long long)seed,
                     (unsigned long long)offset);
        }
    }
}

/* Returns whether the job has ended well. */
static bool run_to_the_end(struct stage *stage, uint64_t seed)
{
    const struct event *end = NULL;
    uint64_t steps = 0;

    while (end == NULL && world_step(stage->world)) {
        assert_true(++steps < MAX_STEPS);
        world_check(stage->world);
        end = stage_event(stage, EVENT_JOB_COMPLETED, 0);
    }
    if (end == NULL) {
        fail_msg("seed %llu: the job has not ended", (unsigned long long)seed);
    }
    if (end->ret == 0) {
        assert_int_equal(world_guest_disk(stage->world), DST);
        assert_equal_disks(stage, seed);
    }
    return end->ret == 0;
}

/* From a snapshot the world does the same again, and its digest is the same on the way. */
static void run_again_from_a_snapshot(struct stage *stage, struct draw *draw)
{
    uint64_t steps = between(draw, 1, 60);
    void *memory;
    uint64_t digest;
    uint64_t hash;

    while (steps > 0 && world_step(stage->world)) {
        steps--;
    }
    memory = malloc(world_save_bytes(stage->world));
    assert_non_null(memory);
    world_save(stage->world, memory);
    digest = world_digest(stage->world);
    world_run(stage->world, UINT64_MAX);
    hash = stage->trace.hash;
    world_load(stage->world, memory);
    free(memory);
    assert_true(world_digest(stage->world) == digest);
    world_run(stage->world, UINT64_MAX);
    assert_true(stage->trace.hash == hash);
}

static bool try_seed(uint64_t seed)
{
    struct draw draw = {.state = seed};
    void *state;
    struct stage *stage;
    bool success;

    stage_set_up(&state);
    stage = state;
    draw_plan(&draw, stage);
    stage_open(stage);
    success = run_to_the_end(stage, seed);
    world_destroy(stage->world);
    stage_open(stage);
    run_again_from_a_snapshot(stage, &draw);
    stage_tear_down(&state);
    return success;
}

struct range_of_seeds {
    uint64_t first;
    uint64_t count;
};

static void test_modern_target_reads_as_the_source_when_a_random_job_succeeds(void **state)
{
    const struct range_of_seeds *range = *state;
    uint64_t successes = 0;

    for (uint64_t i = 0; i < range->count; i++) {
        successes += try_seed(range->first + i);
    }
    assert_true(successes >= range->count * 9 / 10);
}

int main(int argc, char **argv)
{
    struct range_of_seeds range = {1, PLANS};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_modern_target_reads_as_the_source_when_a_random_job_succeeds,
                                  &range),
    };

    if (argc == 3) {
        range = (struct range_of_seeds){strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0)};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
