/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations about events: which ones, how many, in what order, when.
 *
 * Declared in sim/verdict/expect.h: one group of the expectations.
 */
#include "sim/verdict/expect.h"

#include <inttypes.h>

#include "sim/trace/phrase.h"

static struct quantity_text at(const struct run_end *run, uint64_t number)
{
    return quantity_time(run->trace->events[number].now_ns);
}

/* Finds the first event from *number on that is of one of `kinds`; false if there is none. */
static bool next_of_kinds(const struct trace *trace, uint64_t kinds, uint64_t *number)
{
    while (*number < trace->count && !(kinds >> trace->events[*number].kind & 1)) {
        ++*number;
    }
    return *number < trace->count;
}

/* Finds the first event from *number on that matches; false if there is none. */
static bool next_match(const struct trace *trace, const struct event_match *match, uint64_t *number)
{
    while (*number < trace->count && !event_matches(match, &trace->events[*number])) {
        ++*number;
    }
    return *number < trace->count;
}

/* ---- Exactly these reports ---- */

static bool lists_status(const struct expect_spec *expect)
{
    for (uint32_t i = 0; i < expect->match_count; i++) {
        if (expect->matches[i].kinds == EVENT_BIT(JOB_STATUS)) {
            return true;
        }
    }
    return false;
}

void expect_job_events(const struct run_end *run, const struct expect_spec *expect)
{
    const struct trace *trace = run->trace;
    uint64_t reports = job_reports(lists_status(expect));
    struct finding *finding;
    uint64_t number = 0;

    for (uint32_t i = 0; i < expect->match_count; i++, number++) {
        const struct event_match *match = &expect->matches[i];

        if (!next_of_kinds(trace, reports, &number)) {
            expect_failed(run, expect, FINDING_EXPECT_EVENTS,
                          "The job was expected to report %s as number %" PRIu32 " of %" PRIu32
                          ", but it reported no more.",
                          phrase_match(run->evidence, match).text, i + 1, expect->match_count);
            return;
        }
        if (!event_matches(match, &trace->events[number])) {
            finding = expect_failed(
                run, expect, FINDING_EXPECT_EVENTS,
                "The job was expected to report %s as number %" PRIu32 " of %" PRIu32
                ", but it reported %s at %s.",
                phrase_match(run->evidence, match).text, i + 1, expect->match_count,
                phrase_event(run->evidence, &trace->events[number]).text, at(run, number).text);
            expect_locate(finding, trace, number);
            return;
        }
    }
    if (next_of_kinds(trace, reports, &number)) {
        finding = expect_failed(run, expect, FINDING_EXPECT_EVENTS,
                                "The job was expected to report nothing after number %" PRIu32
                                ", but it reported %s at %s.",
                                expect->match_count,
                                phrase_event(run->evidence, &trace->events[number]).text,
                                at(run, number).text);
        expect_locate(finding, trace, number);
    }
}

/* ---- These among others ---- */

void expect_in_order(const struct run_end *run, const struct expect_spec *expect)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < expect->match_count; i++, number++) {
        const struct event_match *match = &expect->matches[i];

        if (!next_match(run->trace, match, &number)) {
            expect_failed(run, expect, FINDING_EXPECT_ORDER,
                          "Event %s was expected%s%s, but it did not happen%s.",
                          phrase_match(run->evidence, match).text, i > 0 ? " after " : "",
                          i > 0 ? phrase_match(run->evidence, match - 1).text : "",
                          i > 0 ? " then" : "");
            return;
        }
    }
}

void expect_never(const struct run_end *run, const struct expect_spec *expect)
{
    for (uint32_t i = 0; i < expect->match_count; i++) {
        uint64_t number = 0;

        if (next_match(run->trace, &expect->matches[i], &number)) {
            struct finding *finding =
                expect_failed(run, expect, FINDING_EXPECT_NEVER,
                              "Event %s was never to happen, but %s did at %s.",
                              phrase_match(run->evidence, &expect->matches[i]).text,
                              phrase_event(run->evidence, &run->trace->events[number]).text,
                              at(run, number).text);

            expect_locate(finding, run->trace, number);
        }
    }
}

/* An event counts once, even if several matches fit it. */
static bool matches_any(const struct expect_spec *expect, const struct event *event)
{
    for (uint32_t i = 0; i < expect->match_count; i++) {
        if (event_matches(&expect->matches[i], event)) {
            return true;
        }
    }
    return false;
}

void expect_count(const struct run_end *run, const struct expect_spec *expect)
{
    bool exactly = expect->kind == EXPECT_COUNT;
    uint64_t count = 0;

    for (uint64_t i = 0; i < run->trace->count; i++) {
        count += matches_any(expect, &run->trace->events[i]);
    }
    if (exactly ? count != expect->count : count > expect->count) {
        expect_failed(run, expect, exactly ? FINDING_EXPECT_COUNT : FINDING_EXPECT_AT_MOST,
                      "Event %s was expected %s %" PRIu64 " times, but it happened %" PRIu64
                      " times.",
                      phrase_match(run->evidence, &expect->matches[0]).text,
                      exactly ? "exactly" : "at most", expect->count, count);
    }
}

/* ---- When ---- */

void expect_instant(const struct run_end *run, const struct expect_spec *expect)
{
    const struct event_match *match = &expect->matches[0];
    bool latest = expect->kind == EXPECT_WITHIN;
    enum finding_id id = latest ? FINDING_EXPECT_WITHIN : FINDING_EXPECT_NOT_BEFORE;
    uint64_t number = 0;
    uint64_t now_ns;
    struct finding *finding;

    if (!next_match(run->trace, match, &number)) {
        expect_failed(run, expect, id, "Event %s was expected %s %s, but it never happened.",
                      phrase_match(run->evidence, match).text, latest ? "by" : "no sooner than",
                      quantity_time(expect->time_ns).text);
        return;
    }
    now_ns = run->trace->events[number].now_ns;
    if (latest ? now_ns > expect->time_ns : now_ns < expect->time_ns) {
        finding =
            expect_failed(run, expect, id, "Event %s was expected %s %s, but it happened at %s.",
                          phrase_match(run->evidence, match).text, latest ? "by" : "no sooner than",
                          quantity_time(expect->time_ns).text, quantity_time(now_ns).text);
        expect_locate(finding, run->trace, number);
    }
}
