/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded choices of any kind: a run obeys those that fit and is not led astray by the others.
 *
 * Four bytes each: which site, how often it had been asked, the answer, and how large that is.
 */
#include <string.h>

#include "engine/units.h"
#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"

#define MAX_CHOICES 256

static const char text[] =
    "scenario: 1\nname: x\ndoc: d\n"
    "disks:\n"
    "  src: {size: 256KiB, fill: unique, effect: choice, latency: {uniform: [1us, 9us]}}\n"
    "  dst: {size: 256KiB, cache: volatile, lanes: 2}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 192KiB, on-target-error: report}\n"
    "guest:\n"
    "  w: {at: 0, write: {at: 0, len: 64KiB}}\n"
    "  g: {every: 3us, count: 9, write: {at: uniform, len: {choose: [4KiB, 64KiB]}}}\n"
    "faults:\n"
    "  bad: {match: {disk: dst, op: write}, probability: 20%, error: EIO, optional: true}\n"
    "steps: [start, {wait: ready}, complete, {wait: concluded}]\n";

static const char *const sites[] = {"order",
                                    "effect src read",
                                    "effect src write",
                                    "latency src read",
                                    "latency src write",
                                    "fault bad",
                                    "guest g offset",
                                    "guest g len",
                                    "guest g mix",
                                    "none of these",
                                    "latency src flush"};

static struct plan *load(void)
{
    const struct choice_spec quiet = {.seed = 7};
    struct scenario *scenario = scenario_load_text("input.yaml", text, strlen(text));
    struct plan *plan = scenario_plan(scenario, 0, &quiet);

    scenario_free(scenario);
    plan->untimed = true;
    return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct plan *plan = load();
    struct choice_answer choices[MAX_CHOICES];
    uint32_t count = 0;

    for (; count < MAX_CHOICES && bytes >= 4; count++, data += 4, bytes -= 4) {
        choices[count] = (struct choice_answer){.site = sites[data[0] % COUNT_OF(sites)],
                                                .nth = data[1],
                                                .pick = (uint32_t)data[2] << data[3] % 25};
    }
    plan->choices = choices;
    plan->choice_count = count;
    fuzz_run(plan);
    plan_destroy(plan);
    return 0;
}
