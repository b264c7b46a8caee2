/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Figures: how long the guest and the job were kept waiting, and how much was copied.
 */
#include "sim/verdict/figures.h"

#include "engine/units.h"
#include "tests/support/witness.h"

static struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_liveness);
    return w;
}

static void at(struct witness *w, uint64_t now_ns)
{
    w->evidence.now_ns = now_ns;
}

static struct figures figures_at(struct witness *w, uint64_t end_ns)
{
    at(w, end_ns);
    return figures_make(w->plan, &w->trace, end_ns);
}

static void test_figures_have_the_longest_guest_request(void **state)
{
    struct witness *w = called(state);
    struct ticket slow, hung;

    w->plan->generation = GENERATION_2_2;
    slow = submit(w, BY_GUEST, SRC, OP_WRITE, 0, CHUNK);
    at(w, 3 * MS);
    done(w, slow, 0);
    assert_int_equal(figures_at(w, 4 * MS).guest_longest_ns, 3 * MS);
    at(w, 5 * MS);
    hung = submit(w, BY_GUEST, SRC, OP_READ, 0, CHUNK);
    (void)hung;
    assert_int_equal(figures_at(w, 15 * MS).guest_longest_ns, 10 * MS);
}

static void test_figures_say_how_long_the_job_stood_still(void **state)
{
    struct witness *w = called(state);
    struct ticket read;

    at(w, 2 * MS);
    start(w);
    at(w, 3 * MS);
    read = begin_read(w, 0, CHUNK);
    at(w, 10 * MS);
    done(w, read, 0);
    assert_int_equal(figures_at(w, 11 * MS).job_still_ns, 7 * MS);
    assert_int_equal(w->trace.events[figures_at(w, 11 * MS).job_still_event].kind,
                     EVENT_REQUEST_SUBMIT);
    assert_int_equal(figures_at(w, 30 * MS).job_still_ns, 20 * MS);
}

/* It need not do anything while it is paused, or ready and nobody has told it to end. */
static void test_figures_do_not_count_what_others_keep_the_job_from(void **state)
{
    struct witness *w = called(state);

    start(w);
    say(w, EVENT_JOB_PAUSED);
    at(w, 50 * MS);
    say(w, EVENT_JOB_RESUMED);
    at(w, 51 * MS);
    say(w, EVENT_JOB_READY);
    at(w, 99 * MS);
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = VERB_COMPLETE});
    assert_int_equal(figures_at(w, 99 * MS).job_still_ns, 1 * MS);
    assert_int_equal(figures_at(w, 104 * MS).job_still_ns, 5 * MS);
}

/* Reads, flushes, failures and what the guest writes are no copies. */
static void test_figures_add_up_what_was_copied(void **state)
{
    struct witness *w = called(state);

    start(w);
    copy(w, 0, CHUNK);
    copy(w, CHUNK, CHUNK);
    guest_write(w, 0, CHUNK);
    flush(w, 0);
    done(w, submit(w, BY_JOB, DST, OP_WRITE, 0, CHUNK), -EIO);
    assert_int_equal(figures_at(w, 1 * MS).copied_bytes, 2 * CHUNK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_figures_have_the_longest_guest_request),
        WITNESS_TEST(test_figures_say_how_long_the_job_stood_still),
        WITNESS_TEST(test_figures_do_not_count_what_others_keep_the_job_from),
        WITNESS_TEST(test_figures_add_up_what_was_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
