/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A search that is stopped again and again, and goes on from its pieces, is the same search: it has
 * the same figures, and takes no step again but those of the replayed stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "sim/scenario/scenario.h"
#include "tools/explore/search.h"

#define VISITED_BYTES (UINT64_C(64) << 20)
#define MAX_PIECES 64

static const char text[] =
    "scenario: 1\n"
    "name: small\n"
    "doc: Four chunks and two guest writes.\n"
    "disks:\n"
    "  src: {size: 256KiB, fill: unique}\n"
    "  dst: {size: 256KiB, fill: garbage}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 192KiB, on-target-error: report}\n"
    "guest:\n"
    "  w1: {at: 0, write: {at: 0, len: 64KiB}}\n"
    "  w2: {at: 0, write: {at: 32KiB, len: 64KiB}}\n"
    "steps: [start, {wait: ready}, complete, {wait: concluded}]\n";

struct sitting {
    struct search *search;
    struct pack pieces[MAX_PIECES];
    uint32_t count;
    uint32_t read;
    bool stops;     /* at the next poll */
    uint64_t steps; /* of all searches */
};

static bool found(void *opaque, const struct verdict *verdict, const struct choice_answer *choices,
                  uint32_t choice_count)
{
    (void)opaque;
    (void)verdict;
    (void)choices;
    (void)choice_count;
    fail();
    return false;
}

static void stepping(void *opaque, const struct world *world)
{
    (void)world;
    ((struct sitting *)opaque)->steps++;
}

/* Each poll saves a piece. */
static bool stop(void *opaque, const struct search_figures *figures)
{
    struct sitting *sitting = opaque;

    (void)figures;
    assert_true(sitting->count < MAX_PIECES);
    search_save(sitting->search, &sitting->pieces[sitting->count++]);
    return sitting->stops;
}

static bool next_piece(void *opaque, struct unpack *piece)
{
    struct sitting *sitting = opaque;

    if (sitting->read == sitting->count) {
        return false;
    }
    *piece = (struct unpack){.at = sitting->pieces[sitting->read].bytes,
                             .left = sitting->pieces[sitting->read].count};
    sitting->read++;
    return true;
}

/* True if the search is over. */
static bool sit(struct sitting *sitting, const struct plan *plan, struct search_figures *figures)
{
    const struct search_saved saved = {.next = next_piece, .opaque = sitting};
    const struct search_options options = {.engine = &mirror_engine,
                                           .keeps_states = true,
                                           .saved = &saved,
                                           .found = found,
                                           .stepping = stepping,
                                           .stop = stop,
                                           .opaque = sitting};
    bool over;

    sitting->search = search_create(VISITED_BYTES);
    sitting->read = 0;
    *figures = (struct search_figures){.ends = 0};
    over = search_run(sitting->search, plan, &options, figures);
    search_destroy(sitting->search);
    return over;
}

static struct plan *load_plan(void)
{
    const struct choice_spec quiet = {.seed = 0};
    struct scenario *scenario = scenario_load_text("small.yaml", text, strlen(text));
    struct plan *plan;

    assert_int_equal(scenario_mistakes(scenario)->count, 0);
    plan = scenario_plan(scenario, 0, &quiet);
    plan->untimed = true;
    scenario_free(scenario);
    return plan;
}

static void free_pieces(struct sitting *sitting)
{
    for (uint32_t i = 0; i < sitting->count; i++) {
        pack_free(&sitting->pieces[i]);
    }
}

/* Stopped at every poll, and once in one go. */
static void test_search_saved_goes_on_where_it_was_when_it_is_stopped(void **state)
{
    struct sitting stopped = {.stops = true};
    struct sitting whole = {.stops = false};
    struct search_figures figures;
    struct search_figures expected;
    struct plan *plan = load_plan();
    uint32_t sittings = 1;

    (void)state;
    assert_true(sit(&whole, plan, &expected));
    while (!sit(&stopped, plan, &figures)) {
        sittings++;
    }
    assert_true(sittings > 3);
    assert_memory_equal(&figures, &expected, sizeof(figures));
    assert_true(stopped.steps >= whole.steps);
    assert_true(stopped.steps <= whole.steps + sittings * expected.depth);
    free_pieces(&stopped);
    free_pieces(&whole);
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_saved_goes_on_where_it_was_when_it_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
