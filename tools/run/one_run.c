/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choosing and making one run.
 */
#include "tools/run/one_run.h"

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "tools/run/load.h"
#include "tools/run/runner.h"

#define AT(member) offsetof(struct one_run, member)

const struct option_row one_run_options[] = {
    {{"case", 0, "N|NAME", 0,
      "Case of the matrix: number from 1 (default), or name, or a part of it", 1},
     INTO(TEXT, chosen)},
    {{"seed", 0, "N", 0, "Random choices from this seed; 0 (default) = the quiet run", 1},
     INTO(NUMBER, seed)},
    {{"engine", 0, "NAME", 0, "The engine; `mirrorsim engines` lists them", 1},
     INTO(OTHER, engine),
     .take = load_take_engine},
    {{"cpu-limit", 0, "SECONDS", 0, "A run that takes more processor time counts as a hang", 1},
     INTO(SECONDS, cpu_limit_ms)},
    {.shown = {0}},
};

/* A part of a name must tell the case from the others; no name at all means the first. */
static uint32_t choose_case(const struct one_run *run)
{
    uint32_t cases = scenario_cases(run->scenario);
    uint32_t chosen = cases;

    for (uint32_t i = 0; i < cases; i++) {
        if (!suite_case_is(run->scenario, i, run->chosen)) {
            continue;
        }
        if (run->chosen == NULL) {
            return i;
        }
        if (chosen < cases) {
            load_refuse_cases(run->scenario, run->chosen);
        }
        chosen = i;
    }
    if (chosen == cases) {
        load_refuse_case(run->scenario, run->chosen);
    }
    return chosen;
}

void one_run_take_sector(const struct argp_state *state, const struct option_row *option,
                         const char *arg, void *member)
{
    uint64_t sector = option_number(state, option->shown.name, arg);

    if (sector > UINT64_MAX / SECTOR_BYTES) {
        option_refuse(state, "--%s %s lies behind the end of any disk", option->shown.name, arg);
    }
    *(uint64_t *)member = sector;
}

void one_run_take_offset(const struct argp_state *state, const struct option_row *option,
                         const char *arg, void *member)
{
    uint64_t bytes;

    if (!quantity_read_size(arg, &bytes)) {
        option_refuse(state, "--%s wants a size like 640KiB, not '%s'", option->shown.name, arg);
    }
    *(uint64_t *)member = bytes / SECTOR_BYTES;
}

void one_run_load(struct one_run *run)
{
    const struct choice_spec choices = {.seed = run->seed};

    run->scenario = load_scenario(run->file);
    run->plan = scenario_plan(run->scenario, choose_case(run), &choices);
    run->engine = load_choose_engine(run->engine, run->plan->generation, run->file);
}

void one_run_open(struct one_run *run)
{
    struct world_options options = runner_options(run->plan, run->engine, run->seed);

    trace_init(&run->trace, true);
    run->world = runner_world(NULL, run->plan, &options, &run->trace);
}

void one_run_close(struct one_run *run)
{
    world_destroy(run->world);
    trace_free(&run->trace);
    plan_destroy(run->plan);
    scenario_free(run->scenario);
}
