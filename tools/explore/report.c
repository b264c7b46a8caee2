/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing what was found, and summing up.
 */
#include "tools/explore/report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/files.h"
#include "tools/base/support.h"
#include "tools/explore/claims.h"
#include "tools/report/report.h"
#include "tools/run/load.h"
#include "tools/shrink/shrink.h"

/* Bounds of shrinking one finding. */
#define SHRINK_RUNS 3000

/* ---- What was found ---- */

static char *output_name(const struct explore_report *report, const struct scenario *scenario,
                         uint64_t number)
{
    const char *name = scenario_name(scenario);

    if (report->output != NULL && number == 0) {
        return must_strdup(report->output);
    }
    return number == 0 ? must_printf("%s-found.yaml", name)
                       : must_printf("%s-found-%" PRIu64 ".yaml", name, number + 1);
}

/*
 * Under the first name, from that number on, that no file has.  Returns it, for the caller to free.
 */
static char *write_finding(const struct explore_report *report, const struct scenario *scenario,
                           uint64_t number, const char *text)
{
    for (;; number++) {
        char *path = output_name(report, scenario, number);

        if (output_write(path, text, report->force)) {
            return path;
        }
        if (errno != EEXIST || (report->output != NULL && number == 0)) {
            die("%s: %s", path, strerror(errno));
        }
        free(path);
    }
}

/* A search makes many runs in one process. */
static void tell_if_damaged(const struct explore_finding *finding, const struct engine *engine,
                            enum shrink_end end)
{
    if (engine->foreign && (end == SHRINK_NO_FINDING || end == SHRINK_NOT_REPEATED)) {
        fprintf(stderr,
                "mirrorsim: by itself the run that was found has no finding %s (%s): an earlier "
                "run of the search has damaged the process that %s ran in\n",
                finding_by(finding->id), finding_kind_name(finding->id), engine->name);
    }
}

/* The found run, shrunk; NULL: it stays as it is. */
static char *shrunk(const struct explore_report *report, const struct explore_session *session,
                    const struct session_finding *found)
{
    const struct choice_spec quiet = {.seed = 0};
    char *origin = must_printf("what `mirrorsim explore %s` found", report->file);
    struct shrink_options options = {
        .wanted = {finding_by(found->finding.id), finding_kind_name(found->finding.id)},
        .origin = origin,
        .cpu_limit_ms = session->options->cpu_limit_ms,
        .max_runs = SHRINK_RUNS};
    struct shrink_report shrink = {0};
    struct scenario *scenario;
    struct plan *plan;

    scenario = scenario_load_text(report->file, found->scenario, strlen(found->scenario));
    if (scenario_mistakes(scenario)->count == 0) {
        plan = scenario_plan(scenario, 0, &quiet);
        plan_destroy(shrink_plan(plan, session->options->engine, &options, &shrink));
        tell_if_damaged(&found->finding, session->options->engine, shrink.end);
        plan_destroy(plan);
    }
    scenario_free(scenario);
    free(origin);
    return shrink.scenario;
}

static char *save_finding(const struct explore_report *report,
                          const struct explore_session *session, uint64_t number)
{
    const struct session_finding *found = &session->findings[number];
    char *small = report->no_shrink ? NULL : shrunk(report, session, found);
    char *path = write_finding(report, session->options->scenario, number,
                               small != NULL ? small : found->scenario);

    free(small);
    return path;
}

/* ---- The summary ---- */

static uint64_t per_second(uint64_t count, uint64_t ms)
{
    return ms == 0 ? 0 : count * 1000 / ms;
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : part * 100 / whole;
}

static void print_findings(const struct explore_session *session, char *const *paths)
{
    const struct engine *engine = session->options->engine;
    bool is_default = engine == load_engine_of(engine->generation);

    for (uint64_t i = 0; i < session->finding_count; i++) {
        const struct explore_finding *finding = &session->findings[i].finding;

        printf("FOUND %s (%s) at %s: %s\n", finding_by(finding->id), finding_kind_name(finding->id),
               quantity_time(finding->now_ns).text, finding->text);
        if (*finding->variant != '\0') {
            printf("    when    %s\n", finding->variant);
        }
        if (*finding->choices != '\0') {
            printf("    choices %s\n", finding->choices);
        }
        lasso_print(finding->lasso);
        report_show_stack(stdout, finding->stack, 4);
        printf("    repeat  %s run %s%s%s\n", program_invocation_name, paths[i],
               is_default ? "" : " --engine ", is_default ? "" : engine->name);
        if (finding_is(finding->id, FINDING_OF_PROCESS)) {
            printf("    debug   gdb -ex run --args %s run %s%s%s --no-fork\n",
                   program_invocation_name, paths[i], is_default ? "" : " --engine ",
                   is_default ? "" : engine->name);
        }
    }
}

static const char *conclusion(const struct explore_session *session)
{
    if (session_is_exhausted(session)) {
        return "exhausted, no finding";
    }
    if (session->finding_count > 0) {
        return session->options->all ? "one finding of each kind is kept"
                                     : "stopped at the finding";
    }
    if (session->done_count < session->items) {
        return "not exhausted: it was stopped";
    }
    return session->options->schedule != SCHEDULE_EXHAUSTIVE
               ? "no finding in these runs; others may have one"
               : "not exhausted";
}

/* Why the search is incomplete. */
static void print_bounds(const struct explore_session *session)
{
    const struct search_figures all = session_figures(session);
    const struct search_figures *figures = &all;

    if (*figures->unvaried != '\0') {
        printf("too many answers to try: %s\n", figures->unvaried);
    }
    if (figures->too_deep) {
        printf("some paths were longer than %d events, or took too much memory\n",
               SEARCH_MAX_DEPTH);
    }
    if (session->options->engine->foreign) {
        printf("the engine's states can't be told apart: every order was run from the start\n");
    }
    if (figures->full) {
        printf("there was no room to remember all states: some were visited more than once\n");
    }
    if (explore_is_cut(session->space)) {
        printf(
            "too much to try: of each case the first %d sets of values, and of each run the first "
            "%d requests to fail\n",
            EXPLORE_MAX_VALUES, VARIANT_MAX_REQUESTS);
    }
}

static void print_summary(const struct explore_report *report,
                          const struct explore_session *session, const struct claims *claims)
{
    const struct search_figures all = session_figures(session);
    const struct search_figures *figures = &all;

    printf("%" PRIu64 " of %" PRIu64 " searches, %" PRIu64 " runs, %" PRIu64 " events in %" PRIu64
           ".%03" PRIu64 " s\n",
           session->done_count, session->items, figures->ends, figures->transitions,
           report->ms / 1000, report->ms % 1000);
    if (session->options->schedule == SCHEDULE_EXHAUSTIVE) {
        printf("%" PRIu64 " states (%" PRIu64 "/s), the longest path %" PRIu64 " events; %" PRIu64
               " %% of the events led to a known state, and %" PRIu64
               " %% of those that could have been next were left out\n",
               figures->states, per_second(figures->states, report->ms), figures->depth,
               percent(figures->merged, figures->transitions),
               percent(figures->reduced, figures->transitions + figures->reduced));
    }
    claims_print(claims, session);
    print_bounds(session);
    printf("%s\n", conclusion(session));
}

static json_t *finding_json(const struct explore_finding *finding, const char *path)
{
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "oracle", finding_by(finding->id), "kind",
        finding_kind_name(finding->id), "text", report_json_string(finding->text), "when",
        report_json_string(finding->variant), "choices", report_json_string(finding->choices),
        "lasso", report_json_string(finding->lasso), "stack", report_stack_json(finding->stack),
        "time_ns", (json_int_t)finding->now_ns, "file", report_json_string(path));
}

static void print_json(const struct explore_report *report, const struct explore_session *session,
                       const struct claims *claims, char *const *paths)
{
    const struct search_figures sum = session_figures(session);
    const struct search_figures *figures = &sum;
    json_t *findings = json_array();
    json_t *all;

    for (uint64_t i = 0; i < session->finding_count; i++) {
        json_array_append_new(findings, finding_json(&session->findings[i].finding, paths[i]));
    }
    all = json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, "
                    "s:s, s:o, s:o}",
                    "mirrorsim", MIRRORSIM_VERSION, "file", report_json_string(report->file),
                    "engine", session->options->engine->name, "searches",
                    (json_int_t)session->items, "done", (json_int_t)session->done_count, "runs",
                    (json_int_t)figures->ends, "events", (json_int_t)figures->transitions, "states",
                    (json_int_t)figures->states, "merged", (json_int_t)figures->merged, "reduced",
                    (json_int_t)figures->reduced, "depth", (json_int_t)figures->depth, "ms",
                    (json_int_t)report->ms, "exhausted", session_is_exhausted(session), "too_deep",
                    figures->too_deep, "full", figures->full, "unvaried", figures->unvaried,
                    "findings", findings, "claims", claims_json(claims, session));
    report_json_show(all);
}

void explore_report_check(const struct explore_report *report, const struct scenario *scenario)
{
    char *path = output_name(report, scenario, 0);

    if (!output_possible(path)) {
        die("%s: %s", path, strerror(errno));
    }
    free(path);
}

void explore_report(const struct explore_report *report, const struct explore_session *session)
{
    char **paths = must_alloc((session->finding_count + 1) * sizeof(*paths));
    const struct claims claims = claims_make(session);

    for (uint64_t i = 0; i < session->finding_count; i++) {
        paths[i] = save_finding(report, session, i);
    }
    if (report->json) {
        print_json(report, session, &claims, paths);
    } else {
        print_findings(session, paths);
        print_summary(report, session, &claims);
    }
    for (uint64_t i = 0; i < session->finding_count; i++) {
        free(paths[i]);
    }
    free(paths);
}
