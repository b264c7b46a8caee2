/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Vacuity: a run that has not tested what it claims to test proves nothing.
 *
 * A fault that is not optional must hit something, unless the scenario says how
 * often it does; a generator must submit something; and the story must reach
 * its end, unless a finding already says why it did not.
 *
 * Declared in sim/verdict/expect.h: vacuity is judged with the expectations.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace/phrase.h"
#include "sim/verdict/expect.h"

#define PPM 1000000

/* ---- Faults ---- */

static bool is_expected_to_count(const struct plan *plan, uint32_t fault)
{
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        if (plan->expects[i].kind == EXPECT_FIRED && plan->expects[i].a == fault) {
            return true;
        }
    }
    return false;
}

static bool must_fire(const struct fault_spec *spec)
{
    bool drawn = spec->probability_ppm > 0 && spec->probability_ppm < PPM;

    return !spec->optional && !drawn;
}

static bool was_marked(const struct trace *trace, uint32_t mark)
{
    for (uint64_t i = 0; i < trace->count; i++) {
        if (trace->events[i].kind == EVENT_MARK && trace->events[i].index == mark) {
            return true;
        }
    }
    return false;
}

static uint64_t matching_requests(const struct trace *trace, const struct request_match *match)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        count += event->kind == EVENT_REQUEST_SUBMIT &&
                 request_matches(match, event->node, event_op(event), event_by(event),
                                 event->offset, event->bytes);
    }
    return count;
}

/* The most direct reason why a fault never fired, as the end of a sentence. */
struct phrase vacuity_reason(const struct run_end *run, const struct fault_spec *spec)
{
    const struct plan *plan = run->evidence->plan;
    uint64_t seen = matching_requests(run->trace, &spec->match);
    uint64_t wanted = max_u64(spec->nth, 1);
    struct phrase why;

    if (spec->from_mark != PLAN_NONE && !was_marked(run->trace, spec->from_mark)) {
        snprintf(why.text, sizeof(why.text), "mark %.80s was never set",
                 plan->marks[spec->from_mark]);
    } else if (seen < wanted) {
        snprintf(why.text, sizeof(why.text),
                 "only %" PRIu64 " matching request%s seen, and it hits from number %" PRIu64 " on",
                 seen, seen == 1 ? " was" : "s were", wanted);
    } else {
        snprintf(why.text, sizeof(why.text),
                 "%" PRIu64 " matching request%s seen, but not while it was armed", seen,
                 seen == 1 ? " was" : "s were");
    }
    return why;
}

static void judge_fault(const struct run_end *run, uint32_t fault)
{
    const struct fault_spec *spec = &run->evidence->plan->faults[fault];
    struct finding *finding;

    if (run->final->fault_hits[fault] > 0 || !must_fire(spec)) {
        return;
    }
    finding = verdict_add(run->evidence, FINDING_VACUOUS_NEVER_FIRED, "Fault %s never fired: %s.",
                          spec->name, vacuity_reason(run, spec).text);
    if (finding != NULL) {
        finding->where = spec->where;
    }
}

/*
 * A story that stopped may have waited for the effect of a fault that never
 * fired, so faults armed from the start are still judged.
 */
void vacuity_judge_stopped(const struct run_end *run)
{
    for (uint32_t i = 0; i < run->evidence->plan->fault_count; i++) {
        if (run->evidence->plan->faults[i].armed) {
            judge_fault(run, i);
        }
    }
}

/* ---- Generators ---- */

static bool has_come(const struct trace *trace, uint32_t plan_number)
{
    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        if ((event->kind == EVENT_REQUEST_SUBMIT || event->kind == EVENT_REQUEST_QUEUED) &&
            event->by == BY_GUEST && event->index == plan_number + 1) {
            return true;
        }
    }
    return false;
}

static void judge_generator(const struct run_end *run, uint32_t generator)
{
    const struct plan *plan = run->evidence->plan;
    const struct generator_spec *spec = &plan->generators[generator];
    struct finding *finding;

    if (spec->optional || has_come(run->trace, plan_generator_number(plan, generator))) {
        return;
    }
    finding = verdict_add(run->evidence, FINDING_VACUOUS_NEVER_BEGAN,
                          "Generator %s never submitted a request: %s.", spec->name,
                          spec->has_when ? "the event that starts it did not come in time"
                                         : "the story was over before it could begin");
    if (finding != NULL) {
        finding->where = spec->where;
    }
}

/* ---- The story ---- */

/* True if a finding of "liveness" already says why the run did not end. */
static bool is_explained(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (finding_oracle(verdict->findings[i].id) == ORACLE_LIVENESS) {
            return true;
        }
    }
    return false;
}

static void judge_story(const struct run_end *run)
{
    const struct evidence *evidence = run->evidence;
    uint32_t last = evidence->steps_run;
    struct finding *finding;

    if (evidence->end == END_NOT || evidence->story_over || is_explained(evidence->verdict)) {
        return;
    }
    finding = verdict_add(run->evidence, FINDING_VACUOUS_STEPS_NOT_RUN,
                          "The run ended while step %" PRIu32 " of %" PRIu32
                          " was still waiting: its condition was never met.",
                          last, evidence->plan->step_count);
    if (finding != NULL && last > 0) {
        finding->where = evidence->plan->steps[last - 1].where;
    }
}

void vacuity_judge(const struct run_end *run)
{
    for (uint32_t i = 0; i < run->evidence->plan->fault_count; i++) {
        if (!is_expected_to_count(run->evidence->plan, i)) {
            judge_fault(run, i);
        }
    }
    for (uint32_t i = 0; i < run->evidence->plan->generator_count; i++) {
        judge_generator(run, i);
    }
    judge_story(run);
}
