/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two engines on one plan, step for step.
 */
#include "tools/run/compare.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/base/text.h"

#define NOTHING "nothing more"

/* ---- Steps ---- */

static bool is_request(const struct event *event)
{
    return (event->kind == EVENT_REQUEST_SUBMIT || event->kind == EVENT_REQUEST_DONE) &&
           event->by == BY_JOB && event->op <= OP_FLUSH;
}

static bool is_step(const struct event *event)
{
    return is_request(event) || event->kind == EVENT_JOB_READY || event->kind == EVENT_JOB_ERROR ||
           event->kind == EVENT_JOB_COMPLETED || event->kind == EVENT_JOB_CANCELLED;
}

/* The next step of a trace, at which *next is then; NULL at its end. */
static const struct event *next_step(const struct trace *trace, uint64_t *next)
{
    while (*next < trace->count && !is_step(&trace->events[*next])) {
        ++*next;
    }
    return *next < trace->count ? &trace->events[*next] : NULL;
}

/* The parts of a step on which both engines must agree. */
static struct event essence(const struct event *event)
{
    struct event essence = {.now_ns = event->now_ns, .kind = event->kind, .ret = event->ret};

    if (is_request(event)) {
        essence.node = event->node;
        essence.op = event->op;
        essence.offset = event->offset;
        essence.bytes = event->bytes;
    } else if (event->kind == EVENT_JOB_ERROR) {
        essence.op = event->op;
        essence.detail = event->detail;
    }
    return essence;
}

static bool is_same(const struct event *a, const struct event *b)
{
    const struct event essences[] = {essence(a), essence(b)};

    return memcmp(&essences[0], &essences[1], sizeof(struct event)) == 0;
}

/* ---- Comparing ---- */

/* Squeezes the columns of a trace's line, which stands in a sentence. */
static void squeeze(char *line)
{
    char *to = line;

    for (const char *from = line; *from != '\0'; from++) {
        if (!isspace((unsigned char)*from) || (to > line && to[-1] != ' ')) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void tell(const struct comparer *comparer, uint32_t side, const struct event *event)
{
    char *line = comparer->comparison->lines[side];

    if (event == NULL) {
        text_copy(line, COMPARISON_LINE_BYTES, NOTHING);
    } else {
        char buf[512];

        trace_format_text(&comparer->names[side], event, buf, sizeof(buf));
        squeeze(buf);
        text_copy(line, COMPARISON_LINE_BYTES, buf);
    }
}

void comparer_begin(struct comparer *comparer, const struct plan *plan, const struct leg *first,
                    const struct leg *second, struct run_comparison *comparison)
{
    const struct xfail_spec *xfail = verdict_xfail(plan, second->engine->name, ORACLE_COMPARE);

    *comparison = (struct run_comparison){
        .may_differ = xfail != NULL,
        .must_differ = xfail != NULL && xfail->oracle != NULL,
    };
    run_name_bug(comparison->bug, xfail);
    *comparer = (struct comparer){
        .names = {{plan, first->engine}, {plan, second->engine}},
        .traces = {&first->trace, &second->trace},
        .comparison = comparison,
    };
    tell(comparer, 0, next_step(comparer->traces[0], &comparer->next[0]));
}

/* The line of the first engine is always there: the second may die at any time. */
static void meet(struct comparer *comparer, const struct event *first, const struct event *second)
{
    struct run_comparison *comparison = comparer->comparison;

    comparison->now_ns = second != NULL ? second->now_ns : first->now_ns;
    if (first != NULL && second != NULL && is_same(first, second)) {
        comparison->equal++;
        comparer->next[0]++;
        comparer->next[1]++;
        tell(comparer, 0, next_step(comparer->traces[0], &comparer->next[0]));
    } else {
        comparison->differs = true;
        tell(comparer, 1, second);
    }
}

void comparer_look(struct comparer *comparer)
{
    const struct event *second;

    while (!comparer->comparison->differs &&
           (second = next_step(comparer->traces[1], &comparer->next[1])) != NULL) {
        meet(comparer, next_step(comparer->traces[0], &comparer->next[0]), second);
    }
}

void comparer_end(struct comparer *comparer)
{
    const struct event *first;

    comparer_look(comparer);
    first = next_step(comparer->traces[0], &comparer->next[0]);
    if (!comparer->comparison->differs && first != NULL) {
        meet(comparer, first, NULL);
    }
}

void comparison_died(struct run_comparison *comparison, uint64_t now_ns, const char *how)
{
    if (!comparison->differs) {
        comparison->differs = true;
        comparison->now_ns = now_ns;
        text_copy(comparison->lines[1], COMPARISON_LINE_BYTES, how);
    }
}

/* ---- What it comes to ---- */

/* An outcome that the first engine has, too, is no difference. */
static enum compared judge(const struct run_result *first, const struct run_result *second,
                           const struct run_comparison *comparison)
{
    bool passes = second->outcome == OUTCOME_PASS || second->outcome == OUTCOME_XPASS;

    if (!comparison->differs && (passes || second->outcome == first->outcome)) {
        return COMPARED_SAME;
    }
    return second->outcome == OUTCOME_XFAIL || second->outcome == OUTCOME_XPASS ||
                   (passes && comparison->may_differ)
               ? COMPARED_KNOWN
               : COMPARED_DIFFERENT;
}

static enum outcome outcome_of(enum compared compared, const struct run_result *first,
                               const struct run_result *second)
{
    if (outcome_is_bad(first->outcome)) {
        return first->outcome;
    }
    if (second->outcome == OUTCOME_INVALID) {
        return OUTCOME_INVALID;
    }
    switch (compared) {
    case COMPARED_KNOWN:
        return OUTCOME_XFAIL;
    case COMPARED_DIFFERENT:
        return OUTCOME_FAIL;
    case COMPARED_SAME:
    case COMPARED_NOT:
        break;
    }
    return second->outcome == OUTCOME_XPASS || first->comparison.must_differ ? OUTCOME_XPASS
                                                                             : first->outcome;
}

static void add_difference(const struct suite *suite, struct run_result *result)
{
    const struct run_comparison *comparison = &result->comparison;
    struct run_finding *finding = run_result_add(
        result, FINDING_COMPARE_DIFFERS, "After %" PRIu64 " equal steps, %s: \"%s\"; %s: \"%s\".",
        comparison->equal, suite_entry_of(suite, result->number)->engine->name,
        comparison->lines[0], suite->compared->name, comparison->lines[1]);

    if (finding != NULL) {
        finding->about = ABOUT_BOTH;
        finding->now_ns = comparison->now_ns;
    }
}

void comparison_conclude(const struct suite *suite, struct run_result *result,
                         const struct run_comparison *comparison, const struct run_result *second)
{
    enum compared compared = judge(result, second, comparison);

    result->comparison = *comparison;
    result->comparison.compared = compared;
    result->outcome = outcome_of(compared, result, second);
    result->died = second->died;
    memcpy(result->stack, second->stack, sizeof(result->stack));
    result->is_half = false;
    if (comparison->differs) {
        add_difference(suite, result);
    }
    if (compared == COMPARED_SAME) {
        return;
    }
    text_copy(result->bug, sizeof(result->bug),
              *second->bug != '\0' ? second->bug : comparison->bug);
    for (uint32_t i = 0; i < second->finding_count && result->finding_count < RUN_MAX_FINDINGS;
         i++) {
        struct run_finding *finding = &result->findings[result->finding_count++];

        *finding = second->findings[i];
        finding->about = ABOUT_COMPARED;
    }
}

/* ---- All of them ---- */

static void count_bug(struct compare_tally *tally, const char *bug)
{
    uint32_t at = 0;

    while (at < tally->bug_count && strverscmp(tally->bugs[at].name, bug) < 0) {
        at++;
    }
    if (at == tally->bug_count || strcmp(tally->bugs[at].name, bug) != 0) {
        if (tally->bug_count == COMPARE_MAX_BUGS) {
            return;
        }
        memmove(&tally->bugs[at + 1], &tally->bugs[at],
                (tally->bug_count++ - at) * sizeof(tally->bugs[0]));
        tally->bugs[at].runs = 0;
        text_copy(tally->bugs[at].name, RUN_BUG_BYTES, bug);
    }
    tally->bugs[at].runs++;
}

void compare_tally_add(struct compare_tally *tally, const struct run_result *result)
{
    switch (result->comparison.compared) {
    case COMPARED_NOT:
        tally->not_compared++;
        break;
    case COMPARED_SAME:
        tally->same += result->outcome != OUTCOME_XPASS;
        tally->unexpectedly_same += result->outcome == OUTCOME_XPASS;
        break;
    case COMPARED_KNOWN:
        tally->known++;
        count_bug(tally, result->bug);
        break;
    case COMPARED_DIFFERENT:
        tally->different++;
        break;
    }
}

const char *compared_name(const struct run_result *result)
{
    switch (result->comparison.compared) {
    case COMPARED_SAME:
        return result->outcome == OUTCOME_XPASS ? "unexpectedly same" : "same";
    case COMPARED_KNOWN:
        return "differs as known";
    case COMPARED_DIFFERENT:
        return "differs";
    case COMPARED_NOT:
        break;
    }
    return "not compared";
}
