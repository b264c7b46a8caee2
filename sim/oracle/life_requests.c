/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of the oracle "life" that judges requests: what the job issues, what active requests
 * there are, which chunks it takes, and which errors it reports.
 *
 * Declared in sim/oracle/life.h: it is a part of that oracle.
 */
#include <inttypes.h>

#include "engine/interposer.h"
#include "engine/range.h"
#include "sim/model/job.h"
#include "sim/model/owed.h"
#include "sim/oracle/life.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define TODAYS_BUFFER_BYTES (UINT64_C(16) << 20) /* S5' */

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

void life_submitted(void *state, struct evidence *evidence, const struct event *event)
{
    if (event->by == BY_JOB) {
        submitted_by_job(state, evidence, event);
    } else if (event->by == BY_ACTIVE) {
        submitted_active(state, evidence, event);
    }
}

void life_report_owed(const struct life_model *life, struct evidence *evidence)
{
    verdict_add(evidence, FINDING_LIFE_MISSING_ERROR,
                "%s #%" PRIu32 " of %s failed with %s, but the job emitted no error event.",
                op_name(event_op(&life->failed)), life->failed.request,
                phrase_disk(evidence, life->failed.node), phrase_result(life->failed.ret).text);
}

static void note_end(struct life_model *life, struct evidence *evidence, const struct event *event)
{
    if (event->op == OP_WRITE && event->ret == 0) {
        life->copied += event->bytes;
    } else if (event->op == OP_FLUSH) {
        life->flushed_background = event->ret == 0 && life->covers_background;
        life->flushed_all = event->ret == 0 && life->covers_all;
    }
    if (event->ret < 0) {
        if (life->owes_error) {
            life_report_owed(life, evidence);
        }
        life->owes_error = true;
        life->failed = *event;
    }
}

void life_done(void *state, struct evidence *evidence, const struct event *event)
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

/* From the end of the run to the end of the job the guest waits (J8), or the filter is out. */
static void judge_arrival(const struct life_model *life, struct evidence *evidence,
                          const struct event *event)
{
    bool is_kept_out = life->status == JOB_STATUS_WAITING || life->status == JOB_STATUS_PENDING;

    if (is_kept_out && event->node == BLOCK_FILTER_ID) {
        verdict_add(evidence, FINDING_LIFE_GUEST_LET_IN,
                    "Guest %s #%" PRIu32 " reached the filter, but the job is %s: the guest waits "
                    "until it has ended.",
                    op_name(event_op(event)), event->request, job_status_name(life->status));
    }
}

void life_arrived(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    bool may_be_active = life->wishes.mode == COPY_WRITE_BLOCKING && !life->wishes.force &&
                         life->stored_error == 0 && life_model_runs(life);

    judge_arrival(life, evidence, event);
    outstanding_add(&life->guests, evidence->arena, event);
    life->guests.requests[life->guests.count - 1].moved =
        may_be_active ? LIFE_GUEST_MAY_BE_ACTIVE : 0;
}

void life_answered(void *state, struct evidence *evidence, const struct event *event)
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

void life_bitmap_event(void *state, struct evidence *evidence, const struct event *event)
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

void life_error_reported(struct life_model *life, struct evidence *evidence,
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

void life_query_failed(void *state, struct evidence *evidence, const struct event *event)
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
