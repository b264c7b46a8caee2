/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the oracle "ledger" judges by other rules in today's generation.
 */
#include "tests/support/witness_modern.h"

static void hit(struct witness *w, struct ticket ticket, uint16_t fault)
{
    see(w, (struct event){.kind = EVENT_FAULT,
                          .node = ticket.node,
                          .op = (uint8_t)ticket.op,
                          .by = (uint8_t)ticket.by,
                          .request = ticket.number,
                          .offset = ticket.offset,
                          .bytes = ticket.bytes,
                          .index = fault});
}

/* ---- ledger ---- */

static struct witness *with_fault(void **state, enum op op)
{
    struct witness *w = modern(state, &oracle_ledger);
    struct fault_spec *fault = arena_alloc(w->plan->arena, sizeof(*fault));

    *fault = (struct fault_spec){.name = "bad", .kind = FAULT_ERROR, .error = -EIO};
    fault->match.ops = 1u << op;
    w->plan->faults = fault;
    w->plan->fault_count = 1;
    return modern(state, &oracle_ledger);
}

static void test_ledger_asks_for_reports_of_active_writes(void **state)
{
    struct witness *w = with_fault(state, OP_WRITE);
    struct ticket guest;
    struct ticket active;

    modern_ready(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    active = begin_active(w, guest);
    hit(w, active, 0);
    done(w, active, -EIO);
    settle(w);
    assert_found(w, "unreported", "no error event reported it");
}

static void test_ledger_asks_for_reports_of_the_source_by_guests_neither(void **state)
{
    struct witness *w = with_fault(state, OP_WRITE);
    struct ticket guest;

    modern_ready(w);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    request_event(w, EVENT_REQUEST_SUBMIT, guest, 0);
    hit(w, guest, 0);
    done(w, guest, -EIO);
    settle(w);
    assert_silent(w);
}

static void test_ledger_lets_an_active_write_fail_before_ready_but_not_be_forgotten(void **state)
{
    struct witness *w = with_fault(state, OP_WRITE);
    struct ticket guest;
    struct ticket active;

    w->plan->job.on_target_error = POLICY_IGNORE;
    modern_start(w);
    copy(w, 0, LENGTH);
    guest = arrive(w, OP_WRITE, 0, CHUNK);
    pass(w, guest);
    active = begin_active(w, guest);
    hit(w, active, 0);
    done(w, active, -EIO);
    error_event(w, OP_WRITE, -EIO, ACTION_IGNORE);
    settle(w);
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    assert_silent(w);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    assert_found(w, "swallowed", "has not been copied again");
}

static void test_ledger_forgives_a_question_about_content_but_not_about_allocation(void **state)
{
    static const enum op ops[] = {OP_CONTENT, OP_STATUS};

    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        struct witness *w = with_fault(state, ops[i]);

        modern_start(w);
        see(w, (struct event){.kind = EVENT_FAULT, .op = (uint8_t)ops[i], .ret = -EIO});
        copy(w, 0, LENGTH);
        flush(w, 0);
        say(w, EVENT_JOB_READY);
        assert_int_equal(w->verdict.finding_count, ops[i] == OP_STATUS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_ledger_asks_for_reports_of_active_writes),
        WITNESS_TEST(test_ledger_asks_for_reports_of_the_source_by_guests_neither),
        WITNESS_TEST(test_ledger_lets_an_active_write_fail_before_ready_but_not_be_forgotten),
        WITNESS_TEST(test_ledger_forgives_a_question_about_content_but_not_about_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
