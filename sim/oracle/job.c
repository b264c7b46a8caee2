/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "job": the job keeps the rules of its life cycle, as far as the trace
 * shows them.
 *
 * A model of the job is kept from the trace alone: what it was asked to do,
 * what it reported, and what it has in flight.  Every event of the job must be
 * legal in the model's state.  A command changes the model when it is given; a
 * refusal takes the change back.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>
#include <stddef.h>

#include "sim/model/job.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

/* A job of today's generation is judged by the oracle "life". */
static uint64_t job_kinds(const struct plan *plan)
{
    return plan->generation == GENERATION_2_2 ? UINT64_MAX : 0;
}

/* ---- The job's requests ---- */

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;
    const char *objection = job_objection_to_issue(job);

    job->in_flight++;
    if (event->op == OP_WRITE) {
        job->flush_covers = false;
        job->flushed = false;
        return;
    }
    if (event->op == OP_FLUSH) {
        job->flush_covers = job->in_flight == 1;
    }
    job->has_issued = true;
    job->has_straggled = job->first_error < 0;
    if (objection != NULL) {
        verdict_add(evidence, FINDING_JOB_ILLEGAL_ISSUE, "The job issued %s #%" PRIu32 ", but %s.",
                    op_name(event_op(event)), event->request, objection);
    }
}

static void report_owed(const struct job_model *job, struct evidence *evidence)
{
    verdict_add(evidence, FINDING_JOB_MISSING_ERROR,
                "%s #%" PRIu32 " of %s failed with %s, but the job emitted no error event.",
                op_name(event_op(&job->failed)), job->failed.request,
                phrase_disk(evidence, job->failed.node), phrase_result(job->failed.ret).text);
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;

    if (job->in_flight == 0) {
        return; /* a request of an earlier job */
    }
    job->in_flight--;
    if (event->op == OP_WRITE && event->ret == 0) {
        job->copied += event->bytes;
    } else if (event->op == OP_FLUSH) {
        job->flushed = event->ret == 0 && job->flush_covers;
    }
    if (event->ret < 0) {
        if (job->owes_error) {
            report_owed(job, evidence);
        }
        job->owes_error = true;
        job->failed = *event;
    }
}

/* ---- Errors (E1, E2) ---- */

static void judge_error(const struct job_model *job, struct evidence *evidence,
                        const struct event *event)
{
    enum op side = job->failed.op == OP_READ ? OP_READ : OP_WRITE;
    enum error_action action = job_error_action(&evidence->plan->job, side, job->failed.ret);

    verdict_checked(evidence);
    if (event->op != side || event->ret != job->failed.ret) {
        verdict_add(evidence, FINDING_JOB_WRONG_ERROR,
                    "%s #%" PRIu32 " failed with %s, but the job reported a %s error with %s.",
                    op_name(event_op(&job->failed)), job->failed.request,
                    phrase_result(job->failed.ret).text, op_name(event_op(event)),
                    phrase_result(event->ret).text);
    } else if (event->detail != action) {
        verdict_add(evidence, FINDING_JOB_WRONG_ACTION,
                    "%s #%" PRIu32 " failed with %s: the policy says %s, but the job took "
                    "action %s.",
                    op_name(event_op(&job->failed)), job->failed.request,
                    phrase_result(job->failed.ret).text, error_action_name(action),
                    error_action_name(event_action(event)));
    }
}

static void reported_error(struct job_model *job, struct evidence *evidence,
                           const struct event *event)
{
    if (job->owes_error) {
        judge_error(job, evidence, event);
    } else {
        verdict_add(evidence, FINDING_JOB_ERROR_WITHOUT_FAILURE,
                    "The job emitted an error event (%s, %s), but no request of it has failed "
                    "without one.",
                    op_name(event_op(event)), phrase_result(event->ret).text);
    }
    job->owes_error = false;
    job->ready = false;
    if (event->detail == ACTION_STOP) {
        job->wishes.pause = true;
    } else if (event->detail == ACTION_REPORT && job->first_error == 0) {
        job->first_error = event->ret;
        job->cancelled_before_error = job->wishes.cancel;
    }
}

/* ---- Ready, paused, progress ---- */

static void became_ready(struct job_model *job, struct evidence *evidence)
{
    verdict_checked(evidence);
    if (job->ready) {
        verdict_add(evidence, FINDING_JOB_READY_TWICE,
                    "The job emitted READY, but it was ready already.");
    } else if (job->in_flight > 0) {
        verdict_add(evidence, FINDING_JOB_READY_TOO_EARLY,
                    "The job emitted READY with %" PRIu32 " requests in flight.", job->in_flight);
    } else if (!job_is_durable(job, evidence)) {
        verdict_add(evidence, FINDING_JOB_READY_BEFORE_FLUSH,
                    "The job emitted READY, but the target was not flushed successfully after "
                    "the last write to it.");
    }
    job->ready = true;
}

static void parked(struct job_model *job, struct evidence *evidence)
{
    if (job->parked || !job->wishes.pause) {
        verdict_add(evidence, FINDING_JOB_ILLEGAL_PAUSE, "The job paused, but %s.",
                    job->parked ? "it was paused already" : "nothing asked it to");
    }
    job->parked = true;
}

static void resumed(struct job_model *job, struct evidence *evidence)
{
    if (!job->parked || job->wishes.pause) {
        verdict_add(evidence, FINDING_JOB_ILLEGAL_RESUME, "The job resumed, but %s.",
                    job->parked ? "nothing has ended its pause" : "it was not paused");
    }
    job->parked = false;
}

static void judge_progress(struct job_model *job, struct evidence *evidence,
                           const struct event *event)
{
    if (event->offset > event->bytes || event->offset < job->offset) {
        verdict_add(evidence, FINDING_JOB_PROGRESS,
                    "The job's progress is offset %" PRIu64 " of len %" PRIu64
                    ", after offset %" PRIu64 ": offset must neither exceed len nor shrink.",
                    event->offset, event->bytes, job->offset);
    } else if (event->offset != job->copied) {
        verdict_add(evidence, FINDING_JOB_PROGRESS,
                    "The job's progress is offset %" PRIu64 ", but it has copied %" PRIu64
                    " bytes successfully.",
                    event->offset, job->copied);
    }
    job->offset = event->offset;
}

/* ---- Commands ---- */

/* A command that has not been refused by now has been accepted. */
static void conclude_command(struct job_model *job, struct evidence *evidence)
{
    if (!job->commanded) {
        return;
    }
    job->commanded = false;
    verdict_checked(evidence);
    if (job->objection != NULL) {
        verdict_add(evidence, FINDING_JOB_ACCEPTED, "%s was accepted, but %s.",
                    job_verb_name(job->verb), job->objection);
    }
}

static void commanded(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;

    conclude_command(job, evidence);
    job->commanded = true;
    job->verb = event_verb(event);
    job->wishes_before = job->wishes;
    job->objection = job_objection_to_command(job, event);
    job->opened_backing = false;
    if (job->verb == VERB_COMPLETE) {
        job->wishes.complete = true;
    } else if (job->verb == VERB_CANCEL) {
        job->wishes = (struct wishes){.cancel = true};
    } else if (job->verb == VERB_PAUSE || job->verb == VERB_RESUME) {
        job->wishes.pause = job->verb == VERB_PAUSE;
    }
}

static void refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;

    job->commanded = false;
    job->wishes = job->wishes_before;
    verdict_checked(evidence);
    if (event->detail2 == REFUSED_NOT_READY && job->objection == NULL) {
        verdict_add(evidence, FINDING_JOB_REFUSED,
                    "%s was refused as not ready, but the job was ready, neither paused nor "
                    "cancelled.",
                    job_verb_name(job->verb));
    }
    if (job->opened_backing) {
        verdict_add(evidence, FINDING_JOB_SIDE_EFFECT,
                    "%s was refused, but it has opened the target's backing file.",
                    job_verb_name(job->verb));
    }
}

/* ---- The end ---- */

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;
    const struct plan *plan = evidence->plan;
    const char *objection = job_objection_to_pivot(job, evidence);

    job->pivoted = true;
    verdict_checked(evidence);
    if (objection != NULL) {
        verdict_add(evidence, FINDING_JOB_ILLEGAL_PIVOT, "%s took the place of %s, but %s.",
                    phrase_disk(evidence, event->node), phrase_disk(evidence, event->index),
                    objection);
    }
    if (event->node != plan->job.target || event->index != job_disk_to_replace(plan)) {
        verdict_add(evidence, FINDING_JOB_WRONG_PIVOT,
                    "%s took the place of %s, but %s was to take the place of %s.",
                    phrase_disk(evidence, event->node), phrase_disk(evidence, event->index),
                    phrase_disk(evidence, plan->job.target),
                    phrase_disk(evidence, job_disk_to_replace(plan)));
    }
}

static void judge_result(const struct job_model *job, struct evidence *evidence,
                         const struct event *event)
{
    const char *objection = NULL;

    if (event->kind == EVENT_JOB_CANCELLED && event->ret == 0 && job->cancelled_before_error) {
        objection = job_objection_to_cancelled(job);
    } else if (event->ret != job->first_error && (job->first_error < 0 || job->has_issued)) {
        verdict_add(evidence, FINDING_JOB_WRONG_RESULT,
                    "The job %s, but the first error it reported was %s.", phrase_end(event).text,
                    job->first_error < 0 ? phrase_result(job->first_error).text : "none");
    } else if (event->kind == EVENT_JOB_CANCELLED) {
        objection = event->ret < 0 ? "it failed" : job_objection_to_cancelled(job);
    } else if (event->ret == 0) {
        objection = job_objection_to_success(job);
    }
    if (objection != NULL) {
        verdict_add(evidence, FINDING_JOB_WRONG_END, "The job ended %s, but %s.",
                    event->kind == EVENT_JOB_CANCELLED ? "cancelled" : "with success", objection);
    }
}

static void ended(struct job_model *job, struct evidence *evidence, const struct event *event)
{
    verdict_checked(evidence);
    judge_progress(job, evidence, event);
    judge_result(job, evidence, event);
    job->alive = false;
    job->ready = false;
    job->parked = false;
}

/* ---- The start ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    const struct plan_job *plan = &evidence->plan->job;
    uint64_t top_bytes = evidence->disks[plan->source]->bytes;
    uint64_t base_bytes = evidence->disks[plan->target]->bytes;
    struct job_model *job = state;

    (void)event;
    if (job->alive) {
        verdict_add(evidence, FINDING_JOB_STARTED_TWICE, "A job started while there was one.");
    }
    if (plan->kind == JOB_COMMIT && base_bytes < top_bytes) {
        verdict_add(evidence, FINDING_JOB_BASE_TOO_SHORT,
                    "The commit started though its base %s (%s) is shorter than the top %s (%s): "
                    "what lies beyond its end can't be written.",
                    phrase_disk(evidence, plan->target), quantity_size(base_bytes).text,
                    phrase_disk(evidence, plan->source), quantity_size(top_bytes).text);
    }
    *job = (struct job_model){.alive = true, .just_started = true};
}

static void start_refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;

    (void)event;
    verdict_checked(evidence);
    if (job->just_started) {
        verdict_add(evidence, FINDING_JOB_REFUSED_BUT_STARTED,
                    "The start was refused, but the job has reported that it started.");
        job->alive = false;
    }
}

/* ---- Events ---- */

/* Events that only a living job can emit. */
static void life_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;

    if (!job->alive) {
        verdict_add(evidence, FINDING_JOB_EVENT_WITHOUT_JOB,
                    "The job emitted \"%s\", but it has ended or never started.",
                    event_kind_name(event_kind(event)));
        return;
    }
    switch (event->kind) {
    case EVENT_JOB_READY:
        became_ready(job, evidence);
        break;
    case EVENT_JOB_ERROR:
        reported_error(job, evidence, event);
        break;
    case EVENT_JOB_PAUSED:
        parked(job, evidence);
        break;
    case EVENT_JOB_RESUMED:
        resumed(job, evidence);
        break;
    case EVENT_JOB_PROGRESS:
        judge_progress(job, evidence, event);
        break;
    default: /* completed or cancelled */
        ended(job, evidence, event);
        break;
    }
}

static void node_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct job_model *job = state;
    bool is_source = event->node == evidence->plan->job.source;

    if (event->kind == EVENT_DIRTY_RELEASE) {
        job->winding_down = job->winding_down || (is_source && event->by == BY_JOB);
    } else if (event->kind == EVENT_GRAPH_OPEN_BACKING) {
        job->opened_backing = event->ret == 0;
    } else if (is_source) {
        job->drained = event->kind == EVENT_DRAINED;
    }
}

static void job_settled(void *state, struct evidence *evidence)
{
    struct job_model *job = state;

    conclude_command(job, evidence);
    if (job->owes_error) {
        report_owed(job, evidence);
        job->owes_error = false;
    }
    job->just_started = false;
}

static void job_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct job_model *job = state;

    (void)evidence;
    digest_flags(digest, job->alive, job->winding_down, job->ready, job->parked, job->pivoted,
                 job->has_issued, job->drained, job->wishes.complete, job->wishes.cancel,
                 job->wishes.pause, job->cancelled_before_error, job->has_straggled,
                 job->flush_covers, job->flushed, job->owes_error);
    digest_i64(digest, job->first_error);
    digest_progress(digest, job->offset);
    digest_progress(digest, job->copied);
}

static void job_check(const void *state)
{
    job_model_check(state);
}

const struct oracle oracle_job = {
    .id = ORACLE_JOB,
    .proves = "The job's events are legal and in order, and its errors, commands, progress and "
              "result are what the rules say.",
    .state_bytes = sizeof(struct job_model),
    .requests_by = BY_JOB,
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_DIRTY_RELEASE] = node_event,
            [EVENT_DRAINED] = node_event,
            [EVENT_DRAIN_END] = node_event,
            [EVENT_GRAPH_OPEN_BACKING] = node_event,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_JOB_STARTED] = started,
            [EVENT_JOB_REFUSED] = start_refused,
            [EVENT_COMMAND] = commanded,
            [EVENT_COMMAND_REFUSED] = refused,
            [EVENT_JOB_PROGRESS] = life_event,
            [EVENT_JOB_READY] = life_event,
            [EVENT_JOB_ERROR] = life_event,
            [EVENT_JOB_PAUSED] = life_event,
            [EVENT_JOB_RESUMED] = life_event,
            [EVENT_JOB_COMPLETED] = life_event,
            [EVENT_JOB_CANCELLED] = life_event,
        },
    .kinds = job_kinds,
    .settled = job_settled,
    .digest = job_digest,
    .check = job_check,
};
