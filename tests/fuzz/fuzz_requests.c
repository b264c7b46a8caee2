/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of requests of any bytes, which a scenario names: what is accepted runs.
 */
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const struct choice_spec choices = {.seed = 7};
    struct scenario *scenario;
    char text[400];

    snprintf(text, sizeof(text),
             "scenario: 1\nname: x\ndoc: d\ndisks: {src: {size: 1MiB}, dst: {size: 1MiB}}\n"
             "job: {mirror: src, to: dst}\nguest: {recorded: {replay: \"%s\"}}\nsteps: [start]\n",
             fuzz_file(data, bytes));
    scenario = scenario_load_text("input.yaml", text, strlen(text));
    if (scenario_mistakes(scenario)->count == 0) {
        struct plan *plan = scenario_plan(scenario, 0, &choices);

        fuzz_run(plan);
        plan_destroy(plan);
    }
    scenario_free(scenario);
    return 0;
}
