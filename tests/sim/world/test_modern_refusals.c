/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Today's engine when something is refused or fails: starts, questions before the copy loop, the
 * graph at the end.  What was there before is there again, and the guest goes on.
 */
#include <errno.h>
#include <string.h>

#include "tests/support/stage.h"
#include "tests/support/units.h"

#define CHUNK (64 * KIB)

static void plan_modern(struct stage *stage)
{
    struct plan *plan = stage->plan;

    plan->generation = GENERATION_MODERN;
    for (uint32_t i = 0; i < STAGE_DISKS; i++) {
        plan->disks[i].backing = PLAN_NONE;
        plan->disks[i].read_effect = EFFECT_AT_START;
    }
    plan->job.id = "job";
    plan->job.granularity = CHUNK;
    plan->job.unmap = true;
    plan->job.backing_mode = BACKING_LEAVE;
    plan->job.auto_finalize = true;
    plan->job.auto_dismiss = true;
    stage->options.engine = &modern_engine;
    stage->options.no_oracles = true; /* what they say of today's generation is tested elsewhere */
}

static void add_query_fault(struct stage *stage, uint32_t disk, enum op op)
{
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->match = (struct request_match){.disks = UINT64_C(1) << disk, .ops = 1u << op};
    fault->error = -EPERM;
}

/* Nobody holds a disk, and the guest is where it was. */
static void assert_as_before(const struct stage *stage)
{
    struct job_info info;

    assert_false(world_job(stage->world, &info));
    assert_int_equal(world_guest_disk(stage->world), SRC);
    for (uint32_t i = 0; i < STAGE_DISKS; i++) {
        assert_int_equal(stage->world->layer.nodes[i].refs, 1);
        assert_int_equal(block_sections(&stage->world->layer.nodes[i]), 0);
        assert_int_equal(block_is_read_only(&stage->world->layer.nodes[i]),
                         stage->plan->disks[i].read_only);
    }
    assert_int_equal(stage_count(stage, EVENT_DIRTY_CREATE),
                     stage_count(stage, EVENT_DIRTY_RELEASE));
    assert_int_equal(stage_count(stage, EVENT_JOB_READY), 0);
}

/* ---- Starts ---- */

static void itself(struct stage *stage)
{
    stage->plan->job.target = SRC;
}

static void odd_granularity(struct stage *stage)
{
    stage->plan->job.granularity = 3 * 4096;
}

static void small_granularity(struct stage *stage)
{
    stage->plan->job.granularity = 256;
}

static void large_granularity(struct stage *stage)
{
    stage->plan->job.granularity = INT64_C(128) << 20;
}

static void negative_buffer(struct stage *stage)
{
    stage->plan->job.buffer_bytes = -1;
}

static void negative_speed(struct stage *stage)
{
    stage->plan->job.speed = -1;
}

static void no_id(struct stage *stage)
{
    stage->plan->job.id = NULL;
}

static void target_in_use(struct stage *stage)
{
    stage->plan->disks[DST].blocked = true;
}

static void no_bitmap(struct stage *stage)
{
    add_query_fault(stage, SRC, OP_BITMAP);
}

static void base_stays_read_only(struct stage *stage)
{
    struct plan *plan = stage->plan;

    plan->job.kind = JOB_COMMIT;
    plan->disks[SRC].backing = DST;
    plan->disks[SRC].backing_open = true;
    plan->disks[DST].read_only = true;
    add_query_fault(stage, DST, OP_READ_ONLY);
}

/* What was made writable is read-only again. */
static void commit_without_an_id(struct stage *stage)
{
    struct plan *plan = stage->plan;

    plan->job.kind = JOB_COMMIT;
    plan->job.id = NULL;
    plan->disks[SRC].backing = DST;
    plan->disks[SRC].backing_open = true;
    plan->disks[DST].read_only = true;
}

static const struct {
    const char *what;
    void (*change)(struct stage *stage);
    enum job_refusal refusal;
    uint32_t statuses; /* that are seen: CREATED and NULL, or none */
} starts[] = {
    {"into itself", itself, REFUSED_ITSELF, 0},
    {"granularity no power of two", odd_granularity, REFUSED_INVALID_PARAMETER, 0},
    {"granularity too small", small_granularity, REFUSED_INVALID_PARAMETER, 0},
    {"granularity too large", large_granularity, REFUSED_INVALID_PARAMETER, 0},
    {"negative buffer", negative_buffer, REFUSED_INVALID_PARAMETER, 0},
    {"negative speed", negative_speed, REFUSED_INVALID_PARAMETER, 2},
    {"no id", no_id, REFUSED_ID, 0},
    {"target in use", target_in_use, REFUSED_BUSY, 0},
    {"no dirty bitmap", no_bitmap, REFUSED_FAILED, 0},
    {"base stays read-only", base_stays_read_only, REFUSED_FAILED, 0},
    {"commit without an id", commit_without_an_id, REFUSED_ID, 0},
};

/* At once, or after the guest's request, for which the start has to wait. */
static void try_start(uint32_t number, bool waits)
{
    struct guest_request write = {.op = OP_WRITE, .bytes = 4 * KIB};
    struct stage *stage;
    void *state;

    stage_set_up(&state);
    stage = state;
    plan_modern(stage);
    starts[number].change(stage);
    if (waits) {
        stage_step(stage, DO_GUEST)->guest = write;
    }
    stage_step(stage, DO_START)->expect_refused = true;
    stage_step(stage, DO_AT)->at_ns = MS;
    stage_step(stage, DO_JOB_NONE);
    stage_step(stage, DO_GUEST)->guest = write;
    stage_step(stage, DO_AT)->at_ns = 2 * MS;
    stage_open(stage);
    stage_run(stage);
    if (stage_event(stage, EVENT_JOB_REFUSED, 0) == NULL ||
        stage_event(stage, EVENT_JOB_REFUSED, 0)->detail != starts[number].refusal) {
        fail_msg("%s: not refused as it should be", starts[number].what);
    }
    assert_int_equal(stage_count(stage, EVENT_JOB_STATUS), starts[number].statuses);
    assert_int_equal(stage_count(stage, EVENT_ANSWERED), waits ? 2 : 1);
    assert_int_equal(world_judge(stage->world)->finding_count, 0);
    assert_as_before(stage);
    stage_tear_down(&state);
}

static void test_modern_start_leaves_nothing_behind_when_it_is_refused(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        try_start(i, false);
        try_start(i, true);
    }
}

/* ---- Questions before the copy loop ---- */

static const struct {
    uint32_t disk;
    enum op op;
    int ret; /* of the job, which does not mind if it is 0 */
} questions[] = {
    {SRC, OP_GETLENGTH, -EPERM}, {DST, OP_GETLENGTH, -EPERM}, {SRC, OP_BUFFER, -ENOMEM},
    {DST, OP_ALL_ZERO, -EPERM},  {SRC, OP_STATUS, -EPERM},    {DST, OP_GET_INFO, 0},
    {SRC, OP_CONTENT, 0},
};

/* No ERROR event: the error is the result (R2', R6', E7'). */
static void test_modern_job_ends_with_the_error_when_a_question_fails(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        struct stage *stage;
        void *own;

        stage_set_up(&own);
        stage = own;
        plan_modern(stage);
        add_query_fault(stage, questions[i].disk, questions[i].op);
        stage_step(stage, DO_START);
        stage_wait(stage, WAIT_CONCLUDED);
        if (questions[i].ret == 0) {
            stage->plan->steps[1].wait.kind = WAIT_EVENT;
            stage->plan->steps[1].wait.match = event_match_kind(EVENT_JOB_READY);
            stage_step(stage, DO_COMPLETE);
            stage_wait(stage, WAIT_CONCLUDED);
        }
        stage_open(stage);
        stage_run(stage);
        assert_int_equal(stage_count(stage, EVENT_JOB_ERROR), 0);
        assert_int_equal(stage_event(stage, EVENT_JOB_COMPLETED, 0)->ret, questions[i].ret);
        if (questions[i].ret < 0) {
            assert_as_before(stage);
        }
        stage_tear_down(&own);
    }
}

/* ---- The graph at the end ---- */

/* Runs to READY, completes, and returns the result. */
static int complete(struct stage *stage)
{
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    stage_run(stage);
    assert_non_null(stage_event(stage, EVENT_JOB_COMPLETED, 0));
    return stage_event(stage, EVENT_JOB_COMPLETED, 0)->ret;
}

static void plan_top(struct stage *stage, enum backing_mode mode)
{
    struct plan *plan = stage->plan;

    plan_modern(stage);
    plan->job.sync = SYNC_TOP;
    plan->job.backing_mode = mode;
    plan->disks[SRC].backing = THIRD;
    plan->disks[SRC].backing_open = true;
    plan->disks[DST].backing = mode == BACKING_OPEN ? THIRD : PLAN_NONE;
    plan->disks[DST].backing_possible = true;
}

/* D'7 */
static void test_modern_job_does_not_move_the_guest_when_the_backing_cannot_be_had(void **state)
{
    static const struct {
        enum backing_mode mode;
        enum op op;
    } cases[] = {{BACKING_OPEN, OP_OPEN_BACKING}, {BACKING_SOURCE, OP_SET_BACKING}};

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct stage *stage;
        void *own;

        stage_set_up(&own);
        stage = own;
        plan_top(stage, cases[i].mode);
        add_query_fault(stage, DST, cases[i].op);
        assert_int_equal(complete(stage), -EPERM);
        assert_int_equal(world_guest_disk(stage->world), SRC);
        assert_int_equal(stage_count(stage, EVENT_GRAPH_PIVOT), 0);
        stage_tear_down(&own);
    }
}

/* D'40: what the target fills around a copy would hide the backing. */
static void
test_modern_job_fails_when_the_cluster_of_a_target_without_backing_is_unknown(void **state)
{
    struct stage *stage = *state;

    plan_top(stage, BACKING_OPEN);
    add_query_fault(stage, DST, OP_GET_INFO);
    stage_step(stage, DO_START);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_JOB_COMPLETED, 0)->ret, -EPERM);
    assert_as_before(stage);
}

static void test_modern_job_goes_on_when_the_target_says_that_it_has_no_cluster(void **state)
{
    struct stage *stage = *state;

    plan_top(stage, BACKING_OPEN);
    stage->plan->disks[DST].cluster_unknown = true;
    assert_int_equal(complete(stage), 0);
}

static void test_modern_job_attaches_the_sources_backing_when_it_is_to(void **state)
{
    struct stage *stage = *state;

    plan_top(stage, BACKING_SOURCE);
    assert_int_equal(complete(stage), 0);
    assert_int_equal(world_guest_disk(stage->world), DST);
    assert_ptr_equal(block_backing(&stage->world->layer.nodes[DST]),
                     &stage->world->layer.nodes[THIRD]);
}

/* The flag is taken over if it can be; if not, the job does not mind. */
static void test_modern_job_pivots_when_the_read_only_flag_cannot_be_had(void **state)
{
    struct stage *stage = *state;

    plan_modern(stage);
    stage->plan->disks[SRC].read_only = true;
    add_query_fault(stage, DST, OP_READ_ONLY);
    assert_int_equal(complete(stage), 0);
    assert_int_equal(world_guest_disk(stage->world), DST);
}

static void test_modern_complete_is_refused_when_there_is_no_node_to_replace(void **state)
{
    struct stage *stage = *state;

    plan_modern(stage);
    stage->plan->job.replaces = "nowhere";
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_COMPLETE)->expect_refused = true;
    stage_step(stage, DO_CANCEL);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_COMMAND_REFUSED, 0)->detail2, REFUSED_NOT_FOUND);
    assert_int_equal(stage_event(stage, EVENT_JOB_COMPLETED, 0)->ret, 0);
    assert_int_equal(world_guest_disk(stage->world), SRC);
}

/* It is claimed from complete to the end; a second complete does not claim it again. */
static void test_modern_job_fails_without_a_pivot_when_the_node_cannot_be_replaced(void **state)
{
    struct stage *stage = *state;

    plan_modern(stage);
    stage->plan->job.replaces = "third";
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_PAUSE);
    stage_wait_event(stage, EVENT_JOB_PAUSED);
    stage_step(stage, DO_COMPLETE);
    stage_step(stage, DO_COMPLETE);
    stage_step(stage, DO_RESUME);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_JOB_COMPLETED, 0)->ret, -EPERM);
    assert_int_equal(world_guest_disk(stage->world), SRC);
    assert_int_equal(stage->world->layer.nodes[THIRD].refs, 1);
    assert_false(block_is_blocked(&stage->world->layer.nodes[THIRD]));
}

/* A commit claims what is between, and cannot be changed. */
static void test_modern_commit_claims_the_nodes_between_and_keeps_its_mode(void **state)
{
    struct stage *stage = *state;
    struct plan *plan = stage->plan;

    plan_modern(stage);
    plan->job.kind = JOB_COMMIT;
    plan->disks[SRC].backing = THIRD;
    plan->disks[SRC].backing_open = true;
    plan->disks[THIRD].backing = DST;
    plan->disks[THIRD].backing_open = true;
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_CHANGE)->expect_refused = true;
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    while (stage_event(stage, EVENT_JOB_READY, 0) == NULL) {
        assert_true(world_step(stage->world));
    }
    assert_true(block_is_blocked(&stage->world->layer.nodes[THIRD]));
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_COMMAND_REFUSED, 0)->detail2, REFUSED_TYPE);
    assert_false(block_is_blocked(&stage->world->layer.nodes[THIRD]));
    assert_int_equal(world_guest_disk(stage->world), DST);
}

/* D'34: one chunk in a request, 16 chunks in a cluster. */
static void test_modern_copy_fills_a_cluster_piece_by_piece_when_a_request_is_smaller(void **state)
{
    struct stage *stage = *state;
    struct plan *plan = stage->plan;

    plan_top(stage, BACKING_OPEN);
    plan->job.granularity = 4 * KIB;
    plan->disks[DST].cluster = 64 * KIB;
    plan->disks[DST].max_segments = 1;
    plan->disks[SRC].has_allocated = true;
    plan->disks[SRC].allocated_count = 1;
    plan->disks[SRC].allocated = arena_alloc(plan->arena, sizeof(struct range_spec));
    plan->disks[SRC].allocated[0] = (struct range_spec){.offset = 68 * KIB, .bytes = 4 * KIB};
    plan->disks[THIRD].fill = FILL_UNIQUE;
    assert_int_equal(complete(stage), 0);
    for (uint64_t offset = 0; offset < MIB; offset += SECTOR_BYTES) {
        assert_int_equal(stage_tag(stage, SRC, offset), stage_tag(stage, DST, offset));
    }
}

/*
 * D'41: an active request fails on the target, the next one cleans its chunk, and the source is
 * being drained already, so that no pass counts again.
 */
static void
test_modern_total_is_what_was_done_when_a_failed_chunk_is_cleaned_by_another(void **state)
{
    struct stage *stage = *state;
    struct plan *plan = stage->plan;
    const struct guest_request write = {.op = OP_WRITE, .bytes = CHUNK};
    const struct event *end;
    struct fault_spec *fault;

    plan_modern(stage);
    plan->job.copy_mode = COPY_WRITE_BLOCKING;
    plan->job.on_target_error = POLICY_IGNORE;
    fault = stage_fault(stage, FAULT_ERROR);
    fault->match = (struct request_match){.by = BY_ACTIVE};
    fault->error = -EIO;
    fault->times = 1;
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_GUEST)->guest = write;
    stage_step(stage, DO_GUEST)->guest = write;
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED);
    stage_open(stage);
    stage_run(stage);
    end = stage_event(stage, EVENT_JOB_COMPLETED, 0);
    assert_int_equal(stage_count(stage, EVENT_JOB_ERROR), 1);
    assert_int_equal(end->ret, 0);
    assert_int_equal(end->offset, MIB + CHUNK);
    assert_int_equal(end->bytes, end->offset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modern_start_leaves_nothing_behind_when_it_is_refused),
        cmocka_unit_test(test_modern_job_ends_with_the_error_when_a_question_fails),
        cmocka_unit_test(test_modern_job_does_not_move_the_guest_when_the_backing_cannot_be_had),
        STAGE_TEST(test_modern_job_fails_when_the_cluster_of_a_target_without_backing_is_unknown),
        STAGE_TEST(test_modern_job_goes_on_when_the_target_says_that_it_has_no_cluster),
        STAGE_TEST(test_modern_job_attaches_the_sources_backing_when_it_is_to),
        STAGE_TEST(test_modern_job_pivots_when_the_read_only_flag_cannot_be_had),
        STAGE_TEST(test_modern_complete_is_refused_when_there_is_no_node_to_replace),
        STAGE_TEST(test_modern_job_fails_without_a_pivot_when_the_node_cannot_be_replaced),
        STAGE_TEST(test_modern_commit_claims_the_nodes_between_and_keeps_its_mode),
        STAGE_TEST(test_modern_total_is_what_was_done_when_a_failed_chunk_is_cleaned_by_another),
        STAGE_TEST(test_modern_copy_fills_a_cluster_piece_by_piece_when_a_request_is_smaller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
