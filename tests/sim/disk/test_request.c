/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: what happens in which order and at which instant.
 */
#include <errno.h>

#include "sim/disk/cache.h"
#include "tests/support/stage.h"

#define CHUNK (64 * KIB)

static const uint32_t buffer_order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Sixteen chunk buffers that cover a disk. */
static struct block_iov make_buffers(struct stage *stage, uint32_t count)
{
    struct block_iov iov = {.index = buffer_order, .count = count};

    assert_int_equal(block_buffers_create(&stage->world->layer.nodes[SRC], CHUNK, 16, &iov.buffers),
                     0);
    return iov;
}

static struct ending read_into(struct stage *stage, uint32_t node, uint64_t offset, uint64_t bytes,
                               struct block_iov iov)
{
    struct ending ending = {.world = stage->world};

    block_read(&stage->world->layer.nodes[node], offset, bytes, iov, stage_done, &ending);
    assert_int_equal(ending.calls, 0);
    while (ending.calls == 0 && world_step(stage->world)) {
    }
    return ending;
}

static struct ending write_from(struct stage *stage, uint32_t node, uint64_t offset, uint64_t bytes,
                                struct block_iov iov)
{
    struct ending ending = {.world = stage->world};

    block_write(&stage->world->layer.nodes[node], offset, bytes, iov, stage_done, &ending);
    while (ending.calls == 0 && world_step(stage->world)) {
    }
    return ending;
}

/* ---- Time and order ---- */

static void test_request_calls_back_once_after_its_latency(void **state)
{
    struct stage *stage = *state;
    struct ending ending;

    stage_open(stage);
    ending = read_into(stage, SRC, 0, CHUNK, make_buffers(stage, 1));
    stage_run(stage);
    assert_int_equal(ending.calls, 1);
    assert_int_equal(ending.ret, 0);
    assert_int_equal(ending.at_ns, READ_NS);
    assert_int_equal(world_events(stage->world), 1);
}

static void test_request_marks_dirty_before_it_is_done_when_it_writes(void **state)
{
    static const enum event_kind order[] = {EVENT_DIRTY_CREATE,   EVENT_REQUEST_SUBMIT,
                                            EVENT_REQUEST_EFFECT, EVENT_DIRTY_SET,
                                            EVENT_REQUEST_DONE,   EVENT_END};
    static const enum op ops[] = {OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD};
    struct stage *stage = *state;
    struct block_dirty *dirty;

    for (size_t i = 0; i < 3; i++) {
        stage_open(stage);
        block_dirty_create(&stage->world->layer.nodes[SRC], CHUNK, &dirty);
        stage_guest(stage, ops[i], CHUNK - 512, 1024);
        assert_int_equal(block_dirty_bits(dirty)->count, 0);
        stage_run(stage);
        assert_int_equal(block_dirty_bits(dirty)->count, 2);
        assert_int_equal(stage->trace.count, 6);
        for (size_t j = 0; j < 6; j++) {
            assert_int_equal(stage->trace.events[j].kind, order[j]);
        }
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

static void test_request_marks_every_bitmap_and_cleaning_touches_one(void **state)
{
    struct stage *stage = *state;
    struct block_dirty *mine;
    struct block_dirty *other;
    struct block_node *src = &stage_open(stage)->layer.nodes[SRC];

    block_dirty_create(src, CHUNK, &mine);
    block_dirty_create(src, 4 * KIB, &other);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    stage_run(stage);
    block_dirty_clear(mine, 0, CHUNK);
    assert_int_equal(block_dirty_bits(mine)->count, 0);
    assert_int_equal(block_dirty_bits(other)->count, 16);
    block_dirty_release(mine);
    assert_ptr_equal(src->dirty, other);
}

static void test_request_waits_in_line_when_lanes_are_taken(void **state)
{
    struct stage *stage = *state;
    uint64_t done_ns[] = {WRITE_NS, WRITE_NS, 2 * WRITE_NS, 2 * WRITE_NS, 3 * WRITE_NS};

    stage->plan->disks[SRC].lanes = 2;
    stage_open(stage);
    for (uint64_t i = 0; i < 5; i++) {
        stage_guest(stage, OP_WRITE, i * CHUNK, CHUNK);
    }
    assert_int_equal(stage_count(stage, EVENT_REQUEST_START), 2);
    stage_run(stage);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_START), 5);
    for (uint64_t i = 0; i < 5; i++) {
        const struct event *done = stage_event(stage, EVENT_REQUEST_DONE, i);

        assert_int_equal(done->request, i + 1);
        assert_int_equal(done->now_ns, done_ns[i]);
    }
}

static void test_request_shares_the_link_when_bandwidth_is_limited(void **state)
{
    struct stage *stage = *state;
    uint64_t transfer_ns = 333333334; /* a third of a second, rounded up */

    stage->plan->disks[SRC].bandwidth = 3 * CHUNK;
    stage_open(stage);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    stage_guest(stage, OP_FLUSH, 0, 0);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, FLUSH_NS);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 1)->now_ns, transfer_ns + WRITE_NS);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 2)->now_ns, 2 * transfer_ns + WRITE_NS);
}

static void test_request_takes_effect_where_the_policy_says(void **state)
{
    static const struct {
        enum effect_policy policy;
        uint32_t pick; /* of the choice */
        uint64_t effect_ns;
    } cases[] = {
        {EFFECT_AT_COMPLETE, 0, WRITE_NS},   {EFFECT_AT_START, 0, 0},
        {EFFECT_BY_CHOICE, 0, WRITE_NS},     {EFFECT_BY_CHOICE, 1, 0},
        {EFFECT_BY_CHOICE, 3, WRITE_NS / 2},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct choice_answer answer = {"effect src", 1, cases[i].pick};

        stage->options.choices.recorded = &answer;
        stage->options.choices.recorded_count = cases[i].pick > 0 ? 1 : 0;
        stage->plan->disks[SRC].effect = cases[i].policy;
        stage_open(stage);
        stage_guest(stage, OP_WRITE, 0, CHUNK);
        stage_run(stage);
        assert_int_equal(stage_event(stage, EVENT_REQUEST_EFFECT, 0)->now_ns, cases[i].effect_ns);
        assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

/* ---- Refusals ---- */

static void test_request_fails_without_effect_when_the_disk_cannot_serve_it(void **state)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
        uint64_t max_transfer;
        uint32_t max_segments;
        int ret;
    } cases[] = {
        {MIB - CHUNK, CHUNK, 0, 0, 0},   {MIB - 512, 1024, 0, 0, -EIO},
        {2 * MIB, 512, 0, 0, -EIO},      {0, 2 * CHUNK, CHUNK, 0, -EINVAL},
        {0, 2 * CHUNK, 2 * CHUNK, 0, 0}, {0, 2 * CHUNK, 0, 1, -EINVAL},
        {0, 2 * CHUNK, 0, 2, 0},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t count = (uint32_t)div_round_up(cases[i].bytes, CHUNK);
        struct ending ending;

        stage->plan->disks[DST].max_transfer = cases[i].max_transfer;
        stage->plan->disks[DST].max_segments = cases[i].max_segments;
        stage_open(stage);
        ending =
            write_from(stage, DST, cases[i].offset, cases[i].bytes, make_buffers(stage, count));
        assert_int_equal(ending.ret, cases[i].ret);
        assert_int_equal(stage_count(stage, EVENT_REQUEST_EFFECT), cases[i].ret == 0);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

/* ---- Content ---- */

static void test_request_copies_what_was_read_and_joins_it(void **state)
{
    struct stage *stage = *state;
    struct block_iov iov;
    uint64_t sector;
    struct view src;
    struct view dst;

    stage_open(stage);
    stage_guest(stage, OP_WRITE, 3 * CHUNK - 512, 1024);
    stage_guest(stage, OP_WRITE_ZEROES, 5 * CHUNK + 512, 512);
    world_step(stage->world);
    world_step(stage->world);
    iov = make_buffers(stage, 16);
    read_into(stage, SRC, 0, MIB, iov);
    write_from(stage, DST, 0, MIB, iov);
    evidence_view(world_evidence(stage->world), SRC, &src);
    evidence_view(world_evidence(stage->world), DST, &dst);
    assert_true(view_equal(&src, &dst, 0, MIB, &sector));
    assert_int_equal(stage_tag(stage, DST, 3 * CHUNK), tag_guest(1, 1));
    assert_int_equal(stage_tag(stage, DST, 5 * CHUNK + 512), TAG_ZERO);
    assert_int_equal(image_runs(stage->world->layer.nodes[DST].disk.image), 5);
}

static void test_request_replaces_what_its_buffers_held(void **state)
{
    struct stage *stage = *state;
    struct block_iov iov;

    stage_open(stage);
    stage_guest(stage, OP_WRITE, 512, 512);
    world_step(stage->world);
    iov = make_buffers(stage, 1);
    read_into(stage, SRC, 0, CHUNK, iov);
    read_into(stage, SRC, CHUNK, CHUNK, iov);
    write_from(stage, DST, CHUNK, CHUNK, iov);
    assert_int_equal(image_runs(stage->world->layer.nodes[DST].disk.image), 1);
    assert_int_equal(stage_tag(stage, DST, CHUNK + 512), tag_fill(SRC, CHUNK / 512 + 1));
}

static void test_request_fills_the_cluster_from_the_backing_only_when_it_is_open(void **state)
{
    struct stage *stage = *state;

    for (int open = 0; open <= 1; open++) {
        stage->plan->disks[DST].cluster = 64 * KIB;
        stage->plan->disks[DST].backing = SRC;
        stage->plan->disks[DST].backing_open = open;
        stage_open(stage);
        write_from(stage, DST, 4 * KIB, 4 * KIB, make_buffers(stage, 1));
        assert_int_equal(image_allocated_bytes(stage->world->layer.nodes[DST].disk.image),
                         64 * KIB);
        assert_int_equal(stage_tag(stage, DST, 0), open ? tag_fill(SRC, 0) : TAG_ZERO);
        assert_int_equal(stage_tag(stage, DST, 8 * KIB), open ? tag_fill(SRC, 16) : TAG_ZERO);
        assert_int_equal(stage_tag(stage, DST, 64 * KIB), open ? tag_fill(SRC, 128) : TAG_ZERO);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

static void test_request_discards_to_zero_whether_or_not_there_is_a_backing(void **state)
{
    struct stage *stage = *state;

    for (int backed = 0; backed <= 1; backed++) {
        stage->plan->disks[SRC].backing = backed ? THIRD : PLAN_NONE;
        stage->plan->disks[SRC].backing_open = backed;
        stage->plan->disks[THIRD].fill = FILL_UNIQUE;
        stage_open(stage);
        stage_guest(stage, OP_DISCARD, CHUNK, CHUNK);
        stage_run(stage);
        assert_int_equal(stage_tag(stage, SRC, CHUNK), TAG_ZERO);
        assert_int_equal(image_allocated_bytes(stage->world->layer.nodes[SRC].disk.image),
                         backed ? MIB : MIB - CHUNK);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

/* ---- Draining ---- */

static void note_drained(void *opaque)
{
    bool *drained = opaque;

    *drained = true;
}

static void test_request_queues_while_drained_and_goes_to_the_disk_of_the_guest(void **state)
{
    struct stage *stage = *state;
    struct block_node *nodes = stage_open(stage)->layer.nodes;
    bool drained = false;

    stage_guest(stage, OP_WRITE, 0, CHUNK);
    assert_false(block_drain_begin(&nodes[SRC], note_drained, &drained));
    stage_guest(stage, OP_WRITE, CHUNK, CHUNK);
    stage_guest(stage, OP_WRITE, 2 * CHUNK, CHUNK);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_QUEUED), 2);
    stage_run(stage);
    assert_true(drained);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 1);
    assert_true(stage_event(stage, EVENT_DRAINED, 0) > stage_event(stage, EVENT_REQUEST_DONE, 0));
    block_replace(&nodes[SRC], &nodes[DST]);
    block_drain_end(&nodes[SRC]);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_SUBMIT, 1)->request, 2);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_SUBMIT, 2)->request, 3);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_SUBMIT, 2)->node, DST);
}

static void test_request_of_a_drained_node_is_served_when_the_job_sends_it(void **state)
{
    struct stage *stage = *state;
    bool drained = false;

    stage_open(stage);
    assert_true(block_drain_begin(&stage->world->layer.nodes[SRC], note_drained, &drained));
    assert_int_equal(read_into(stage, SRC, 0, CHUNK, make_buffers(stage, 1)).ret, 0);
    assert_false(drained);
}

/* ---- Volatile caches ---- */

static void test_request_is_durable_when_a_flush_covered_it(void **state)
{
    struct choice_answer lost[] = {{"power-cut src", 1, 1}};
    struct stage *stage = *state;

    stage->plan->disks[SRC].volatile_cache = true;
    stage->plan->disks[SRC].effect = EFFECT_AT_START;
    stage->options.choices.recorded = lost;
    stage->options.choices.recorded_count = 1;
    stage_open(stage);
    stage_guest(stage, OP_WRITE, 0, CHUNK);
    world_step(stage->world);
    world_step(stage->world);
    /* This one has taken effect, but has not finished, when the flush is submitted. */
    stage_guest(stage, OP_WRITE, CHUNK, CHUNK);
    stage_guest(stage, OP_FLUSH, 0, 0);
    world_run(stage->world, WRITE_NS + FLUSH_NS);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 2);
    assert_int_equal(stage_tag(stage, SRC, CHUNK), tag_guest(2, 0));
    cache_power_cut(&stage->world->layer.nodes[SRC], CUT_BY_CHOICE);
    assert_int_equal(stage_tag(stage, SRC, 0), tag_guest(1, 0));
    assert_int_equal(stage_tag(stage, SRC, CHUNK), tag_fill(SRC, 128));
}

/* ---- Allocation queries ---- */

static void test_request_status_looks_through_the_layers_above_the_base(void **state)
{
    struct range_spec in_top = {0, CHUNK};
    struct range_spec in_middle = {CHUNK, CHUNK};
    struct stage *stage = *state;
    struct block_node *nodes;
    uint64_t extent;

    stage->plan->disks[SRC].has_allocated = true;
    stage->plan->disks[SRC].allocated = &in_top;
    stage->plan->disks[SRC].allocated_count = 1;
    stage->plan->disks[SRC].backing = DST;
    stage->plan->disks[SRC].backing_open = true;
    stage->plan->disks[DST].has_allocated = true;
    stage->plan->disks[DST].allocated = &in_middle;
    stage->plan->disks[DST].allocated_count = 1;
    nodes = stage_open(stage)->layer.nodes;
    assert_int_equal(block_status_above(&nodes[SRC], NULL, 512, 512, &extent, NULL, NULL), 1);
    assert_int_equal(extent, CHUNK - 512);
    assert_int_equal(block_status_above(&nodes[SRC], NULL, CHUNK, 512, &extent, NULL, NULL), 1);
    assert_int_equal(extent, CHUNK);
    assert_int_equal(block_status_above(&nodes[SRC], &nodes[DST], CHUNK, 512, &extent, NULL, NULL),
                     0);
    assert_int_equal(extent, MIB - CHUNK);
    stage_guest(stage, OP_WRITE, 2 * CHUNK, 512);
    stage_run(stage);
    block_status_above(&nodes[SRC], &nodes[DST], CHUNK, 512, &extent, NULL, NULL);
    assert_int_equal(extent, CHUNK);
}

static void test_request_status_answers_later_when_it_takes_time(void **state)
{
    struct stage *stage = *state;
    struct ending ending = {0};
    struct block_node *src;
    uint64_t extent;

    stage->plan->disks[SRC].latency[OP_STATUS].a_ns = 30;
    src = &stage_open(stage)->layer.nodes[SRC];
    ending.world = stage->world;
    assert_int_equal(block_status_above(src, NULL, 0, CHUNK, &extent, stage_done, &ending),
                     -EINPROGRESS);
    stage_run(stage);
    assert_int_equal(ending.at_ns, 30);
    assert_int_equal(block_status_above(src, NULL, 0, CHUNK, &extent, stage_done, &ending), 1);
    assert_int_equal(ending.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_request_calls_back_once_after_its_latency),
        STAGE_TEST(test_request_marks_dirty_before_it_is_done_when_it_writes),
        STAGE_TEST(test_request_marks_every_bitmap_and_cleaning_touches_one),
        STAGE_TEST(test_request_waits_in_line_when_lanes_are_taken),
        STAGE_TEST(test_request_shares_the_link_when_bandwidth_is_limited),
        STAGE_TEST(test_request_takes_effect_where_the_policy_says),
        STAGE_TEST(test_request_fails_without_effect_when_the_disk_cannot_serve_it),
        STAGE_TEST(test_request_copies_what_was_read_and_joins_it),
        STAGE_TEST(test_request_replaces_what_its_buffers_held),
        STAGE_TEST(test_request_fills_the_cluster_from_the_backing_only_when_it_is_open),
        STAGE_TEST(test_request_discards_to_zero_whether_or_not_there_is_a_backing),
        STAGE_TEST(test_request_queues_while_drained_and_goes_to_the_disk_of_the_guest),
        STAGE_TEST(test_request_of_a_drained_node_is_served_when_the_job_sends_it),
        STAGE_TEST(test_request_is_durable_when_a_flush_covered_it),
        STAGE_TEST(test_request_status_looks_through_the_layers_above_the_base),
        STAGE_TEST(test_request_status_answers_later_when_it_takes_time),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
