/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must have happened: bits of each run, put together until the last run of the file.
 */
#include "tools/run/happened.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PPM 1000000u

/* ---- In the run's process ---- */

void happened_note(struct run_result *result, const struct world *world, const struct trace *trace)
{
    uint32_t faults = world_fault_count(world);

    for (uint32_t i = 0; i < faults && i < HAPPENED_MAX; i++) {
        result->fired |= (uint64_t)(world_fault_hits(world, i) > 0) << i;
    }
    for (uint64_t i = 0; i < trace->count && trace->keep; i++) {
        if (trace->events[i].kind == EVENT_REACT && trace->events[i].index < HAPPENED_MAX) {
            result->acted |= UINT64_C(1) << trace->events[i].index;
        }
    }
}

/* ---- Where results are delivered ---- */

static bool is_counted(const struct plan *plan, uint32_t fault)
{
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        if (plan->expects[i].kind == EXPECT_FIRED && plan->expects[i].a == fault) {
            return true;
        }
    }
    return false;
}

static bool is_drawn(const struct plan *plan, uint32_t fault)
{
    const struct fault_spec *spec = &plan->faults[fault];

    return spec->probability_ppm > 0 && spec->probability_ppm < PPM && !spec->optional &&
           !is_counted(plan, fault);
}

/* Is it the last run of its file?  Those of a file are next to each other. */
static bool is_last(const struct suite *suite, const struct run_result *result)
{
    const struct suite_entry *entry = suite_entry_of(suite, result->number);

    return result->number + 1 == suite_runs(suite) ||
           suite_entry_of(suite, result->number + 1)->scenario != entry->scenario;
}

/* Have all cases of the file been run? */
static bool is_whole(const struct suite *suite, const struct scenario *scenario)
{
    uint32_t cases = 0;
    uint32_t last = UINT32_MAX;

    for (size_t i = 0; i < suite->entry_count; i++) {
        const struct suite_entry *entry = &suite->entries[i];

        if (entry->scenario == scenario && entry->case_number != last) {
            last = entry->case_number;
            cases++;
        }
    }
    return cases >= scenario_cases(scenario);
}

/* "" for a single run, else " in any of 20 runs". */
static void tell_runs(char text[48], uint64_t runs)
{
    text[0] = '\0';
    if (runs > 1) {
        snprintf(text, 48, " in any of %" PRIu64 " runs", runs);
    }
}

static void add_finding(struct run_result *result, enum finding_id id, const char *what,
                        const char *why, struct where where)
{
    struct run_finding *finding = run_result_add(result, id, "%s%s", what, why);

    if (finding != NULL) {
        finding->line = where.line;
        finding->now_ns = result->virtual_ns;
        finding->event_number = result->trace_events;
    }
}

static void note_silent(struct happened *happened, const char *file, const char *fault)
{
    size_t length = strlen(happened->names);

    happened->silent_faults++;
    snprintf(happened->names + length, sizeof(happened->names) - length, "%s%s in %s",
             length > 0 ? ", " : "", fault, file);
}

/* True if a drawn fault has not fired: then a rule may have waited for what comes of it. */
static bool judge_faults(struct happened *happened, const struct suite *suite,
                         const struct plan *plan, struct run_result *result)
{
    bool missing = false;

    for (uint32_t i = 0; i < plan->fault_count && i < HAPPENED_MAX; i++) {
        char what[160];
        char runs[48];

        if (!is_drawn(plan, i) || (happened->fired >> i & 1) != 0) {
            continue;
        }
        missing = true;
        if (suite->seed_count == 1) {
            note_silent(happened, scenario_name(happened->scenario), plan->faults[i].name);
            continue;
        }
        tell_runs(runs, happened->runs);
        snprintf(what, sizeof(what), "Fault %.80s never fired%s", plan->faults[i].name, runs);
        add_finding(result, FINDING_VACUOUS_NEVER_FIRED, what,
                    ": its probability is too small, or nothing matches.", plan->faults[i].where);
    }
    return missing;
}

static void judge_rules(const struct happened *happened, const struct plan *plan,
                        struct run_result *result)
{
    for (uint32_t i = 0; i < plan->react_count && i < HAPPENED_MAX; i++) {
        char what[160];
        char runs[48];

        if (plan->reacts[i].optional || (happened->acted >> i & 1) != 0) {
            continue;
        }
        tell_runs(runs, happened->runs);
        snprintf(what, sizeof(what), "The rule of line %" PRIu32 " never acted%s",
                 plan->reacts[i].where.line, runs);
        add_finding(result, FINDING_VACUOUS_NEVER_ACTED, what,
                    ": what it waits for did not happen (optional: true, if it need not).",
                    plan->reacts[i].where);
    }
}

static void judge(struct happened *happened, const struct suite *suite, struct run_result *result)
{
    const struct choice_spec quiet = {.seed = 0};
    const struct suite_entry *entry = suite_entry_of(suite, result->number);
    struct plan *plan = scenario_plan(entry->scenario, entry->case_number, &quiet);

    if (!judge_faults(happened, suite, plan, result) && is_whole(suite, entry->scenario)) {
        judge_rules(happened, plan, result);
    }
    plan_destroy(plan);
}

struct run_result *happened_add(struct happened *happened, const struct suite *suite,
                                const struct run_result *result)
{
    const struct scenario *scenario = suite_entry_of(suite, result->number)->scenario;
    uint32_t before = result->finding_count;
    struct run_result *judged;

    if (happened->scenario != scenario) {
        happened->scenario = scenario;
        happened->runs = happened->fired = happened->acted = 0;
        happened->failed = false;
    }
    happened->runs++;
    happened->fired |= result->fired;
    happened->acted |= result->acted;
    happened->failed = happened->failed || result->outcome != OUTCOME_PASS;
    if (!is_last(suite, result) || happened->failed) {
        return NULL;
    }
    judged = run_result_create();
    memcpy(judged, result, run_result_bytes(before));
    judge(happened, suite, judged);
    if (judged->finding_count == before) {
        free(judged);
        return NULL;
    }
    judged->outcome = OUTCOME_FAIL;
    return judged;
}
