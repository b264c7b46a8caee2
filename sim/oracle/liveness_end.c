/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How runs end: a finding for each that ends at a limit, or with a job that nothing will ever
 * move again, saying what it was waiting for.
 *
 * Declared in sim/oracle/liveness.h: a part of the oracle "liveness".
 */
#include "sim/oracle/liveness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

static bool is_modern(const struct evidence *evidence)
{
    return evidence->plan->generation == GENERATION_MODERN;
}

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
             live->drained_node == LIVENESS_ALL_NODES ? "everything" : "the filter",
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

/* ---- Cycles ---- */

bool liveness_repeats(const void *state, const struct evidence *evidence, uint64_t from)
{
    const struct liveness *live = state;

    (void)evidence;
    if (!live->alive || live->parked || live->pending || live->is_stopped ||
        live->last_disturbed > from) {
        return false;
    }
    if (live->ready && !live->completing && !live->cancelled) {
        return false;
    }
    return live->last_write <= from || live->last_drain > from || (live->cancelled && !live->ready);
}

/* What happens on the way round, in numbers. */
struct round {
    uint64_t guest_requests;
    uint64_t reads; /* of the job */
    uint64_t writes;
    uint64_t flushes;
    uint64_t drains;
};

static void count_event(struct round *round, const struct event *event)
{
    round->drains += event->kind == EVENT_DRAIN_BEGIN ||
                     (event->kind == EVENT_SECTION && event->detail == SECTION_BEGUN);
    if (event->kind != EVENT_REQUEST_DONE) {
        return;
    }
    if (event->by == BY_GUEST) {
        round->guest_requests++;
    } else if (event->op == OP_READ) {
        round->reads++;
    } else if (event->op == OP_FLUSH) {
        round->flushes++;
    } else {
        round->writes++;
    }
}

static struct round count_round(const struct evidence *evidence)
{
    const struct trace *trace = evidence->trace;
    struct round round = {0};

    for (uint64_t i = evidence->repeats_event; i < evidence->event_number && trace->keep; i++) {
        count_event(&round, &trace->events[i]);
    }
    return round;
}

static void tell_number(struct story *story, uint64_t number, const char *what)
{
    if (number > 0) {
        tell(story, ", %" PRIu64 " %s%s", number, what,
             number == 1                  ? ""
             : strcmp(what, "flush") == 0 ? "es"
                                          : "s");
    }
}

/* "34 events" with what they are about. */
static struct story what_repeats(const struct evidence *evidence)
{
    const struct round round = count_round(evidence);
    struct story story = {.length = 0};

    tell(&story, "%" PRIu64 " events", evidence->event_number - evidence->repeats_event);
    tell_number(&story, round.guest_requests, "guest request");
    tell_number(&story, round.reads, "read");
    tell_number(&story, round.writes, "write");
    tell_number(&story, round.flushes, "flush");
    tell_number(&story, round.drains, "drained section");
    return story;
}

static void report_cycle(struct evidence *evidence, const struct story *pending)
{
    uint64_t period_ns = evidence->now_ns - evidence->repeats_ns;
    struct finding *finding =
        verdict_add(evidence, FINDING_LIVENESS_LIVELOCK,
                    "The job will never end: everything is as it was at %s, event %" PRIu64
                    ", and the same repeats %s%s for ever (%s): %s.",
                    quantity_time(evidence->repeats_ns).text, evidence->repeats_event,
                    period_ns > 0 ? "every " : "without virtual time passing",
                    period_ns > 0 ? quantity_time(period_ns).text : "", what_repeats(evidence).text,
                    pending->text);

    if (finding != NULL) {
        finding->is_cycle = true;
        finding->cycle_from = evidence->repeats_event;
    }
}

/* ---- The end of the run ---- */

static void report_untold(const struct liveness *live, struct evidence *evidence)
{
    verdict_add(evidence, FINDING_LIVENESS_NEVER_TOLD,
                live->pending
                    ? "The story is over, but the job is still pending: nobody has told it to "
                      "finalize or to cancel, and the guest's requests would queue for ever."
                    : "The story is over, but the job is still ready: nobody has told it to "
                      "complete or to cancel, and it would follow the guest for ever.");
}

void liveness_judge_end(const struct liveness *live, struct evidence *evidence)
{
    const struct limits_spec *limits = &evidence->plan->limits;
    struct story pending;

    if (evidence->end == END_NOT || evidence->end == END_CONCLUDED ||
        evidence->end == END_GIVEN_UP || evidence->end == END_FINDINGS) {
        return; /* or a finding has said it */
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
        if (evidence->repeats) {
            report_cycle(evidence, &pending);
            break;
        }
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
    case END_GIVEN_UP:
    case END_FINDINGS:
        break;
    }
}
