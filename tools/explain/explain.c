/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the chain of a sector: what happened to it, event by event.
 */
#include "tools/explain/explain.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/explain/private.h"

#define OF_REQUEST                                                                        \
    (EVENT_BIT(REQUEST_QUEUED) | EVENT_BIT(REQUEST_SUBMIT) | EVENT_BIT(REQUEST_EFFECT) |  \
     EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) | EVENT_BIT(HELD) | EVENT_BIT(RELEASED) | \
     EVENT_BIT(JOB_ERROR))

void explanation_add(struct explanation *explanation, uint64_t number, const struct event *event,
                     char *text)
{
    struct explain_step *step;

    explanation->steps =
        must_grow(explanation->steps, explanation->count, sizeof(*explanation->steps));
    step = &explanation->steps[explanation->count++];
    *step = (struct explain_step){.event = number, .now_ns = event->now_ns, .text = text};
}

void explanation_free(struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->count; i++) {
        free(explanation->steps[i].text);
    }
    free(explanation->steps);
    free(explanation->state);
    free(explanation->sum);
}

/* ---- How far ---- */

static bool has_finding(const struct verdict *verdict, const struct run_finding *wanted)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (verdict->findings[i].id == wanted->id &&
            strcmp(verdict->findings[i].text, wanted->text) == 0) {
            return true;
        }
    }
    return false;
}

/* A run that crashes is followed up to the event before the crash. */
bool explain_step_world(struct one_run *run, const struct explain_subject *subject)
{
    const struct run_finding *finding = subject->finding;

    if (finding != NULL && finding_is(finding->id, FINDING_OF_PROCESS) &&
        run->trace.count >= finding->event_number) {
        return false;
    }
    if (finding != NULL && has_finding(world_evidence(run->world)->verdict, finding)) {
        return false;
    }
    return world_step(run->world);
}

/* ---- A sector ---- */

static uint64_t content(const struct follow *follow, uint32_t disk)
{
    struct view view;

    evidence_view(world_evidence(follow->run->world), disk, &view);
    return view_lookup(&view, follow->sector, follow->sector + 1).tag;
}

static struct phrase holds(const struct follow *follow, uint64_t tag)
{
    return phrase_tag(world_evidence(follow->run->world), tag, follow->sector);
}

static bool is_in_chain(const struct follow *follow, const struct event *event)
{
    uint64_t kind = UINT64_C(1) << event->kind;

    if (kind & OF_JOB) {
        return true;
    }
    if (event->kind == EVENT_DIRTY_CREATE || event->kind == EVENT_DIRTY_RELEASE) {
        return event->node == follow->source && event->by == BY_JOB;
    }
    if (event->kind == EVENT_DIRTY_SET || event->kind == EVENT_DIRTY_CLEAR) {
        return event->node == follow->source && event->index == follow->bitmap &&
               follow_covers(follow, event);
    }
    if (event->kind == EVENT_REQUEST_DONE && event->op == OP_FLUSH) {
        return event->by == BY_JOB;
    }
    return (kind & OF_REQUEST) && event->op != OP_STATUS &&
           (follow_covers(follow, event) ||
            (event->kind == EVENT_FAULT && event->ret != 0 && event->op == OP_FLUSH));
}

/* Guest reads change nothing; they only matter to findings of the oracle "guest". */
static bool is_idle_read(const struct follow *follow, const struct event *event)
{
    const struct run_finding *finding = follow->subject->finding;

    return event->request > 0 && event->by == BY_GUEST && event->op == OP_READ &&
           (finding == NULL || !finding_is(finding->id, FINDING_OF_GUEST));
}

/* Names what set the bit: the guest write before it in the same timeline event, or a failure. */
static char *set_in_words(const struct follow *follow, uint64_t first, uint64_t number)
{
    const struct trace *trace = &follow->run->trace;
    const struct event *event = &trace->events[number];
    char *name;
    char *text;

    for (uint64_t i = number; i > first; i--) {
        const struct event *before = &trace->events[i - 1];
        bool failed = before->kind == EVENT_REQUEST_DONE && before->ret != 0;
        bool wrote = event->by == BY_GUEST && before->by == BY_GUEST && before->request > 0;

        if ((failed || wrote) && follow_covers(follow, before)) {
            name = explain_request(follow->run, before->request);
            text = must_printf("the dirty bit of %s is set, %s %s",
                               phrase_range(event->offset, event->bytes).text,
                               failed ? "because it failed:" : "by", name);
            free(name);
            return text;
        }
    }
    return explain_event(follow->run, event);
}

static char *effect_in_words(struct follow *follow, const struct event *event)
{
    char *name = explain_request(follow->run, event->request);
    const char *disk = phrase_disk(world_evidence(follow->run->world), event->node);
    uint64_t before = event->node == follow->target ? follow->target_before : follow->source_before;
    uint64_t after = event->node == follow->target ? follow->target_tag : follow->source_tag;
    char *text;

    if (event->op == OP_READ) {
        text = must_printf("%s sees %s", name, holds(follow, before).text);
    } else if (event->node != follow->target && event->node != follow->source) {
        text = must_printf("%s takes effect on %s", name, disk);
    } else if (before == after) {
        text = must_printf("%s reaches %s, which holds %s as before", name, disk,
                           holds(follow, after).text);
    } else {
        text = must_printf("%s reaches %s: it now holds %s, no longer %s", name, disk,
                           holds(follow, after).text, holds(follow, before).text);
    }
    free(name);
    return text;
}

static char *power_cut_in_words(const struct follow *follow, const struct event *event)
{
    bool is_target = event->node == follow->target;
    uint64_t before = is_target ? follow->target_before : follow->source_before;
    uint64_t after = is_target ? follow->target_tag : follow->source_tag;

    if ((!is_target && event->node != follow->source) || before == after) {
        return explain_event(follow->run, event);
    }
    return must_printf("power cut of %s: it now holds %s, no longer %s",
                       phrase_disk(world_evidence(follow->run->world), event->node),
                       holds(follow, after).text, holds(follow, before).text);
}

static char *in_words(struct follow *follow, uint64_t first, uint64_t number)
{
    const struct event *event = &follow->run->trace.events[number];

    switch (event->kind) {
    case EVENT_DIRTY_SET:
        return set_in_words(follow, first, number);
    case EVENT_REQUEST_EFFECT:
        return effect_in_words(follow, event);
    case EVENT_POWER_CUT:
        return power_cut_in_words(follow, event);
    default:
        return explain_event(follow->run, event);
    }
}

/*
 * True for the success of a request whose effect is in the same timeline event:
 * not worth a line.
 */
static bool is_plain_end(const struct follow *follow, uint64_t first, uint64_t number)
{
    const struct trace *trace = &follow->run->trace;
    const struct event *event = &trace->events[number];

    if (event->kind != EVENT_REQUEST_DONE || event->ret != 0) {
        return false;
    }
    for (uint64_t i = first; i < number; i++) {
        if (trace->events[i].kind == EVENT_REQUEST_EFFECT &&
            trace->events[i].request == event->request) {
            return true;
        }
    }
    return false;
}

static const char *wrong_in_words(enum wrong_kind wrong)
{
    static const char *const words[] = {
        [WRONG_OLD_OVER_NEW] = "older content over newer; nothing marks the chunk again",
        [WRONG_FAILED] = "it failed, and nothing marks the chunk again",
        [WRONG_CLEARED] = "no copy in flight has read what the source holds now",
        [WRONG_UNMARKED] = "the source changes, and nothing marks the chunk after it",
        [WRONG_UNWATCHED] = "the source changes after the job has released its dirty bitmap",
        [WRONG_NOT_WRITTEN] = "it is acknowledged, but the target does not hold it",
        [WRONG_TARGET] = "something other than the job changes the target",
        [WRONG_ENDED] = "the sector was still to be copied",
        [WRONG_BITMAP_GONE] = "the sector was still to be copied",
    };

    return words[wrong];
}

/* Marks the step that went wrong; removes the mark if the sector has been repaired since. */
static void mark_wrong(struct follow *follow, uint64_t first, enum wrong_kind before)
{
    struct explanation *explanation = follow->explanation;

    if (follow->wrong.kind == before) {
        return;
    }
    for (size_t i = explanation->count; i > 0; i--) {
        struct explain_step *step = &explanation->steps[i - 1];
        const struct event *event = &follow->run->trace.events[step->event];

        step->wrong = NULL;
        if (follow->wrong.kind != WRONG_NOT && step->event >= first &&
            event->request == follow->wrong.request &&
            (event->request > 0 || step->now_ns == follow->wrong.ns)) {
            step->wrong = wrong_in_words(follow->wrong.kind);
            return;
        }
    }
}

static void follow_timeline_event(struct follow *follow, uint64_t first)
{
    const struct trace *trace = &follow->run->trace;
    enum wrong_kind before = follow->wrong.kind;

    follow->source_before = follow->source_tag;
    follow->target_before = follow->target_tag;
    follow->source_tag = content(follow, follow->source);
    follow->target_tag = content(follow, follow->target);
    for (uint64_t i = first; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        follow_event(follow, event);
        if (is_in_chain(follow, event) && !is_idle_read(follow, event) &&
            !is_plain_end(follow, first, i)) {
            char *text = in_words(follow, first, i);

            if (text != NULL) {
                explanation_add(follow->explanation, i, event, text);
            }
        }
    }
    follow_judge(follow, first);
    mark_wrong(follow, first, before);
}

static char *state_in_words(const struct follow *follow)
{
    const struct evidence *evidence = world_evidence(follow->run->world);
    const char *source = phrase_disk(evidence, follow->source);
    const char *target = phrase_disk(evidence, follow->target);

    return must_printf("At %s, %s holds %s at %s; %s holds %s%s.",
                       quantity_time(evidence->now_ns).text, target,
                       holds(follow, follow->target_tag).text, phrase_sector(follow->sector).text,
                       source, holds(follow, follow->source_tag).text,
                       follow->source_tag == follow->target_tag ? ", too" : "");
}

void explain_sector(struct one_run *run, const struct explain_subject *subject,
                    struct explanation *explanation)
{
    struct follow follow = {.run = run,
                            .subject = subject,
                            .explanation = explanation,
                            .sector = subject->sector,
                            .source = run->plan->job.source,
                            .target = run->plan->job.target};
    uint64_t first = 0;

    *explanation = (struct explanation){0};
    follow.source_tag = content(&follow, follow.source);
    follow.target_tag = content(&follow, follow.target);
    while (explain_step_world(run, subject)) {
        follow_timeline_event(&follow, first);
        first = run->trace.count;
    }
    follow_timeline_event(&follow, first);
    explanation->state = state_in_words(&follow);
    explanation->sum = follow_sum(&follow);
}

/* ---- All of it ---- */

void explain_answer(struct one_run *run, struct explain_subject *subject, struct answer *answer)
{
    const struct run_finding *finding = answer->finding;

    if (!subject->has_sector && finding != NULL && finding->has_sector) {
        subject->has_sector = true;
        subject->sector = finding->sector;
    }
    if (subject->has_sector && run->plan->job.target != PLAN_NONE) {
        explain_sector(run, subject, &answer->explanation);
    } else {
        explain_job(run, subject, &answer->explanation);
    }
    if (finding != NULL) {
        explain_without(run, answer->result, finding, &answer->without);
    }
}

void answer_free(struct answer *answer)
{
    explanation_free(&answer->explanation);
    without_list_free(&answer->without);
}
