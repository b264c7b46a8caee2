/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions of today's generation, and what writes, zeroes and discards make them answer.
 */
#include "sim/disk/inquiry.h"

#include <errno.h>

#include "engine/zeroes.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)
#define CLUSTER (16 * KIB)

/* Empty disks of today's generation; the source can have a backing file. */
static struct disks *modern(void **state)
{
    struct disks *disks = *state;

    disks->plan->generation = GENERATION_MODERN;
    for (uint32_t i = 0; i < DISKS; i++) {
        disks->plan->disks[i].fill = FILL_ZERO;
        disks->plan->disks[i].backing = PLAN_NONE;
        disks->plan->disks[i].read_effect = EFFECT_AT_START;
    }
    disks->plan->disks[SRC].backing_possible = true;
    return disks;
}

static void set_ranges(struct disks *disks, struct range_spec **ranges, uint32_t *count,
                       uint64_t offset, uint64_t bytes)
{
    *ranges = arena_alloc(disks->plan->arena, sizeof(**ranges));
    (*ranges)[0] = (struct range_spec){offset, bytes};
    *count = 1;
}

static void allocate(struct disks *disks, uint32_t disk, uint64_t offset, uint64_t bytes)
{
    struct disk_spec *spec = &disks->plan->disks[disk];

    spec->fill = FILL_UNIQUE;
    spec->has_allocated = true;
    set_ranges(disks, &spec->allocated, &spec->allocated_count, offset, bytes);
}

static void zero(struct disks *disks, uint32_t disk, uint64_t offset, uint64_t bytes)
{
    struct disk_spec *spec = &disks->plan->disks[disk];

    set_ranges(disks, &spec->zeroes, &spec->zero_count, offset, bytes);
}

static struct block_answer content_at(struct disks *disks, uint32_t disk, uint64_t offset)
{
    struct block_answer answer = {0};

    assert_true(block_ask_content(disks_node(disks, disk), offset, 4 * MIB, &answer, NULL, NULL));
    return answer;
}

static void assert_content(struct disks *disks, uint32_t disk, uint64_t offset,
                           enum block_content content, bool allocated, uint64_t extent_bytes)
{
    struct block_answer answer = content_at(disks, disk, offset);

    assert_int_equal(answer.ret, 0);
    assert_int_equal(answer.content, content);
    assert_int_equal(answer.allocated, allocated);
    assert_int_equal(answer.extent_bytes, extent_bytes);
}

/* ---- One layer ---- */

static void test_inquiry_tells_data_from_zeroes_from_nothing(void **state)
{
    struct disks *disks = modern(state);

    allocate(disks, SRC, 0, CHUNK);
    zero(disks, SRC, CHUNK, CHUNK);
    disks_open(disks);
    assert_content(disks, SRC, 0, CONTENT_DATA, true, CHUNK);
    assert_content(disks, SRC, CHUNK / 2, CONTENT_DATA, true, CHUNK / 2);
    assert_content(disks, SRC, CHUNK, CONTENT_ZERO, true, CHUNK);
    assert_content(disks, SRC, 2 * CHUNK, CONTENT_ZERO, false, MIB - 2 * CHUNK);
}

/* What a disk without backing file lacks is as good as zeroes that are stored. */
static void test_inquiry_of_a_raw_disk_says_all_is_allocated(void **state)
{
    struct disks *disks = modern(state);
    struct block_answer answer;

    allocate(disks, DST, 0, CHUNK);
    disks_open(disks);
    assert_content(disks, DST, CHUNK, CONTENT_ZERO, true, MIB - CHUNK);
    assert_true(block_ask_allocated(disks_node(disks, DST), NULL, false, CHUNK, CHUNK, &answer,
                                    NULL, NULL));
    assert_true(answer.allocated);
    assert_int_equal(answer.extent_bytes, CHUNK);
}

/* Runs of different writers are one extent of data. */
static void test_inquiry_joins_neighbours_of_one_state(void **state)
{
    struct disks *disks = modern(state);

    disks_open(disks);
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_guest(disks, OP_DISCARD, 2 * CHUNK, CHUNK);
    disks_guest(disks, OP_WRITE_ZEROES, 3 * CHUNK, CHUNK);
    disks_run(disks);
    assert_content(disks, SRC, 0, CONTENT_DATA, true, 2 * CHUNK);
    assert_content(disks, SRC, 2 * CHUNK, CONTENT_ZERO, true, 2 * CHUNK);
    assert_content(disks, SRC, 4 * CHUNK, CONTENT_ZERO, false, MIB - 4 * CHUNK);
}

/* The rest of a cluster becomes data, zeroes or not; zeroes and discards fill nothing. */
static void test_inquiry_sees_that_a_write_fills_its_clusters(void **state)
{
    struct disks *disks = modern(state);

    disks->plan->disks[SRC].cluster = CLUSTER;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, CLUSTER + 4 * KIB, 4 * KIB);
    disks_guest(disks, OP_WRITE_ZEROES, 4 * CLUSTER + 4 * KIB, 4 * KIB);
    disks_guest(disks, OP_DISCARD, 6 * CLUSTER + 4 * KIB, 4 * KIB);
    disks_run(disks);
    assert_content(disks, SRC, CLUSTER, CONTENT_DATA, true, CLUSTER);
    assert_int_equal(disks_tag(disks, SRC, CLUSTER), TAG_ZERO);
    assert_content(disks, SRC, 4 * CLUSTER, CONTENT_ZERO, false, 4 * KIB);
    assert_content(disks, SRC, 4 * CLUSTER + 4 * KIB, CONTENT_ZERO, true, 4 * KIB);
    assert_content(disks, SRC, 6 * CLUSTER + 4 * KIB, CONTENT_ZERO, true, 4 * KIB);
}

/* Zeroes that a job reads and writes are data on the target, as zero as they were. */
static void test_inquiry_calls_copied_zeroes_data(void **state)
{
    static const uint32_t first = 0;
    struct disks *disks = modern(state);
    struct ending ending = {.layer = disks_open(disks)};
    struct block_iov iov = {.index = &first, .count = 1};

    assert_int_equal(block_buffers_create(disks_node(disks, SRC), CHUNK, 1, &iov.buffers), 0);
    block_read(disks_node(disks, SRC), 0, CHUNK, iov, disks_done, &ending);
    disks_run(disks);
    block_write(disks_node(disks, DST), 0, CHUNK, iov, disks_done, &ending);
    disks_run(disks);
    assert_int_equal(ending.calls, 2);
    assert_content(disks, DST, 0, CONTENT_DATA, true, CHUNK);
    assert_int_equal(disks_tag(disks, DST, 0), TAG_ZERO);
    assert_int_equal(block_reads_zero(disks_node(disks, DST)), 0);
    block_write_zeroes(disks_node(disks, DST), 0, CHUNK, ZEROES_MAY_UNMAP, disks_done, &ending);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 2)->detail, ZEROES_MAY_UNMAP);
    disks_run(disks);
    assert_int_equal(block_reads_zero(disks_node(disks, DST)), 1);
}

/* ---- Layers ---- */

/* The shortest extent of all layers that were looked into; beyond the end of one all is zero. */
static void test_inquiry_looks_down_the_open_layers(void **state)
{
    struct disks *disks = modern(state);
    struct disk_spec *spec = disks->plan->disks;

    allocate(disks, SRC, CHUNK, CHUNK);
    allocate(disks, THIRD, 0, 3 * CHUNK);
    spec[SRC].backing = THIRD;
    spec[SRC].backing_open = true;
    spec[THIRD].bytes = 5 * CHUNK;
    spec[THIRD].backing_possible = true;
    disks_open(disks);
    assert_content(disks, SRC, 0, CONTENT_DATA, true, CHUNK);
    assert_content(disks, SRC, CHUNK, CONTENT_DATA, true, CHUNK);
    assert_content(disks, SRC, 2 * CHUNK, CONTENT_DATA, true, CHUNK);
    assert_content(disks, SRC, 3 * CHUNK, CONTENT_ZERO, false, 2 * CHUNK);
    assert_content(disks, SRC, 5 * CHUNK, CONTENT_ZERO, true, MIB - 5 * CHUNK);
}

static bool is_allocated(struct disks *disks, struct block_node *base, bool include_base,
                         uint64_t offset)
{
    struct block_answer answer;

    assert_true(block_ask_allocated(disks_node(disks, SRC), base, include_base, offset, CHUNK,
                                    &answer, NULL, NULL));
    return answer.allocated;
}

static void test_inquiry_about_allocation_stops_at_its_base(void **state)
{
    struct disks *disks = modern(state);
    struct disk_spec *spec = disks->plan->disks;
    struct block_node *nodes;

    allocate(disks, SRC, 0, CHUNK);
    allocate(disks, THIRD, CHUNK, CHUNK);
    spec[SRC].backing = THIRD;
    spec[SRC].backing_open = true;
    spec[THIRD].backing_possible = true;
    nodes = disks_open(disks)->nodes;
    assert_true(is_allocated(disks, NULL, false, 0));
    assert_true(is_allocated(disks, NULL, false, CHUNK));
    assert_false(is_allocated(disks, NULL, false, 2 * CHUNK));
    assert_true(is_allocated(disks, &nodes[SRC], true, 0));
    assert_false(is_allocated(disks, &nodes[SRC], true, CHUNK));
    assert_true(is_allocated(disks, &nodes[THIRD], true, CHUNK));
    assert_false(is_allocated(disks, &nodes[THIRD], false, CHUNK));
}

/* ---- Time ---- */

/* M1: allocation is what it was when the question was asked, content what it is at the answer. */
static void test_inquiry_samples_at_its_beginning_or_end(void **state)
{
    struct disks *disks = modern(state);
    struct ending ending;
    struct block_answer allocated;
    struct block_answer content;
    struct block_node *source;

    disks->plan->disks[SRC].latency[OP_STATUS].a_ns = 2 * WRITE_NS;
    disks->plan->disks[SRC].latency[OP_CONTENT].a_ns = 2 * WRITE_NS;
    ending.layer = disks_open(disks);
    ending.calls = 0;
    source = disks_node(disks, SRC);
    assert_false(
        block_ask_allocated(source, NULL, false, 0, CHUNK, &allocated, disks_done, &ending));
    assert_false(block_ask_content(source, 0, CHUNK, &content, disks_done, &ending));
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    assert_int_equal(ending.calls, 2);
    assert_int_equal(ending.at_ns, 2 * WRITE_NS);
    assert_false(allocated.allocated);
    assert_int_equal(content.content, CONTENT_DATA);
}

/* The write that ends at the same instant comes too late for the read, whatever was first. */
static void test_inquiry_a_read_samples_when_it_is_submitted(void **state)
{
    static const enum event_kind kinds[] = {EVENT_ARRIVE, EVENT_REQUEST_SUBMIT,
                                            EVENT_REQUEST_EFFECT};
    struct disks *disks = modern(state);

    disks_open(disks);
    disks_guest(disks, OP_READ, 0, CHUNK);
    disks_assert_events(disks, kinds, COUNT_OF(kinds));
    layer_check(disks->layer);
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), 1);
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 0)->now_ns, READ_NS);
}

static void test_inquiry_a_hold_stops_a_read_that_has_sampled_at_its_end(void **state)
{
    struct disks *disks = modern(state);
    struct fault_spec *hold = disks_fault(disks, FAULT_HOLD);

    hold->match.ops = 1u << OP_READ;
    hold->times = 1;
    hold->phase = HOLD_BEFORE_EFFECT;
    disks_open(disks);
    disks_guest(disks, OP_READ, 0, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_HELD), 0);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_HELD, 0)->now_ns, READ_NS);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 0);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 1);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), 1);
}

/* ---- Failures ---- */

static void test_inquiry_fails_if_the_plan_says_so(void **state)
{
    struct disks *disks = modern(state);
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);
    struct block_answer answer;

    fault->match.ops =
        1u << OP_CONTENT | 1u << OP_STATUS | 1u << OP_ALL_ZERO | 1u << OP_SET_BACKING;
    fault->error = -EIO;
    disks_open(disks);
    assert_int_equal(content_at(disks, SRC, 0).ret, -EIO);
    assert_true(
        block_ask_allocated(disks_node(disks, SRC), NULL, false, 0, CHUNK, &answer, NULL, NULL));
    assert_int_equal(answer.ret, -EIO);
    assert_int_equal(block_reads_zero(disks_node(disks, DST)), -EIO);
    assert_int_equal(block_set_backing(disks_node(disks, DST), disks_node(disks, SRC)), -EIO);
    assert_null(block_backing(disks_node(disks, DST)));
    assert_int_equal(disks_event(disks, EVENT_GRAPH_BACKING, 0)->ret, -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_inquiry_tells_data_from_zeroes_from_nothing),
        DISKS_TEST(test_inquiry_of_a_raw_disk_says_all_is_allocated),
        DISKS_TEST(test_inquiry_joins_neighbours_of_one_state),
        DISKS_TEST(test_inquiry_sees_that_a_write_fills_its_clusters),
        DISKS_TEST(test_inquiry_calls_copied_zeroes_data),
        DISKS_TEST(test_inquiry_looks_down_the_open_layers),
        DISKS_TEST(test_inquiry_about_allocation_stops_at_its_base),
        DISKS_TEST(test_inquiry_samples_at_its_beginning_or_end),
        DISKS_TEST(test_inquiry_a_read_samples_when_it_is_submitted),
        DISKS_TEST(test_inquiry_a_hold_stops_a_read_that_has_sampled_at_its_end),
        DISKS_TEST(test_inquiry_fails_if_the_plan_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
