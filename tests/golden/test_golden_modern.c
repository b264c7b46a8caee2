/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configurations of today's generation: the effect of each directive on the plan, the messages for
 * invalid files, and what tells the two formats apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "tests/golden/config.h"

#define LENGTH "length source 1048576\n"

/* The plan of a text that is valid. */
static struct plan *plan_of(const char *text)
{
    struct config_error error = {0};
    char *copy = strdup(text);
    struct plan *plan = config_read("case.cfg", copy, GENERATION_MODERN, &error);
    free(copy);
    if (!plan) {
        fail_msg("line %u: %s", error.line, error.text);
    }
    return plan;
}

static const struct disk_spec *disk_of(const struct plan *plan, const char *name)
{
    uint32_t disk = plan_find_disk(plan, name);
    assert_int_not_equal(disk, PLAN_NONE);
    return &plan->disks[disk];
}

/* What the format says of a file that only has a length. */
static void test_modern_has_the_defaults_of_its_format(void **state)
{
    static const enum op requests[] = {OP_READ, OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};
    (void)state;
    struct plan *plan = plan_of(LENGTH);
    assert_int_equal(plan->generation, GENERATION_MODERN);
    assert_true(plan->filter_passes_discards);
    assert_int_equal(plan->job.buffer_bytes, 0);
    assert_true(plan->job.unmap && plan->job.auto_finalize && plan->job.auto_dismiss);
    assert_false(plan->job.target_is_zero);
    assert_int_equal(plan->job.copy_mode, COPY_BACKGROUND);
    assert_int_equal(plan->job.backing_mode, BACKING_LEAVE);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        assert_int_equal(disk_of(plan, "target")->latency[requests[i]].a_ns, 100000);
    }
    assert_int_equal(disk_of(plan, "target")->latency[OP_CONTENT].a_ns, 0);
    assert_int_equal(disk_of(plan, "source")->read_effect, EFFECT_AT_START);
    assert_int_equal(disk_of(plan, "source")->max_segments, 1024);
    assert_false(disk_of(plan, "source")->backing_possible);
    plan_destroy(plan);
}

static void test_modern_reads_the_job_when_all_is_given(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of(LENGTH "copy_mode write-blocking\nunmap 0\ntarget_is_zero 1\nbacking_mode open\n"
                       "auto_finalize 0\nauto_dismiss 0\nauto_complete 1\non_source_error auto\n"
                       "on_target_error stop\nstatus_latency 7\nlatency source all 3\n"
                       "latency source zero 4\n");
    assert_int_equal(plan->job.copy_mode, COPY_WRITE_BLOCKING);
    assert_false(plan->job.unmap || plan->job.auto_finalize || plan->job.auto_dismiss);
    assert_true(plan->job.target_is_zero && plan->job.auto_complete);
    assert_int_equal(plan->job.backing_mode, BACKING_OPEN);
    assert_int_equal(plan->job.on_source_error, POLICY_ENOSPC);
    assert_int_equal(plan->job.on_target_error, POLICY_STOP);
    assert_int_equal(disk_of(plan, "source")->latency[OP_CONTENT].a_ns, 7);
    assert_int_equal(disk_of(plan, "target")->latency[OP_STATUS].a_ns, 7);
    assert_int_equal(disk_of(plan, "source")->latency[OP_FLUSH].a_ns, 3);
    assert_int_equal(disk_of(plan, "source")->latency[OP_WRITE_ZEROES].a_ns, 4);
    plan_destroy(plan);
}

/* Lines about content apply in their order: later data is data, later zeroes are zeroes. */
static void test_modern_reads_disks_when_all_is_given(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of(LENGTH "zero source 0 512\nalloc source none\nzero source 4096 8192\n"
                       "alloc source 6144 2048\nzero source 1048064 4096\ncan_unmap target 1\n"
                       "detect_zeroes target unmap\nmax_iov target 5\nread_only base 1\n"
                       "cluster target 65536\nbacking source base\n");
    const struct disk_spec *source = disk_of(plan, "source");
    const struct disk_spec *target = disk_of(plan, "target");
    assert_true(source->has_allocated);
    assert_int_equal(source->allocated_count, 1);
    assert_int_equal(source->zero_count, 3);
    assert_int_equal(source->zeroes[0].offset, 4096);
    assert_int_equal(source->zeroes[0].bytes, 2048);
    assert_int_equal(source->zeroes[1].offset, 8192);
    assert_int_equal(source->zeroes[1].bytes, 4096);
    assert_int_equal(source->zeroes[2].bytes, 512); /* clipped */
    assert_true(target->can_unmap);
    assert_int_equal(target->detect_zeroes, DETECT_UNMAP);
    assert_int_equal(target->max_segments, 5);
    assert_true(target->backing_possible && source->backing_possible);
    assert_true(disk_of(plan, "base")->read_only);
    assert_false(disk_of(plan, "base")->backing_possible);
    plan_destroy(plan);
}

/* A commit takes one policy for both sides, and ignores granularity and buffer. */
static void test_modern_ignores_what_a_commit_has_not(void **state)
{
    (void)state;
    struct plan *plan = plan_of(LENGTH "mode commit\nbacking source base\ngranularity 4096\n"
                                       "buf_size 512\non_source_error stop\n");
    assert_string_equal(plan->disks[plan->job.target].name, "base");
    assert_int_equal(plan->job.granularity, 0);
    assert_int_equal(plan->job.buffer_bytes, 0);
    assert_int_equal(plan->job.on_target_error, POLICY_STOP);
    plan_destroy(plan);
}

static void test_modern_makes_rules_when_errors_and_holds_are_given(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of(LENGTH "oplatency target write 2 8\noplatency target write 2 9\n"
                       "error target write 3 ENOSPC range 512 1024 times 2 torn\n"
                       "error source status 0 EIO\nhold h source read 2 errno 5\n"
                       "hold k target zero 1\nat 5 release h\nat 6 release later\n"
                       "on held k 7 pause\non ready 1 0 hold later target flush 1\n");
    const struct fault_spec *fault = plan->faults;
    assert_int_equal(plan->fault_count, 7);
    assert_true(fault[0].exclusive && fault[0].armed);
    assert_int_equal(fault[0].nth, 3);
    assert_int_equal(fault[0].times, 2);
    assert_int_equal(fault[0].error, -ENOSPC);
    assert_int_equal(fault[0].applied, APPLIED_TORN);
    assert_int_equal(fault[0].match.offset, 512);
    assert_int_equal(fault[0].match.by, BY_NONE);
    assert_int_equal(fault[1].match.ops, 1u << OP_CONTENT);
    assert_int_equal(fault[1].times, 0);
    assert_int_equal(fault[2].kind, FAULT_HOLD);
    assert_int_equal(fault[2].phase, HOLD_BEFORE_COMPLETION); /* a read has sampled already */
    assert_int_equal(fault[2].error, -EIO);
    assert_int_equal(fault[3].phase, HOLD_BEFORE_EFFECT);
    assert_string_equal(fault[4].name, "later");
    assert_false(fault[4].armed);
    /* The first line of two for one request counts, so it is the last fault. */
    assert_int_equal(fault[5].span_ns, 9);
    assert_int_equal(fault[6].span_ns, 8);
    assert_false(fault[6].exclusive);
    assert_int_equal(plan->timed[1].action.index, 2);
    assert_int_equal(plan->timed[2].action.index, 4);
    assert_int_equal(plan->reacts[0].when.index, 3);
    assert_int_equal(plan->reacts[1].action.kind, DO_HOLD);
    assert_int_equal(plan->reacts[1].action.index, 4);
    plan_destroy(plan);
}

static void test_modern_reads_requests_and_controls(void **state)
{
    static const struct {
        const char *words;
        enum action_kind kind;
    } controls[] = {
        {"pause", DO_PAUSE},
        {"finalize", DO_FINALIZE},
        {"dismiss", DO_DISMISS},
        {"query", DO_QUERY},
        {"cancel force", DO_CANCEL},
        {"change write-blocking", DO_CHANGE},
        {"set_speed 5", DO_SET_SPEED},
        {"drained_begin target", DO_DRAIN},
        {"drained_end target", DO_UNDRAIN},
        {"guest flush", DO_GUEST},
        {"guest zero 0 512", DO_GUEST},
        {"error source read 1 EIO", DO_HOLD},
        {"latency source all 5", DO_HOLD},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        char text[200];
        snprintf(text, sizeof(text), LENGTH "at 9 %s\n", controls[i].words);
        struct plan *plan = plan_of(text);
        const struct action *action = &plan->timed[1].action;
        assert_int_equal(action->kind, controls[i].kind);
        assert_true(action->may_be_refused);
        assert_int_equal(action->force, action->kind == DO_CANCEL);
        assert_int_equal(action->copy_mode, action->kind == DO_CHANGE);
        plan_destroy(plan);
    }
    struct plan *plan = plan_of(LENGTH "guest 4 write 512 1024 0xf1\n");
    assert_int_equal(plan->timed[1].action.guest.op, OP_WRITE);
    assert_string_equal(plan->timed[1].action.guest.tag, "0xf1");
    plan_destroy(plan);
}

static void test_modern_reacts_to_what_the_format_names(void **state)
{
    static const struct {
        const char *words;
        uint64_t kinds;
        uint64_t nth;
    } events[] = {
        {"pending 2", EVENT_BIT(JOB_PENDING), 2},
        {"cancelled 0", EVENT_BIT(JOB_CANCELLED), 0},
        {"status standby 3", EVENT_BIT(JOB_STATUS), 3},
        {"submit target zero 4", EVENT_BIT(REQUEST_SUBMIT), 4},
        {"done target flush 1", EVENT_BIT(REQUEST_DONE), 1},
        {"guest 2", EVENT_BIT(ANSWERED) | EVENT_BIT(ARRIVE) | EVENT_BIT(REQUEST_QUEUED), 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        char text[200];
        snprintf(text, sizeof(text), LENGTH "on %s 8 complete\n", events[i].words);
        struct plan *plan = plan_of(text);
        const struct react_spec *react = &plan->reacts[0];
        assert_true(react->when.kinds == events[i].kinds);
        assert_int_equal(react->nth, events[i].nth);
        assert_int_equal(react->delay_ns, 8);
        assert_int_equal(react->when.statuses, i == 2 ? 1u << JOB_STATUS_STANDBY : 0);
        assert_int_equal(react->when.request.ops, i == 3   ? 1u << OP_WRITE_ZEROES
                                                  : i == 4 ? 1u << OP_FLUSH
                                                           : 0);
        assert_int_equal(react->of_arrival, i == 5);
        plan_destroy(plan);
    }
    /* Each of several events makes a rule of its own. */
    struct plan *plan = plan_of(LENGTH "on error 0 0 error source read 1 EIO\n");
    assert_int_equal(plan->react_count, plan->fault_count);
    assert_true(plan->fault_count > 8);
    assert_int_equal(plan->reacts[3].nth, 4);
    assert_int_equal(plan->reacts[3].action.index, 3);
    plan_destroy(plan);
}

static void test_modern_is_refused_when_invalid(void **state)
{
    static const struct {
        const char *line;
        bool unsupported;
        const char *says;
    } lines[] = {
        {"flags source 7", false, "no directive"},
        {"copy_mode fast", false, "none of background, write-blocking"},
        {"unmap yes", false, "none of 0, 1"},
        {"max_iov target 0", false, "max_iov"},
        {"latency source append 5", false, "none of read, write"},
        {"alloc source some", false, "usage: alloc"},
        {"error source rewrite 1 EIO", false, "none of read"},
        {"error source read 1 EIO torn torn again", false, "none of range OFF LEN, times N, torn"},
        {"hold h source read 1 times 2", false, "neither range OFF LEN nor errno E"},
        {"at 5 explode", false, "no control"},
        {"at 5 cancel softly", false, "cancel [force]"},
        {"at 5 guest append 0 512", false, "none of read, write"},
        {"at 5 guest write 0 512", false, "usage: write OFF LEN TAG"},
        {"guest 5 write 0 0 1", false, "no bytes"},
        {"guest 5 write 0 512 0x100000000", false, "32 bits"},
        {"on status bored 1 0 pause", false, "no status"},
        {"on held h 5", false, "usage"},
        {"error source read 1 EINPROGRESS", true, "EINPROGRESS"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct config_error error = {0};
        char text[200];
        snprintf(text, sizeof(text), LENGTH "%s\n", lines[i].line);
        struct plan *plan = config_read("case.cfg", text, GENERATION_MODERN, &error);
        if (plan || error.line != 2 || error.unsupported != lines[i].unsupported ||
            !strstr(error.text, lines[i].says)) {
            fail_msg("'%s' is not refused as it should be: line %u: %s", lines[i].line, error.line,
                     error.text);
        }
    }
}

/* Without a trace the configuration itself says whose it is, if only one can have it. */
static void test_modern_is_told_apart_by_its_lines(void **state)
{
    (void)state;
    assert_false(config_looks_modern(LENGTH));
    assert_false(config_looks_modern(LENGTH "guest 7 512 1024 0xf1 3\n"));
    assert_true(config_looks_modern(LENGTH "guest 7 write 512 1024 0xf1\n"));
    assert_true(config_looks_modern(LENGTH "at 5 cancel force\n"));
    assert_true(config_looks_modern(LENGTH "copy_mode write-blocking\n"));
    assert_false(config_looks_modern(LENGTH "nonsense\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modern_has_the_defaults_of_its_format),
        cmocka_unit_test(test_modern_reads_the_job_when_all_is_given),
        cmocka_unit_test(test_modern_reads_disks_when_all_is_given),
        cmocka_unit_test(test_modern_ignores_what_a_commit_has_not),
        cmocka_unit_test(test_modern_makes_rules_when_errors_and_holds_are_given),
        cmocka_unit_test(test_modern_reads_requests_and_controls),
        cmocka_unit_test(test_modern_reacts_to_what_the_format_names),
        cmocka_unit_test(test_modern_is_refused_when_invalid),
        cmocka_unit_test(test_modern_is_told_apart_by_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
