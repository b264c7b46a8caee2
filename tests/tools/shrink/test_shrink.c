/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shrinking, with engines that each have a bug.
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/load.h"
#include "tools/shrink/shrink.h"

/* ---- Engines ---- */

static int toy_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                     struct job_error *error)
{
    return mirror_engine.start(host, spec, job, error);
}

/* Ignores errors of the target, whatever the policy. */
static int careless_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                          struct job_error *error)
{
    struct job_spec other = *spec;

    other.on_target_error = POLICY_IGNORE;
    return mirror_engine.start(host, &other, job, error);
}

static int toy_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                       struct job_error *error)
{
    return mirror_engine.command(job, verb, arg, error);
}

static int crashing_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                            struct job_error *error)
{
    assert(verb != VERB_RESUME && "a toy that can't resume");
    assert(verb != VERB_COMPLETE && "a toy that can't complete");
    return mirror_engine.command(job, verb, arg, error);
}

static void toy_query(const struct engine_job *job, struct job_info *info)
{
    mirror_engine.query(job, info);
}

static void toy_digest(const struct engine_job *job, struct digest *digest)
{
    mirror_engine.digest(job, digest);
}

static void toy_check(const struct engine_job *job)
{
    mirror_engine.check(job);
}

static const char *toy_phase_name(unsigned phase)
{
    return mirror_engine.phase_name(phase);
}

#define TOY(toy_name, start_with, command_with)                                                    \
    {                                                                                              \
        .name = #toy_name, .summary = "a toy", .start = (start_with), .command = (command_with),   \
        .query = toy_query, .digest = toy_digest, .check = toy_check, .phase_name = toy_phase_name \
    }

static const struct engine careless = TOY(careless, careless_start, toy_command);
static const struct engine crashing = TOY(crashing, toy_start, crashing_command);

/* ---- Shrinking ---- */

struct shrunk {
    struct shrink_report report;
    struct plan *plan;
};

static struct shrunk shrink_with(const char *sections, const struct engine *engine,
                                 const struct shrink_options *options)
{
    struct plan *plan = load_plan(sections, 0, options->seed);
    struct shrunk shrunk;

    shrunk.plan = shrink_plan(plan, engine, options, &shrunk.report);
    plan_destroy(plan);
    return shrunk;
}

static struct shrunk shrink(const char *sections, const struct engine *engine, uint64_t seed)
{
    const struct shrink_options options = {.seed = seed, .origin = "a test", .cpu_limit_ms = 5000};

    return shrink_with(sections, engine, &options);
}

static void drop(struct shrunk *shrunk)
{
    plan_destroy(shrunk->plan);
    free(shrunk->report.scenario);
}

/* Asserts the result, from its `disks` on. */
static void assert_becomes(const struct shrunk *shrunk, const char *oracle, const char *kind,
                           const char *sections)
{
    assert_non_null(shrunk->plan);
    assert_int_equal(shrunk->report.end, SHRINK_DONE);
    assert_int_equal(shrunk->report.id, finding_find(oracle, kind));
    assert_string_equal(strstr(shrunk->report.scenario, "\ndisks:") + 1, sections);
}

#define BUSY_DISKS                                                                            \
    "disks:\n"                                                                                \
    "  src: {size: 4MiB, fill: unique, lanes: 8, latency: {read: 200us, write: 300us}}\n"     \
    "  dst: {size: 4MiB, fill: garbage, lanes: 4, latency: {exponential: 2ms, min: 100us}}\n" \
    "  spare: {size: 1MiB, bitmaps: {b: 64KiB}}\n"

static const char busy[] = BUSY_DISKS
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 1MiB, on-target-error: stop}\n"
    "faults:\n"
    "  slow: {match: {disk: src, op: read}, delay: 1ms, times: forever}\n"
    "  bad: {match: {disk: dst, op: write, overlaps: {at: 640KiB, len: 64KiB}}, error: EIO}\n"
    "react:\n"
    "  - {when: {event: error, action: stop}, do: resume}\n"
    "guest:\n"
    "  early: {at: 2ms, write: {at: 128KiB, len: 4KiB}}\n"
    "  churn: {every: 1ms, count: 20, write: {at: {uniform: true}, len: {choose: [4KiB, 8KiB]}}}\n"
    "steps:\n"
    "  - start\n"
    "  - wait: 1ms\n"
    "  - pause\n"
    "  - wait: paused\n"
    "  - query: {is-not: [cancelled]}\n"
    "  - resume\n"
    "  - guest: {write: {at: 1MiB, len: 4KiB}, tag: newer}\n"
    "  - wait: {event: ready, within: 10s}\n"
    "  - complete\n"
    "  - wait: {concluded: true, within: 10s}\n"
    "expect:\n"
    "  - same: [src, dst]\n"
    "  - result: OK\n";

/*
 * What the finding does not need is dropped, and what it needs is small.  This engine need not
 * be resumed, but a correct one, which stops, must be.
 */
static void test_shrink_leaves_what_the_finding_needs(void **state)
{
    struct shrunk shrunk = shrink(busy, &careless, 0);

    (void)state;
    assert_becomes(&shrunk, "job", "wrong-action",
                   "disks: {src: {size: 512}, dst: {size: 512, fill: garbage}}\n"
                   "job: {mirror: src, to: dst, on-target-error: stop}\n"
                   "faults: {bad: {match: {op: write}, error: EIO}}\n"
                   "react: [{when: error, do: resume}]\n"
                   "steps: [start, {wait: ready}, complete]\n");
    drop(&shrunk);
}

static void test_shrink_gives_the_same_result_for_any_seed_twice(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct shrunk first = shrink(busy, &careless, seed);
        struct shrunk second = shrink(busy, &careless, seed);

        assert_string_equal(first.report.scenario, second.report.scenario);
        assert_int_equal(first.report.runs, second.report.runs);
        drop(&first);
        drop(&second);
    }
    (void)state;
}

/* ---- Choices ---- */

/*
 * The quiet run passes. Of a seed's choices, the one that matters is recorded, so that
 * the seed no longer matters.
 */
static void test_shrink_pins_the_choice_that_matters(void **state)
{
    static const char sections[] =
        "disks:\n"
        "  src: {size: 1MiB, latency: {exponential: 1ms}, cache: volatile, effect: choice}\n"
        "  dst: {size: 1MiB, latency: {uniform: [1ms, 2ms]}}\n"
        "job: {mirror: src, to: dst, granularity: 64KiB}\n"
        "guest: {churn: {every: 1ms, count: 9, write: {at: {uniform: true, in: {at: 64KiB, len: "
        "64KiB}}}}}\n"
        "steps:\n"
        "  - start\n"
        "  - wait: ready\n"
        "  - guest: {write: {at: 512, len: 512}, tag: precious}\n"
        "  - wait: {guest: idle}\n"
        "  - power-cut: src\n"
        "  - cancel\n"
        "expect: [sector: {disk: src, at: 512, tag: precious}]\n";
    struct shrunk shrunk = shrink(sections, &mirror_engine, 0);

    (void)state;
    assert_null(shrunk.plan);
    assert_int_equal(shrunk.report.end, SHRINK_NO_FINDING);
    shrunk = shrink(sections, &mirror_engine, 3);
    assert_becomes(&shrunk, "expect", "sector",
                   "disks: {src: {size: 512, cache: volatile}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "steps:\n"
                   "  - start\n"
                   "  - guest: {write: {at: 0, len: 512}, tag: precious}\n"
                   "  - wait: {guest: idle}\n"
                   "  - power-cut: src\n"
                   "  - cancel\n"
                   "expect: [{sector: {disk: src, at: 0, tag: precious}}]\n"
                   "choices: [{at: \"power-cut src\", pick: 1}]\n");
    drop(&shrunk);
}

/* ---- Generators ---- */

/* Of all the requests of a generator, one is left. */
static void test_shrink_writes_out_the_requests_of_a_generator(void **state)
{
    struct shrunk shrunk =
        shrink("disks: {src: {size: 1MiB, fill: unique}, dst: {size: 1MiB}}\n"
               "job: {mirror: src, to: dst, granularity: 64KiB}\n"
               "guest:\n"
               "  churn: {outstanding: 2, think: 700us, count: 50,\n"
               "          mix: [{weight: 3, write: {at: sequential, len: 32KiB}}, {flush: true}]}\n"
               "steps: [start, {wait: {event: ready}}, complete, {wait: concluded}]\n"
               "expect: [never: {event: submit, by: guest, op: write, disk: dst}]\n",
               &mirror_engine, 5);

    (void)state;
    assert_becomes(&shrunk, "expect", "never",
                   "disks: {src: {size: 512}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "guest: {churn-10: {at: 200us, write: {at: 0, len: 512}}}\n"
                   "steps: [start, {wait: ready}, complete]\n"
                   "expect: [{never: {event: submit, disk: dst, op: write, by: guest}}]\n");
    drop(&shrunk);
}

/* If a generator is shorter than its requests written out, it stays, and keeps its bound. */
static void test_shrink_leaves_a_generator_its_bound(void **state)
{
    struct shrunk shrunk =
        shrink("disks: {src: {size: 1MiB}, dst: {size: 1MiB}}\n"
               "guest:\n"
               "  churn: {every: 1ms, count: 50, write: {at: {uniform: true}, len: 32KiB}}\n"
               "steps: [start, {wait: ready}, {wait: {guest: idle}}, complete, {wait: concluded}]\n"
               "expect: [atmost: {event: submit, by: guest, times: 2}]\n",
               &mirror_engine, 0);

    (void)state;
    assert_becomes(&shrunk, "expect", "at-most",
                   "disks: {src: {size: 4KiB}, dst: {size: 4KiB}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "guest: {churn: {every: 1us, count: 3, mix: [{write: {at: uniform}}]}}\n"
                   "steps: [start, {wait: ready}, complete]\n"
                   "expect: [{atmost: {event: submit, by: guest, times: 2}}]\n");
    drop(&shrunk);
}

/* ---- Which finding ---- */

/* If there are two ways to crash, shrinking keeps to the first run's. */
static void test_shrink_keeps_to_one_crash(void **state)
{
    struct shrunk shrunk =
        shrink("react:\n"
               "  - {when: paused, do: resume}\n"
               "  - {when: ready, do: complete, after: 1s}\n"
               "steps: [start, {wait: ready}, pause, {wait: 2s}, {wait: concluded}]\n",
               &crashing, 0);

    (void)state;
    assert_becomes(&shrunk, "crash", "crash",
                   "disks: {src: {size: 512}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "react: [{when: paused, do: resume}, {when: ready, do: complete, after: 1us}]\n"
                   "steps: [start, pause, {wait: concluded}]\n");
    assert_non_null(strstr(shrunk.report.text, "can't resume"));
    drop(&shrunk);
}

static void test_shrink_takes_the_finding_that_is_asked_for(void **state)
{
    static const char sections[] =
        "steps: [start, {wait: ready}, {query: {offset: 5}}, complete, {wait: concluded}]\n"
        "expect: [length: {dst: 5}, never: {event: ready}]\n";
    struct shrink_options options = {
        .origin = "a test", .cpu_limit_ms = 5000, .wanted = {"expect", "never"}};
    struct shrunk shrunk = shrink_with(sections, &mirror_engine, &options);

    (void)state;
    assert_becomes(&shrunk, "expect", "never",
                   "disks: {src: {size: 512}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "steps: [start, {wait: ready}, complete]\n"
                   "expect: [{never: ready}]\n");
    drop(&shrunk);
    options.wanted.kind = "sector";
    shrunk = shrink_with(sections, &mirror_engine, &options);
    assert_null(shrunk.plan);
    assert_int_equal(shrunk.report.end, SHRINK_NO_FINDING);
}

/* Without the release the job would hang, which would be a new finding. */
static void test_shrink_finds_nothing_that_was_not_found_before(void **state)
{
    struct shrunk shrunk = shrink("disks: {src: {size: 64KiB, fill: unique}, dst: {size: 64KiB}}\n"
                                  "steps:\n"
                                  "  - hold: {name: stop, match: {disk: dst, op: write}}\n"
                                  "  - start\n"
                                  "  - wait: {held: stop}\n"
                                  "  - release: stop\n"
                                  "  - wait: ready\n"
                                  "  - complete\n"
                                  "  - wait: concluded\n"
                                  "expect: [never: {held: stop}]\n",
                                  &mirror_engine, 0);

    (void)state;
    assert_becomes(&shrunk, "expect", "never",
                   "disks: {src: {size: 512}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "steps:\n"
                   "  - hold: {name: stop, match: {}}\n"
                   "  - start\n"
                   "  - wait: {held: stop}\n"
                   "  - release: stop\n"
                   "  - wait: ready\n"
                   "  - complete\n"
                   "expect: [{never: {held: stop}}]\n");
    drop(&shrunk);
}

/*
 * Eighteen copies instead of eleven is about what makes the job copy again: with fewer chunks, or
 * without the guest's writes, it would be another miss of the same expectation.
 */
static void test_shrink_keeps_by_how_much_an_exact_number_was_missed(void **state)
{
    struct shrunk shrunk =
        shrink("disks: {src: {size: 1MiB, fill: unique}, dst: {size: 1MiB}}\n"
               "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 64KiB}\n"
               "guest: {w: {at: 0, write: {at: 0, len: 4KiB}}, z: {at: 1ms, write: {at: 64KiB, "
               "len: 4KiB}}}\n"
               "steps: [start, {wait: ready}, complete, {wait: concluded}]\n"
               "expect:\n"
               "  - count: {request: {disk: dst, op: write, by: job}, times: 11}\n",
               &mirror_engine, 0);

    (void)state;
    assert_non_null(strstr(shrunk.report.text, "exactly 11 times, but it happened 18 times."));
    drop(&shrunk);
}

/* Of two entries of the same kind, the one that was missed first is the one that stays. */
static void test_shrink_keeps_the_entry_that_was_missed(void **state)
{
    struct shrunk shrunk =
        shrink("disks: {src: {size: 1MiB, fill: unique}, dst: {size: 1MiB}}\n"
               "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 64KiB}\n"
               "steps: [start, {wait: ready}, complete, {wait: concluded}]\n"
               "expect:\n"
               "  - atmost: {request: {disk: dst, op: write, by: job}, times: 11}\n"
               "  - atmost: {request: {disk: src, op: read, by: job}, times: 0}\n",
               &mirror_engine, 0);

    (void)state;
    assert_non_null(
        strstr(shrunk.report.text, "Event done (write, dst, job) was expected at most"));
    drop(&shrunk);
}

/* The failing run cannot show what a correct engine would do without these steps. */
static void test_shrink_leaves_steps_that_failed(void **state)
{
    const struct shrink_options options = {
        .origin = "a test", .cpu_limit_ms = 5000, .wanted = {"expect", "never"}};
    struct shrunk shrunk =
        shrink_with("steps: [start, {wait: ready}, complete, {wait: concluded}, pause, job: none]\n"
                    "expect: [never: ready]\n",
                    &mirror_engine, &options);

    (void)state;
    assert_becomes(&shrunk, "expect", "never",
                   "disks: {src: {size: 512}, dst: {size: 512}}\n"
                   "job: {mirror: src, to: dst}\n"
                   "steps: [start, {wait: ready}, complete, pause]\n"
                   "expect: [{never: ready}]\n");
    drop(&shrunk);
}

/* ---- A sound engine ---- */

/*
 * Without the resume a correct engine would hang; the failing engine cannot
 * show that, because it does not stop.
 */
static void test_shrink_leaves_what_a_sound_engine_needs(void **state)
{
    struct shrink_options options = {
        .origin = "a test", .cpu_limit_ms = 5000, .sound = &mirror_engine};
    struct shrunk shrunk = shrink_with(busy, &careless, &options);

    (void)state;
    assert_becomes(&shrunk, "job", "wrong-action",
                   "disks: {src: {size: 512}, dst: {size: 512, fill: garbage}}\n"
                   "job: {mirror: src, to: dst, on-target-error: stop}\n"
                   "faults: {bad: {match: {op: write}, error: EIO}}\n"
                   "steps: [start, pause, {wait: paused}, resume, {wait: ready}, complete]\n");
    drop(&shrunk);
    shrunk = shrink_with("steps: [start, {wait: ready}, complete]\nexpect: [never: ready]\n",
                         &careless, &options);
    assert_null(shrunk.plan);
    assert_int_equal(shrunk.report.end, SHRINK_UNSOUND);
}

/* ---- Stopping early ---- */

static bool stop_after_ten(void *opaque, const struct shrink_report *so_far)
{
    *(uint64_t *)opaque = so_far->runs;
    return so_far->runs < 10;
}

static void test_shrink_stopped_early_gives_what_it_has(void **state)
{
    uint64_t asked = 0;
    struct shrink_options options = {
        .origin = "a test", .cpu_limit_ms = 5000, .go_on = stop_after_ten, .opaque = &asked};
    struct shrunk shrunk = shrink_with(busy, &careless, &options);

    (void)state;
    assert_non_null(shrunk.plan);
    assert_int_equal(shrunk.report.end, SHRINK_STOPPED);
    assert_int_equal(asked, 11); /* the last one is the run of the result */
    drop(&shrunk);
    options.go_on = NULL;
    options.max_runs = 5;
    shrunk = shrink_with(busy, &careless, &options);
    assert_int_equal(shrunk.report.end, SHRINK_STOPPED);
    assert_int_equal(shrunk.report.runs, 6);
    drop(&shrunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shrink_leaves_what_the_finding_needs),
        cmocka_unit_test(test_shrink_gives_the_same_result_for_any_seed_twice),
        cmocka_unit_test(test_shrink_pins_the_choice_that_matters),
        cmocka_unit_test(test_shrink_writes_out_the_requests_of_a_generator),
        cmocka_unit_test(test_shrink_leaves_a_generator_its_bound),
        cmocka_unit_test(test_shrink_keeps_to_one_crash),
        cmocka_unit_test(test_shrink_takes_the_finding_that_is_asked_for),
        cmocka_unit_test(test_shrink_finds_nothing_that_was_not_found_before),
        cmocka_unit_test(test_shrink_keeps_by_how_much_an_exact_number_was_missed),
        cmocka_unit_test(test_shrink_keeps_the_entry_that_was_missed),
        cmocka_unit_test(test_shrink_leaves_steps_that_failed),
        cmocka_unit_test(test_shrink_leaves_what_a_sound_engine_needs),
        cmocka_unit_test(test_shrink_stopped_early_gives_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
