/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion (C4, C6, D9, D12, D16): what is claimed, replaced, released, and
 * in which order.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

static struct block_node *old_of(struct host *host)
{
    return &host->nodes[2];
}

/* A ready job, which is to replace the node "old" if `replaces` says so. */
static void start_ready(struct host *host, const char *replaces)
{
    struct job_spec spec = stub_spec(host);

    stub_node_add(host, "old", MIB);
    spec.replaces = replaces;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
}

/* C6: the guest uses the target from then on, and both nodes are unblocked. */
static void test_mirror_finish_pivots_to_target_when_completed(void **state)
{
    struct host *host = *state;

    start_ready(host, NULL);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_ptr_equal(host->guest_node, stub_source(host));
    stub_fire(host);
    assert_ptr_equal(host->guest_node, stub_target(host));
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->ret, 0);
    assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->offset, MIB);
    assert_int_equal(stub_event(host, EVENT_JOB_COMPLETED)->bytes, MIB);
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 0);
}

/* D12: the source stays drained from the last check of its dirty count until after the pivot. */
static void test_mirror_finish_keeps_source_drained_until_the_pivot(void **state)
{
    struct host *host = *state;

    start_ready(host, NULL);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, 0);
    assert_true(stub_source(host)->drained);
    assert_false(host->concluded);
    stub_fire(host);
    assert_false(stub_source(host)->drained);
    assert_ptr_equal(stub_source(host)->guest_node_at_drain_end, stub_target(host));
}

/* C6: the target is opened as the replaced node was, if that differs. */
static void test_mirror_finish_reopens_target_just_when_flags_differ(void **state)
{
    for (uint32_t flags = 2; flags < 4; flags++) {
        struct host *host;

        stub_set_up(state);
        host = *state;
        stub_source(host)->flags = 2;
        stub_target(host)->flags = flags;
        start_ready(host, NULL);
        assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
        stub_run_until_concluded(host);
        assert_int_equal(stub_target(host)->reopens, flags != 2);
        assert_int_equal(stub_target(host)->flags, 2);
        stub_destroy(host);
    }
}

/* C3: a cancelled ready job ends COMPLETED; the guest stays where it was. */
static void test_mirror_finish_does_not_pivot_when_cancelled(void **state)
{
    struct host *host = *state;

    start_ready(host, NULL);
    stub_guest_write(host, 0, 512);
    stub_cancel(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
    assert_ptr_equal(host->guest_node, stub_source(host));
    assert_int_equal(stub_target(host)->reopens, 0);
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* C4, D16: a refusal changes nothing, and the job can still be completed. */
static void test_mirror_finish_refuses_complete_when_target_can_not_open_backing(void **state)
{
    struct host *host = *state;

    start_ready(host, "old");
    stub_target(host)->open_backing_ret = -ENOENT;
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), -ENOENT);
    assert_int_equal(host->error.refusal, REFUSED_FAILED);
    assert_int_equal(old_of(host)->blockers, 0);
    assert_int_equal(old_of(host)->refs, 1);
    assert_non_null(host->timer);
    stub_target(host)->open_backing_ret = 0;
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
}

/* C4, D16: nodes that cannot be replaced; nothing is opened for them. */
static void test_mirror_finish_refuses_complete_when_node_can_not_be_replaced(void **state)
{
    static const struct {
        const char *replaces;
        uint32_t blockers;
        bool is_filter;
        int ret;
        enum job_refusal refusal;
    } cases[] = {
        {"nobody", 0, false, -ENOENT, REFUSED_NOT_FOUND},
        {"old", 1, false, -EBUSY, REFUSED_BLOCKED},
        {"old", 0, true, -EINVAL, REFUSED_BLOCKED},
        {"source", 0, false, -EBUSY, REFUSED_BLOCKED},
        {"target", 0, false, -EBUSY, REFUSED_BLOCKED},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host;

        stub_set_up(state);
        host = *state;
        start_ready(host, cases[i].replaces);
        old_of(host)->blockers = cases[i].blockers;
        old_of(host)->is_filter = cases[i].is_filter;
        assert_int_equal(stub_command(host, VERB_COMPLETE, 0), cases[i].ret);
        assert_int_equal(host->error.refusal, cases[i].refusal);
        assert_int_equal(stub_target(host)->open_backings, 0);
        assert_int_equal(old_of(host)->blockers, cases[i].blockers);
        old_of(host)->blockers = 0;
        stub_cancel(host);
        stub_destroy(host);
    }
}

/* C4, C6: the named node is claimed, its flags and its place are taken over, and it is released. */
static void test_mirror_finish_replaces_the_named_node_when_completed(void **state)
{
    struct host *host = *state;
    struct block_node *parent;

    start_ready(host, "old");
    parent = stub_node_add(host, "parent", MIB);
    parent->backing = old_of(host);
    old_of(host)->flags = 5;
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    assert_int_equal(old_of(host)->blockers, 1);
    assert_int_equal(old_of(host)->refs, 2);
    stub_run_until_concluded(host);
    assert_ptr_equal(parent->backing, stub_target(host));
    assert_ptr_equal(host->guest_node, stub_source(host));
    assert_int_equal(stub_target(host)->flags, 5);
    assert_int_equal(old_of(host)->blockers, 0);
}

/* D9: the second complete is accepted and changes nothing. */
static void test_mirror_finish_changes_nothing_when_completed_twice(void **state)
{
    struct host *host = *state;
    struct block_node *parent;

    start_ready(host, "old");
    parent = stub_node_add(host, "parent", MIB);
    parent->backing = old_of(host);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    assert_int_equal(old_of(host)->blockers, 1);
    assert_int_equal(stub_target(host)->open_backings, 1);
    stub_run_until_concluded(host);
    assert_ptr_equal(parent->backing, stub_target(host));
    assert_ptr_equal(host->guest_node, stub_source(host));
}

/* D10: a cancel after a complete releases the claimed node at once. */
static void test_mirror_finish_releases_the_named_node_when_cancelled(void **state)
{
    struct host *host = *state;

    start_ready(host, "old");
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    assert_int_equal(old_of(host)->blockers, 0);
    assert_int_equal(old_of(host)->refs, 1);
    stub_run_until_concluded(host);
}

/* C6: an error after a complete releases it, too, when the job is gone. */
static void test_mirror_finish_releases_the_named_node_when_job_fails(void **state)
{
    struct host *host = *state;

    start_ready(host, "old");
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_FLUSH, 0, 0, -EIO);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, -EIO);
    assert_ptr_equal(host->guest_node, stub_source(host));
}

/* E6: a complete given before an error still counts once the job has caught up. */
static void test_mirror_finish_pivots_when_job_catches_up_after_an_error(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    spec.on_target_error = POLICY_IGNORE;
    assert_int_equal(stub_start(host, &spec), 0);
    stub_run_until_ready(host);
    stub_guest_write(host, 0, 512);
    assert_int_equal(stub_command(host, VERB_COMPLETE, 0), 0);
    stub_finish(host, OP_READ, 0, 64 * KIB, 0);
    stub_finish(host, OP_WRITE, 0, 64 * KIB, -EIO);
    stub_run_until_concluded(host);
    assert_int_equal(host->ret, 0);
    assert_int_equal(stub_event_count(host, EVENT_JOB_READY), 2);
    assert_ptr_equal(host->guest_node, stub_target(host));
    stub_assert_equal(stub_source(host), stub_target(host));
}

/* Exit: the job concludes from the main loop, never from inside a completion. */
static void test_mirror_finish_concludes_from_the_main_loop(void **state)
{
    struct host *host = *state;
    struct job_spec spec = stub_spec(host);

    assert_int_equal(stub_start(host, &spec), 0);
    stub_finish(host, OP_READ, 0, MIB, -EIO);
    assert_false(host->concluded);
    assert_int_equal(stub_source(host)->bitmap_count, 0);
    assert_int_equal(stub_source(host)->blockers, 1);
    assert_int_equal(stub_timer_delay_ns(host), 0);
    stub_fire(host);
    assert_true(host->concluded);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, stub_set_up, stub_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_mirror_finish_pivots_to_target_when_completed),
        CASE(test_mirror_finish_keeps_source_drained_until_the_pivot),
        cmocka_unit_test(test_mirror_finish_reopens_target_just_when_flags_differ),
        CASE(test_mirror_finish_does_not_pivot_when_cancelled),
        CASE(test_mirror_finish_refuses_complete_when_target_can_not_open_backing),
        cmocka_unit_test(test_mirror_finish_refuses_complete_when_node_can_not_be_replaced),
        CASE(test_mirror_finish_replaces_the_named_node_when_completed),
        CASE(test_mirror_finish_changes_nothing_when_completed_twice),
        CASE(test_mirror_finish_releases_the_named_node_when_cancelled),
        CASE(test_mirror_finish_releases_the_named_node_when_job_fails),
        CASE(test_mirror_finish_pivots_when_job_catches_up_after_an_error),
        CASE(test_mirror_finish_concludes_from_the_main_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
