/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators: the draws for their requests, and their reproducibility.
 */
#include <stdlib.h>

#include "sim/trace/phrase.h"
#include "tests/sim/world/generating.h"

/*
 * In any thousand requests in a row the shares are 80 : 20 and half and half,
 * and all places occur.
 */
static void test_generator_quiet_draws_follow_the_mix(void **state)
{
    static uint64_t lengths[] = {4 * KIB, 8 * KIB};
    struct stage *stage = *state;
    struct generator_spec *spec = add_every(stage, US);
    uint32_t flushes = 0;
    uint32_t of_4k = 0;
    uint32_t of_4k_low = 0;

    spec->count = 1000;
    spec->mix[0].weight = 80;
    spec->mix[0].lengths = lengths;
    spec->mix[0].length_count = 2;
    spec->mix[1] = (struct mix_spec){.weight = 20, .request.op = OP_FLUSH};
    spec->mix_count = 2;
    stage_open(stage);
    stage_run(stage);
    for (uint64_t i = 0; i < 1000; i++) {
        const struct event *event = submission(stage, i);

        flushes += event->op == OP_FLUSH;
        of_4k += event->bytes == 4 * KIB;
        of_4k_low += event->bytes == 4 * KIB && event->offset < MIB / 2;
    }
    assert_in_range(flushes, 198, 202);
    assert_in_range(of_4k, 395, 405);
    /* Place and length are independent. */
    assert_in_range(of_4k_low, 190, 210);
}

static uint64_t hash_of_seed(struct stage *stage, uint64_t seed)
{
    stage->options.choices = (struct choice_spec){.seed = seed};
    world_destroy(stage->world);
    stage_open(stage);
    stage_run(stage);
    return stage->trace.hash;
}

static void test_generator_draws_depend_on_the_seed_and_repeat_from_the_record(void **state)
{
    struct stage *stage = *state;
    const struct choice_answer *record;
    struct choice_answer *copy;
    uint32_t count;
    uint64_t hash;

    add_outstanding(stage, 4)->count = 100;
    assert_int_not_equal(hash_of_seed(stage, 0), hash_of_seed(stage, 1));
    hash = hash_of_seed(stage, 2);
    record = world_choices(stage->world, &count);
    assert_true(count > 90);
    copy = arena_alloc(stage->plan->arena, count * sizeof(*copy));
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = record[i];
        copy[i].site = arena_strdup(stage->plan->arena, record[i].site);
    }
    stage->options.choices = (struct choice_spec){.recorded = copy, .recorded_count = count};
    world_destroy(stage->world);
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(stage->trace.hash, hash);
}

/* Two generators that differ only in their names draw different places. */
static void test_generators_of_other_names_draw_other_places(void **state)
{
    struct stage *stage = *state;

    add_every(stage, MS)->count = 1;
    add_every(stage, MS)->count = 1;
    stage->plan->generators[1].name = "other";
    stage_open(stage);
    stage_run(stage);
    assert_int_equal(submissions(stage), 2);
    assert_int_not_equal(submission(stage, 0)->offset, submission(stage, 1)->offset);
}

/* ---- As a part of the world ---- */

static void test_generator_is_named_by_what_it_wrote(void **state)
{
    struct stage *stage = *state;
    const struct event *first;

    add_every(stage, MS)->count = 1;
    last(stage, MS);
    stage_open(stage);
    stage_run(stage);
    first = submission(stage, 0);
    assert_int_equal(first->index, plan_generator_number(stage->plan, 0) + 1);
    assert_string_equal(
        phrase_content(world_evidence(stage->world), SRC, first->offset / SECTOR_BYTES).text,
        "guest write #1 (tag churn)");
}

static void test_generator_goes_on_from_a_snapshot_as_it_did(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_outstanding(stage, 3);
    uint64_t hash;
    uint64_t digest;
    void *memory;

    plan_mirror(stage);
    spec->think_ns = 77;
    spec->count = 500;
    spec->mix[0].address.kind = ADDRESS_ZIPF;
    spec->mix[0].address.theta = 900;
    spec->mix[1] = write_anywhere();
    spec->mix[1].address.kind = ADDRESS_SEQUENTIAL;
    spec->mix_count = 2;
    add_every(stage, 90)->count = 100;
    stage->plan->generators[1].name = "other";
    stage->options.choices.seed = 3;
    stage_open(stage);
    world_run(stage->world, 2 * US);
    memory = malloc(world_save_bytes(stage->world));
    world_save(stage->world, memory);
    digest = world_digest(stage->world);
    stage_run(stage);
    hash = stage->trace.hash;
    assert_int_equal(submissions(stage), 600);
    assert_int_not_equal(world_digest(stage->world), digest);
    world_load(stage->world, memory);
    assert_int_equal(world_digest(stage->world), digest);
    stage_run(stage);
    assert_int_equal(stage->trace.hash, hash);
    free(memory);
}

/* Two worlds that differ only in a generator's next requests have different digests. */
static void test_generator_digest_tells_apart_what_will_come(void **state)
{
    struct stage *stage = *state;
    struct generator_spec *spec = add_every(stage, MS);
    uint64_t digest;

    spec->count = 5;
    stage_open(stage);
    world_run(stage->world, MS);
    digest = world_digest(stage->world);
    stage->world->generators[0].place.position++;
    assert_int_not_equal(world_digest(stage->world), digest);
    stage->world->generators[0].place.position--;
    stage->world->generators[0].submitted++;
    assert_int_not_equal(world_digest(stage->world), digest);
    stage->world->generators[0].submitted--;
    assert_int_equal(world_digest(stage->world), digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_generator_quiet_draws_follow_the_mix),
        STAGE_TEST(test_generator_draws_depend_on_the_seed_and_repeat_from_the_record),
        STAGE_TEST(test_generators_of_other_names_draw_other_places),
        STAGE_TEST(test_generator_is_named_by_what_it_wrote),
        STAGE_TEST(test_generator_goes_on_from_a_snapshot_as_it_did),
        STAGE_TEST(test_generator_digest_tells_apart_what_will_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
