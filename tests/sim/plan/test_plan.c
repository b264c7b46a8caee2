/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plans: the content of an empty one, and what matches accept.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/base/errno_name.h"
#include "sim/plan/plan.h"

static void test_plan_points_at_nothing_when_empty(void **state)
{
    struct plan *plan = plan_create();

    (void)state;
    assert_non_null(plan);
    assert_int_equal(plan->job.source, PLAN_NONE);
    assert_int_equal(plan->job.target, PLAN_NONE);
    assert_int_equal(plan->job.buffer_bytes, MIRROR_DEFAULT_BUFFER_BYTES);
    for (int i = 0; i < PLAN_MAX_DISKS; i++) {
        assert_int_equal(plan->disks[i].backing, PLAN_NONE);
    }
    assert_string_equal(plan->name, "");
    assert_true(plan->limits.time_ns > 0 && plan->limits.events > 0 &&
                plan->limits.events_at_once > 0);
    assert_null(plan_action(plan, 0));
    plan_destroy(plan);
    plan_destroy(NULL);
}

static void test_plan_find_disk_finds_by_whole_name(void **state)
{
    struct plan *plan = plan_create();

    (void)state;
    plan->disks[0].name = "src";
    plan->disks[1].name = "dst";
    plan->disk_count = 2;
    plan->disks[2].name = "beyond";
    assert_int_equal(plan_find_disk(plan, "src"), 0);
    assert_int_equal(plan_find_disk(plan, "dst"), 1);
    assert_int_equal(plan_find_disk(plan, "ds"), PLAN_NONE);
    assert_int_equal(plan_find_disk(plan, "beyond"), PLAN_NONE);
    plan_destroy(plan);
}

/* One request, a guest's write of [64 KiB, 128 KiB) to disk 3, against many matches. */
static void test_request_matches_needs_every_narrowed_field_to_agree(void **state)
{
    static const struct {
        struct request_match match;
        bool matches;
    } cases[] = {
        {{0}, true},
        {{.disks = 1u << 3}, true},
        {{.disks = 1u << 3 | 1u << 0}, true},
        {{.disks = 1u << 2}, false},
        {{.ops = 1u << OP_WRITE}, true},
        {{.ops = 1u << OP_READ | 1u << OP_FLUSH}, false},
        {{.by = BY_GUEST}, true},
        {{.by = BY_JOB}, false},
        {{.has_range = true, .offset = 0, .bytes = 65536}, false},
        {{.has_range = true, .offset = 0, .bytes = 65537}, true},
        {{.has_range = true, .offset = 131071, .bytes = 1}, true},
        {{.has_range = true, .offset = 131072, .bytes = 512}, false},
        {{.has_range = true, .offset = 70000, .bytes = 0}, false},
        {{.offset = 131072, .bytes = 512}, true},
        {{.disks = 1u << 3, .ops = 1u << OP_WRITE, .by = BY_JOB}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(request_matches(&cases[i].match, 3, OP_WRITE, BY_GUEST, 65536, 65536),
                         cases[i].matches);
    }
}

static const struct event job_error = {
    .kind = EVENT_JOB_ERROR,
    .node = 1,
    .op = OP_WRITE,
    .detail = ACTION_STOP,
    .ret = -EIO,
};
static const struct event refused = {
    .kind = EVENT_COMMAND_REFUSED,
    .detail = VERB_COMPLETE,
    .detail2 = REFUSED_NOT_READY,
    .ret = -EBUSY,
};
static const struct event start_refused = {
    .kind = EVENT_JOB_REFUSED,
    .detail = REFUSED_BUSY,
    .ret = -EBUSY,
};
static const struct event command = {.kind = EVENT_COMMAND, .detail = VERB_PAUSE};
static const struct event mark = {.kind = EVENT_MARK, .index = 2};

/* Asks for nothing: matches every event. */
static struct event_match anything(void)
{
    struct event_match match = event_match_kind(EVENT_MARK);

    match.kinds = 0;
    return match;
}

#define ASKED(member) offsetof(struct event_match, member)

/* One number is asked for, besides nothing. */
static void test_event_matches_details_of_the_kinds_that_carry_them(void **state)
{
    static const struct {
        const struct event *event;
        size_t member; /* an int of the match */
        int value;
        bool matches;
    } cases[] = {
        {&job_error, ASKED(action), MATCH_ANY, true},
        {&job_error, ASKED(action), ACTION_STOP, true},
        {&job_error, ASKED(action), ACTION_REPORT, false},
        {&job_error, ASKED(verb), VERB_CANCEL, false},
        {&command, ASKED(verb), VERB_PAUSE, true},
        {&command, ASKED(verb), VERB_RESUME, false},
        {&command, ASKED(action), ACTION_STOP, false},
        {&command, ASKED(refusal), REFUSED_NOT, false},
        {&start_refused, ASKED(refusal), REFUSED_BUSY, true},
        {&start_refused, ASKED(refusal), REFUSED_NOT_READY, false},
        {&mark, ASKED(index), 2, true},
        {&mark, ASKED(index), 1, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct event_match match = anything();

        memcpy((char *)&match + cases[i].member, &cases[i].value, sizeof(int));
        assert_int_equal(event_matches(&match, cases[i].event), cases[i].matches);
    }
}

static void test_event_matches_a_refusal_by_its_command_and_its_reason(void **state)
{
    struct event_match match = anything();

    (void)state;
    match.verb = VERB_COMPLETE;
    match.refusal = REFUSED_NOT_READY;
    assert_true(event_matches(&match, &refused));
    match.refusal = REFUSED_BUSY;
    assert_false(event_matches(&match, &refused));
}

static void test_event_matches_an_error_by_kind_operation_disk_and_result(void **state)
{
    struct event_match match = anything();

    (void)state;
    match.kinds = UINT64_C(1) << EVENT_JOB_READY;
    assert_false(event_matches(&match, &job_error));
    match = anything();
    match.request.ops = 1u << OP_WRITE;
    assert_true(event_matches(&match, &job_error));
    match.request.ops = 1u << OP_READ;
    assert_false(event_matches(&match, &job_error));
    match = anything();
    match.request.disks = 1u << 0;
    assert_false(event_matches(&match, &job_error));
    match = anything();
    match.has_ret = true;
    match.ret = -EIO;
    assert_true(event_matches(&match, &job_error));
    match.ret = -ENOSPC;
    assert_false(event_matches(&match, &job_error));
}

static void test_event_match_kind_matches_that_kind_whatever_its_fields(void **state)
{
    struct event_match match = event_match_kind(EVENT_JOB_ERROR);

    (void)state;
    assert_true(event_matches(&match, &job_error));
    assert_false(event_matches(&match, &mark));
    match = event_match_kind(EVENT_END);
    assert_true(event_matches(&match, &(struct event){.kind = EVENT_END, .detail = 3}));
}

static void test_errno_names_go_both_ways(void **state)
{
    const char *name;
    uint32_t i;
    int error;

    (void)state;
    for (i = 0; (name = errno_name_at(i)); i++) {
        assert_true(errno_from_name(name, &error));
        assert_true(error > 0);
        if (strcmp(name, "EOPNOTSUPP") != 0) {
            assert_string_equal(errno_name(error), name);
            assert_string_equal(errno_name(-error), name);
        }
    }
    assert_in_range(i, 30, 200);
    assert_true(errno_from_name("EOPNOTSUPP", &error));
    assert_string_equal(errno_name(error), "ENOTSUP");
    assert_false(errno_from_name("EI", &error));
    assert_false(errno_from_name("", &error));
    assert_null(errno_name(0));
    assert_null(errno_name(4095));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_points_at_nothing_when_empty),
        cmocka_unit_test(test_plan_find_disk_finds_by_whole_name),
        cmocka_unit_test(test_request_matches_needs_every_narrowed_field_to_agree),
        cmocka_unit_test(test_event_matches_details_of_the_kinds_that_carry_them),
        cmocka_unit_test(test_event_matches_a_refusal_by_its_command_and_its_reason),
        cmocka_unit_test(test_event_matches_an_error_by_kind_operation_disk_and_result),
        cmocka_unit_test(test_event_match_kind_matches_that_kind_whatever_its_fields),
        cmocka_unit_test(test_errno_names_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
