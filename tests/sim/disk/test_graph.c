/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The graph: links, lengths, references, and the pivot.
 */
#include <errno.h>

#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* Parents of the old node and the guest get the new one; the new node's own link stays. */
static void test_graph_gives_parents_and_guest_the_new_node_when_it_is_replaced(void **state)
{
    struct disks *disks = *state;
    struct block_node *nodes;

    disks->plan->disks[THIRD].backing = SRC;
    disks->plan->disks[THIRD].backing_open = true;
    disks->plan->disks[DST].backing = SRC;
    disks->plan->disks[DST].backing_open = true;
    nodes = disks_open(disks)->nodes;
    block_replace(&nodes[SRC], &nodes[DST]);
    assert_ptr_equal(block_backing(&nodes[THIRD]), &nodes[DST]);
    assert_ptr_equal(block_backing(&nodes[DST]), &nodes[SRC]);
    assert_int_equal(disks->layer->guest_node, DST);
    assert_int_equal(disks_event(disks, EVENT_GRAPH_PIVOT, 0)->node, DST);
    assert_int_equal(disks_event(disks, EVENT_GRAPH_PIVOT, 0)->index, SRC);
    layer_check(disks->layer);
}

/* Replacing a node that the guest does not use does not move the guest. */
static void test_graph_leaves_the_guest_alone_when_another_node_is_replaced(void **state)
{
    struct disks *disks = *state;
    struct block_node *nodes = disks_open(disks)->nodes;

    block_replace(&nodes[THIRD], &nodes[DST]);
    assert_int_equal(disks->layer->guest_node, SRC);
}

/* A lookup from before a change of links is not reused. */
static void test_graph_makes_lookups_stale_when_a_link_changes(void **state)
{
    struct disks *disks = *state;
    struct block_node *nodes;
    uint64_t extent;

    disks->plan->disks[DST].backing = SRC;
    nodes = disks_open(disks)->nodes;
    assert_int_equal(block_status_above(&nodes[DST], NULL, 0, 512, &extent, NULL, NULL), 0);
    assert_int_equal(block_open_backing(&nodes[DST]), 0);
    assert_int_equal(block_status_above(&nodes[DST], NULL, 0, 512, &extent, NULL, NULL), 1);
    assert_int_equal(disks_tag(disks, DST, 512), tag_fill(SRC, 1));
    block_unlink_backing(&nodes[DST]);
    assert_int_equal(block_status_above(&nodes[DST], NULL, 0, 512, &extent, NULL, NULL), 0);
    assert_int_equal(disks_tag(disks, DST, 512), TAG_ZERO);
    assert_true(block_names_backing(&nodes[DST]));
}

/* A disk that shrinks and grows again reads zero, or its backing, in the part that was cut off. */
static void test_graph_forgets_what_is_cut_off_when_a_disk_is_truncated(void **state)
{
    struct disks *disks = *state;
    struct block_node *src = &disks_open(disks)->nodes[SRC];

    assert_int_equal(block_truncate(src, CHUNK), 0);
    layer_check(disks->layer);
    assert_int_equal(block_truncate(src, MIB), 0);
    assert_int_equal(disks_tag(disks, SRC, CHUNK - 512), tag_fill(SRC, CHUNK / 512 - 1));
    assert_int_equal(disks_tag(disks, SRC, CHUNK), TAG_ZERO);
    assert_int_equal(image_allocated_bytes(src->disk.image), CHUNK);
}

/* Every change of a reference count is an event with the new count. */
static void test_graph_tells_the_count_when_references_change(void **state)
{
    static const enum event_kind order[] = {EVENT_GRAPH_REF, EVENT_GRAPH_BLOCK, EVENT_GRAPH_UNBLOCK,
                                            EVENT_GRAPH_UNREF};
    struct disks *disks = *state;
    struct block_node *src = &disks_open(disks)->nodes[SRC];

    block_ref(src);
    block_op_block_all(src);
    assert_true(block_is_blocked(src));
    block_op_unblock_all(src);
    assert_false(block_is_blocked(src));
    block_unref(src);
    disks_assert_events(disks, order, 4);
    assert_int_equal(disks_event(disks, EVENT_GRAPH_REF, 0)->bytes, 2);
    assert_int_equal(disks_event(disks, EVENT_GRAPH_UNREF, 0)->bytes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_graph_gives_parents_and_guest_the_new_node_when_it_is_replaced),
        DISKS_TEST(test_graph_leaves_the_guest_alone_when_another_node_is_replaced),
        DISKS_TEST(test_graph_makes_lookups_stale_when_a_link_changes),
        DISKS_TEST(test_graph_forgets_what_is_cut_off_when_a_disk_is_truncated),
        DISKS_TEST(test_graph_tells_the_count_when_references_change),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
