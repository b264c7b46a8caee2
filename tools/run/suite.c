/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading files, and choosing which of their cases to run.
 */
#include "tools/run/suite.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/load.h"

/* ---- Loading ---- */

static bool is_missing(const char *path)
{
    struct stat status;

    return stat(path, &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* In a folder only files are scenarios: a pipe there would be waited for. */
static void load(struct suite *suite, size_t file, bool is_named)
{
    const char *path = suite->files.paths[file];
    struct scenario *scenario = is_named ? load_path(path) : scenario_load(path);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    suite->scenarios = must_grow(suite->scenarios, file, sizeof(*suite->scenarios));
    suite->scenarios[file] = scenario;
    if (mistakes->count > 0) {
        suite->invalid = must_grow(suite->invalid, suite->invalid_count, sizeof(*suite->invalid));
        suite->invalid[suite->invalid_count] =
            (struct suite_invalid){path, mistakes, strcmp(path, "-") != 0 && is_missing(path)};
        suite->missing_count += suite->invalid[suite->invalid_count++].missing;
    }
}

void suite_add_path(struct suite *suite, const char *path)
{
    size_t before = suite->files.count;

    file_list_add(&suite->files, path);
    for (size_t i = before; i < suite->files.count; i++) {
        load(suite, i, strcmp(suite->files.paths[i], path) == 0);
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

/* True if the words stand in the text as words: between spaces, or at its ends. */
static bool has_words(const char *text, const char *words, size_t length)
{
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
        if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool tags_match(const struct plan *plan, const char *pattern)
{
    for (uint32_t i = 0; i < plan->tag_count; i++) {
        if (fnmatch(pattern, plan->tags[i], 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool refs_match(const struct plan *plan, const char *pattern)
{
    for (uint32_t i = 0; i < plan->ref_count; i++) {
        if (fnmatch(pattern, plan->refs[i], 0) == 0 ||
            has_words(plan->refs[i], pattern, strlen(pattern))) {
            return true;
        }
    }
    return false;
}

static bool case_matches(const struct scenario *scenario, const struct plan *plan,
                         const char *pattern)
{
    char *title = must_printf("%s [%s]", scenario_name(scenario), plan->case_name);
    bool matches = fnmatch(pattern, plan->case_name, 0) == 0 ||
                   has_words(plan->case_name, pattern, strlen(pattern)) ||
                   strcmp(title, pattern) == 0;

    free(title);
    return matches;
}

static bool pattern_takes(const struct scenario *scenario, uint32_t case_number,
                          const char *pattern)
{
    const struct choice_spec quiet = {0};
    struct plan *plan;
    bool takes;

    if (text_matches(pattern, scenario_file(scenario)) ||
        text_matches(pattern, scenario_name(scenario))) {
        return true;
    }
    plan = scenario_plan(scenario, case_number, &quiet);
    takes = tags_match(plan, pattern) || refs_match(plan, pattern) ||
            case_matches(scenario, plan, pattern);
    plan_destroy(plan);
    return takes;
}

static bool filter_takes(const struct suite_filter *filter, const struct scenario *scenario,
                         uint32_t case_number)
{
    bool takes = filter->pattern_count == 0;

    for (size_t i = 0; i < filter->pattern_count && !takes; i++) {
        takes = pattern_takes(scenario, case_number, filter->patterns[i]);
    }
    return takes;
}

void suite_take_pattern(const struct argp_state *state, const struct option_row *option,
                        const char *arg, void *member)
{
    struct suite_filter *filter = member;

    if (*arg == '\0') {
        option_refuse(state, "--%s is empty: it would take everything", option->shown.name);
    }
    filter->patterns =
        must_grow(filter->patterns, filter->pattern_count, sizeof(*filter->patterns));
    filter->patterns[filter->pattern_count++] = arg;
}

/* The name itself, or words of it in any order: a value may have spaces, too. */
static bool is_named(const char *name, const char *chosen)
{
    char *words = must_strdup(chosen);
    char *rest = words;
    char *word;
    bool has_all = true;

    while (has_all && (word = strsep(&rest, " ,")) != NULL) {
        has_all = *word == '\0' || has_words(name, word, strlen(word));
    }
    free(words);
    return has_all || has_words(name, chosen, strlen(chosen));
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
    if (*chosen == '\0') {
        return false;
    }
    if (number_parse(chosen, &number)) {
        return number == case_number + UINT64_C(1);
    }
    plan = scenario_plan(scenario, case_number, &quiet);
    same = is_named(plan->case_name, chosen);
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

static void select_cases(struct suite *suite, const struct scenario *scenario,
                         const struct suite_filter *filter)
{
    for (uint32_t i = 0; i < scenario_cases(scenario); i++) {
        if (suite_case_is(scenario, i, filter->chosen) && filter_takes(filter, scenario, i)) {
            add_case(suite, scenario, i);
        }
    }
}

void suite_select(struct suite *suite, const struct suite_filter *filter)
{
    for (size_t i = 0; i < suite->files.count; i++) {
        const struct scenario *scenario = suite->scenarios[i];

        if (scenario_mistakes(scenario)->count == 0) {
            select_cases(suite, scenario, filter);
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
