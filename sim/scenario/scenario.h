/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenario files: YAML in, plans out, or every mistake of the file at once.
 *
 * scenario_load() parses and keeps the document; scenario_plan() decides one
 * matrix case and the `choose`/`range` values and gives the plan.  A file in
 * which scenario_load() finds no mistake yields a plan for every case and choice.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_SCENARIO_H
#define MIRRORSIM_SIM_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/choice.h"
#include "sim/plan/plan.h"
#include "sim/yaml/mistakes.h"

#define SCENARIO_MAX_CASES 1024

struct scenario;

/*
 * Loads and checks a file (all of it: every case, every `choose` value).
 * Always returns a scenario, to be freed with scenario_free(); it is usable
 * only if scenario_mistakes() says count 0.  `file` is the name for messages.
 */
struct scenario *scenario_load(const char *file);
struct scenario *scenario_load_text(const char *file, const char *text, size_t bytes);
void scenario_free(struct scenario *scenario);

const struct mistakes *scenario_mistakes(const struct scenario *scenario);
const char *scenario_file(const struct scenario *scenario);

/* Scenario's name; the file name if it has none. */
const char *scenario_name(const struct scenario *scenario);

/* Line `number` (from 1) of its text, without its end; NULL if there is none.  Not terminated. */
const char *scenario_line(const struct scenario *scenario, uint32_t number, size_t *bytes);

/* Number of matrix cases, at least 1. */
uint32_t scenario_cases(const struct scenario *scenario);

/* True if some value is left to a choice: plans then depend on the seed. */
bool scenario_has_choices(const struct scenario *scenario);

/* Whose mirror the case is a story of; of a valid scenario. */
enum generation scenario_generation(const struct scenario *scenario, uint32_t case_number);

/*
 * The plan of a case, with `choose` and `range` values decided by `choices`
 * (sites "choose LINE:COLUMN").  The caller destroys it with plan_destroy().
 * The scenario must be free of mistakes.  The plan keeps no pointer into it.
 */
struct plan *scenario_plan(const struct scenario *scenario, uint32_t case_number,
                           const struct choice_spec *choices);

#endif
