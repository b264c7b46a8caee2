/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drains: which requests wait, which are let in, and where the queue goes.
 */
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* Notes at which event of the trace the drain was reached. */
struct drain {
    const struct disks *disks;
    uint64_t calls;
    uint64_t event;              /* number of events until then */
    const struct ending *ending; /* end of a request, or NULL */
    int ended;                   /* number of its callbacks until then */
};

static void note_drained(void *opaque)
{
    struct drain *drain = opaque;

    drain->calls++;
    drain->event = drain->disks->trace.count;
    drain->ended = drain->ending != NULL ? drain->ending->calls : 0;
}

/* Queued requests run in the order in which they came, on the disk that the guest has then. */
static void test_drain_queues_the_guest_until_its_end_and_then_serves_its_disk(void **state)
{
    struct disks *disks = *state;
    struct block_node *nodes = disks_open(disks)->nodes;
    struct drain drain = {.disks = disks};

    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_false(block_drain_begin(&nodes[SRC], note_drained, &drain));
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_guest(disks, OP_WRITE, 2 * CHUNK, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_QUEUED), 2);
    disks_run(disks);
    assert_int_equal(drain.calls, 1);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 1);
    assert_true(disks_event(disks, EVENT_DRAINED, 0) > disks_event(disks, EVENT_REQUEST_DONE, 0));
    block_replace(&nodes[SRC], &nodes[DST]);
    block_drain_end(&nodes[SRC]);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 1)->request, 2);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 2)->request, 3);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 2)->node, DST);
}

static void test_drain_serves_the_job_when_the_guest_has_to_wait(void **state)
{
    static const uint32_t first = 0;
    struct disks *disks = *state;
    struct drain drain = {.disks = disks};
    struct ending ending = {.layer = disks_open(disks)};
    struct block_iov iov = {.index = &first, .count = 1};

    assert_int_equal(block_buffers_create(disks_node(disks, SRC), CHUNK, 1, &iov.buffers), 0);
    assert_true(block_drain_begin(disks_node(disks, SRC), note_drained, &drain));
    block_read(disks_node(disks, SRC), 0, CHUNK, iov, disks_done, &ending);
    disks_run(disks);
    assert_int_equal(ending.calls, 1);
    assert_int_equal(ending.ret, 0);
    assert_int_equal(drain.calls, 0);
}

/*
 * The last request's own completion comes first: DONE, its callback, then
 * DRAINED and the drain's callback.
 */
static void test_drain_is_reached_after_the_end_of_the_last_request(void **state)
{
    static const enum event_kind order[] = {
        EVENT_REQUEST_SUBMIT, EVENT_REQUEST_SUBMIT, EVENT_DRAIN_BEGIN, EVENT_REQUEST_DONE,
        EVENT_REQUEST_EFFECT, EVENT_REQUEST_DONE,   EVENT_DRAINED};
    struct disks *disks = *state;
    struct ending ending = {.layer = disks_open(disks)};
    struct drain drain = {.disks = disks, .ending = &ending};
    struct guest_request write = {.op = OP_WRITE, .bytes = CHUNK};

    guest_submit(disks->layer, &write, PLAN_NONE, disks_done, &ending);
    disks_guest(disks, OP_FLUSH, 0, 0);
    assert_false(block_drain_begin(disks_node(disks, SRC), note_drained, &drain));
    disks_run(disks);
    disks_assert_events(disks, order, 7);
    assert_int_equal(drain.calls, 1);
    assert_int_equal(drain.event, 7);
    assert_int_equal(drain.ended, 1);
}

/* A drain that ends early is not reached later. */
static void test_drain_calls_nobody_when_it_ends_before_it_is_reached(void **state)
{
    struct disks *disks = *state;
    struct drain drain = {.disks = disks};

    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_false(block_drain_begin(disks_node(disks, SRC), note_drained, &drain));
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    block_drain_end(disks_node(disks, SRC));
    assert_int_equal(disks_count(disks, EVENT_REQUEST_SUBMIT), 2);
    disks_run(disks);
    assert_int_equal(drain.calls, 0);
    assert_int_equal(disks_count(disks, EVENT_DRAINED), 0);
    assert_true(layer_guest_idle(disks->layer));
}

/* Draining one node does not affect the guest of another. */
static void test_drain_of_another_node_lets_the_guest_in(void **state)
{
    struct disks *disks = *state;
    struct drain drain = {.disks = disks};

    disks_open(disks);
    assert_true(block_drain_begin(disks_node(disks, DST), note_drained, &drain));
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_QUEUED), 0);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_SUBMIT), 1);
}

/* The next request ends a drain without a queue (D12, D13). */
static void test_drain_without_a_queue_ends_when_the_next_request_comes(void **state)
{
    static const enum event_kind order[] = {EVENT_DRAIN_BEGIN, EVENT_DRAINED, EVENT_DRAIN_END,
                                            EVENT_REQUEST_SUBMIT};
    struct disks *disks = *state;
    struct drain drain = {.disks = disks};

    disks_open(disks);
    assert_true(block_idle_begin(disks_node(disks, SRC), note_drained, &drain));
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_assert_events(disks, order, 4);
    assert_int_equal(block_in_flight(disks_node(disks, SRC)), 1);
}

static void test_drain_without_a_queue_waits_for_those_that_come_before_it_is_reached(void **state)
{
    struct disks *disks = *state;
    struct drain drain = {.disks = disks};

    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_false(block_idle_begin(disks_node(disks, SRC), note_drained, &drain));
    disks_run_until(disks, WRITE_NS - 1);
    disks_guest(disks, OP_READ, CHUNK, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_QUEUED), 0);
    disks_run(disks);
    assert_int_equal(drain.calls, 1);
    assert_true(disks_event(disks, EVENT_DRAINED, 0) > disks_event(disks, EVENT_REQUEST_DONE, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_drain_queues_the_guest_until_its_end_and_then_serves_its_disk),
        DISKS_TEST(test_drain_serves_the_job_when_the_guest_has_to_wait),
        DISKS_TEST(test_drain_is_reached_after_the_end_of_the_last_request),
        DISKS_TEST(test_drain_calls_nobody_when_it_ends_before_it_is_reached),
        DISKS_TEST(test_drain_of_another_node_lets_the_guest_in),
        DISKS_TEST(test_drain_without_a_queue_ends_when_the_next_request_comes),
        DISKS_TEST(test_drain_without_a_queue_waits_for_those_that_come_before_it_is_reached),
    };

    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
