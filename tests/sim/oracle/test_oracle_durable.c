/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "durable": silent when a power cut takes only what nobody relies on; finds
 * the loss of what was flushed or promised at READY, and what is not flushed at the
 * end.
 */
#include "tests/support/witness.h"

/* Both disks have volatile caches; what they hold at first is durable. */
static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_disk_is_volatile(w, SRC);
    witness_disk_is_volatile(w, DST);
    image_write(w->disks[SRC].durable, run_fill(SRC, 0, LENGTH));
    witness_call(w, &oracle_durable);
    return w;
}

static void guest_flush(struct witness *w, uint8_t node)
{
    done(w, submit(w, BY_GUEST, node, OP_FLUSH, 0, 0), 0);
}

/* A power cut after which one sector of a disk holds something else. */
static void power_cut(struct witness *w, uint8_t node, uint64_t sector, uint64_t tag)
{
    image_write(w->disks[node].image, (struct run){sector, 1, tag, 1, false});
    see(w, (struct event){.kind = EVENT_POWER_CUT, .node = node});
}

static void test_durable_is_silent_when_an_unflushed_write_is_lost(void **state)
{
    struct witness *w = called(state);

    guest_write(w, 0, KIB);
    power_cut(w, SRC, 1, tag_fill(SRC, 1));
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 1);
}

static void test_durable_finds_a_flushed_write_when_it_is_lost(void **state)
{
    struct witness *w = called(state);

    guest_write(w, 0, KIB);
    guest_flush(w, SRC);
    power_cut(w, SRC, 1, tag_fill(SRC, 1));
    assert_found(w, "lost-flushed", "relies on guest write #1 at sector 1 (512B) of its disk src");
}

static void test_durable_is_silent_when_a_later_write_is_there_instead(void **state)
{
    struct witness *w = called(state);

    guest_write(w, 0, KIB);
    guest_flush(w, SRC);
    guest_write(w, 0, SECTOR_BYTES);
    power_cut(w, SRC, 1, tag_guest(1, 1));
    power_cut(w, SRC, 0, tag_guest(3, 0));
    assert_silent(w);
}

static void test_durable_finds_garbage_when_nobody_has_written_it(void **state)
{
    struct witness *w = called(state);

    guest_write(w, 0, KIB);
    power_cut(w, SRC, 1, tag_guest(9, 1));
    assert_found(w, "lost-flushed", "relies on the initial fill of src at sector 1");
}

/* A flush does not cover writes acknowledged after it was submitted. */
static void test_durable_is_silent_when_the_flush_came_too_soon(void **state)
{
    struct witness *w = called(state);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, KIB);
    struct ticket ticket;

    guest_effect(w, write);
    ticket = submit(w, BY_GUEST, SRC, OP_FLUSH, 0, 0);
    done(w, write, 0);
    done(w, ticket, 0);
    power_cut(w, SRC, 1, tag_fill(SRC, 1));
    assert_silent(w);
}

static void test_durable_is_silent_when_the_flush_or_the_write_failed(void **state)
{
    struct witness *w = called(state);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);

    guest_effect(w, write);
    done(w, write, -EIO);
    guest_flush(w, SRC);
    guest_write(w, SECTOR_BYTES, SECTOR_BYTES);
    done(w, submit(w, BY_GUEST, SRC, OP_FLUSH, 0, 0), -EIO);
    image_write(w->disks[SRC].image, run_fill(SRC, 0, SECTOR_BYTES));
    power_cut(w, SRC, 1, tag_fill(SRC, 1));
    assert_silent(w);
}

/*
 * Where writes overlap, the order of their effects counts, not the order of the
 * flushes that cover them.
 */
static void test_durable_finds_an_overlapped_write_when_it_comes_back(void **state)
{
    struct witness *w = called(state);
    struct ticket older = submit(w, BY_GUEST, SRC, OP_WRITE, 0, KIB);

    guest_effect(w, older);
    guest_write(w, 0, SECTOR_BYTES);
    guest_flush(w, SRC);
    done(w, older, 0);
    guest_flush(w, SRC);
    power_cut(w, SRC, 1, tag_guest(1, 1));
    assert_silent(w);
    power_cut(w, SRC, 0, tag_guest(1, 0));
    assert_found(w, "lost-flushed", "relies on guest write #2 at sector 0");
}

static void test_durable_finds_the_old_disk_s_data_when_the_new_one_loses_it(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    image_write(w->disks[DST].durable, run_fill(SRC, 0, LENGTH));
    complete(w);
    power_cut(w, DST, 7, tag_fill(DST, 7));
    assert_found(w, "lost-flushed", "relies on the initial fill of src at sector 7");
}

static void test_durable_finds_what_ready_promised_when_it_is_lost(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    power_cut(w, DST, 200, tag_fill(DST, 200));
    assert_found(w, "lost-after-ready", "dst held the initial fill of src at sector 200");
}

static void test_durable_is_silent_when_it_was_written_after_ready(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    guest_write(w, CHUNK, SECTOR_BYTES);
    copy(w, CHUNK, CHUNK);
    power_cut(w, DST, 128, tag_fill(SRC, 128));
    assert_silent(w);
}

static void test_durable_finds_the_target_when_the_job_succeeds_unflushed(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    image_write(w->disks[DST].durable, run_fill(SRC, 0, LENGTH));
    image_punch(w->disks[DST].durable, CHUNK, SECTOR_BYTES);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "not-durable", "what dst holds at sector 128 (64KiB)");
}

static void test_durable_is_silent_when_the_job_succeeds_flushed(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    image_write(w->disks[DST].durable, run_fill(SRC, 0, LENGTH));
    complete(w);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 1);
}

/* Only what the sync mode promises must be durable. */
static void test_durable_is_silent_when_nothing_was_promised(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_NONE;
    become_ready(w);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);
}

/* Acknowledged writes and flushes count, even if the device lied. */
static void test_durable_finds_a_flushed_write_that_never_took_effect(void **state)
{
    struct witness *w = called(state);

    done(w, submit(w, BY_GUEST, SRC, OP_WRITE, 0, KIB), 0);
    guest_flush(w, SRC);
    power_cut(w, SRC, 0, tag_fill(SRC, 0));
    assert_found(w, "lost-flushed", "relies on guest write #1");
}

static void test_durable_relies_on_nothing_more_when_another_disk_loses_power(void **state)
{
    struct witness *w = called(state);

    guest_write(w, 0, KIB);
    power_cut(w, DST, 0, tag_fill(DST, 0));
    power_cut(w, SRC, 1, tag_fill(SRC, 1));
    assert_silent(w);
}

/* The job cannot know what the target lost before READY, so the guest cannot rely on it. */
static void test_durable_begins_again_when_the_target_lost_power_before_the_pivot(void **state)
{
    struct witness *w = called(state);

    start(w);
    copy(w, 0, LENGTH);
    power_cut(w, DST, 7, tag_fill(DST, 7));
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    complete(w);
    power_cut(w, DST, 7, tag_fill(DST, 7));
    assert_silent(w);
}

static void test_durable_forgets_what_was_not_promised_at_the_pivot(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_NONE;
    say(w, EVENT_JOB_STARTED);
    complete(w);
    power_cut(w, DST, 7, tag_fill(DST, 7));
    assert_silent(w);
}

/* A commit may have copied to the base, and so show to the guest, what the top has lost. */
static void test_durable_is_silent_when_a_commit_brings_back_what_was_lost(void **state)
{
    struct witness *w = called(state);

    w->plan->job.kind = JOB_COMMIT;
    start(w);
    guest_write(w, 0, SECTOR_BYTES);
    power_cut(w, SRC, 0, tag_fill(SRC, 0));
    power_cut(w, SRC, 0, tag_guest(1, 0));
    assert_silent(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_durable_is_silent_when_an_unflushed_write_is_lost),
        WITNESS_TEST(test_durable_finds_a_flushed_write_when_it_is_lost),
        WITNESS_TEST(test_durable_is_silent_when_a_later_write_is_there_instead),
        WITNESS_TEST(test_durable_finds_garbage_when_nobody_has_written_it),
        WITNESS_TEST(test_durable_is_silent_when_the_flush_came_too_soon),
        WITNESS_TEST(test_durable_is_silent_when_the_flush_or_the_write_failed),
        WITNESS_TEST(test_durable_finds_an_overlapped_write_when_it_comes_back),
        WITNESS_TEST(test_durable_finds_the_old_disk_s_data_when_the_new_one_loses_it),
        WITNESS_TEST(test_durable_finds_what_ready_promised_when_it_is_lost),
        WITNESS_TEST(test_durable_is_silent_when_it_was_written_after_ready),
        WITNESS_TEST(test_durable_finds_the_target_when_the_job_succeeds_unflushed),
        WITNESS_TEST(test_durable_is_silent_when_the_job_succeeds_flushed),
        WITNESS_TEST(test_durable_is_silent_when_nothing_was_promised),
        WITNESS_TEST(test_durable_finds_a_flushed_write_that_never_took_effect),
        WITNESS_TEST(test_durable_relies_on_nothing_more_when_another_disk_loses_power),
        WITNESS_TEST(test_durable_begins_again_when_the_target_lost_power_before_the_pivot),
        WITNESS_TEST(test_durable_forgets_what_was_not_promised_at_the_pivot),
        WITNESS_TEST(test_durable_is_silent_when_a_commit_brings_back_what_was_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
