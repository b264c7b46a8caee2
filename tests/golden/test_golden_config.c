/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reference configurations: the effect of each directive on the plan, and the
 * messages for invalid files.
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
    struct plan *plan = config_read("case.cfg", copy, GENERATION_2_2, &error);
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

/* A file only needs a source with a length. */
static void test_config_has_defaults_when_only_length_given(void **state)
{
    (void)state;
    struct plan *plan = plan_of(LENGTH);
    assert_int_equal(plan->disk_count, 2);
    assert_string_equal(plan->disks[plan->job.source].name, "source");
    assert_string_equal(plan->disks[plan->job.target].name, "target");
    assert_int_equal(disk_of(plan, "source")->flags, 0x42);
    assert_int_equal(disk_of(plan, "target")->flags, 0x142);
    assert_int_equal(disk_of(plan, "target")->bytes, 1048576);
    assert_int_equal(disk_of(plan, "source")->fill, FILL_UNIQUE);
    assert_int_equal(disk_of(plan, "target")->fill, FILL_ZERO);
    assert_int_equal(plan->job.buffer_bytes, 10485760);
    assert_int_equal(plan->limits.time_ns, UINT64_C(100000000000));
    plan_destroy(plan);
}

/* The start precedes every line at the same instant, wherever it is written. */
static void test_config_starts_first_when_lines_are_due_at_once(void **state)
{
    (void)state;
    struct plan *plan = plan_of(LENGTH "guest 7 512 1024 0xf1 3\nat 7 cancel\nstart 7\n");
    assert_int_equal(plan->timed_count, 3);
    assert_int_equal(plan->timed[0].action.kind, DO_START);
    assert_int_equal(plan->timed[0].at_ns, 7);
    assert_int_equal(plan->timed[1].action.kind, DO_GUEST);
    assert_int_equal(plan->timed[1].action.guest.offset, 512);
    assert_int_equal(plan->timed[1].action.guest.bytes, 1024);
    assert_int_equal(plan->timed[1].action.guest.latency_ns, 3);
    assert_string_equal(plan->timed[1].action.guest.tag, "0xf1");
    assert_int_equal(plan->timed[2].action.kind, DO_CANCEL);
    plan_destroy(plan);
}

static void test_config_reads_job_when_all_is_given(void **state)
{
    (void)state;
    struct plan *plan = plan_of(LENGTH "mode top\ngranularity 0x1000\nbuf_size 512\nspeed -1\n"
                                       "limit 5\ntimer_slack 6\non_source_error enospc\n"
                                       "on_target_error ignore\nreplaces child\n");
    assert_int_equal(plan->job.kind, JOB_MIRROR);
    assert_int_equal(plan->job.sync, SYNC_TOP);
    assert_int_equal(plan->job.granularity, 4096);
    assert_int_equal(plan->job.buffer_bytes, 512);
    assert_int_equal(plan->job.speed, -1);
    assert_int_equal(plan->limits.time_ns, 5);
    assert_int_equal(plan->timer_slack_ns, 6);
    assert_int_equal(plan->job.on_source_error, POLICY_ENOSPC);
    assert_int_equal(plan->job.on_target_error, POLICY_IGNORE);
    assert_string_equal(plan->job.replaces, "child");
    assert_int_equal(plan_find_disk(plan, "child"), PLAN_NONE);
    plan_destroy(plan);
}

static void test_config_targets_base_when_mode_is_commit(void **state)
{
    (void)state;
    struct plan *plan = plan_of("mode commit\nbacking source base\nlength base 512\n" LENGTH);
    assert_int_equal(plan->job.kind, JOB_COMMIT);
    assert_string_equal(plan->disks[plan->job.target].name, "base");
    assert_int_equal(disk_of(plan, "base")->bytes, 512);
    assert_int_equal(plan_find_disk(plan, "target"), PLAN_NONE);
    plan_destroy(plan);
}

static void test_config_reads_disks_when_all_is_given(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of(LENGTH "latency mid flush 9\ncluster target 65536\nbacking source mid\n"
                       "backing_file target mid\nflags mid 0x7\nblocked mid\nfilter mid\n"
                       "iostatus source 0\ninit target garbage\nlength mid 4096\n"
                       "alloc mid 512 512\nalloc mid 2048 1048576\nalloc source none\n");
    const struct disk_spec *mid = disk_of(plan, "mid");
    assert_int_equal(mid->latency[OP_FLUSH].a_ns, 9);
    assert_int_equal(mid->flags, 7);
    assert_true(mid->blocked);
    assert_true(mid->filter);
    assert_true(mid->has_allocated);
    assert_int_equal(mid->allocated_count, 2);
    assert_int_equal(mid->allocated[1].bytes, 2048); /* clipped */
    assert_true(disk_of(plan, "source")->has_allocated);
    assert_int_equal(disk_of(plan, "source")->allocated_count, 0);
    assert_true(disk_of(plan, "source")->backing_open);
    assert_false(disk_of(plan, "source")->tracks_io_status);
    assert_false(disk_of(plan, "target")->backing_open);
    assert_ptr_equal(&plan->disks[disk_of(plan, "target")->backing], mid);
    assert_int_equal(disk_of(plan, "target")->cluster, 65536);
    assert_int_equal(disk_of(plan, "target")->fill, FILL_GARBAGE);
    plan_destroy(plan);
}

/* Each name of an operation, and the operations it matches. */
static void test_config_matches_requests_when_errors_are_given(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum op op;
        enum by by;
    } ops[] = {
        {"read", OP_READ, BY_JOB},
        {"write", OP_WRITE, BY_JOB},
        {"flush", OP_FLUSH, BY_JOB},
        {"guest", OP_WRITE, BY_GUEST},
        {"getlength", OP_GETLENGTH, BY_NONE},
        {"bitmap", OP_BITMAP, BY_NONE},
        {"alloc", OP_STATUS, BY_NONE},
        {"info", OP_GET_INFO, BY_NONE},
        {"memalign", OP_BUFFER, BY_NONE},
        {"truncate", OP_TRUNCATE, BY_NONE},
        {"open_backing", OP_OPEN_BACKING, BY_NONE},
        {"reopen", OP_REOPEN, BY_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        char text[200];
        snprintf(text, sizeof(text), LENGTH "error source %s 3 EIO\nerror source %s 0 28\n",
                 ops[i].name, ops[i].name);
        struct plan *plan = plan_of(text);
        assert_int_equal(plan->fault_count, 2);
        assert_int_equal(plan->faults[0].match.ops, 1u << ops[i].op);
        assert_int_equal(plan->faults[0].match.by, ops[i].by);
        assert_int_equal(plan->faults[0].match.disks, 1);
        assert_int_equal(plan->faults[0].nth, 3);
        assert_int_equal(plan->faults[0].times, 1);
        assert_int_equal(plan->faults[0].error, -EIO);
        assert_int_equal(plan->faults[1].times, 0); /* every one */
        assert_int_equal(plan->faults[1].error, -ENOSPC);
        plan_destroy(plan);
    }
}

static void test_config_reacts_when_on_is_given(void **state)
{
    (void)state;
    struct plan *plan = plan_of(LENGTH "on ready 1 5 complete\non error 0 6 set_speed -7\n"
                                       "on paused 2 0 guest 0 512 1 8\n");
    assert_int_equal(plan->react_count, 3);
    assert_true(plan->reacts[0].when.kinds == UINT64_C(1) << EVENT_JOB_READY);
    assert_int_equal(plan->reacts[0].nth, 1);
    assert_int_equal(plan->reacts[0].delay_ns, 5);
    assert_int_equal(plan->reacts[0].action.kind, DO_COMPLETE);
    assert_true(plan->reacts[1].when.kinds == UINT64_C(1) << EVENT_JOB_ERROR);
    assert_int_equal(plan->reacts[1].nth, 0);
    assert_int_equal(plan->reacts[1].action.speed, -7);
    assert_true(plan->reacts[2].when.kinds == UINT64_C(1) << EVENT_JOB_PAUSED);
    assert_int_equal(plan->reacts[2].action.guest.latency_ns, 8);
    plan_destroy(plan);
}

/* Messages name the line. */
static void test_config_is_refused_when_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        bool unsupported;
        const char *says;
    } files[] = {
        {"", 0, false, "length source"},
        {LENGTH "lenght target 512\n", 2, false, "'lenght' is no directive"},
        {LENGTH "\n# x\nlength target\n", 4, false, "usage: length NODE BYTES"},
        {LENGTH "length target 513\n", 2, false, "multiple of 512"},
        {LENGTH "length target 0x\n", 2, false, "'0x'"},
        {LENGTH "length target -512\n", 2, false, "'-512'"},
        {LENGTH "length target 99999999999999999999\n", 2, false, "multiple of 512"},
        {LENGTH "length target 9223372036854775808\n", 2, false, "multiple of 512"},
        {LENGTH "\033[2J\351\n", 2, false, "'?[2J?' is no directive"},
        {LENGTH "mode fast\n", 2, false, "none of full, top, none, commit"},
        {LENGTH "latency source trim 1\n", 2, false, "none of read, write, flush"},
        {LENGTH "alloc source all\n", 2, false, "alloc NODE none"},
        {LENGTH "backing a b\nbacking b c\nbacking c a\n", 4, false, "own backing chain"},
        {LENGTH "backing a a\n", 2, false, "own backing chain"},
        {LENGTH "error source trim 1 EIO\n", 2, false, "no operation"},
        {LENGTH "error source read 1 EWHAT\n", 2, false, "'EWHAT'"},
        {LENGTH "error source alloc 1 EINPROGRESS\n", 2, true, "EINPROGRESS"},
        {LENGTH "oplatency source getlength 1 5\n", 2, false, "takes no time"},
        {LENGTH "guest 0 0 0 1 1\n", 2, false, "no bytes"},
        {LENGTH "at 0 stop\n", 2, false, "'stop' is no control"},
        {LENGTH "at 0 complete now\n", 2, false, "usage of this control: complete"},
        {LENGTH "on ready 1 0 guest 0 512 1\n", 2, false, "guest OFFSET BYTES TAG LATENCY"},
        {LENGTH "on cancelled 1 0 cancel\n", 2, false, "none of ready, error, paused"},
        {LENGTH "flags source 0x100000000\n", 2, false, "32 bits"},
        {LENGTH "a b c d e f g h i j k l m\n", 2, false, "words"},
        {LENGTH "cluster target 1536\n", 2, true, "power of two"},
        {LENGTH "length target 512 # and\tmore\nspeed 9223372036854775808\n", 3, false, "63 bits"},
        {LENGTH "buf_size 4611686018427387904\n", 0, true, "chunk buffers"},
        {"length source 4611686018427387904\n", 0, true, "chunks"},
        {LENGTH "filter n123456789012345678901234567890123456789012345678901234567890123\n", 2,
         false, "name"},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct config_error error = {0};
        char *copy = strdup(files[i].text);
        struct plan *plan = config_read("case.cfg", copy, GENERATION_2_2, &error);
        free(copy);
        if (plan || error.line != files[i].line || error.unsupported != files[i].unsupported ||
            !strstr(error.text, files[i].says)) {
            fail_msg("%sis not refused as it should be: line %u: %s", files[i].text, error.line,
                     error.text);
        }
    }
}

static void test_config_is_unsupported_when_nodes_are_too_many(void **state)
{
    (void)state;
    char text[400] = LENGTH; /* source and target count, too */
    struct config_error error = {0};
    for (int i = 0; i < PLAN_MAX_DISKS - 2; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "filter node%d\n", i);
    }
    plan_destroy(plan_of(text));
    strcat(text, "filter more\n");
    assert_null(config_read("case.cfg", text, GENERATION_2_2, &error));
    assert_true(error.unsupported);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_has_defaults_when_only_length_given),
        cmocka_unit_test(test_config_starts_first_when_lines_are_due_at_once),
        cmocka_unit_test(test_config_reads_job_when_all_is_given),
        cmocka_unit_test(test_config_targets_base_when_mode_is_commit),
        cmocka_unit_test(test_config_reads_disks_when_all_is_given),
        cmocka_unit_test(test_config_matches_requests_when_errors_are_given),
        cmocka_unit_test(test_config_reacts_when_on_is_given),
        cmocka_unit_test(test_config_is_refused_when_invalid),
        cmocka_unit_test(test_config_is_unsupported_when_nodes_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
