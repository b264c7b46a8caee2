/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "debt": silent on correct histories; finds forgotten sectors.
 */
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_debt);
    return w;
}

static void test_debt_is_silent_when_nothing_is_forgotten(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    guest_write(w, CHUNK, 4 * KIB);
    copy(w, CHUNK, CHUNK);
    complete(w);
    assert_silent(w);
    assert_true(w->verdict.checks > 0);
}

static void test_debt_is_silent_when_the_last_chunk_is_short(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = LENGTH - CHUNK + SECTOR_BYTES;
    w = called(state);
    become_ready(w);
    guest_write(w, LENGTH - CHUNK, SECTOR_BYTES);
    copy(w, LENGTH - CHUNK, SECTOR_BYTES);
    complete(w);
    assert_silent(w);
}

static void test_debt_finds_a_chunk_when_population_left_it_out(void **state)
{
    struct witness *w = called(state);

    claim(w);
    say(w, EVENT_JOB_STARTED);
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    dirty(w, EVENT_DIRTY_SET, 2 * CHUNK, LENGTH - 2 * CHUNK);
    settle(w);
    assert_silent(w); /* the timeline event may not be over yet */
    copy(w, 0, CHUNK);
    assert_found(w, "forgotten-sector", "sector 128 (64KiB) of src is neither dirty nor");
}

static void test_debt_finds_a_chunk_when_it_is_cleaned_and_not_read(void **state)
{
    struct witness *w = called(state);

    start(w);
    copy(w, 0, CHUNK);
    dirty(w, EVENT_DIRTY_CLEAR, 3 * CHUNK, CHUNK);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 384 (192KiB)");
}

static void test_debt_finds_a_chunk_when_a_failed_operation_is_not_marked(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;

    start(w);
    ticket = begin_read(w, 0, CHUNK);
    settle(w);
    done(w, ticket, -EIO);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B)");
}

static void test_debt_is_silent_when_a_failed_operation_is_marked(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;

    start(w);
    ticket = begin_write(w, begin_read(w, 0, CHUNK));
    settle(w);
    done(w, ticket, -EIO);
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    settle(w);
    assert_silent(w);
}

static void test_debt_finds_the_write_when_it_was_marked_only_before_it_took_effect(void **state)
{
    struct witness *w = called(state);
    struct ticket write;

    become_ready(w);
    write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, 4 * KIB);
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    settle(w);
    copy(w, 0, CHUNK); /* overtakes the write */
    guest_effect(w, write);
    done(w, write, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "src holds guest write #");
}

static void test_debt_is_silent_when_a_write_has_taken_effect_and_is_not_done(void **state)
{
    struct witness *w = called(state);
    struct ticket write;

    become_ready(w);
    write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, 4 * KIB);
    guest_effect(w, write);
    settle(w);
    assert_silent(w);
    guest_done(w, write);
    settle(w);
    assert_silent(w);
}

static void test_debt_finds_the_write_when_a_read_cleans_what_it_did_not_see(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;
    struct image *target = w->disks[DST].image;

    become_ready(w);
    guest_write(w, 0, SECTOR_BYTES);
    /* Against I5: cleaned only when the read is done. */
    ticket = submit(w, BY_JOB, SRC, OP_READ, 0, CHUNK);
    settle(w);
    assert_found(w, "not-cleaned", "while the chunk at 0B was still dirty");
    verdict_init(&w->verdict);
    image_write(target, (struct run){0, 1, tag_guest(w->requests, 0), 1, false});
    guest_write(w, SECTOR_BYTES, SECTOR_BYTES);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    ticket = begin_write(w, ticket);
    settle(w);
    assert_silent(w);
    request_event(w, EVENT_REQUEST_EFFECT, ticket, 0); /* the data of the read */
    done(w, ticket, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "dst holds ");
}

static void test_debt_heeds_only_the_bitmap_of_the_job(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    guest_effect(w, submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES));
    see(w, (struct event){.kind = EVENT_DIRTY_SET, .node = SRC, .index = 1, .bytes = CHUNK});
    done(w, (struct ticket){SRC, OP_WRITE, BY_GUEST, 0, SECTOR_BYTES, w->requests}, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B)");
}

static void test_debt_asks_for_what_is_promised_when_the_mode_is_none(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_NONE;
    claim(w);
    say(w, EVENT_JOB_STARTED);
    flush(w, 0);
    settle(w);
    guest_write(w, CHUNK, SECTOR_BYTES);
    copy(w, CHUNK, CHUNK);
    assert_silent(w);
    guest_effect(w, submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES));
    done(w, (struct ticket){SRC, OP_WRITE, BY_GUEST, 0, SECTOR_BYTES, w->requests}, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B)");
}

/* Ten ranges in one timeline event are more than the oracle keeps separately. */
static void test_debt_forgets_no_range_when_one_event_touches_many(void **state)
{
    struct witness *w = *state;

    w->disks[SRC].bytes = 20 * CHUNK;
    w->disks[DST].bytes = 20 * CHUNK;
    image_write(w->disks[SRC].image, run_fill(SRC, 0, 20 * CHUNK));
    w = called(state);
    start(w);
    copy(w, 19 * CHUNK, CHUNK);
    for (uint64_t i = 0; i < 9; i++) {
        begin_read(w, 2 * i * CHUNK, CHUNK);
    }
    dirty(w, EVENT_DIRTY_CLEAR, 18 * CHUNK, CHUNK);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 2304 (1152KiB)");
}

/* The target fills its clusters itself, which is wrong if its backing file is not open. */
static void test_debt_finds_the_rest_of_a_cluster_when_a_write_spoils_it(void **state)
{
    struct witness *w = called(state);
    struct ticket ticket;

    w->plan->disks[DST].cluster = 2 * CHUNK;
    start(w);
    copy(w, CHUNK, CHUNK);
    ticket = begin_write(w, begin_read(w, 0, CHUNK));
    settle(w);
    image_write(w->disks[DST].image, (struct run){CHUNK / SECTOR_BYTES, 8, TAG_ZERO, 0, false});
    end_write(w, ticket);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 128 (64KiB)");
}

/* Pieces of one request that touch the same chunk give one finding. */
static void test_debt_reports_once_when_pieces_leave_a_chunk_different(void **state)
{
    struct witness *w = called(state);
    struct ticket write;

    start(w);
    settle(w);
    write = begin_write(w, begin_read(w, 0, CHUNK));
    settle(w);
    for (uint64_t i = 0; i < 4; i++) {
        struct ticket piece = write;

        piece.offset = 2 * i * SECTOR_BYTES;
        piece.bytes = SECTOR_BYTES;
        request_event(w, EVENT_REQUEST_EFFECT, piece, 0);
    }
    done(w, write, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B) of src");
    assert_int_equal(w->verdict.finding_count, 1);
}

/* A guest write in pieces covers its chunks until it is done, and no longer. */
static void test_debt_finds_the_sector_when_a_write_in_pieces_is_done_but_not_dirty(void **state)
{
    struct witness *w = called(state);
    struct ticket write;
    struct ticket piece;

    become_ready(w);
    write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, KIB);
    piece = write;
    piece.bytes = SECTOR_BYTES;
    guest_effect(w, write);
    request_event(w, EVENT_REQUEST_EFFECT, piece, 0);
    settle(w);
    assert_silent(w);
    done(w, write, 0);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B) of src");
}

/* ---- Lies ---- */

/* A plan whose only fault is of that kind. */
static struct witness *lied_to(void **state, enum fault_kind kind)
{
    struct witness *w = *state;

    w->plan->faults = arena_alloc(w->plan->arena, sizeof(*w->plan->faults));
    w->plan->fault_count = 1;
    w->plan->faults[0] = (struct fault_spec){.name = "liar", .kind = kind};
    return called(state);
}

/* The second chunk is copied, but its write is lost. */
static void lose_copy(struct witness *w)
{
    struct ticket write = begin_write(w, begin_read(w, CHUNK, CHUNK));

    request_event(w, EVENT_FAULT, write, 0);
    done(w, write, 0);
    settle(w);
}

static void test_debt_is_silent_when_a_device_has_lost_a_write(void **state)
{
    struct witness *w = lied_to(state, FAULT_LOST);

    start(w);
    lose_copy(w);
    assert_silent(w);
    flush(w, 0);
    settle(w);
    flush(w, -EIO); /* confirmed by the flush before */
    settle(w);
    assert_silent(w);
}

/* A flush that fails has told: whatever was written since the last one may be lost. */
static void test_debt_finds_the_lost_write_when_the_flush_has_failed(void **state)
{
    struct witness *w = lied_to(state, FAULT_LOST);

    w->plan->disks[DST].volatile_cache = true;
    start(w);
    lose_copy(w);
    flush(w, -EIO);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 128 (64KiB) of src");
}

static void test_debt_finds_a_chunk_that_is_cleaned_after_the_lie(void **state)
{
    struct witness *w = lied_to(state, FAULT_LOST);

    start(w);
    lose_copy(w);
    dirty(w, EVENT_DIRTY_SET, CHUNK, CHUNK);
    settle(w);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 128 (64KiB) of src");
}

static void test_debt_is_silent_about_what_a_device_has_called_a_hole(void **state)
{
    struct witness *w = lied_to(state, FAULT_CLAIM);

    claim(w);
    say(w, EVENT_JOB_STARTED);
    see(w, (struct event){.kind = EVENT_FAULT,
                          .by = BY_JOB,
                          .node = SRC,
                          .op = OP_STATUS,
                          .offset = CHUNK,
                          .bytes = CHUNK});
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    dirty(w, EVENT_DIRTY_SET, 2 * CHUNK, LENGTH - 2 * CHUNK);
    copy(w, 0, CHUNK);
    assert_silent(w);
}

/*
 * Who believes that the target is zero may clean what it would have to zero, until it is written.
 */
static void test_debt_is_silent_when_the_target_has_been_called_zero(void **state)
{
    struct witness *w = lied_to(state, FAULT_CLAIM);

    image_punch(w->disks[SRC].image, 0, LENGTH);
    image_write(w->disks[DST].image, run_fill(DST, 0, LENGTH));
    start(w);
    see(w, (struct event){
               .kind = EVENT_FAULT, .by = BY_JOB, .node = DST, .op = OP_ALL_ZERO, .bytes = LENGTH});
    dirty(w, EVENT_DIRTY_SET, 0, LENGTH);
    copy(w, 0, CHUNK);
    dirty(w, EVENT_DIRTY_CLEAR, CHUNK, CHUNK);
    settle(w);
    assert_silent(w);
    image_write(w->disks[DST].image, run_fill(DST, 0, CHUNK));
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    dirty(w, EVENT_DIRTY_CLEAR, 0, CHUNK);
    settle(w);
    assert_found(w, "forgotten-sector", "sector 0 (0B) of src");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_debt_is_silent_when_nothing_is_forgotten),
        WITNESS_TEST(test_debt_is_silent_when_the_last_chunk_is_short),
        WITNESS_TEST(test_debt_finds_a_chunk_when_population_left_it_out),
        WITNESS_TEST(test_debt_finds_a_chunk_when_it_is_cleaned_and_not_read),
        WITNESS_TEST(test_debt_finds_a_chunk_when_a_failed_operation_is_not_marked),
        WITNESS_TEST(test_debt_is_silent_when_a_failed_operation_is_marked),
        WITNESS_TEST(test_debt_finds_the_write_when_it_was_marked_only_before_it_took_effect),
        WITNESS_TEST(test_debt_is_silent_when_a_write_has_taken_effect_and_is_not_done),
        WITNESS_TEST(test_debt_finds_the_write_when_a_read_cleans_what_it_did_not_see),
        WITNESS_TEST(test_debt_heeds_only_the_bitmap_of_the_job),
        WITNESS_TEST(test_debt_asks_for_what_is_promised_when_the_mode_is_none),
        WITNESS_TEST(test_debt_forgets_no_range_when_one_event_touches_many),
        WITNESS_TEST(test_debt_finds_the_rest_of_a_cluster_when_a_write_spoils_it),
        WITNESS_TEST(test_debt_reports_once_when_pieces_leave_a_chunk_different),
        WITNESS_TEST(test_debt_finds_the_sector_when_a_write_in_pieces_is_done_but_not_dirty),
        WITNESS_TEST(test_debt_is_silent_when_a_device_has_lost_a_write),
        WITNESS_TEST(test_debt_finds_the_lost_write_when_the_flush_has_failed),
        WITNESS_TEST(test_debt_finds_a_chunk_that_is_cleaned_after_the_lie),
        WITNESS_TEST(test_debt_is_silent_about_what_a_device_has_called_a_hole),
        WITNESS_TEST(test_debt_is_silent_when_the_target_has_been_called_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
