/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * States of today's generation that have one digest have one future: what one of them can come to,
 * the other can.
 *
 * Random runs of a small untimed story; each state's quiet future is looked at.  If two states with
 * one digest have different ones (requests of the same instant are numbered as they came), the
 * future of each must be found among random futures of the other.
 */
#include <stdlib.h>

#include "tests/support/stage.h"

#define CHUNK (64 * KIB)
#define RUNS 400u
#define STEPS 200u
#define STATES (UINT32_C(1) << 16)
#define FUTURES 3000u

/* Where answers come from: a stream, or always 0. */
struct answers {
    uint64_t stream;
    bool quiet;
};

/* A state, where it was found, and what comes of it if nothing more is chosen. */
struct state {
    uint64_t digest; /* 0: none */
    uint64_t future;
    uint64_t seed;
    uint32_t step;
};

struct search {
    struct stage *stage;
    struct answers answers;
    void *start;
    struct state *states;
};

static uint32_t answer(void *opaque, const struct question *question)
{
    struct answers *answers = opaque;

    if (answers->quiet) {
        return 0;
    }
    answers->stream = answers->stream * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((answers->stream >> 33) % question->bound);
}

/* ---- The story ---- */

static void add_guest(struct stage *stage, enum op op, uint64_t offset)
{
    stage_step(stage, DO_GUEST)->guest =
        (struct guest_request){.op = op, .offset = offset, .bytes = CHUNK};
}

static void plan_story(struct stage *stage, enum copy_mode copy_mode, bool drains)
{
    struct plan *plan = stage->plan;

    stage->options.engine = &modern_engine;
    stage->options.no_oracles = true;
    plan->generation = GENERATION_MODERN;
    plan->untimed = true;
    plan->disk_count = 2;
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        plan->disks[i].bytes = 4 * CHUNK;
        plan->disks[i].backing = PLAN_NONE;
        plan->disks[i].read_effect = EFFECT_AT_START;
    }
    plan->job.id = "job";
    plan->job.granularity = CHUNK;
    plan->job.buffer_bytes = 2 * CHUNK;
    plan->job.auto_finalize = true;
    plan->job.auto_dismiss = true;
    plan->job.copy_mode = copy_mode;
    stage_step(stage, DO_START);
    add_guest(stage, OP_WRITE, 0);
    add_guest(stage, OP_WRITE_ZEROES, CHUNK / 2);
    add_guest(stage, OP_WRITE, CHUNK);
    if (drains) {
        stage_step(stage, DO_DRAIN)->index = SRC;
    }
    stage_step(stage, DO_PAUSE)->may_be_refused = true;
    add_guest(stage, OP_WRITE, 2 * CHUNK);
    stage_step(stage, DO_RESUME)->may_be_refused = true;
    if (drains) {
        stage_step(stage, DO_UNDRAIN)->index = SRC;
    }
    stage_wait_event(stage, EVENT_JOB_READY);
    stage_step(stage, DO_COMPLETE)->may_be_refused = true;
    stage_wait(stage, WAIT_CONCLUDED);
}

/* ---- Futures ---- */

/* The world is run to its end, whatever the answers are, and comes back. */
static uint64_t future_of(struct search *search, uint64_t stream, uint32_t random_steps)
{
    struct world *world = search->stage->world;
    struct answers before = search->answers;
    void *snapshot = malloc(world_save_bytes(world));
    uint64_t digest;

    assert_non_null(snapshot);
    world_save(world, snapshot);
    search->answers = (struct answers){.stream = stream, .quiet = random_steps == 0};
    for (uint32_t i = 1; world_step(world); i++) {
        search->answers.quiet = i >= random_steps;
    }
    digest = world_digest(world);
    search->answers = before;
    world_load(world, snapshot);
    free(snapshot);
    return digest;
}

static bool can_come_to(struct search *search, uint64_t future)
{
    for (uint32_t i = 0; i < FUTURES; i++) {
        if (future_of(search, i * 7919u + 5, i % 12) == future) {
            return true;
        }
    }
    return false;
}

/* Back to the beginning; the trace must not be shorter than what is restored. */
static void begin(struct search *search, uint64_t seed)
{
    search->answers.quiet = true;
    world_run(search->stage->world, UINT64_MAX);
    world_load(search->stage->world, search->start);
    search->answers = (struct answers){.stream = seed};
}

/* ---- The search ---- */

static struct state *find(struct search *search, uint64_t digest)
{
    uint32_t place = (uint32_t)digest % STATES;

    while (search->states[place].digest != 0 && search->states[place].digest != digest) {
        place = (place + 1) % STATES;
    }
    return &search->states[place];
}

/* The state is this one, found again. */
static void compare(struct search *search, const struct state *known, uint64_t future)
{
    struct answers before = search->answers;
    struct world *world = search->stage->world;
    void *snapshot = malloc(world_save_bytes(world));

    assert_non_null(snapshot);
    world_save(world, snapshot);
    assert_true(can_come_to(search, known->future));
    begin(search, known->seed);
    for (uint32_t i = 0; i <= known->step; i++) {
        world_step(world);
    }
    assert_int_equal(world_digest(world), known->digest);
    assert_true(can_come_to(search, future));
    search->answers.quiet = true;
    world_run(world, UINT64_MAX);
    world_load(world, snapshot);
    search->answers = before;
    free(snapshot);
}

static void look_at(struct search *search, uint64_t seed, uint32_t step)
{
    uint64_t digest = world_digest(search->stage->world);
    uint64_t future = future_of(search, 0, 0);
    struct state *state = find(search, digest);

    if (state->digest == 0) {
        *state = (struct state){digest, future, seed, step};
    } else if (state->future != future) {
        compare(search, state, future);
    }
}

static void search_story(struct stage *stage)
{
    struct search search = {.stage = stage};

    stage->options.choices.backend = answer;
    stage->options.choices.opaque = &search.answers;
    search.states = calloc(STATES, sizeof(*search.states));
    stage_open(stage);
    search.start = malloc(world_save_bytes(stage->world));
    assert_non_null(search.states);
    assert_non_null(search.start);
    world_save(stage->world, search.start);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(&search, seed);
        for (uint32_t step = 0; step < STEPS && world_step(stage->world); step++) {
            look_at(&search, seed, step);
        }
    }
    free(search.start);
    free(search.states);
}

static void test_modern_digest_is_that_of_the_future_in_background_mode(void **state)
{
    plan_story(*state, COPY_BACKGROUND, true);
    search_story(*state);
}

static void test_modern_digest_is_that_of_the_future_in_write_blocking_mode(void **state)
{
    plan_story(*state, COPY_WRITE_BLOCKING, false);
    search_story(*state);
}

static void test_modern_digest_is_that_of_the_future_with_a_drained_section(void **state)
{
    plan_story(*state, COPY_WRITE_BLOCKING, true);
    search_story(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_modern_digest_is_that_of_the_future_in_background_mode),
        STAGE_TEST(test_modern_digest_is_that_of_the_future_in_write_blocking_mode),
        STAGE_TEST(test_modern_digest_is_that_of_the_future_with_a_drained_section),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
