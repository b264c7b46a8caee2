/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PCT keeps its promise: runs find an order of d events with at least the guaranteed
 * probability.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/explore/pct.h"

#define CHAINS 3
#define STEPS 6 /* of each chain */
#define SEEDS 20000

/* Chains that take steps when chosen, and a record of the turns. */
struct race {
    uint32_t left[CHAINS];
    uint32_t alive[CHAINS]; /* chains that have a step left, from 1 */
    uint32_t turns[CHAINS * STEPS];
    uint32_t count;
};

static uint32_t chain_of(const void *race, uint32_t i)
{
    return ((const struct race *)race)->alive[i];
}

static uint32_t collect(struct race *race)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CHAINS; i++) {
        if (race->left[i] > 0) {
            race->alive[count++] = i + 1;
        }
    }
    return count;
}

static struct race run_race(struct pct *pct)
{
    struct race race = {.count = 0};
    const struct candidates candidates = {chain_of, &race};
    uint32_t count;

    for (uint32_t i = 0; i < CHAINS; i++) {
        race.left[i] = STEPS;
    }
    while ((count = collect(&race)) > 0) {
        const struct question question = {"order", race.count + 1, count, &candidates};
        uint32_t chain = race.alive[pct_answer(pct, &question)];

        race.left[chain - 1]--;
        race.turns[race.count++] = chain;
    }
    return race;
}

/* The turn at which a chain has taken its nth step. */
static uint32_t turn_of(const struct race *race, uint32_t chain, uint32_t nth)
{
    uint32_t turn = 0;

    for (;; turn++) {
        nth -= race->turns[turn] == chain;
        if (nth == 0) {
            return turn;
        }
    }
}

static struct race race_of(uint64_t seed, uint32_t depth)
{
    struct pct pct;

    pct_begin(&pct, seed, depth, CHAINS * STEPS);
    return run_race(&pct);
}

/* At depth 1 no priority is lowered: the chains run one after the other. */
static void test_pct_runs_the_chain_of_the_highest_priority_when_nothing_is_lowered(void **state)
{
    uint32_t first[CHAINS + 1] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct race race = race_of(seed, 1);

        for (uint32_t i = 0; i < race.count; i++) {
            assert_int_equal(race.turns[i], race.turns[i / STEPS * STEPS]);
        }
        first[race.turns[0]]++;
    }
    for (uint32_t chain = 1; chain <= CHAINS; chain++) {
        assert_in_range(first[chain], 60, 140);
    }
}

/* Each lowered priority gives at most one change of chains while the first has steps left. */
static void test_pct_changes_chains_once_when_one_question_lowers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct race race = race_of(seed, 2);
        uint32_t early = 0;
        uint32_t left[CHAINS + 1] = {0, STEPS, STEPS, STEPS};

        for (uint32_t i = 0; i + 1 < race.count; i++) {
            left[race.turns[i]]--;
            early += race.turns[i] != race.turns[i + 1] && left[race.turns[i]] > 0;
        }
        assert_in_range(early, 0, 1);
    }
}

/* Events in an order that needs one change of chains (depth 2), and two (depth 3). */
static void test_pct_finds_an_order_as_often_as_it_says(void **state)
{
    uint32_t of_two = 0;
    uint32_t of_three = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct race race = race_of(seed, 2);

        of_two += turn_of(&race, 1, 3) < turn_of(&race, 2, 1) &&
                  turn_of(&race, 2, STEPS) < turn_of(&race, 1, 4);
        race = race_of(seed, 3);
        of_three += turn_of(&race, 1, 3) < turn_of(&race, 2, 1) &&
                    turn_of(&race, 2, 2) < turn_of(&race, 1, 4) &&
                    turn_of(&race, 1, STEPS) < turn_of(&race, 2, 3);
    }
    assert_true(of_two >= SEEDS * pct_chance(CHAINS, CHAINS * STEPS, 2));
    assert_true(of_three >= SEEDS * pct_chance(CHAINS, CHAINS * STEPS, 3));
}

static void test_pct_answers_like_a_seed_when_it_is_not_about_the_order(void **state)
{
    const struct question question = {"latency", 4, 1000, NULL};
    struct pct pct;

    (void)state;
    pct_begin(&pct, 7, 3, 10);
    assert_int_equal(pct_answer(&pct, &question), choose_seeded(7, &question));
    assert_int_equal(pct.asked, 0);
}

static void test_pct_notes_how_many_chains_and_questions_there_were(void **state)
{
    struct pct pct;

    (void)state;
    pct_begin(&pct, 7, 3, 10);
    run_race(&pct);
    assert_int_equal(pct.chains, CHAINS);
    assert_int_equal(pct.asked, CHAINS * STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pct_runs_the_chain_of_the_highest_priority_when_nothing_is_lowered),
        cmocka_unit_test(test_pct_changes_chains_once_when_one_question_lowers),
        cmocka_unit_test(test_pct_finds_an_order_as_often_as_it_says),
        cmocka_unit_test(test_pct_answers_like_a_seed_when_it_is_not_about_the_order),
        cmocka_unit_test(test_pct_notes_how_many_chains_and_questions_there_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
