/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an exhaustive search leaves out would not show anything new.
 *
 * Small random worlds are searched in full, then with equal states merged, then also
 * with partial-order reduction, then with states merged that differ by a symmetry only: the
 * findings and final states must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/independent.h"
#include "sim/world/private.h"
#include "tests/sim/world/random_draw.h"
#include "tests/support/load.h"
#include "tools/explore/search.h"

#define VISITED_BYTES (UINT64_C(64) << 20)

/* ---- Small worlds ---- */

struct text {
    char buf[2048];
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text->length +=
        (size_t)vsnprintf(text->buf + text->length, sizeof(text->buf) - text->length, format, args);
    va_end(args);
    assert_true(text->length < sizeof(text->buf));
}

/* Chunks that are not adjacent, so that each is an operation of its own. */
static void say_disks(struct text *text, struct draw *draw)
{
    say(text,
        "disks:\n  src: {size: 320KiB, fill: unique, allocated: [{at: 0, len: 64KiB}, "
        "{at: 128KiB, len: 64KiB}%s]%s}\n",
        one_in(draw, 2) ? ", {at: 256KiB, len: 64KiB}" : "",
        one_in(draw, 8) ? ", effect: choice" : "");
    say(text, "  dst: {size: 320KiB, fill: %s%s%s}\n", one_in(draw, 4) ? "garbage" : "zero",
        one_in(draw, 4) ? ", cluster: 128KiB" : "", one_in(draw, 4) ? ", cache: volatile" : "");
}

static void say_guest(struct text *text, struct draw *draw)
{
    uint64_t writes = below(draw, 3);

    for (uint64_t i = 0; i < writes; i++) {
        uint64_t at = below(draw, 9) * 32;
        bool late = one_in(draw, 3);

        say(text, "%s  w%d: {%s, %s: {at: %dKiB, len: %s}}\n", i == 0 ? "guest:\n" : "", (int)i,
            late ? "when: ready" : "at: 0", one_in(draw, 4) ? "discard" : "write", (int)at,
            one_in(draw, 2) ? "32KiB" : "4KiB");
    }
}

static void say_fault(struct text *text, struct draw *draw)
{
    static const char *const targets[] = {"disk: src, op: read", "disk: dst, op: write",
                                          "disk: dst, op: flush"};

    if (one_in(draw, 2)) {
        say(text, "faults:\n  bad: {match: {%s, nth: %d}, error: EIO, optional: true}\n",
            targets[below(draw, 3)], (int)between(draw, 1, 3));
        say(text,
            "react:\n  - {when: {event: error, action: stop}, do: resume}\n"
            "  - {when: {event: error, nth: 1}, do: {guest: {write: {at: %dKiB, len: 4KiB}}}}\n",
            (int)below(draw, 10) * 32);
    }
}

static struct plan *small_plan(uint64_t seed)
{
    static const char *const policies[] = {"report", "ignore", "stop"};
    struct draw draw = {.state = seed};
    struct text text = {.length = 0};
    const char *policy = policies[below(&draw, 3)];

    say_disks(&text, &draw);
    say(&text,
        "job: {mirror: src, to: dst, granularity: 64KiB%s, on-source-error: %s, "
        "on-target-error: %s}\n",
        one_in(&draw, 2) ? ", buffer: 64KiB" : "", policy, policy);
    say_guest(&text, &draw);
    say_fault(&text, &draw);
    say(&text, "steps: [start, %s{%s: {refused: maybe}}, {settle: 100s}]\n",
        one_in(&draw, 3) ? "" : "{wait: {event: ready, within: 100s}}, ",
        one_in(&draw, 3) ? "cancel" : "complete");
    return load_plan(text.buf, 0, 0);
}

/* ---- What a search comes to ---- */

/* A set of numbers. */
struct set {
    uint64_t *list;
    size_t count;
    size_t capacity;
};

static void set_add(struct set *set, uint64_t value)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->list[i] == value) {
            return;
        }
    }
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 64 : 2 * set->capacity;
        set->list = realloc(set->list, set->capacity * sizeof(*set->list));
        assert_non_null(set->list);
    }
    set->list[set->count++] = value;
}

static bool set_has(const struct set *set, uint64_t value)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->list[i] == value) {
            return true;
        }
    }
    return false;
}

static void assert_same_set(const struct set *a, const struct set *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(set_has(b, a->list[i]));
    }
}

struct reached {
    struct set findings;
    struct set ends;
    struct search_figures figures;
    bool complete;
};

static bool note_finding(void *opaque, const struct verdict *verdict,
                         const struct choice_answer *choices, uint32_t choice_count)
{
    struct reached *reached = opaque;

    (void)choices;
    (void)choice_count;
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        struct digest digest;

        digest_init(&digest);
        digest_string(&digest, finding_by(finding->id));
        digest_string(&digest, finding_kind_name(finding->id));
        digest_u64(&digest, finding->has_sector ? finding->sector : 0);
        set_add(&reached->findings, digest_value(&digest));
    }
    return true;
}

/* A path that stops at a finding has no final state. */
static void note_end(void *opaque, const struct world *world)
{
    struct reached *reached = opaque;

    if (world_ended(world) == END_NOT) {
        return;
    }
    set_add(&reached->ends, world_digest_repeating_judged(world));
}

/* Bounds the number of events. */
static bool is_too_long(void *opaque, const struct search_figures *figures)
{
    (void)opaque;
    return figures->transitions > 40000;
}

enum less { IN_FULL, MERGED, REDUCED, SYMMETRIC };

static struct reached reach(const struct plan *plan, const struct engine *engine, enum less less)
{
    struct reached reached = {.complete = false};
    const struct search_options options = {.engine = engine,
                                           .no_merging = less < MERGED,
                                           .no_reduction = less < REDUCED,
                                           .symmetric = less >= SYMMETRIC,
                                           .found = note_finding,
                                           .ended = note_end,
                                           .stop = is_too_long,
                                           .opaque = &reached};
    struct search *search = search_create(VISITED_BYTES);

    reached.complete = search_run(search, plan, &options, &reached.figures);
    search_destroy(search);
    return reached;
}

static void free_reached(struct reached *reached)
{
    free(reached->findings.list);
    free(reached->ends.list);
}

static void assert_same_reached(const struct reached *a, const struct reached *b)
{
    assert_same_set(&a->findings, &b->findings);
    assert_same_set(&a->ends, &b->ends);
}

/* ---- Taking events in one order and another ---- */

#define MOST_OTHERS 4

/* A world that takes the wanted events. */
struct ramble {
    struct draw draw;
    struct world *world;
    uint32_t wanted; /* chain */
    void *snapshot;
};

/* The candidate event of a chain (it has at most one), or NULL. */
static const struct pending *candidate_of(struct world *world, uint32_t chain)
{
    uint32_t count;
    struct pending *const *candidates = timeline_candidates(&world->timeline, &count);

    for (uint32_t i = 0; i < count; i++) {
        if (candidates[i]->chain == chain) {
            return candidates[i];
        }
    }
    return NULL;
}

/* Any other chain that has a candidate; 0 if there is none. */
static uint32_t any_chain_but(struct ramble *ramble, uint32_t chain)
{
    uint32_t count;
    struct pending *const *candidates = timeline_candidates(&ramble->world->timeline, &count);

    for (uint32_t tries = 0; count > 0 && tries < 20; tries++) {
        uint32_t any = candidates[below(&ramble->draw, count)]->chain;

        if (any != chain) {
            return any;
        }
    }
    return 0;
}

/* The choice backend: the wanted event comes next, all other answers are quiet. */
static uint32_t take_wanted(void *opaque, const struct question *question)
{
    const struct ramble *ramble = opaque;
    uint32_t place = 0;

    while (question->candidates != NULL &&
           question->candidates->chain(question->candidates->timeline, place) != ramble->wanted) {
        place++;
        assert_true(place < question->bound);
    }
    return place;
}

static void take(struct ramble *ramble, uint32_t chain)
{
    assert_non_null(candidate_of(ramble->world, chain));
    ramble->wanted = chain;
    assert_true(world_step(ramble->world));
}

/* Asserts that the state is the same whether the event comes before some others or after them. */
static void assert_independent(struct ramble *ramble, uint32_t chain)
{
    uint32_t others[MOST_OTHERS];
    uint32_t count = 0;
    uint64_t late;

    while (count < MOST_OTHERS && (others[count] = any_chain_but(ramble, chain)) != 0) {
        take(ramble, others[count++]);
    }
    take(ramble, chain);
    late = world_digest_judged(ramble->world);
    world_load(ramble->world, ramble->snapshot);
    take(ramble, chain);
    for (uint32_t i = 0; i < count; i++) {
        take(ramble, others[i]);
    }
    assert_int_equal(world_digest_judged(ramble->world), late);
    world_load(ramble->world, ramble->snapshot);
}

/* Checks independent events on a random path to the end; returns how many there were. */
static uint32_t walk_to_the_end(struct ramble *ramble)
{
    struct independent_plan plan = independent_possible(ramble->world);
    uint32_t found_count = 0;

    plan.ends = false; /* they commute with nothing: what comes before them does */
    do {
        struct independent found;

        if (independent_find(ramble->world, &plan, &found)) {
            uint32_t chain = ramble->world->timeline.candidates[found.place]->chain;

            ramble->snapshot = malloc(world_save_bytes(ramble->world));
            world_save(ramble->world, ramble->snapshot);
            assert_independent(ramble, chain);
            free(ramble->snapshot);
            found_count++;
        }
        ramble->wanted = any_chain_but(ramble, 0);
    } while (world_step(ramble->world));
    return found_count;
}

/* ---- Engines ---- */

static int careless_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                          struct job_error *error)
{
    struct job_spec other = *spec;

    other.on_source_error = POLICY_IGNORE;
    other.on_target_error = POLICY_IGNORE;
    return mirror_engine.start(host, &other, job, error);
}

/* Our engine without its error policies, so that there are findings. */
static struct engine careless_engine(void)
{
    struct engine engine = mirror_engine;

    engine.start = careless_start;
    return engine;
}

/* ---- Tests ---- */

/* Merging and reduction save work, and neither loses a final state or a finding. */
static void test_search_finds_the_same_when_orders_are_left_out(void **state)
{
    const struct engine engines[] = {mirror_engine, careless_engine()};
    uint64_t symmetric = 0;
    uint64_t reduced = 0;
    uint64_t findings = 0;
    uint32_t compared = 0;
    uint32_t in_full = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        const struct engine *engine = &engines[seed % 2];
        struct plan *plan = small_plan(seed);
        struct reached merged, less, least;

        plan->untimed = seed % 3 != 0;
        merged = reach(plan, engine, MERGED);
        less = reach(plan, engine, REDUCED);
        least = reach(plan, engine, SYMMETRIC);
        assert_int_equal(merged.figures.reduced, 0);
        if (merged.complete) {
            assert_same_reached(&merged, &less);
            assert_same_reached(&merged, &least);
            symmetric += less.figures.states - least.figures.states;
            compared++;
        }
        if (merged.figures.transitions < 1000) {
            struct reached full = reach(plan, engine, IN_FULL);

            if (full.complete) {
                assert_same_reached(&full, &less);
                in_full++;
            }
            free_reached(&full);
        }
        reduced += less.figures.reduced;
        findings += less.findings.count;
        free_reached(&merged);
        free_reached(&less);
        free_reached(&least);
        plan_destroy(plan);
    }
    assert_true(symmetric > 1000);
    assert_true(reduced > 1000);
    assert_true(findings > 10);
    assert_true(compared > 90);
    assert_true(in_full > 20);
}

/* States that differ only in the order of the events that led there have the same digest. */
static void test_search_finds_one_state_when_independent_events_change_places(void **state)
{
    uint32_t found = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct plan *plan = small_plan(seed);
        struct ramble ramble = {.draw = {.state = seed}};
        const struct world_options options = {
            .engine = &mirror_engine, .choices = {.backend = take_wanted, .opaque = &ramble}};
        struct trace trace;

        plan->untimed = seed % 3 != 0;
        trace_init(&trace, true);
        ramble.world = world_create(plan, &options, &trace);
        assert_non_null(ramble.world);
        found += walk_to_the_end(&ramble);
        world_destroy(ramble.world);
        trace_free(&trace);
        plan_destroy(plan);
    }
    assert_true(found > 500);
}

static void test_search_add_word_keeps_words_that_begin_or_end_alike(void **state)
{
    char list[SEARCH_UNVARIED_BYTES] = "";

    (void)state;
    search_add_word(list, "effect ab");
    search_add_word(list, "effect a");
    search_add_word(list, "ab");
    search_add_word(list, "effect a");
    search_add_word(list, "effect ab");
    assert_string_equal(list, "effect ab, effect a, ab");
}

static void test_search_add_word_leaves_out_what_does_not_fit(void **state)
{
    char list[SEARCH_UNVARIED_BYTES] = "";
    char word[SEARCH_UNVARIED_BYTES - 8];

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    search_add_word(list, word);
    search_add_word(list, "too long");
    search_add_word(list, "fits");
    assert_int_equal(strlen(list), sizeof(word) - 1 + strlen(", fits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_add_word_keeps_words_that_begin_or_end_alike),
        cmocka_unit_test(test_search_add_word_leaves_out_what_does_not_fit),
        cmocka_unit_test(test_search_finds_the_same_when_orders_are_left_out),
        cmocka_unit_test(test_search_finds_one_state_when_independent_events_change_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
