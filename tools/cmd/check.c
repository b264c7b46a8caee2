/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim check: validates without running; every mistake of a file at once.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <stdio.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/report/report.h"
#include "tools/run/suite.h"

struct check_options {
    struct suite suite;
    bool json;
};

static const struct argp_option option_list[] = {
    {"json", KEY_JSON, NULL, 0, "Write the result as JSON", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check_options *options = state->input;

    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        suite_add_path(&options->suite, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which files or folders?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

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
        command_show_mistakes(suite->invalid[i].file, suite->invalid[i].mistakes);
    }
    printf("%zu valid, %zu invalid\n", suite->files.count - suite->invalid_count,
           suite->invalid_count);
}

int cmd_check(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse,
        .args_doc = "PATH...",
        .doc = "Validates scenario files, and all *.yaml files in folders, without running them. "
               "Exit code 2 if a file is invalid.",
    };
    struct check_options options = {0};
    bool invalid;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.json) {
        show_json(&options.suite);
    } else {
        show_text(&options.suite);
    }
    invalid = options.suite.invalid_count > 0;
    suite_free(&options.suite);
    return invalid ? EXIT_USAGE : EXIT_PASSED;
}
