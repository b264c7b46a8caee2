/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stand-in: what the job does when its run is over, and what its driver tables call.
 */
#ifndef MIRRORSIM_TESTS_QEMU_STANDIN_END_H
#define MIRRORSIM_TESTS_QEMU_STANDIN_END_H

#include "run.h"

/* ---- The end ---- */

static int replace_source(Standin *job, BlockDriverState *source, BlockDriverState *target)
{
    BlockDriverState *old = job->to_replace != NULL ? job->to_replace : source;
    Error *local = NULL;
    int ret;

    if (bdrv_is_read_only(target) != bdrv_is_read_only(old)) {
        bdrv_reopen_set_read_only(target, bdrv_is_read_only(old), NULL);
    }
    if (!bdrv_recurse_can_replace(source, old)) {
        return -EPERM;
    }
    bdrv_drained_begin(old);
    bdrv_graph_wrlock();
    ret = bdrv_replace_node(old, target, &local);
    bdrv_graph_wrunlock();
    bdrv_drained_end(old);
    if (local != NULL) {
        error_report_err(local);
    }
    return ret;
}

static int set_backing(Standin *job, BlockDriverState *source, BlockDriverState *target)
{
    BlockDriverState *image = bdrv_skip_filters(target);
    Error *local = NULL;
    int ret = 0;

    if (job->backing_mode == MIRROR_SOURCE_BACKING_CHAIN) {
        BlockDriverState *backing = job->sync == MIRROR_SYNC_MODE_NONE ? source : job->base;

        if (bdrv_cow_bs(image) != backing) {
            ret = bdrv_set_backing_hd(image, backing, &local);
        }
    } else if (job->backing_mode == MIRROR_OPEN_BACKING_CHAIN && bdrv_cow_bs(image) == NULL) {
        ret = bdrv_open_backing_file(image, NULL, "backing", &local);
    }
    if (local != NULL) {
        error_report_err(local);
    }
    return ret;
}

static void release_to_replace(Standin *job)
{
    if (job->to_replace != NULL) {
        bdrv_op_unblock_all(job->to_replace, job->replace_blocker);
        error_free(job->replace_blocker);
        bdrv_unref(job->to_replace);
        job->to_replace = NULL;
    }
    g_free(job->replaces);
    job->replaces = NULL;
}

static int finish(Job *common, bool succeeded)
{
    Standin *job = container_of(common, Standin, common.job);
    BlockDriverState *filter = job->filter;
    BlockDriverState *source = filter->backing->bs;
    BlockDriverState *target = blk_bs(job->target);
    Filter *state = filter->opaque;
    int ret = 0;

    job->is_prepared = true;
    bdrv_ref(source);
    bdrv_ref(target);
    bdrv_release_dirty_bitmap(job->dirty);
    if (job->is_commit) {
        bdrv_unfreeze_backing_chain(filter, target);
    }
    blk_unref(job->target);
    job->target = NULL;
    bdrv_drained_begin(filter);
    bdrv_drained_begin(target);
    if (succeeded) {
        ret = set_backing(job, source, target);
    }
    if (succeeded && ret == 0 && job->wants_end) {
        ret = replace_source(job, source, target);
    }
    release_to_replace(job);
    block_job_remove_all_bdrv(&job->common);
    state->job = NULL;
    bdrv_graph_wrlock();
    bdrv_replace_node(filter, filter->backing->bs, &error_abort);
    bdrv_graph_wrunlock();
    if (!succeeded && job->base_was_read_only) {
        bdrv_reopen_set_read_only(target, true, NULL);
    }
    bdrv_drained_end(target);
    if (job->has_section) {
        bdrv_drained_end(source);
    }
    bdrv_drained_end(filter);
    g_free(job->claimed);
    bdrv_unref(filter);
    bdrv_unref(target);
    bdrv_unref(source);
    return ret;
}

static int prepare(Job *common)
{
    return finish(common, true);
}

static void give_up(Job *common)
{
    assert(common->ret < 0 || job_is_cancelled(common));
    if (!container_of(common, Standin, common.job)->is_prepared) {
        finish(common, false);
    }
}

/* ---- Callbacks of the job ---- */

static void coroutine_fn pause_copies(Job *common)
{
    wait_for_copies(container_of(common, Standin, common.job));
}

static void complete(Job *common, Error **errp)
{
    Standin *job = container_of(common, Standin, common.job);

    if (job->wants_end) {
        return;
    }
    if (job->replaces != NULL) {
        job->to_replace = bdrv_find_node(job->replaces);
        if (job->to_replace == NULL) {
            error_setg(errp, "There is no node '%s' to replace", job->replaces);
            return;
        }
        error_setg(&job->replace_blocker, "'%s' is to be replaced", job->replaces);
        bdrv_op_block_all(job->to_replace, job->replace_blocker);
        bdrv_ref(job->to_replace);
    }
    job->wants_end = true;
    WITH_JOB_LOCK_GUARD()
    {
        job_enter_cond_locked(common, NULL);
    }
}

static bool cancel(Job *common, bool force)
{
    Standin *job = container_of(common, Standin, common.job);
    bool is_forced = force || !job_is_ready(common);

    if (is_forced && job->target != NULL) {
        bdrv_cancel_in_flight(blk_bs(job->target));
    }
    return is_forced;
}

static bool drained_poll(BlockJob *common)
{
    Standin *job = container_of(common, Standin, common);

    if (!common->job.paused && !job_is_cancelled(&common->job) && !job->is_draining) {
        return true;
    }
    return job->copies > 0;
}

static void change(BlockJob *common, BlockJobChangeOptions *options, Error **errp)
{
    Standin *job = container_of(common, Standin, common);

    if (options->u.mirror.copy_mode == job->copy_mode) {
        return;
    }
    if (options->u.mirror.copy_mode == MIRROR_COPY_MODE_BACKGROUND) {
        error_setg(errp, "A change to copy mode '%s' is not possible",
                   MirrorCopyMode_str(options->u.mirror.copy_mode));
        return;
    }
    job->copy_mode = options->u.mirror.copy_mode;
}

static void query(BlockJob *common, BlockJobInfo *info)
{
    info->u.mirror.actively_synced = container_of(common, Standin, common)->is_synced;
}

/* What both kinds of jobs do alike. */
#define STANDIN_JOB(type)                                                                       \
    {                                                                                           \
        .instance_size = sizeof(Standin), .job_type = type, .free = block_job_free,             \
        .user_resume = block_job_user_resume, .run = run, .prepare = prepare, .abort = give_up, \
        .pause = pause_copies, .complete = complete, .cancel = cancel                           \
    }

static const BlockJobDriver mirror_driver = {
    .job_driver = STANDIN_JOB(JOB_TYPE_MIRROR),
    .drained_poll = drained_poll,
    .change = change,
    .query = query,
};

static const BlockJobDriver commit_driver = {
    .job_driver = STANDIN_JOB(JOB_TYPE_COMMIT),
    .drained_poll = drained_poll,
};

#endif
