/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: the order of their events, and the instants.
 */
#include <errno.h>

#include "engine/units.h"
#include "sim/disk/cache.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

static const uint32_t buffer_order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Sixteen chunk buffers that cover a disk. */
static struct block_iov make_buffers(struct disks *disks, uint32_t count)
{
    struct block_iov iov = {.index = buffer_order, .count = count};

    assert_int_equal(block_buffers_create(&disks->layer->nodes[SRC], CHUNK, 16, &iov.buffers), 0);
    return iov;
}

static struct ending read_into(struct disks *disks, uint32_t node, uint64_t offset, uint64_t bytes,
                               struct block_iov iov)
{
    struct ending ending = {.layer = disks->layer};

    block_read(&disks->layer->nodes[node], offset, bytes, iov, disks_done, &ending);
    assert_int_equal(ending.calls, 0);
    while (ending.calls == 0 && disks_step(disks)) {
    }
    return ending;
}

static struct ending write_from(struct disks *disks, uint32_t node, uint64_t offset, uint64_t bytes,
                                struct block_iov iov)
{
    struct ending ending = {.layer = disks->layer};

    block_write(&disks->layer->nodes[node], offset, bytes, iov, disks_done, &ending);
    while (ending.calls == 0 && disks_step(disks)) {
    }
    return ending;
}

/* ---- Time and order ---- */

static void test_request_calls_back_once_after_its_latency(void **state)
{
    struct disks *disks = *state;
    struct ending ending;

    disks_open(disks);
    ending = read_into(disks, SRC, 0, CHUNK, make_buffers(disks, 1));
    disks_run(disks);
    assert_int_equal(ending.calls, 1);
    assert_int_equal(ending.ret, 0);
    assert_int_equal(ending.at_ns, READ_NS);
    assert_int_equal(disks->steps, 1);
}

static void test_request_waits_in_line_when_lanes_are_taken(void **state)
{
    struct disks *disks = *state;
    uint64_t done_ns[] = {WRITE_NS, WRITE_NS, 2 * WRITE_NS, 2 * WRITE_NS, 3 * WRITE_NS};

    disks->plan->disks[SRC].lanes = 2;
    disks_open(disks);
    for (uint64_t i = 0; i < 5; i++) {
        disks_guest(disks, OP_WRITE, i * CHUNK, CHUNK);
    }
    assert_int_equal(disks_count(disks, EVENT_REQUEST_START), 2);
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_START), 5);
    for (uint64_t i = 0; i < 5; i++) {
        const struct event *done = disks_event(disks, EVENT_REQUEST_DONE, i);

        assert_int_equal(done->request, i + 1);
        assert_int_equal(done->now_ns, done_ns[i]);
    }
}

static void test_request_shares_the_link_when_bandwidth_is_limited(void **state)
{
    struct disks *disks = *state;
    uint64_t transfer_ns = 333333334; /* a third of a second, rounded up */

    disks->plan->disks[SRC].bandwidth = 3 * CHUNK;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, FLUSH_NS);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 1)->now_ns, transfer_ns + WRITE_NS);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 2)->now_ns, 2 * transfer_ns + WRITE_NS);
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
    struct disks *disks = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct choice_answer answer = {"effect src", 1, cases[i].pick};

        disks->choices.recorded = &answer;
        disks->choices.recorded_count = cases[i].pick > 0 ? 1 : 0;
        disks->plan->disks[SRC].effect = cases[i].policy;
        disks_open(disks);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_run(disks);
        assert_int_equal(disks_event(disks, EVENT_REQUEST_EFFECT, 0)->now_ns, cases[i].effect_ns);
        assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
    }
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
    struct disks *disks = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t count = (uint32_t)div_round_up(cases[i].bytes, CHUNK);
        struct ending ending;

        disks->plan->disks[DST].max_transfer = cases[i].max_transfer;
        disks->plan->disks[DST].max_segments = cases[i].max_segments;
        disks_open(disks);
        ending =
            write_from(disks, DST, cases[i].offset, cases[i].bytes, make_buffers(disks, count));
        assert_int_equal(ending.ret, cases[i].ret);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), cases[i].ret == 0);
    }
}

/* ---- Content ---- */

static void test_request_copies_what_was_read_and_joins_it(void **state)
{
    struct disks *disks = *state;
    struct block_iov iov;
    uint64_t sector;
    struct view src;
    struct view dst;

    disks_open(disks);
    disks_guest(disks, OP_WRITE, 3 * CHUNK - 512, 1024);
    disks_guest(disks, OP_WRITE_ZEROES, 5 * CHUNK + 512, 512);
    disks_step(disks);
    disks_step(disks);
    iov = make_buffers(disks, 16);
    read_into(disks, SRC, 0, MIB, iov);
    write_from(disks, DST, 0, MIB, iov);
    evidence_view(&disks->ground->evidence, SRC, &src);
    evidence_view(&disks->ground->evidence, DST, &dst);
    assert_true(view_equal(&src, &dst, 0, MIB, &sector));
    assert_int_equal(disks_tag(disks, DST, 3 * CHUNK), tag_guest(1, 1));
    assert_int_equal(disks_tag(disks, DST, 5 * CHUNK + 512), TAG_ZERO);
    assert_int_equal(image_runs(disks->layer->nodes[DST].disk.image), 5);
}

static void test_request_replaces_what_its_buffers_held(void **state)
{
    struct disks *disks = *state;
    struct block_iov iov;

    disks_open(disks);
    disks_guest(disks, OP_WRITE, 512, 512);
    disks_step(disks);
    iov = make_buffers(disks, 1);
    read_into(disks, SRC, 0, CHUNK, iov);
    read_into(disks, SRC, CHUNK, CHUNK, iov);
    write_from(disks, DST, CHUNK, CHUNK, iov);
    assert_int_equal(image_runs(disks->layer->nodes[DST].disk.image), 1);
    assert_int_equal(disks_tag(disks, DST, CHUNK + 512), tag_fill(SRC, CHUNK / 512 + 1));
}

static void test_request_fills_the_cluster_from_the_backing_only_when_it_is_open(void **state)
{
    struct disks *disks = *state;

    for (int open = 0; open <= 1; open++) {
        disks->plan->disks[DST].cluster = 64 * KIB;
        disks->plan->disks[DST].backing = SRC;
        disks->plan->disks[DST].backing_open = open;
        disks_open(disks);
        write_from(disks, DST, 4 * KIB, 4 * KIB, make_buffers(disks, 1));
        assert_int_equal(image_allocated_bytes(disks->layer->nodes[DST].disk.image), 64 * KIB);
        assert_int_equal(disks_tag(disks, DST, 0), open ? tag_fill(SRC, 0) : TAG_ZERO);
        assert_int_equal(disks_tag(disks, DST, 8 * KIB), open ? tag_fill(SRC, 16) : TAG_ZERO);
        assert_int_equal(disks_tag(disks, DST, 64 * KIB), open ? tag_fill(SRC, 128) : TAG_ZERO);
    }
}

static void test_request_discards_to_zero_whether_or_not_there_is_a_backing(void **state)
{
    struct disks *disks = *state;

    for (int backed = 0; backed <= 1; backed++) {
        disks->plan->disks[SRC].backing = backed ? THIRD : PLAN_NONE;
        disks->plan->disks[SRC].backing_open = backed;
        disks->plan->disks[THIRD].fill = FILL_UNIQUE;
        disks_open(disks);
        disks_guest(disks, OP_DISCARD, CHUNK, CHUNK);
        disks_run(disks);
        assert_int_equal(disks_tag(disks, SRC, CHUNK), TAG_ZERO);
        assert_int_equal(image_allocated_bytes(disks->layer->nodes[SRC].disk.image),
                         backed ? MIB : MIB - CHUNK);
    }
}

/* ---- Volatile caches ---- */

static void test_request_is_durable_when_a_flush_covered_it(void **state)
{
    struct choice_answer lost[] = {{"power-cut src", 1, 1}};
    struct disks *disks = *state;

    disks->plan->disks[SRC].volatile_cache = true;
    disks->plan->disks[SRC].effect = EFFECT_AT_START;
    disks->choices.recorded = lost;
    disks->choices.recorded_count = 1;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_step(disks);
    disks_step(disks);
    /* This one has taken effect, but has not finished, when the flush is submitted. */
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run_until(disks, WRITE_NS + FLUSH_NS);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 2);
    assert_int_equal(disks_tag(disks, SRC, CHUNK), tag_guest(2, 0));
    cache_power_cut(&disks->layer->nodes[SRC], CUT_BY_CHOICE);
    assert_int_equal(disks_tag(disks, SRC, 0), tag_guest(1, 0));
    assert_int_equal(disks_tag(disks, SRC, CHUNK), tag_fill(SRC, 128));
}

/* ---- Allocation queries ---- */

static void test_request_status_looks_through_the_layers_above_the_base(void **state)
{
    struct range_spec in_top = {0, CHUNK};
    struct range_spec in_middle = {CHUNK, CHUNK};
    struct disks *disks = *state;
    struct block_node *nodes;
    uint64_t extent;

    disks->plan->disks[SRC].has_allocated = true;
    disks->plan->disks[SRC].allocated = &in_top;
    disks->plan->disks[SRC].allocated_count = 1;
    disks->plan->disks[SRC].backing = DST;
    disks->plan->disks[SRC].backing_open = true;
    disks->plan->disks[DST].has_allocated = true;
    disks->plan->disks[DST].allocated = &in_middle;
    disks->plan->disks[DST].allocated_count = 1;
    nodes = disks_open(disks)->nodes;
    assert_int_equal(block_status_above(&nodes[SRC], NULL, 512, 512, &extent, NULL, NULL), 1);
    assert_int_equal(extent, CHUNK - 512);
    assert_int_equal(block_status_above(&nodes[SRC], NULL, CHUNK, 512, &extent, NULL, NULL), 1);
    assert_int_equal(extent, CHUNK);
    assert_int_equal(block_status_above(&nodes[SRC], &nodes[DST], CHUNK, 512, &extent, NULL, NULL),
                     0);
    assert_int_equal(extent, MIB - CHUNK);
    disks_guest(disks, OP_WRITE, 2 * CHUNK, 512);
    disks_run(disks);
    block_status_above(&nodes[SRC], &nodes[DST], CHUNK, 512, &extent, NULL, NULL);
    assert_int_equal(extent, CHUNK);
}

static void test_request_status_answers_later_when_it_takes_time(void **state)
{
    struct disks *disks = *state;
    struct ending ending = {0};
    struct block_node *src;
    uint64_t extent;

    disks->plan->disks[SRC].latency[OP_STATUS].a_ns = 30;
    src = &disks_open(disks)->nodes[SRC];
    ending.layer = disks->layer;
    assert_int_equal(block_status_above(src, NULL, 0, CHUNK, &extent, disks_done, &ending),
                     -EINPROGRESS);
    disks_run(disks);
    assert_int_equal(ending.at_ns, 30);
    assert_int_equal(block_status_above(src, NULL, 0, CHUNK, &extent, disks_done, &ending), 1);
    assert_int_equal(ending.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_request_calls_back_once_after_its_latency),
        DISKS_TEST(test_request_waits_in_line_when_lanes_are_taken),
        DISKS_TEST(test_request_shares_the_link_when_bandwidth_is_limited),
        DISKS_TEST(test_request_takes_effect_where_the_policy_says),
        DISKS_TEST(test_request_fails_without_effect_when_the_disk_cannot_serve_it),
        DISKS_TEST(test_request_copies_what_was_read_and_joins_it),
        DISKS_TEST(test_request_replaces_what_its_buffers_held),
        DISKS_TEST(test_request_fills_the_cluster_from_the_backing_only_when_it_is_open),
        DISKS_TEST(test_request_discards_to_zero_whether_or_not_there_is_a_backing),
        DISKS_TEST(test_request_is_durable_when_a_flush_covered_it),
        DISKS_TEST(test_request_status_looks_through_the_layers_above_the_base),
        DISKS_TEST(test_request_status_answers_later_when_it_takes_time),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
