/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "ledger": silent when every fault is accounted for; finds swallowed
 * errors and lies that do harm.
 */
#include "tests/support/witness.h"

#define FAULT 0

/* The plan has one fault, of that kind. */
static struct witness *called(void **state, enum fault_kind kind)
{
    struct witness *w = *state;

    w->plan->faults = arena_alloc(w->plan->arena, sizeof(*w->plan->faults));
    w->plan->fault_count = 1;
    w->plan->faults[FAULT] = (struct fault_spec){
        .name = "culprit", .kind = kind, .error = kind == FAULT_ERROR ? -EIO : 0};
    witness_call(w, &oracle_ledger);
    return w;
}

static void hit(struct witness *w, struct ticket ticket)
{
    request_event(w, EVENT_FAULT, ticket, w->plan->faults[FAULT].error);
}

static void fail_query(struct witness *w, enum op op, int ret)
{
    see(w, (struct event){
               .kind = EVENT_FAULT, .by = BY_JOB, .node = DST, .op = (uint8_t)op, .ret = ret});
}

/* The second chunk's read or write fails, and the job says so. */
static void fail_copy(struct witness *w, enum op op)
{
    struct ticket ticket = begin_read(w, CHUNK, CHUNK);

    if (op == OP_WRITE) {
        ticket = begin_write(w, ticket);
    }
    hit(w, ticket);
    done(w, ticket, -EIO);
    error_event(w, op, -EIO, ACTION_IGNORE);
    settle(w);
}

/* ---- Errors ---- */

static void test_ledger_is_silent_when_a_failed_copy_is_made_again(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    start(w);
    fail_copy(w, OP_READ);
    fail_copy(w, OP_WRITE);
    for (uint64_t offset = 0; offset < LENGTH; offset += CHUNK / 2) {
        copy(w, offset, CHUNK / 2);
    }
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    complete(w);
    assert_silent(w);
}

static void test_ledger_finds_a_failed_copy_when_it_is_not_made_again(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    start(w);
    fail_copy(w, OP_WRITE);
    copy(w, CHUNK, CHUNK / 2);
    copy(w, 2 * CHUNK, CHUNK);
    say(w, EVENT_JOB_READY);
    assert_found(w, "swallowed", "The job's write #2 of [64KiB, 128KiB) of dst");
    assert_found(w, "swallowed", "(fault culprit); ");
    assert_int_equal(w->verdict.findings[0].sector, (CHUNK + CHUNK / 2) / SECTOR_BYTES);
}

/* A failed read cannot be made good by a write alone. */
static void test_ledger_finds_a_failed_read_when_only_the_write_follows(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    start(w);
    fail_copy(w, OP_READ);
    end_write(w, submit(w, BY_JOB, DST, OP_WRITE, CHUNK, CHUNK));
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "swallowed", "but the job completed successfully");
}

/* A request that was in flight when another failed does not make that good. */
static void test_ledger_finds_a_failed_write_when_only_an_earlier_one_succeeds(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);
    struct ticket earlier;

    start(w);
    earlier = submit(w, BY_JOB, DST, OP_WRITE, 0, LENGTH);
    fail_copy(w, OP_WRITE);
    end_write(w, earlier);
    say(w, EVENT_JOB_READY);
    assert_found(w, "swallowed", "[64KiB, 128KiB)");
}

static void test_ledger_finds_a_failed_flush_when_none_follows(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    become_ready(w);
    flush(w, -ENOSPC);
    error_event(w, OP_WRITE, -ENOSPC, ACTION_IGNORE);
    copy(w, 0, CHUNK);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "swallowed", "failed with ENOSPC");
}

static void test_ledger_is_silent_when_the_job_fails_or_is_cancelled(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    start(w);
    fail_copy(w, OP_READ);
    fail_query(w, OP_STATUS, -EIO);
    conclude(w, EVENT_JOB_COMPLETED, -EIO);
    start(w);
    fail_copy(w, OP_READ);
    conclude(w, EVENT_JOB_CANCELLED, 0);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

static void test_ledger_finds_a_failure_when_nobody_is_told(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);
    struct ticket ticket;

    start(w);
    ticket = begin_read(w, 0, CHUNK);
    hit(w, ticket);
    done(w, ticket, -EIO);
    settle(w);
    assert_found(w, "unreported", "read #1 of src failed with EIO at 0s (fault culprit)");
}

static void test_ledger_finds_a_fault_when_the_request_succeeds(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, 0, KIB);

    hit(w, write);
    done(w, write, 0);
    assert_found(w, "hidden", "Fault culprit should have failed write #1 of src with EIO");
}

static void test_ledger_finds_a_hang_when_something_is_built_on_it(void **state)
{
    struct witness *w = called(state, FAULT_HANG);
    struct ticket hung;
    struct ticket released;

    start(w);
    released = begin_read(w, 0, CHUNK);
    hit(w, released);
    hung = begin_read(w, CHUNK, CHUNK);
    hit(w, hung);
    done(w, released, 0);
    say(w, EVENT_JOB_READY);
    assert_found(w, "built-on-hang", "read #2 of src never ended (fault culprit)");
    assert_int_equal(w->verdict.finding_count, 1);
}

/* ---- Queries ---- */

static void test_ledger_finds_a_failed_query_when_the_job_goes_on(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    start(w);
    fail_query(w, OP_STATUS, -EIO);
    say(w, EVENT_JOB_READY);
    assert_found(w, "swallowed-query", "block-status of dst failed with EIO at 0s (fault culprit)");
}

static void test_ledger_is_silent_when_a_failed_query_is_refused(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    fail_query(w, OP_BITMAP, -EIO);
    see(w, (struct event){.kind = EVENT_JOB_REFUSED, .ret = -EIO});
    become_ready(w);
    fail_query(w, OP_OPEN_BACKING, -EIO);
    see(w, (struct event){.kind = EVENT_COMMAND_REFUSED, .detail = VERB_COMPLETE, .ret = -EIO});
    complete(w);
    assert_silent(w);
}

/* The first fault that hits a query decides its error. */
static void test_ledger_is_silent_when_two_faults_hit_one_query(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    become_ready(w);
    fail_query(w, OP_OPEN_BACKING, -EIO);
    fail_query(w, OP_OPEN_BACKING, -ENOSPC);
    see(w, (struct event){.kind = EVENT_COMMAND_REFUSED, .detail = VERB_COMPLETE, .ret = -EIO});
    complete(w);
    assert_silent(w);
}

/* S1, D19, C6. */
static void test_ledger_is_silent_when_a_rule_absorbs_the_query(void **state)
{
    struct witness *w = called(state, FAULT_ERROR);

    fail_query(w, OP_GET_INFO, -EIO);
    become_ready(w);
    fail_query(w, OP_GET_INFO, -ENOTSUP);
    command(w, VERB_COMPLETE);
    fail_query(w, OP_REOPEN, -EIO);
    complete(w);
    assert_silent(w);
}

/* ---- Lies ---- */

static void test_ledger_finds_a_lost_write_of_the_job(void **state)
{
    struct witness *w = called(state, FAULT_LOST);

    become_ready(w);
    image_punch(w->disks[DST].image, CHUNK, CHUNK);
    hit(w, (struct ticket){DST, OP_WRITE, BY_JOB, CHUNK, CHUNK, 4});
    complete(w);
    assert_found(w, "unnoticed", "fault culprit (lost) hit write #4 of dst ([64KiB, 128KiB))");
    assert_int_equal(w->verdict.findings[0].sector, CHUNK / SECTOR_BYTES);
}

static void test_ledger_is_silent_when_the_lost_write_is_made_again(void **state)
{
    struct witness *w = called(state, FAULT_LOST);

    become_ready(w);
    hit(w, (struct ticket){DST, OP_WRITE, BY_JOB, CHUNK, CHUNK, 4});
    complete(w);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

static void test_ledger_finds_a_lost_write_of_the_guest(void **state)
{
    struct witness *w = called(state, FAULT_LOST);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, KIB, KIB);

    hit(w, write);
    done(w, write, 0);
    end_run(w, END_CONCLUDED);
    assert_found(w, "unnoticed", "holds the initial fill of src instead of guest write #1");
}

static void test_ledger_is_silent_when_the_guest_is_told_of_it(void **state)
{
    struct witness *w = called(state, FAULT_LOST);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, KIB, KIB);

    hit(w, write);
    done(w, write, -EIO);
    end_run(w, END_CONCLUDED);
    assert_silent(w);
}

/* The place where the data went is spoiled, too, even if the request fails. */
static void test_ledger_finds_what_a_misdirected_write_has_spoiled(void **state)
{
    struct witness *w = called(state, FAULT_MISDIRECT);
    struct ticket write = submit(w, BY_GUEST, SRC, OP_WRITE, KIB, KIB);

    w->plan->faults[FAULT].bytes = 2 * CHUNK;
    hit(w, write);
    image_write(w->disks[SRC].image,
                (struct run){2 * CHUNK / SECTOR_BYTES, 2, tag_guest(write.number, 0), 1, false});
    done(w, write, -EIO);
    end_run(w, END_CONCLUDED);
    assert_found(w, "unnoticed", "sector 256 (128KiB) of src holds guest write #1");
}

static void hit_question(struct witness *w, enum event_kind kind)
{
    see(w, (struct event){.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = SRC,
                          .op = OP_STATUS,
                          .offset = CHUNK,
                          .bytes = CHUNK});
}

static void test_ledger_names_the_lie_of_an_answer(void **state)
{
    struct witness *w = called(state, FAULT_CLAIM);

    become_ready(w);
    image_punch(w->disks[DST].image, CHUNK, CHUNK);
    hit_question(w, EVENT_FAULT);
    complete(w);
    assert_found(w, "unnoticed",
                 "fault culprit (claims) hit block-status of src ([64KiB, 128KiB))");
}

static void test_ledger_finds_a_job_that_did_not_wait_for_an_answer(void **state)
{
    struct witness *w = called(state, FAULT_HANG);

    hit_question(w, EVENT_FAULT);
    hit_question(w, EVENT_RELEASED);
    become_ready(w);
    assert_silent(w);
    hit_question(w, EVENT_FAULT);
    complete(w);
    assert_found(w, "built-on-hang", "The job's block-status of src never ended (fault culprit)");
}

static void test_ledger_finds_a_guest_read_that_got_nothing(void **state)
{
    struct witness *w = called(state, FAULT_LOST);
    struct ticket ticket = submit(w, BY_GUEST, SRC, OP_READ, KIB, KIB);

    hit(w, ticket);
    done(w, ticket, 0);
    end_run(w, END_CONCLUDED);
    assert_found(w, "unnoticed",
                 "the guest's read succeeded at 0s, but returned only a part of the data");
    assert_int_equal(w->verdict.finding_count, 1);
}

static void test_ledger_finds_a_guest_read_that_got_something_else(void **state)
{
    struct witness *w = called(state, FAULT_MISDIRECT);
    struct ticket ticket = submit(w, BY_GUEST, SRC, OP_READ, KIB, KIB);
    struct run run = {KIB / SECTOR_BYTES, 2, tag_fill(SRC, 100), 1, false};

    hit(w, ticket);
    w->evidence.read_runs = &run;
    w->evidence.read_run_count = 1;
    request_event(w, EVENT_REQUEST_EFFECT, ticket, 0);
    done(w, ticket, 0);
    assert_found(w, "unnoticed", "but returned wrong data for sector 2 (1KiB)");
}

/* A flush of the target, hit by the fault if `lies`. */
static struct ticket begin_flush(struct witness *w, bool lies)
{
    struct ticket ticket = submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);

    if (lies) {
        hit(w, ticket);
    }
    return ticket;
}

static struct witness *called_with_volatile_target(void **state)
{
    struct witness *w = called(state, FAULT_LOST);

    witness_disk_is_volatile(w, DST);
    become_ready(w);
    return w;
}

static void test_ledger_finds_each_lost_flush(void **state)
{
    struct witness *w = called_with_volatile_target(state);

    done(w, begin_flush(w, true), 0);
    done(w, begin_flush(w, true), 0);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "unnoticed", "a power cut can still take sector 0 (0B)");
    assert_int_equal(w->verdict.finding_count, 2);
}

static void test_ledger_is_silent_when_another_flush_follows_the_lost_one(void **state)
{
    struct witness *w = called_with_volatile_target(state);

    done(w, begin_flush(w, true), 0);
    done(w, begin_flush(w, false), 0);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_silent(w);
}

static void test_ledger_finds_a_lost_flush_when_only_an_earlier_one_ends(void **state)
{
    struct witness *w = called_with_volatile_target(state);
    struct ticket earlier = begin_flush(w, false);

    done(w, begin_flush(w, true), 0);
    done(w, earlier, 0);
    conclude(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "unnoticed", "hit flush #11 of dst");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_ledger_is_silent_when_a_failed_copy_is_made_again),
        WITNESS_TEST(test_ledger_finds_a_failed_copy_when_it_is_not_made_again),
        WITNESS_TEST(test_ledger_finds_a_failed_read_when_only_the_write_follows),
        WITNESS_TEST(test_ledger_finds_a_failed_write_when_only_an_earlier_one_succeeds),
        WITNESS_TEST(test_ledger_finds_a_failed_flush_when_none_follows),
        WITNESS_TEST(test_ledger_is_silent_when_the_job_fails_or_is_cancelled),
        WITNESS_TEST(test_ledger_finds_a_failure_when_nobody_is_told),
        WITNESS_TEST(test_ledger_finds_a_fault_when_the_request_succeeds),
        WITNESS_TEST(test_ledger_finds_a_hang_when_something_is_built_on_it),
        WITNESS_TEST(test_ledger_finds_a_failed_query_when_the_job_goes_on),
        WITNESS_TEST(test_ledger_is_silent_when_a_failed_query_is_refused),
        WITNESS_TEST(test_ledger_is_silent_when_two_faults_hit_one_query),
        WITNESS_TEST(test_ledger_is_silent_when_a_rule_absorbs_the_query),
        WITNESS_TEST(test_ledger_finds_a_lost_write_of_the_job),
        WITNESS_TEST(test_ledger_is_silent_when_the_lost_write_is_made_again),
        WITNESS_TEST(test_ledger_finds_a_lost_write_of_the_guest),
        WITNESS_TEST(test_ledger_is_silent_when_the_guest_is_told_of_it),
        WITNESS_TEST(test_ledger_finds_what_a_misdirected_write_has_spoiled),
        WITNESS_TEST(test_ledger_names_the_lie_of_an_answer),
        WITNESS_TEST(test_ledger_finds_a_job_that_did_not_wait_for_an_answer),
        WITNESS_TEST(test_ledger_finds_a_guest_read_that_got_nothing),
        WITNESS_TEST(test_ledger_finds_a_guest_read_that_got_something_else),
        WITNESS_TEST(test_ledger_finds_each_lost_flush),
        WITNESS_TEST(test_ledger_is_silent_when_another_flush_follows_the_lost_one),
        WITNESS_TEST(test_ledger_finds_a_lost_flush_when_only_an_earlier_one_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
