/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the chain of a finding without a sector: the job's life up to it.
 *
 * Declared in tools/explain/explain.h: one of the two kinds of chains.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/explain/explain.h"
#include "tools/explain/private.h"

/* The last events before a finding without a sector are all shown, not only those of the job. */
#define LAST_EVENTS 20

/* Requests that are still in flight show what the job waits for. */
static char *waiting_in_words(const struct one_run *run)
{
    struct request_info requests[4];
    uint32_t count = world_requests(run->world, requests, 4);
    bool lives = world_job(run->world, &(struct job_info){0});
    char *text = count > 0 ? must_strdup("Not finished:")
                 : lives   ? must_strdup("No request is in flight")
                           : NULL;

    for (uint32_t i = 0; i < count && i < 4; i++) {
        char *name = explain_request(run, requests[i].number);
        char *longer = must_printf("%s%s %s of %s, since %s, %s", text, i > 0 ? ";" : "", name,
                                   phrase_disk(world_evidence(run->world), requests[i].disk),
                                   quantity_time(requests[i].submitted_ns).text, requests[i].state);

        free(name);
        free(text);
        text = longer;
    }
    if (count > 4) {
        char *longer = must_printf("%s; and %" PRIu32 " more", text, count - 4);

        free(text);
        text = longer;
    }
    if (text != NULL) {
        char *longer = must_printf("%s.", text);

        free(text);
        text = longer;
    }
    return text;
}

/* The trace of a run that died does not contain the event it died of. */
static const char *death_in_words(const struct explain_subject *subject)
{
    return subject->finding != NULL && finding_is(subject->finding->id, FINDING_OF_PROCESS)
               ? " The run died in the next event."
               : "";
}

/*
 * ", in phase wait-buffers since 0s", with the engine's own name of the phase;
 * the caller frees it.
 */
static char *phase_in_words(const struct one_run *run)
{
    for (uint64_t i = run->trace.count; i > 0; i--) {
        const struct event *event = &run->trace.events[i - 1];

        if (event->kind == EVENT_JOB_PHASE) {
            return must_printf(", in phase %s since %s", run->engine->phase_name(event->detail2),
                               quantity_time(event->now_ns).text);
        }
    }
    return must_strdup("");
}

static char *job_state_in_words(const struct one_run *run, const struct explain_subject *subject)
{
    const struct evidence *evidence = world_evidence(run->world);
    struct job_info job;
    bool lives = world_job(run->world, &job);
    char *phase;
    char *text;

    if (!lives && !world_last_job(run->world, &job)) {
        return must_printf("At %s there is no job yet.%s", quantity_time(evidence->now_ns).text,
                           death_in_words(subject));
    }
    phase = lives ? phase_in_words(run) : must_strdup("");
    text = must_printf("At %s the job is %s%s%s: copied %s of %s%s%s%s%s.%s",
                       quantity_time(evidence->now_ns).text, job_status_name(job.status),
                       lives ? "" : " and gone", phase, quantity_size(job.offset).text,
                       quantity_size(job.len).text, job.busy ? ", busy" : "",
                       job.paused ? ", paused" : "", job.ready ? ", ready" : "",
                       job.cancelled ? ", cancelled" : "", death_in_words(subject));
    free(phase);
    return text;
}

#define OF_LIFE                                                                                 \
    (OF_JOB | EVENT_BIT(JOB_ERROR) | EVENT_BIT(FAULT) | EVENT_BIT(HELD) | EVENT_BIT(RELEASED) | \
     EVENT_BIT(DRAIN_BEGIN) | EVENT_BIT(DRAINED) | EVENT_BIT(DIRTY_CREATE) |                    \
     EVENT_BIT(DIRTY_RELEASE))

static bool is_of_life(const struct event *event)
{
    uint64_t kind = UINT64_C(1) << event->kind;

    return (kind & OF_LIFE) != 0 || (event->kind == EVENT_REQUEST_DONE && event->by == BY_JOB &&
                                     (event->ret != 0 || event->op == OP_FLUSH));
}

void explain_job(struct one_run *run, const struct explain_subject *subject,
                 struct explanation *explanation)
{
    *explanation = (struct explanation){0};
    while (explain_step_world(run, subject)) {
    }
    for (uint64_t i = 0; i < run->trace.count; i++) {
        const struct event *event = &run->trace.events[i];
        bool is_late = i + LAST_EVENTS >= run->trace.count;
        char *text = is_late || is_of_life(event) ? explain_event(run, event) : NULL;

        if (text != NULL) {
            explanation_add(explanation, i, event, text);
        }
    }
    explanation->state = job_state_in_words(run, subject);
    explanation->sum = waiting_in_words(run);
}
