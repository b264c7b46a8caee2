/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recording the progress of a run, and making a result of it when its process dies.
 */
#include "tools/run/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/base/text.h"

void run_progress_begin(struct run_progress *progress, const struct plan *plan,
                        const struct engine *engine)
{
    const struct xfail_spec *xfail = verdict_xfail(plan, engine->name, ORACLE_CRASH);

    text_copy(progress->case_name, sizeof(progress->case_name), plan->case_name);
    progress->death_is_known = xfail != NULL;
    run_name_bug(progress->death_bug, xfail);
    progress->has_finding = false;
}

void run_progress_step(struct run_progress *progress, const struct plan *plan,
                       const struct engine *engine, struct world *world)
{
    const struct evidence *evidence = world_evidence(world);
    const struct verdict *verdict = evidence->verdict;

    progress->now_ns = world_now_ns(world);
    progress->event_number = evidence->trace->count;
    if (verdict->finding_count > 0 && !progress->has_finding) {
        run_finding_copy(&progress->finding, plan, &verdict->findings[0]);
        run_finding_find_lines(&progress->finding, plan, evidence->trace);
        progress->death_is_known =
            progress->death_is_known &&
            verdict_xfail(plan, engine->name, finding_oracle(progress->finding.id)) != NULL;
        progress->has_finding = true;
    }
}

/* An xfail of the death does not excuse an earlier finding that no xfail expects. */
static enum outcome outcome_of(const struct run_progress *progress,
                               const struct isolate_death *death)
{
    if (death->cause == CAUSE_UNSUPPORTED) {
        return OUTCOME_INVALID;
    }
    return progress->death_is_known ? OUTCOME_XFAIL : OUTCOME_FAIL;
}

struct run_result *run_progress_died(const struct run_progress *progress,
                                     const struct isolate_death *death)
{
    struct run_result *result = run_result_create();
    struct run_finding *finding;
    char text[FINDING_TEXT_BYTES];

    result->number = progress->number;
    result->died = true;
    result->wall_us = clock_us() - progress->start_us;
    result->outcome = outcome_of(progress, death);
    if (result->outcome == OUTCOME_XFAIL) {
        memcpy(result->bug, progress->death_bug, sizeof(result->bug));
    }
    memcpy(result->case_name, progress->case_name, sizeof(result->case_name));
    if (progress->has_finding) {
        result->findings[result->finding_count++] = progress->finding;
    }
    memcpy(result->stack, death->stack, sizeof(result->stack));
    isolate_describe(death, text, sizeof(text));
    finding = run_result_add(result, isolate_finding(death), "%s", text);
    finding->now_ns = progress->now_ns;
    finding->event_number = progress->event_number;
    return result;
}

struct run_result *run_progress_end(struct isolate *isolate)
{
    const struct run_progress *progress = isolate->record;
    struct isolate_death death = isolate_end(isolate);
    struct run_result *result = NULL;

    if (progress->under_way) {
        result = run_progress_died(progress, &death);
    } else {
        fputs(death.words, stderr);
        if (death.cause != CAUSE_EXIT || death.number != EXIT_PASSED) {
            die("a worker process failed outside a run");
        }
    }
    free(death.words);
    return result;
}
