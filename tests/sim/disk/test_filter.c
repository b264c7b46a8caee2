/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job's filter: arrival, passing, copies, answers; going in and out.
 */
#include <errno.h>

#include "engine/interposer.h"
#include "engine/zeroes.h"
#include "sim/disk/section.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* An engine: it keeps what arrives, or passes it on and copies it to the target. */
struct toy {
    struct disks *disks;
    struct block_node *filter;
    struct interposed *kept;
    int arrivals;
    uint32_t in_flight; /* at the first arrival */
    int quiets;
    bool keeps;
    bool copies;
};

static void quiet(void *opaque)
{
    ((struct toy *)opaque)->quiets++;
}

static void copied(void *opaque, int ret)
{
    interposed_finish(opaque, ret);
}

static void passed(void *opaque, int ret)
{
    struct interposed *request = opaque;
    struct interposed_info info = interposed_info(request);
    struct toy *toy = interposed_context(request);

    if (ret < 0 || !toy->copies) {
        interposed_finish(request, ret);
    } else {
        interposed_copy(request, disks_node(toy->disks, DST), info.offset + info.bytes / 2,
                        info.bytes / 2, copied, request);
    }
}

static void arrived(void *opaque, struct interposed *request)
{
    struct toy *toy = opaque;

    if (toy->arrivals++ == 0) {
        toy->in_flight = toy->disks->layer->guest_in_flight;
    }
    interposed_set_context(request, toy);
    if (toy->keeps) {
        toy->kept = request;
    } else {
        interposed_pass(request, passed, request);
    }
}

static const struct interposer interposer = {arrived};

/* Disks of today's generation, with the toy's filter on the source. */
static struct toy open_filtered(struct disks *disks)
{
    struct toy toy = {.disks = disks};

    disks->plan->generation = GENERATION_MODERN;
    disks_open(disks);
    return toy;
}

static void insert(struct toy *toy)
{
    struct block_node *source = disks_node(toy->disks, SRC);

    block_section_begin(source, quiet, toy);
    assert_int_equal(block_filter_insert(source, NULL, &interposer, toy, &toy->filter), 0);
    block_section_end(source);
}

static void take_out(struct toy *toy)
{
    struct block_node *filter = toy->filter;

    block_section_begin(filter, quiet, toy);
    block_filter_remove(filter);
    block_section_end(filter);
    block_unref(filter);
}

/* ---- Arrival ---- */

static void test_filter_sees_what_arrives_and_the_disk_what_is_passed(void **state)
{
    static const enum event_kind kinds[] = {
        EVENT_SECTION,        EVENT_SECTION,      EVENT_GUEST_MOVED,
        EVENT_SECTION,        EVENT_ARRIVE,       EVENT_REQUEST_SUBMIT,
        EVENT_REQUEST_EFFECT, EVENT_REQUEST_DONE, EVENT_ANSWERED,
    };
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);

    insert(&toy);
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_run(disks);
    disks_assert_events(disks, kinds, COUNT_OF(kinds));
    assert_int_equal(toy.arrivals, 1);
    assert_int_equal(disks_event(disks, EVENT_ARRIVE, 0)->node, BLOCK_FILTER_ID);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 0)->node, SRC);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 0)->by, BY_GUEST);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 0)->request,
                     disks_event(disks, EVENT_ARRIVE, 0)->request);
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 0)->ret, 0);
}

/* Half of the data of the guest's write, under a number of its own. */
static void test_filter_copies_the_guest_s_data_to_the_target(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    const struct event *copy;

    insert(&toy);
    toy.copies = true;
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_run(disks);
    copy = disks_event(disks, EVENT_REQUEST_SUBMIT, 1);
    assert_int_equal(copy->by, BY_ACTIVE);
    assert_int_equal(copy->node, DST);
    assert_int_equal(copy->request, 2);
    assert_int_equal(disks_tag(disks, DST, CHUNK), TAG_ZERO);
    for (uint64_t offset = CHUNK + CHUNK / 2; offset < 2 * CHUNK; offset += SECTOR_BYTES) {
        assert_int_equal(disks_tag(disks, DST, offset), disks_tag(disks, SRC, offset));
    }
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 0)->now_ns, 2 * WRITE_NS);
}

static void test_filter_copies_zeroes_as_zeroes(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);

    insert(&toy);
    toy.copies = true;
    disks_guest(disks, OP_WRITE_ZEROES, 0, CHUNK);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 1)->op, OP_WRITE_ZEROES);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 1)->detail, 0);
}

/* Beyond the end there is nothing to do: no engine, no disk is asked. */
static void test_filter_is_not_asked_beyond_the_end_or_for_discards(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);

    insert(&toy);
    disks_guest(disks, OP_WRITE, MIB - CHUNK / 2, CHUNK);
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 0)->ret, -EIO);
    disks_guest(disks, OP_DISCARD, 0, CHUNK);
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 1)->ret, 0);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_SUBMIT), 0);
    assert_int_equal(toy.arrivals, 0);
    disks->plan->filter_passes_discards = true;
    disks_guest(disks, OP_DISCARD, 0, CHUNK);
    assert_int_equal(toy.arrivals, 1);
    disks_run(disks);
    assert_true(layer_guest_idle(disks->layer));
}

/* ---- Sections ---- */

/* One that the engine keeps is in flight, though no disk has it; one that queues is not. */
static void test_filter_keeps_the_source_busy_until_the_answer(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_node *source;

    insert(&toy);
    source = disks_node(disks, SRC);
    toy.keeps = true;
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    toy.quiets = 0;
    block_section_begin(source, quiet, &toy);
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    assert_int_equal(toy.arrivals, 1);
    sections_settle(disks->layer);
    assert_int_equal(toy.quiets, 0);
    interposed_finish(toy.kept, -EIO);
    assert_int_equal(disks_event(disks, EVENT_ANSWERED, 0)->ret, -EIO);
    sections_settle(disks->layer);
    assert_int_equal(toy.quiets, 1);
    block_section_end(source);
    assert_int_equal(toy.arrivals, 2);
    interposed_finish(toy.kept, 0);
}

/* M9: what is let go counts before the first of it is seen. */
static void test_filter_sees_the_first_of_a_queue_when_all_are_in_flight(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);

    insert(&toy);
    block_section_begin(toy.filter, quiet, &toy);
    for (uint64_t i = 0; i < 3; i++) {
        disks_guest(disks, OP_WRITE, i * CHUNK, CHUNK);
    }
    block_section_end(toy.filter);
    assert_int_equal(toy.arrivals, 3);
    assert_int_equal(toy.in_flight, 3);
    disks_run(disks);
}

/* The guest's requests that wait for the filter to go in or out go to where the guest is then. */
static void test_filter_goes_in_and_out_before_the_queue_moves(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_node *source = disks_node(disks, SRC);

    block_section_begin(source, quiet, &toy);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(block_filter_insert(source, "top", &interposer, &toy, &toy.filter), 0);
    assert_ptr_equal(block_node_find(layer_host(disks->layer), "top"), toy.filter);
    assert_int_equal(block_sections(toy.filter), 1);
    block_section_end(source);
    assert_int_equal(disks_event(disks, EVENT_ARRIVE, 0)->node, BLOCK_FILTER_ID);
    disks_run(disks);
    block_section_begin(source, quiet, &toy);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    block_filter_remove(toy.filter);
    block_section_end(source);
    block_unref(toy.filter);
    assert_int_equal(disks_event(disks, EVENT_ARRIVE, 1)->node, SRC);
    assert_int_equal(toy.arrivals, 1);
    assert_null(block_node_find(layer_host(disks->layer), "top"));
    disks_run(disks);
}

static void test_filter_has_a_name_of_its_own(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_node *source = disks_node(disks, SRC);

    block_section_begin(source, quiet, &toy);
    assert_int_equal(block_filter_insert(source, "dst", &interposer, &toy, &toy.filter), -EEXIST);
    assert_int_equal(disks_count(disks, EVENT_GUEST_MOVED), 0);
    block_section_end(source);
}

/* The filter is one of the source's users: it sits on the target after a pivot, until it goes. */
static void test_filter_stays_above_through_a_pivot(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_node *source = disks_node(disks, SRC);
    struct block_node *target = disks_node(disks, DST);

    insert(&toy);
    block_section_begin(source, quiet, &toy);
    block_section_begin(target, quiet, &toy);
    assert_true(block_can_replace(toy.filter, source));
    assert_false(block_can_replace(toy.filter, target));
    assert_int_equal(block_move_users(source, target), 0);
    assert_int_equal(disks_count(disks, EVENT_GUEST_MOVED), 1);
    assert_int_equal(disks->layer->guest_node, DST);
    assert_ptr_equal(toy.filter->below.node, target);
    block_filter_remove(toy.filter);
    assert_int_equal(disks_event(disks, EVENT_GUEST_MOVED, 1)->node, DST);
    assert_int_equal(disks_event(disks, EVENT_GUEST_MOVED, 1)->index, BLOCK_FILTER_ID);
    block_section_end(target);
    block_section_end(source);
    block_unref(toy.filter);
    layer_check(disks->layer);
}

/* The target's backing is the source: that link must not become one to itself. */
static void test_filter_pivot_leaves_what_the_target_is_made_of(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_node *source = disks_node(disks, SRC);
    struct block_node *target = disks_node(disks, DST);

    block_section_begin(source, quiet, &toy);
    block_section_begin(target, quiet, &toy);
    assert_int_equal(block_set_backing(target, source), 0);
    assert_int_equal(block_set_backing(disks_node(disks, THIRD), source), 0);
    assert_int_equal(block_move_users(source, target), 0);
    assert_ptr_equal(block_backing(target), source);
    assert_ptr_equal(block_backing(disks_node(disks, THIRD)), target);
    block_section_end(target);
    block_section_end(source);
    layer_check(disks->layer);
}

/* The layer marks the bitmaps of others, and leaves a job's own one alone. */
static void test_filter_s_bitmap_is_marked_by_its_maker(void **state)
{
    struct disks *disks = *state;
    struct toy toy = open_filtered(disks);
    struct block_dirty *own;
    struct block_dirty *other;

    insert(&toy);
    assert_int_equal(block_dirty_create_own(disks_node(disks, SRC), CHUNK, &own), 0);
    assert_int_equal(block_dirty_create(disks_node(disks, SRC), CHUNK, &other), 0);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    assert_int_equal(bitmap_get(block_dirty_bits(own), 0), 0);
    assert_int_equal(bitmap_get(block_dirty_bits(other), 0), 1);
    take_out(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_filter_sees_what_arrives_and_the_disk_what_is_passed),
        DISKS_TEST(test_filter_copies_the_guest_s_data_to_the_target),
        DISKS_TEST(test_filter_copies_zeroes_as_zeroes),
        DISKS_TEST(test_filter_is_not_asked_beyond_the_end_or_for_discards),
        DISKS_TEST(test_filter_keeps_the_source_busy_until_the_answer),
        DISKS_TEST(test_filter_sees_the_first_of_a_queue_when_all_are_in_flight),
        DISKS_TEST(test_filter_goes_in_and_out_before_the_queue_moves),
        DISKS_TEST(test_filter_has_a_name_of_its_own),
        DISKS_TEST(test_filter_stays_above_through_a_pivot),
        DISKS_TEST(test_filter_pivot_leaves_what_the_target_is_made_of),
        DISKS_TEST(test_filter_s_bitmap_is_marked_by_its_maker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
