/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Livelocks that a search meets: found if the job would have to get on, and not otherwise; what is
 * found is what a run with the same answers shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/load.h"
#include "tools/explore/lasso.h"
#include "tools/explore/search.h"

#define VISITED_BYTES (UINT64_C(16) << 20)
#define MOST_CHOICES 64

/* A mirror of one chunk, with `guest`; `end` is the step after READY. */
static struct plan *plan_of(const char *guest, const char *end)
{
    char text[1024];
    struct plan *plan;

    snprintf(text, sizeof(text),
             "disks:\n  src: {size: 64KiB, fill: unique}\n  dst: {size: 64KiB, fill: zero}\n"
             "job: {mirror: src, to: dst, granularity: 64KiB}\n%s%s\n"
             "steps: [start, {wait: ready}, %s, {wait: concluded}]\n",
             *guest != '\0' ? "guest: " : "", guest, end);
    plan = load_plan(text, 0, 0);
    plan->untimed = true;
    return plan;
}

struct found {
    enum finding_id id;
    uint32_t count;
    uint32_t choice_count;
    struct choice_answer choices[MOST_CHOICES];
    char text[FINDING_TEXT_BYTES];
    struct search_figures figures;
};

static bool note(void *opaque, const struct verdict *verdict, const struct choice_answer *choices,
                 uint32_t count)
{
    struct found *found = opaque;

    assert_true(count <= MOST_CHOICES);
    found->count++;
    found->id = verdict->findings[0].id;
    found->choice_count = count;
    for (uint32_t i = 0; i < count; i++) {
        found->choices[i] = choices[i];
        found->choices[i].site = "order";
    }
    strcpy(found->text, verdict->findings[0].text);
    return true;
}

static struct found search_plan(const struct plan *plan, const struct engine *engine)
{
    struct found found = {.count = 0};
    const struct search_options options = {.engine = engine, .found = note, .opaque = &found};
    struct search *search = search_create(VISITED_BYTES);

    assert_true(search_run(search, plan, &options, &found.figures));
    assert_false(found.figures.too_deep);
    search_destroy(search);
    return found;
}

/* ---- Engines ---- */

/* Takes the command to complete, and forgets it: the job stays ready, and looks now and then. */
static int forgetful_command(struct engine_job *job, enum job_verb verb, int64_t value,
                             struct job_error *error)
{
    return verb == VERB_COMPLETE ? 0 : mirror_engine.command(job, verb, value, error);
}

static struct engine forgetful_engine(void)
{
    struct engine engine = mirror_engine;

    engine.command = forgetful_command;
    return engine;
}

/* ---- Tests ---- */

#define WRITER "{w: {outstanding: 1, write: {at: 0, len: 4KiB}}}"
#define READER "{r: {outstanding: 1, read: {at: 0, len: 4KiB}}}"

/* A guest that writes or reads for ever has a finite number of states, and the job ends. */
static void test_livelock_is_not_found_where_only_the_guest_goes_on_for_ever(void **state)
{
    static const char *const guests[] = {"", WRITER, READER};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(guests); i++) {
        for (uint32_t cancels = 0; cancels < 2; cancels++) {
            struct plan *plan = plan_of(guests[i], cancels ? "cancel" : "complete");
            struct found found = search_plan(plan, &mirror_engine);

            assert_int_equal(found.count, 0);
            assert_true(found.figures.ends > 0);
            plan_destroy(plan);
        }
    }
}

/* The job must end when it is told to, if the guest writes nothing. */
static void test_livelock_is_found_when_the_job_goes_round_instead_of_ending(void **state)
{
    static const char *const guests[] = {"", READER};
    const struct engine engine = forgetful_engine();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(guests); i++) {
        struct plan *plan = plan_of(guests[i], "complete");
        struct found found = search_plan(plan, &engine);

        assert_int_equal(found.count, 1);
        assert_int_equal(found.id, FINDING_LIVENESS_LIVELOCK);
        assert_non_null(strstr(found.text, "The job will never end: everything is as it was at "));
        plan_destroy(plan);
    }
}

/* If it writes, the job may have too much to copy, and this one never holds the guest still. */
static void test_livelock_is_not_found_while_the_guest_may_write_faster_than_the_job(void **state)
{
    const struct engine engine = forgetful_engine();
    struct plan *plan = plan_of(WRITER, "complete");

    (void)state;
    assert_int_equal(search_plan(plan, &engine).count, 0);
    plan_destroy(plan);
}

/* What was found is the same finding of a run with the same answers. */
static void test_livelock_repeats_in_a_run_with_the_answers_that_lead_there(void **state)
{
    const struct engine engine = forgetful_engine();
    struct plan *plan = plan_of(READER, "complete");
    struct found found = search_plan(plan, &engine);
    const struct world_options options = {
        .engine = &engine,
        .choices = {.recorded = found.choices, .recorded_count = found.choice_count}};
    const struct verdict *verdict;
    char lasso[LASSO_BYTES];
    struct world *world;
    struct trace trace;

    (void)state;
    trace_init(&trace, true);
    world = world_create(plan, &options, &trace);
    assert_non_null(world);
    assert_int_equal(world_run(world, UINT64_MAX), END_LIVELOCK);
    verdict = world_judge(world);
    assert_int_equal(verdict->findings[0].id, FINDING_LIVENESS_LIVELOCK);
    lasso_tell(world, &engine, lasso);
    assert_non_null(strstr(lasso, " events, to "));
    assert_non_null(strstr(lasso, " done src read at 0 +4KiB by guest ok"));
    world_destroy(world);
    trace_free(&trace);
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_livelock_is_not_found_where_only_the_guest_goes_on_for_ever),
        cmocka_unit_test(test_livelock_is_found_when_the_job_goes_round_instead_of_ending),
        cmocka_unit_test(test_livelock_is_not_found_while_the_guest_may_write_faster_than_the_job),
        cmocka_unit_test(test_livelock_repeats_in_a_run_with_the_answers_that_lead_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
