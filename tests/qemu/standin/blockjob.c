/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for a user's blockjob.c of today's generation: what a job does with nodes, its speed,
 * its errors, its events.
 */
#include "qemu/osdep.h"

#include "block/block.h"
#include "block/block_int.h"
#include "block/blockjob.h"
#include "block/blockjob_int.h"
#include "block/trace.h"
#include "qapi/error.h"
#include "qapi/qapi-events-block-core.h"
#include "qemu/main-loop.h"

static BlockJob *of(Job *job)
{
    return container_of(job, BlockJob, job);
}

static const BlockJobDriver *driver_of(BlockJob *job)
{
    return container_of(job->job.driver, BlockJobDriver, job_driver);
}

/* ---- As a user of nodes ---- */

static char *describe(BdrvChild *child)
{
    BlockJob *job = child->opaque;

    return g_strdup_printf("%s job '%s'", JobType_str(job_type(&job->job)), job->job.id);
}

static void section_begins(BdrvChild *child)
{
    BlockJob *job = child->opaque;

    job_pause_locked(&job->job);
}

static bool disturbs(BdrvChild *child)
{
    BlockJob *job = child->opaque;

    if (!job->job.busy || job_is_completed_locked(&job->job)) {
        return false;
    }
    return driver_of(job)->drained_poll == NULL || driver_of(job)->drained_poll(job);
}

static void section_ends(BdrvChild *child)
{
    BlockJob *job = child->opaque;

    job_resume_locked(&job->job);
}

static AioContext *context_of(BdrvChild *child)
{
    BlockJob *job = child->opaque;

    return job->job.aio_context;
}

static void context_changed(void *opaque)
{
}

static bool change_context(BdrvChild *child, AioContext *context, GHashTable *visited,
                           Transaction *tran, Error **errp)
{
    static TransactionActionDrv driver = {.commit = context_changed};
    BlockJob *job = child->opaque;

    for (GSList *link = job->nodes; link != NULL; link = link->next) {
        if (!bdrv_child_change_aio_context(link->data, context, visited, tran, errp)) {
            return false;
        }
    }
    tran_add(tran, &driver, job);
    return true;
}

static const BdrvChildClass child_class = {
    .get_parent_desc = describe,
    .drained_begin = section_begins,
    .drained_poll = disturbs,
    .drained_end = section_ends,
    .change_aio_ctx = change_context,
    .get_parent_aio_context = context_of,
    .stay_at_node = true,
};

int block_job_add_bdrv(BlockJob *job, const char *name, BlockDriverState *bs, uint64_t perm,
                       uint64_t shared_perm, Error **errp)
{
    BdrvChild *child;

    bdrv_ref(bs);
    child = bdrv_root_attach_child(bs, name, &child_class, 0, perm, shared_perm, job, errp);
    if (child == NULL) {
        return -EPERM;
    }
    job->nodes = g_slist_prepend(job->nodes, child);
    bdrv_op_block_all(bs, job->blocker);
    return 0;
}

/* In a drained section over all nodes. */
void block_job_remove_all_bdrv(BlockJob *job)
{
    while (job->nodes != NULL) {
        BdrvChild *child = job->nodes->data;

        job->nodes = g_slist_delete_link(job->nodes, job->nodes);
        bdrv_op_unblock_all(child->bs, job->blocker);
        bdrv_root_unref_child(child);
    }
}

/* ---- Events ---- */

static void send_end(Job *job, bool cancelled)
{
    BlockJob *block_job = of(job);
    uint64_t done;
    uint64_t total;

    progress_get_snapshot(&job->progress, &done, &total);
    if (cancelled) {
        qapi_event_send_block_job_cancelled(job_type(job), job->id, (int64_t)total, (int64_t)done,
                                            block_job->speed);
    } else {
        qapi_event_send_block_job_completed(job_type(job), job->id, (int64_t)total, (int64_t)done,
                                            block_job->speed,
                                            job->ret < 0 ? error_get_pretty(job->err) : NULL);
    }
}

static void cancelled(Notifier *notifier, void *job)
{
    send_end(job, true);
}

static void completed(Notifier *notifier, void *job)
{
    send_end(job, false);
}

static void pending(Notifier *notifier, void *opaque)
{
    Job *job = opaque;

    qapi_event_send_block_job_pending(job_type(job), job->id);
}

static void ready(Notifier *notifier, void *opaque)
{
    Job *job = opaque;
    uint64_t done;
    uint64_t total;

    progress_get_snapshot(&job->progress, &done, &total);
    qapi_event_send_block_job_ready(job_type(job), job->id, (int64_t)total, (int64_t)done,
                                    of(job)->speed);
}

static void idle(Notifier *notifier, void *job)
{
    aio_wait_kick();
}

static void listen(BlockJob *job)
{
    job->finalize_cancelled_notifier.notify = cancelled;
    job->finalize_completed_notifier.notify = completed;
    job->pending_notifier.notify = pending;
    job->ready_notifier.notify = ready;
    job->idle_notifier.notify = idle;
    notifier_list_add(&job->job.on_finalize_cancelled, &job->finalize_cancelled_notifier);
    notifier_list_add(&job->job.on_finalize_completed, &job->finalize_completed_notifier);
    notifier_list_add(&job->job.on_pending, &job->pending_notifier);
    notifier_list_add(&job->job.on_ready, &job->ready_notifier);
    notifier_list_add(&job->job.on_idle, &job->idle_notifier);
}

/* ---- Making one, and its end ---- */

static bool take_speed(BlockJob *job, int64_t speed, Error **errp)
{
    if (speed < 0) {
        error_setg(errp, "Parameter 'speed' expects a non-negative value");
        return false;
    }
    ratelimit_set_speed(&job->limit, (uint64_t)speed, BLOCK_JOB_SLICE_TIME);
    job->speed = speed;
    return true;
}

void *block_job_create(const char *job_id, const BlockJobDriver *driver, JobTxn *txn,
                       BlockDriverState *bs, uint64_t perm, uint64_t shared_perm, int64_t speed,
                       int flags, BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    BlockJob *job = NULL;

    bdrv_drain_all_begin();
    if (job_id == NULL && (flags & JOB_INTERNAL) == 0) {
        error_setg(errp, "An explicit job ID is required");
    } else {
        job = job_create(job_id, &driver->job_driver, txn, bdrv_get_aio_context(bs), flags, cb,
                         opaque, errp);
    }
    if (job != NULL) {
        ratelimit_init(&job->limit);
        listen(job);
        error_setg(&job->blocker, "block device is in use by block job: %s",
                   JobType_str(driver->job_driver.job_type));
        if (block_job_add_bdrv(job, "main node", bs, perm, shared_perm, errp) < 0 ||
            !take_speed(job, speed, errp)) {
            job_early_fail(&job->job);
            job = NULL;
        }
    }
    bdrv_drain_all_end();
    return job;
}

void block_job_free(Job *job)
{
    bdrv_drain_all_begin();
    bdrv_graph_wrlock();
    block_job_remove_all_bdrv(of(job));
    bdrv_graph_wrunlock();
    bdrv_drain_all_end();
    ratelimit_destroy(&of(job)->limit);
    error_free(of(job)->blocker);
}

/* ---- Speed ---- */

bool block_job_set_speed_locked(BlockJob *job, int64_t speed, Error **errp)
{
    int64_t before = job->speed;

    if (job_apply_verb_locked(&job->job, JOB_VERB_SET_SPEED, errp) < 0 ||
        !take_speed(job, speed, errp)) {
        return false;
    }
    if ((speed == 0 || speed > before) && timer_pending(&job->job.sleep_timer)) {
        job_enter_cond_locked(&job->job, NULL);
    }
    return true;
}

void block_job_ratelimit_processed_bytes(BlockJob *job, uint64_t n)
{
    ratelimit_calculate_delay(&job->limit, n);
}

void coroutine_fn block_job_ratelimit_sleep(BlockJob *job)
{
    int64_t delay_ns;

    do {
        delay_ns = ratelimit_calculate_delay(&job->limit, 0);
        job_sleep_ns(&job->job, delay_ns);
    } while (delay_ns > 0 && !job_is_cancelled(&job->job));
}

int64_t block_job_ratelimit_get_delay(BlockJob *job, uint64_t n)
{
    return ratelimit_calculate_delay(&job->limit, n);
}

/* ---- Other commands ---- */

void block_job_user_resume(Job *job)
{
    of(job)->iostatus = BLOCK_DEVICE_IO_STATUS_OK;
}

void block_job_change_locked(BlockJob *job, BlockJobChangeOptions *opts, Error **errp)
{
    if (job_apply_verb_locked(&job->job, JOB_VERB_CHANGE, errp) < 0) {
        return;
    }
    if (driver_of(job)->change == NULL) {
        error_setg(errp, "Job type does not support change");
        return;
    }
    driver_of(job)->change(job, opts, errp);
}

BlockJobInfo *block_job_query_locked(BlockJob *job, Error **errp)
{
    BlockJobInfo *info;
    uint64_t done;
    uint64_t total;

    if (job_is_internal(&job->job)) {
        error_setg(errp, "Cannot query QEMU internal jobs");
        return NULL;
    }
    progress_get_snapshot(&job->job.progress, &done, &total);
    info = g_new0(BlockJobInfo, 1);
    info->type = job_type(&job->job);
    info->device = g_strdup(job->job.id);
    info->busy = job->job.busy;
    info->paused = job->job.pause_count > 0;
    info->offset = (int64_t)done;
    info->len = (int64_t)total;
    info->speed = job->speed;
    info->io_status = job->iostatus;
    info->ready = job_is_ready_locked(&job->job);
    info->status = job->job.status;
    info->auto_finalize = job->job.auto_finalize;
    info->auto_dismiss = job->job.auto_dismiss;
    info->error = job->job.err != NULL ? g_strdup(error_get_pretty(job->job.err)) : NULL;
    if (driver_of(job)->query != NULL) {
        driver_of(job)->query(job, info);
    }
    return info;
}

/* ---- Errors ---- */

static BlockErrorAction action_for(BlockdevOnError policy, int error)
{
    switch (policy) {
    case BLOCKDEV_ON_ERROR_ENOSPC:
    case BLOCKDEV_ON_ERROR_AUTO:
        return error == ENOSPC ? BLOCK_ERROR_ACTION_STOP : BLOCK_ERROR_ACTION_REPORT;
    case BLOCKDEV_ON_ERROR_STOP:
        return BLOCK_ERROR_ACTION_STOP;
    case BLOCKDEV_ON_ERROR_IGNORE:
        return BLOCK_ERROR_ACTION_IGNORE;
    case BLOCKDEV_ON_ERROR_REPORT:
        break;
    }
    return BLOCK_ERROR_ACTION_REPORT;
}

BlockErrorAction block_job_error_action(BlockJob *job, BlockdevOnError on_err, int is_read,
                                        int error)
{
    BlockErrorAction action = action_for(on_err, error);

    qapi_event_send_block_job_error(
        job->job.id, is_read ? IO_OPERATION_TYPE_READ : IO_OPERATION_TYPE_WRITE, action);
    if (action == BLOCK_ERROR_ACTION_STOP) {
        if (!job->job.user_paused) {
            job_pause_locked(&job->job);
            job->job.user_paused = true;
        }
        if (job->iostatus == BLOCK_DEVICE_IO_STATUS_OK) {
            job->iostatus =
                error == ENOSPC ? BLOCK_DEVICE_IO_STATUS_NOSPACE : BLOCK_DEVICE_IO_STATUS_FAILED;
        }
    }
    return action;
}
