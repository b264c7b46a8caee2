/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding what arguments name; if there is no such thing, saying what exists instead.
 */
#include "tools/run/load.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/verdict/finding.h"
#include "sim/yaml/nearest.h"
#include "sim/yaml/yaml.h"
#include "tools/base/files.h"
#include "tools/base/support.h"
#include "tools/run/suite.h"

const struct engine *load_engine_of(enum generation generation)
{
    for (uint32_t i = 0; engines[i] != NULL; i++) {
        if (engines[i]->generation == generation) {
            return engines[i];
        }
    }
    return NULL;
}

const struct engine *load_choose_engine(const struct engine *chosen, enum generation generation,
                                        const char *file)
{
    const struct engine *engine = chosen != NULL ? chosen : load_engine_of(generation);

    if (engine != NULL && engine->generation == generation) {
        return engine;
    }
    fprintf(stderr, "mirrorsim: %s is a story of generation %s", file, generation_name(generation));
    if (engine != NULL) {
        fprintf(stderr, ", and the engine %s is of generation %s\n", engine->name,
                generation_name(engine->generation));
    } else {
        fputs(", of which no engine is compiled in\n", stderr);
    }
    exit(EXIT_USAGE);
}

void load_take_engine(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member)
{
    (void)option;
    for (uint32_t i = 0; engines[i] != NULL; i++) {
        if (strcmp(engines[i]->name, arg) == 0) {
            *(const struct engine **)member = engines[i];
            return;
        }
    }
    option_refuse(state, "there is no engine '%s'; `mirrorsim engines` lists them", arg);
}

/* ---- Findings ---- */

static bool is_known(const struct finding_pattern *pattern)
{
    for (enum finding_id id = FINDING_NONE + 1; id < FINDING_COUNT; id++) {
        if (finding_fits(pattern, id)) {
            return true;
        }
    }
    return false;
}

/* Proposes an oracle, or one of this oracle's kinds. */
static _Noreturn void refuse_finding(const struct argp_state *state,
                                     const struct finding_pattern *pattern)
{
    const struct finding_pattern of_oracle = {.oracle = pattern->oracle};
    bool oracle_is_known = is_known(&of_oracle);
    struct nearest nearest = nearest_to(oracle_is_known ? pattern->kind : pattern->oracle);

    for (enum finding_id id = FINDING_NONE + 1; id < FINDING_COUNT; id++) {
        if (!oracle_is_known) {
            nearest_offer(&nearest, finding_by(id));
        } else if (finding_fits(&of_oracle, id)) {
            nearest_offer(&nearest, finding_kind_name(id));
        }
    }
    option_refuse(state, "there is no finding %s%s%s%s%s%s%s", pattern->oracle,
                  pattern->kind != NULL ? "/" : "", pattern->kind != NULL ? pattern->kind : "",
                  nearest.best != NULL ? "; did you mean " : "",
                  nearest.best != NULL && oracle_is_known ? pattern->oracle : "",
                  nearest.best != NULL && oracle_is_known ? "/" : "",
                  nearest.best != NULL ? nearest.best : "");
}

void load_take_finding(const struct argp_state *state, const struct option_row *option,
                       const char *arg, void *member)
{
    struct finding_pattern *pattern = member;
    char *copy;
    char *slash;

    (void)option;
    if (arg == NULL) {
        return;
    }
    copy = must_strdup(arg);
    slash = strchr(copy, '/');
    *pattern = (struct finding_pattern){.oracle = copy};
    if (slash != NULL) {
        *slash = '\0';
        pattern->kind = slash + 1;
    }
    if (*copy == '\0' || (pattern->kind != NULL && *pattern->kind == '\0')) {
        option_refuse(state,
                      "--finding wants an oracle, or one with a kind, like debt or "
                      "debt/forgotten-sector, not '%s'",
                      arg);
    }
    if (!is_known(pattern)) {
        refuse_finding(state, pattern);
    }
}

/* ---- Scenarios ---- */

void load_show_mistakes(const char *file, const struct mistakes *mistakes)
{
    char *text = mistakes_format(file, mistakes);

    fputs(text, stderr);
    free(text);
}

/* Neither a file nor a folder, but something to read. */
static bool is_stream(const char *file)
{
    struct stat status;

    return stat(file, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* One byte more than is allowed tells that there is more. */
static struct scenario *load_stream(FILE *stream, const char *file)
{
    char *text = must_alloc(YAML_MAX_BYTES + 1);
    size_t bytes = fread(text, 1, YAML_MAX_BYTES + 1, stream);
    struct scenario *scenario;

    if (ferror(stream)) {
        die("%s: %s", file, strerror(errno));
    }
    scenario = scenario_load_text(file, text, bytes);
    free(text);
    return scenario;
}

struct scenario *load_path(const char *file)
{
    struct scenario *scenario;
    FILE *stream;

    if (strcmp(file, "-") == 0) {
        return load_stream(stdin, file);
    }
    stream = is_stream(file) ? fopen(file, "re") : NULL;
    if (stream == NULL) {
        return scenario_load(file);
    }
    scenario = load_stream(stream, file);
    fclose(stream);
    return scenario;
}

struct scenario *load_scenario(const char *file)
{
    struct scenario *scenario = load_path(file);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    if (mistakes->count > 0) {
        load_show_mistakes(file, mistakes);
        scenario_free(scenario);
        exit(EXIT_USAGE);
    }
    return scenario;
}

/* Names those that --case asks for; NULL: all. */
static void list_cases(const struct scenario *scenario, const char *chosen)
{
    const struct choice_spec quiet = {.seed = 0};

    for (uint32_t i = 0; i < scenario_cases(scenario); i++) {
        if (suite_case_is(scenario, i, chosen)) {
            struct plan *plan = scenario_plan(scenario, i, &quiet);

            fprintf(stderr, "  %" PRIu32 "  %s\n", i + 1, plan->case_name);
            plan_destroy(plan);
        }
    }
}

_Noreturn void load_refuse_case(const struct scenario *scenario, const char *chosen)
{
    fprintf(stderr, "mirrorsim: %s has no case '%s', but these:\n", scenario_file(scenario),
            chosen);
    list_cases(scenario, NULL);
    exit(EXIT_USAGE);
}

_Noreturn void load_refuse_cases(const struct scenario *scenario, const char *chosen)
{
    fprintf(stderr, "mirrorsim: '%s' is the name of several cases of %s; which of these?\n", chosen,
            scenario_file(scenario));
    list_cases(scenario, chosen);
    exit(EXIT_USAGE);
}

/* ---- Files and processes ---- */

void load_guard_output(const char *output, const char *input, bool replaces)
{
    if (output == NULL) {
        return;
    }
    if (file_is(output, input)) {
        fprintf(stderr, "mirrorsim: -o %s would overwrite what is read from it\n", output);
        exit(EXIT_USAGE);
    }
    if (!replaces && output_would_replace(output)) {
        fprintf(stderr, "mirrorsim: -o %s: there is such a file; --force replaces it\n", output);
        exit(EXIT_USAGE);
    }
}

uint32_t load_default_jobs(void)
{
    cpu_set_t cores;

    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}
