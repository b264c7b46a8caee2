/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations: checks the plan's `expect` list against the finished run.
 *
 * This file has those about the job, the guest and the faults. Each finding
 * says what was expected and what happened instead.
 */
#include "sim/verdict/expect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "sim/trace/phrase.h"
#include "sim/verdict/figures.h"
#include "sim/verdict/query.h"

struct finding *expect_failed(const struct run_end *run, const struct expect_spec *expect,
                              enum finding_id id, const char *format, ...)
{
    char text[FINDING_TEXT_BYTES];
    struct finding *finding;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    finding = verdict_add(run->evidence, id, "%s", text);
    if (finding != NULL) {
        finding->where = expect->where;
    }
    return finding;
}

void expect_locate(struct finding *finding, const struct trace *trace, uint64_t event_number)
{
    if (finding != NULL) {
        finding->event_number = event_number;
        finding->now_ns = trace->events[event_number].now_ns;
    }
}

/* ---- The job ---- */

/* The event with which the last job ended, or NULL. */
static const struct event *job_end(const struct run_end *run)
{
    for (uint64_t i = run->trace->count; i > 0; i--) {
        const struct event *event = &run->trace->events[i - 1];

        if (event->kind == EVENT_JOB_COMPLETED || event->kind == EVENT_JOB_CANCELLED) {
            return event;
        }
    }
    return NULL;
}

static void expect_result(const struct run_end *run, const struct expect_spec *expect)
{
    const struct event *end = job_end(run);

    if (end == NULL) {
        expect_failed(run, expect, FINDING_EXPECT_RESULT,
                      "The job was expected to end with %s, but it did "
                      "not end.",
                      phrase_result(expect->ret).text);
    } else if (end->ret != expect->ret) {
        expect_failed(run, expect, FINDING_EXPECT_RESULT,
                      "The job was expected to end with %s, but it %s at %s.",
                      phrase_result(expect->ret).text, phrase_end(end).text,
                      quantity_time(end->now_ns).text);
    }
}

static void expect_cancelled(const struct run_end *run, const struct expect_spec *expect)
{
    const struct event *end = job_end(run);

    if (end == NULL || end->kind != EVENT_JOB_CANCELLED) {
        expect_failed(run, expect, FINDING_EXPECT_CANCELLED,
                      "The job was expected to end cancelled, but it %s.",
                      end == NULL ? "did not end" : phrase_end(end).text);
    }
}

static void expect_concluded(const struct run_end *run, const struct expect_spec *expect)
{
    const struct event *end = job_end(run);

    if (end == NULL) {
        expect_failed(run, expect, FINDING_EXPECT_CONCLUDED,
                      "The job was expected to end, but it did not.");
    } else if (expect->time_ns > 0 && end->now_ns > expect->time_ns) {
        expect_failed(run, expect, FINDING_EXPECT_CONCLUDED,
                      "The job was expected to end by %s, but it ended at %s.",
                      quantity_time(expect->time_ns).text, quantity_time(end->now_ns).text);
    }
}

static void expect_query(const struct run_end *run, const struct expect_spec *expect)
{
    char text[FINDING_TEXT_BYTES];

    if (!run->final->has_job_info) {
        expect_failed(run, expect, FINDING_EXPECT_QUERY, "There was never a job to query.");
        return;
    }
    for (uint32_t i = 0; i < expect->check_count; i++) {
        const struct query_check *check = &expect->checks[i];

        if (!query_check_holds(check, &run->final->job)) {
            query_check_describe(check, &run->final->job, text, sizeof(text));
            expect_failed(run, expect, FINDING_EXPECT_QUERY, "At its end the job's %s.", text);
        }
    }
}

/* ---- The guest and the faults ---- */

static void expect_guest_on(const struct run_end *run, const struct expect_spec *expect)
{
    if (run->final->guest_disk != expect->a) {
        expect_failed(run, expect, FINDING_EXPECT_GUEST_ON,
                      "The guest was expected to be on %s at the end, but it is on %s.",
                      phrase_disk(run->evidence, expect->a),
                      phrase_disk(run->evidence, run->final->guest_disk));
    }
}

static void expect_fired(const struct run_end *run, const struct expect_spec *expect)
{
    const struct fault_spec *fault = &run->evidence->plan->faults[expect->a];
    uint64_t hits = run->final->fault_hits[expect->a];

    if (hits == 0 && expect->count > 0) {
        expect_failed(run, expect, FINDING_EXPECT_FIRED,
                      "Fault %s was expected to hit %" PRIu64 " times, but it never fired: %s.",
                      fault->name, expect->count, vacuity_reason(run, fault).text);
    } else if (hits != expect->count) {
        expect_failed(run, expect, FINDING_EXPECT_FIRED,
                      "Fault %s was expected to hit %" PRIu64 " times, but it hit %" PRIu64
                      " times.",
                      fault->name, expect->count, hits);
    }
}

static void expect_job_still(const struct run_end *run, const struct expect_spec *expect)
{
    struct figures figures = figures_make(run->evidence->plan, run->trace, run->evidence->now_ns);

    if (figures.job_still_ns > expect->time_ns) {
        expect_locate(
            expect_failed(run, expect, FINDING_EXPECT_JOB_STILL,
                          "The job was to stand still for no longer than %s, but it did "
                          "so for %s from %s on.",
                          quantity_time(expect->time_ns).text,
                          quantity_time(figures.job_still_ns).text,
                          quantity_time(run->trace->events[figures.job_still_event].now_ns).text),
            run->trace, figures.job_still_event);
    }
}

/* ---- All of them ---- */

static void judge(const struct run_end *run, const struct expect_spec *expect)
{
    verdict_checked(run->evidence);
    switch (expect->kind) {
    case EXPECT_RESULT:
        expect_result(run, expect);
        break;
    case EXPECT_CANCELLED:
        expect_cancelled(run, expect);
        break;
    case EXPECT_EVENTS:
        expect_job_events(run, expect);
        break;
    case EXPECT_IN_ORDER:
        expect_in_order(run, expect);
        break;
    case EXPECT_NEVER:
        expect_never(run, expect);
        break;
    case EXPECT_AT_MOST:
    case EXPECT_COUNT:
        expect_count(run, expect);
        break;
    case EXPECT_SAME:
    case EXPECT_DIFFER:
        expect_comparison(run, expect);
        break;
    case EXPECT_SECTOR:
        expect_sector(run, expect);
        break;
    case EXPECT_WITHIN:
    case EXPECT_NOT_BEFORE:
        expect_instant(run, expect);
        break;
    case EXPECT_FIRED:
        expect_fired(run, expect);
        break;
    case EXPECT_CONCLUDED:
        expect_concluded(run, expect);
        break;
    case EXPECT_GUEST_STALL:
        expect_guest_stall(run, expect);
        expect_guest_share(run, expect);
        break;
    case EXPECT_JOB_STILL:
        expect_job_still(run, expect);
        break;
    case EXPECT_GUEST_ON:
        expect_guest_on(run, expect);
        break;
    case EXPECT_DURABLE:
        expect_durable(run, expect);
        break;
    case EXPECT_BACKING:
    case EXPECT_LENGTH:
    case EXPECT_ALLOCATED:
        expect_disk(run, expect);
        break;
    case EXPECT_QUERY:
        expect_query(run, expect);
        break;
    }
}

/* Does this expectation say how the job ends? */
static bool names_the_end(const struct expect_spec *expect)
{
    if (expect->kind == EXPECT_RESULT || expect->kind == EXPECT_EVENTS) {
        return true;
    }
    for (uint32_t i = 0; i < expect->match_count; i++) {
        if (expect->matches[i].kinds & EVENT_BIT(JOB_COMPLETED)) {
            return true;
        }
    }
    return false;
}

/* Of today's generation a job that was cancelled has a result, too, but that is no failure. */
static bool is_cancelled(const struct event *end)
{
    return end->kind == EVENT_JOB_CANCELLED && end->ret == -ECANCELED;
}

/* Reports a job that failed although the plan does not expect it to. */
static void judge_unexpected_error(const struct run_end *run)
{
    const struct plan *plan = run->evidence->plan;
    const struct event *end = job_end(run);

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        if (names_the_end(&plan->expects[i])) {
            return;
        }
    }
    if (end != NULL && end->ret < 0 && !is_cancelled(end)) {
        verdict_add(run->evidence, FINDING_EXPECT_UNEXPECTED_ERROR,
                    "The job failed with %s at %s, and no expectation says that it should "
                    "(\"result\" or \"events\" would).",
                    phrase_result(end->ret).text, quantity_time(end->now_ns).text);
    }
}

/* In an untimed run instants have no meaning. */
static bool is_about_time(const struct expect_spec *expect)
{
    return expect->kind == EXPECT_WITHIN || expect->kind == EXPECT_NOT_BEFORE ||
           (expect->kind == EXPECT_GUEST_STALL && expect->errors < 0) ||
           expect->kind == EXPECT_JOB_STILL ||
           (expect->kind == EXPECT_CONCLUDED && expect->time_ns > 0);
}

void expect_judge(struct evidence *evidence, const struct trace *trace,
                  const struct final_state *final)
{
    struct run_end run = {evidence, trace, final};

    /* After a story that stopped, further findings would only repeat the first. */
    if (evidence->story_stopped) {
        vacuity_judge_stopped(&run);
        return;
    }
    if (evidence->end == END_FINDINGS) {
        return;
    }
    for (uint32_t i = 0; i < evidence->plan->expect_count; i++) {
        const struct expect_spec *expect = &evidence->plan->expects[i];

        if (!(evidence->plan->untimed && is_about_time(expect))) {
            judge(&run, expect);
        }
    }
    judge_unexpected_error(&run);
    vacuity_judge(&run);
}
