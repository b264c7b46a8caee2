/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stories of today's generation: what its keys mean, that they are written as they are read, and
 * that another generation lacks them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/scenario/scenario.h"
#include "sim/scenario/write.h"

#define STORY(generation, rest)                                                         \
    "scenario: 1\nname: story\n" generation "doc: A story.\n"                           \
    "disks: {base: {size: 1MiB, cluster: 64KiB},\n  src: {size: 1MiB, fill: unique},\n" \
    "  dst: {size: 1MiB}}\n" rest
#define MODERN "generation: modern\n"
#define JOB "job: {mirror: src, to: dst}\n"
#define STEPS "steps: [start, {wait: concluded}]\n"

static struct scenario *load(const char *text)
{
    return scenario_load_text("story.yaml", text, strlen(text));
}

/* The plan of a text that is valid. */
static struct plan *plan_of(const char *text)
{
    const struct choice_spec quiet = {.seed = 0};
    struct scenario *scenario = load(text);
    struct plan *plan;

    if (scenario_mistakes(scenario)->count > 0) {
        fail_msg("%s", mistakes_format("story.yaml", scenario_mistakes(scenario)));
    }
    plan = scenario_plan(scenario, 0, &quiet);
    scenario_free(scenario);
    return plan;
}

static char *text_of(const struct plan *plan)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);

    assert_non_null(file);
    scenario_write(plan, file);
    fclose(file);
    return text;
}

/* What the file says is in what is written, and that gives the same text again. */
static void assert_written(const struct plan *plan, const char *const *pieces, size_t count)
{
    char *text = text_of(plan);
    struct plan *again = plan_of(text);
    char *text_again = text_of(again);

    for (size_t i = 0; i < count; i++) {
        if (!strstr(text, pieces[i])) {
            fail_msg("'%s' is not in:\n%s", pieces[i], text);
        }
    }
    assert_string_equal(text, text_again);
    plan_destroy(again);
    free(text_again);
    free(text);
}

static void test_modern_has_defaults_of_its_own(void **state)
{
    static const char *const pieces[] = {"\ngeneration: modern\n", "job: {mirror: src, to: dst}\n"};
    struct plan *plan = plan_of(STORY(MODERN, JOB STEPS));

    (void)state;
    assert_int_equal(plan->job.buffer_bytes, 0);
    assert_true(plan->job.unmap && plan->job.auto_finalize && plan->job.auto_dismiss);
    assert_int_equal(plan->job.backing_mode, BACKING_LEAVE);
    assert_string_equal(plan->job.id, "src");
    assert_int_equal(plan->disks[1].read_effect, EFFECT_AT_START);
    assert_true(plan->disks[0].backing_possible);
    assert_false(plan->disks[1].backing_possible);
    assert_written(plan, pieces, 2);
    plan_destroy(plan);
}

static void test_modern_reads_job_and_disks(void **state)
{
    static const char *const pieces[] = {
        "copy-mode: write-blocking, unmap: never, target-is-zero: true, backing-mode: open",
        "buffer: 10MiB",
        "auto-finalize: never, auto-dismiss: never, id: copy, filter-node: top",
        "zeroes: [{at: 0, len: 512}, {at: 4KiB, len: 64KiB}]",
        "subcluster: 4KiB, unmap: true, detect-zeroes: unmap, read-only: true",
        "raw: {size: 1MiB, fill: zero, backing-possible: true}",
        "filter-discards: true"};
    struct plan *plan = plan_of(
        "scenario: 1\nname: story\ngeneration: modern\ndoc: A story.\n"
        "disks:\n  src: {size: 1MiB, fill: unique, zeroes: [{at: 0, len: 512}, {at: 4KiB, len: "
        "64KiB}]}\n  dst: {size: 1MiB, cluster: 64KiB, subcluster: 4KiB, unmap: true, "
        "detect-zeroes: unmap, read-only: true}\n  raw: {size: 1MiB, backing-possible: true}\n"
        "job: {mirror: src, to: dst, buffer: 10MiB, copy-mode: write-blocking, unmap: never, "
        "target-is-zero: true, backing-mode: open, auto-finalize: never, auto-dismiss: never, "
        "id: copy, filter-node: top}\nlimits: {filter-discards: true}\n" STEPS);

    (void)state;
    assert_int_equal(plan->job.copy_mode, COPY_WRITE_BLOCKING);
    assert_false(plan->job.unmap || plan->job.auto_finalize || plan->job.auto_dismiss);
    assert_true(plan->job.target_is_zero && plan->filter_passes_discards);
    assert_int_equal(plan->job.backing_mode, BACKING_OPEN);
    assert_string_equal(plan->job.filter_name, "top");
    assert_int_equal(plan->disks[0].zero_count, 2);
    assert_int_equal(plan->disks[0].zeroes[1].bytes, 64 << 10);
    assert_int_equal(plan->disks[1].subcluster, 4 << 10);
    assert_int_equal(plan->disks[1].detect_zeroes, DETECT_UNMAP);
    assert_true(plan->disks[1].can_unmap && plan->disks[1].read_only);
    assert_true(plan->disks[2].backing_possible);
    assert_written(plan, pieces, sizeof(pieces) / sizeof(*pieces));
    plan_destroy(plan);
}

static void test_modern_reads_what_is_done_and_expected(void **state)
{
    static const char *const pieces[] = {
        "- finalize\n",
        "- dismiss\n",
        "- cancel: {force: true}\n",
        "- cancel: {force: true, refused: verb}\n",
        "- change: {copy-mode: write-blocking}\n",
        "- change: {copy-mode: background, refused: mode}\n",
        "- drain: src\n",
        "- undrain: src\n",
        "- wait: {status: waiting}\n",
        "- wait: {status: \"null\"}\n",
        "dirty: 64KiB, error: \"differ\", is: [actively-synced]",
        "- events: [pending, {status: concluded}]\n",
        "op: content-status, by: active",
    };
    struct plan *plan = plan_of(
        STORY(MODERN, JOB "faults: {f: {match: {op: content-status, by: active}, error: EIO, "
                          "optional: true}}\n"
                          "steps: [start, finalize, dismiss, {cancel: force}, {cancel: "
                          "{force: true, refused: verb}}, {change: write-blocking}, "
                          "{change: {copy-mode: background, refused: mode}}, {drain: src}, "
                          "{undrain: src}, {wait: {status: waiting}}, {wait: {status: "
                          "\"null\"}}, {query: {dirty: 64KiB, is: actively-synced, error: "
                          "differ}}]\n"
                          "expect: [{events: [pending, {status: concluded}]}]\n"));
    const struct action *step = plan->steps;

    (void)state;
    assert_int_equal(step[1].kind, DO_FINALIZE);
    assert_int_equal(step[2].kind, DO_DISMISS);
    assert_true(step[3].force && step[4].force);
    assert_int_equal(step[4].refusal, REFUSED_VERB);
    assert_int_equal(step[5].copy_mode, COPY_WRITE_BLOCKING);
    assert_int_equal(step[6].copy_mode, COPY_BACKGROUND);
    assert_int_equal(step[7].kind, DO_DRAIN);
    assert_int_equal(step[8].index, 1);
    assert_int_equal(step[9].wait.match.statuses, 1u << JOB_STATUS_WAITING);
    assert_true(step[9].wait.match.kinds == EVENT_BIT(JOB_STATUS));
    assert_int_equal(step[11].check_count, 3);
    assert_int_equal(plan->faults[0].match.ops, 1u << OP_CONTENT);
    assert_int_equal(plan->faults[0].match.by, BY_ACTIVE);
    assert_written(plan, pieces, sizeof(pieces) / sizeof(*pieces));
    plan_destroy(plan);
}

/* A commit completes by itself if it says so; a mirror has no such key. */
static void test_modern_commit_completes_by_itself(void **state)
{
    static const char *const pieces[] = {"job: {commit: src, into: base, auto-complete: true}"};
    struct plan *plan =
        plan_of("scenario: 1\nname: story\ngeneration: modern\ndoc: A story.\n"
                "disks: {base: {size: 1MiB, cluster: 64KiB}, src: {size: 1MiB, backing: base}}\n"
                "job: {commit: src, into: base, auto-complete: true}\n" STEPS);

    (void)state;
    assert_true(plan->job.auto_complete && plan->job.auto_finalize);
    assert_written(plan, pieces, 1);
    plan_destroy(plan);
}

/* A key, a word or a step of another generation is a mistake in its place. */
static void test_generation_refuses_what_it_lacks(void **state)
{
    static const struct {
        const char *generation;
        const char *rest;
        const char *mistake;
    } cases[] = {
        {"", "job: {mirror: src, to: dst, copy-mode: background}\n" STEPS,
         "story.yaml:7:29: key \"copy-mode\" belongs to generation modern"},
        {"generation: 2.2\n", JOB "steps: [start, finalize]\n",
         "story.yaml:9:16: step \"finalize\" belongs to generation modern"},
        {"", JOB "steps: [start, {drain: src}]\n",
         "story.yaml:8:17: step \"drain\" belongs to generation modern"},
        {"", JOB "steps: [start, {wait: pending}]\n",
         "story.yaml:8:23: the event \"pending\" belongs to generation modern"},
        {"", JOB "steps: [start, {wait: {status: ready}}]\n",
         "story.yaml:8:24: key \"status\" belongs to generation modern"},
        {"", JOB "steps: [start, {query: {status: waiting}}]\n",
         "story.yaml:8:33: the job status \"waiting\" belongs to generation modern"},
        {MODERN, JOB "steps: [start, {query: {status: concluding}}]\n",
         "story.yaml:9:33: the job status \"concluding\" belongs to generation 2.2"},
        {"", JOB "steps: [start, {pause: {refused: verb}}]\n",
         "story.yaml:8:34: the reason for a refusal \"verb\" belongs to generation modern"},
        {"", JOB STEPS "faults: {f: {match: {by: active}, error: EIO}}\n",
         "story.yaml:9:26: the issuer of requests \"active\" belongs to generation modern"},
        {"generation: 3\n", JOB STEPS,
         "story.yaml:3:13: \"3\" is no generation; there are 2.2, modern"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1000];
        struct scenario *scenario;
        char *mistakes;

        snprintf(text, sizeof(text), "scenario: 1\nname: story\n%sdoc: A story.\n%s%s",
                 cases[i].generation,
                 "disks: {base: {size: 1MiB, cluster: 64KiB},\n  src: {size: 1MiB, fill: unique},\n"
                 "  dst: {size: 1MiB}}\n",
                 cases[i].rest);
        scenario = load(text);
        mistakes = mistakes_format("story.yaml", scenario_mistakes(scenario));
        if (scenario_mistakes(scenario)->count != 1 || !strstr(mistakes, cases[i].mistake)) {
            fail_msg("'%s' is not all that is said:\n%s", cases[i].mistake, mistakes);
        }
        free(mistakes);
        scenario_free(scenario);
    }
}

/* Without a plan: a runner asks for each case of each file. */
static void test_generation_is_told_of_each_case(void **state)
{
    static const struct {
        const char *generation;
        enum generation cases[2];
    } files[] = {
        {"", {GENERATION_2_2, GENERATION_2_2}},
        {"generation: 2.2\n", {GENERATION_2_2, GENERATION_2_2}},
        {MODERN, {GENERATION_MODERN, GENERATION_MODERN}},
        {"generation: ${of}\n", {GENERATION_2_2, GENERATION_MODERN}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char text[1000];
        struct scenario *scenario;

        snprintf(text, sizeof(text),
                 "scenario: 1\nname: story\nmatrix: {of: ['2.2', modern]}\ntags: ['${of}']\n%s%s",
                 files[i].generation,
                 "doc: A story.\ndisks: {src: {size: 1MiB}, dst: {size: 1MiB}}\n" JOB STEPS);
        scenario = load(text);
        if (scenario_mistakes(scenario)->count > 0) {
            fail_msg("%s", mistakes_format("story.yaml", scenario_mistakes(scenario)));
        }
        for (uint32_t j = 0; j < 2; j++) {
            assert_int_equal(scenario_generation(scenario, j), files[i].cases[j]);
        }
        scenario_free(scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modern_has_defaults_of_its_own),
        cmocka_unit_test(test_modern_reads_job_and_disks),
        cmocka_unit_test(test_modern_reads_what_is_done_and_expected),
        cmocka_unit_test(test_modern_commit_completes_by_itself),
        cmocka_unit_test(test_generation_refuses_what_it_lacks),
        cmocka_unit_test(test_generation_is_told_of_each_case),
    };

    return cmocka_run_group_tests_name("scenario_modern", tests, NULL, NULL);
}
