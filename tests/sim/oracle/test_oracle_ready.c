/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "ready": silent when READY follows the flush; finds writes that no
 * flush covers and sectors that are not durable.
 */
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_ready);
    return w;
}

/* What is on the target now is durable. */
static void make_durable(struct witness *w)
{
    for (uint64_t sector = 0; sector < LENGTH / SECTOR_BYTES;) {
        struct run run;

        if (image_lookup(w->disks[DST].image, sector, LENGTH / SECTOR_BYTES, &run)) {
            image_write(w->disks[DST].durable, run);
        }
        sector += run.sectors;
    }
}

static struct witness *called_with_volatile_target(void **state)
{
    struct witness *w = *state;

    witness_disk_is_volatile(w, DST);
    return called(state);
}

static void copy_everything(struct witness *w)
{
    start(w);
    for (uint64_t offset = 0; offset < LENGTH; offset += CHUNK) {
        copy(w, offset, CHUNK);
    }
}

static void test_ready_is_silent_when_the_flush_comes_first(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 1);
}

static void test_ready_finds_a_write_when_no_flush_follows(void **state)
{
    struct witness *w = called(state);

    copy_everything(w);
    say(w, EVENT_JOB_READY);
    assert_found(w, "unflushed", "submitted after write #8 was done has succeeded");
}

static void test_ready_finds_a_write_when_the_flush_fails(void **state)
{
    struct witness *w = called(state);

    copy_everything(w);
    flush(w, -EIO);
    say(w, EVENT_JOB_READY);
    assert_found(w, "unflushed", "(4 in all)");
}

/* A flush covers the writes that were done when it was submitted, not when it finished. */
static void test_ready_finds_a_write_when_it_ends_during_the_flush(void **state)
{
    struct witness *w = called(state);
    struct ticket write;
    struct ticket ticket;

    start(w);
    write = begin_write(w, begin_read(w, 0, CHUNK));
    ticket = submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
    end_write(w, write);
    done(w, ticket, 0);
    say(w, EVENT_JOB_READY);
    assert_found(w, "unflushed", "write #2");
}

/* A failed write may have written something. */
static void test_ready_finds_a_failed_write_when_no_flush_follows(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    done(w, begin_write(w, begin_read(w, 0, CHUNK)), -EIO);
    say(w, EVENT_JOB_READY);
    assert_found(w, "unflushed", "(1 in all)");
}

static void test_ready_is_silent_when_all_is_durable(void **state)
{
    struct witness *w = called_with_volatile_target(state);

    copy_everything(w);
    make_durable(w);
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 2);
}

static void test_ready_finds_the_sector_when_a_flush_has_lied(void **state)
{
    struct witness *w = called_with_volatile_target(state);
    struct fault_spec liar = {.name = "liar", .kind = FAULT_LOST};
    struct ticket ticket;

    w->plan->faults = &liar;
    w->plan->fault_count = 1;
    copy_everything(w);
    make_durable(w);
    image_punch(w->disks[DST].durable, CHUNK + KIB, KIB);
    ticket = submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
    request_event(w, EVENT_FAULT, ticket, 0);
    done(w, ticket, 0);
    say(w, EVENT_JOB_READY);
    assert_found(w, "not-durable", "fault liar (lost) hit flush #9 of dst");
    assert_int_equal(w->verdict.findings[0].sector, (CHUNK + KIB) / SECTOR_BYTES);
}

/* What the guest writes during the flush is still owed. */
static void test_ready_is_silent_when_the_rest_is_owed(void **state)
{
    struct witness *w = called_with_volatile_target(state);
    struct ticket ticket;

    copy_everything(w);
    make_durable(w);
    ticket = submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);
    guest_write(w, CHUNK, SECTOR_BYTES);
    guest_effect(w, submit(w, BY_GUEST, SRC, OP_WRITE, 2 * CHUNK, SECTOR_BYTES));
    done(w, ticket, 0);
    say(w, EVENT_JOB_READY);
    assert_silent(w);
}

static void test_ready_finds_a_guest_write_when_it_is_done_but_not_dirty(void **state)
{
    struct witness *w = called_with_volatile_target(state);
    struct ticket write;

    copy_everything(w);
    make_durable(w);
    flush(w, 0);
    write = submit(w, BY_GUEST, SRC, OP_WRITE, CHUNK, SECTOR_BYTES);
    guest_effect(w, write);
    done(w, write, 0);
    say(w, EVENT_JOB_READY);
    assert_found(w, "not-durable", "sector 128 (64KiB)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_ready_is_silent_when_the_flush_comes_first),
        WITNESS_TEST(test_ready_finds_a_write_when_no_flush_follows),
        WITNESS_TEST(test_ready_finds_a_write_when_the_flush_fails),
        WITNESS_TEST(test_ready_finds_a_write_when_it_ends_during_the_flush),
        WITNESS_TEST(test_ready_finds_a_failed_write_when_no_flush_follows),
        WITNESS_TEST(test_ready_is_silent_when_all_is_durable),
        WITNESS_TEST(test_ready_finds_the_sector_when_a_flush_has_lied),
        WITNESS_TEST(test_ready_is_silent_when_the_rest_is_owed),
        WITNESS_TEST(test_ready_finds_a_guest_write_when_it_is_done_but_not_dirty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
