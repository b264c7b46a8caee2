/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing plans: every shipped scenario, written and loaded again, gives the same
 * run.
 *
 * Run with a folder of scenarios as its argument.
 */
#include <dirent.h>
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
#include "sim/world/world.h"

#define SEED 7

static const char *folder;

static char *written(const struct plan *plan)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);

    assert_non_null(file);
    scenario_write(plan, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* The run's trace, its verdict and its first finding, in one line. */
static char *run(const struct plan *plan)
{
    struct world_options options = {
        .engine = &mirror_engine,
        .choices = {.seed = SEED, .recorded = plan->choices, .recorded_count = plan->choice_count}};
    const struct verdict *verdict;
    struct trace trace;
    struct world *world;
    char *line = NULL;

    trace_init(&trace, true);
    world = world_create(plan, &options, &trace);
    assert_non_null(world);
    world_run(world, UINT64_MAX);
    verdict = world_judge(world);
    assert_true(asprintf(&line, "%s, %u findings, first %s, %llu checks, trace %016llx",
                         outcome_name(verdict->outcome), verdict->finding_count,
                         verdict->finding_count > 0 ? verdict->findings[0].text : "none",
                         (unsigned long long)verdict->checks, (unsigned long long)trace.hash) > 0);
    world_destroy(world);
    trace_free(&trace);
    return line;
}

static void assert_same_run(const char *file, const struct plan *plan)
{
    const struct choice_spec choices = {.seed = SEED};
    char *text = written(plan);
    struct scenario *again = scenario_load_text(file, text, strlen(text));
    struct plan *plan_again;
    char *text_again;
    char *before;
    char *after;

    if (scenario_mistakes(again)->count > 0) {
        fail_msg("%s\n%s", mistakes_format(file, scenario_mistakes(again)), text);
    }
    assert_int_equal(scenario_cases(again), 1);
    assert_false(scenario_has_choices(again));
    plan_again = scenario_plan(again, 0, &choices);
    text_again = written(plan_again);
    assert_string_equal(text, text_again);
    before = run(plan);
    after = run(plan_again);
    if (strcmp(before, after) != 0) {
        fail_msg("%s [%s]:\n  %s\n  %s\n%s", file, plan->case_name, before, after, text);
    }
    free(before);
    free(after);
    free(text_again);
    free(text);
    plan_destroy(plan_again);
    scenario_free(again);
}

static unsigned check_file(const char *file)
{
    const struct choice_spec choices = {.seed = SEED};
    struct scenario *scenario = scenario_load(file);
    unsigned cases = scenario_cases(scenario);

    assert_int_equal(scenario_mistakes(scenario)->count, 0);
    for (uint32_t i = 0; i < cases; i++) {
        struct plan *plan = scenario_plan(scenario, i, &choices);

        assert_same_run(file, plan);
        plan_destroy(plan);
    }
    scenario_free(scenario);
    return cases;
}

static unsigned check_folder(const char *path)
{
    DIR *open = opendir(path);
    struct dirent *entry;
    unsigned cases = 0;

    assert_non_null(open);
    while ((entry = readdir(open)) != NULL) {
        size_t length = strlen(entry->d_name);
        char *name;

        if (entry->d_name[0] == '.') {
            continue;
        }
        assert_true(asprintf(&name, "%s/%s", path, entry->d_name) > 0);
        if (entry->d_type == DT_DIR) {
            cases += check_folder(name);
        } else if (length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0) {
            cases += check_file(name);
        }
        free(name);
    }
    closedir(open);
    return cases;
}

static void test_scenario_write_gives_the_same_run_when_loaded_again(void **state)
{
    (void)state;
    assert_true(check_folder(folder) > 500);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_write_gives_the_same_run_when_loaded_again),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: %s SCENARIOS\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
