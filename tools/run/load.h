/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the arguments of a command name: an engine, a finding, a scenario, one of its cases.
 *
 * Where there is no such thing, it is explained on stderr, and the program exits with EXIT_USAGE.
 */
#ifndef MIRRORSIM_TOOLS_RUN_LOAD_H
#define MIRRORSIM_TOOLS_RUN_LOAD_H

#include <stdint.h>

#include "engine/engine.h"
#include "sim/scenario/scenario.h"
#include "sim/yaml/mistakes.h"
#include "tools/base/options.h"

/*
 * The engines that are compiled in, NULL-terminated; the first of each generation is its default.
 */
extern const struct engine *const engines[];

/* Ours of that generation, the first one listed; NULL: none is compiled in. */
const struct engine *load_engine_of(enum generation generation);

/* The engine for a story of that generation: `chosen`, or, if that is NULL, ours; or a refusal. */
const struct engine *load_choose_engine(const struct engine *chosen, enum generation generation,
                                        const char *file);

/* NAME, into a const struct engine *. */
void load_take_engine(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member);

/*
 * ORACLE or ORACLE/KIND, like debt/forgotten-sector, into a struct finding_pattern; what it sets
 * lives until the program's end.  Without an argument nothing is set.
 */
void load_take_finding(const struct argp_state *state, const struct option_row *option,
                       const char *arg, void *member);

/*
 * Loads a file that the user has named; "-" and /dev/stdin are standard input, and a pipe is read
 * to its end.  As scenario_load() says otherwise.
 */
struct scenario *load_path(const char *file);

/* A valid scenario, to be freed by the caller. */
struct scenario *load_scenario(const char *file);

/* The scenario has no case of that number or name: says which it has. */
_Noreturn void load_refuse_case(const struct scenario *scenario, const char *chosen);

/* Several of its cases are called so, and one is wanted: says which. */
_Noreturn void load_refuse_cases(const struct scenario *scenario, const char *chosen);

/* Refuses an -o OUTPUT that would overwrite what is read, or, unless it replaces files, any file;
 * NULL: no output. */
void load_guard_output(const char *output, const char *input, bool replaces);

/* On standard error. */
void load_show_mistakes(const char *file, const struct mistakes *mistakes);

/* Processes if no option says how many: one a core that this process may use. */
uint32_t load_default_jobs(void);

#endif
