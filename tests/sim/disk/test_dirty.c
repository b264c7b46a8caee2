/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps: which chunks are marked, when, in whose bitmap.
 */
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

static void test_dirty_is_marked_before_the_end_when_a_request_writes(void **state)
{
    static const enum event_kind order[] = {EVENT_DIRTY_CREATE, EVENT_REQUEST_SUBMIT,
                                            EVENT_REQUEST_EFFECT, EVENT_DIRTY_SET,
                                            EVENT_REQUEST_DONE};
    static const enum op ops[] = {OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD};
    struct disks *disks = *state;
    struct block_dirty *dirty;

    for (size_t i = 0; i < 3; i++) {
        disks_open(disks);
        block_dirty_create(&disks->layer->nodes[SRC], CHUNK, &dirty);
        disks_guest(disks, ops[i], CHUNK - 512, 1024);
        assert_int_equal(block_dirty_bits(dirty)->count, 0);
        disks_run(disks);
        assert_int_equal(block_dirty_bits(dirty)->count, 2);
        disks_assert_events(disks, order, 5);
    }
}

static void test_dirty_is_marked_in_every_bitmap_and_cleaned_in_one(void **state)
{
    struct disks *disks = *state;
    struct block_dirty *mine;
    struct block_dirty *other;
    struct block_node *src = &disks_open(disks)->nodes[SRC];

    block_dirty_create(src, CHUNK, &mine);
    block_dirty_create(src, 4 * KIB, &other);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    block_dirty_clear(mine, 0, CHUNK);
    assert_int_equal(block_dirty_bits(mine)->count, 0);
    assert_int_equal(block_dirty_bits(other)->count, 16);
    block_dirty_release(mine);
    assert_ptr_equal(src->dirty, other);
}

/* Events have whole chunks, clipped at the end of the disk; flushes and reads mark nothing. */
static void test_dirty_events_are_clipped_when_the_last_chunk_is_short(void **state)
{
    struct disks *disks = *state;
    struct block_dirty *dirty;
    const struct event *set;

    disks->plan->disks[SRC].bytes = CHUNK + 1024;
    disks_open(disks);
    block_dirty_create(disks_node(disks, SRC), CHUNK, &dirty);
    disks_guest(disks, OP_READ, 0, CHUNK);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(block_dirty_bits(dirty)->count, 0);
    disks_guest(disks, OP_WRITE, CHUNK + 512, 512);
    disks_run(disks);
    set = disks_event(disks, EVENT_DIRTY_SET, 0);
    assert_int_equal(set->offset, CHUNK);
    assert_int_equal(set->bytes, 1024);
    assert_int_equal(set->by, BY_GUEST);
    assert_true(bitmap_get(block_dirty_bits(dirty), 1));
}

/* A write that fails may have changed something: it marks like a successful one (S6). */
static void test_dirty_is_marked_when_a_write_fails_outside_the_disk(void **state)
{
    struct disks *disks = *state;
    struct block_dirty *dirty;

    disks_open(disks);
    block_dirty_create(disks_node(disks, SRC), CHUNK, &dirty);
    disks_guest(disks, OP_WRITE, MIB - 512, 1024);
    disks_run(disks);
    assert_true(disks_event(disks, EVENT_REQUEST_DONE, 0)->ret < 0);
    assert_int_equal(block_dirty_bits(dirty)->count, 1);
    assert_true(bitmap_get(block_dirty_bits(dirty), 15));
}

/* Marks stay, as far as the disk still extends. */
static void test_dirty_keeps_its_marks_when_the_node_is_resized(void **state)
{
    struct disks *disks = *state;
    struct block_dirty *dirty;

    disks_open(disks);
    block_dirty_create(disks_node(disks, SRC), CHUNK, &dirty);
    block_dirty_set(dirty, 0, CHUNK);
    block_dirty_set(dirty, MIB - CHUNK, CHUNK);
    assert_int_equal(block_truncate(disks_node(disks, SRC), 2 * MIB), 0);
    assert_int_equal(block_dirty_bits(dirty)->size, 32);
    assert_int_equal(block_dirty_bits(dirty)->count, 2);
    assert_int_equal(block_truncate(disks_node(disks, SRC), MIB / 2), 0);
    assert_int_equal(block_dirty_bits(dirty)->size, 8);
    assert_int_equal(block_dirty_bits(dirty)->count, 1);
    layer_check(disks->layer);
}

/* The plan's bitmaps belong to other users and exist before the job's. */
static void test_dirty_of_others_is_there_first_when_the_plan_has_it(void **state)
{
    struct bitmap_spec spec = {.granularity = 4 * KIB};
    struct disks *disks = *state;
    struct block_dirty *mine;

    disks->plan->disks[SRC].bitmaps = &spec;
    disks->plan->disks[SRC].bitmap_count = 1;
    disks_open(disks);
    assert_int_equal(disks_event(disks, EVENT_DIRTY_CREATE, 0)->by, BY_NONE);
    block_dirty_create(disks_node(disks, SRC), CHUNK, &mine);
    assert_int_equal(disks_event(disks, EVENT_DIRTY_CREATE, 1)->by, BY_JOB);
    assert_int_equal(disks_event(disks, EVENT_DIRTY_CREATE, 1)->index, 1);
    block_dirty_release(mine);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_DIRTY_SET), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_dirty_is_marked_before_the_end_when_a_request_writes),
        DISKS_TEST(test_dirty_is_marked_in_every_bitmap_and_cleaned_in_one),
        DISKS_TEST(test_dirty_events_are_clipped_when_the_last_chunk_is_short),
        DISKS_TEST(test_dirty_is_marked_when_a_write_fails_outside_the_disk),
        DISKS_TEST(test_dirty_keeps_its_marks_when_the_node_is_resized),
        DISKS_TEST(test_dirty_of_others_is_there_first_when_the_plan_has_it),
    };

    return cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
}
