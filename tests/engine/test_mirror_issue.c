/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Issuing operations (I1 to I8, R4, T): which chunks are joined, copy-on-write
 * of whole clusters, chunk buffers, and the speed limit.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* A target of 128 KiB clusters whose backing file is not open (R4). */
static struct job_spec cow_spec(struct host *host, uint64_t granularity, uint64_t cluster)
{
    struct job_spec spec = stub_spec(host);
    struct block_node *base = stub_node_add(host, "base", MIB);

    stub_source(host)->backing = base;
    stub_target(host)->names_backing = true;
    stub_target(host)->cluster = cluster;
    spec.sync = SYNC_TOP;
    spec.granularity = (int64_t)granularity;
    spec.buffer_bytes = 0;
    return spec;
}

/* ---- Plain pieces ---- */

/* I3: one operation over all that is dirty and adjacent. */
static void test_mirror_issue_joins_chunks_when_they_are_adjacent(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_allocate(stub_source(host), 0, 192 * KIB);
    stub_allocate(stub_source(host), 256 * KIB, 128 * KIB);
    stub_allocate(stub_source(host), 960 * KIB, 64 * KIB);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 192 * KIB);
    stub_find(host, OP_READ, 256 * KIB, 128 * KIB);
    stub_find(host, OP_READ, 960 * KIB, 64 * KIB);
    assert_int_equal(host->request_count, 3);
    stub_cancel(host);
}

/* I5: chunks are clean before the read is issued, so that no guest write is missed. */
static void test_mirror_issue_cleans_before_it_reads(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    assert_false(stub_is_dirty(host, 0));
    stub_guest_write(host, 0, 512);
    assert_true(stub_is_dirty(host, 0));
    stub_finish(host, OP_READ, 0, MIB, 0);
    stub_guest_write(host, 512, 512);
    stub_finish(host, OP_WRITE, 0, MIB, 0);
    stub_find(host, OP_READ, 0, 64 * KIB);
    stub_run_until_ready(host);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* D6: other users' dirty bitmaps are not touched. */
static void test_mirror_issue_leaves_other_bitmaps_alone(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);
    struct block_dirty *other;

    assert_int_equal(block_dirty_create(stub_source(host), 4096, &other), 0);
    block_dirty_set(other, 8192, 4096);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
    assert_int_equal(block_dirty_bits(other)->count, 1);
    block_dirty_release(other);
    stub_cancel(host);
}

/* I3: a chunk in flight ends the operation; I2: the job waits for it. */
static void test_mirror_issue_waits_when_the_chunk_is_in_flight(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_allocate(stub_source(host), 64 * KIB, 64 * KIB);
    stub_allocate(stub_source(host), 512 * KIB, 64 * KIB);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_guest_write(host, 0, 192 * KIB);
    stub_finish(host, OP_READ, 512 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 512 * KIB, 64 * KIB, 0);
    stub_find(host, OP_READ, 0, 64 * KIB);
    assert_int_equal(host->request_count, 2);
    stub_finish(host, OP_READ, 0, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 64 * KIB, 0);
    assert_int_equal(host->request_count, 1);
    stub_finish(host, OP_READ, 64 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 64 * KIB, 64 * KIB, 0);
    stub_find(host, OP_READ, 64 * KIB, 128 * KIB);
    stub_run_until_ready(host);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* I3: an operation takes no more chunks than there are free buffers. */
static void test_mirror_issue_stops_when_buffers_run_out(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.buffer_bytes = 320 * 1024;
    stub_allocate(stub_source(host), 0, 128 * KIB);
    stub_allocate(stub_source(host), 192 * KIB, 832 * KIB);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 128 * KIB);
    stub_find(host, OP_READ, 192 * KIB, 192 * KIB);
    assert_int_equal(host->request_count, 2);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* I4, I7: buffers are taken first in, first out. */
static void test_mirror_issue_takes_buffers_in_the_order_they_came_back(void **state)
{
    static const uint64_t chunks[] = {3, 5, 7, 9};
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.buffer_bytes = 256 * 1024;
    stub_allocate(stub_source(host), 0, 128 * KIB);
    for (size_t i = 0; i < 4; i++) {
        stub_allocate(stub_source(host), chunks[i] * 64 * KIB, 64 * KIB);
    }
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(host->requests[0].iov.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(host->requests[0].iov.index[i], i);
        assert_int_equal(host->requests[1 + i].iov.index[0], 2 + i);
    }
    stub_finish(host, OP_READ, 0, 128 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 128 * KIB, 0);
    assert_int_equal(host->requests[2].iov.index[0], 0);
    assert_int_equal(host->requests[3].iov.index[0], 1);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* I8, D8: no operation has more pieces than the platform takes. */
static void test_mirror_issue_takes_1024_chunks_at_most(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.granularity = 512;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 512 * KIB);
    stub_find(host, OP_READ, 512 * KIB, 512 * KIB);
    stub_run_until_ready(host);
    stub_assert_equal(stub_source(host), stub_target(host));
    stub_cancel(host);
}

/* I7, D7: the short last chunk leaves the in-flight bitmap like any other. */
static void test_mirror_issue_copies_short_last_chunk_again_when_dirty_again(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);
    uint64_t last = MIB - 64 * KIB;

    stub_source(host)->bytes = MIB - 1024;
    stub_allocate(stub_source(host), last, 512);
    assert_int_equal(stub_start(host, &spec), 0);
    for (int i = 0; i < 3; i++) {
        stub_finish(host, OP_READ, last, 63 * KIB, 0);
        stub_guest_write(host, MIB - 1536, 512);
        stub_finish(host, OP_WRITE, last, 63 * KIB, 0);
    }
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* ---- Whole clusters (R4) ---- */

/* A chunk is rounded outwards to its cluster, the first time only. */
static void test_mirror_issue_copies_whole_clusters_when_target_can_not_fill_them(void **state)
{
    struct host *host = *state;
    struct job_spec spec = cow_spec(host, 4096, 64 * KIB);

    stub_allocate(stub_source(host), 68 * KIB, 4096);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish(host, OP_READ, 64 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 64 * KIB, 64 * KIB, 0);
    stub_run_until_ready(host);
    stub_guest_write(host, 72 * KIB, 512);
    stub_fire(host);
    stub_find(host, OP_READ, 72 * KIB, 4096);
    stub_cancel(host);
}

/*
 * R4: no rounding if the backing file is open, none is named, or clusters are
 * no larger than chunks.
 */
static void test_mirror_issue_copies_chunks_when_target_fills_its_clusters(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = cow_spec(host, 4096, i == 2 ? 4096 : 64 * KIB);
        stub_target(host)->names_backing = i != 0;
        stub_target(host)->backing = i == 1 ? &host->nodes[2] : NULL;
        stub_allocate(stub_source(host), 68 * KIB, 4096);
        assert_int_equal(stub_start(host, &spec), 0);
        stub_find(host, OP_READ, 68 * KIB, 4096);
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* I3: a cluster is clipped at the end of the device. */
static void test_mirror_issue_clips_the_cluster_when_device_ends_in_it(void **state)
{
    struct host *host = *state;
    struct job_spec spec = cow_spec(host, 4096, 64 * KIB);

    stub_source(host)->bytes = MIB - 9 * 512;
    stub_allocate(stub_source(host), MIB - 32 * KIB, 512);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, MIB - 64 * KIB, 64 * KIB - 9 * 512);
    stub_run_until_ready(host);
    stub_guest_write(host, MIB - 10 * 512, 512);
    stub_fire(host);
    stub_find(host, OP_READ, MIB - 8192, 8192 - 9 * 512);
    stub_cancel(host);
}

/* I3: the first cluster waits for its buffers. */
static void test_mirror_issue_waits_when_buffers_do_not_hold_a_cluster(void **state)
{
    struct host *host = *state;
    struct job_spec spec = cow_spec(host, 4096, 64 * KIB);

    spec.buffer_bytes = 96 * 1024;
    stub_allocate(stub_source(host), 0, 512);
    stub_allocate(stub_source(host), 128 * KIB, 512);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 64 * KIB);
    assert_int_equal(host->request_count, 1);
    stub_finish(host, OP_READ, 0, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 64 * KIB, 0);
    stub_find(host, OP_READ, 128 * KIB, 64 * KIB);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* I3: a later cluster that does not fit ends the extension. */
static void test_mirror_issue_stops_when_the_next_cluster_does_not_fit(void **state)
{
    struct host *host = *state;
    struct job_spec spec = cow_spec(host, 4096, 64 * KIB);

    spec.buffer_bytes = 160 * 1024;
    stub_allocate(stub_source(host), 0, 192 * KIB);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 128 * KIB);
    assert_int_equal(host->request_count, 1);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/* I7: a failed write proves no allocation: the cluster is copied whole again. */
static void test_mirror_issue_copies_whole_cluster_again_when_write_failed(void **state)
{
    struct host *host = *state;
    struct job_spec spec = cow_spec(host, 4096, 64 * KIB);

    spec.on_target_error = POLICY_IGNORE;
    stub_allocate(stub_source(host), 68 * KIB, 4096);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish(host, OP_READ, 64 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 64 * KIB, 64 * KIB, -EIO);
    stub_find(host, OP_READ, 64 * KIB, 64 * KIB);
    stub_run_until_ready(host);
    stub_cancel(host);
}

/*
 * Gives both disks the content of a base: where the source has nothing
 * allocated, and everywhere on the target.
 */
static void lay_base(struct host *host)
{
    for (uint32_t i = 0; i < MIB / SECTOR_BYTES; i++) {
        stub_target(host)->content[i] = 2 * STUB_INITIAL + i;
        if (stub_source(host)->content[i] == 0) {
            stub_source(host)->content[i] = 2 * STUB_INITIAL + i;
        }
    }
}

/*
 * I8: a cluster longer than an operation is copied in windows, and the job is
 * not ready before all of it is copied; also if the device ends in it.
 */
static void test_mirror_issue_copies_all_of_a_cluster_when_longer_than_an_operation(void **state)
{
    static const uint64_t lengths[] = {MIB, MIB - 512, 600 * KIB, 512 * KIB, 200 * KIB};

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (uint64_t at = 0; at < lengths[i]; at += 100 * KIB + 512) {
            struct host *host;
            struct job_spec spec;

            stub_set_up(state);
            host = *state;
            spec = cow_spec(host, 512, MIB);
            stub_source(host)->bytes = lengths[i];
            stub_target(host)->bytes = lengths[i];
            stub_allocate(stub_source(host), at, 512);
            lay_base(host);
            assert_int_equal(stub_start(host, &spec), 0);
            stub_run_until_ready(host);
            assert_int_equal(host->bytes_read, lengths[i]);
            stub_assert_equal(stub_source(host), stub_target(host));
            stub_cancel(host);
            stub_destroy(host);
        }
    }
}

/* The same when writes of its parts fail, in any place. */
static void test_mirror_issue_copies_all_of_a_long_cluster_when_writes_fail(void **state)
{
    for (uint32_t failing = 0; failing < 4; failing++) {
        struct host *host;
        struct job_spec spec;
        uint32_t writes = 0;

        stub_set_up(state);
        host = *state;
        spec = cow_spec(host, 512, MIB);
        spec.on_target_error = POLICY_IGNORE;
        stub_allocate(stub_source(host), 700 * KIB, 512);
        lay_base(host);
        assert_int_equal(stub_start(host, &spec), 0);
        while (!stub_query(host).ready) {
            if (host->request_count > 0 && host->requests[0].op == OP_WRITE &&
                writes++ == failing) {
                stub_finish_at(host, 0, -EIO);
            } else {
                stub_step(host);
            }
        }
        stub_assert_equal(stub_source(host), stub_target(host));
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* ---- The speed limit (T) ---- */

/* I3, L6: a delay ends the extension, the operation is issued, the job sleeps. */
static void test_mirror_issue_cuts_the_operation_when_quota_is_used_up(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 960 * 1024; /* a chunk and a half per slice */
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 128 * KIB);
    assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
    stub_fire(host);
    stub_find(host, OP_READ, 128 * KIB, 64 * KIB);
    assert_int_equal(stub_timer_delay_ns(host), 100 * MS);
    stub_cancel(host);
}

/* T2 for the job: bounds what it reads in any window, with timers on time and late. */
static void test_mirror_issue_keeps_the_speed_when_device_is_fast(void **state)
{
    static const uint64_t late_ns[] = {0, 1, 37 * MS};

    for (size_t i = 0; i < 3; i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = stub_spec(host);
        spec.granularity = 4096;
        spec.speed = 1 << 20;
        assert_int_equal(stub_start(host, &spec), 0);
        while (!stub_query(host).ready) {
            uint64_t due = host->now_ns * 1024 / 1000000000 * 1024;

            assert_true(host->bytes_read <= due + 104 * KIB + 104 * KIB);
            stub_finish_copies(host);
            if (host->timer != NULL) {
                stub_fire_late(host, late_ns[i]);
            } else {
                stub_step(host);
            }
        }
        assert_true(host->now_ns >= 800 * MS);
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* T3: a ready job copies at full speed. */
static void test_mirror_issue_is_not_limited_when_ready(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 1024;
    spec.sync = SYNC_NONE;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
    stub_guest_write(host, 0, 512 * KIB);
    stub_fire(host);
    stub_find(host, OP_READ, 0, 512 * KIB);
    assert_null(host->timer);
    stub_cancel(host);
}

/* T3: a speed that is lowered while the job waits applies to the next operation. */
static void test_mirror_issue_sleeps_first_when_speed_was_lowered_in_a_wait(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 100 << 20;
    spec.buffer_bytes = 512 * 1024;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 512 * KIB);
    assert_null(host->timer);
    assert_int_equal(stub_command(host, VERB_SET_SPEED, 64 * 1024), 0);
    stub_finish(host, OP_READ, 0, 512 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 512 * KIB, 0);
    assert_int_equal(host->request_count, 0);
    assert_true(stub_timer_delay_ns(host) > 7000 * MS);
    stub_fire(host);
    assert_int_equal(host->request_count, 1);
    stub_cancel(host);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_mirror_issue_joins_chunks_when_they_are_adjacent),
        CASE(test_mirror_issue_cleans_before_it_reads),
        CASE(test_mirror_issue_leaves_other_bitmaps_alone),
        CASE(test_mirror_issue_waits_when_the_chunk_is_in_flight),
        CASE(test_mirror_issue_stops_when_buffers_run_out),
        CASE(test_mirror_issue_takes_buffers_in_the_order_they_came_back),
        CASE(test_mirror_issue_takes_1024_chunks_at_most),
        CASE(test_mirror_issue_copies_short_last_chunk_again_when_dirty_again),
        CASE(test_mirror_issue_copies_whole_clusters_when_target_can_not_fill_them),
        cmocka_unit_test(test_mirror_issue_copies_chunks_when_target_fills_its_clusters),
        CASE(test_mirror_issue_clips_the_cluster_when_device_ends_in_it),
        CASE(test_mirror_issue_waits_when_buffers_do_not_hold_a_cluster),
        CASE(test_mirror_issue_stops_when_the_next_cluster_does_not_fit),
        CASE(test_mirror_issue_copies_whole_cluster_again_when_write_failed),
        cmocka_unit_test(test_mirror_issue_copies_all_of_a_cluster_when_longer_than_an_operation),
        cmocka_unit_test(test_mirror_issue_copies_all_of_a_long_cluster_when_writes_fail),
        CASE(test_mirror_issue_cuts_the_operation_when_quota_is_used_up),
        cmocka_unit_test(test_mirror_issue_keeps_the_speed_when_device_is_fast),
        CASE(test_mirror_issue_is_not_limited_when_ready),
        CASE(test_mirror_issue_sleeps_first_when_speed_was_lowered_in_a_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
