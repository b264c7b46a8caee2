/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "guest": silent on honest disks; finds wrong reads, wrong disks and
 * lost requests.
 */
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_guest);
    return w;
}

/* The guest reads what the disk holds now; or `run` instead, if given. */
static void guest_read(struct witness *w, uint8_t node, uint64_t offset, uint64_t bytes,
                       const struct run *run)
{
    struct ticket ticket = submit(w, BY_GUEST, node, OP_READ, offset, bytes);
    struct run runs[16];
    uint32_t count = 0;
    uint64_t end = (offset + bytes) / SECTOR_BYTES;

    settle(w);
    for (uint64_t sector = offset / SECTOR_BYTES; sector < end; count++) {
        image_lookup(w->disks[node].image, sector, end, &runs[count]);
        sector += runs[count].sectors;
    }
    w->evidence.read_runs = run != NULL ? run : runs;
    w->evidence.read_run_count = run != NULL ? 1 : count;
    request_event(w, EVENT_REQUEST_EFFECT, ticket, 0);
    w->evidence.read_run_count = 0;
    done(w, ticket, 0);
    settle(w);
}

static void test_guest_is_silent_when_reads_return_the_latest_writes(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    guest_read(w, SRC, 0, LENGTH, NULL);
    guest_write(w, CHUNK, 4 * KIB);
    guest_write(w, CHUNK + 2 * KIB, 4 * KIB);
    guest_read(w, SRC, 0, LENGTH, NULL);
    copy(w, CHUNK, CHUNK);
    complete(w);
    guest_read(w, DST, 0, LENGTH, NULL);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 3);
}

static void test_guest_finds_the_sector_when_a_read_returns_old_data(void **state)
{
    struct witness *w = called(state);
    struct run old = run_fill(SRC, CHUNK, 4 * KIB);

    guest_write(w, CHUNK + KIB, SECTOR_BYTES);
    guest_read(w, SRC, CHUNK, 4 * KIB, &old);
    assert_found(w, "wrong-data",
                 "got the initial fill of src at sector 130 (65KiB) of src at 0s, but the "
                 "latest there is guest write #1");
    assert_int_equal(w->verdict.findings[0].sector, 130);
}

/*
 * A write that has taken effect may be read before it is acknowledged; after
 * that the old content must not be read again.
 */
static void test_guest_takes_a_write_from_the_instant_of_its_effect(void **state)
{
    struct witness *w = called(state);
    struct run old = run_fill(SRC, 0, SECTOR_BYTES);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);

    guest_read(w, SRC, 0, SECTOR_BYTES, &old);
    guest_effect(w, write);
    guest_read(w, SRC, 0, SECTOR_BYTES, NULL);
    assert_silent(w);
    guest_read(w, SRC, 0, SECTOR_BYTES, &old);
    assert_found(w, "wrong-data", "but the latest there is guest write #1");
}

static void test_guest_finds_zeroes_missing_after_a_discard(void **state)
{
    struct witness *w = called(state);
    struct run old = run_fill(SRC, 0, SECTOR_BYTES);

    request_event(w, EVENT_REQUEST_EFFECT, submit(w, BY_GUEST, SRC, OP_DISCARD, 0, SECTOR_BYTES),
                  0);
    guest_read(w, SRC, 0, SECTOR_BYTES, &old);
    assert_found(w, "wrong-data", "but the latest there is zeroes");
}

static void test_guest_finds_a_lost_write_after_the_pivot(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    guest_write(w, 0, SECTOR_BYTES);
    complete(w);
    guest_read(w, DST, 0, LENGTH, NULL);
    assert_found(w, "wrong-data", "at sector 0 (0B) of dst");
}

static void test_guest_knows_only_what_was_promised_after_the_pivot(void **state)
{
    struct witness *w = called(state);

    w->plan->job.sync = SYNC_NONE;
    say(w, EVENT_JOB_STARTED);
    guest_write(w, CHUNK, SECTOR_BYTES);
    pivot(w, DST, SRC);
    guest_read(w, DST, 0, CHUNK, NULL);
    guest_read(w, DST, CHUNK + SECTOR_BYTES, CHUNK, NULL);
    assert_silent(w);
    guest_read(w, DST, CHUNK, SECTOR_BYTES, NULL);
    assert_found(w, "wrong-data", "at sector 128 (64KiB) of dst");
}

static void test_guest_finds_a_request_to_the_old_disk_after_the_pivot(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    complete(w);
    submit(w, BY_GUEST, DST, OP_WRITE, 0, SECTOR_BYTES);
    assert_silent(w);
    submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);
    assert_found(w, "wrong-disk", "went to src at 0s, but the guest's disk is dst");
}

static void test_guest_finds_a_write_that_lands_on_the_old_disk_after_the_pivot(void **state)
{
    struct witness *w = called(state);
    struct ticket write;

    become_ready(w);
    write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);
    complete(w);
    assert_silent(w);
    guest_effect(w, write);
    assert_found(w, "left-behind",
                 "took effect on src at 0s, after the guest had been switched to dst");
}

static void test_guest_stays_when_the_pivot_replaces_another_disk(void **state)
{
    struct witness *w = called(state);

    become_ready(w);
    pivot(w, DST, THIRD);
    guest_read(w, SRC, 0, LENGTH, NULL);
    assert_silent(w);
}

static void test_guest_finds_a_request_that_never_ends(void **state)
{
    struct witness *w = called(state);

    see(w, (struct event){.kind = EVENT_REQUEST_QUEUED,
                          .by = BY_GUEST,
                          .op = OP_WRITE,
                          .request = 1,
                          .bytes = 4 * KIB});
    end_run(w, END_CONCLUDED);
    assert_found(w, "lost-request", "Guest write #1 of [0B, 4KiB) never ended");
}

static void test_guest_excuses_a_request_when_a_fault_hangs_it(void **state)
{
    struct witness *w = called(state);
    struct fault_spec fault = {.name = "dead", .kind = FAULT_HANG};
    struct ticket hung;

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    hung = submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);
    submit(w, BY_GUEST, SRC, OP_READ, 0, SECTOR_BYTES); /* waits for its lane */
    request_event(w, EVENT_FAULT, hung, 0);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
    request_event(w, EVENT_RELEASED, hung, 0);
    end_run(w, END_CONCLUDED);
    assert_found(w, "lost-request", "(2 requests in all)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_guest_is_silent_when_reads_return_the_latest_writes),
        WITNESS_TEST(test_guest_finds_the_sector_when_a_read_returns_old_data),
        WITNESS_TEST(test_guest_takes_a_write_from_the_instant_of_its_effect),
        WITNESS_TEST(test_guest_finds_zeroes_missing_after_a_discard),
        WITNESS_TEST(test_guest_finds_a_lost_write_after_the_pivot),
        WITNESS_TEST(test_guest_knows_only_what_was_promised_after_the_pivot),
        WITNESS_TEST(test_guest_finds_a_request_to_the_old_disk_after_the_pivot),
        WITNESS_TEST(test_guest_finds_a_write_that_lands_on_the_old_disk_after_the_pivot),
        WITNESS_TEST(test_guest_stays_when_the_pivot_replaces_another_disk),
        WITNESS_TEST(test_guest_finds_a_request_that_never_ends),
        WITNESS_TEST(test_guest_excuses_a_request_when_a_fault_hangs_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
