/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choices: independent streams per site, quiet zero, recorded answers first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/base/arena.h"
#include "sim/base/choice.h"

static int set_up(void **state)
{
    *state = arena_create((size_t)4 << 20);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static void test_choice_every_answer_is_zero_when_the_seed_is_zero(void **state)
{
    struct choice_spec spec = {0};
    struct choices *choices = choices_create(*state, &spec);
    struct choice_site *site = choices_site(choices, "order");
    uint32_t count;

    assert_true(choices_quiet(choices));
    for (uint32_t bound = 1; bound < 1000; bound++) {
        assert_int_equal(choose(choices, site, bound), 0);
    }
    choices_record(choices, &count);
    assert_int_equal(count, 0);
}

/* A committed sample: it must be the same with every compiler, word size and byte order. */
static void test_choice_answers_are_the_committed_ones_when_seeded(void **state)
{
    static const uint32_t order[] = {2, 8, 4, 4, 1, 1, 1, 4};
    static const uint32_t latency[] = {915, 202, 812, 926, 763, 690, 309, 177};
    struct choice_spec spec = {.seed = 1};
    struct choices *choices = choices_create(*state, &spec);

    assert_false(choices_quiet(choices));
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(choose(choices, choices_site(choices, "order"), 10), order[i]);
        assert_int_equal(choose(choices, choices_site(choices, "latency dst write"), 1024),
                         latency[i]);
    }
}

static void test_choice_answers_do_not_shift_when_another_site_is_added(void **state)
{
    struct choice_spec spec = {.seed = 42};
    struct choices *alone = choices_create(*state, &spec);
    struct choices *both = choices_create(*state, &spec);
    struct choice_site *noise = choices_site(both, "noise");

    for (int i = 0; i < 200; i++) {
        uint32_t a = choose(alone, choices_site(alone, "order"), 1000);
        uint32_t b;

        choose(both, noise, 7);
        /* A bound of 1 is not recorded as a question. */
        choose(both, choices_site(both, "order"), 1);
        b = choose(both, choices_site(both, "order"), 1000);
        assert_int_equal(a, b);
    }
}

static void test_choice_answers_cover_the_bound_evenly_when_random(void **state)
{
    struct choice_spec spec = {.seed = 7};
    struct choices *choices = choices_create(*state, &spec);
    struct choice_site *site = choices_site(choices, "order");
    uint32_t seen[3] = {0};

    for (int i = 0; i < 3000; i++) {
        uint32_t pick = choose(choices, site, 3);

        assert_true(pick < 3);
        seen[pick]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_in_range(seen[i], 900, 1100);
    }
}

/* Replaying a run's record without a seed gives the same answers. */
static void test_choice_record_reproduces_every_answer_when_replayed(void **state)
{
    struct choice_spec random = {.seed = 99};
    struct choice_spec replay = {0};
    struct choices *first = choices_create(*state, &random);
    struct choices *second;
    uint32_t answers[300];

    for (uint32_t i = 0; i < 300; i++) {
        answers[i] = choose(first, choices_site(first, i % 3 ? "a" : "b"), 2 + i % 5);
    }
    replay.recorded = choices_record(first, &replay.recorded_count);
    assert_in_range(replay.recorded_count, 100, 299);

    second = choices_create(*state, &replay);
    assert_false(choices_quiet(second));
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(choose(second, choices_site(second, i % 3 ? "a" : "b"), 2 + i % 5),
                         answers[i]);
    }
}

static void test_choice_recorded_answers_win_over_the_seed_when_both_are_given(void **state)
{
    static const struct choice_answer recorded[] = {
        {.site = "b", .nth = 2, .pick = 3},
        {.site = "a", .nth = 3, .pick = 1},
        {.site = "a", .nth = 1, .pick = 4},
    };
    struct choice_spec seeded = {.seed = 5};
    struct choice_spec both = {.seed = 5, .recorded = recorded, .recorded_count = 3};
    struct choices *plain = choices_create(*state, &seeded);
    struct choices *mixed = choices_create(*state, &both);
    uint32_t plain_picks[4];
    uint32_t picks[4];

    for (int i = 0; i < 4; i++) {
        plain_picks[i] = choose(plain, choices_site(plain, "a"), 1000);
        picks[i] = choose(mixed, choices_site(mixed, "a"), 1000);
    }
    assert_int_equal(picks[0], 4);
    assert_int_equal(picks[1], plain_picks[1]);
    assert_int_equal(picks[2], 1);
    assert_int_equal(picks[3], plain_picks[3]);
}

static void test_choice_passes_over_answers_that_nobody_asks_for_when_replayed(void **state)
{
    static const struct choice_answer recorded[] = {
        {.site = "a", .nth = 1, .pick = 7}, /* beyond its bound: taken modulo */
        {.site = "a", .nth = 2, .pick = 1},
        {.site = "a", .nth = 2, .pick = 1}, /* twice the same question */
        {.site = "a", .nth = 9, .pick = 1}, /* never asked */
        {.site = "z", .nth = 1, .pick = 1}, /* no such site */
    };
    struct choice_spec spec = {.recorded = recorded, .recorded_count = 5};
    struct choices *choices = choices_create(*state, &spec);

    assert_int_equal(choose(choices, choices_site(choices, "a"), 5), 2);
    assert_int_equal(choose(choices, choices_site(choices, "a"), 5), 1);
    assert_int_equal(choose(choices, choices_site(choices, "a"), 5), 0);
}

static uint32_t last_pick(void *opaque, const struct question *question)
{
    struct question *asked = opaque;

    *asked = *question;
    return question->bound - 1;
}

static void test_choice_backend_is_asked_with_site_and_number_when_set(void **state)
{
    struct question asked = {0};
    struct choice_spec spec = {.seed = 3, .backend = last_pick, .opaque = &asked};
    struct choices *choices = choices_create(*state, &spec);
    const struct choice_answer *record;
    uint32_t count;

    assert_int_equal(choose(choices, choices_site(choices, "x"), 4), 3);
    assert_int_equal(choose(choices, choices_site(choices, "x"), 9), 8);
    assert_string_equal(asked.site, "x");
    assert_int_equal(asked.nth, 2);
    assert_int_equal(asked.bound, 9);
    assert_null(asked.candidates);

    record = choices_record(choices, &count);
    assert_int_equal(count, 2);
    assert_string_equal(record[1].site, "x");
    assert_int_equal(record[1].nth, 2);
    assert_int_equal(record[1].pick, 8);
}

static void test_choice_digest_differs_when_one_question_more_was_asked(void **state)
{
    struct choice_spec spec = {.seed = 1};
    struct choices *choices = choices_create(*state, &spec);
    struct choice_site *site = choices_site(choices, "order");
    uint64_t values[2];

    for (int i = 0; i < 2; i++) {
        struct digest digest;

        digest_init(&digest);
        choices_digest(choices, &digest);
        values[i] = digest_value(&digest);
        choose(choices, site, 2);
    }
    assert_true(values[0] != values[1]);
}

/* What a listener was told. */
struct heard {
    uint32_t count;
    struct choice_answer last;
};

static void hear(void *recorder, uint32_t index, const struct choice_answer *answer)
{
    struct heard *heard = recorder;

    assert_int_equal(index, heard->count);
    heard->count++;
    heard->last = *answer;
}

static void test_choice_listener_hears_each_answer_that_is_recorded(void **state)
{
    struct heard heard = {0};
    struct choice_spec spec = {.seed = 3, .recorded_one = hear, .recorder = &heard};
    struct choices *choices = choices_create(*state, &spec);
    struct choice_site *site = choices_site(choices, "order");

    for (uint32_t i = 0; i < 50; i++) {
        uint32_t before = heard.count;
        uint32_t pick = choose(choices, site, 3);
        uint32_t count;
        const struct choice_answer *record = choices_record(choices, &count);

        assert_int_equal(heard.count, before + (pick != 0));
        assert_int_equal(heard.count, count);
        if (pick != 0) {
            assert_memory_equal(&heard.last, &record[count - 1], sizeof(heard.last));
        }
    }
    assert_true(heard.count > 0 && heard.count < 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_choice_every_answer_is_zero_when_the_seed_is_zero),
        TEST(test_choice_answers_are_the_committed_ones_when_seeded),
        TEST(test_choice_answers_do_not_shift_when_another_site_is_added),
        TEST(test_choice_answers_cover_the_bound_evenly_when_random),
        TEST(test_choice_record_reproduces_every_answer_when_replayed),
        TEST(test_choice_recorded_answers_win_over_the_seed_when_both_are_given),
        TEST(test_choice_passes_over_answers_that_nobody_asks_for_when_replayed),
        TEST(test_choice_backend_is_asked_with_site_and_number_when_set),
        TEST(test_choice_listener_hears_each_answer_that_is_recorded),
        TEST(test_choice_digest_differs_when_one_question_more_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
