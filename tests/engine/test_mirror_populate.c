/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Populating the dirty bitmap (R6, D3, D15): what is queried, what is marked,
 * and that commands are honoured.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* Lets the job copy; returns the chunks it reads, a bit each. */
static uint64_t copied_chunks(struct host *host)
{
    uint64_t mask = 0;

    while (host->job != NULL && !stub_query(host).ready) {
        for (uint32_t i = 0; i < host->request_count; i++) {
            const struct stub_request *request = &host->requests[i];

            for (uint64_t at = 0; request->op == OP_READ && at < request->bytes; at += 64 * KIB) {
                mask |= UINT64_C(1) << (request->offset + at) / (64 * KIB);
            }
        }
        stub_step(host);
    }
    return mask;
}

/* Exactly the chunks are copied of which at least a part is allocated. */
static void test_mirror_populate_marks_just_what_is_allocated(void **state)
{
    static const struct {
        struct stub_range ranges[3];
        uint32_t count;
        uint64_t chunks;
        uint32_t queries;
    } cases[] = {
        {{{0, 0}}, 1, 0x0000, 1},
        {{{0, 64 * KIB}}, 1, 0x0001, 2},
        {{{512, 512}}, 1, 0x0001, 3},
        {{{64 * KIB - 512, 1024}}, 1, 0x0003, 4},
        {{{MIB - 512, 512}}, 1, 0x8000, 2},
        {{{64 * KIB, 64 * KIB}, {192 * KIB, 128 * KIB}}, 2, 0x001a, 6},
        {{{4096, 4096}, {60 * KIB, 4096}, {MIB - 64 * KIB, 64 * KIB}}, 3, 0x8001, 4},
        {{{0, MIB}}, 1, 0xffff, 16},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host;
        struct job_spec spec;

        stub_set_up(state);
        host = *state;
        spec = stub_spec(host);
        for (uint32_t j = 0; j < cases[i].count; j++) {
            stub_allocate(stub_source(host), cases[i].ranges[j].offset, cases[i].ranges[j].bytes);
        }
        assert_int_equal(stub_start(host, &spec), 0);
        assert_int_equal(copied_chunks(host), cases[i].chunks);
        assert_int_equal(stub_source(host)->status_queries, cases[i].queries);
        assert_null(stub_source(host)->status_base);
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* D15: what the target holds where the source has a hole must be overwritten. */
static void test_mirror_populate_marks_everything_when_target_may_hold_data(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_target(host)->zero_init = false;
    stub_allocate(stub_source(host), 0, 64 * KIB);
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_source(host)->status_queries, 0);
    assert_int_equal(copied_chunks(host), 0xffff);
    stub_cancel(host);
}

/* Sync top queries the layers above the backing node, whatever the target holds. */
static void test_mirror_populate_asks_above_backing_when_sync_is_top(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);
    struct block_node *base = stub_node_add(host, "base", MIB);

    stub_source(host)->backing = base;
    stub_target(host)->zero_init = false;
    stub_allocate(stub_source(host), 128 * KIB, 64 * KIB);
    spec.sync = SYNC_TOP;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_ptr_equal(stub_source(host)->status_base, base);
    assert_int_equal(copied_chunks(host), 0x0004);
    stub_cancel(host);
}

/* Sync none makes no query and copies only what the guest writes. */
static void test_mirror_populate_is_left_out_when_sync_is_none(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_target(host)->zero_init = false;
    spec.sync = SYNC_NONE;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_source(host)->status_queries, 0);
    stub_find(host, OP_FLUSH, 0, 0);
    assert_int_equal(copied_chunks(host), 0);
    stub_cancel(host);
}

static void test_mirror_populate_ends_with_the_error_when_a_query_fails(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->status_ret = -EIO;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, -EIO);
    assert_int_equal(host->bytes_read, 0);
}

static void start_slowly(struct host *host)
{
    struct job_spec spec = stub_spec(host);

    stub_source(host)->slow_status = true;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_non_null(host->status_done);
    assert_int_equal(stub_source(host)->status_queries, 0);
}

/* When a slow answer is ready the query is repeated and gets that answer. */
static void test_mirror_populate_goes_on_when_a_slow_answer_comes(void **state)
{
    struct host *host = *state;

    start_slowly(host);
    assert_int_equal(copied_chunks(host), 0xffff);
    assert_int_equal(stub_source(host)->status_queries, 16);
    stub_cancel(host);
}

/* D3: the walk yields once a slice has passed. */
static void test_mirror_populate_yields_when_a_slice_has_passed(void **state)
{
    struct host *host = *state;

    start_slowly(host);
    host->now_ns += 100 * MS - 1;
    stub_answer(host);
    assert_null(host->timer);
    host->now_ns += 1;
    stub_answer(host);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    assert_null(host->status_done);
    stub_fire(host);
    assert_null(host->timer);
    assert_non_null(host->status_done);
    stub_cancel(host);
}

/* D3: after a cancel there are no more queries, and the job ends CANCELLED. */
static void test_mirror_populate_ends_when_cancelled(void **state)
{
    struct host *host = *state;

    start_slowly(host);
    stub_answer(host);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    stub_answer(host);
    assert_null(host->status_done);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 0);
    assert_int_equal(host->bytes_read, 0);
}

/* The same while it yields. */
static void test_mirror_populate_ends_at_once_when_cancelled_while_yielding(void **state)
{
    struct host *host = *state;

    start_slowly(host);
    host->now_ns += 100 * MS;
    stub_answer(host);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    assert_int_equal(stub_query(host).status, JOB_STATUS_CONCLUDING);
    stub_run_until_concluded(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
}

/* D3: a paused job parks between two queries and continues where it was. */
static void test_mirror_populate_parks_when_paused(void **state)
{
    struct host *host = *state;

    start_slowly(host);
    assert_int_equal(stub_command(host, VERB_PAUSE, 0), 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 0);
    stub_answer(host);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 1);
    assert_int_equal(stub_query(host).status, JOB_STATUS_PAUSED);
    assert_null(host->status_done);
    assert_null(host->timer);
    assert_int_equal(stub_command(host, VERB_RESUME, 0), 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_RESUMED), 1);
    assert_int_equal(copied_chunks(host), 0xffff);
    stub_cancel(host);
}

/* What the guest writes behind the walk is dirty, as everywhere. */
static void test_mirror_populate_keeps_what_the_guest_writes_meanwhile(void **state)
{
    struct host *host = *state;

    stub_allocate(stub_source(host), 512 * KIB, 64 * KIB);
    start_slowly(host);
    stub_answer(host); /* nothing is allocated up to 512 KiB */
    stub_guest_write(host, 0, 512);
    stub_guest_write(host, 900 * KIB, 512);
    assert_int_equal(copied_chunks(host), 1 | 1 << 8 | 1 << 14);
    stub_cancel(host);
}

/* An answer that reaches past the end of the chunk is used whole (D3). */
static void test_mirror_populate_counts_the_short_last_chunk(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    stub_source(host)->bytes = MIB - 1536;
    stub_allocate(stub_source(host), MIB - 2048, 512);
    assert_int_equal(stub_start(host, &spec), 0);
    stub_find(host, OP_READ, MIB - 64 * KIB, 64 * KIB - 1536);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->bytes, 64 * KIB - 1536);
    stub_run_until_ready(host);
    stub_cancel(host);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_populate_marks_just_what_is_allocated),
        CASE(test_mirror_populate_marks_everything_when_target_may_hold_data),
        CASE(test_mirror_populate_asks_above_backing_when_sync_is_top),
        CASE(test_mirror_populate_is_left_out_when_sync_is_none),
        CASE(test_mirror_populate_ends_with_the_error_when_a_query_fails),
        CASE(test_mirror_populate_goes_on_when_a_slow_answer_comes),
        CASE(test_mirror_populate_yields_when_a_slice_has_passed),
        CASE(test_mirror_populate_ends_when_cancelled),
        CASE(test_mirror_populate_ends_at_once_when_cancelled_while_yielding),
        CASE(test_mirror_populate_parks_when_paused),
        CASE(test_mirror_populate_keeps_what_the_guest_writes_meanwhile),
        CASE(test_mirror_populate_counts_the_short_last_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
