/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shapes: events go in one by one, and what was where from when until when comes out.
 */
#include "tools/picture/shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/interposer.h"
#include "tools/picture/picture.h"

#define KIB UINT64_C(1024)
#define SRC 0
#define DST 1

struct fixture {
    struct plan *plan;
    struct trace trace;
    struct picture picture;
    uint64_t now_ns;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->plan = plan_create();
    f->plan->generation = GENERATION_2_2;
    trace_init(&f->trace, true);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    picture_free(&f->picture);
    trace_free(&f->trace);
    plan_destroy(f->plan);
    free(f);
    return 0;
}

/* Appends the event, 1 ns after the last; 0 ns: `at_once`. */
static uint64_t at_once(struct fixture *f, struct event event)
{
    event.now_ns = f->now_ns;
    trace_append(&f->trace, &event);
    return f->trace.count - 1;
}

static uint64_t see(struct fixture *f, struct event event)
{
    f->now_ns++;
    return at_once(f, event);
}

static struct event request(enum event_kind kind, uint32_t number, enum by by, unsigned node,
                            enum op op, uint64_t offset, uint64_t bytes)
{
    return (struct event){.kind = (uint8_t)kind,
                          .request = number,
                          .by = (uint8_t)by,
                          .node = (uint8_t)node,
                          .op = (uint8_t)op,
                          .offset = offset,
                          .bytes = bytes};
}

#define SUBMIT(number, by, node, op, offset, bytes) \
    request(EVENT_REQUEST_SUBMIT, number, by, node, op, offset, bytes)
#define DONE(number, by, node, op, offset, bytes) \
    request(EVENT_REQUEST_DONE, number, by, node, op, offset, bytes)

static struct picture *draw(struct fixture *f)
{
    picture_free(&f->picture);
    f->picture = picture_of_trace(f->plan, &f->trace);
    return &f->picture;
}

/* ---- Requests ---- */

/* Two reads are over in the opposite order; each write belongs to the read of its range. */
static void test_shapes_say_which_read_a_write_carries_when_copies_overtake(void **state)
{
    struct fixture *f = *state;
    const struct picture *p;

    see(f, SUBMIT(1, BY_JOB, SRC, OP_READ, 0, 64 * KIB));
    see(f, SUBMIT(2, BY_JOB, SRC, OP_READ, 64 * KIB, 64 * KIB));
    see(f, DONE(2, BY_JOB, SRC, OP_READ, 64 * KIB, 64 * KIB));
    at_once(f, DONE(1, BY_JOB, SRC, OP_READ, 0, 64 * KIB));
    at_once(f, SUBMIT(3, BY_JOB, DST, OP_WRITE, 0, 64 * KIB));
    at_once(f, SUBMIT(4, BY_JOB, DST, OP_WRITE, 64 * KIB, 64 * KIB));
    see(f, request(EVENT_REQUEST_EFFECT, 3, BY_JOB, DST, OP_WRITE, 0, 64 * KIB));
    see(f, DONE(3, BY_JOB, DST, OP_WRITE, 0, 64 * KIB));
    p = draw(f);

    assert_int_equal(p->request_count, 4);
    assert_int_equal(picture_request(p, 3)->carries, 1);
    assert_int_equal(picture_request(p, 4)->carries, 2);
    assert_int_equal(picture_request(p, 3)->effect_ns, 4);
    assert_int_equal(picture_request(p, 3)->done_event, 7);
    assert_int_equal(picture_request(p, 3)->over_ns, 5);
    assert_true(picture_request(p, 4)->over_ns == SHAPE_NEVER);
    assert_int_equal(picture_request(p, 1)->carries, 0);
    assert_null(picture_request(p, 5));

    assert_int_equal(p->range_count, 2);
    assert_int_equal(p->ranges[0].kind, RANGE_IN_FLIGHT);
    assert_int_equal(p->ranges[0].request, 1);
    assert_int_equal(p->ranges[0].from_ns, 1);
    assert_int_equal(p->ranges[0].to_ns, 5);
    assert_int_equal(p->ranges[1].request, 2);
    assert_true(p->ranges[1].to_event == SHAPE_NEVER);
}

/* What a read brought is written in the event that ends it; a write that comes later is none. */
static void test_shapes_end_a_copy_with_its_read_when_no_write_follows(void **state)
{
    struct fixture *f = *state;
    struct event failed = DONE(1, BY_JOB, SRC, OP_READ, 0, 4 * KIB);
    const struct picture *p;

    failed.ret = -5;
    see(f, SUBMIT(1, BY_JOB, SRC, OP_READ, 0, 4 * KIB));
    see(f, failed);
    see(f, SUBMIT(2, BY_JOB, SRC, OP_READ, 0, 4 * KIB));
    see(f, DONE(2, BY_JOB, SRC, OP_READ, 0, 4 * KIB));
    see(f, SUBMIT(3, BY_JOB, DST, OP_WRITE, 0, 4 * KIB));
    p = draw(f);

    assert_int_equal(picture_request(p, 1)->ret, -5);
    assert_int_equal(picture_request(p, 3)->carries, 0);
    assert_int_equal(p->range_count, 3);
    assert_int_equal(p->ranges[0].to_ns, 2);
    assert_int_equal(p->ranges[1].to_ns, 4);
    assert_int_equal(p->ranges[2].from_ns, 5);
}

/* Arrival, its own disk, the active request, the answer. */
static void test_shapes_of_today_keep_a_guest_request_until_its_answer(void **state)
{
    struct fixture *f = *state;
    const struct picture *p;
    const struct shape_request *guest;

    f->plan->generation = GENERATION_MODERN;
    see(f, request(EVENT_REQUEST_QUEUED, 1, BY_GUEST, BLOCK_FILTER_ID, OP_WRITE, 0, 64 * KIB));
    see(f, request(EVENT_ARRIVE, 1, BY_GUEST, BLOCK_FILTER_ID, OP_WRITE, 0, 64 * KIB));
    see(f, (struct event){.kind = EVENT_STALL_HOLDER, .request = 1, .bytes = 128 * KIB});
    see(f, SUBMIT(1, BY_GUEST, SRC, OP_WRITE, 0, 64 * KIB));
    see(f, DONE(1, BY_GUEST, SRC, OP_WRITE, 0, 64 * KIB));
    at_once(f, SUBMIT(2, BY_ACTIVE, DST, OP_WRITE, 4 * KIB, 60 * KIB));
    see(f, DONE(2, BY_ACTIVE, DST, OP_WRITE, 4 * KIB, 60 * KIB));
    at_once(f, request(EVENT_ANSWERED, 1, BY_GUEST, BLOCK_FILTER_ID, OP_WRITE, 0, 64 * KIB));
    p = draw(f);
    guest = picture_request(p, 1);

    assert_int_equal(p->request_count, 2);
    assert_int_equal(guest->node, SRC);
    assert_int_equal(guest->came_ns, 1);
    assert_int_equal(guest->submit_ns, 4);
    assert_int_equal(guest->done_ns, 5);
    assert_int_equal(guest->over_ns, 6);
    assert_int_equal(picture_request(p, 2)->carries, 1);

    assert_int_equal(p->ranges[0].kind, RANGE_LOCKED);
    assert_int_equal(p->ranges[0].bytes, 128 * KIB);
    assert_int_equal(p->ranges[0].from_ns, 3);
    assert_int_equal(p->ranges[0].to_ns, 4);
    assert_int_equal(p->ranges[1].kind, RANGE_IN_FLIGHT);
    assert_int_equal(p->ranges[1].offset, 4 * KIB);
}

/* ---- Dirty ranges, against a table of chunks ---- */

#define CHUNKS 24
#define CHANGES 300

/* How often a range that is told covers the chunk at the instant. */
static int covered(const struct picture *picture, uint64_t chunk, uint64_t now_ns)
{
    int count = 0;

    for (size_t i = 0; i < picture->range_count; i++) {
        const struct shape_range *range = &picture->ranges[i];

        count += range->kind == RANGE_DIRTY && range->offset <= chunk * KIB &&
                 chunk * KIB < range->offset + range->bytes && range->from_ns <= now_ns &&
                 now_ns < range->to_ns;
    }
    return count;
}

static void assert_dirty(const struct picture *p, const bool *dirty, uint64_t now_ns)
{
    for (uint64_t chunk = 0; chunk < CHUNKS; chunk++) {
        assert_int_equal(covered(p, chunk, now_ns), dirty[chunk]);
    }
}

static void assert_counted(const struct picture *p, const bool *dirty, uint64_t now_ns)
{
    uint64_t bytes = 0;
    uint64_t counted = 0;

    for (uint64_t chunk = 0; chunk < CHUNKS; chunk++) {
        bytes += dirty[chunk] ? KIB : 0;
    }
    for (size_t i = 0; i < p->sample_count && p->samples[i].now_ns <= now_ns; i++) {
        counted = p->samples[i].counter == COUNTER_DIRTY ? p->samples[i].value : counted;
    }
    assert_int_equal(counted, bytes);
}

/* At each instant, just the dirty chunks are in a rectangle, and in only one. */
static void test_shapes_cut_dirty_ranges_into_rectangles_as_a_table_of_chunks_does(void **state)
{
    static bool dirty[CHANGES][CHUNKS];
    struct fixture *f = *state;
    const struct picture *p;
    uint32_t random = 1;

    see(f, (struct event){.kind = EVENT_DIRTY_CREATE, .by = BY_JOB, .bytes = KIB});
    for (int i = 1; i < CHANGES; i++) {
        uint64_t first = (random = random * 1664525 + 1013904223) >> 16;
        uint64_t count = (random = random * 1664525 + 1013904223) >> 16;
        bool sets = random >> 8 & 1;

        first %= CHUNKS;
        count = 1 + count % (CHUNKS - first);
        memcpy(dirty[i], dirty[i - 1], sizeof(dirty[i]));
        memset(&dirty[i][first], sets, count);
        see(f, (struct event){.kind = sets ? EVENT_DIRTY_SET : EVENT_DIRTY_CLEAR,
                              .offset = first * KIB,
                              .bytes = count * KIB});
    }
    p = draw(f);
    for (uint64_t i = 0; i < CHANGES; i++) {
        assert_dirty(p, dirty[i], i + 1);
        assert_counted(p, dirty[i], i + 1);
    }
}

static void test_shapes_clean_everything_when_the_bitmap_goes(void **state)
{
    struct fixture *f = *state;
    const struct picture *p;

    see(f, (struct event){.kind = EVENT_DIRTY_CREATE, .index = 1, .bytes = KIB});
    see(f, (struct event){.kind = EVENT_DIRTY_SET, .index = 1, .bytes = 9 * KIB});
    see(f, (struct event){.kind = EVENT_DIRTY_CLEAR, .index = 2, .bytes = 9 * KIB});
    see(f, (struct event){.kind = EVENT_DIRTY_RELEASE, .index = 1});
    p = draw(f);
    assert_int_equal(p->range_count, 1);
    assert_int_equal(p->ranges[0].bitmap, 1);
    assert_false(p->ranges[0].jobs);
    assert_int_equal(p->ranges[0].to_event, 3);
    assert_int_equal(p->sample_count, 0);
}

/* ---- Periods ---- */

static void assert_period(const struct shape_period *period, enum shape_lane lane, uint32_t value,
                          uint64_t from_ns, uint64_t to_ns)
{
    assert_int_equal(period->lane, lane);
    assert_int_equal(period->value, value);
    assert_int_equal(period->from_ns, from_ns);
    assert_true(period->to_ns == to_ns);
}

/* An error ends being ready (E1), and a pause is another one then. */
static void test_shapes_derive_the_status_of_a_job_of_2_2(void **state)
{
    struct fixture *f = *state;
    const struct picture *p;

    see(f, (struct event){.kind = EVENT_JOB_STARTED});
    see(f, (struct event){.kind = EVENT_JOB_READY});
    see(f, (struct event){.kind = EVENT_JOB_PAUSED});
    see(f, (struct event){.kind = EVENT_JOB_ERROR});
    see(f, (struct event){.kind = EVENT_JOB_RESUMED});
    see(f, (struct event){.kind = EVENT_JOB_PHASE, .detail2 = 7});
    see(f, (struct event){.kind = EVENT_JOB_COMPLETED});
    p = draw(f);
    assert_int_equal(p->period_count, 6);
    assert_period(&p->periods[0], LANE_STATUS, JOB_STATUS_RUNNING, 1, 2);
    assert_period(&p->periods[1], LANE_STATUS, JOB_STATUS_READY, 2, 3);
    assert_period(&p->periods[2], LANE_STATUS, JOB_STATUS_STANDBY, 3, 4);
    assert_period(&p->periods[3], LANE_STATUS, JOB_STATUS_PAUSED, 4, 5);
    assert_period(&p->periods[4], LANE_STATUS, JOB_STATUS_RUNNING, 5, 7);
    assert_period(&p->periods[5], LANE_PHASE, 7, 6, 7);
    assert_int_equal(p->instant_count, 6);
}

static void test_shapes_nest_sections_and_say_when_each_was_quiet(void **state)
{
    struct fixture *f = *state;
    struct event section = {.kind = EVENT_SECTION, .detail = SECTION_BEGUN, .by = BY_JOB};
    const struct picture *p;

    f->plan->generation = GENERATION_MODERN;
    see(f, section);
    see(f, section);
    section.detail = SECTION_QUIET;
    see(f, section);
    see(f, section);
    section.detail = SECTION_ENDED;
    see(f, section);
    p = draw(f);
    assert_int_equal(p->period_count, 2);
    assert_period(&p->periods[0], LANE_SECTION, 0, 1, SHAPE_NEVER);
    assert_period(&p->periods[1], LANE_SECTION, 0, 2, 5);
    assert_int_equal(p->periods[0].quiet_ns, 4);
    assert_int_equal(p->periods[1].quiet_ns, 3);
}

/* Released, or over in another way; held twice. */
static void test_shapes_end_holds_when_they_release_or_the_request_is_over(void **state)
{
    struct fixture *f = *state;
    struct event held = request(EVENT_HELD, 1, BY_JOB, DST, OP_WRITE, 0, KIB);
    const struct picture *p;

    see(f, SUBMIT(1, BY_JOB, DST, OP_WRITE, 0, KIB));
    see(f, held);
    held.index = 1;
    see(f, held);
    held.kind = EVENT_RELEASED;
    see(f, held);
    see(f, (struct event){.kind = EVENT_FAULT, .request = 1, .index = 4});
    see(f, DONE(1, BY_JOB, DST, OP_WRITE, 0, KIB));
    p = draw(f);
    assert_int_equal(p->period_count, 2);
    assert_period(&p->periods[0], LANE_HOLD, 0, 2, 6);
    assert_period(&p->periods[1], LANE_HOLD, 1, 3, 4);
    assert_int_equal(p->periods[1].bytes, KIB);
    assert_int_equal(picture_request(p, 1)->fault, 5);
    assert_int_equal(p->instants[0].number, 4);
}

/* ---- Counters ---- */

static void assert_sample(const struct shape_sample *sample, enum shape_counter counter,
                          uint64_t now_ns, uint64_t value)
{
    assert_int_equal(sample->counter, counter);
    assert_int_equal(sample->now_ns, now_ns);
    assert_int_equal(sample->value, value);
}

static void test_shapes_count_what_waits_what_is_in_flight_and_how_long_it_took(void **state)
{
    struct fixture *f = *state;
    const struct shape_sample *s;

    see(f, request(EVENT_REQUEST_QUEUED, 1, BY_GUEST, DST, OP_READ, 0, KIB));
    see(f, SUBMIT(1, BY_GUEST, DST, OP_READ, 0, KIB));
    see(f, (struct event){.kind = EVENT_JOB_PROGRESS, .offset = 1, .bytes = 2});
    see(f, (struct event){.kind = EVENT_JOB_PROGRESS, .offset = 2, .bytes = 2});
    see(f, DONE(1, BY_GUEST, DST, OP_READ, 0, KIB));
    s = draw(f)->samples;
    assert_int_equal(f->picture.sample_count, 8);
    assert_sample(&s[0], COUNTER_QUEUED, 1, 1);
    assert_sample(&s[1], COUNTER_QUEUED, 2, 0);
    assert_sample(&s[2], COUNTER_IN_FLIGHT, 2, KIB);
    assert_int_equal(s[2].node, DST);
    assert_sample(&s[3], COUNTER_OFFSET, 3, 1);
    assert_sample(&s[4], COUNTER_LEN, 3, 2);
    assert_sample(&s[5], COUNTER_OFFSET, 4, 2);
    assert_sample(&s[6], COUNTER_IN_FLIGHT, 5, 0);
    assert_sample(&s[7], COUNTER_GUEST_LATENCY, 5, 4);
}

#define SHAPES(name) cmocka_unit_test_setup_teardown(test_shapes_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHAPES(say_which_read_a_write_carries_when_copies_overtake),
        SHAPES(end_a_copy_with_its_read_when_no_write_follows),
        SHAPES(of_today_keep_a_guest_request_until_its_answer),
        SHAPES(cut_dirty_ranges_into_rectangles_as_a_table_of_chunks_does),
        SHAPES(clean_everything_when_the_bitmap_goes),
        SHAPES(derive_the_status_of_a_job_of_2_2),
        SHAPES(nest_sections_and_say_when_each_was_quiet),
        SHAPES(end_holds_when_they_release_or_the_request_is_over),
        SHAPES(count_what_waits_what_is_in_flight_and_how_long_it_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
