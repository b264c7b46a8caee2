/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What oracles of both generations judge by other rules in today's; the ledger has a file of its
 * own.
 */
#include "tests/support/witness_modern.h"

/* ---- Every oracle ---- */

static void test_oracles_of_today_are_silent_when_all_goes_well(void **state)
{
    for (size_t i = 0; oracles[i] != NULL; i++) {
        struct witness *w = modern(state, oracles[i]);
        struct ticket guest;

        w->plan->job.copy_mode = COPY_WRITE_BLOCKING;
        w->requests = 0;
        move_guest(w, BLOCK_FILTER_ID, SRC);
        modern_ready(w);
        synced(w, true);
        guest = arrive(w, OP_WRITE, 0, CHUNK);
        pass(w, guest);
        end_active(w, begin_active(w, guest), guest);
        progress_to(w, w->copied, w->copied);
        command(w, VERB_COMPLETE);
        settle(w);
        modern_run_ends(w);
        modern_pending(w);
        move_guest(w, DST, BLOCK_FILTER_ID);
        pivot(w, DST, SRC);
        modern_end(w, EVENT_JOB_COMPLETED, 0);
        modern_gone(w, JOB_STATUS_PENDING);
        end_run(w, END_CONCLUDED);
        assert_silent(w);
        image_punch(w->disks[DST].image, 0, LENGTH);
        image_write(w->disks[SRC].image, run_fill(SRC, 0, LENGTH));
    }
}

/* ---- debt ---- */

static void test_debt_covers_a_guest_write_until_its_answer(void **state)
{
    struct witness *w = modern(state, &oracle_debt);
    struct ticket guest;
    struct ticket active;

    modern_ready(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    active = begin_active(w, guest);
    settle(w); /* done on the source, and not yet on the target */
    assert_silent(w);
    done(w, active, 0); /* without effect */
    request_event(w, EVENT_ANSWERED, guest, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B) of src is neither dirty nor being copied");
}

static void test_debt_covers_taken_chunks_while_something_is_in_flight(void **state)
{
    struct witness *w = modern(state, &oracle_debt);
    struct ticket read;

    modern_start(w);
    dirty(w, EVENT_DIRTY_CLEAR, 0, 2 * CHUNK);
    read = submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK); /* the second one waits for buffers */
    settle(w);
    assert_silent(w);
    end_write(w, begin_write(w, read));
    settle(w);
    assert_found(w, "forgotten-sector", "sector 128 (64KiB)");
}

static void test_debt_finds_a_read_of_what_was_not_taken(void **state)
{
    struct witness *w = modern(state, &oracle_debt);

    modern_start(w);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    submit(w, BY_JOB, SRC, OP_READ, 0, 2 * CHUNK);
    assert_found(w, "not-cleaned", "has not marked all of that as clean");
}

static void test_debt_knows_that_prezeroing_is_not_copying(void **state)
{
    struct witness *w = modern(state, &oracle_debt);
    struct ticket zero;

    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    say(w, EVENT_JOB_STARTED);
    zero = submit(w, BY_JOB, DST, OP_WRITE_ZEROES, 0, LENGTH);
    settle(w);
    request_event(w, EVENT_REQUEST_EFFECT, zero, 0);
    done(w, zero, 0);
    settle(w);
    assert_silent(w);
    flush(w, 0); /* nothing is dirty, it says */
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B) of src");
}

/* D'1: the source reads zero where the target has a hole over what its backing holds. */
static void test_debt_lets_zeroes_be_owed_until_the_last_flush(void **state)
{
    struct witness *w = modern(state, &oracle_debt);

    image_write(w->disks[THIRD].image, run_fill(THIRD, 0, LENGTH));
    image_write(w->disks[SRC].image, (struct run){0, CHUNK / SECTOR_BYTES, TAG_ZERO, 0, false});
    w->disks[DST].backing = THIRD;
    modern_start(w);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK); /* known to be zero: nothing is written */
    settle(w);
    for (uint64_t offset = CHUNK; offset < LENGTH; offset += CHUNK) {
        copy(w, offset, CHUNK);
    }
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    settle(w);
    assert_silent(w);
    submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "dst holds the initial fill of third");
}

/* ---- content ---- */

static void test_content_believes_the_user_that_the_target_is_zero(void **state)
{
    struct witness *w = modern(state, &oracle_content);

    w->plan->job.target_is_zero = true;
    image_punch(w->disks[SRC].image, 0, CHUNK);
    image_write(w->disks[DST].image, run_fill(DST, 0, LENGTH));
    modern_start(w);
    copy_content(w, CHUNK, LENGTH - CHUNK);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);

    w = modern(state, &oracle_content);
    w->plan->job.target_is_zero = false;
    modern_start(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "stale-sector", "differ at sector 0");
}

/* The target gets the source's backing at the end: what it lacks is promised, too. */
static void test_content_sees_the_backing_that_the_job_will_set(void **state)
{
    struct witness *w = modern(state, &oracle_content);

    w->plan->job.backing_mode = BACKING_SOURCE;
    w->plan->job.sync = SYNC_NONE;
    modern_start(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);

    w = modern(state, &oracle_content);
    w->plan->job.backing_mode = BACKING_SOURCE;
    modern_start(w);
    image_write(w->disks[DST].image, (struct run){0, CHUNK / SECTOR_BYTES, TAG_ZERO, 0, true});
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "stale-sector", "differ at sector 0");
}

static void test_content_finds_a_failed_job_that_has_moved_the_guest(void **state)
{
    struct witness *w = modern(state, &oracle_content);

    modern_ready(w);
    modern_run_ends(w);
    pivot(w, DST, SRC);
    modern_end(w, EVENT_JOB_COMPLETED, -EINVAL);
    assert_found(w, "pivot-without-success", "was switched to dst, though the job failed");
}

/* ---- guest ---- */

static void test_guest_finds_a_request_without_an_answer(void **state)
{
    struct witness *w = modern(state, &oracle_guest);
    struct ticket guest = arrive(w, OP_WRITE, 0, CHUNK);

    pass(w, guest);
    done(w, guest, 0);
    end_run(w, END_CONCLUDED);
    assert_found(w, "lost-request", "never ended");

    w = modern(state, &oracle_guest);
    guest = arrive(w, OP_DISCARD, 0, CHUNK);
    request_event(w, EVENT_ANSWERED, guest, 0); /* F3 */
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

/* In a section of another user that never ends the guest waits, and that is nobody's fault. */
static void test_guest_lets_a_request_wait_in_a_section_that_never_ends(void **state)
{
    struct witness *w = modern(state, &oracle_guest);
    const struct ticket guest = {SRC, OP_WRITE, BY_GUEST, 0, CHUNK, 1};

    section(w, BY_NONE, SECTION_BEGUN, SRC);
    section(w, BY_NONE, SECTION_QUIET, SRC);
    request_event(w, EVENT_REQUEST_QUEUED, guest, 0);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
    w = modern(state, &oracle_guest);
    section(w, BY_NONE, SECTION_BEGUN, SRC);
    request_event(w, EVENT_REQUEST_QUEUED, guest, 0);
    section(w, BY_NONE, SECTION_ENDED, SRC);
    end_run(w, END_CONCLUDED);
    assert_found(w, "lost-request", "never ended");
}

/* Its backing is left closed, and will be opened by somebody else. */
static void test_guest_may_read_zeroes_where_the_target_hides_its_backing(void **state)
{
    struct witness *w = modern(state, &oracle_guest);
    struct ticket read = {DST, OP_READ, BY_GUEST, 0, CHUNK, 1};
    struct run zeroes = {0, CHUNK / SECTOR_BYTES, TAG_ZERO, 0, false};

    for (uint32_t i = 0; i < 2; i++) {
        w->disks[DST].backing = i == 0 ? THIRD : PLAN_NONE;
        w->plan->job.sync = SYNC_FULL;
        w = modern(state, &oracle_guest);
        say(w, EVENT_JOB_STARTED);
        pivot(w, DST, SRC);
        request_event(w, EVENT_ARRIVE, read, 0);
        request_event(w, EVENT_REQUEST_SUBMIT, read, 0);
        w->evidence.read_runs = &zeroes;
        w->evidence.read_run_count = 1;
        request_event(w, EVENT_REQUEST_EFFECT, read, 0);
        assert_int_equal(w->verdict.finding_count, i);
    }
}

/* ---- bounds ---- */

static struct witness *bounded(void **state)
{
    struct witness *w = modern(state, &oracle_bounds);

    modern_start(w);
    return w;
}

static void test_bounds_finds_zeroes_that_are_not_whole_chunks(void **state)
{
    struct witness *w = bounded(state);

    submit(w, BY_JOB, DST, OP_WRITE_ZEROES, 0, LENGTH - SECTOR_BYTES); /* the target is filled */
    assert_silent(w);

    w = bounded(state);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    submit(w, BY_JOB, DST, OP_WRITE_ZEROES, 0, CHUNK - SECTOR_BYTES);
    assert_found(w, "unaligned", "is not whole chunks");

    w = bounded(state);
    submit(w, BY_JOB, SRC, OP_DISCARD, 0, CHUNK);
    assert_found(w, "wrong-disk", "to src");
}

static void test_bounds_finds_shared_chunks_of_active_requests(void **state)
{
    struct witness *w = bounded(state);

    begin_read(w, 0, CHUNK);
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, SECTOR_BYTES);
    assert_found(w, "shared-chunk", "shares a chunk with one in flight at [0B, 64KiB)");

    w = bounded(state);
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, SECTOR_BYTES);
    begin_read(w, 0, CHUNK);
    assert_found(w, "shared-chunk", "Read #");

    w = bounded(state);
    w->plan->disks[DST].cluster = 2 * CHUNK; /* copies may be widened */
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, SECTOR_BYTES);
    begin_read(w, 0, CHUNK);
    assert_silent(w);
    w->plan->disks[DST].cluster = 0;
}

static void test_bounds_keeps_to_what_disks_take_at_once(void **state)
{
    struct witness *w = bounded(state);

    w->plan->disks[DST].max_segments = 2;
    begin_read(w, 0, 2 * CHUNK);
    assert_silent(w);
    w = bounded(state);
    begin_read(w, 0, 3 * CHUNK);
    assert_found(w, "too-long", "3 chunk buffers long; at most 2");
    w->plan->disks[DST].max_segments = 0;
}

static void test_bounds_finds_a_section_or_a_filter_left(void **state)
{
    struct witness *w = bounded(state);

    section(w, BY_JOB, SECTION_BEGUN, SRC);
    say(w, EVENT_BUFFERS_RELEASE);
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    say(w, EVENT_JOB_COMPLETED);
    settle(w);
    assert_found(w, "left-over", "1 drain of src was not released");

    w = bounded(state);
    move_guest(w, BLOCK_FILTER_ID, SRC);
    say(w, EVENT_BUFFERS_RELEASE);
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    say(w, EVENT_JOB_COMPLETED);
    settle(w);
    assert_found(w, "left-over", "still behind its filter");

    w = bounded(state);
    say_of(w, EVENT_GRAPH_REF, BLOCK_FILTER_ID);
    say(w, EVENT_BUFFERS_RELEASE);
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    say(w, EVENT_JOB_COMPLETED);
    settle(w);
    assert_found(w, "left-over", "on its filter 1 references");
}

/* ---- limit ---- */

static void test_limit_lets_a_buffer_go_at_once_but_no_more(void **state)
{
    struct witness *w = modern(state, &oracle_limit);

    w->plan->job.speed = 10 * CHUNK; /* a quota of a chunk */
    w->plan->job.buffer_bytes = 4 * CHUNK;
    w = modern(state, &oracle_limit);
    modern_start(w);
    for (int i = 0; i < 12; i++) {
        submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK);
    }
    submit(w, BY_ACTIVE, DST, OP_WRITE, 0, LENGTH);
    assert_silent(w);
    submit(w, BY_JOB, DST, OP_WRITE_ZEROES, 0, CHUNK);
    assert_found(w, "too-fast", "two quotas, and twice a buffer and an operation");
}

static void test_limit_stays_off_after_an_error_of_a_ready_job(void **state)
{
    struct witness *w = modern(state, &oracle_limit);

    w->plan->job.speed = 10 * CHUNK;
    w->plan->job.buffer_bytes = CHUNK;
    w = modern(state, &oracle_limit);
    modern_start(w);
    say(w, EVENT_JOB_READY);
    error_event(w, OP_READ, -EIO, ACTION_IGNORE);
    for (int i = 0; i < 99; i++) {
        submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK);
    }
    assert_silent(w);
}

/* ---- liveness ---- */

static void test_liveness_finds_a_job_that_is_never_told_to_finalize(void **state)
{
    struct witness *w = modern(state, &oracle_liveness);

    modern_ready(w);
    modern_run_ends(w);
    modern_pending(w);
    say(w, EVENT_JOB_PENDING);
    end_run(w, END_DEADLOCK);
    assert_found(w, "never-told", "still pending: nobody has told it to finalize");
}

static void test_liveness_says_which_guest_request_has_no_answer(void **state)
{
    struct witness *w = modern(state, &oracle_liveness);

    modern_start(w);
    w->evidence.now_ns = 3 * MS;
    arrive(w, OP_WRITE, 0, CHUNK);
    end_run(w, END_DEADLOCK);
    assert_found(w, "deadlock", "guest write #1 has had no answer since 3ms");
}

/* ---- naming ---- */

static void test_naming_wants_the_range_of_the_active_write_that_failed(void **state)
{
    struct witness *w = modern(state, &oracle_naming);
    struct ticket active = submit(w, BY_ACTIVE, DST, OP_WRITE, CHUNK, CHUNK);

    done(w, active, -EIO);
    error_event(w, OP_WRITE, -EIO, ACTION_REPORT);
    assert_found(w, "wrong-range", "failed at 65536 (65536 bytes)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_oracles_of_today_are_silent_when_all_goes_well),
        WITNESS_TEST(test_debt_covers_a_guest_write_until_its_answer),
        WITNESS_TEST(test_debt_covers_taken_chunks_while_something_is_in_flight),
        WITNESS_TEST(test_debt_finds_a_read_of_what_was_not_taken),
        WITNESS_TEST(test_debt_knows_that_prezeroing_is_not_copying),
        WITNESS_TEST(test_debt_lets_zeroes_be_owed_until_the_last_flush),
        WITNESS_TEST(test_content_believes_the_user_that_the_target_is_zero),
        WITNESS_TEST(test_content_sees_the_backing_that_the_job_will_set),
        WITNESS_TEST(test_content_finds_a_failed_job_that_has_moved_the_guest),
        WITNESS_TEST(test_guest_finds_a_request_without_an_answer),
        WITNESS_TEST(test_guest_lets_a_request_wait_in_a_section_that_never_ends),
        WITNESS_TEST(test_guest_may_read_zeroes_where_the_target_hides_its_backing),
        WITNESS_TEST(test_bounds_finds_zeroes_that_are_not_whole_chunks),
        WITNESS_TEST(test_bounds_finds_shared_chunks_of_active_requests),
        WITNESS_TEST(test_bounds_keeps_to_what_disks_take_at_once),
        WITNESS_TEST(test_bounds_finds_a_section_or_a_filter_left),
        WITNESS_TEST(test_limit_lets_a_buffer_go_at_once_but_no_more),
        WITNESS_TEST(test_limit_stays_off_after_an_error_of_a_ready_job),
        WITNESS_TEST(test_liveness_finds_a_job_that_is_never_told_to_finalize),
        WITNESS_TEST(test_liveness_says_which_guest_request_has_no_answer),
        WITNESS_TEST(test_naming_wants_the_range_of_the_active_write_that_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
