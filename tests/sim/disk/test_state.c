/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the digest of the disks must tell apart: states that differ in one thing only, and have
 * different futures because of it.  A search would take them for one state otherwise.
 */
#include <errno.h>

#include "engine/digest.h"
#include "sim/disk/cache.h"
#include "sim/disk/fault.h"
#include "sim/disk/layer.h"
#include "tests/support/disks.h"
#include "tests/support/units.h"

#define CHUNK (64 * KIB)

static uint64_t digest_of(const struct disks *disks)
{
    struct digest digest;

    digest_init(&digest);
    for (uint32_t i = 0; i < DISKS; i++) {
        node_digest(&disks->layer->nodes[i], &digest);
    }
    faults_digest(disks->layer, &digest);
    requests_digest(disks->layer, &digest);
    return digest_value(&digest);
}

/* A write now, and when it was done. */
static uint64_t end_of_write(struct disks *disks)
{
    uint64_t before = disks_count(disks, EVENT_REQUEST_DONE);

    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    return disks_event(disks, EVENT_REQUEST_DONE, before)->now_ns;
}

/* The guest is told the status of its device, and a job that ends leaves it as it is. */
static void test_state_has_the_io_status(void **state)
{
    struct disks *disks = *state;
    uint64_t ok;

    disks_open(disks);
    ok = digest_of(disks);
    block_io_status_set(disks_node(disks, SRC), IO_STATUS_FAILED);
    assert_int_not_equal(digest_of(disks), ok);
}

/* The same write ends later where the link is busy; nothing else shows that it is. */
static void test_state_has_how_long_the_link_is_busy(void **state)
{
    struct disks *disks = *state;
    uint64_t idle_ns;
    uint64_t idle;

    disks->plan->disks[SRC].bandwidth = 1000 * MIB;
    disks_open(disks);
    idle = digest_of(disks);
    idle_ns = end_of_write(disks);

    disks_open(disks);
    disks_node(disks, SRC)->link_free_ns = 7 * US;
    assert_int_not_equal(digest_of(disks), idle);
    assert_int_equal(end_of_write(disks), idle_ns + 7 * US);
}

/* A link that was busy once is as one that never was. */
static void test_state_forgets_when_the_link_was_busy(void **state)
{
    struct disks *disks = *state;
    uint64_t before;

    disks->plan->disks[SRC].bandwidth = 1000 * MIB;
    disks_open(disks);
    disks_guest(disks, OP_READ, 0, CHUNK);
    disks_run(disks);
    before = digest_of(disks);
    assert_true(disks_node(disks, SRC)->link_free_ns > 0);
    disks_node(disks, SRC)->link_free_ns = 0;
    assert_int_equal(digest_of(disks), before);
}

static int write_result(struct disks *disks)
{
    uint64_t before = disks_count(disks, EVENT_REQUEST_DONE);

    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    return disks_event(disks, EVENT_REQUEST_DONE, before)->ret;
}

/* A fault that hits twice has hit once, or not yet: the second request after it tells. */
static void test_state_has_how_often_a_fault_has_matched(void **state)
{
    struct disks *disks = *state;
    uint64_t fresh;

    disks_fault(disks, FAULT_ERROR)->error = -EIO;
    disks->plan->faults[0].times = 2;
    disks_open(disks);
    fresh = digest_of(disks);
    disks->layer->faults[0].matched = 1;
    assert_int_not_equal(digest_of(disks), fresh);
    assert_int_equal(write_result(disks), -EIO);
    assert_int_equal(write_result(disks), 0);
}

/* Whether a fault has hit decides whether the run proves anything. */
static void test_state_has_whether_a_fault_has_hit(void **state)
{
    struct disks *disks = *state;
    uint64_t fresh;

    disks_fault(disks, FAULT_ERROR)->error = -EIO;
    disks->plan->faults[0].times = 1;
    disks_open(disks);
    fresh = digest_of(disks);
    disks->layer->faults[0].hits = 1;
    assert_int_not_equal(digest_of(disks), fresh);
}

/* Two writes to one place, neither flushed. */
static uint64_t write_twice(struct disks *disks, enum op first, uint64_t *kept)
{
    uint64_t digest;

    disks_open(disks);
    disks_guest(disks, first, 0, CHUNK);
    disks_run(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    digest = digest_of(disks);
    *kept = disks_tag(disks, SRC, 0);
    return digest;
}

/*
 * The disk shows the second write either way, but a power cut may leave the first: what that was
 * is part of the state.
 */
static void test_state_has_the_tags_of_what_is_cached(void **state)
{
    struct disks *disks = *state;
    uint64_t kept[2];
    uint64_t digests[2];

    disks->plan->disks[SRC].volatile_cache = true;
    digests[0] = write_twice(disks, OP_WRITE, &kept[0]);
    digests[1] = write_twice(disks, OP_WRITE_ZEROES, &kept[1]);
    assert_int_equal(kept[0], kept[1]);
    assert_int_not_equal(digests[0], digests[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_state_has_the_io_status),
        DISKS_TEST(test_state_has_how_long_the_link_is_busy),
        DISKS_TEST(test_state_forgets_when_the_link_was_busy),
        DISKS_TEST(test_state_has_how_often_a_fault_has_matched),
        DISKS_TEST(test_state_has_whether_a_fault_has_hit),
        DISKS_TEST(test_state_has_the_tags_of_what_is_cached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
