/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the measurement, the lines of code are left out: they are most of it, and it has pages of its
 * own.
 */
#include "tools/page/coverage.h"

#include <stdlib.h>

#include "tools/base/text.h"
#include "tools/report/report.h"

bool page_coverage_is_good(const char *path)
{
    json_error_t error = {.line = 0};
    json_t *object = json_load_file(path, 0, &error);
    bool good = json_is_array(json_object_get(object, "scenarios")) &&
                json_is_object(json_object_get(object, "behaviour"));

    if (!good) {
        fprintf(stderr, "mirrorsim: --coverage %s: %s\n", path,
                object == NULL ? error.text : "no answer of tools/dev/coverage --json");
    }
    json_decref(object);
    return good;
}

static json_t *files_of(const json_t *measured)
{
    json_t *files = json_array();
    const json_t *scenario;
    size_t i;

    json_array_foreach(json_object_get(measured, "scenarios"), i, scenario)
    {
        json_array_append(files, json_object_get(scenario, "file"));
    }
    return files;
}

/* How many lines of each rule no scenario reaches. */
static json_t *missing_of(const json_t *measured)
{
    const json_t *lines = json_object_get(json_object_get(measured, "missing"), "lines");
    json_t *missing = json_object();
    const json_t *line;
    const json_t *rule;
    size_t i;
    size_t j;

    json_array_foreach(lines, i, line)
    {
        json_array_foreach(json_object_get(line, "rules"), j, rule)
        {
            const char *name = json_string_value(rule);
            json_int_t before = json_integer_value(json_object_get(missing, name));

            json_object_set_new(missing, name, json_integer(before + 1));
        }
    }
    return missing;
}

static void add_citation(json_t *rules, const char *rule, const char *file)
{
    json_t *files = json_object_get(rules, rule);

    if (files == NULL) {
        files = json_array();
        json_object_set_new(rules, rule, files);
    }
    json_array_append_new(files, report_json_string(file));
}

/* All cases of a file cite the same rules: the first is asked. */
static json_t *rules_of(const struct suite *suite)
{
    const struct choice_spec quiet = {.seed = 0};
    json_t *rules = json_object();

    for (size_t i = 0; i < suite->entry_count; i++) {
        const struct suite_entry *entry = &suite->entries[i];
        struct plan *plan;

        if (i > 0 && suite->entries[i - 1].scenario == entry->scenario) {
            continue;
        }
        plan = scenario_plan(entry->scenario, entry->case_number, &quiet);
        for (uint32_t j = 0; j < plan->ref_count; j++) {
            char *rule = utf8_clean(plan->refs[j]);

            add_citation(rules, rule, scenario_file(entry->scenario));
            free(rule);
        }
        plan_destroy(plan);
    }
    return rules;
}

json_t *page_coverage_json(const char *path, const struct suite *suite)
{
    json_t *measured = json_load_file(path, 0, NULL);
    json_t *shown = json_pack("{s:o, s:o, s:o}", "files", files_of(measured), "missing",
                              missing_of(measured), "rules", rules_of(suite));

    json_object_set(shown, "total", json_object_get(measured, "total"));
    json_object_set(shown, "behaviour", json_object_get(measured, "behaviour"));
    json_decref(measured);
    return shown;
}
