/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a job (S1 to S8) and what precedes its loop (R1 to R5): a refused
 * start leaves nothing behind, an accepted one runs at once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* Asserts that a refused start has left no visible trace (stub_tear_down() checks more). */
static void assert_refused(struct host *host, const struct job_spec *spec, enum job_refusal refusal,
                           int error)
{
    assert_int_equal(stub_start(host, spec), error);
    assert_int_equal(host->error.refusal, refusal);
    assert_true(host->error.text[0] != '\0');
    assert_int_equal(host->event_count, 0);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(host->allocations, 0);
    assert_int_equal(stub_source(host)->bitmap_count, 0);
    assert_int_equal(stub_target(host)->on_error, 0);
    assert_false(stub_target(host)->write_cache);
    assert_false(host->concluded);
}

/* S1: the granularity is the target's cluster size, clamped; without one it is 64 KiB. */
static void test_mirror_start_chooses_granularity_when_none_is_given(void **state)
{
    static const struct {
        uint64_t cluster;
        int ret;
        uint64_t granularity;
    } cases[] = {
        {0, 0, 64 * KIB},      {512, 0, 4 * KIB},         {4 * KIB, 0, 4 * KIB},
        {8 * KIB, 0, 8 * KIB}, {64 * KIB, 0, 64 * KIB},   {MIB, 0, 64 * KIB},
        {0, -EIO, 64 * KIB},   {8 * KIB, -EIO, 64 * KIB}, {0, -ENOTSUP, 64 * KIB},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = stub_spec(host);
        spec.granularity = 0;
        stub_target(host)->cluster = cases[i].cluster;
        stub_target(host)->cluster_ret = cases[i].ret;
        assert_int_equal(stub_start(host, &spec), 0);
        assert_int_equal(stub_source(host)->bitmaps[0]->granularity, cases[i].granularity);
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* S1, S4, D1: numbers outside their range. */
static void test_mirror_start_is_refused_when_a_parameter_is_invalid(void **state)
{
    static const struct {
        int64_t granularity;
        int64_t buffer_bytes;
        int64_t speed;
        const char *names;
    } cases[] = {
        {256, 1 << 20, 0, "granularity"},   {1, 1 << 20, 0, "granularity"},
        {-512, 1 << 20, 0, "granularity"},  {1000, 1 << 20, 0, "granularity"},
        {65537, 1 << 20, 0, "granularity"}, {INT64_MIN, 1 << 20, 0, "granularity"},
        {65536, -1, 0, "buffer"},           {65536, INT64_MIN, 0, "buffer"},
        {65536, 1 << 20, -1, "speed"},      {65536, 1 << 20, INT64_MIN, "speed"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct job_spec spec = stub_spec(host);

        spec.granularity = cases[i].granularity;
        spec.buffer_bytes = cases[i].buffer_bytes;
        spec.speed = cases[i].speed;
        assert_refused(host, &spec, REFUSED_INVALID_PARAMETER, -EINVAL);
        assert_non_null(strstr(host->error.text, cases[i].names));
    }
}

/* S2: only `stop` and `enospc` need a source that tracks its I/O status. */
static void test_mirror_start_is_refused_when_source_can_not_stop(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->tracks_io_status = false;
    spec.on_source_error = POLICY_STOP;
    assert_refused(host, &spec, REFUSED_INVALID_PARAMETER, -EINVAL);
    assert_non_null(strstr(host->error.text, "on-source-error"));
    spec.on_source_error = POLICY_ENOSPC;
    assert_refused(host, &spec, REFUSED_INVALID_PARAMETER, -EINVAL);
    spec.on_source_error = POLICY_IGNORE;
    spec.on_target_error = POLICY_STOP;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_cancel(host);
}

/* S3, D18: a node in use accepts no job. */
static void test_mirror_start_is_refused_when_a_node_is_in_use(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    for (uint32_t i = 0; i < 2; i++) {
        host->nodes[i].blockers = 1;
        assert_refused(host, &spec, REFUSED_BUSY, -EBUSY);
        assert_int_equal(host->nodes[i].blockers, 1);
        host->nodes[i].blockers = 0;
    }
    spec.target = spec.source;
    assert_refused(host, &spec, REFUSED_INVALID_PARAMETER, -EINVAL);
}

/* S3, D18: both nodes are blocked for all others until the job has concluded. */
static void test_mirror_start_blocks_both_nodes_when_accepted(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);
    struct engine_job *second = NULL;
    struct job_error error;

    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_source(host)->blockers, 1);
    assert_int_equal(stub_target(host)->blockers, 1);
    assert_int_equal(mirror_engine.start(host, &spec, &second, &error), -EBUSY);
    assert_int_equal(error.refusal, REFUSED_BUSY);
    assert_null(second);
    stub_cancel(host);
}

/* S6, D2: without a dirty bitmap there is no job. */
static void test_mirror_start_is_undone_when_bitmap_can_not_be_made(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->dirty_ret = -EFBIG;
    assert_refused(host, &spec, REFUSED_FAILED, -EFBIG);
    stub_source(host)->dirty_ret = 0;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_cancel(host);
}

/* S7, and its end: tracking is off when the job is gone. */
static void test_mirror_start_prepares_target_when_accepted(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_target(host)->tracks_io_status = false;
    spec.on_target_error = POLICY_ENOSPC;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_true(stub_target(host)->write_cache);
    assert_int_equal(stub_target(host)->on_error, POLICY_ENOSPC);
    assert_true(stub_target(host)->tracks_io_status);
    stub_cancel(host);
    assert_false(stub_target(host)->tracks_io_status);
}

/* S8: the first request has been submitted when the start returns. */
static void test_mirror_start_runs_at_once_when_accepted(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_STARTED), 1);
    assert_int_equal(host->request_count, 1);
    stub_find(host, OP_READ, 0, MIB);
    assert_int_equal(stub_query(host).status, JOB_STATUS_RUNNING);
    stub_cancel(host);
}

/* S4: the speed limit already applies to the first operation. */
static void test_mirror_start_limits_the_first_operation_when_speed_is_given(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.speed = 1;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, 64 * KIB);
    assert_true(stub_timer_delay_ns(host) > 1000 * MS);
    assert_int_equal(stub_query(host).speed, 1);
    stub_cancel(host);
}

/* R2, R4, R5: a failure before the loop is the job's result. */
static void test_mirror_start_ends_with_the_error_when_set_up_fails(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);
    int *const rets[] = {&stub_source(host)->getlength_ret, &stub_target(host)->cluster_ret,
                         &stub_source(host)->buffers_ret};

    stub_target(host)->names_backing = true;
    for (size_t i = 0; i < COUNT_OF(rets); i++) {
        *rets[i] = -ENXIO;
        host->concluded = false;
        assert_int_equal(stub_start(host, &spec), 0);
        assert_false(host->concluded);
        assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
        stub_fire(host);
        assert_true(host->concluded);
        assert_int_equal(host->ret, -ENXIO);
        assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->ret, -ENXIO);
        *rets[i] = 0;
    }
}

/* R4, D19: a target that cannot tell its cluster size is treated as having none. */
static void test_mirror_start_goes_on_when_cluster_size_is_unknown(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_target(host)->names_backing = true;
    stub_target(host)->cluster_ret = -ENOTSUP;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, MIB);
    stub_cancel(host);
}

/* S5, R5: the buffer is rounded up to whole chunks, at least one. */
static void test_mirror_start_rounds_buffer_up_when_it_is_no_multiple(void **state)
{
    static const struct {
        int64_t buffer_bytes;
        uint64_t first_read;
    } cases[] = {
        {0, 64 * KIB},
        {1, 64 * KIB},
        {64 * 1024, 64 * KIB},
        {64 * 1024 + 1, 128 * KIB},
        {320 * 1024 - 512, 320 * KIB},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = stub_spec(host);
        spec.buffer_bytes = cases[i].buffer_bytes;
        assert_int_equal(stub_start(host, &spec), 0);
        stub_find(host, OP_READ, 0, cases[i].first_read);
        assert_int_equal(host->request_count, 1);
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* S5: an absurdly large buffer ends the job; its size does not wrap. */
static void test_mirror_start_ends_when_buffer_is_huge(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.granularity = 512;
    spec.buffer_bytes = INT64_MAX;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, -ENOMEM);
}

/* A chunk longer than the device is one short chunk. */
static void test_mirror_start_copies_one_short_chunk_when_granularity_is_huge(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.granularity = 16 << 20;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, 0, MIB);
    stub_run_until_ready(host);
    assert_int_equal(stub_query(host).offset, MIB);
    assert_int_equal(stub_query(host).len, MIB);
    stub_cancel(host);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_start_chooses_granularity_when_none_is_given),
        CASE(test_mirror_start_is_refused_when_a_parameter_is_invalid),
        CASE(test_mirror_start_is_refused_when_source_can_not_stop),
        CASE(test_mirror_start_is_refused_when_a_node_is_in_use),
        CASE(test_mirror_start_blocks_both_nodes_when_accepted),
        CASE(test_mirror_start_is_undone_when_bitmap_can_not_be_made),
        CASE(test_mirror_start_prepares_target_when_accepted),
        CASE(test_mirror_start_runs_at_once_when_accepted),
        CASE(test_mirror_start_limits_the_first_operation_when_speed_is_given),
        CASE(test_mirror_start_ends_with_the_error_when_set_up_fails),
        CASE(test_mirror_start_goes_on_when_cluster_size_is_unknown),
        cmocka_unit_test(test_mirror_start_rounds_buffer_up_when_it_is_no_multiple),
        CASE(test_mirror_start_ends_when_buffer_is_huge),
        CASE(test_mirror_start_copies_one_short_chunk_when_granularity_is_huge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
