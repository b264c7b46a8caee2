/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "liveness": the run comes to an end, and the job makes progress.
 *
 * A run that ends at a limit, or with nothing pending and a job that has not
 * concluded, is a finding that says what the job was waiting for.  With
 * `ready_within_ns` in the plan, a job that is neither paused nor cancelled
 * becomes ready within that time after the last fault and the last guest write.
 *
 * In today's generation an error does not end readiness (E1'), a guest request is over when the
 * guest has its answer, and a job that is pending stays so until somebody says finalize.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include "sim/oracle/liveness.h"
#include "engine/interposer.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

static bool is_modern(const struct evidence *evidence)
{
    return evidence->plan->generation == GENERATION_MODERN;
}

/* ---- READY in time ---- */

static bool ready_is_due(const struct liveness *live)
{
    return live->alive && !live->ready && !live->parked && !live->cancelled;
}

static void judge_ready(struct liveness *live, struct evidence *evidence)
{
    uint64_t bound_ns = evidence->plan->limits.ready_within_ns;

    if (bound_ns == 0 || live->overdue || !ready_is_due(live)) {
        return;
    }
    verdict_checked(evidence);
    if (evidence->now_ns - live->quiet_since_ns > bound_ns) {
        live->overdue = true;
        verdict_add(evidence, FINDING_LIVENESS_READY_OVERDUE,
                    "The job was not ready by %s, though nothing has disturbed it since %s; "
                    "it had %s.",
                    quantity_time(evidence->now_ns).text, quantity_time(live->quiet_since_ns).text,
                    quantity_time(bound_ns).text);
    }
}

/* Judges READY by the state before this event, then restarts the time. */
static void disturbed(struct liveness *live, struct evidence *evidence)
{
    judge_ready(live, evidence);
    live->quiet_since_ns = evidence->now_ns;
}

/* ---- Events ---- */

static void begin(struct liveness *live)
{
    live->ready = false;
    live->parked = false;
    live->cancelled = false;
    live->completing = false;
    live->pending = false;
}

/* Today's job exists, and takes commands, before it has started. */
static void became(void *state, struct evidence *evidence, const struct event *event)
{
    (void)evidence;
    if (event->detail2 == JOB_STATUS_CREATED) {
        begin(state);
    }
}

static void job_said(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    disturbed(live, evidence);
    live->has_spoken = true;
    live->last_word = event->kind;
    live->last_word_ns = evidence->now_ns;
    switch (event->kind) {
    case EVENT_JOB_STARTED:
        if (!is_modern(evidence)) {
            begin(live);
        }
        live->alive = true;
        break;
    case EVENT_JOB_PENDING:
        live->pending = true;
        break;
    case EVENT_JOB_READY:
    case EVENT_JOB_ERROR:
        live->ready = event->kind == EVENT_JOB_READY || (live->ready && is_modern(evidence));
        live->overdue = false;
        break;
    case EVENT_JOB_PAUSED:
    case EVENT_JOB_RESUMED:
        live->parked = event->kind == EVENT_JOB_PAUSED;
        live->last_disturbed = evidence->event_number + 1;
        break;
    default: /* completed or cancelled */
        live->alive = false;
        break;
    }
}

static uint32_t *count_of(struct liveness *live, const struct event *event)
{
    return event->by == BY_GUEST ? &live->guest_requests : &live->job_requests;
}

/* Has arrived, or queues in a drained section first. */
static void came(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    if (outstanding_find(&live->guests, event->request) == NULL) {
        outstanding_add(&live->guests, evidence->arena, event);
        live->guests.requests[live->guests.count - 1].moved = evidence->now_ns;
    }
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    (void)evidence;
    outstanding_remove(&live->guests, event->request);
}

static void queued(void *state, struct evidence *evidence, const struct event *event)
{
    if (is_modern(evidence)) {
        came(state, evidence, event);
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    (void)evidence;
    ++*count_of(state, event);
}

static bool is_guest_write(const struct event *event)
{
    return event->by == BY_GUEST && event->op != OP_READ && event->op != OP_FLUSH;
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;
    uint32_t *count = count_of(live, event);

    *count -= *count > 0;
    live->is_stopped = live->is_stopped && live->stopped.request != event->request;
    if (is_guest_write(event)) {
        disturbed(live, evidence);
        live->last_write = evidence->event_number + 1;
    }
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;
    enum fault_kind kind = evidence->plan->faults[event->index].kind;

    disturbed(live, evidence);
    live->last_disturbed = evidence->event_number + 1;
    if (event->kind == EVENT_HELD || kind == FAULT_HANG) {
        live->is_stopped = true;
        live->stopped = *event;
    }
}

static void released(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    disturbed(live, evidence);
    live->last_disturbed = evidence->event_number + 1;
    live->is_stopped = live->is_stopped && live->stopped.request != event->request;
}

static void finalized(struct liveness *live, const struct event *event)
{
    live->pending = live->pending && event->detail != VERB_FINALIZE && event->detail != VERB_CANCEL;
}

/* A cancelled job need not become ready. */
static void commanded(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    disturbed(live, evidence);
    live->last_disturbed = evidence->event_number + 1;
    live->cancelled = live->cancelled || event->detail == VERB_CANCEL;
    live->told_before = live->completing;
    finalized(live, event);
    live->completing = live->completing || event->detail == VERB_COMPLETE;
}

/*
 * Takes the command back. `cancelled` stays: a cancel is only refused if no job
 * could become ready.
 */
static void refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    (void)evidence;
    if (event->detail == VERB_COMPLETE) {
        live->completing = live->told_before;
    }
}

static void drain_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    if (is_modern(evidence)) {
        return; /* its sections are told by themselves */
    }
    if (event->kind == EVENT_DRAIN_BEGIN) {
        live->last_drain = evidence->event_number + 1;
    }
    live->is_draining = event->kind == EVENT_DRAIN_BEGIN;
    live->drained_node = event->node;
    live->drain_ns = evidence->now_ns;
}

static void section_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    if (event->detail == SECTION_BEGUN && event->by == BY_JOB) {
        live->last_drain = evidence->event_number + 1;
    }
    live->is_draining = event->detail != SECTION_ENDED;
    live->drained_node = event->index == LIVENESS_ALL_NODES ? LIVENESS_ALL_NODES : event->node;
    live->drain_ns = evidence->now_ns;
}

/* ---- The whole ---- */

static void liveness_close(void *state, struct evidence *evidence)
{
    struct liveness *live = state;

    if (live->has_spoken) {
        verdict_checked(evidence);
    }
    judge_ready(live, evidence);
    liveness_judge_end(live, evidence);
}

static void liveness_digest(const void *state, const struct evidence *evidence,
                            struct digest *digest)
{
    const struct liveness *live = state;
    bool times = evidence->plan->limits.ready_within_ns > 0;

    digest_flags(digest, live->alive, live->ready, live->parked, live->cancelled, live->completing,
                 live->overdue, live->pending);
    digest_u64(digest, times ? evidence->now_ns - live->quiet_since_ns : 0);
}

const struct oracle oracle_liveness = {
    .id = ORACLE_LIVENESS,
    .proves = "The run comes to an end, and the job becomes ready in time.",
    .state_bytes = sizeof(struct liveness),
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = hit,
            [EVENT_HELD] = hit,
            [EVENT_RELEASED] = released,
            [EVENT_REQUEST_QUEUED] = queued,
            [EVENT_ARRIVE] = came,
            [EVENT_ANSWERED] = answered,
            [EVENT_SECTION] = section_event,
            [EVENT_JOB_PENDING] = job_said,
            [EVENT_JOB_STATUS] = became,
            [EVENT_DRAIN_BEGIN] = drain_event,
            [EVENT_DRAINED] = drain_event,
            [EVENT_DRAIN_END] = drain_event,
            [EVENT_COMMAND] = commanded,
            [EVENT_COMMAND_REFUSED] = refused,
            [EVENT_JOB_STARTED] = job_said,
            [EVENT_JOB_READY] = job_said,
            [EVENT_JOB_ERROR] = job_said,
            [EVENT_JOB_PAUSED] = job_said,
            [EVENT_JOB_RESUMED] = job_said,
            [EVENT_JOB_COMPLETED] = job_said,
            [EVENT_JOB_CANCELLED] = job_said,
        },
    .repeats = liveness_repeats,
    .close = liveness_close,
    .digest = liveness_digest,
};
