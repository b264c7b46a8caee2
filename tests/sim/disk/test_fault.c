/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults: what they hit, how often, from when to when, and what a hit does.
 */
#include <errno.h>

#include "tests/support/stage.h"

#define CHUNK (64 * KIB)

/* Runs five writes of the guest, one chunk each, and counts those that failed. */
static void run_five_writes(struct stage *stage)
{
    for (uint64_t i = 0; i < 5; i++) {
        stage_guest(stage, OP_WRITE, i * CHUNK, CHUNK);
    }
    stage_run(stage);
}

/* A bit for each of the requests that failed, the first lowest. */
static unsigned failed(const struct stage *stage)
{
    const struct event *done;
    unsigned mask = 0;

    for (uint64_t i = 0; (done = stage_event(stage, EVENT_REQUEST_DONE, i)) != NULL; i++) {
        mask |= (done->ret != 0 ? 1u : 0u) << (done->request - 1);
    }
    return mask;
}

static void close_stage(struct stage *stage)
{
    world_destroy(stage->world);
    stage->world = NULL;
}

static void test_fault_hits_nth_and_times_of_what_matches(void **state)
{
    static const struct {
        struct request_match match;
        uint64_t nth;
        uint64_t times;
        unsigned failed;
    } cases[] = {
        {{0}, 0, 1, 0x01},
        {{0}, 2, 2, 0x06},
        {{0}, 4, 0, 0x18},
        {{.disks = 1 << SRC}, 1, 0, 0x1f},
        {{.disks = 1 << DST}, 1, 0, 0},
        {{.ops = 1 << OP_READ}, 1, 0, 0},
        {{.ops = 1 << OP_WRITE | 1 << OP_READ}, 5, 1, 0x10},
        {{.by = BY_JOB}, 1, 0, 0},
        {{.has_range = true, .offset = CHUNK, .bytes = CHUNK + 512}, 1, 0, 0x06},
        {{.has_range = true, .offset = CHUNK, .bytes = CHUNK + 512}, 2, 1, 0x04},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->error = -EIO;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fault->match = cases[i].match;
        fault->nth = cases[i].nth;
        fault->times = cases[i].times;
        stage_open(stage);
        run_five_writes(stage);
        assert_int_equal(failed(stage), cases[i].failed);
        assert_int_equal(world_fault_hits(stage->world, 0), __builtin_popcount(cases[i].failed));
        assert_int_equal(stage_count(stage, EVENT_FAULT), __builtin_popcount(cases[i].failed));
        close_stage(stage);
    }
}

static void test_fault_is_armed_between_instants_and_marks(void **state)
{
    static const struct {
        uint64_t from_ns;
        uint64_t until_ns;
        uint32_t from_mark;
        uint32_t until_mark;
        int64_t shift_ns;
        bool armed;
        unsigned failed; /* of writes at 0, 10, 20, 30, 40; mark 0 is set at 10, mark 1 at 30 */
    } cases[] = {
        {0, 0, PLAN_NONE, PLAN_NONE, 0, false, 0},     {0, 0, PLAN_NONE, PLAN_NONE, 0, true, 0x1f},
        {20, 0, PLAN_NONE, PLAN_NONE, 0, false, 0x1c}, {0, 20, PLAN_NONE, PLAN_NONE, 0, true, 0x03},
        {0, 0, 0, PLAN_NONE, 0, false, 0x1e},          {0, 0, 0, 1, 0, false, 0x06},
        {0, 0, 0, PLAN_NONE, 11, false, 0x18},         {0, 0, 1, PLAN_NONE, -15, false, 0x18},
        {15, 0, 1, PLAN_NONE, -15, false, 0x1c},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->error = -EIO;
    stage->plan->mark_count = 2;
    stage->plan->timed = arena_alloc(stage->plan->arena, 7 * sizeof(*stage->plan->timed));
    stage->plan->timed_count = 7;
    for (uint32_t i = 0; i < 7; i++) {
        struct timed_spec *timed = &stage->plan->timed[i];

        timed->at_ns = i < 2 ? 10 + 20 * i : 10 * (i - 2);
        timed->action.kind = i < 2 ? DO_MARK : DO_GUEST;
        timed->action.index = i;
        timed->action.guest = (struct guest_request){.op = OP_WRITE, .bytes = 512};
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fault->from_ns = cases[i].from_ns;
        fault->until_ns = cases[i].until_ns;
        fault->from_mark = cases[i].from_mark;
        fault->until_mark = cases[i].until_mark;
        fault->shift_ns = cases[i].shift_ns;
        fault->armed = cases[i].armed;
        stage_open(stage);
        stage_run(stage);
        assert_int_equal(failed(stage), cases[i].failed);
        close_stage(stage);
    }
}

static void test_fault_leaves_behind_what_it_says_when_a_write_fails(void **state)
{
    static const struct {
        enum fault_applied applied;
        uint64_t bytes;
        uint64_t written;
    } cases[] = {
        {APPLIED_NOTHING, 0, 0},
        {APPLIED_PREFIX, 1024 + 100, 1024},
        {APPLIED_PREFIX, 2 * CHUNK, CHUNK},
        {APPLIED_ALL, 0, CHUNK},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->error = -EIO;
    fault->match.ops = 1 << OP_WRITE;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct block_dirty *dirty;

        fault->applied = cases[i].applied;
        fault->bytes = cases[i].bytes;
        stage_open(stage);
        block_dirty_create(&stage->world->layer.nodes[SRC], CHUNK, &dirty);
        stage_guest(stage, OP_WRITE, 0, CHUNK);
        stage_run(stage);
        assert_int_equal(failed(stage), 1);
        assert_int_equal(block_dirty_bits(dirty)->count, 1);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_EFFECT), cases[i].written > 0);
        if (cases[i].written > 0) {
            assert_int_equal(stage_event(stage, EVENT_REQUEST_EFFECT, 0)->bytes, cases[i].written);
        }
        for (uint64_t offset = 0; offset < CHUNK; offset += 512) {
            assert_int_equal(tag_kind(stage_tag(stage, SRC, offset)),
                             offset < cases[i].written ? TAG_KIND_GUEST : TAG_KIND_FILL);
        }
        close_stage(stage);
    }
}

static void test_fault_first_error_decides_when_several_hit(void **state)
{
    struct stage *stage = *state;

    stage_fault(stage, FAULT_ERROR)->error = -ENOSPC;
    stage_fault(stage, FAULT_ERROR)->error = -EIO;
    stage_open(stage);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->ret, -ENOSPC);
    assert_int_equal(world_fault_hits(stage->world, 1), 1);
}

static void test_fault_changes_the_latency(void **state)
{
    static const struct {
        enum fault_kind kind;
        uint64_t span_ns;
        uint64_t factor_percent;
        uint64_t done_ns;
    } cases[] = {
        {FAULT_DELAY, 7, 0, WRITE_NS + 7},
        {FAULT_DELAY, 0, 250, WRITE_NS * 5 / 2},
        {FAULT_DELAY, 7, 250, WRITE_NS * 5 / 2 + 7},
        {FAULT_LATENCY, 7, 0, 7},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_DELAY);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fault->kind = cases[i].kind;
        fault->span_ns = cases[i].span_ns;
        fault->factor_percent = cases[i].factor_percent;
        stage_open(stage);
        stage_guest(stage, OP_WRITE, 0, CHUNK);
        stage_run(stage);
        assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, cases[i].done_ns);
        close_stage(stage);
    }
}

static void test_fault_fires_by_choice_when_it_has_a_probability(void **state)
{
    static const struct choice_answer answers[] = {{"fault fault", 2, 1}};
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->error = -EIO;
    fault->probability_ppm = 1000;
    stage->options.choices.recorded = answers;
    stage->options.choices.recorded_count = 1;
    stage_open(stage);
    run_five_writes(stage);
    assert_int_equal(failed(stage), 0x02);
    close_stage(stage);
    stage->options.choices.recorded_count = 0;
    stage_open(stage);
    run_five_writes(stage);
    assert_int_equal(failed(stage), 0);
}

/* ---- Stopping requests ---- */

static void test_fault_holds_a_request_where_it_says_until_released(void **state)
{
    static const struct {
        enum fault_kind kind;
        enum hold_phase phase;
        uint64_t effects_before;
    } cases[] = {
        {FAULT_HOLD, HOLD_BEFORE_EFFECT, 0},
        {FAULT_HOLD, HOLD_BEFORE_COMPLETION, 1},
        {FAULT_HANG, HOLD_BEFORE_EFFECT, 0},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_HOLD);

    fault->times = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *world;

        fault->kind = cases[i].kind;
        fault->phase = cases[i].phase;
        world = stage_open(stage);
        stage_guest(stage, OP_WRITE, 0, CHUNK);
        while (timeline_step(&world->timeline)) {
        }
        assert_int_equal(stage_count(stage, EVENT_REQUEST_EFFECT), cases[i].effects_before);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 0);
        assert_int_equal(requests_held_by(&world->layer, 0), cases[i].kind == FAULT_HOLD);
        requests_release(&world->layer, 0);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 0);
        stage_run(stage);
        assert_int_equal(stage_count(stage, EVENT_RELEASED), 1);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_EFFECT), 1);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 1);
        close_stage(stage);
    }
}

static void test_fault_released_request_takes_no_more_time(void **state)
{
    struct stage *stage = *state;
    struct world *world;

    stage->plan->disks[SRC].effect = EFFECT_AT_START;
    stage_fault(stage, FAULT_HOLD)->times = 1;
    world = stage_open(stage);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    timeline_step(&world->timeline);
    assert_int_equal(stage_event(stage, EVENT_HELD, 0)->now_ns, 0);
    requests_release(&world->layer, 0);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, 0);
}

static void test_fault_lets_a_request_pass_when_released_before_it_stops(void **state)
{
    struct stage *stage = *state;

    stage_fault(stage, FAULT_HOLD);
    stage_open(stage);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    requests_release(&stage->world->layer, 0);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
    assert_int_equal(stage_count(stage, EVENT_RELEASED), 0);
}

static void test_fault_keeps_the_lane_of_what_it_holds(void **state)
{
    struct stage *stage = *state;

    stage->plan->disks[SRC].lanes = 1;
    stage_fault(stage, FAULT_HOLD)->times = 1;
    stage_open(stage);
    run_five_writes(stage);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_START), 1);
    assert_int_equal(world_ended(stage->world), END_CONCLUDED);
}

/* ---- Full disks and queries ---- */

static void test_fault_fills_the_disk_when_more_would_be_allocated(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_FULL);

    stage->plan->disks[SRC].fill = FILL_ZERO;
    fault->bytes = 2 * CHUNK;
    stage_open(stage);
    for (uint64_t i = 0; i < 3; i++) {
        stage_guest(stage, OP_WRITE, i * CHUNK, CHUNK);
    }
    stage_guest(stage, OP_WRITE, 0, 2 * CHUNK);
    stage_run(stage);
    assert_int_equal(failed(stage), 0x04);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 2)->ret, -ENOSPC);
    assert_int_equal(world_fault_hits(stage->world, 0), 1);
    assert_int_equal(image_allocated_bytes(stage->world->layer.nodes[SRC].disk.image), 2 * CHUNK);
}

static void test_fault_fails_queries_without_changing_anything(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);
    struct block_buffers *buffers;
    struct block_dirty *dirty;
    struct block_node *src;
    uint64_t bytes;

    fault->error = -EPERM;
    stage->plan->disks[SRC].backing = DST;
    src = &stage_open(stage)->layer.nodes[SRC];
    assert_int_equal(block_getlength(src, &bytes), -EPERM);
    assert_int_equal(block_cluster_size(src, &bytes), -EPERM);
    assert_int_equal(block_status_above(src, NULL, 0, 512, &bytes, NULL, NULL), -EPERM);
    assert_int_equal(block_open_backing(src), -EPERM);
    assert_int_equal(block_reopen(src, DISK_FLAG_RDWR), -EPERM);
    assert_int_equal(block_truncate(src, 2 * MIB), -EPERM);
    assert_int_equal(block_buffers_create(src, CHUNK, 1, &buffers), -EPERM);
    assert_int_equal(block_dirty_create(src, CHUNK, &dirty), -EPERM);
    assert_int_equal(world_fault_hits(stage->world, 0), 8);
    assert_int_equal(src->disk.bytes, MIB);
    assert_int_equal(src->flags, 0);
    assert_null(block_backing(src));
    assert_null(src->dirty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_fault_hits_nth_and_times_of_what_matches),
        STAGE_TEST(test_fault_is_armed_between_instants_and_marks),
        STAGE_TEST(test_fault_leaves_behind_what_it_says_when_a_write_fails),
        STAGE_TEST(test_fault_first_error_decides_when_several_hit),
        STAGE_TEST(test_fault_changes_the_latency),
        STAGE_TEST(test_fault_fires_by_choice_when_it_has_a_probability),
        STAGE_TEST(test_fault_holds_a_request_where_it_says_until_released),
        STAGE_TEST(test_fault_released_request_takes_no_more_time),
        STAGE_TEST(test_fault_lets_a_request_pass_when_released_before_it_stops),
        STAGE_TEST(test_fault_keeps_the_lane_of_what_it_holds),
        STAGE_TEST(test_fault_fills_the_disk_when_more_would_be_allocated),
        STAGE_TEST(test_fault_fails_queries_without_changing_anything),
    };

    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
