/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment's half of a user's own job.c and blockjob.c: it looks at their job, and gives it
 * the monitor's commands.
 *
 * Compiled for each engine that has such files, with these macros:
 *
 *   QEMU_OWN_FRAMEWORK   types are the whole ones
 *   QEMU_INSIDE          the symbol of its struct qemu_inside
 *   QEMU_JOB_UNLOCKED    1: the functions' names have no "_locked" at their end, as up to 7.1
 */
#include "qemu/osdep.h"

#include "engine/qemu/modern/inside.h"

#if QEMU_JOB_UNLOCKED
#define job_get_locked job_get
#define job_user_pause_locked job_user_pause
#define job_user_resume_locked job_user_resume
#define job_user_cancel_locked job_user_cancel
#define job_complete_locked job_complete
#define job_finalize_locked job_finalize
#define job_dismiss_locked job_dismiss
#define block_job_set_speed_locked block_job_set_speed
Job *job_get(const char *id);
void job_user_pause(Job *job, Error **errp);
void job_user_resume(Job *job, Error **errp);
void job_user_cancel(Job *job, bool force, Error **errp);
void job_complete(Job *job, Error **errp);
void job_finalize(Job *job, Error **errp);
void job_dismiss(Job **job, Error **errp);
bool block_job_set_speed(BlockJob *job, int64_t speed, Error **errp);
#endif

static BlockJob *block_job_of(Job *job)
{
    return container_of(job, BlockJob, job);
}

static const BlockJobDriver *driver_of(const Job *job)
{
    return container_of(job->driver, BlockJobDriver, job_driver);
}

/* ---- Looking ---- */

/* The callback is only asked for an answer: what it looks at is not changed. */
static bool is_synced(Job *job)
{
    BlockJobInfo info = {.u.mirror.actively_synced = false};

    if (driver_of(job)->query != NULL) {
        driver_of(job)->query(block_job_of(job), &info);
    }
    return info.u.mirror.actively_synced;
}

static bool look(const char *id, struct qemu_inside_state *state)
{
    Job *job = id != NULL ? job_get_locked(id) : NULL;

    if (job == NULL) {
        return false;
    }
    *state = (struct qemu_inside_state){
        .status = job->status,
        .busy = job->busy,
        .pause_wanted = job->pause_count > 0,
        .user_paused = job->user_paused,
        .cancel_wanted = job->cancelled,
        .force_cancelled = job->force_cancel,
        .is_commit = job->driver->job_type == JOB_TYPE_COMMIT,
        .synced = is_synced(job),
        .ret = job->ret,
        .io_status = (int)block_job_of(job)->iostatus,
        .done_bytes = job->progress.current,
        .total_bytes = job->progress.total,
        .speed = block_job_of(job)->speed,
        .error_text = job->err != NULL ? error_get_pretty(job->err) : NULL,
        .co = job->co,
    };
    return true;
}

/* ---- Commands ---- */

static void change(Job *job, bool write_blocking, Error **errp)
{
    BlockJobChangeOptions options = {.id = job->id,
                                     .type = job->driver->job_type,
                                     .u.mirror.copy_mode = write_blocking
                                                               ? MIRROR_COPY_MODE_WRITE_BLOCKING
                                                               : MIRROR_COPY_MODE_BACKGROUND};

#if QEMU_JOB_UNLOCKED
    error_setg(errp, "a job of this kind can't be changed"); /* not before 8.2 */
    (void)options;
#else
    block_job_change_locked(block_job_of(job), &options, errp);
#endif
}

static void command(const char *id, enum qemu_inside_verb verb, int64_t arg, Error **errp)
{
    Job *job = job_get_locked(id);

    switch (verb) {
    case INSIDE_COMPLETE:
        job_complete_locked(job, errp);
        break;
    case INSIDE_CANCEL:
        job_user_cancel_locked(job, arg != 0, errp);
        break;
    case INSIDE_PAUSE:
        job_user_pause_locked(job, errp);
        break;
    case INSIDE_RESUME:
        job_user_resume_locked(job, errp);
        break;
    case INSIDE_SET_SPEED:
        block_job_set_speed_locked(block_job_of(job), arg, errp);
        break;
    case INSIDE_FINALIZE:
        job_finalize_locked(job, errp);
        break;
    case INSIDE_DISMISS:
        job_dismiss_locked(&job, errp);
        break;
    case INSIDE_CHANGE:
        change(job, arg != 0, errp);
        break;
    }
}

extern const struct qemu_inside QEMU_INSIDE;
const struct qemu_inside QEMU_INSIDE = {look, command};
