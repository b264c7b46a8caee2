/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Figures of a run, in one pass over its trace for the job and one for the guest.
 */
#include "sim/verdict/figures.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/range.h"

/* ---- The guest ---- */

static bool is_end_of_guest(const struct plan *plan, const struct event *event)
{
    bool is_modern = plan->generation == GENERATION_MODERN;

    return event->by == BY_GUEST &&
           event->kind == (is_modern ? EVENT_ANSWERED : EVENT_REQUEST_DONE);
}

static bool is_begin_of_guest(const struct event *event)
{
    return event->by == BY_GUEST &&
           (event->kind == EVENT_REQUEST_QUEUED || event->kind == EVENT_REQUEST_SUBMIT ||
            event->kind == EVENT_ARRIVE);
}

static uint32_t highest_request(const struct trace *trace)
{
    uint32_t highest = 0;

    for (uint64_t i = 0; i < trace->count; i++) {
        highest = trace->events[i].request > highest ? trace->events[i].request : highest;
    }
    return highest;
}

/* `since` has a place for each request: when it came, plus one; 0: not yet, or it is over. */
static uint64_t longest_of_guest(const struct plan *plan, const struct trace *trace,
                                 uint64_t *since, uint32_t requests, uint64_t end_ns)
{
    uint64_t longest_ns = 0;

    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        if (is_begin_of_guest(event) && since[event->request] == 0) {
            since[event->request] = event->now_ns + 1;
        } else if (is_end_of_guest(plan, event) && since[event->request] > 0) {
            longest_ns = max_u64(longest_ns, event->now_ns + 1 - since[event->request]);
            since[event->request] = 0;
        }
    }
    for (uint32_t i = 0; i < requests; i++) {
        if (since[i] > 0) {
            longest_ns = max_u64(longest_ns, end_ns + 1 - since[i]);
        }
    }
    return longest_ns;
}

static uint64_t guest_longest_ns(const struct plan *plan, const struct trace *trace,
                                 uint64_t end_ns)
{
    uint32_t requests = highest_request(trace) + 1;
    uint64_t *since = calloc(requests, sizeof(*since));
    uint64_t longest_ns;

    if (since == NULL) {
        abort();
    }
    longest_ns = longest_of_guest(plan, trace, since, requests, end_ns);
    free(since);
    return longest_ns;
}

/* ---- The job ---- */

struct watch {
    bool lives;
    bool parked;
    bool ready;
    bool told; /* to complete or to end */
    uint64_t since_ns;
    uint64_t since_event;
};

static bool has_to_get_on(const struct watch *watch)
{
    return watch->lives && !watch->parked && (!watch->ready || watch->told);
}

static bool is_sign_of_life(const struct event *event)
{
    switch (event->kind) {
    case EVENT_REQUEST_SUBMIT:
    case EVENT_REQUEST_DONE:
        return event->by == BY_JOB || event->by == BY_ACTIVE;
    case EVENT_JOB_STARTED:
    case EVENT_JOB_READY:
    case EVENT_JOB_ERROR:
    case EVENT_JOB_PAUSED:
    case EVENT_JOB_RESUMED:
    case EVENT_JOB_PENDING:
    case EVENT_JOB_COMPLETED:
    case EVENT_JOB_CANCELLED:
    case EVENT_COMMAND:
        return true;
    default:
        return false;
    }
}

static void end_span(const struct watch *watch, uint64_t now_ns, struct figures *figures)
{
    if (has_to_get_on(watch) && now_ns - watch->since_ns > figures->job_still_ns) {
        figures->job_still_ns = now_ns - watch->since_ns;
        figures->job_still_event = watch->since_event;
    }
}

/* Today's job that is pending waits for somebody, as one that is paused does. */
static void follow(struct watch *watch, const struct event *event)
{
    switch (event->kind) {
    case EVENT_JOB_STARTED:
        *watch = (struct watch){.lives = true};
        break;
    case EVENT_JOB_READY:
        watch->ready = true;
        break;
    case EVENT_JOB_PAUSED:
    case EVENT_JOB_PENDING:
        watch->parked = true;
        break;
    case EVENT_JOB_RESUMED:
        watch->parked = false;
        break;
    case EVENT_JOB_COMPLETED:
    case EVENT_JOB_CANCELLED:
        watch->lives = false;
        break;
    case EVENT_COMMAND:
        watch->told = watch->told || event->detail == VERB_COMPLETE || event->detail == VERB_CANCEL;
        break;
    default:
        break;
    }
}

static bool is_copy(const struct plan *plan, const struct event *event)
{
    return event->kind == EVENT_REQUEST_DONE && event->ret == 0 &&
           (event->by == BY_JOB || event->by == BY_ACTIVE) && event->op != OP_READ &&
           event->op != OP_FLUSH && event->node == plan->job.target;
}

struct figures figures_make(const struct plan *plan, const struct trace *trace, uint64_t end_ns)
{
    struct figures figures = {.guest_longest_ns = guest_longest_ns(plan, trace, end_ns)};
    struct watch watch = {.lives = false};

    assert(trace->keep);
    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        if (is_copy(plan, event)) {
            figures.copied_bytes += event->bytes;
        }
        if (is_sign_of_life(event)) {
            end_span(&watch, event->now_ns, &figures);
            follow(&watch, event);
            watch.since_ns = event->now_ns;
            watch.since_event = i;
        }
    }
    end_span(&watch, end_ns, &figures);
    return figures;
}
