/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of a job of today's generation: which rule forbids what, as a phrase for findings.
 */
#include "sim/model/life.h"

#include <errno.h>
#include <stddef.h>

#include "engine/range.h"
#include "sim/model/job.h"
#include "sim/model/owed.h"

/* ---- The tables (J, J1) ---- */

#define STATUS(name) (1u << JOB_STATUS_##name)
#define RUNS (STATUS(RUNNING) | STATUS(PAUSED) | STATUS(READY) | STATUS(STANDBY))
#define ENDS_BADLY (STATUS(ABORTING))

static const uint32_t may_follow[JOB_STATUS_COUNT] = {
    [JOB_STATUS_UNDEFINED] = STATUS(CREATED),
    [JOB_STATUS_CREATED] = STATUS(RUNNING) | ENDS_BADLY | STATUS(NULL),
    [JOB_STATUS_RUNNING] = STATUS(PAUSED) | STATUS(READY) | STATUS(WAITING) | ENDS_BADLY,
    [JOB_STATUS_PAUSED] = STATUS(RUNNING),
    [JOB_STATUS_READY] = STATUS(STANDBY) | STATUS(WAITING) | ENDS_BADLY,
    [JOB_STATUS_STANDBY] = STATUS(READY),
    [JOB_STATUS_WAITING] = STATUS(PENDING) | ENDS_BADLY,
    [JOB_STATUS_PENDING] = STATUS(CONCLUDED) | ENDS_BADLY,
    [JOB_STATUS_ABORTING] = STATUS(CONCLUDED),
    [JOB_STATUS_CONCLUDED] = STATUS(NULL),
    [JOB_STATUS_NULL] = STATUS(CREATED), /* the next job */
};

static const uint32_t accepts[VERB_COUNT] = {
    [VERB_CANCEL] = STATUS(CREATED) | RUNS | STATUS(WAITING) | STATUS(PENDING),
    [VERB_PAUSE] = STATUS(CREATED) | RUNS,
    [VERB_RESUME] = STATUS(CREATED) | RUNS,
    [VERB_SET_SPEED] = STATUS(CREATED) | RUNS,
    [VERB_CHANGE] = STATUS(CREATED) | RUNS,
    [VERB_COMPLETE] = STATUS(READY) | STATUS(STANDBY),
    [VERB_FINALIZE] = STATUS(PENDING),
    [VERB_DISMISS] = STATUS(CONCLUDED),
};

static bool is_one_of(enum job_status status, uint32_t statuses)
{
    return (statuses >> status & 1) != 0;
}

bool life_model_may_follow(enum job_status from, enum job_status to)
{
    return is_one_of(to, may_follow[from]);
}

bool life_model_runs(const struct life_model *life)
{
    return is_one_of(life->status, RUNS);
}

bool life_model_is_parked(const struct life_model *life)
{
    return is_one_of(life->status, STATUS(PAUSED) | STATUS(STANDBY));
}

/* ---- States ---- */

static const char *objection_to_parking(const struct life_model *life)
{
    if (life->wishes.force) {
        return "a force cancel was given";
    }
    if (!life->wishes.pause && life->sections == 0) {
        return "nothing asked it to pause";
    }
    return life->in_flight > 0 ? "requests of it are in flight" : NULL;
}

static const char *objection_to_going_on(const struct life_model *life)
{
    bool wanted = life->wishes.pause || life->near_sections > 0;

    return wanted && !life->wishes.force ? "nothing has ended its pause" : NULL;
}

static const char *objection_to_ready(const struct life_model *life)
{
    if (life->was_ready) {
        return "it was ready before";
    }
    return life->in_flight > 0 ? "requests of it are in flight" : NULL;
}

static const char *objection_to_waiting(const struct life_model *life)
{
    if (life->stored_error < 0) {
        return "an error was reported";
    }
    if (!life->was_ready) {
        return "it was never ready";
    }
    if (!life->drained) { /* J8 */
        return "the guest is not kept out: no section of it is over the source";
    }
    return life->wishes.force ? "a force cancel was given" : NULL;
}

/* PENDING stays until somebody says finalize, or cancel. */
static const char *objection_to_leaving_pending(const struct life_model *life,
                                                const struct plan_job *job)
{
    bool told = life->commanded &&
                (life->command.detail == VERB_FINALIZE || life->command.detail == VERB_CANCEL);

    return job->auto_finalize || told ? NULL : "nobody told it to finalize";
}

static const char *objection_to_null(const struct life_model *life, const struct plan_job *job)
{
    bool told = life->commanded && life->command.detail == VERB_DISMISS;

    if (life->status == JOB_STATUS_CREATED) {
        return NULL;
    }
    if (!life->has_ended) {
        return "it has not said how it ended";
    }
    return job->auto_dismiss || told ? NULL : "nobody dismissed it";
}

const char *life_objection_to_status(const struct life_model *life, const struct plan_job *job,
                                     enum job_status to)
{
    if (life->status == JOB_STATUS_PENDING) {
        return objection_to_leaving_pending(life, job);
    }
    switch (to) {
    case JOB_STATUS_PAUSED:
    case JOB_STATUS_STANDBY:
        return objection_to_parking(life);
    case JOB_STATUS_RUNNING:
        return life->status == JOB_STATUS_PAUSED ? objection_to_going_on(life) : NULL;
    case JOB_STATUS_READY:
        return life->status == JOB_STATUS_STANDBY ? objection_to_going_on(life)
                                                  : objection_to_ready(life);
    case JOB_STATUS_WAITING:
        return objection_to_waiting(life);
    case JOB_STATUS_CONCLUDED:
        return life->has_ended ? NULL : "it has not said how it ended";
    case JOB_STATUS_NULL:
        return objection_to_null(life, job);
    case JOB_STATUS_CREATED:
    case JOB_STATUS_CONCLUDING:
    case JOB_STATUS_UNDEFINED:
    case JOB_STATUS_PENDING:
    case JOB_STATUS_ABORTING:
    case JOB_STATUS_COUNT:
        break;
    }
    return NULL;
}

/* ---- Requests ---- */

const char *life_objection_to_issue(const struct life_model *life, const struct event *event)
{
    bool is_new = event->op == OP_FLUSH || event->op == OP_WRITE_ZEROES || event->op == OP_DISCARD;

    if (life->status == JOB_STATUS_UNDEFINED || life->status == JOB_STATUS_NULL) {
        return "there is no job";
    }
    if (life_model_is_parked(life)) {
        return "the job is paused";
    }
    if (!life_model_runs(life)) {
        return "the job does not run";
    }
    if (life->winding_down) {
        return "its run has ended";
    }
    if (event->op == OP_FLUSH && life->was_ready && !life->drained) {
        return "a ready job flushes only when the guest is kept out";
    }
    /* Pre-zeroing goes on (N12), and so does what waits for chunk buffers (O9). */
    return life->stored_error < 0 && life->has_taken && is_new ? "an error has been reported"
                                                               : NULL;
}

/* The guest request that this is a part of; NULL if there is none. */
static struct outstanding *find_guest(const struct life_model *life, const struct event *event,
                                      uint64_t wanted)
{
    for (uint32_t i = 0; i < life->guests.count; i++) {
        struct outstanding *guest = &life->guests.requests[i];

        if (guest->op == event->op && (guest->moved & wanted) == wanted &&
            guest->offset <= event->offset &&
            range_end(event->offset, event->bytes) <= range_end(guest->offset, guest->bytes)) {
            return guest;
        }
    }
    return NULL;
}

const char *life_objection_to_active(const struct life_model *life, const struct event *event)
{
    if (!life_model_runs(life)) {
        return "the job does not run";
    }
    if (find_guest(life, event, 0) == NULL) {
        return "no guest request wants that";
    }
    if (find_guest(life, event, LIFE_GUEST_ON_SOURCE) == NULL) {
        return "no guest request has done that on the source";
    }
    return find_guest(life, event, LIFE_GUEST_ON_SOURCE | LIFE_GUEST_MAY_BE_ACTIVE) == NULL
               ? "when the guest request arrived, the job was not in write-blocking mode, or had "
                 "been cancelled, or had reported an error"
               : NULL;
}

bool life_model_is_held_by_guest(const struct life_model *life, uint64_t offset, uint64_t bytes)
{
    for (uint32_t i = 0; i < life->guests.count; i++) {
        const struct outstanding *guest = &life->guests.requests[i];

        if ((guest->moved & LIFE_GUEST_ON_SOURCE) != 0 && guest->offset <= offset &&
            range_end(offset, bytes) <= range_end(guest->offset, guest->bytes)) {
            return true;
        }
    }
    return false;
}

/* ---- Commands ---- */

static const char *objection_to_complete(const struct life_model *life, const struct plan *plan)
{
    const struct plan_job *job = &plan->job;

    if (life->wishes.cancel) {
        return "the job is cancelled";
    }
    return job->kind == JOB_MIRROR && job->replaces != NULL &&
                   plan_find_disk(plan, job->replaces) == PLAN_NONE
               ? "there is no node to replace"
               : NULL;
}

static const char *objection_to_change(const struct life_model *life, const struct plan_job *job,
                                       uint64_t mode)
{
    if (job->kind == JOB_COMMIT) {
        return "the job is a commit";
    }
    if (mode > COPY_WRITE_BLOCKING) {
        return "there is no such copy mode";
    }
    return mode == COPY_BACKGROUND && life->wishes.mode == COPY_WRITE_BLOCKING
               ? "the copy mode can't be changed back"
               : NULL;
}

const char *life_objection_to_command(const struct life_model *life,
                                      const struct evidence *evidence, const struct event *command)
{
    const struct plan *plan = evidence->plan;

    if (life->status == JOB_STATUS_UNDEFINED || life->status == JOB_STATUS_NULL) {
        return "there is no job";
    }
    if (!is_one_of(life->status, accepts[command->detail])) {
        return "the job was in a status that does not take it";
    }
    switch (event_verb(command)) {
    case VERB_COMPLETE:
        return objection_to_complete(life, plan);
    case VERB_PAUSE:
        return life->wishes.pause ? "it is paused already" : NULL;
    case VERB_RESUME:
        return life->wishes.pause ? NULL : "neither the user nor an error has paused it";
    case VERB_SET_SPEED:
        return (int64_t)command->offset < 0 ? "the speed is negative" : NULL;
    case VERB_CHANGE:
        return objection_to_change(life, &plan->job, command->offset);
    case VERB_CANCEL:
    case VERB_FINALIZE:
    case VERB_DISMISS:
    case VERB_COUNT:
        break;
    }
    return NULL;
}

/* J7: a job that is not ready can only be cancelled by force. */
static bool is_forced(const struct life_model *life, const struct event *command)
{
    bool ready = is_one_of(life->status, STATUS(READY) | STATUS(STANDBY));

    return command->offset != 0 || !ready;
}

static void cancel(struct life_model *life, const struct event *command)
{
    bool forced = is_forced(life, command);

    if (forced && !life->wishes.force) {
        life->taken_bytes = 0;
    }
    life->cancel_is_unclear = life->cancel_is_unclear || (!forced && life->winding_down);
    life->wishes.force = life->wishes.force || forced;
    life->wishes.cancel = life->wishes.cancel || forced || !life->winding_down;
    life->wishes.pause = false;
}

void life_model_command(struct life_model *life, const struct event *command, uint64_t now_ns)
{
    switch (event_verb(command)) {
    case VERB_COMPLETE:
        life->wishes.complete = true;
        break;
    case VERB_CANCEL:
        cancel(life, command);
        break;
    case VERB_PAUSE:
        life->wishes.pause = true;
        life->pause_ns = now_ns;
        break;
    case VERB_RESUME:
        life->wishes.pause = false;
        life->resume_ns = now_ns;
        break;
    case VERB_CHANGE:
        life->wishes.mode = command->offset != 0 ? COPY_WRITE_BLOCKING : COPY_BACKGROUND;
        break;
    case VERB_SET_SPEED:
    case VERB_FINALIZE:
    case VERB_DISMISS:
    case VERB_COUNT:
        break;
    }
}

/* ---- The end ---- */

static bool is_durable(const struct life_model *life, const struct evidence *evidence)
{
    return life->flushed_all || evidence->disks[evidence->plan->job.source]->bytes == 0;
}

const char *life_objection_to_pivot(const struct life_model *life, const struct evidence *evidence)
{
    if (life->status != JOB_STATUS_PENDING) {
        return "the job was not pending";
    }
    if (!life->wishes.complete) {
        return "nobody asked it to complete";
    }
    if (life->wishes.force) {
        return "a force cancel was given";
    }
    if (life->in_flight + life->active_in_flight > 0) {
        return "requests of the job were in flight";
    }
    if (!is_durable(life, evidence)) {
        return "the target was not flushed successfully after the last write to it";
    }
    return life->drained ? NULL : "the source was not drained";
}

const char *life_objection_to_success(const struct life_model *life,
                                      const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;

    if (!life->was_ready) {
        return "it was never ready";
    }
    if (job->kind == JOB_MIRROR &&
        evidence->disks[job->source]->bytes != evidence->disks[job->target]->bytes) {
        return "source and target have different lengths";
    }
    if (life->offset != life->len) {
        return "its progress says that something is left to copy";
    }
    if (!is_durable(life, evidence)) {
        return "the target was not flushed successfully after the last write to it";
    }
    if (life->wishes.complete) {
        return life->has_pivoted ? NULL : "the guest was not moved to the target";
    }
    if (life->has_pivoted) {
        return "the guest was moved to the target, which nobody asked for";
    }
    return life->wishes.cancel ? NULL : "nobody asked it to finish";
}

bool life_explains_error(const struct life_model *life, const struct evidence *evidence,
                         const struct event *end)
{
    const struct plan_job *job = &evidence->plan->job;

    bool is_cancelled = end->kind == EVENT_JOB_CANCELLED && end->ret == -ECANCELED;

    /* L1': an error is looked at before the pause point, a force cancel behind it. */
    if (is_cancelled) {
        return true;
    }
    if (life->stored_error < 0) {
        return end->ret == life->stored_error;
    }
    if (life->query_error < 0 && end->ret == life->query_error) {
        return true;
    }
    if (end->ret == -EINVAL && job->kind == JOB_MIRROR) {
        return evidence->disks[job->source]->bytes != evidence->disks[job->target]->bytes;
    }
    return (end->ret == -EPERM && life->wishes.complete) || (end->ret == -ENOMEM);
}
