/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scenario file of any bytes: what is accepted runs, and when it is written and loaded again it
 * runs in the same way.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario.h"
#include "sim/yaml/mistakes.h"
#include "tests/fuzz/fuzz.h"
#include "tools/run/plan_text.h"

/* Disks that take long to fill or to compare show no more. */
#define MAX_DISK_BYTES (UINT64_C(1) << 30)

static bool is_small(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (plan->disks[i].bytes > MAX_DISK_BYTES) {
            return false;
        }
    }
    return true;
}

static void check_again(const char *text, uint64_t hash)
{
    const struct choice_spec choices = {.seed = 7};
    struct scenario *again = scenario_load_text("input.yaml", text, strlen(text));
    struct plan *plan;

    if (scenario_mistakes(again)->count > 0) {
        fputs(mistakes_format("written", scenario_mistakes(again)), stderr);
        fputs(text, stderr);
        abort();
    }
    plan = scenario_plan(again, 0, &choices);
    assert(fuzz_run(plan) == hash);
    plan_destroy(plan);
    scenario_free(again);
}

static void run_case(const struct scenario *scenario)
{
    const struct choice_spec choices = {.seed = 7};
    struct plan *plan = scenario_plan(scenario, scenario_cases(scenario) - 1, &choices);

    if (is_small(plan)) {
        uint64_t hash = fuzz_run(plan);
        char *text = plan_text(plan);

        check_again(text, hash);
        free(text);
    }
    plan_destroy(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct scenario *scenario = scenario_load_text("input.yaml", (const char *)data, bytes);

    if (scenario_mistakes(scenario)->count > 0) {
        free(mistakes_format("input.yaml", scenario_mistakes(scenario)));
    } else {
        run_case(scenario);
    }
    scenario_free(scenario);
    return 0;
}
