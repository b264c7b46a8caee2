/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading files, and choosing which of their cases to run.
 */
#include "tools/run/suite.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/load.h"

/* ---- Loading ---- */

static void load(struct suite *suite, size_t file)
{
    const char *path = suite->files.paths[file];
    struct scenario *scenario = scenario_load(path);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    suite->scenarios = must_grow(suite->scenarios, file, sizeof(*suite->scenarios));
    suite->scenarios[file] = scenario;
    if (mistakes->count > 0) {
        suite->invalid = must_grow(suite->invalid, suite->invalid_count, sizeof(*suite->invalid));
        suite->invalid[suite->invalid_count++] = (struct suite_invalid){path, mistakes};
    }
}

void suite_add_path(struct suite *suite, const char *path)
{
    size_t before = suite->files.count;

    file_list_add(&suite->files, path);
    for (size_t i = before; i < suite->files.count; i++) {
        load(suite, i);
    }
}

void suite_take_path(const struct argp_state *state, const struct option_row *option,
                     const char *arg, void *member)
{
    (void)state;
    (void)option;
    suite_add_path(member, arg);
}

static void take_engine(const struct argp_state *state, const struct option_row *option,
                        const char *name, struct suite *suite)
{
    const struct engine *engine;

    load_take_engine(state, option, name, &engine);
    for (uint32_t i = 0; i < suite->engine_count; i++) {
        if (suite->engines[i] == engine) {
            option_refuse(state, "--engine has %s twice", name);
        }
    }
    if (suite->engine_count == SUITE_MAX_ENGINES) {
        option_refuse(state, "--engine takes at most %u engines", SUITE_MAX_ENGINES);
    }
    suite->engines[suite->engine_count++] = engine;
}

void suite_take_engines(const struct argp_state *state, const struct option_row *option,
                        const char *arg, void *member)
{
    char *names = must_strdup(arg);
    char *rest = names;
    char *name;

    while ((name = strsep(&rest, ",")) != NULL) {
        take_engine(state, option, name, member);
    }
    free(names);
}

/* ---- Choosing ---- */

static bool text_matches(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0 || strstr(text, pattern) != NULL;
}

/* Tags are the plan's, and the same in every case. */
static bool tags_match(const struct scenario *scenario, const char *pattern)
{
    const struct choice_spec quiet = {0};
    struct plan *plan = scenario_plan(scenario, 0, &quiet);
    bool found = false;

    for (uint32_t i = 0; i < plan->tag_count && !found; i++) {
        found = fnmatch(pattern, plan->tags[i], 0) == 0;
    }
    plan_destroy(plan);
    return found;
}

static bool is_wanted(const struct scenario *scenario, const char *pattern)
{
    return pattern == NULL || text_matches(pattern, scenario_file(scenario)) ||
           text_matches(pattern, scenario_name(scenario)) || tags_match(scenario, pattern);
}

bool suite_case_is(const struct scenario *scenario, uint32_t case_number, const char *chosen)
{
    const struct choice_spec quiet = {0};
    struct plan *plan;
    uint64_t number;
    bool same;

    if (chosen == NULL) {
        return true;
    }
    if (number_parse(chosen, &number)) {
        return number == case_number + UINT64_C(1);
    }
    plan = scenario_plan(scenario, case_number, &quiet);
    same = strcmp(plan->case_name, chosen) == 0;
    plan_destroy(plan);
    return same;
}

/* Every engine runs the stories of its generation. */
static bool can_run(const struct suite *suite, const struct suite_entry *entry)
{
    return entry->engine != NULL && entry->engine->generation == entry->generation &&
           (suite->compared == NULL || suite->compared->generation == entry->generation);
}

static void add_entry(struct suite *suite, struct suite_entry entry)
{
    if (can_run(suite, &entry)) {
        suite->entries = must_grow(suite->entries, suite->entry_count, sizeof(entry));
        suite->entries[suite->entry_count++] = entry;
    } else {
        suite->skipped = must_grow(suite->skipped, suite->skipped_count, sizeof(entry));
        suite->skipped[suite->skipped_count++] = entry;
    }
}

static void add_case(struct suite *suite, const struct scenario *scenario, uint32_t case_number)
{
    struct suite_entry entry = {.scenario = scenario,
                                .case_number = case_number,
                                .generation = scenario_generation(scenario, case_number)};

    if (suite->engine_count == 0) {
        entry.engine = load_engine_of(entry.generation);
        add_entry(suite, entry);
    }
    for (uint32_t i = 0; i < suite->engine_count; i++) {
        entry.engine = suite->engines[i];
        add_entry(suite, entry);
    }
}

static void select_cases(struct suite *suite, const struct scenario *scenario, const char *chosen)
{
    for (uint32_t i = 0; i < scenario_cases(scenario); i++) {
        if (suite_case_is(scenario, i, chosen)) {
            add_case(suite, scenario, i);
        }
    }
}

void suite_select(struct suite *suite, const struct suite_filter *filter)
{
    for (size_t i = 0; i < suite->files.count; i++) {
        const struct scenario *scenario = suite->scenarios[i];

        if (scenario_mistakes(scenario)->count == 0 && is_wanted(scenario, filter->pattern)) {
            select_cases(suite, scenario, filter->chosen);
        }
    }
}

void suite_free(struct suite *suite)
{
    for (size_t i = 0; i < suite->files.count; i++) {
        scenario_free(suite->scenarios[i]);
    }
    free(suite->scenarios);
    free(suite->entries);
    free(suite->skipped);
    free(suite->invalid);
    file_list_free(&suite->files);
}

bool suite_has_foreign(const struct suite *suite)
{
    bool has = suite->compared != NULL && suite->compared->foreign;

    for (uint32_t i = 0; i < suite->engine_count; i++) {
        has = has || suite->engines[i]->foreign;
    }
    return has;
}

/* ---- Runs by number ---- */

uint64_t suite_runs(const struct suite *suite)
{
    return suite->entry_count * suite->seed_count;
}

const struct suite_entry *suite_entry_of(const struct suite *suite, uint64_t number)
{
    return &suite->entries[number / suite->seed_count];
}

uint64_t suite_seed_of(const struct suite *suite, uint64_t number)
{
    return suite->first_seed + number % suite->seed_count;
}
