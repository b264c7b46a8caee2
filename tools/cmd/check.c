/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim check: validates files without running them, and shows all mistakes
 * of a file at once.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <stdio.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/report/report.h"
#include "tools/report/schema.h"
#include "tools/run/load.h"
#include "tools/run/suite.h"

struct check_options {
    struct suite suite;
    bool json;
    bool schema;
};

#define AT(member) offsetof(struct check_options, member)

static const struct option_row options_of_check[] = {
    {{"json", 0, NULL, 0, "Write the result as JSON", 0}, INTO(FLAG, json)},
    {{"schema", 0, NULL, 0, "Write the JSON schema of the scenario language, and check no file", 0},
     INTO(FLAG, schema)},
    {.shown = {0}},
};

static void check_options(const struct argp_state *state, const void *input)
{
    const struct check_options *options = input;

    if (state->arg_num == 0 && !options->schema) {
        option_refuse(state, "which files or folders?");
    }
}

static const struct option_table table = {.options = options_of_check,
                                          .args = "PATH...\n--schema",
                                          .take = suite_take_path,
                                          .member = AT(suite),
                                          .check = check_options,
                                          .doc = "Validates scenario files, and all *.yaml and "
                                                 "*.yml files in folders, without running them. "
                                                 "Exit code 2 if a file is invalid."};

static void show_json(const struct suite *suite)
{
    json_t *valid = json_array();
    json_t *invalid = json_array();

    for (size_t i = 0; i < suite->files.count; i++) {
        const struct scenario *scenario = suite->scenarios[i];

        if (scenario_mistakes(scenario)->count == 0) {
            json_array_append_new(valid,
                                  json_pack("{s:o, s:o, s:I}", "file",
                                            report_json_string(suite->files.paths[i]), "name",
                                            report_json_string(scenario_name(scenario)), "cases",
                                            (json_int_t)scenario_cases(scenario)));
        }
    }
    for (size_t i = 0; i < suite->invalid_count; i++) {
        json_array_append_new(
            invalid, json_pack("{s:o, s:o}", "file", report_json_string(suite->invalid[i].file),
                               "mistakes", report_mistakes_json(suite->invalid[i].mistakes)));
    }
    json_t *all = json_pack("{s:s, s:o, s:o}", "mirrorsim", MIRRORSIM_VERSION, "valid", valid,
                            "invalid", invalid);

    report_json_show(all);
}

static void show_text(const struct suite *suite)
{
    for (size_t i = 0; i < suite->invalid_count; i++) {
        load_show_mistakes(suite->invalid[i].file, suite->invalid[i].mistakes);
    }
    printf("%zu valid, %zu invalid", suite->files.count - suite->invalid_count,
           suite->invalid_count - suite->missing_count);
    if (suite->missing_count > 0) {
        printf(", %zu not there", suite->missing_count);
    }
    putchar('\n');
}

static int run_check(int argc, char **argv)
{
    struct check_options options = {0};
    bool invalid;

    options_parse(&table, argc, argv, &options);
    if (options.schema) {
        report_json_show(schema_json());
    } else if (options.json) {
        show_json(&options.suite);
    } else {
        show_text(&options.suite);
    }
    invalid = !options.schema && options.suite.invalid_count > 0;
    suite_free(&options.suite);
    return invalid ? EXIT_USAGE : EXIT_PASSED;
}

const struct command command_check = {"check", "validate scenario files without running them",
                                      &table, run_check};
