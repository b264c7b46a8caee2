/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans in today's generation: all of the world's and the engine's own checks hold, a run
 * can be repeated and resumed from a snapshot, and no oracle objects.  (How soon a job with a speed
 * limit is ready, the oracle "liveness" can't know.)
 *
 *   test_random_modern [FIRST [COUNT]]     one plan alone shows its trace
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/content/view.h"
#include "sim/world/private.h"
#include "tests/sim/world/random_draw.h"
#include "tests/sim/world/random_plan.h"

#define PLANS 3000
#define MAX_FAILURES 10
#define SNAPSHOT_BOUND 200
#define EVENTS_PER_CHECK 8
#define MORE_TIMED 8

struct range_of_plans {
    uint64_t first;
    uint64_t count;
};

/* ---- The plan ---- */

static void modernise_disk(struct draw *draw, struct disk_spec *disk)
{
    bool chooses = disk->effect == EFFECT_BY_CHOICE && one_in(draw, 4);

    disk->read_effect = chooses ? EFFECT_BY_CHOICE : EFFECT_AT_START;
    disk->backing_possible = disk->cluster > 0 || disk->backing != PLAN_NONE;
    disk->can_unmap = one_in(draw, 2);
    disk->detect_zeroes = one_in(draw, 6) ? DETECT_UNMAP : DETECT_OFF;
    disk->read_only = one_in(draw, 6);
    disk->max_transfer = 0;
    disk->max_segments = one_in(draw, 4) ? (uint32_t)between(draw, 1, 8) : 0;
    disk->latency[OP_CONTENT] = disk->latency[OP_STATUS];
    if (disk->cluster > 4096 && one_in(draw, 4)) {
        disk->subcluster = disk->cluster / 8;
    }
    if (one_in(draw, 3) && disk->bytes > 0) {
        disk->zeroes = arena_alloc(draw->plan->arena, sizeof(*disk->zeroes));
        disk->zeroes[0].offset = below(draw, disk->bytes / SECTOR_BYTES) * SECTOR_BYTES;
        disk->zeroes[0].bytes = disk->bytes - disk->zeroes[0].offset;
        disk->zero_count = 1;
    }
}

static void modernise_job(struct draw *draw)
{
    struct plan_job *job = &draw->plan->job;

    job->id = "job";
    job->filter_name = one_in(draw, 4) ? "top" : NULL;
    job->copy_mode = one_in(draw, 2) ? COPY_WRITE_BLOCKING : COPY_BACKGROUND;
    job->backing_mode = (enum backing_mode)below(draw, 3);
    job->unmap = one_in(draw, 2);
    job->auto_finalize = !one_in(draw, 6);
    job->auto_dismiss = !one_in(draw, 6);
    job->auto_complete = one_in(draw, 4);
    if (job->kind == JOB_MIRROR && !one_in(draw, 8)) {
        draw->plan->disks[job->target].bytes = draw->plan->disks[job->source].bytes;
    }
}

/* Commands and drained sections that a plan of 2.2 has not. */
static void draw_action(struct draw *draw, struct action *action)
{
    static const enum action_kind kinds[] = {DO_CANCEL, DO_FINALIZE, DO_DISMISS, DO_CHANGE,
                                             DO_DRAIN,  DO_COMPLETE, DO_PAUSE,   DO_RESUME};

    action->kind = kinds[below(draw, COUNT_OF(kinds))];
    action->may_be_refused = true;
    action->refusal = MATCH_ANY;
    action->force = one_in(draw, 2);
    action->copy_mode = one_in(draw, 4) ? COPY_BACKGROUND : COPY_WRITE_BLOCKING;
    action->index = (uint32_t)below(draw, 3);
}

static void add_timed(struct draw *draw)
{
    struct plan *plan = draw->plan;
    uint32_t capacity = plan->timed_count + 2 * MORE_TIMED;
    struct timed_spec *timed = arena_alloc(plan->arena, capacity * sizeof(*timed));
    uint64_t more = below(draw, MORE_TIMED);

    memcpy(timed, plan->timed, plan->timed_count * sizeof(*timed));
    plan->timed = timed;
    for (uint64_t i = 0; i < more; i++) {
        struct timed_spec *first = &timed[plan->timed_count++];

        first->at_ns = instant(draw);
        draw_action(draw, &first->action);
        if (first->action.kind == DO_DRAIN || first->action.kind == DO_PAUSE) {
            struct timed_spec *second = &timed[plan->timed_count++];

            *second = *first;
            second->at_ns += below(draw, draw->span_ns);
            second->action.kind = first->action.kind == DO_DRAIN ? DO_UNDRAIN : DO_RESUME;
        }
    }
}

static struct plan *modern_plan_create(uint64_t seed)
{
    struct draw draw = {.plan = random_plan_create(seed), .state = ~seed};
    struct plan *plan = draw.plan;

    plan->generation = GENERATION_MODERN;
    plan->filter_passes_discards = one_in(&draw, 2);
    draw.span_ns = 100 * US << below(&draw, 8);
    modernise_job(&draw);
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        modernise_disk(&draw, &plan->disks[i]);
    }
    add_timed(&draw);
    plan->untimed = one_in(&draw, 8);
    plan->limits.events = 100000;
    return plan;
}

/* ---- The run ---- */

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

static bool step(struct world *world)
{
    bool more = world_step(world);

    if (world_events(world) % EVENTS_PER_CHECK == 0) {
        world_check(world);
    }
    return more;
}

static void print_trace(const struct plan *plan, const struct trace *trace)
{
    struct trace_names names = {plan, &modern_engine};
    char text[400];

    for (uint64_t i = 0; i < trace->count; i++) {
        trace_format_text(&names, &trace->events[i], text, sizeof(text));
        print_message("%6" PRIu64 " %s\n", i, text);
    }
}

/* From a snapshot somewhere the run goes on as it did before. */
static bool goes_on_the_same(uint64_t seed, struct world *world, struct trace *trace)
{
    void *snapshot;
    uint64_t digest;
    uint64_t hash;
    bool same;

    for (uint64_t i = seed % SNAPSHOT_BOUND; i > 0 && step(world); i--) {
    }
    digest = world_digest(world);
    snapshot = malloc(world_save_bytes(world));
    assert_non_null(snapshot);
    world_save(world, snapshot);
    while (step(world)) {
    }
    hash = trace->hash;
    world_load(world, snapshot);
    free(snapshot);
    same = world_digest(world) == digest;
    world_run(world, UINT64_MAX);
    return same && trace->hash == hash;
}

/* Another world, at other addresses, has the same states and the same trace. */
static bool repeats(uint64_t seed, const struct plan *plan, const struct world_options *options,
                    uint64_t hash)
{
    struct trace trace;
    struct world *world;
    bool same;

    (void)seed;
    trace_init(&trace, false);
    world = world_create(plan, options, &trace);
    assert_non_null(world);
    world_run(world, UINT64_MAX);
    same = trace.hash == hash;
    world_destroy(world);
    trace_free(&trace);
    return same;
}

static bool try_plan(uint64_t seed, bool show)
{
    struct plan *plan = modern_plan_create(seed);
    struct world_options options = {.engine = &modern_engine,
                                    .choices.seed = seed % 4 == 0 ? 0 : seed};
    struct trace trace;
    struct world *world;
    bool good;

    seed_now = seed;
    trace_init(&trace, true);
    world = world_create(plan, &options, &trace);
    assert_non_null(world);
    if (show) {
        while (step(world)) {
        }
        print_trace(plan, &trace);
        world = world_renew(world, plan, &options, &trace);
    }
    good = goes_on_the_same(seed, world, &trace);
    if (!good) {
        print_error("plan %" PRIu64 " goes on differently from a snapshot\n", seed);
    }
    if (!repeats(seed, plan, &options, trace.hash)) {
        print_error("plan %" PRIu64 " runs differently a second time\n", seed);
        good = false;
    }
    for (uint32_t i = 0; i < world->verdict->finding_count; i++) {
        const struct finding *finding = &world->verdict->findings[i];

        if (finding_oracle(finding->id) != ORACLE_LIVENESS) {
            print_error("plan %" PRIu64 ": %s\n", seed, finding->text);
            good = false;
        }
    }
    world_destroy(world);
    trace_free(&trace);
    plan_destroy(plan);
    return good;
}

static void test_random_modern_plans_repeat_and_resume(void **state)
{
    const struct range_of_plans *range = *state;
    uint64_t failures = 0;

    for (uint64_t i = 0; i < range->count && failures < MAX_FAILURES; i++) {
        failures += !try_plan(range->first + i, range->count == 1);
    }
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv)
{
    struct range_of_plans range = {1, PLANS};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_random_modern_plans_repeat_and_resume, &range),
    };

    if (argc > 1) {
        range.first = strtoull(argv[1], NULL, 0);
        range.count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    }
    signal(SIGABRT, name_the_plan);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
