/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subcommands, and argument handling that several of them share.
 */
#ifndef MIRRORSIM_TOOLS_CMD_COMMAND_H
#define MIRRORSIM_TOOLS_CMD_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/scenario/mistakes.h"
#include "sim/scenario/scenario.h"
#include "sim/verdict/finding.h"

struct command {
    const char *name;
    const char *summary;

    /* argv[0] is "mirrorsim NAME".  Returns the program's exit code. */
    int (*run)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_shrink(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_engines(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* The engines that are compiled in, NULL-terminated; the first is the default. */
extern const struct engine *const engines[];

/* Keys of options without a short form. */
enum option_key {
    KEY_SEED = 256,
    KEY_SEEDS,
    KEY_CASE,
    KEY_ENGINE,
    KEY_JSON,
    KEY_JUNIT,
    KEY_TAP,
    KEY_ANNOTATIONS,
    KEY_TWICE,
    KEY_ONCE,
    KEY_FILTER,
    KEY_FAIL_FAST,
    KEY_NO_FORK,
    KEY_CPU_LIMIT,
    KEY_MEMORY_LIMIT,
    KEY_ONLY,
    KEY_FROM,
    KEY_TO,
    KEY_AT,
    KEY_REPEATS,
    KEY_SCENARIOS,
    KEY_DUMP_IMAGES,
    KEY_CONTENT,
    KEY_COMPARE,
    KEY_FORMAT,
    KEY_FILE,
    KEY_ACTION,
    KEY_COUNT,
    KEY_NAME,
    KEY_SPEED_UP,
    KEY_SIZE,
    KEY_FILL,
    KEY_JOB,
    KEY_FINDING,
    KEY_SECTOR,
    KEY_OFFSET,
    KEY_DISK,
    KEY_SOUND,
    KEY_BUDGET,
    KEY_RUNS,
    KEY_SCHEDULE,
    KEY_UNTIMED,
    KEY_FAULTS,
    KEY_ALL,
    KEY_DEPTH,
    KEY_EVERY_ORDER,
    KEY_CHECKPOINT,
    KEY_NO_SHRINK,
    KEY_SCHEMA,
};

/* Parse an option's argument; explain a wrong one and exit with EXIT_USAGE. */
uint64_t option_number(const struct argp_state *state, const char *option, const char *arg);
uint64_t option_time(const struct argp_state *state, const char *option, const char *arg);
const struct engine *option_engine(const struct argp_state *state, const char *arg);

/* A number from 1 to `max`. */
uint32_t option_count(const struct argp_state *state, const char *option, uint32_t max,
                      const char *arg);

/*
 * Parses ORACLE or ORACLE/KIND, like debt/forgotten-sector.  What it sets lives until the
 * program's end.
 */
void option_finding(const struct argp_state *state, const char *arg,
                    struct finding_pattern *wanted);

/* For commands that take one file: sets it, or explains that there is one already. */
void option_one_file(const struct argp_state *state, const char **file, const char *arg);

/* The default number of processes: one per core that this process may use. */
uint32_t default_jobs(void);

/* ---- What the arguments name ---- */

/*
 * Loads a scenario, which the caller frees; if it is invalid, shows its
 * mistakes and exits with EXIT_USAGE.
 */
struct scenario *command_load(const char *file);

/*
 * Explains that the scenario has no case with that number or name and which
 * cases it has; exits with EXIT_USAGE.
 */
_Noreturn void command_refuse_case(const struct scenario *scenario, const char *chosen);

/*
 * If -o OUTPUT would overwrite the input, explains that and exits with
 * EXIT_USAGE. NULL: no file.
 */
void command_guard(const char *output, const char *input);

/* Shows the mistakes on standard error. */
void command_show_mistakes(const char *file, const struct mistakes *mistakes);

#endif
