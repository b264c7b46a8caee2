/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finished run, for the tests of expectations, and functions to judge it.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_RUN_OVER_H
#define MIRRORSIM_TESTS_SUPPORT_RUN_OVER_H

#include "sim/verdict/expect.h"
#include "tests/support/witness.h"

#define LINE 42
#define END_NS (50 * MS)

/* An oracle that sees nothing: these tests only look at the end of a run. */
static const struct oracle nobody = {.id = ORACLE_NONE};

/*
 * The finished run: started at 0, an error at 10 ms, ready at 20 ms, a guest
 * write that took 4 ms, completed at 50 ms.
 */
static inline struct witness *run_over(void **state)
{
    struct witness *w = *state;
    struct ticket ticket;

    witness_call(w, &nobody);
    start(w);
    w->evidence.now_ns = 10 * MS;
    error_event(w, OP_WRITE, -EIO, ACTION_IGNORE);
    w->evidence.now_ns = 20 * MS;
    say(w, EVENT_JOB_READY);
    ticket = submit(w, BY_GUEST, SRC, OP_WRITE, 0, SECTOR_BYTES);
    w->evidence.now_ns = 24 * MS;
    guest_effect(w, ticket);
    done(w, ticket, 0);
    w->evidence.now_ns = END_NS;
    conclude(w, EVENT_JOB_COMPLETED, 0);
    w->evidence.end = END_CONCLUDED;
    w->evidence.story_over = true;
    return w;
}

static inline struct final_state final_state(const uint64_t *hits)
{
    return (struct final_state){
        .has_job_info = true,
        .job = {.offset = 5, .len = 7, .ready = true},
        .guest_disk = DST,
        .fault_hits = hits,
    };
}

/* Judges one expectation, at LINE; fault 0, if there is one, has fired `hits` times. */
static inline void judge_with_hits(struct witness *w, struct expect_spec expect, uint64_t hits)
{
    struct final_state final = final_state(&hits);

    verdict_init(&w->verdict);
    expect.where.line = LINE;
    w->plan->expects = &expect;
    w->plan->expect_count = 1;
    expect_judge(&w->evidence, &w->trace, &final);
    assert_int_equal(w->verdict.checks, 1);
}

static inline void judge(struct witness *w, struct expect_spec expect)
{
    judge_with_hits(w, expect, 0);
}

static inline void assert_holds(struct witness *w, struct expect_spec expect)
{
    judge(w, expect);
    assert_silent(w);
}

static inline void assert_fails(struct witness *w, struct expect_spec expect, const char *kind,
                                const char *says)
{
    judge(w, expect);
    assert_found(w, kind, says);
    assert_string_equal(finding_by(w->verdict.findings[0].id), "expect");
    assert_int_equal(w->verdict.findings[0].where.line, LINE);
}

#endif
