/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads a scenario of which a test gives only the sections it is about.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_LOAD_H
#define MIRRORSIM_TESTS_SUPPORT_LOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "sim/scenario/scenario.h"

/* Lines 1 to 3; the sections of a test begin at line 4. */
#define LOAD_HEAD "scenario: 1\nname: x\ndoc: d\n"

/* Sections appended if the test does not give them. */
static const struct {
    const char *key;
    const char *text;
} load_defaults[] = {
    {"disks:", "disks: {src: {size: 1MiB}, dst: {size: 2MiB}, base: {size: 1MiB}}\n"},
    {"job:", "job: {mirror: src, to: dst}\n"},
    {"steps:", "steps: [start]\n"},
};

/* `sections` begin in the first column and end with a newline. */
static inline struct scenario *load_sections(const char *sections)
{
    struct scenario *scenario;
    char text[4096];
    int length = snprintf(text, sizeof(text), LOAD_HEAD "%s", sections);

    for (size_t i = 0; i < COUNT_OF(load_defaults); i++) {
        const char *found = strstr(text, load_defaults[i].key);

        if (!found || found[-1] != '\n') {
            length +=
                snprintf(text + length, sizeof(text) - (size_t)length, "%s", load_defaults[i].text);
        }
    }
    scenario = scenario_load_text("test.yaml", text, (size_t)length);
    return scenario;
}

/* All mistakes as "line:column: text" lines; the caller frees it. */
static inline char *load_list_mistakes(const struct scenario *scenario)
{
    const struct mistakes *mistakes = scenario_mistakes(scenario);
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    for (uint32_t i = 0; i < mistakes->count; i++) {
        fprintf(out, "%s%u:%u: %s", i ? "\n" : "", mistakes->list[i].line, mistakes->list[i].column,
                mistakes->list[i].text);
    }
    fclose(out);
    return text;
}

/* The plan of a case; the test fails if the sections have a mistake. */
static inline struct plan *load_plan(const char *sections, uint32_t case_number, uint64_t seed)
{
    struct choice_spec choices = {.seed = seed};
    struct scenario *scenario = load_sections(sections);
    char *mistakes = load_list_mistakes(scenario);
    struct plan *plan;

    assert_string_equal(mistakes, "");
    free(mistakes);
    plan = scenario_plan(scenario, case_number, &choices);
    scenario_free(scenario);
    return plan;
}

#endif
