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
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/interposer.h"
#include "sim/model/outstanding.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct liveness {
    bool has_spoken; /* the job has reported something */
    bool alive;
    bool ready;
    bool parked;
    bool cancelled;
    bool completing;   /* a complete has been given */
    bool told_before;  /* `completing` before the last command, in case that is refused */
    bool overdue;      /* a late READY has been reported */
    uint8_t last_word; /* event kind of the job's last report */
    uint64_t last_word_ns;
    uint64_t quiet_since_ns;
    uint32_t job_requests; /* in flight */
    uint32_t guest_requests;
    bool is_draining; /* `drained_node` is being drained, since `drain_ns` */
    uint8_t drained_node;
    uint64_t drain_ns;
    bool is_stopped; /* a fault holds or hangs the request `stopped` */
    struct event stopped;

    /* Today's generation only. */
    bool pending;                   /* waits for finalize */
    struct outstanding_list guests; /* without an answer; `moved`: when they came */
};

#define ALL_NODES 0xff

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
    }
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;
    enum fault_kind kind = evidence->plan->faults[event->index].kind;

    disturbed(live, evidence);
    if (event->kind == EVENT_HELD || kind == FAULT_HANG) {
        live->is_stopped = true;
        live->stopped = *event;
    }
}

static void released(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    disturbed(live, evidence);
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
    live->is_draining = event->kind == EVENT_DRAIN_BEGIN;
    live->drained_node = event->node;
    live->drain_ns = evidence->now_ns;
}

static void section_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct liveness *live = state;

    live->is_draining = event->detail != SECTION_ENDED;
    live->drained_node = event->index == ALL_NODES ? ALL_NODES : event->node;
    live->drain_ns = evidence->now_ns;
}

/* ---- The end of the run ---- */

struct story {
    char text[FINDING_TEXT_BYTES];
    size_t length;
};

/* Appends to the text; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void tell(struct story *story, const char *format, ...)
{
    size_t room = sizeof(story->text) - story->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(story->text + story->length, room, format, args);
    va_end(args);
    if (length > 0) {
        story->length += (size_t)length < room ? (size_t)length : room - 1;
    }
}

static const char *state_word(const struct liveness *live)
{
    if (!live->alive) {
        return "gone";
    }
    if (live->pending) {
        return "pending";
    }
    if (live->parked) {
        return "paused";
    }
    if (live->ready) {
        return live->cancelled ? "ready and cancelled" : "ready";
    }
    return live->cancelled ? "not ready and cancelled" : "not ready";
}

/* What the job and the world were waiting for. */
static struct story what_was_pending(const struct liveness *live, const struct evidence *evidence)
{
    struct story story = {.length = 0};
    const struct event *stopped = &live->stopped;

    if (live->has_spoken) {
        tell(&story, "the job was %s, and last reported \"%s\" at %s", state_word(live),
             event_kind_name((enum event_kind)live->last_word),
             quantity_time(live->last_word_ns).text);
    } else {
        tell(&story, "there never was a job");
    }
    if (live->job_requests + live->guest_requests == 0) {
        tell(&story, "; no request is in flight");
    } else {
        tell(&story, "; in flight: %" PRIu32 " of the job, %" PRIu32 " of the guest",
             live->job_requests, live->guest_requests);
    }
    if (live->guests.count > 0) {
        const struct outstanding *guest = &live->guests.requests[0];

        tell(&story, "; guest %s #%" PRIu32 " has had no answer since %s",
             op_name((enum op)guest->op), guest->number, quantity_time(guest->moved).text);
    }
    if (live->is_draining && live->drained_node >= PLAN_MAX_DISKS) {
        tell(&story, "; a drained section over %s has not ended since %s",
             live->drained_node == ALL_NODES ? "everything" : "the filter",
             quantity_time(live->drain_ns).text);
    } else if (live->is_draining) {
        tell(&story, "; the drain of %s has not ended since %s",
             phrase_disk(evidence, live->drained_node), quantity_time(live->drain_ns).text);
    }
    if (live->is_stopped) {
        tell(&story, "; fault %s keeps %s%s of %s", evidence->plan->faults[stopped->index].name,
             op_name(event_op(stopped)), phrase_number(stopped->request).text,
             phrase_disk(evidence, stopped->node));
    }
    if (evidence->job_waits != NULL) {
        tell(&story, "; %s", evidence->job_waits);
    }
    return story;
}

/* The job waits for a command that will not come, and flushes now and then. */
static bool is_followed_for_ever(const struct liveness *live)
{
    return live->alive && live->ready && !live->parked && !live->cancelled && !live->completing &&
           !live->is_stopped && live->guest_requests == 0;
}

/* Nobody has told the job how to end, and it may wait for that for ever. */
static bool waits_for_word(const struct liveness *live, const struct evidence *evidence)
{
    bool is_idle = live->alive && live->ready && !live->parked && !live->cancelled &&
                   !live->completing && !live->is_stopped;

    return is_modern(evidence) && (live->pending || is_idle);
}

static void report_untold(const struct liveness *live, struct evidence *evidence)
{
    verdict_add(evidence, FINDING_LIVENESS_NEVER_TOLD,
                live->pending
                    ? "The story is over, but the job is still pending: nobody has told it to "
                      "finalize or to cancel, and the guest's requests would queue for ever."
                    : "The story is over, but the job is still ready: nobody has told it to "
                      "complete or to cancel, and it would follow the guest for ever.");
}

static void judge_end(const struct liveness *live, struct evidence *evidence)
{
    const struct limits_spec *limits = &evidence->plan->limits;
    struct story pending;

    if (evidence->end == END_NOT || evidence->end == END_CONCLUDED ||
        evidence->end == END_FINDINGS) {
        return;
    }
    pending = what_was_pending(live, evidence);
    switch (evidence->end) {
    case END_DEADLOCK:
        if (waits_for_word(live, evidence)) {
            if (!evidence->story_stopped) {
                report_untold(live, evidence);
            }
            break;
        }
        verdict_add(evidence, FINDING_LIVENESS_DEADLOCK,
                    "Nothing will ever happen again, but the %s has not ended: %s.",
                    live->alive ? "job" : "story", pending.text);
        break;
    case END_LIVELOCK:
        verdict_add(evidence, FINDING_LIVENESS_LIVELOCK,
                    "%" PRIu64 " events went by without virtual time passing: %s.",
                    limits->events_at_once, pending.text);
        break;
    case END_TIME:
        if (is_followed_for_ever(live) && evidence->story_stopped) {
            break; /* already a finding: the steps not run would have ended the job */
        }
        if (is_followed_for_ever(live)) {
            verdict_add(evidence, FINDING_LIVENESS_NEVER_TOLD,
                        "The story is over, but the job is still ready: nobody has told it to "
                        "complete or to cancel, and it would follow the guest for ever.");
            break;
        }
        verdict_add(evidence, FINDING_LIVENESS_TIME_LIMIT, "The run did not end within %s: %s.",
                    quantity_time(limits->time_ns).text, pending.text);
        break;
    case END_EVENTS:
        verdict_add(evidence, FINDING_LIVENESS_EVENT_LIMIT,
                    "The run did not end within %" PRIu64 " events: %s.", limits->events,
                    pending.text);
        break;
    case END_NOT:
    case END_CONCLUDED:
    case END_FINDINGS:
        break;
    }
}

static void liveness_close(void *state, struct evidence *evidence)
{
    struct liveness *live = state;

    if (live->has_spoken) {
        verdict_checked(evidence);
    }
    judge_ready(live, evidence);
    judge_end(live, evidence);
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
    .close = liveness_close,
    .digest = liveness_digest,
};
