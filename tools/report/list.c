/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An entry of the suite is a line, or an object; its seeds are a range.
 */
#include "tools/report/list.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/report/report.h"
#include "tools/run/load.h"

/* ---- Text ---- */

static char *title_of(const struct suite *suite, const struct suite_entry *entry,
                      const char *case_name)
{
    struct run_result *result = run_result_create();
    const struct report_run run = {.name = scenario_name(entry->scenario),
                                   .case_number = entry->case_number + 1,
                                   .cases = scenario_cases(entry->scenario),
                                   .engine = entry->engine,
                                   .of_several = suite->engine_count > 1,
                                   .result = result};
    char *title;

    text_copy(result->case_name, sizeof(result->case_name), case_name);
    title = report_title(&run);
    free(result);
    return title;
}

static void write_seeds(const struct suite *suite, FILE *out)
{
    if (suite->seed_count > 1) {
        fprintf(out, " --seeds %" PRIu64 "..%" PRIu64, suite->first_seed,
                suite->first_seed + suite->seed_count - 1);
    } else if (suite->first_seed != 0) {
        fprintf(out, " --seed %" PRIu64, suite->first_seed);
    }
}

static char *case_name_of(const struct suite_entry *entry)
{
    const struct choice_spec quiet = {.seed = 0};
    struct plan *plan = scenario_plan(entry->scenario, entry->case_number, &quiet);
    char *name = must_strdup(plan->case_name);

    plan_destroy(plan);
    return name;
}

static void show_entry(const struct suite *suite, const struct suite_entry *entry, FILE *out)
{
    char *case_name = case_name_of(entry);
    char *title = title_of(suite, entry, case_name);

    shell_write(out, scenario_file(entry->scenario));
    if (scenario_cases(entry->scenario) > 1) {
        fprintf(out, " --case %" PRIu32, entry->case_number + 1);
    }
    write_seeds(suite, out);
    if (entry->engine != load_engine_of(entry->generation)) {
        fprintf(out, " --engine %s", entry->engine->name);
    }
    fprintf(out, "  # %s\n", title);
    free(title);
    free(case_name);
}

void list_show(const struct suite *suite, FILE *out)
{
    size_t files = 0;

    for (size_t i = 0; i < suite->entry_count; i++) {
        files += i == 0 || suite->entries[i].scenario != suite->entries[i - 1].scenario;
        show_entry(suite, &suite->entries[i], out);
    }
    fprintf(out, "%" PRIu64 " run%s of %zu file%s", suite_runs(suite),
            suite_runs(suite) == 1 ? "" : "s", files, files == 1 ? "" : "s");
    if (suite->skipped_count > 0) {
        fprintf(out, ", %zu skipped (of another generation)", suite->skipped_count);
    }
    fputc('\n', out);
}

/* ---- JSON ---- */

static json_t *entry_json(const struct suite *suite, const struct suite_entry *entry)
{
    char *case_name = case_name_of(entry);
    json_t *object =
        json_pack("{s:o, s:o, s:I, s:o, s:s, s:I, s:I}", "file",
                  report_json_string(scenario_file(entry->scenario)), "name",
                  report_json_string(scenario_name(entry->scenario)), "case",
                  (json_int_t)entry->case_number + 1, "case_name", report_json_string(case_name),
                  "engine", entry->engine->name, "first_seed", (json_int_t)suite->first_seed,
                  "last_seed", (json_int_t)(suite->first_seed + suite->seed_count - 1));

    free(case_name);
    return object;
}

json_t *list_json(const struct suite *suite)
{
    json_t *list = json_array();
    json_t *invalid = json_array();

    for (size_t i = 0; i < suite->entry_count; i++) {
        json_array_append_new(list, entry_json(suite, &suite->entries[i]));
    }
    for (size_t i = 0; i < suite->invalid_count; i++) {
        json_array_append_new(
            invalid, json_pack("{s:o, s:o}", "file", report_json_string(suite->invalid[i].file),
                               "mistakes", report_mistakes_json(suite->invalid[i].mistakes)));
    }
    return json_pack("{s:s, s:o, s:o, s:I, s:I}", "mirrorsim", MIRRORSIM_VERSION, "invalid",
                     invalid, "list", list, "runs", (json_int_t)suite_runs(suite), "skipped",
                     (json_int_t)suite->skipped_count);
}
