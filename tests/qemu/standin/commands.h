/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stand-in for a user's job.c: the monitor's commands.
 *
 * Only job.c of this folder includes it: a user's file is one file, too.
 */
#ifndef MIRRORSIM_TESTS_QEMU_STANDIN_COMMANDS_H
#define MIRRORSIM_TESTS_QEMU_STANDIN_COMMANDS_H

#include "qemu/job.h"

void job_user_pause_locked(Job *job, Error **errp)
{
    if (job_apply_verb_locked(job, JOB_VERB_PAUSE, errp) < 0) {
        return;
    }
    if (job->user_paused) {
        error_setg(errp, "Job is already paused");
        return;
    }
    job->user_paused = true;
    job_pause_locked(job);
}

void job_user_resume_locked(Job *job, Error **errp)
{
    if (!job->user_paused) {
        error_setg(errp, "Can't resume a job that was not paused");
        return;
    }
    if (job_apply_verb_locked(job, JOB_VERB_RESUME, errp) < 0) {
        return;
    }
    if (job->driver->user_resume != NULL) {
        job->driver->user_resume(job);
    }
    job->user_paused = false;
    job_resume_locked(job);
}

static void take_cancel(Job *job, bool force)
{
    if (job->driver->cancel != NULL) {
        force = job->driver->cancel(job, force);
    } else {
        force = true;
    }
    if (job->user_paused) {
        if (job->driver->user_resume != NULL) {
            job->driver->user_resume(job);
        }
        job->user_paused = false;
        job->pause_count--;
    }
    if (force || !job->deferred_to_main_loop) {
        job->cancelled = true;
        job->force_cancel = job->force_cancel || force;
    }
}

void job_user_cancel_locked(Job *job, bool force, Error **errp)
{
    if (job_apply_verb_locked(job, JOB_VERB_CANCEL, errp) < 0) {
        return;
    }
    job_ref_locked(job);
    take_cancel(job, force);
    if (job->status == JOB_STATUS_PENDING) {
        finalize(job);
    } else if (job->deferred_to_main_loop && job->force_cancel) {
        AIO_WAIT_WHILE_UNLOCKED(NULL, !job_is_completed_locked(job));
    } else {
        job_enter(job);
    }
    job_unref_locked(job);
}

void job_complete_locked(Job *job, Error **errp)
{
    if (job_apply_verb_locked(job, JOB_VERB_COMPLETE, errp) < 0) {
        return;
    }
    if (job->cancelled || job->driver->complete == NULL) {
        error_setg(errp, "The active block job '%s' cannot be completed", job->id);
        return;
    }
    job->driver->complete(job, errp);
}

void job_finalize_locked(Job *job, Error **errp)
{
    if (job_apply_verb_locked(job, JOB_VERB_FINALIZE, errp) == 0) {
        finalize(job);
    }
}

void job_dismiss_locked(Job **job, Error **errp)
{
    if (job_apply_verb_locked(*job, JOB_VERB_DISMISS, errp) == 0) {
        dismiss(*job);
        *job = NULL;
    }
}

#endif
