/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": a job of today's generation keeps the rules of its life, as far as the trace
 * shows them.  For a job of 2.2 that is the oracle "job".
 *
 * A model is kept from the trace alone: the job's status, what it was asked to do, what it
 * reported, what it has in flight.  Every event must be legal in the model's state.  A command
 * changes the model when it is given; a refusal takes the change back.
 *
 * Here are the job's status, its progress and its end; sim/oracle/life.h names the other parts.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>
#include <stddef.h>

#include "engine/interposer.h"
#include "sim/model/job.h"
#include "sim/model/life.h"
#include "sim/oracle/life.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define ALL_NODES 0xff

static uint64_t life_kinds(const struct plan *plan)
{
    return plan->generation == GENERATION_MODERN ? UINT64_MAX : 0;
}

static void life_open(void *state, struct evidence *evidence)
{
    struct life_model *life = state;

    (void)evidence;
    life->status = JOB_STATUS_UNDEFINED;
}

/* ---- Status ---- */

static void begin_life(struct life_model *life, const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    bool is_commit = job->kind == JOB_COMMIT;
    const struct life_model before = *life;

    *life = (struct life_model){
        .status = JOB_STATUS_CREATED,
        .guests = before.guests,
        .sections = before.sections,
        .near_sections = before.near_sections,
        .waits = before.waits,
        .granularity = before.granularity,
        .wishes = {.complete = is_commit && job->auto_complete,
                   .mode = is_commit ? COPY_BACKGROUND : job->copy_mode},
    };
}

static void judge_change(const struct life_model *life, struct evidence *evidence,
                         const struct event *event)
{
    enum job_status to = (enum job_status)event->detail2;
    const char *objection;

    verdict_checked(evidence);
    if (event->detail != life->status && life->status != JOB_STATUS_NULL) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_STATUS,
                    "The job says that it went from %s to %s, but it was %s.",
                    job_status_name((enum job_status)event->detail), job_status_name(to),
                    job_status_name(life->status));
        return;
    }
    if (!life_model_may_follow(life->status, to)) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_STATUS,
                    "The job went from %s to %s, which may not follow.",
                    job_status_name(life->status), job_status_name(to));
        return;
    }
    objection = life_objection_to_status(life, &evidence->plan->job, to);
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_WRONG_STATUS, "The job went from %s to %s, but %s.",
                    job_status_name(life->status), job_status_name(to), objection);
    }
}

static void status_changed(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    if (event->detail2 >= JOB_STATUS_COUNT || event->detail >= JOB_STATUS_COUNT) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_STATUS,
                    "The job says that it went to status %u, which there is not.", event->detail2);
        return;
    }
    judge_change(life, evidence, event);
    if (event->detail2 == JOB_STATUS_CREATED) {
        begin_life(life, evidence);
    }
    if (event->detail2 == JOB_STATUS_READY) {
        life->was_ready = true;
    }
    life->status = (enum job_status)event->detail2;
    life->busy_ns = evidence->now_ns;
}

/* ---- Ready, paused, pending, progress ---- */

static void became_ready(struct life_model *life, struct evidence *evidence)
{
    verdict_checked(evidence);
    if (life->status != JOB_STATUS_READY) {
        verdict_add(evidence, FINDING_LIFE_WRONG_EVENT, "The job emitted READY, but it was %s.",
                    job_status_name(life->status));
    } else if (!life->flushed_background &&
               evidence->disks[evidence->plan->job.source]->bytes > 0) {
        verdict_add(evidence, FINDING_LIFE_READY_BEFORE_FLUSH,
                    "The job emitted READY, but the target was not flushed successfully after "
                    "the last write of a background copy.");
    }
}

static void judge_event_in(const struct life_model *life, struct evidence *evidence,
                           const struct event *event, bool fits)
{
    verdict_checked(evidence);
    if (!fits) {
        verdict_add(evidence, FINDING_LIFE_WRONG_EVENT, "The job emitted \"%s\", but it was %s.",
                    event_kind_name(event_kind(event)), job_status_name(life->status));
    }
}

/* Between passes more can be done than the total of the last one says (L2'). */
static void judge_progress(struct life_model *life, struct evidence *evidence,
                           const struct event *event)
{
    if (event->offset < life->offset) {
        verdict_add(evidence, FINDING_LIFE_PROGRESS,
                    "The job's progress is offset %" PRIu64 " after offset %" PRIu64
                    ": it must not shrink.",
                    event->offset, life->offset);
    } else if (event->offset < life->copied) {
        verdict_add(evidence, FINDING_LIFE_PROGRESS,
                    "The job's progress is offset %" PRIu64 ", but it has written %" PRIu64
                    " bytes successfully.",
                    event->offset, life->copied);
    }
    life->offset = event->offset;
    life->len = event->bytes;
}

/* The event has what the query has answered. */
static void queried(void *state, struct evidence *evidence, const struct event *event)
{
    const struct life_model *life = state;

    verdict_checked(evidence);
    if (event->detail2 != life->status) {
        verdict_add(evidence, FINDING_LIFE_WRONG_QUERY,
                    "A query at %s says that the job is %s, but its last event has said that it is "
                    "%s.",
                    quantity_time(evidence->now_ns).text,
                    event->detail2 < JOB_STATUS_COUNT
                        ? job_status_name((enum job_status)event->detail2)
                        : "nothing that there is",
                    job_status_name(life->status));
    }
}

/* ---- The end ---- */

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    const struct plan *plan = evidence->plan;
    const char *objection = life_objection_to_pivot(life, evidence);

    life->has_pivoted = true;
    verdict_checked(evidence);
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_PIVOT, "%s took the place of %s, but %s.",
                    phrase_disk(evidence, event->node), phrase_disk(evidence, event->index),
                    objection);
    }
    if (event->node != plan->job.target || event->index != job_disk_to_replace(plan)) {
        verdict_add(evidence, FINDING_LIFE_WRONG_PIVOT,
                    "%s took the place of %s, but %s was to take the place of %s.",
                    phrase_disk(evidence, event->node), phrase_disk(evidence, event->index),
                    phrase_disk(evidence, plan->job.target),
                    phrase_disk(evidence, job_disk_to_replace(plan)));
    }
}

static void judge_result(const struct life_model *life, struct evidence *evidence,
                         const struct event *event)
{
    bool cancelled = event->kind == EVENT_JOB_CANCELLED;
    const char *objection = NULL;

    if (cancelled != life->wishes.force) {
        objection = cancelled ? "nobody cancelled it by force" : "it was cancelled by force";
    } else if (event->ret == 0) {
        objection = cancelled ? "its result is success" : life_objection_to_success(life, evidence);
    }
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_WRONG_END, "The job ended with \"%s\" (%s), but %s.",
                    event_kind_name(event_kind(event)), phrase_result(event->ret).text, objection);
    } else if (event->ret < 0 ? !life_explains_error(life, evidence, event)
                              : life->stored_error < 0) {
        verdict_add(evidence, FINDING_LIFE_WRONG_RESULT,
                    "The job %s, but the error it reported was %s.", phrase_end(event).text,
                    life->stored_error < 0 ? phrase_result(life->stored_error).text : "none");
    }
}

static void ended(struct life_model *life, struct evidence *evidence, const struct event *event)
{
    enum job_status wanted = event->ret == 0 ? JOB_STATUS_PENDING : JOB_STATUS_ABORTING;

    judge_event_in(life, evidence, event, life->status == wanted && !life->has_ended);
    judge_progress(life, evidence, event);
    judge_result(life, evidence, event);
    life->has_ended = true;
}

/* ---- Events ---- */

static bool has_job(const struct life_model *life)
{
    return life->status != JOB_STATUS_UNDEFINED && life->status != JOB_STATUS_NULL;
}

/* Events that only a job can emit. */
static void life_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    if (!has_job(life)) {
        verdict_add(evidence, FINDING_LIFE_EVENT_WITHOUT_JOB,
                    "The job emitted \"%s\", but it is gone or never was.",
                    event_kind_name(event_kind(event)));
        return;
    }
    switch (event->kind) {
    case EVENT_JOB_READY:
        became_ready(life, evidence);
        break;
    case EVENT_JOB_ERROR:
        life_error_reported(life, evidence, event);
        break;
    case EVENT_JOB_PAUSED:
        judge_event_in(life, evidence, event, life_model_is_parked(life));
        break;
    case EVENT_JOB_RESUMED:
        judge_event_in(life, evidence, event, life_model_runs(life) && !life_model_is_parked(life));
        break;
    case EVENT_JOB_PENDING:
        judge_event_in(life, evidence, event,
                       life->status == JOB_STATUS_PENDING && !evidence->plan->job.auto_finalize);
        break;
    case EVENT_JOB_STARTED:
        judge_event_in(life, evidence, event, life->status == JOB_STATUS_CREATED);
        break;
    case EVENT_JOB_PROGRESS:
        judge_progress(life, evidence, event);
        break;
    default: /* completed or cancelled */
        ended(life, evidence, event);
        break;
    }
}

static void buffers_released(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    (void)evidence;
    (void)event;
    life->winding_down = true;
}

static void section_changed(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    const struct plan_job *job = &evidence->plan->job;
    bool is_all = event->index == ALL_NODES;
    bool is_near = is_all || event->node == job->source || event->node == job->target ||
                   event->node == BLOCK_FILTER_ID;
    bool is_of_source = event->by == BY_JOB && !is_all && event->node == job->source;
    uint32_t step = event->detail == SECTION_BEGUN ? 1 : event->detail == SECTION_ENDED ? -1u : 0;

    life->busy_ns = evidence->now_ns;
    if (event->by == BY_JOB) {
        life->waits += event->detail == SECTION_BEGUN   ? 1
                       : event->detail == SECTION_QUIET ? -1u
                                                        : 0;
    } else {
        life->sections += step;
        life->near_sections += is_near ? step : 0;
    }
    if (is_of_source) {
        life->drained = event->detail == SECTION_QUIET;
    }
}

/* ---- The rest ---- */

static void life_settled(void *state, struct evidence *evidence)
{
    struct life_model *life = state;

    life_conclude_command(life, evidence);
    if (life->owes_error) {
        life_report_owed(life, evidence);
        life->owes_error = false;
    }
    life_judge_pause(life, evidence);
}

static void life_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct life_model *life = state;

    (void)evidence;
    digest_flags(digest, life->was_ready, life->winding_down, life->has_ended, life->has_pivoted,
                 life->has_taken, life->drained, life->wishes.complete, life->wishes.cancel,
                 life->wishes.force, life->wishes.pause, life->wishes.mode == COPY_WRITE_BLOCKING,
                 life->covers_background, life->covers_all, life->flushed_background,
                 life->flushed_all, life->cancel_is_unclear);
    digest_u64(digest, life->status);
    digest_i64(digest, life->stored_error);
    digest_i64(digest, life->query_error);
    digest_u64(digest, life->wishes.force ? life->taken_bytes : 0);
    digest_progress(digest, life->offset);
    digest_progress(digest, life->len);
    digest_progress(digest, life->copied);
    for (uint32_t i = 0; i < life->guests.count; i++) {
        digest_u64(digest, life->guests.requests[i].moved);
    }
}

const struct oracle oracle_life = {
    .id = ORACLE_LIFE,
    .proves = "A job of today's generation goes from status to status as it may, and its errors, "
              "commands, requests, progress and result are what the rules say.",
    .state_bytes = sizeof(struct life_model),
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = life_submitted, [EVENT_REQUEST_DONE] = life_done,
            [EVENT_FAULT] = life_query_failed,       [EVENT_ARRIVE] = life_arrived,
            [EVENT_ANSWERED] = life_answered,        [EVENT_DIRTY_CREATE] = life_bitmap_event,
            [EVENT_DIRTY_CLEAR] = life_bitmap_event, [EVENT_BUFFERS_RELEASE] = buffers_released,
            [EVENT_SECTION] = section_changed,       [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_COMMAND] = life_commanded,        [EVENT_COMMAND_REFUSED] = life_refused,
            [EVENT_JOB_STATUS] = status_changed,     [EVENT_QUERY] = queried,
            [EVENT_JOB_STARTED] = life_event,        [EVENT_JOB_PENDING] = life_event,
            [EVENT_JOB_PROGRESS] = life_event,       [EVENT_JOB_READY] = life_event,
            [EVENT_JOB_ERROR] = life_event,          [EVENT_JOB_PAUSED] = life_event,
            [EVENT_JOB_RESUMED] = life_event,        [EVENT_JOB_COMPLETED] = life_event,
            [EVENT_JOB_CANCELLED] = life_event,
        },
    .kinds = life_kinds,
    .open = life_open,
    .settled = life_settled,
    .digest = life_digest,
};
