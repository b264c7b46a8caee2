/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What several subcommands do with their arguments.
 */
#include "tools/cmd/command.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/files.h"
#include "tools/base/support.h"
#include "tools/base/text.h"

uint64_t option_number(const struct argp_state *state, const char *option, const char *arg)
{
    uint64_t number;

    if (!number_parse(arg, &number)) {
        argp_error(state, "%s wants a number from 0 up, not '%s'", option, arg);
        exit(EXIT_USAGE);
    }
    return number;
}

uint64_t option_time(const struct argp_state *state, const char *option, const char *arg)
{
    uint64_t ns;

    if (!quantity_read_time(arg, &ns)) {
        argp_error(state, "%s wants a time with its unit, like 5ms or 250us, not '%s'", option,
                   arg);
        exit(EXIT_USAGE);
    }
    return ns;
}

const struct engine *option_engine(const struct argp_state *state, const char *arg)
{
    for (uint32_t i = 0; engines[i] != NULL; i++) {
        if (strcmp(engines[i]->name, arg) == 0) {
            return engines[i];
        }
    }
    argp_error(state, "there is no engine '%s'; `mirrorsim engines` lists them", arg);
    exit(EXIT_USAGE);
}

uint32_t option_count(const struct argp_state *state, const char *option, uint32_t max,
                      const char *arg)
{
    uint64_t count = option_number(state, option, arg);

    if (count < 1 || count > max) {
        argp_error(state, "%s wants a number from 1 to %" PRIu32 ", not '%s'", option, max, arg);
        exit(EXIT_USAGE);
    }
    return (uint32_t)count;
}

void option_finding(const struct argp_state *state, const char *arg, const char **oracle,
                    const char **kind)
{
    char *copy = must_strdup(arg);
    char *slash = strchr(copy, '/');

    *oracle = copy;
    *kind = NULL;
    if (slash != NULL) {
        *slash = '\0';
        *kind = slash + 1;
    }
    if (**oracle == '\0' || (*kind != NULL && **kind == '\0')) {
        argp_error(state,
                   "--finding wants an oracle, or one with a kind, like debt or "
                   "debt/forgotten-sector, not '%s'",
                   arg);
        exit(EXIT_USAGE);
    }
}

void option_one_file(const struct argp_state *state, const char **file, const char *arg)
{
    if (*file != NULL) {
        argp_error(state, "one file at a time: '%s' is one too many", arg);
    }
    *file = arg;
}

uint32_t default_jobs(void)
{
    cpu_set_t cores;

    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

void command_show_mistakes(const char *file, const struct mistakes *mistakes)
{
    char *text = mistakes_format(file, mistakes);

    fputs(text, stderr);
    free(text);
}

struct scenario *command_load(const char *file)
{
    struct scenario *scenario = scenario_load(file);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    if (mistakes->count > 0) {
        command_show_mistakes(file, mistakes);
        scenario_free(scenario);
        exit(EXIT_USAGE);
    }
    return scenario;
}

void command_guard(const char *output, const char *input)
{
    if (output != NULL && file_is(output, input)) {
        fprintf(stderr, "mirrorsim: -o %s would overwrite what is read from it\n", output);
        exit(EXIT_USAGE);
    }
}

_Noreturn void command_refuse_case(const struct scenario *scenario, const char *chosen)
{
    const struct choice_spec quiet = {.seed = 0};

    fprintf(stderr, "mirrorsim: %s has no case '%s', but these:\n", scenario_file(scenario),
            chosen);
    for (uint32_t i = 0; i < scenario_cases(scenario); i++) {
        struct plan *plan = scenario_plan(scenario, i, &quiet);

        fprintf(stderr, "  %" PRIu32 "  %s\n", i + 1, plan->case_name);
        plan_destroy(plan);
    }
    exit(EXIT_USAGE);
}
