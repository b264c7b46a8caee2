/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A matrix of several engines: what a cell says, and since which engine a story fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/base/support.h"
#include "tools/report/matrix.h"

static const struct engine old = {.name = "old", .generation = GENERATION_MODERN};
static const struct engine middle = {.name = "middle", .generation = GENERATION_MODERN};
static const struct engine new = {.name = "new", .generation = GENERATION_MODERN};
static const struct engine seed = {.name = "seed", .generation = GENERATION_2_2};

static const struct suite suite = {.engines = {&seed, &old, &middle, &new}, .engine_count = 4};

struct added {
    const char *name;
    const struct engine *engine;
    uint64_t seed;
    enum outcome outcome;
    enum finding_id finding;
};

static void add(struct matrix *matrix, const struct added *added)
{
    struct run_result *result = run_result_create();
    const struct report_run run = {.file = added->name,
                                   .name = added->name,
                                   .case_number = 1,
                                   .cases = 1,
                                   .seed = added->seed,
                                   .engine = added->engine,
                                   .of_several = true,
                                   .result = result};

    result->outcome = added->outcome;
    if (added->finding != FINDING_NONE) {
        run_result_add(result, added->finding, "found");
    }
    if (added->outcome == OUTCOME_XFAIL) {
        strcpy(result->bug, "N7");
    }
    matrix_add(matrix, &run);
    free(result);
}

static const struct added runs[] = {
    {"seeds", &old, 1, OUTCOME_PASS, FINDING_NONE},
    {"seeds", &old, 2, OUTCOME_FAIL, FINDING_CONTENT_STALE_SECTOR},
    {"seeds", &old, 3, OUTCOME_PASS, FINDING_NONE},
    {"seeds", &middle, 1, OUTCOME_PASS, FINDING_NONE},
    {"seeds", &new, 1, OUTCOME_XFAIL, FINDING_DEBT_FORGOTTEN_SECTOR},
    {"sound", &old, 1, OUTCOME_PASS, FINDING_NONE},
    {"sound", &middle, 1, OUTCOME_PASS, FINDING_NONE},
    {"late", &old, 1, OUTCOME_PASS, FINDING_NONE},
    {"late", &middle, 1, OUTCOME_PASS, FINDING_NONE},
    {"late", &new, 1, OUTCOME_XPASS, FINDING_NONE},
};

static struct matrix *filled(bool bisect)
{
    struct matrix *matrix = matrix_create(&suite, bisect);

    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        add(matrix, &runs[i]);
    }
    return matrix;
}

static void assert_shown(bool bisect, bool all, const char *expected)
{
    struct matrix *matrix = filled(bisect);
    char *text;
    size_t size;
    FILE *out = must_memstream(&text, &size);

    matrix_show(matrix, out, all);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    matrix_free(matrix);
}

static void test_matrix_shows_the_failing_stories_and_counts_all(void **state)
{
    (void)state;
    assert_shown(false, false,
                 "         seed   old           middle  new\n"
                 "seeds    -      stale-sector  pass    forgotten-sector (N7)\n"
                 "late     -      pass          pass    passes unexpectedly\n"
                 "fail     0      1             0       1\n"
                 "known    0      0             0       1\n"
                 "pass     0      2             3       0\n"
                 "not run  0      0             0       1\n"
                 "skipped  3      0             0       0\n");
}

static void test_matrix_shows_all_stories_when_asked(void **state)
{
    (void)state;
    assert_shown(false, true,
                 "         seed   old           middle  new\n"
                 "seeds    -      stale-sector  pass    forgotten-sector (N7)\n"
                 "sound    -      pass          pass    not run\n"
                 "late     -      pass          pass    passes unexpectedly\n"
                 "fail     0      1             0       1\n"
                 "known    0      0             0       1\n"
                 "pass     0      2             3       0\n"
                 "not run  0      0             0       1\n"
                 "skipped  3      0             0       0\n");
}

static void test_matrix_says_since_when_and_until_when(void **state)
{
    struct matrix *matrix = filled(true);
    char *text;
    size_t size;
    FILE *out = must_memstream(&text, &size);

    (void)state;
    matrix_show(matrix, out, false);
    fclose(out);
    assert_non_null(strstr(text, "\nseeds fails from old to new, but not on all between\n"
                                 "late fails on new only\n"));
    free(text);
    matrix_free(matrix);
}

/* A cell has the first run that was as bad as any: seed 2, not 3. */
static void test_matrix_in_json_has_the_seed_that_repeats_it(void **state)
{
    struct matrix *matrix = filled(true);
    json_t *json = matrix_json(matrix);
    json_t *expected = json_loads(
        "{\"file\": \"seeds\", \"title\": \"seeds\", \"case\": 1, \"first\": \"old\","
        " \"last\": \"new\", \"passes_between\": true, \"engines\": {"
        "  \"seed\": {\"outcome\": \"skipped\"},"
        "  \"old\": {\"outcome\": \"fail\", \"oracle\": \"content\", \"kind\": \"stale-sector\","
        "            \"seed\": 2},"
        "  \"middle\": {\"outcome\": \"pass\"},"
        "  \"new\": {\"outcome\": \"known\", \"oracle\": \"debt\","
        "            \"kind\": \"forgotten-sector\", \"seed\": 1, \"bug\": \"N7\"}}}",
        0, NULL);

    (void)state;
    assert_int_equal(json_array_size(json), 3);
    assert_true(json_equal(json_array_get(json, 0), expected));
    json_decref(expected);
    json_decref(json);
    matrix_free(matrix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_shows_the_failing_stories_and_counts_all),
        cmocka_unit_test(test_matrix_shows_all_stories_when_asked),
        cmocka_unit_test(test_matrix_says_since_when_and_until_when),
        cmocka_unit_test(test_matrix_in_json_has_the_seed_that_repeats_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
