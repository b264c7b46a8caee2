/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenario files become the plans they describe.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/support/load.h"
#include "tests/support/units.h"

enum { SRC, DST, BASE };

static void test_scenario_fills_in_defaults_when_little_is_said(void **state)
{
    struct plan *plan = load_plan("", 0, 0);
    const struct disk_spec *src = &plan->disks[SRC];

    (void)state;
    assert_string_equal(plan->name, "x");
    assert_string_equal(plan->doc, "d");
    assert_string_equal(plan->file, "test.yaml");
    assert_string_equal(plan->case_name, "");
    assert_int_equal(plan->disk_count, 3);
    assert_int_equal(src->bytes, MIB);
    assert_int_equal(src->fill, FILL_ZERO);
    assert_false(src->has_allocated);
    assert_int_equal(src->backing, PLAN_NONE);
    assert_int_equal(src->latency[OP_READ].a_ns, 100 * US);
    assert_int_equal(src->latency[OP_DISCARD].a_ns, 100 * US);
    assert_int_equal(src->latency[OP_FLUSH].a_ns, 50 * US);
    assert_int_equal(src->latency[OP_STATUS].a_ns, 0);
    assert_true(src->tracks_io_status);
    assert_int_equal(src->flags, DISK_FLAG_RDWR | DISK_FLAG_WRITE_BACK);
    assert_int_equal(plan->disks[DST].flags, DISK_FLAG_RDWR | DISK_FLAG_WRITE_BACK);
    assert_int_equal(plan->disks[BASE].flags, DISK_FLAG_WRITE_BACK);
    assert_int_equal(plan->job.kind, JOB_MIRROR);
    assert_int_equal(plan->job.source, SRC);
    assert_int_equal(plan->job.target, DST);
    assert_null(plan->job.replaces);
    assert_int_equal(plan->job.sync, SYNC_FULL);
    assert_int_equal(plan->job.granularity, 0);
    assert_int_equal(plan->job.buffer_bytes, MIRROR_DEFAULT_BUFFER_BYTES);
    assert_int_equal(plan->job.on_target_error, POLICY_REPORT);
    assert_int_equal(plan->step_count, 1);
    assert_int_equal(plan->steps[0].kind, DO_START);
    assert_false(plan->steps[0].expect_refused);
    assert_false(plan->steps[0].may_be_refused);
    plan_destroy(plan);
}

static void test_scenario_describes_disks_when_all_is_said(void **state)
{
    struct plan *plan = load_plan(
        "disks:\n"
        "  src: {size: 1.5MiB, fill: garbage, allocated: [{at: 0, len: 4KiB}, part], lanes: 4,\n"
        "        backing: {name: base, state: closed}, cluster: 64KiB, bandwidth: 100MiB/s,\n"
        "        max-transfer: 1MiB, max-segments: 16, effect: choice, cache: volatile,\n"
        "        flags: [rdwr, no-backing], io-status: untracked, access: blocked, role: filter,\n"
        "        latency: {read: 5us, write: {uniform: [1ms, 2ms]}, discard: 0,\n"
        "                  flush: {p50: 1us, p99: 9us, min: 500ns, max: 1s}}}\n"
        "  dst: {size: 1MiB, cluster: unknown, allocated: all, latency: {exponential: 1ms}}\n"
        "  base: {size: 1MiB, allocated: none, latency: {write: 3us}}\n"
        "vars: {part: {at: 8KiB, len: 512}}\n",
        0, 0);
    const struct disk_spec *src = &plan->disks[SRC];

    (void)state;
    assert_int_equal(src->bytes, 1536 * KIB);
    assert_int_equal(src->fill, FILL_GARBAGE);
    assert_true(src->has_allocated);
    assert_int_equal(src->allocated_count, 2);
    assert_int_equal(src->allocated[1].offset, 8 * KIB);
    assert_int_equal(src->allocated[1].bytes, 512);
    assert_int_equal(src->backing, BASE);
    assert_false(src->backing_open);
    assert_int_equal(src->cluster, 64 * KIB);
    assert_int_equal(src->lanes, 4);
    assert_int_equal(src->bandwidth, 100 * MIB);
    assert_int_equal(src->max_transfer, MIB);
    assert_int_equal(src->max_segments, 16);
    assert_int_equal(src->effect, EFFECT_BY_CHOICE);
    assert_true(src->volatile_cache);
    assert_int_equal(src->flags, DISK_FLAG_RDWR | DISK_FLAG_NO_BACKING);
    assert_false(src->tracks_io_status);
    assert_true(src->blocked);
    assert_true(src->filter);
    assert_int_equal(src->latency[OP_READ].a_ns, 5 * US);
    assert_int_equal(src->latency[OP_WRITE].kind, LATENCY_UNIFORM);
    assert_int_equal(src->latency[OP_WRITE].b_ns, 2 * MS);
    assert_int_equal(src->latency[OP_WRITE_ZEROES].kind, LATENCY_UNIFORM);
    assert_int_equal(src->latency[OP_DISCARD].a_ns, 0);
    assert_int_equal(src->latency[OP_FLUSH].kind, LATENCY_PERCENTILES);
    assert_int_equal(src->latency[OP_FLUSH].b_ns, 9 * US);
    assert_int_equal(src->latency[OP_FLUSH].min_ns, 500);
    assert_int_equal(src->latency[OP_FLUSH].max_ns, 1000 * MS);
    assert_true(plan->disks[DST].cluster_unknown);
    assert_int_equal(plan->disks[DST].allocated[0].bytes, MIB);
    assert_int_equal(plan->disks[DST].latency[OP_FLUSH].kind, LATENCY_EXPONENTIAL);
    assert_int_equal(plan->disks[DST].latency[OP_READ].a_ns, MS);
    assert_int_equal(plan->disks[BASE].latency[OP_READ].a_ns, 100 * US);
    assert_int_equal(plan->disks[BASE].latency[OP_DISCARD].a_ns, 3 * US);
    assert_true(plan->disks[BASE].has_allocated);
    assert_int_equal(plan->disks[BASE].allocated_count, 0);
    plan_destroy(plan);
}

/* A job that the engine must refuse has to reach the engine. */
static void test_scenario_describes_a_mirror_when_the_engine_will_refuse_it(void **state)
{
    struct plan *plan = load_plan(
        "job: {mirror: src, to: src, sync: none, granularity: 513, buffer: -1, speed: -1,\n"
        "      on-source-error: stop, on-target-error: enospc, replaces: nothing}\n",
        0, 0);

    (void)state;
    assert_int_equal(plan->job.target, SRC);
    assert_int_equal(plan->job.sync, SYNC_NONE);
    assert_int_equal(plan->job.granularity, 513);
    assert_int_equal(plan->job.buffer_bytes, -1);
    assert_int_equal(plan->job.speed, -1);
    assert_int_equal(plan->job.on_source_error, POLICY_STOP);
    assert_int_equal(plan->job.on_target_error, POLICY_ENOSPC);
    assert_string_equal(plan->job.replaces, "nothing");
    plan_destroy(plan);
}

static void test_scenario_describes_a_commit_when_its_base_is_below(void **state)
{
    struct plan *plan =
        load_plan("disks: {src: {size: 1MiB, backing: mid}, mid: {size: 1MiB, backing: base},\n"
                  "        base: {size: 512KiB}}\n"
                  "job: {commit: src, into: base, on-error: ignore}\n"
                  "expect: [{sector: {disk: base, at: 1023.5KiB, zero: true}}]\n",
                  0, 0);

    (void)state;
    assert_int_equal(plan->job.kind, JOB_COMMIT);
    assert_int_equal(plan->job.target, 2);
    assert_int_equal(plan->job.on_source_error, POLICY_IGNORE);
    assert_int_equal(plan->job.on_target_error, POLICY_IGNORE);
    assert_int_equal(plan->disks[2].flags, DISK_FLAG_WRITE_BACK);
    plan_destroy(plan);
}

static void test_scenario_describes_faults_when_they_are_named(void **state)
{
    struct plan *plan = load_plan(
        "faults:\n"
        "  e: {match: {disk: [src, dst], op: [read, write], by: job, overlaps: {at: 1, "
        "len: 2}, nth: 3},\n"
        "      error: EIO, times: forever, applied: 4KiB, probability: 0.5%, hits: 2, from: "
        "{mark: m, shift: -1ms},\n"
        "      until: 9ms, optional: true}\n"
        "  h: {match: {op: any}, hang: true, from: 5ms}\n"
        "  b: {match: {}, hold: before-completion, times: 2, until: {mark: m}}\n"
        "  d: {match: {}, delay: {factor: 1.5, plus: 1us}}\n"
        "  l: {match: {}, latency: 7us}\n"
        "  f: {match: {disk: dst}, full: 64KiB}\n"
        "  all: {match: {}, error: ENOSPC, applied: all}\n"
        "  any: {match: {}, error: ENOSPC, applied: choice}\n"
        "steps: [start, {mark: m}, {hold: {name: stale, match: {disk: dst}}}, {release: "
        "stale}, {release: h}]\n",
        0, 0);
    const struct fault_spec *fault = plan->faults;

    (void)state;
    assert_int_equal(plan->fault_count, 9);
    assert_string_equal(fault[0].name, "e");
    assert_int_equal(fault[0].kind, FAULT_ERROR);
    assert_int_equal(fault[0].error, -EIO);
    assert_int_equal(fault[0].match.disks, 1u << SRC | 1u << DST);
    assert_int_equal(fault[0].match.ops, 1u << OP_READ | 1u << OP_WRITE);
    assert_int_equal(fault[0].match.by, BY_JOB);
    assert_true(fault[0].match.has_range);
    assert_int_equal(fault[0].match.offset, 1);
    assert_int_equal(fault[0].match.bytes, 2);
    assert_int_equal(fault[0].nth, 3);
    assert_int_equal(fault[0].times, 0);
    assert_int_equal(fault[0].applied, APPLIED_PREFIX);
    assert_int_equal(fault[0].bytes, 4 * KIB);
    assert_int_equal(fault[0].probability_ppm, 5000);
    assert_int_equal(fault[0].hits, 2);
    assert_false(fault[0].armed);
    assert_int_equal(fault[0].from_mark, 0);
    assert_true(fault[0].shift_ns == -(int64_t)MS);
    assert_int_equal(fault[0].until_ns, 9 * MS);
    assert_int_equal(fault[0].until_mark, PLAN_NONE);
    assert_true(fault[0].optional);
    assert_int_equal(fault[1].kind, FAULT_HANG);
    assert_int_equal(fault[1].match.ops, 0);
    assert_true(fault[1].armed);
    assert_int_equal(fault[1].from_ns, 5 * MS);
    assert_int_equal(fault[1].times, 1);
    assert_int_equal(fault[2].kind, FAULT_HOLD);
    assert_int_equal(fault[2].phase, HOLD_BEFORE_COMPLETION);
    assert_int_equal(fault[2].until_mark, 0);
    assert_int_equal(fault[3].factor_percent, 150);
    assert_int_equal(fault[3].span_ns, US);
    assert_int_equal(fault[4].kind, FAULT_LATENCY);
    assert_int_equal(fault[5].kind, FAULT_FULL);
    assert_int_equal(fault[5].times, 0);
    assert_int_equal(fault[6].applied, APPLIED_ALL);
    assert_int_equal(fault[7].applied, APPLIED_BY_CHOICE);
    assert_string_equal(fault[8].name, "stale");
    assert_int_equal(fault[8].kind, FAULT_HOLD);
    assert_false(fault[8].armed);
    assert_int_equal(plan->steps[2].kind, DO_HOLD);
    assert_int_equal(plan->steps[2].index, 8);
    assert_int_equal(plan->steps[3].index, 8);
    assert_int_equal(plan->steps[4].index, 1);
    assert_string_equal(plan->marks[0], "m");
    plan_destroy(plan);
}

static void test_scenario_describes_steps_when_they_are_words_or_mappings(void **state)
{
    struct plan *plan = load_plan(
        "steps:\n"
        "  - {start: {refused: invalid-parameter}}\n"
        "  - {complete: refused}\n"
        "  - {cancel: {refused: maybe}}\n"
        "  - {set-speed: {speed: -1, refused: true}}\n"
        "  - {set-speed: 1MiB/s}\n"
        "  - {guest: flush}\n"
        "  - {guest: {write-zeroes: {at: 512, len: 1KiB}, tag: t, latency: 1us}}\n"
        "  - {power-cut: dst}\n"
        "  - {at: 5ms}\n"
        "  - {settle: 5s}\n"
        "  - settle\n"
        "  - {job: none}\n"
        "  - {query: {len: {at-least: 1, at-most: 2}, is: [ready, busy], is-not: paused,\n"
        "            status: standby}}\n"
        "react: [{when: started, do: start}]\n",
        0, 0);
    const struct action *step = plan->steps;

    (void)state;
    assert_true(step[0].expect_refused);
    assert_int_equal(step[0].refusal, REFUSED_INVALID_PARAMETER);
    assert_int_equal(step[0].where.line, 5);
    assert_int_equal(step[0].where.column, 5);
    assert_true(step[1].expect_refused);
    assert_int_equal(step[1].refusal, MATCH_ANY);
    assert_true(step[2].may_be_refused);
    assert_false(step[2].expect_refused);
    assert_int_equal(step[3].speed, -1);
    assert_true(step[3].expect_refused);
    assert_int_equal(step[4].speed, MIB);
    assert_int_equal(step[5].guest.op, OP_FLUSH);
    assert_int_equal(step[6].guest.op, OP_WRITE_ZEROES);
    assert_int_equal(step[6].guest.offset, 512);
    assert_int_equal(step[6].guest.bytes, KIB);
    assert_string_equal(step[6].guest.tag, "t");
    assert_true(step[6].guest.has_latency);
    assert_int_equal(step[6].guest.latency_ns, US);
    assert_int_equal(step[7].index, DST);
    assert_int_equal(step[8].at_ns, 5 * MS);
    assert_int_equal(step[9].kind, DO_SETTLE);
    assert_int_equal(step[9].wait.within_ns, 5000 * MS);
    assert_int_equal(step[10].wait.within_ns, 0);
    assert_int_equal(step[11].kind, DO_JOB_NONE);
    assert_int_equal(step[12].check_count, 6);
    assert_int_equal(step[12].checks[0].comparison, COMPARE_AT_LEAST);
    assert_int_equal(step[12].checks[1].comparison, COMPARE_AT_MOST);
    assert_int_equal(step[12].checks[1].value, 2);
    assert_int_equal(step[12].checks[2].field, QUERY_STATUS);
    assert_int_equal(step[12].checks[2].value, JOB_STATUS_STANDBY);
    assert_int_equal(step[12].checks[3].field, QUERY_READY);
    assert_int_equal(step[12].checks[5].field, QUERY_PAUSED);
    assert_int_equal(step[12].checks[5].value, false);
    plan_destroy(plan);
}

static void test_scenario_describes_waits_when_they_differ(void **state)
{
    struct plan *plan = load_plan(
        "steps:\n"
        "  - start\n"
        "  - {wait: concluded}\n"
        "  - {wait: {concluded: true, within: 1s}}\n"
        "  - {wait: 5ms}\n"
        "  - {wait: ready}\n"
        "  - {wait: {event: error, action: stop, error: EIO, nth: 2, within: 3ms, since: start}}\n"
        "  - {wait: {request: {disk: dst, op: write, nth: 4}, phase: submit}}\n"
        "  - {wait: {guest: idle, within: 1ms}}\n"
        "  - hold: {name: h, match: {}, phase: before-completion, times: forever}\n"
        "  - {wait: {held: h, within: 2ms}}\n"
        "  - {mark: m}\n"
        "  - {wait: {mark: m}}\n",
        0, 0);
    const struct action *step = plan->steps;

    (void)state;
    assert_int_equal(step[1].wait.kind, WAIT_CONCLUDED);
    assert_int_equal(step[2].wait.kind, WAIT_CONCLUDED);
    assert_int_equal(step[2].wait.within_ns, 1000 * MS);
    assert_int_equal(step[3].wait.kind, WAIT_DURATION);
    assert_int_equal(step[3].wait.within_ns, 5 * MS);
    assert_int_equal(step[4].wait.kind, WAIT_EVENT);
    assert_true(step[4].wait.match.kinds == UINT64_C(1) << EVENT_JOB_READY);
    assert_int_equal(step[4].wait.match.action, MATCH_ANY);
    assert_int_equal(step[5].wait.match.action, ACTION_STOP);
    assert_true(step[5].wait.match.has_ret);
    assert_int_equal(step[5].wait.match.ret, -EIO);
    assert_int_equal(step[5].wait.nth, 2);
    assert_int_equal(step[5].wait.within_ns, 3 * MS);
    assert_true(step[5].wait.since_start);
    assert_true(step[6].wait.match.kinds == UINT64_C(1) << EVENT_REQUEST_SUBMIT);
    assert_int_equal(step[6].wait.match.request.disks, 1u << DST);
    assert_int_equal(step[6].wait.nth, 4);
    assert_int_equal(step[7].wait.kind, WAIT_GUEST_IDLE);
    assert_int_equal(plan->faults[0].times, 0);
    assert_int_equal(plan->faults[0].phase, HOLD_BEFORE_COMPLETION);
    assert_int_equal(step[9].wait.kind, WAIT_HELD);
    assert_int_equal(step[9].wait.index, 0);
    assert_int_equal(step[11].wait.match.index, 0);
    assert_true(step[11].wait.match.kinds == UINT64_C(1) << EVENT_MARK);
    plan_destroy(plan);
}

static void test_scenario_describes_reactions_when_the_guest_has_some_too(void **state)
{
    struct plan *plan =
        load_plan("react:\n"
                  "  - {when: {event: error, nth: 2}, do: resume, after: 5ms, limit: 20}\n"
                  "  - {when: ready, do: {complete: {refused: not-ready}}}\n"
                  "guest:\n"
                  "  w: {at: 1ms, write: {at: 0, len: 512}}\n"
                  "  f: {when: ready, after: 2ms, flush: true}\n"
                  "  r: {when: {event: ready, nth: 3}, read: {at: 0, len: 512}, tag: reader}\n",
                  0, 0);

    (void)state;
    assert_int_equal(plan->react_count, 4);
    assert_int_equal(plan->reacts[0].nth, 2);
    assert_int_equal(plan->reacts[0].limit, 20);
    assert_int_equal(plan->reacts[0].delay_ns, 5 * MS);
    assert_int_equal(plan->reacts[0].action.kind, DO_RESUME);
    assert_true(plan->reacts[0].action.may_be_refused);
    assert_true(plan->reacts[1].action.expect_refused);
    assert_false(plan->reacts[1].action.may_be_refused);
    assert_int_equal(plan->reacts[2].action.guest.op, OP_FLUSH);
    assert_string_equal(plan->reacts[2].action.guest.tag, "f");
    assert_int_equal(plan->reacts[2].nth, 1);
    assert_int_equal(plan->reacts[2].delay_ns, 2 * MS);
    assert_int_equal(plan->reacts[3].nth, 3);
    assert_string_equal(plan->reacts[3].action.guest.tag, "reader");
    assert_int_equal(plan->timed_count, 1);
    assert_int_equal(plan->timed[0].at_ns, MS);
    assert_int_equal(plan->timed[0].action.guest.op, OP_WRITE);
    plan_destroy(plan);
}

/* A value that fits is read, however many digits it has. */
static void test_scenario_reads_times_and_sizes_when_they_have_many_digits(void **state)
{
    struct plan *plan = load_plan("guest:\n"
                                  "  a: {at: 900000.123456789s, flush: true}\n"
                                  "  b: {at: 1.500000000000s, write: {at: 0, len: 1.500000KiB}}\n",
                                  0, 0);

    (void)state;
    assert_int_equal(plan->timed[0].at_ns, UINT64_C(900000123456789));
    assert_int_equal(plan->timed[1].at_ns, 1500 * MS);
    assert_int_equal(plan->timed[1].action.guest.bytes, 1536);
    plan_destroy(plan);
}

static void test_scenario_describes_expectations_of_every_kind(void **state)
{
    struct plan *plan = load_plan(
        "faults: {bad: {match: {}, error: EIO}}\n"
        "guest: {w: {at: 1ms, write: {at: 0, len: 512}}}\n"
        "expect:\n"
        "  - result: EIO\n"
        "  - ended: cancelled\n"
        "  - events: [ready, {error: {op: write, action: report}}, {completed: {error: EIO}}]\n"
        "  - in-order: [started, {event: pivot, disk: dst}]\n"
        "  - reached: [ready, paused]\n"
        "  - never: {request: {disk: src, op: write, by: job}}\n"
        "  - atmost: {event: ready, times: 2}\n"
        "  - count: {request: {disk: dst}, phase: submit, times: 0}\n"
        "  - same: [src, dst]\n"
        "  - differ: {disks: [src, base], at: 512, len: 1KiB}\n"
        "  - sector: {disk: dst, at: 512, tag: w}\n"
        "  - sector: {disk: dst, at: 0, fill: src}\n"
        "  - within: {event: ready, time: 5ms}\n"
        "  - not-before: {event: ready, time: 1ms}\n"
        "  - fired: {bad: 1}\n"
        "  - concluded: {within: 5s}\n"
        "  - concluded: true\n"
        "  - guest: {stalled-at-most: 500ms}\n"
        "  - guest-on: dst\n"
        "  - backing: {dst: base, src: none}\n"
        "  - length: {dst: 2MiB}\n"
        "  - allocated: {dst: 64KiB}\n"
        "  - query: {offset: 1MiB}\n"
        "  - ended: completed\n",
        0, 0);
    const struct expect_spec *expect = plan->expects;
    static const enum expect_kind kinds[] = {
        EXPECT_RESULT,   EXPECT_CANCELLED, EXPECT_EVENTS,    EXPECT_IN_ORDER,    EXPECT_IN_ORDER,
        EXPECT_IN_ORDER, EXPECT_NEVER,     EXPECT_AT_MOST,   EXPECT_COUNT,       EXPECT_SAME,
        EXPECT_DIFFER,   EXPECT_SECTOR,    EXPECT_SECTOR,    EXPECT_WITHIN,      EXPECT_NOT_BEFORE,
        EXPECT_FIRED,    EXPECT_CONCLUDED, EXPECT_CONCLUDED, EXPECT_GUEST_STALL, EXPECT_GUEST_ON,
        EXPECT_BACKING,  EXPECT_BACKING,   EXPECT_LENGTH,    EXPECT_ALLOCATED,   EXPECT_QUERY,
        EXPECT_COUNT};

    (void)state;
    assert_int_equal(plan->expect_count, COUNT_OF(kinds));
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        assert_int_equal(expect[i].kind, kinds[i]);
    }
    assert_int_equal(expect[0].ret, -EIO);
    assert_int_equal(expect[2].match_count, 3);
    assert_int_equal(expect[2].matches[1].request.ops, 1u << OP_WRITE);
    assert_int_equal(expect[2].matches[1].action, ACTION_REPORT);
    assert_int_equal(expect[2].matches[2].ret, -EIO);
    assert_int_equal(expect[3].matches[1].request.disks, 1u << DST);
    assert_int_equal(expect[6].matches[0].request.by, BY_JOB);
    assert_true(expect[6].matches[0].kinds == UINT64_C(1) << EVENT_REQUEST_DONE);
    assert_int_equal(expect[7].count, 2);
    assert_int_equal(expect[9].a, SRC);
    assert_int_equal(expect[9].bytes, 0);
    assert_int_equal(expect[10].b, BASE);
    assert_int_equal(expect[10].offset, 512);
    assert_int_equal(expect[10].bytes, KIB);
    assert_int_equal(expect[11].content, SECTOR_GUEST_TAG);
    assert_string_equal(expect[11].tag, "w");
    assert_int_equal(expect[12].content, SECTOR_FILL_OF);
    assert_int_equal(expect[12].b, SRC);
    assert_int_equal(expect[13].time_ns, 5 * MS);
    assert_int_equal(expect[15].a, 0);
    assert_int_equal(expect[15].count, 1);
    assert_int_equal(expect[20].b, BASE);
    assert_int_equal(expect[21].a, SRC);
    assert_int_equal(expect[21].b, PLAN_NONE);
    assert_int_equal(expect[22].count, 2 * MIB);
    assert_int_equal(expect[24].check_count, 1);
    assert_int_equal(expect[25].count, 1);
    plan_destroy(plan);
}

static void test_scenario_describes_the_rest_when_it_is_given(void **state)
{
    struct plan *plan =
        load_plan("refs: [mirror-algorithm R6, parity 041/complete]\n"
                  "tags: [slow]\n"
                  "limits: {time: 100s, events: 5, events-at-once: 6, ready-within: 2s,\n"
                  "         timer-slack: 1us}\n"
                  "xfail: [{engine: qemu, finding: content, bug: D7}, {bug: x}]\n"
                  "choices: [{at: order, nth: 3, pick: 1}, {at: effect dst, pick: 2}]\n"
                  "explore: {schedule: {pct: 3}, faults: {singles: all}, runs: 20000}\n",
                  0, 0);

    (void)state;
    assert_int_equal(plan->ref_count, 2);
    assert_string_equal(plan->refs[1], "parity 041/complete");
    assert_string_equal(plan->tags[0], "slow");
    assert_int_equal(plan->limits.time_ns, 100000 * MS);
    assert_int_equal(plan->limits.events, 5);
    assert_int_equal(plan->limits.events_at_once, 6);
    assert_int_equal(plan->limits.ready_within_ns, 2000 * MS);
    assert_int_equal(plan->timer_slack_ns, US);
    assert_int_equal(plan->xfail_count, 2);
    assert_string_equal(plan->xfails[0].oracle, "content");
    assert_null(plan->xfails[1].engine);
    assert_int_equal(plan->choice_count, 2);
    assert_string_equal(plan->choices[1].site, "effect dst");
    assert_int_equal(plan->choices[1].nth, 1);
    assert_int_equal(plan->choices[0].pick, 1);
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_fills_in_defaults_when_little_is_said),
        cmocka_unit_test(test_scenario_describes_disks_when_all_is_said),
        cmocka_unit_test(test_scenario_describes_a_mirror_when_the_engine_will_refuse_it),
        cmocka_unit_test(test_scenario_describes_a_commit_when_its_base_is_below),
        cmocka_unit_test(test_scenario_describes_faults_when_they_are_named),
        cmocka_unit_test(test_scenario_describes_steps_when_they_are_words_or_mappings),
        cmocka_unit_test(test_scenario_describes_waits_when_they_differ),
        cmocka_unit_test(test_scenario_describes_reactions_when_the_guest_has_some_too),
        cmocka_unit_test(test_scenario_reads_times_and_sizes_when_they_have_many_digits),
        cmocka_unit_test(test_scenario_describes_expectations_of_every_kind),
        cmocka_unit_test(test_scenario_describes_the_rest_when_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
