/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Active commit (section 9, D20): its set-up, its refusals, its end.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

/* "source" over "middle" over the base, which the stub calls "target". */
static struct job_spec commit_spec(struct host *host)
{
    struct job_spec spec = stub_spec(host);
    struct block_node *middle = stub_node_add(host, "middle", MIB);

    stub_source(host)->backing = middle;
    middle->backing = stub_target(host);
    stub_source(host)->flags = 0x42;
    stub_target(host)->flags = 0x40;
    stub_target(host)->zero_init = false;
    stub_allocate(stub_source(host), 128 * KIB, 64 * KIB);
    for (uint64_t i = 0; i < MIB / SECTOR_BYTES; i++) {
        stub_target(host)->content[i] = stub_source(host)->content[i] == 0 ? 0 : 1;
    }
    spec.kind = JOB_COMMIT;
    return spec;
}

/* The base is as it was, and nobody holds it. */
static void assert_refused(struct host *host, const struct job_spec *spec, enum job_refusal refusal,
                           int error)
{
    uint64_t bytes = stub_target(host)->bytes;

    assert_int_equal(stub_start(host, spec), error);
    assert_int_equal(host->error.refusal, refusal);
    assert_int_equal(stub_target(host)->flags, 0x40);
    assert_int_equal(stub_target(host)->bytes, bytes);
    assert_int_equal(stub_target(host)->refs, 1);
    assert_int_equal(stub_target(host)->blockers, 0);
    assert_int_equal(host->event_count, 0);
}

/* What is allocated above the base is copied into it, then the guest uses the base. */
static void test_commit_merges_top_into_base_and_pivots(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_query(host).kind, JOB_COMMIT);
    assert_int_equal(stub_target(host)->flags, 0x42);
    assert_int_equal(stub_target(host)->truncates, 0);
    assert_ptr_equal(stub_source(host)->status_base, stub_target(host));
    stub_find(host, OP_READ, 128 * KIB, 64 * KIB);
    assert_int_equal(host->request_count, 1);
    stub_run_until_ready(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
    assert_ptr_equal(host->guest_node, stub_target(host));
    assert_null(stub_source(host)->backing);
    assert_null(stub_target(host)->backing);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* Without a pivot the chain stays as it is. */
static void test_commit_keeps_the_chain_when_cancelled(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
    stub_cancel(host);
    assert_ptr_equal(stub_source(host)->backing, &host->nodes[2]);
    assert_ptr_equal(host->guest_node, stub_source(host));
}

/* One policy for both sides, no `replaces`, default granularity and buffer. */
static void test_commit_ignores_what_only_a_mirror_has(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    stub_node_add(host, "old", MIB);
    spec.on_source_error = POLICY_IGNORE;
    spec.on_target_error = POLICY_REPORT;
    spec.replaces = "old";
    spec.sync = SYNC_NONE;
    spec.granularity = 4096;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_target(host)->on_error, POLICY_IGNORE);
    stub_finish(host, OP_READ, 128 * KIB, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 128 * KIB, 64 * KIB, -EIO);
    assert_int_equal(stub_event(host, EVENT_JOB_ERROR)->detail, ACTION_IGNORE);
    stub_run_until_ready(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    assert_int_equal(host->nodes[3].blockers, 0);
    stub_run_until_concluded(host);
    assert_ptr_equal(host->guest_node, stub_target(host));
}

/* The base grows to hold the top; the part added reads zero. */
static void test_commit_grows_the_base_when_it_is_smaller(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    stub_target(host)->bytes = 512 * KIB;
    assert_int_equal(stub_start(host, &spec), 0);
    assert_int_equal(stub_target(host)->bytes, MIB);
    stub_run_until_ready(host);
    stub_cancel(host);
    assert_int_equal(stub_target(host)->bytes, MIB);
}

static void test_commit_is_refused_when_base_can_not_grow(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    stub_target(host)->bytes = 512 * KIB;
    stub_target(host)->truncate_ret = -EFBIG;
    assert_refused(host, &spec, REFUSED_FAILED, -EFBIG);
    assert_non_null(strstr(host->error.text, "Top image source is larger than base image target"));
}

/* D20, section 9: whatever step fails, the base is as it was. */
static void test_commit_is_undone_when_a_step_fails(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);
    int *const rets[] = {&stub_target(host)->reopen_ret, &stub_source(host)->getlength_ret,
                         &stub_target(host)->getlength_ret, &stub_source(host)->dirty_ret};

    stub_target(host)->bytes = 512 * KIB;
    for (size_t i = 0; i < COUNT_OF(rets); i++) {
        *rets[i] = -ENOMEM;
        assert_refused(host, &spec, REFUSED_FAILED, -ENOMEM);
        *rets[i] = 0;
    }
}

static void test_commit_is_refused_when_base_is_not_below_the_top(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    host->nodes[2].backing = NULL;
    assert_refused(host, &spec, REFUSED_INVALID_PARAMETER, -EINVAL);
    assert_int_equal(stub_target(host)->reopens, 0);
}

static void test_commit_is_refused_when_base_is_in_use(void **state)
{
    struct host *host = *state;
    struct job_spec spec = commit_spec(host);

    stub_target(host)->blockers = 1;
    assert_int_equal(stub_start(host, &spec), -EBUSY);
    assert_int_equal(stub_target(host)->reopens, 0);
    stub_target(host)->blockers = 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_commit_merges_top_into_base_and_pivots),
        CASE(test_commit_keeps_the_chain_when_cancelled),
        CASE(test_commit_ignores_what_only_a_mirror_has),
        CASE(test_commit_grows_the_base_when_it_is_smaller),
        CASE(test_commit_is_refused_when_base_can_not_grow),
        CASE(test_commit_is_undone_when_a_step_fails),
        CASE(test_commit_is_refused_when_base_is_not_below_the_top),
        CASE(test_commit_is_refused_when_base_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
