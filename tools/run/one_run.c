/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choosing and making one run.
 */
#include "tools/run/one_run.h"

#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/runner.h"

static const struct argp_option option_list[] = {
    {"case", KEY_CASE, "N|NAME", 0, "Case of the matrix: number from 1 (default), or name", 1},
    {"seed", KEY_SEED, "N", 0, "Random choices from this seed; 0 (default) = the quiet run", 1},
    {"engine", KEY_ENGINE, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct one_run *run = state->input;

    switch (key) {
    case KEY_CASE:
        run->chosen = arg;
        return 0;
    case KEY_SEED:
        run->seed = option_number(state, "--seed", arg);
        return 0;
    case KEY_ENGINE:
        run->engine = option_engine(state, arg);
        return 0;
    case ARGP_KEY_ARG:
        option_one_file(state, &run->file, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp one_run_argp = {.options = option_list, .parser = parse};

static uint32_t choose_case(const struct one_run *run)
{
    uint32_t cases = scenario_cases(run->scenario);

    for (uint32_t i = 0; i < cases; i++) {
        if (suite_case_is(run->scenario, i, run->chosen)) {
            return i;
        }
    }
    command_refuse_case(run->scenario, run->chosen);
}

void one_run_load(struct one_run *run)
{
    const struct choice_spec choices = {.seed = run->seed};

    run->scenario = command_load(run->file);
    run->plan = scenario_plan(run->scenario, choose_case(run), &choices);
}

void one_run_open(struct one_run *run)
{
    struct world_options options = runner_options(run->plan, run->engine, run->seed);

    trace_init(&run->trace, true);
    run->world = world_create(run->plan, &options, &run->trace);
    if (run->world == NULL) {
        die("there is no memory for a world");
    }
}

void one_run_close(struct one_run *run)
{
    world_destroy(run->world);
    trace_free(&run->trace);
    plan_destroy(run->plan);
    scenario_free(run->scenario);
}
