/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "life": a job of today's generation keeps the rules of its life, as far as the trace
 * shows them.  For a job of 2.2 that is the oracle "job".
 *
 * A model is kept from the trace alone: the job's status, what it was asked to do, what it
 * reported, what it has in flight.  Every event must be legal in the model's state.  A command
 * changes the model when it is given; a refusal takes the change back.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>
#include <stddef.h>

#include "engine/interposer.h"
#include "engine/range.h"
#include "sim/model/job.h"
#include "sim/model/life.h"
#include "sim/model/owed.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define ALL_NODES 0xff
#define TODAYS_BUFFER_BYTES (UINT64_C(16) << 20) /* S5' */

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

/* ---- The job's requests ---- */

/* A change of the target: what was flushed is not all any more. */
static void target_changes(struct life_model *life, bool is_background)
{
    life->covers_all = life->flushed_all = false;
    if (is_background) {
        life->covers_background = life->flushed_background = false;
    }
}

static void submitted_by_job(struct life_model *life, struct evidence *evidence,
                             const struct event *event)
{
    const char *objection = life_objection_to_issue(life, event);

    life->in_flight++;
    if (op_is_change(event->op)) {
        target_changes(life, true);
    } else if (event->op == OP_FLUSH) {
        life->covers_background = life->in_flight == 1;
        life->covers_all = life->covers_background && life->active_in_flight == 0;
    }
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_ISSUE,
                    "The job issued %s #%" PRIu32 " of %s, but %s.", op_name(event_op(event)),
                    event->request, phrase_disk(evidence, event->node), objection);
    }
}

static struct outstanding *find_part(const struct life_model *life, const struct event *event)
{
    for (uint32_t i = 0; i < life->guests.count; i++) {
        struct outstanding *guest = &life->guests.requests[i];

        if (guest->op == event->op && (guest->moved & LIFE_GUEST_ON_SOURCE) != 0 &&
            (guest->moved & LIFE_GUEST_ON_TARGET) == 0 && guest->offset <= event->offset &&
            range_end(event->offset, event->bytes) <= range_end(guest->offset, guest->bytes)) {
            return guest;
        }
    }
    return NULL;
}

static void submitted_active(struct life_model *life, struct evidence *evidence,
                             const struct event *event)
{
    const char *objection = life_objection_to_active(life, event);
    struct outstanding *guest = find_part(life, event);

    life->active_in_flight++;
    target_changes(life, false);
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_ACTIVE,
                    "Active %s #%" PRIu32 " of %s of %s began, but %s.", op_name(event_op(event)),
                    event->request, phrase_range(event->offset, event->bytes).text,
                    phrase_disk(evidence, event->node), objection);
    }
    if (guest != NULL) {
        guest->moved |= LIFE_GUEST_ON_TARGET;
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    if (event->by == BY_JOB) {
        submitted_by_job(state, evidence, event);
    } else if (event->by == BY_ACTIVE) {
        submitted_active(state, evidence, event);
    }
}

static void report_owed(const struct life_model *life, struct evidence *evidence)
{
    verdict_add(evidence, FINDING_LIFE_MISSING_ERROR,
                "%s #%" PRIu32 " of %s failed with %s, but the job emitted no error event.",
                op_name(event_op(&life->failed)), life->failed.request,
                phrase_disk(evidence, life->failed.node), phrase_result(life->failed.ret).text);
}

static void note_end(struct life_model *life, struct evidence *evidence, const struct event *event)
{
    if (op_is_change(event->op) && event->op == OP_WRITE && event->ret == 0) {
        life->copied += event->bytes;
    } else if (event->op == OP_FLUSH) {
        life->flushed_background = event->ret == 0 && life->covers_background;
        life->flushed_all = event->ret == 0 && life->covers_all;
    }
    if (event->ret < 0) {
        if (life->owes_error) {
            report_owed(life, evidence);
        }
        life->owes_error = true;
        life->failed = *event;
    }
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    struct outstanding *guest;

    if (event->by == BY_GUEST) {
        guest = outstanding_find(&life->guests, event->request);
        if (guest != NULL && event->ret == 0 && event->node == evidence->plan->job.source) {
            guest->moved |= LIFE_GUEST_ON_SOURCE;
        }
        return;
    }
    life->busy_ns = evidence->now_ns;
    if (event->by == BY_JOB) {
        life->in_flight -= life->in_flight > 0;
    } else {
        life->active_in_flight -= life->active_in_flight > 0;
    }
    note_end(life, evidence, event);
}

/* ---- The guest ---- */

static void arrived(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    bool may_be_active = life->wishes.mode == COPY_WRITE_BLOCKING && !life->wishes.force &&
                         life->stored_error == 0 && life_model_runs(life);

    outstanding_add(&life->guests, evidence->arena, event);
    life->guests.requests[life->guests.count - 1].moved =
        may_be_active ? LIFE_GUEST_MAY_BE_ACTIVE : 0;
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    life->busy_ns = evidence->now_ns;
    outstanding_remove(&life->guests, event->request);
}

/* ---- Taking chunks (O3, O4) ---- */

/* A run is as long as the buffer, which is at least a chunk, and a cluster (S5', R4', O4). */
static uint64_t longest_run(const struct life_model *life, const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    bool is_chosen = job->buffer_bytes > 0 && job->kind == JOB_MIRROR;
    uint64_t buffer = is_chosen ? (uint64_t)job->buffer_bytes : TODAYS_BUFFER_BYTES;

    buffer = align_up(buffer, max_u64(life->granularity, SECTOR_BYTES));
    return max_u64(buffer, evidence->plan->disks[job->target].cluster);
}

/* Whole chunks that an active request covers are cleaned by it: W4. */
static void took(struct life_model *life, struct evidence *evidence, const struct event *event)
{
    const char *objection = NULL;

    if (life_model_is_held_by_guest(life, event->offset, event->bytes)) {
        return;
    }
    life->has_taken = true;
    life->taken_bytes += event->bytes;
    if (life->wishes.pause && !life->wishes.force) {
        objection = "a pause has been asked for";
    } else if (!life_model_runs(life) || life_model_is_parked(life)) {
        objection = "it does not run";
    } else if (life->wishes.force && life->taken_bytes > longest_run(life, evidence)) {
        objection = "it has been cancelled, and has taken more than one run since";
    }
    if (objection != NULL) {
        verdict_add(evidence, FINDING_LIFE_ILLEGAL_ISSUE, "The job took %s to copy it, but %s.",
                    phrase_range(event->offset, event->bytes).text, objection);
    }
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    if (event->by != BY_JOB || event->node != evidence->plan->job.source) {
        return;
    }
    if (event->kind == EVENT_DIRTY_CREATE) {
        life->granularity = event->bytes;
    } else {
        took(life, evidence, event);
    }
}

/* ---- Errors (E') ---- */

static void judge_error(const struct life_model *life, struct evidence *evidence,
                        const struct event *event)
{
    enum op side = life->failed.op == OP_READ ? OP_READ : OP_WRITE;
    enum error_action action = job_error_action(&evidence->plan->job, side, life->failed.ret);

    verdict_checked(evidence);
    if (event->op != side || event->ret != life->failed.ret) {
        verdict_add(evidence, FINDING_LIFE_WRONG_ERROR,
                    "%s #%" PRIu32 " failed with %s, but the job reported a %s error with %s.",
                    op_name(event_op(&life->failed)), life->failed.request,
                    phrase_result(life->failed.ret).text, op_name(event_op(event)),
                    phrase_result(event->ret).text);
    } else if (event->detail != action) {
        verdict_add(evidence, FINDING_LIFE_WRONG_ACTION,
                    "%s #%" PRIu32 " failed with %s: the policy says %s, but the job took "
                    "action %s.",
                    op_name(event_op(&life->failed)), life->failed.request,
                    phrase_result(life->failed.ret).text, error_action_name(action),
                    error_action_name(event_action(event)));
    }
}

static void reported_error(struct life_model *life, struct evidence *evidence,
                           const struct event *event)
{
    if (life->owes_error) {
        judge_error(life, evidence, event);
    } else {
        verdict_add(evidence, FINDING_LIFE_ERROR_WITHOUT_FAILURE,
                    "The job emitted an error event (%s, %s), but no request of it has failed "
                    "without one.",
                    op_name(event_op(event)), phrase_result(event->ret).text);
    }
    life->owes_error = false;
    if (event->detail == ACTION_STOP && !life->wishes.pause) {
        life->wishes.pause = true;
        life->pause_ns = evidence->now_ns;
    } else if (event->detail == ACTION_REPORT &&
               (life->stored_error == 0 || life->failed.op == OP_FLUSH)) {
        life->stored_error = event->ret;
    }
}

static void query_failed(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    if (event->request != 0 || event->ret >= 0 || event->op == OP_CONTENT) {
        return;
    }
    if (life->query_error == 0 || life->query_event + 1 != evidence->event_number) {
        life->query_error = event->ret;
    }
    life->query_event = evidence->event_number;
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

/* ---- Commands ---- */

static bool is_unclear(const struct life_model *life, const struct evidence *evidence)
{
    bool is_empty = evidence->disks[evidence->plan->job.source]->bytes == 0;

    return life->command.detail == VERB_COMPLETE && (life->cancel_is_unclear || is_empty);
}

/* A command that has not been refused by now has been accepted. */
static void conclude_command(struct life_model *life, struct evidence *evidence)
{
    if (!life->commanded) {
        return;
    }
    life->commanded = false;
    verdict_checked(evidence);
    if (life->objection != NULL && !is_unclear(life, evidence)) {
        verdict_add(evidence, FINDING_LIFE_ACCEPTED, "%s was accepted, but %s.",
                    job_verb_name(event_verb(&life->command)), life->objection);
    }
}

static void commanded(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    conclude_command(life, evidence);
    if (event->detail >= VERB_COUNT) {
        return;
    }
    life->commanded = true;
    life->command = *event;
    life->wishes_before = life->wishes;
    life->objection = life_objection_to_command(life, evidence, event);
    if (life->objection == NULL) {
        life_model_command(life, event, evidence->now_ns);
    }
}

static void refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    bool by_rule = event->detail2 == REFUSED_VERB || event->detail2 == REFUSED_PAUSED ||
                   event->detail2 == REFUSED_NOT_PAUSED || event->detail2 == REFUSED_NOT_READY ||
                   event->detail2 == REFUSED_MODE || event->detail2 == REFUSED_TYPE ||
                   event->detail2 == REFUSED_NOT_ACTIVE;

    if (!life->commanded) {
        return;
    }
    life->commanded = false;
    life->wishes = life->wishes_before;
    verdict_checked(evidence);
    if (by_rule && life->objection == NULL && !is_unclear(life, evidence)) {
        verdict_add(evidence, FINDING_LIFE_REFUSED,
                    "%s was refused as \"%s\", but the job was %s and had to take it.",
                    job_verb_name(event_verb(event)), job_refusal_name(event_refusal(event)),
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
                    "The job ended with %s, but the error it reported was %s.",
                    phrase_result(event->ret).text,
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
        reported_error(life, evidence, event);
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
    bool is_near = is_all || event->node == job->source || event->node == job->target;
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

/* ---- In time (J3, J4) ---- */

/* Does a question take time, so that the job can be busy without a request? */
static bool asks_take_time(const struct evidence *evidence)
{
    const struct plan *plan = evidence->plan;

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const uint32_t questions = 1u << OP_STATUS | 1u << OP_CONTENT;
        uint32_t ops = plan->faults[i].match.ops;

        if (ops == 0 || (ops & questions) != 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        const struct latency_spec *latency = plan->disks[i].latency;

        if (latency[OP_STATUS].a_ns + latency[OP_STATUS].b_ns + latency[OP_CONTENT].a_ns +
                latency[OP_CONTENT].b_ns >
            0) {
            return true;
        }
    }
    return false;
}

/* The job has nothing to wait for, and had time to do what it was told. */
static bool is_free(const struct life_model *life, const struct evidence *evidence)
{
    return !life->winding_down && life->in_flight == 0 && life->guests.count == 0 &&
           life->waits == 0 && life->sections == 0 && !life->drained && !life->wishes.force &&
           !asks_take_time(evidence);
}

static void judge_pause(struct life_model *life, struct evidence *evidence)
{
    bool must_park = life->wishes.pause && evidence->now_ns > life->pause_ns &&
                     (life->status == JOB_STATUS_RUNNING || life->status == JOB_STATUS_READY);
    bool must_go_on =
        !life->wishes.pause && evidence->now_ns > life->resume_ns && life_model_is_parked(life);

    if (!is_free(life, evidence)) {
        life->busy_ns = evidence->now_ns;
    }
    if (!(must_park || must_go_on) || evidence->now_ns <= life->busy_ns) {
        return;
    }
    if (must_park) {
        verdict_add(evidence, FINDING_LIFE_LATE_PAUSE,
                    "The job was told to pause at %s, but at %s it is still %s, with nothing in "
                    "flight.",
                    quantity_time(life->pause_ns).text, quantity_time(evidence->now_ns).text,
                    job_status_name(life->status));
        life->pause_ns = UINT64_MAX;
    } else {
        verdict_add(evidence, FINDING_LIFE_LATE_RESUME,
                    "Nothing wants the job to pause since %s, but at %s it is still %s.",
                    quantity_time(life->resume_ns).text, quantity_time(evidence->now_ns).text,
                    job_status_name(life->status));
        life->resume_ns = UINT64_MAX;
    }
}

static void life_settled(void *state, struct evidence *evidence)
{
    struct life_model *life = state;

    conclude_command(life, evidence);
    if (life->owes_error) {
        report_owed(life, evidence);
        life->owes_error = false;
    }
    judge_pause(life, evidence);
}

/* ---- The rest ---- */

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
    digest_u64(digest, life->offset);
    digest_u64(digest, life->len);
    digest_u64(digest, life->copied);
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
            [EVENT_REQUEST_SUBMIT] = submitted,  [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = query_failed,        [EVENT_ARRIVE] = arrived,
            [EVENT_ANSWERED] = answered,         [EVENT_DIRTY_CREATE] = bitmap_event,
            [EVENT_DIRTY_CLEAR] = bitmap_event,  [EVENT_BUFFERS_RELEASE] = buffers_released,
            [EVENT_SECTION] = section_changed,   [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_COMMAND] = commanded,         [EVENT_COMMAND_REFUSED] = refused,
            [EVENT_JOB_STATUS] = status_changed, [EVENT_QUERY] = queried,
            [EVENT_JOB_STARTED] = life_event,    [EVENT_JOB_PENDING] = life_event,
            [EVENT_JOB_PROGRESS] = life_event,   [EVENT_JOB_READY] = life_event,
            [EVENT_JOB_ERROR] = life_event,      [EVENT_JOB_PAUSED] = life_event,
            [EVENT_JOB_RESUMED] = life_event,    [EVENT_JOB_COMPLETED] = life_event,
            [EVENT_JOB_CANCELLED] = life_event,
        },
    .kinds = life_kinds,
    .open = life_open,
    .settled = life_settled,
    .digest = life_digest,
};
