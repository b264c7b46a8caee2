/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults: which requests they hit, how often, when they are armed, and the
 * effect of a hit.
 */
#include <errno.h>

#include "engine/units.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* Runs five guest writes of one chunk each. */
static void run_five_writes(struct disks *disks)
{
    for (uint64_t i = 0; i < 5; i++) {
        disks_guest(disks, OP_WRITE, i * CHUNK, CHUNK);
    }
    disks_run(disks);
}

/* The requests that failed, a bit each, the first one lowest. */
static unsigned failed(const struct disks *disks)
{
    const struct event *done;
    unsigned mask = 0;

    for (uint64_t i = 0; (done = disks_event(disks, EVENT_REQUEST_DONE, i)) != NULL; i++) {
        mask |= (done->ret != 0 ? 1u : 0u) << (done->request - 1);
    }
    return mask;
}

static void test_fault_hits_nth_and_times_of_what_matches(void **state)
{
    static const struct {
        struct request_match match;
        uint64_t nth;
        uint64_t times;
        unsigned failed;
    } cases[] = {
        {{0}, 0, 1, 0x01},
        {{0}, 2, 2, 0x06},
        {{0}, 4, 0, 0x18},
        {{.disks = 1 << SRC}, 1, 0, 0x1f},
        {{.disks = 1 << DST}, 1, 0, 0},
        {{.ops = 1 << OP_READ}, 1, 0, 0},
        {{.ops = 1 << OP_WRITE | 1 << OP_READ}, 5, 1, 0x10},
        {{.by = BY_JOB}, 1, 0, 0},
        {{.has_range = true, .offset = CHUNK, .bytes = CHUNK + 512}, 1, 0, 0x06},
        {{.has_range = true, .offset = CHUNK, .bytes = CHUNK + 512}, 2, 1, 0x04},
    };
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fault->match = cases[i].match;
        fault->nth = cases[i].nth;
        fault->times = cases[i].times;
        disks_open(disks);
        run_five_writes(disks);
        assert_int_equal(failed(disks), cases[i].failed);
        assert_int_equal(disks->layer->faults[0].hits, __builtin_popcount(cases[i].failed));
        assert_int_equal(disks_count(disks, EVENT_FAULT), __builtin_popcount(cases[i].failed));
    }
}

/*
 * Of exclusive faults one takes the request, and the others don't count it; what was armed first
 * is asked first.  A fault that is not exclusive counts all.
 */
static void test_fault_takes_a_request_for_itself_when_it_is_exclusive(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *first = disks_fault(disks, FAULT_ERROR);
    struct fault_spec *second;
    struct fault_spec *other;

    first->error = -EIO;
    first->nth = 2;
    first->times = 1;
    second = disks_fault(disks, FAULT_ERROR);
    second->error = -ENOSPC;
    second->nth = 3;
    second->times = 1;
    other = disks_fault(disks, FAULT_DELAY);
    other->span_ns = 1;
    other->nth = 1;
    other->times = 0;
    disks_open(disks);
    run_five_writes(disks);
    assert_int_equal(failed(disks), 0x06);
    disks->plan->faults[0].exclusive = true;
    disks->plan->faults[1].exclusive = true;
    disks_open(disks);
    run_five_writes(disks);
    assert_int_equal(failed(disks), 0x0a);
    assert_int_equal(disks->layer->faults[1].matched, 4);
    assert_int_equal(disks->layer->faults[2].hits, 5);
    disks_open(disks);
    fault_arm(disks->layer, 0);
    run_five_writes(disks);
    assert_int_equal(failed(disks), 0x06);
    assert_int_equal(disks->layer->faults[0].matched, 4);
}

/* A line of a script: a mark, or a write of the guest, at an instant. */
struct line {
    struct pending pending;
    struct disks *disks;
    uint32_t mark; /* PLAN_NONE: the line is a write */
};

#define LINES 7

static void line_fire(void *opaque)
{
    const struct line *line = opaque;

    if (line->mark == PLAN_NONE) {
        disks_guest(line->disks, OP_WRITE, 0, 512);
    } else {
        fault_mark(line->disks->layer, line->mark);
    }
}

/* Marks 0 and 1 at 10 and 30, before the write of that instant; writes at 0, 10, 20, 30, 40. */
static void play(struct disks *disks, struct line script[LINES])
{
    static const struct {
        uint64_t at_ns;
        uint32_t mark;
    } lines[LINES] = {{10, 0},         {30, 1},         {0, PLAN_NONE}, {10, PLAN_NONE},
                      {20, PLAN_NONE}, {30, PLAN_NONE}, {40, PLAN_NONE}};

    for (size_t i = 0; i < LINES; i++) {
        script[i] = (struct line){.disks = disks, .mark = lines[i].mark};
        timeline_add(disks->layer->timeline, &script[i].pending, lines[i].at_ns, line_fire,
                     &script[i]);
    }
}

static void test_fault_is_armed_between_instants_and_marks(void **state)
{
    static const struct {
        uint64_t from_ns;
        uint64_t until_ns;
        uint32_t from_mark;
        uint32_t until_mark;
        int64_t shift_ns;
        bool armed;
        /* Those that failed of writes at 0, 10, 20, 30, 40; mark 0 is set at 10, mark 1 at 30. */
        unsigned failed;
    } cases[] = {
        {0, 0, PLAN_NONE, PLAN_NONE, 0, false, 0},     {0, 0, PLAN_NONE, PLAN_NONE, 0, true, 0x1f},
        {20, 0, PLAN_NONE, PLAN_NONE, 0, false, 0x1c}, {0, 20, PLAN_NONE, PLAN_NONE, 0, true, 0x03},
        {0, 0, 0, PLAN_NONE, 0, false, 0x1e},          {0, 0, 0, 1, 0, false, 0x06},
        {0, 0, 0, PLAN_NONE, 11, false, 0x18},         {0, 0, 1, PLAN_NONE, -15, false, 0x18},
        {15, 0, 1, PLAN_NONE, -15, false, 0x1c},
    };
    struct line script[LINES];
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fault->from_ns = cases[i].from_ns;
        fault->until_ns = cases[i].until_ns;
        fault->from_mark = cases[i].from_mark;
        fault->until_mark = cases[i].until_mark;
        fault->shift_ns = cases[i].shift_ns;
        fault->armed = cases[i].armed;
        disks_open(disks);
        play(disks, script);
        disks_run(disks);
        assert_int_equal(failed(disks), cases[i].failed);
    }
}

static void test_fault_leaves_behind_what_it_says_when_a_write_fails(void **state)
{
    static const struct {
        enum fault_applied applied;
        uint64_t bytes;
        uint64_t written;
    } cases[] = {
        {APPLIED_NOTHING, 0, 0},
        {APPLIED_PREFIX, 1024 + 100, 1024},
        {APPLIED_PREFIX, 2 * CHUNK, CHUNK},
        {APPLIED_ALL, 0, CHUNK},
    };
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    fault->match.ops = 1 << OP_WRITE;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct block_dirty *dirty;

        fault->applied = cases[i].applied;
        fault->bytes = cases[i].bytes;
        disks_open(disks);
        block_dirty_create(&disks->layer->nodes[SRC], CHUNK, &dirty);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_run(disks);
        assert_int_equal(failed(disks), 1);
        assert_int_equal(block_dirty_bits(dirty)->count, 1);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), cases[i].written > 0);
        if (cases[i].written > 0) {
            assert_int_equal(disks_event(disks, EVENT_REQUEST_EFFECT, 0)->bytes, cases[i].written);
        }
        for (uint64_t offset = 0; offset < CHUNK; offset += 512) {
            assert_int_equal(tag_kind(disks_tag(disks, SRC, offset)),
                             offset < cases[i].written ? TAG_KIND_GUEST : TAG_KIND_FILL);
        }
    }
}

static void test_fault_leaves_nothing_half_or_all_behind_by_choice(void **state)
{
    static const uint64_t written[] = {0, CHUNK / 2, CHUNK};
    struct choice_answer answer = {"applied fault", 1, 0};
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    fault->applied = APPLIED_BY_CHOICE;
    disks->choices.recorded = &answer;
    disks->choices.recorded_count = 1;
    for (; answer.pick < COUNT_OF(written); answer.pick++) {
        disks_open(disks);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_run(disks);
        assert_int_equal(failed(disks), 1);
        for (uint64_t offset = 0; offset < CHUNK; offset += 512) {
            assert_int_equal(tag_kind(disks_tag(disks, SRC, offset)),
                             offset < written[answer.pick] ? TAG_KIND_GUEST : TAG_KIND_FILL);
        }
    }
}

static void test_fault_first_error_decides_when_several_hit(void **state)
{
    struct disks *disks = *state;

    disks_fault(disks, FAULT_ERROR)->error = -ENOSPC;
    disks_fault(disks, FAULT_ERROR)->error = -EIO;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->ret, -ENOSPC);
    assert_int_equal(disks->layer->faults[1].hits, 1);
}

static void test_fault_changes_the_latency(void **state)
{
    static const struct {
        enum fault_kind kind;
        uint64_t span_ns;
        uint64_t factor_percent;
        uint64_t done_ns;
    } cases[] = {
        {FAULT_DELAY, 7, 0, WRITE_NS + 7},
        {FAULT_DELAY, 0, 250, WRITE_NS * 5 / 2},
        {FAULT_DELAY, 7, 250, WRITE_NS * 5 / 2 + 7},
        {FAULT_LATENCY, 7, 0, 7},
    };
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_DELAY);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fault->kind = cases[i].kind;
        fault->span_ns = cases[i].span_ns;
        fault->factor_percent = cases[i].factor_percent;
        disks_open(disks);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_run(disks);
        assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, cases[i].done_ns);
    }
}

static void test_fault_fires_by_choice_when_it_has_a_probability(void **state)
{
    static const struct choice_answer answers[] = {{"fault fault", 2, 1}};
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    fault->probability_ppm = 1000;
    disks->choices.recorded = answers;
    disks->choices.recorded_count = 1;
    disks_open(disks);
    run_five_writes(disks);
    assert_int_equal(failed(disks), 0x02);
    disks->choices.recorded_count = 0;
    disks_open(disks);
    run_five_writes(disks);
    assert_int_equal(failed(disks), 0);
}

static void test_fault_hits_no_more_than_it_may_whichever_are_chosen(void **state)
{
    static const struct choice_answer answers[] = {
        {"fault fault", 2, 1}, {"fault fault", 3, 1}, {"fault fault", 4, 1}};
    static const unsigned expected[] = {0x0e, 0x02, 0x06};
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    fault->probability_ppm = 1000;
    disks->choices.recorded = answers;
    disks->choices.recorded_count = COUNT_OF(answers);
    for (uint64_t hits = 0; hits < COUNT_OF(expected); hits++) {
        fault->hits = hits;
        disks_open(disks);
        run_five_writes(disks);
        assert_int_equal(failed(disks), expected[hits]);
    }
}

/* ---- Stopping requests ---- */

static void test_fault_holds_a_request_where_it_says_until_released(void **state)
{
    static const struct {
        enum fault_kind kind;
        enum hold_phase phase;
        uint64_t effects_before;
    } cases[] = {
        {FAULT_HOLD, HOLD_BEFORE_EFFECT, 0},
        {FAULT_HOLD, HOLD_BEFORE_COMPLETION, 1},
        {FAULT_HANG, HOLD_BEFORE_EFFECT, 0},
    };
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_HOLD);

    fault->times = 1;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {

        fault->kind = cases[i].kind;
        fault->phase = cases[i].phase;
        disks_open(disks);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        while (disks_step(disks)) {
        }
        assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), cases[i].effects_before);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 0);
        assert_int_equal(requests_held_by(disks->layer, 0), cases[i].kind == FAULT_HOLD);
        requests_release(disks->layer, 0);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 0);
        disks_run(disks);
        assert_int_equal(disks_count(disks, EVENT_RELEASED), 1);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), 1);
        assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 1);
    }
}

static void test_fault_released_request_takes_no_more_time(void **state)
{
    struct disks *disks = *state;

    disks->plan->disks[SRC].effect = EFFECT_AT_START;
    disks_fault(disks, FAULT_HOLD)->times = 1;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_step(disks);
    assert_int_equal(disks_event(disks, EVENT_HELD, 0)->now_ns, 0);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, 0);
}

static void test_fault_lets_a_request_pass_when_released_before_it_stops(void **state)
{
    struct disks *disks = *state;

    disks_fault(disks, FAULT_HOLD);
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
    assert_int_equal(disks_count(disks, EVENT_RELEASED), 0);
}

static void test_fault_keeps_the_lane_of_what_it_holds(void **state)
{
    struct disks *disks = *state;

    disks->plan->disks[SRC].lanes = 1;
    disks_fault(disks, FAULT_HOLD)->times = 1;
    disks_open(disks);
    run_five_writes(disks);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_START), 1);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 0);
}

/* ---- Full disks and queries ---- */

static void test_fault_fills_the_disk_when_more_would_be_allocated(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_FULL);

    disks->plan->disks[SRC].fill = FILL_ZERO;
    fault->bytes = 2 * CHUNK;
    disks_open(disks);
    for (uint64_t i = 0; i < 3; i++) {
        disks_guest(disks, OP_WRITE, i * CHUNK, CHUNK);
    }
    disks_guest(disks, OP_WRITE, 0, 2 * CHUNK);
    disks_run(disks);
    assert_int_equal(failed(disks), 0x04);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 2)->ret, -ENOSPC);
    assert_int_equal(disks->layer->faults[0].hits, 1);
    assert_int_equal(image_allocated_bytes(disks->layer->nodes[SRC].disk.image), 2 * CHUNK);
}

static void test_fault_fails_queries_without_changing_anything(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);
    struct block_buffers *buffers;
    struct block_dirty *dirty;
    struct block_node *src;
    uint64_t bytes;

    fault->error = -EPERM;
    disks->plan->disks[SRC].backing = DST;
    src = &disks_open(disks)->nodes[SRC];
    assert_int_equal(block_getlength(src, &bytes), -EPERM);
    assert_int_equal(block_cluster_size(src, &bytes), -EPERM);
    assert_int_equal(block_status_above(src, NULL, 0, 512, &bytes, NULL, NULL), -EPERM);
    assert_int_equal(block_open_backing(src), -EPERM);
    assert_int_equal(block_reopen(src, DISK_FLAG_RDWR), -EPERM);
    assert_int_equal(block_truncate(src, 2 * MIB), -EPERM);
    assert_int_equal(block_buffers_create(src, CHUNK, 1, &buffers), -EPERM);
    assert_int_equal(block_dirty_create(src, CHUNK, &dirty), -EPERM);
    assert_int_equal(disks->layer->faults[0].hits, 8);
    assert_int_equal(src->disk.bytes, MIB);
    assert_int_equal(src->flags, 0);
    assert_null(block_backing(src));
    assert_null(src->dirty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_fault_hits_nth_and_times_of_what_matches),
        DISKS_TEST(test_fault_takes_a_request_for_itself_when_it_is_exclusive),
        DISKS_TEST(test_fault_is_armed_between_instants_and_marks),
        DISKS_TEST(test_fault_leaves_behind_what_it_says_when_a_write_fails),
        DISKS_TEST(test_fault_leaves_nothing_half_or_all_behind_by_choice),
        DISKS_TEST(test_fault_first_error_decides_when_several_hit),
        DISKS_TEST(test_fault_changes_the_latency),
        DISKS_TEST(test_fault_fires_by_choice_when_it_has_a_probability),
        DISKS_TEST(test_fault_hits_no_more_than_it_may_whichever_are_chosen),
        DISKS_TEST(test_fault_holds_a_request_where_it_says_until_released),
        DISKS_TEST(test_fault_released_request_takes_no_more_time),
        DISKS_TEST(test_fault_lets_a_request_pass_when_released_before_it_stops),
        DISKS_TEST(test_fault_keeps_the_lane_of_what_it_holds),
        DISKS_TEST(test_fault_fills_the_disk_when_more_would_be_allocated),
        DISKS_TEST(test_fault_fails_queries_without_changing_anything),
    };

    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
