/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The timeline: events fire by (due, sequence), and by choice among equals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/base/timeline.h"

#define MAX_EVENTS 200

struct bench {
    struct arena *arena;
    struct choice_spec spec;
    struct timeline timeline;
    struct note {
        struct pending pending;
        struct bench *bench;
        uint32_t number;
    } notes[MAX_EVENTS];
    uint32_t fired[MAX_EVENTS];
    uint32_t fired_count;
};

static int set_up(void **state)
{
    struct arena *arena = arena_create((size_t)4 << 20);
    struct bench *bench = arena_alloc(arena, sizeof(*bench));

    bench->arena = arena;
    timeline_init(&bench->timeline, arena, choices_create(arena, &bench->spec), false);
    for (uint32_t i = 0; i < MAX_EVENTS; i++) {
        bench->notes[i].bench = bench;
        bench->notes[i].number = i;
    }
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    arena_destroy(bench->arena);
    return 0;
}

static void on_fire(void *opaque)
{
    struct note *note = opaque;

    assert_false(pending_is_set(&note->pending));
    note->bench->fired[note->bench->fired_count++] = note->number;
}

static void add(struct bench *bench, uint32_t number, uint64_t delay_ns)
{
    struct note *note = &bench->notes[number];

    timeline_add(&bench->timeline, &note->pending, delay_ns, on_fire, note);
}

static void test_timeline_fires_by_due_then_first_in_first_out_when_quiet(void **state)
{
    static const uint64_t delays[] = {30, 10, 20, 10, 0, 30, 10};
    static const uint32_t order[] = {4, 1, 3, 6, 2, 0, 5};
    static const uint64_t instants[] = {0, 10, 10, 10, 20, 30, 30};
    struct bench *bench = *state;
    uint64_t due_ns;

    for (uint32_t i = 0; i < 7; i++) {
        add(bench, i, delays[i]);
    }
    for (uint32_t i = 0; i < 7; i++) {
        timeline_check(&bench->timeline);
        assert_true(timeline_next_due(&bench->timeline, &due_ns));
        assert_int_equal(due_ns, instants[i]);
        assert_true(timeline_step(&bench->timeline));
        assert_int_equal(bench->timeline.now_ns, instants[i]);
        assert_int_equal(bench->fired[i], order[i]);
    }
    assert_false(timeline_next_due(&bench->timeline, &due_ns));
    assert_false(timeline_step(&bench->timeline));
}

static void test_timeline_counts_delays_from_the_current_instant_and_saturates(void **state)
{
    struct bench *bench = *state;
    uint64_t due_ns;

    add(bench, 0, 100);
    timeline_step(&bench->timeline);
    add(bench, 1, UINT64_MAX - 50);
    add(bench, 2, 7);
    timeline_step(&bench->timeline);
    assert_int_equal(bench->timeline.now_ns, 107);
    assert_true(timeline_next_due(&bench->timeline, &due_ns));
    assert_true(due_ns == UINT64_MAX);
    timeline_check(&bench->timeline);
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The first event, found by a linear search over all pending events. */
static uint32_t first_by_search(const struct bench *bench)
{
    const struct note *best = NULL;

    for (uint32_t i = 0; i < MAX_EVENTS; i++) {
        const struct note *note = &bench->notes[i];

        if (pending_is_set(&note->pending) &&
            (!best || note->pending.due_ns < best->pending.due_ns ||
             (note->pending.due_ns == best->pending.due_ns &&
              note->pending.sequence < best->pending.sequence))) {
            best = note;
        }
    }
    assert_non_null(best);
    return best->number;
}

static void test_timeline_agrees_with_a_plain_search_when_events_come_and_go(void **state)
{
    struct bench *bench = *state;
    uint64_t seed = 1;

    for (int round = 0; round < 20000; round++) {
        uint64_t random = next_random(&seed);
        struct note *note = &bench->notes[random % MAX_EVENTS];
        uint64_t what = (random >> 32) % 8;

        if (what < 4 && !pending_is_set(&note->pending)) {
            add(bench, note->number, (random >> 40) % 16);
        } else if (what < 5 && pending_is_set(&note->pending)) {
            timeline_remove(&bench->timeline, &note->pending);
            assert_false(pending_is_set(&note->pending));
        } else if (bench->timeline.count > 0) {
            uint32_t expected = first_by_search(bench);

            bench->fired_count = 0;
            timeline_step(&bench->timeline);
            assert_int_equal(bench->fired[0], expected);
        }
        timeline_check(&bench->timeline);
    }
}

/* Takes answers from a list and keeps the questions. */
struct script {
    const uint32_t *picks;
    uint32_t asked;
    uint32_t bounds[16];
};

static uint32_t scripted(void *opaque, const struct question *question)
{
    struct script *script = opaque;

    assert_string_equal(question->site, "order");
    assert_int_equal(question->nth, script->asked + 1);
    script->bounds[script->asked] = question->bound;
    return script->picks[script->asked++];
}

static void test_timeline_takes_the_chosen_event_when_several_are_due_at_once(void **state)
{
    static const uint32_t picks[] = {2, 0, 2, 1, 1};
    static const uint32_t bounds[] = {5, 4, 3, 2, 2};
    /* At 10 there are 3 4 1 5 6, at 15 there are 7 2; a single event is not a question. */
    static const uint32_t order[] = {1, 3, 6, 5, 4, 2, 7, 0};
    struct bench *bench = *state;
    struct script script = {.picks = picks};
    struct choice_spec spec = {.backend = scripted, .opaque = &script};

    timeline_init(&bench->timeline, bench->arena, choices_create(bench->arena, &spec), false);
    add(bench, 0, 20);
    add(bench, 1, 10);
    add(bench, 2, 15);
    add(bench, 3, 10);
    /* Removed and added again: it is now the last of its instant. */
    timeline_remove(&bench->timeline, &bench->notes[1].pending);
    add(bench, 4, 10);
    add(bench, 1, 10);
    add(bench, 5, 10);
    add(bench, 6, 10);
    add(bench, 7, 15);
    timeline_remove(&bench->timeline, &bench->notes[2].pending);
    add(bench, 2, 15);
    while (timeline_step(&bench->timeline)) {
        timeline_check(&bench->timeline);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bench->fired[i], order[i]);
    }
    assert_int_equal(script.asked, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(script.bounds[i], bounds[i]);
    }
}

/* An event that another adds continues its chain or starts a new one. */
struct parent {
    struct bench *bench;
    struct pending pending;
    uint32_t children; /* numbers of notes, from 0 */
};

static void bear(void *opaque)
{
    struct parent *parent = opaque;

    for (uint32_t i = 0; i < parent->children; i++) {
        add(parent->bench, i, 10);
    }
}

static void test_timeline_goes_on_with_a_chain_once_when_an_event_adds_others(void **state)
{
    struct bench *bench = *state;
    struct parent parent = {.bench = bench, .children = 3};

    timeline_init(&bench->timeline, bench->arena, choices_create(bench->arena, &bench->spec),
                  false);
    add(bench, 5, 20);
    timeline_add(&bench->timeline, &parent.pending, 1, bear, &parent);
    assert_int_equal(bench->notes[5].pending.chain, 1);
    assert_int_equal(parent.pending.chain, 2);
    assert_true(timeline_step(&bench->timeline));
    assert_int_equal(bench->notes[0].pending.chain, 2);
    assert_int_equal(bench->notes[1].pending.chain, 3);
    assert_int_equal(bench->notes[2].pending.chain, 4);
    add(bench, 6, 20);
    assert_int_equal(bench->notes[6].pending.chain, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timeline_fires_by_due_then_first_in_first_out_when_quiet),
        TEST(test_timeline_counts_delays_from_the_current_instant_and_saturates),
        TEST(test_timeline_agrees_with_a_plain_search_when_events_come_and_go),
        TEST(test_timeline_takes_the_chosen_event_when_several_are_due_at_once),
        TEST(test_timeline_goes_on_with_a_chain_once_when_an_event_adds_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
