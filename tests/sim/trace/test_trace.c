/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traces: the running hash, differences, and events as text and JSON.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/units.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

static struct event write_of(uint32_t request)
{
    return (struct event){
        .now_ns = 1000003,
        .kind = EVENT_REQUEST_SUBMIT,
        .node = 1,
        .op = OP_WRITE,
        .by = BY_JOB,
        .request = request,
        .offset = 65536,
        .bytes = 65536,
    };
}

/* Committed: the same on every compiler, word size and byte order. */
static void test_trace_hash_is_the_committed_one(void **state)
{
    struct event event = write_of(0x01020304);
    struct trace trace;

    (void)state;
    event.ret = -EIO;
    event.index = 0x0506;
    event.detail = 7;
    event.detail2 = 8;
    trace_init(&trace, false);
    trace_append(&trace, &event);
    assert_true(trace.hash == UINT64_C(0x106b131f81f19f32));
    trace_append(&trace, &event);
    assert_true(trace.hash == UINT64_C(0xa748f52d4fa7167b));
    assert_int_equal(trace.count, 2);
    assert_null(trace.events);
    trace_free(&trace);
}

/* Every field of an event counts, and so does the order of events. */
static void test_trace_hash_differs_when_any_field_differs(void **state)
{
    static const struct event variants[] = {
        {0},           {.now_ns = 1},  {.offset = 1}, {.bytes = 1},   {.request = 1},
        {.ret = 1},    {.kind = 1},    {.node = 1},   {.op = 1},      {.by = 1},
        {.detail = 1}, {.detail2 = 1}, {.index = 1},  {.index = 256},
    };
    enum { COUNT = COUNT_OF(variants) };
    uint64_t hashes[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct trace trace;

        trace_init(&trace, false);
        trace_append(&trace, &variants[i]);
        hashes[i] = trace.hash;
        for (int k = 0; k < i; k++) {
            assert_true(hashes[k] != hashes[i]);
        }
        trace_free(&trace);
    }
}

static void append_many(struct trace *trace, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct event event = write_of(first + i);

        trace_append(trace, &event);
    }
}

static void test_trace_keeps_all_events_when_it_grows(void **state)
{
    struct trace trace;

    (void)state;
    trace_init(&trace, true);
    append_many(&trace, 0, 5000);
    assert_int_equal(trace.count, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(trace.events[i].request, i);
    }
    trace_free(&trace);
}

static void test_trace_goes_on_as_if_never_left_when_rewound(void **state)
{
    struct trace straight;
    struct trace detour;
    uint64_t hash;

    (void)state;
    trace_init(&straight, true);
    trace_init(&detour, true);
    append_many(&straight, 0, 100);
    append_many(&detour, 0, 40);
    hash = detour.hash;
    append_many(&detour, 1000, 200);
    assert_true(detour.hash != straight.hash);
    trace_rewind(&detour, 40, hash);
    append_many(&detour, 40, 60);
    assert_int_equal(detour.count, straight.count);
    assert_true(detour.hash == straight.hash);

    trace_clear(&detour);
    assert_int_equal(detour.count, 0);
    append_many(&detour, 0, 100);
    assert_true(detour.hash == straight.hash);
    trace_free(&straight);
    trace_free(&detour);
}

static void test_trace_first_difference_finds_it_when_events_or_lengths_differ(void **state)
{
    struct trace a;
    struct trace b;
    uint64_t at = 0;

    (void)state;
    trace_init(&a, true);
    trace_init(&b, true);
    append_many(&a, 0, 50);
    append_many(&b, 0, 50);
    assert_false(trace_first_difference(&a, &b, &at));
    append_many(&b, 50, 1);
    assert_true(trace_first_difference(&a, &b, &at));
    assert_int_equal(at, 50);
    b.events[17].detail2 = 1;
    assert_true(trace_first_difference(&b, &a, &at));
    assert_int_equal(at, 17);
    trace_free(&a);
    trace_free(&b);
}

/* ---- Text and JSON ---- */

static const char *test_phase_name(unsigned phase)
{
    return phase == 0 ? "copying" : "finishing";
}

static const struct engine test_engine = {.name = "test", .phase_name = test_phase_name};

/* Two disks, a fault, a mark, two steps and a reaction; names need escaping. */
static struct plan *make_plan(void)
{
    static struct fault_spec faults[] = {{.name = "bad\"write\\\n\033"}};
    static const char *marks[] = {"near"};
    static struct action steps[] = {{.kind = DO_START, .where = {14, 3}}, {.kind = DO_GUEST}};
    static struct react_spec reacts[] = {{.where = {20, 1}}};
    struct plan *plan = plan_create();

    plan->disks[0].name = "src";
    plan->disks[1].name = "dst";
    plan->disk_count = 2;
    plan->faults = faults;
    plan->fault_count = 1;
    plan->marks = marks;
    plan->mark_count = 1;
    plan->steps = steps;
    plan->step_count = 2;
    plan->reacts = reacts;
    plan->react_count = 1;
    return plan;
}

static const struct {
    struct event event;
    const char *text;
    const char *json; /* after the event's name */
} formats[] = {
    {{.now_ns = 1000003,
      .kind = EVENT_REQUEST_DONE,
      .node = 1,
      .op = OP_WRITE,
      .by = BY_JOB,
      .request = 12,
      .offset = 65536,
      .bytes = 65536,
      .ret = -EIO},
     "     1.000003ms  #12    done          dst write at 64KiB +64KiB by job EIO",
     ",\"request\":12,\"disk\":\"dst\",\"op\":\"write\",\"offset\":65536,\"bytes\":65536,"
     "\"by\":\"job\",\"ret\":\"EIO\"}"},
    {{.kind = EVENT_REQUEST_DONE, .op = OP_FLUSH, .by = BY_GUEST, .request = 1234567, .ret = 0},
     "     0.000000ms  #1234567 done          src flush by guest ok",
     ",\"request\":1234567,\"disk\":\"src\",\"op\":\"flush\",\"by\":\"guest\",\"ret\":\"ok\"}"},
    {{.now_ns = UINT64_MAX,
      .kind = EVENT_REQUEST_SUBMIT,
      .op = OP_READ,
      .by = BY_GUEST,
      .request = 1,
      .offset = 512,
      .bytes = UINT64_C(3) << 40,
      .index = 1},
     "18446744073709.551615ms  #1     submit        src read at 512 +3TiB by guest line 14",
     ",\"request\":1,\"disk\":\"src\",\"op\":\"read\",\"offset\":512,\"bytes\":3298534883328,"
     "\"by\":\"guest\",\"line\":14}"},
    {{.kind = EVENT_FAULT, .node = 1, .op = OP_GETLENGTH, .by = BY_JOB, .ret = -ENOMEDIUM},
     "     0.000000ms         fault         bad\"write\\?? dst getlength by job ENOMEDIUM",
     ",\"fault\":\"bad\\\"write\\\\\\u000a\\u001b\",\"disk\":\"dst\",\"op\":\"getlength\","
     "\"by\":\"job\",\"error\":\"ENOMEDIUM\"}"},
    {{.kind = EVENT_DIRTY_CREATE, .bytes = 65536},
     "     0.000000ms         dirty-create  src bitmap 0 granularity 64KiB",
     ",\"disk\":\"src\",\"bitmap\":0,\"granularity\":65536}"},
    {{.kind = EVENT_GRAPH_REOPEN, .node = 1, .bytes = 0x42},
     "     0.000000ms         reopen        dst flags 0x42 ok",
     ",\"disk\":\"dst\",\"flags\":66,\"ret\":\"ok\"}"},
    {{.kind = EVENT_GRAPH_PIVOT, .node = 1, .index = 0},
     "     0.000000ms         pivot         dst for src",
     ",\"disk\":\"dst\",\"replaces\":\"src\"}"},
    {{.kind = EVENT_BUFFERS_CREATE, .node = 9, .offset = 16, .bytes = 1000},
     "     0.000000ms         buffers       9 16 of 1000",
     ",\"disk\":9,\"count\":16,\"bytes\":1000}"},
    {{.kind = EVENT_JOB_PHASE, .detail = 0, .detail2 = 1},
     "     0.000000ms         phase         copying -> finishing",
     ",\"from\":\"copying\",\"to\":\"finishing\"}"},
    {{.kind = EVENT_JOB_ERROR,
      .node = 1,
      .op = OP_WRITE,
      .offset = 0,
      .bytes = 512,
      .detail = ACTION_STOP,
      .ret = -ENOSPC},
     "     0.000000ms         error         dst write at 0 +512 action stop ENOSPC",
     ",\"disk\":\"dst\",\"op\":\"write\",\"offset\":0,\"bytes\":512,\"action\":\"stop\","
     "\"ret\":\"ENOSPC\"}"},
    {{.kind = EVENT_JOB_COMPLETED, .offset = 1 << 20, .bytes = 4 << 20, .ret = -4095},
     "     0.000000ms         completed     1MiB of 4MiB error 4095",
     ",\"offset\":1048576,\"len\":4194304,\"ret\":\"error 4095\"}"},
    {{.kind = EVENT_COMMAND, .detail = VERB_SET_SPEED, .offset = (uint64_t)-5},
     "     0.000000ms         command       set-speed -5",
     ",\"verb\":\"set-speed\",\"speed\":-5}"},
    {{.kind = EVENT_COMMAND, .detail = VERB_PAUSE},
     "     0.000000ms         command       pause",
     ",\"verb\":\"pause\"}"},
    {{.kind = EVENT_COMMAND_REFUSED,
      .detail = VERB_COMPLETE,
      .detail2 = REFUSED_NOT_READY,
      .ret = -EBUSY},
     "     0.000000ms         refused       complete not-ready EBUSY",
     ",\"verb\":\"complete\",\"refusal\":\"not-ready\",\"ret\":\"EBUSY\"}"},
    {{.kind = EVENT_STEP, .index = 0},
     "     0.000000ms         step          1 start line 14",
     ",\"step\":1,\"do\":\"start\",\"line\":14}"},
    {{.kind = EVENT_STEP, .index = 1},
     "     0.000000ms         step          2 guest",
     ",\"step\":2,\"do\":\"guest\"}"},
    {{.kind = EVENT_REACT, .index = 0},
     "     0.000000ms         react         line 20",
     ",\"line\":20}"},
    {{.kind = EVENT_MARK, .index = 0},
     "     0.000000ms         mark          near",
     ",\"mark\":\"near\"}"},
    {{.kind = EVENT_CHECK_FAILED, .index = UINT16_MAX},
     "     0.000000ms         check-failed",
     "}"},
};

static void test_trace_formats_give_every_field_in_a_fixed_order(void **state)
{
    struct plan *plan = make_plan();
    const struct trace_names names = {plan, &test_engine};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        const struct event *event = &formats[i].event;
        char expected[400];
        char buf[400];
        int length = trace_format_text(&names, event, buf, sizeof(buf));

        assert_string_equal(buf, formats[i].text);
        assert_int_equal(length, strlen(buf));

        snprintf(expected, sizeof(expected), "%5zu%s", i + 9999, formats[i].text);
        length = trace_format_numbered(&names, event, i + 9999, buf, sizeof(buf));
        assert_string_equal(buf, expected);
        assert_int_equal(length, strlen(buf));

        snprintf(expected, sizeof(expected), "{\"n\":%zu,\"t\":%llu,\"event\":\"%s\"%s", i,
                 (unsigned long long)event->now_ns, event_kind_name(event_kind(event)),
                 formats[i].json);
        length = trace_format_json(&names, event, i, buf, sizeof(buf));
        assert_string_equal(buf, expected);
        assert_int_equal(length, strlen(buf));
    }
    plan_destroy(plan);
}

/* Every kind can be formatted, with any values of its fields and an empty plan. */
static void test_trace_formats_know_every_kind_when_the_plan_is_empty(void **state)
{
    struct plan *plan = plan_create();
    const struct trace_names names = {plan, NULL};

    (void)state;
    for (uint8_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct event event = {.kind = kind, .index = 77, .node = 3, .bytes = 512, .by = 1};
        char buf[400];

        assert_in_range(trace_format_text(&names, &event, buf, sizeof(buf)), 20, 200);
        assert_non_null(strstr(buf, event_kind_name((enum event_kind)kind)));
        assert_in_range(trace_format_json(&names, &event, 0, buf, sizeof(buf)), 20, 200);
    }
    plan_destroy(plan);
}

static void test_trace_formats_cut_but_count_when_the_buffer_is_short(void **state)
{
    struct plan *plan = make_plan();
    const struct trace_names names = {plan, &test_engine};
    struct event event = write_of(1);
    char whole[200];
    char buf[200];
    int length = trace_format_text(&names, &event, whole, sizeof(whole));

    (void)state;
    for (size_t size = 0; size <= (size_t)length + 1; size++) {
        memset(buf, '~', sizeof(buf));
        assert_int_equal(trace_format_text(&names, &event, buf, size), length);
        assert_int_equal(buf[size], '~');
        if (size > 0) {
            assert_memory_equal(buf, whole, size - 1);
            assert_int_equal(buf[size - 1], '\0');
        }
    }
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_hash_is_the_committed_one),
        cmocka_unit_test(test_trace_hash_differs_when_any_field_differs),
        cmocka_unit_test(test_trace_keeps_all_events_when_it_grows),
        cmocka_unit_test(test_trace_goes_on_as_if_never_left_when_rewound),
        cmocka_unit_test(test_trace_first_difference_finds_it_when_events_or_lengths_differ),
        cmocka_unit_test(test_trace_formats_give_every_field_in_a_fixed_order),
        cmocka_unit_test(test_trace_formats_know_every_kind_when_the_plan_is_empty),
        cmocka_unit_test(test_trace_formats_cut_but_count_when_the_buffer_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
