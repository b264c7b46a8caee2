/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of a job: which rule forbids what, as a phrase for findings.
 */
#include "sim/model/job.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

const char *job_objection_to_issue(const struct job_model *job)
{
    if (!job->alive) {
        return "there is no job";
    }
    if (job->winding_down) {
        return "its copy loop has ended";
    }
    if (job->parked || job->wishes.pause) {
        return "the job is paused";
    }
    if (job->wishes.cancel && !job->ready) {
        return "the job is cancelled and not ready";
    }
    return job->first_error < 0 && job->has_straggled ? "an error has been reported" : NULL;
}

enum error_action job_error_action(const struct plan_job *job, enum op side, int ret)
{
    enum error_policy policy =
        side == OP_READ || job->kind == JOB_COMMIT ? job->on_source_error : job->on_target_error;

    switch (policy) {
    case POLICY_IGNORE:
        return ACTION_IGNORE;
    case POLICY_STOP:
        return ACTION_STOP;
    case POLICY_ENOSPC:
        return ret == -ENOSPC ? ACTION_STOP : ACTION_REPORT;
    case POLICY_REPORT:
        break;
    }
    return ACTION_REPORT;
}

bool job_is_durable(const struct job_model *job, const struct evidence *evidence)
{
    return job->flushed || evidence->disks[evidence->plan->job.source]->bytes == 0;
}

const char *job_objection_to_command(const struct job_model *job, const struct event *event)
{
    if (!job->alive) {
        return "there is no job";
    }
    if (job->winding_down) {
        return "its copy loop has ended";
    }
    if (event->detail == VERB_SET_SPEED) {
        return (int64_t)event->offset < 0 ? "the speed is negative" : NULL;
    }
    if (event->detail != VERB_COMPLETE) {
        return NULL;
    }
    if (job->wishes.cancel) {
        return "the job is cancelled";
    }
    if (job->wishes.pause) {
        return "the job is paused";
    }
    return job->ready ? NULL : "the job is not ready";
}

uint32_t job_disk_to_replace(const struct plan *plan)
{
    return plan->job.replaces != NULL && plan->job.kind == JOB_MIRROR
               ? plan_find_disk(plan, plan->job.replaces)
               : plan->job.source;
}

const char *job_objection_to_pivot(const struct job_model *job, const struct evidence *evidence)
{
    if (!job->alive) {
        return "there is no job";
    }
    if (!job->wishes.complete) {
        return job->wishes.cancel ? "the job was cancelled" : "nobody asked it to complete";
    }
    if (!job->ready) {
        return "the job was not ready";
    }
    if (job->in_flight > 0) {
        return "requests of the job were in flight";
    }
    if (!job_is_durable(job, evidence)) {
        return "the target was not flushed successfully after the last write to it";
    }
    return job->drained ? NULL : "the source was not drained";
}

const char *job_objection_to_success(const struct job_model *job)
{
    if (!job->ready) {
        return "it was not ready";
    }
    if (job->wishes.complete) {
        return job->pivoted ? NULL : "the guest was not switched to the target";
    }
    if (job->pivoted) {
        return "the guest was switched to the target, which nobody asked for";
    }
    return job->wishes.cancel ? NULL : "nobody asked it to finish";
}

const char *job_objection_to_cancelled(const struct job_model *job)
{
    if (!job->wishes.cancel) {
        return "nobody cancelled it";
    }
    return job->ready ? "it was ready and had to finish its copy" : NULL;
}

/* Commands and errors are concluded in the timeline event that they come in. */
void job_model_check(const struct job_model *job)
{
    assert(!job->just_started && !job->commanded && !job->owes_error);
}
