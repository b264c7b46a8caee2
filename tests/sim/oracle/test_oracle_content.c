/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "content": silent on correct copies; finds differences.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_content);
    return w;
}

/* Changes a sector of the source that the target does not get. */
static void spoil(struct witness *w, uint64_t offset)
{
    image_write(w->disks[DST].image, run_fill(DST, offset, SECTOR_BYTES));
}

static void test_content_is_silent_when_the_target_is_a_copy(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    complete(w);
    assert_silent(w);
    assert_true(w->verdict.checks > 0);
}

static void test_content_finds_the_sector_when_one_differs(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    spoil(w, CHUNK + 2 * SECTOR_BYTES);
    complete(w);
    assert_found(w, "stale-sector",
                 "sector 130 (65KiB): dst holds the initial fill of dst, src holds the initial "
                 "fill of src");
    assert_int_equal(w->verdict.findings[0].sector, 130);
    assert_int_equal(w->verdict.findings[0].disk, DST);
}

static void test_content_names_the_guest_write_when_it_is_missing(void **state)
{
    struct witness *w = called(state);
    struct action step = {.kind = DO_GUEST, .guest = {.op = OP_WRITE, .tag = "newer"}};
    struct ticket ticket;

    w->plan->steps = &step;
    w->plan->step_count = 1;
    become_ready(w);
    ticket = (struct ticket){SRC, OP_WRITE, BY_GUEST, 0, SECTOR_BYTES, ++w->requests};
    see(w, (struct event){.kind = EVENT_REQUEST_SUBMIT,
                          .by = BY_GUEST,
                          .op = OP_WRITE,
                          .request = ticket.number,
                          .index = 1});
    guest_effect(w, ticket);
    complete(w);
    assert_found(w, "stale-sector", "(tag newer), though the job completed successfully");
}

static void test_content_is_silent_when_a_job_that_failed_left_a_difference(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    spoil(w, 0);
    wind_down(w);
    conclude(w, EVENT_JOB_COMPLETED, -EIO);
    assert_silent(w);
}

static void test_content_finds_a_pivot_when_the_job_failed_or_was_cancelled(void **state)
{
    static const struct {
        enum event_kind kind;
        int ret;
        const char *says;
    } ends[] = {
        {EVENT_JOB_COMPLETED, -EIO, "the job failed with EIO at"},
        {EVENT_JOB_CANCELLED, 0, "the job was cancelled at"},
    };

    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct witness *w = called(state);

        verdict_init(&w->verdict);
        start(w);
        pivot(w, DST, SRC);
        conclude(w, ends[i].kind, ends[i].ret);
        assert_found(w, "pivot-without-success", ends[i].says);
    }
}

/* ---- What the mode promises ---- */

static void only_first_chunk_is_copied(struct witness *w)
{
    start(w);
    copy(w, 0, CHUNK);
    guest_write(w, 2 * CHUNK, SECTOR_BYTES);
    copy_content(w, 2 * CHUNK, SECTOR_BYTES);
    complete(w);
}

static void test_content_asks_for_what_was_on_top_when_the_mode_is_top(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_TOP;
    w->disks[SRC].backing = THIRD;
    w->disks[SRC].backing_open = true;
    image_write(w->disks[THIRD].image, run_fill(THIRD, 0, LENGTH));
    image_punch(w->disks[SRC].image, CHUNK, LENGTH - CHUNK);
    only_first_chunk_is_copied(w);
    assert_silent(w);
}

static void test_content_finds_what_is_missing_of_the_top_when_the_mode_is_top(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_TOP;
    w->disks[SRC].backing = THIRD;
    w->disks[SRC].backing_open = true;
    only_first_chunk_is_copied(w);
    assert_found(w, "stale-sector", "sector 128 (64KiB): dst holds zeroes");
}

static void test_content_asks_for_everything_when_the_rest_shines_through(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_TOP;
    w->disks[SRC].backing = THIRD;
    w->disks[SRC].backing_open = true;
    w->disks[DST].backing = THIRD;
    image_write(w->disks[THIRD].image, run_fill(THIRD, 0, LENGTH));
    image_punch(w->disks[SRC].image, CHUNK, LENGTH - CHUNK);
    start(w);
    copy(w, 0, CHUNK);
    spoil(w, 3 * CHUNK); /* like the rest of a cluster without copy-on-write */
    complete(w);
    assert_found(w, "stale-sector", "sector 384 (192KiB)");
}

static void test_content_asks_for_guest_writes_only_when_the_mode_is_none(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_NONE;
    start(w);
    guest_write(w, CHUNK, SECTOR_BYTES);
    copy_content(w, CHUNK, SECTOR_BYTES);
    complete(w);
    assert_silent(w);
    start(w);
    guest_write(w, 3 * CHUNK, SECTOR_BYTES);
    complete(w);
    assert_found(w, "stale-sector", "sector 384 (192KiB)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_content_is_silent_when_the_target_is_a_copy),
        WITNESS_TEST(test_content_finds_the_sector_when_one_differs),
        WITNESS_TEST(test_content_names_the_guest_write_when_it_is_missing),
        WITNESS_TEST(test_content_is_silent_when_a_job_that_failed_left_a_difference),
        WITNESS_TEST(test_content_finds_a_pivot_when_the_job_failed_or_was_cancelled),
        WITNESS_TEST(test_content_asks_for_what_was_on_top_when_the_mode_is_top),
        WITNESS_TEST(test_content_finds_what_is_missing_of_the_top_when_the_mode_is_top),
        WITNESS_TEST(test_content_asks_for_everything_when_the_rest_shines_through),
        WITNESS_TEST(test_content_asks_for_guest_writes_only_when_the_mode_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
