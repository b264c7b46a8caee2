/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Probes: what faults do to the time and the answer of a question, in both generations.
 */
#include "sim/disk/probe.h"

#include <errno.h>

#include "engine/zeroes.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)
#define SPAN_NS 700

/* Asks 2.2's question about the source's beginning; its extent. */
static int ask(struct disks *disks, uint64_t *extent, struct ending *ending)
{
    return block_status_above(disks_node(disks, SRC), NULL, 0, CHUNK, extent, disks_done, ending);
}

static struct fault_spec *fault_on_status(struct disks *disks, enum fault_kind kind)
{
    struct fault_spec *fault = disks_fault(disks, kind);

    fault->match.ops = 1u << OP_STATUS;
    fault->times = 1;
    fault->span_ns = SPAN_NS;
    return fault;
}

static void test_probe_takes_longer_when_a_fault_says_so(void **state)
{
    static const struct {
        enum fault_kind kind;
        uint64_t percent;
        uint64_t ns;
    } cases[] = {{FAULT_DELAY, 0, 30 + SPAN_NS},
                 {FAULT_DELAY, 300, 90 + SPAN_NS},
                 {FAULT_LATENCY, 0, SPAN_NS}};
    struct disks *disks = *state;
    struct fault_spec *fault = fault_on_status(disks, FAULT_DELAY);
    struct ending ending;
    uint64_t extent;

    disks->plan->disks[SRC].latency[OP_STATUS].a_ns = 30;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fault->kind = cases[i].kind;
        fault->factor_percent = cases[i].percent;
        ending = (struct ending){.layer = disks_open(disks)};
        assert_int_equal(ask(disks, &extent, &ending), -EINPROGRESS);
        disks_run(disks);
        assert_int_equal(ending.at_ns, cases[i].ns);
        assert_int_equal(ask(disks, &extent, &ending), 1);
        assert_int_equal(ending.calls, 1);
    }
}

/* It comes back when it is released, and only by the name of what keeps it. */
static void test_probe_hangs_until_it_is_released(void **state)
{
    struct disks *disks = *state;
    struct ending ending = {0};
    uint64_t extent;

    fault_on_status(disks, FAULT_HANG);
    disks_fault(disks, FAULT_HOLD)->match.ops = 1u << OP_READ;
    ending.layer = disks_open(disks);
    assert_int_equal(ask(disks, &extent, &ending), -EINPROGRESS);
    disks_run(disks);
    requests_release(disks->layer, 1);
    disks_run(disks);
    assert_int_equal(ending.calls, 0);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(ending.calls, 1);
    assert_int_equal(ask(disks, &extent, &ending), 1);
    assert_int_equal(disks_count(disks, EVENT_RELEASED), 1);
}

/* A hold stops it before the answer is taken, or behind that: the layout changes meanwhile. */
static void test_probe_looks_before_or_after_its_hold(void **state)
{
    static const struct {
        enum hold_phase phase;
        int answer;
    } cases[] = {{HOLD_BEFORE_EFFECT, 1}, {HOLD_BEFORE_COMPLETION, 0}};
    struct disks *disks = *state;
    struct fault_spec *hold = fault_on_status(disks, FAULT_HOLD);
    struct ending ending;
    uint64_t extent;

    disks->plan->disks[SRC].fill = FILL_ZERO;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hold->phase = cases[i].phase;
        ending = (struct ending){.layer = disks_open(disks)};
        assert_int_equal(ask(disks, &extent, &ending), -EINPROGRESS);
        disks_run(disks);
        assert_true(requests_held_by(disks->layer, 0));
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_run(disks);
        assert_int_equal(ending.calls, 0);
        requests_release(disks->layer, 0);
        assert_false(requests_held_by(disks->layer, 0));
        disks_run(disks);
        assert_int_equal(ending.calls, 1);
        assert_int_equal(ask(disks, &extent, &ending), cases[i].answer);
    }
}

/* Today's question about allocation is answered when it is asked, so either hold comes behind. */
static void test_probe_that_has_looked_is_held_behind_that(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *hold = fault_on_status(disks, FAULT_HOLD);
    struct block_answer answer;
    struct ending ending = {0};

    disks->plan->generation = GENERATION_MODERN;
    disks->plan->disks[SRC].fill = FILL_ZERO;
    disks->plan->disks[SRC].backing_possible = true;
    hold->phase = HOLD_BEFORE_EFFECT;
    ending.layer = disks_open(disks);
    assert_false(block_ask_allocated(disks_node(disks, SRC), NULL, false, 0, CHUNK, &answer,
                                     disks_done, &ending));
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(ending.calls, 1);
    assert_false(answer.allocated);
}

/* Asks about two chunks of the target, behind the first. */
static int ask_target(struct disks *disks, uint64_t *extent, struct ending *ending)
{
    return block_status_above(disks_node(disks, DST), NULL, CHUNK, 2 * CHUNK, extent, disks_done,
                              ending);
}

static void assert_about_target(const struct event *event)
{
    assert_non_null(event);
    assert_int_equal(event->index, 1);
    assert_int_equal(event->node, DST);
    assert_int_equal(event->op, OP_STATUS);
    assert_int_equal(event->by, BY_JOB);
    assert_int_equal(event->request, 0);
    assert_int_equal(event->offset, CHUNK);
    assert_int_equal(event->bytes, 2 * CHUNK);
}

/* Each is let go by its own fault, at that instant, and the events say which it is. */
static void test_probe_is_released_by_its_own_fault_only(void **state)
{
    struct disks *disks = *state;
    struct ending source = {0};
    struct ending target = {0};
    uint64_t extent;

    fault_on_status(disks, FAULT_HANG)->match.disks = 1u << SRC;
    fault_on_status(disks, FAULT_HOLD)->match.disks = 1u << DST;
    source.layer = target.layer = disks_open(disks);
    assert_int_equal(ask(disks, &extent, &source), -EINPROGRESS);
    assert_int_equal(ask_target(disks, &extent, &target), -EINPROGRESS);
    disks_run(disks);
    assert_about_target(disks_event(disks, EVENT_HELD, 0));
    assert_about_target(disks_event(disks, EVENT_FAULT, 1));
    assert_false(requests_held_by(disks->layer, 0));
    assert_true(requests_held_by(disks->layer, 1));
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    requests_release(disks->layer, 1);
    assert_about_target(disks_event(disks, EVENT_RELEASED, 0));
    disks_run(disks);
    assert_int_equal(target.calls, 1);
    assert_int_equal(target.at_ns, WRITE_NS);
    assert_int_equal(source.calls, 0);
    requests_release(disks->layer, 0);
    disks_run(disks);
    assert_int_equal(source.calls, 1);
}

/* A range that it touches with one byte counts, one that only adjoins does not. */
static void test_probe_is_matched_by_exactly_its_range(void **state)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
        uint64_t span_ns;
    } cases[] = {{0, CHUNK, 1},           /* before it */
                 {CHUNK, 1, 10},          /* its first byte */
                 {3 * CHUNK - 1, 1, 100}, /* its last */
                 {3 * CHUNK, CHUNK, 1000}};
    struct disks *disks = *state;
    struct ending ending = {0};
    uint64_t extent;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault_spec *fault = fault_on_status(disks, FAULT_DELAY);

        fault->span_ns = cases[i].span_ns;
        fault->match.has_range = true;
        fault->match.offset = cases[i].offset;
        fault->match.bytes = cases[i].bytes;
    }
    ending.layer = disks_open(disks);
    assert_int_equal(ask_target(disks, &extent, &ending), -EINPROGRESS);
    disks_run(disks);
    assert_int_equal(ending.at_ns, 110);
}

/* ---- Lies ---- */

static struct fault_spec *lie(struct disks *disks, enum op op, enum fault_claim claim)
{
    struct fault_spec *fault = disks_fault(disks, FAULT_CLAIM);

    fault->match.ops = 1u << op;
    fault->claim = claim;
    return fault;
}

/* Before the range the truth ends where it begins; behind it nothing is wrong. */
static void test_probe_lies_about_just_the_range(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = lie(disks, OP_STATUS, CLAIM_HOLE);
    struct block_node *src;
    uint64_t extent;

    fault->match.has_range = true;
    fault->match.offset = CHUNK;
    fault->match.bytes = 2 * CHUNK;
    src = &disks_open(disks)->nodes[SRC];
    assert_int_equal(block_status_above(src, NULL, 0, CHUNK, &extent, NULL, NULL), 1);
    assert_int_equal(extent, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_FAULT), 0);
    assert_int_equal(block_status_above(src, NULL, CHUNK, CHUNK, &extent, NULL, NULL), 0);
    assert_int_equal(extent, 2 * CHUNK);
    assert_int_equal(disks_event(disks, EVENT_FAULT, 0)->bytes, 2 * CHUNK);
    assert_int_equal(block_status_above(src, NULL, 3 * CHUNK, CHUNK, &extent, NULL, NULL), 1);
    assert_int_equal(extent, MIB - 3 * CHUNK);
}

static void test_probe_says_what_the_lie_says(void **state)
{
    static const struct {
        enum fault_claim claim;
        enum block_content content;
        bool allocated;
    } cases[] = {{CLAIM_DATA, CONTENT_DATA, true},
                 {CLAIM_ZERO, CONTENT_ZERO, true},
                 {CLAIM_HOLE, CONTENT_UNALLOCATED, false}};
    struct disks *disks = *state;
    struct fault_spec *fault = lie(disks, OP_CONTENT, CLAIM_DATA);
    struct block_answer answer;

    disks->plan->generation = GENERATION_MODERN;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fault->claim = cases[i].claim;
        disks_open(disks);
        assert_true(block_ask_content(disks_node(disks, SRC), 0, 2 * CHUNK, &answer, NULL, NULL));
        assert_int_equal(answer.content, cases[i].content);
        assert_int_equal(answer.allocated, cases[i].allocated);
        assert_int_equal(answer.extent_bytes, 2 * CHUNK);
    }
}

static void test_probe_of_a_whole_disk_can_be_a_lie(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = lie(disks, OP_ALL_ZERO, CLAIM_ZERO);

    disks->plan->generation = GENERATION_MODERN;
    disks_open(disks);
    assert_int_equal(block_reads_zero(disks_node(disks, SRC)), 1);
    fault->claim = CLAIM_DATA;
    disks_open(disks);
    assert_int_equal(block_reads_zero(disks_node(disks, DST)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_probe_takes_longer_when_a_fault_says_so),
        DISKS_TEST(test_probe_hangs_until_it_is_released),
        DISKS_TEST(test_probe_looks_before_or_after_its_hold),
        DISKS_TEST(test_probe_that_has_looked_is_held_behind_that),
        DISKS_TEST(test_probe_is_released_by_its_own_fault_only),
        DISKS_TEST(test_probe_is_matched_by_exactly_its_range),
        DISKS_TEST(test_probe_lies_about_just_the_range),
        DISKS_TEST(test_probe_says_what_the_lie_says),
        DISKS_TEST(test_probe_of_a_whole_disk_can_be_a_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
