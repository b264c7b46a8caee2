/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small mirror job of today's generation, written against the interface list alone.
 *
 * One chunk at a time, no zeroes, no active writes: it shows that the environment can run such a
 * job from the filter to the pivot, and nothing about mirrors.
 */
#include "qemu/osdep.h"

#include "block/block_int.h"
#include "block/blockjob_int.h"
#include "block/dirty-bitmap.h"
#include "qapi/error.h"
#include "qemu/memalign.h"
#include "qemu/ratelimit.h"
#include "system/block-backend.h"
#include "trace.h"

/* What a test that includes this file (misdeeds_modern.c) does at some places. */
#ifndef SMALL_HOOKS
#define SMALL_IN_START(job) ((void)0)
#define SMALL_IN_RUN(job) ((void)0)
#define SMALL_IN_COPY(job) ((void)0)
#define SMALL_IN_END(job) ((void)0)
#define SMALL_IN_WRITE(job, qiov) ((void)0)
#endif

typedef struct SmallJob SmallJob;

typedef struct SmallFilter {
    SmallJob *job;
    BdrvDirtyBitmap *dirty;
} SmallFilter;

struct SmallJob {
    BlockJob common;
    BlockBackend *target;
    BlockDriverState *filter;
    BdrvDirtyBitmap *dirty;
    BdrvDirtyBitmapIter *iter;
    BlockdevOnError on_source_error;
    BlockdevOnError on_target_error;
    int64_t granularity;
    int64_t length;
    void *buffer;
    Coroutine *copy; /* in flight */
    CoQueue waiting;
    int64_t offset;      /* of the copy */
    int result;          /* the first reported error */
    const char *misdeed; /* the name of the filter, or NULL */
    bool wants_end;
    bool drained;
    bool prepared;
};

#ifdef SMALL_HOOKS
static void SMALL_IN_START(SmallJob *job);
static void SMALL_IN_RUN(SmallJob *job);
static void SMALL_IN_COPY(SmallJob *job);
static void SMALL_IN_END(SmallJob *job);
static void SMALL_IN_WRITE(SmallJob *job, QEMUIOVector *qiov);
#endif

/* ---- The filter ---- */

static int coroutine_fn filter_preadv(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                      QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    return bdrv_co_preadv(bs->backing, offset, bytes, qiov, flags);
}

static int coroutine_fn mark(BlockDriverState *bs, int64_t offset, int64_t bytes, int ret)
{
    SmallFilter *filter = bs->opaque;

    bdrv_set_dirty_bitmap(filter->dirty, offset, bytes);
    return ret;
}

static int coroutine_fn filter_pwritev(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                       QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    SMALL_IN_WRITE(((SmallFilter *)bs->opaque)->job, qiov);
    return mark(bs, offset, bytes, bdrv_co_pwritev(bs->backing, offset, bytes, qiov, flags));
}

static int coroutine_fn filter_pwrite_zeroes(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                             BdrvRequestFlags flags)
{
    return mark(bs, offset, bytes, bdrv_co_pwrite_zeroes(bs->backing, offset, bytes, flags));
}

static int coroutine_fn filter_pdiscard(BlockDriverState *bs, int64_t offset, int64_t bytes)
{
    return mark(bs, offset, bytes, bdrv_co_pdiscard(bs->backing, offset, bytes));
}

static int coroutine_fn filter_flush(BlockDriverState *bs)
{
    return bs->backing == NULL ? 0 : bdrv_co_flush(bs->backing->bs);
}

static BlockDriver small_filter = {
    .format_name = "small-mirror-top",
    .bdrv_co_preadv = filter_preadv,
    .bdrv_co_pwritev = filter_pwritev,
    .bdrv_co_pwrite_zeroes = filter_pwrite_zeroes,
    .bdrv_co_pdiscard = filter_pdiscard,
    .bdrv_co_flush = filter_flush,
    .is_filter = true,
    .filtered_child_is_backing = true,
};

/* ---- Copying ---- */

static BlockDriverState *source_of(SmallJob *job)
{
    return job->filter->backing->bs;
}

static void fail(SmallJob *job, bool is_read, int error)
{
    BlockdevOnError on_error = is_read ? job->on_source_error : job->on_target_error;
    BlockErrorAction action = block_job_error_action(&job->common, on_error, is_read, error);

    if (action == BLOCK_ERROR_ACTION_REPORT && job->result == 0) {
        job->result = -error;
    }
}

static void coroutine_fn copy(void *opaque)
{
    SmallJob *job = opaque;
    int64_t bytes = MIN(job->granularity, job->length - job->offset);
    QEMUIOVector qiov;
    bool is_read = true;
    int ret;

    trace_mirror_one_iteration(job, job->offset, bytes);
    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, job->buffer, bytes);
    ret = bdrv_co_preadv(job->filter->backing, job->offset, bytes, &qiov, 0);
    SMALL_IN_COPY(job);
    if (ret >= 0) {
        is_read = false;
        ret = blk_co_pwritev(job->target, job->offset, bytes, &qiov, 0);
    }
    qemu_iovec_destroy(&qiov);
    trace_mirror_iteration_done(job, job->offset, bytes, ret);
    if (ret < 0) {
        bdrv_set_dirty_bitmap(job->dirty, job->offset, bytes);
        fail(job, is_read, -ret);
    } else {
        job_progress_update(&job->common.job, bytes);
    }
    job->copy = NULL;
    qemu_co_queue_restart_all(&job->waiting);
}

static void coroutine_fn wait_for_copy(SmallJob *job)
{
    while (job->copy != NULL) {
        qemu_co_queue_wait(&job->waiting, NULL);
    }
}

static void coroutine_fn copy_next(SmallJob *job)
{
    int64_t offset = bdrv_dirty_iter_next(job->iter);

    if (offset < 0) {
        bdrv_set_dirty_iter(job->iter, 0);
        offset = bdrv_dirty_iter_next(job->iter);
    }
    bdrv_reset_dirty_bitmap(job->dirty, offset, job->granularity);
    job->offset = offset;
    block_job_ratelimit_processed_bytes(&job->common, job->granularity);
    job->copy = qemu_coroutine_create(copy, job);
    qemu_coroutine_enter(job->copy);
}

/* ---- The run ---- */

static int coroutine_fn populate(SmallJob *job)
{
    int64_t offset = 0;

    while (offset < job->length) {
        int64_t count = 0;
        int ret = bdrv_co_is_allocated_above(source_of(job), NULL, false, offset,
                                             job->length - offset, &count);

        if (ret < 0) {
            return ret;
        }
        if (ret > 0) {
            bdrv_set_dirty_bitmap(job->dirty, offset, count);
        }
        offset += count;
    }
    return 0;
}

static int coroutine_fn flush(SmallJob *job)
{
    int ret = blk_co_flush(job->target);

    if (ret < 0) {
        fail(job, false, -ret);
    }
    return ret;
}

/* True: the end. */
static bool coroutine_fn try_to_end(SmallJob *job)
{
    BlockDriverState *source = source_of(job);

    job->drained = true;
    bdrv_drained_begin(source);
    if (bdrv_get_dirty_count(job->dirty) == 0 && flush(job) >= 0) {
        assert(QLIST_EMPTY(&source->tracked_requests));
        return true;
    }
    bdrv_drained_end(source);
    job->drained = false;
    return false;
}

static int coroutine_fn loop(SmallJob *job)
{
    Job *common = &job->common.job;

    while (job->result == 0) {
        job_pause_point(common);
        if (job_is_cancelled(common)) {
            return 0;
        }
        job_progress_set_remaining(common, bdrv_get_dirty_count(job->dirty));
        if (bdrv_get_dirty_count(job->dirty) > 0 &&
            job->common.iostatus == BLOCK_DEVICE_IO_STATUS_OK) {
            copy_next(job);
            wait_for_copy(job);
            if (!job_is_ready(common)) {
                block_job_ratelimit_sleep(&job->common);
            }
            continue;
        }
        if (!job_is_ready(common) && bdrv_get_dirty_count(job->dirty) == 0 && flush(job) >= 0) {
            job_transition_to_ready(common);
        }
        if (job_is_ready(common) && (job->wants_end || job_cancel_requested(common)) &&
            try_to_end(job)) {
            return 0;
        }
        job_sleep_ns(common, BLOCK_JOB_SLICE_TIME);
    }
    return job->result;
}

static int coroutine_fn prepare_run(SmallJob *job)
{
    job->length = bdrv_co_getlength(source_of(job));
    if (job->length < 0) {
        return job->length;
    }
    job->buffer = qemu_try_blockalign(source_of(job), job->granularity);
    if (job->buffer == NULL) {
        return -ENOMEM;
    }
    job->iter = bdrv_dirty_iter_new(job->dirty);
    SMALL_IN_RUN(job);
    return populate(job);
}

static int coroutine_fn small_run(Job *common, Error **errp)
{
    SmallJob *job = container_of(common, SmallJob, common.job);
    int ret = job_is_cancelled(common) ? 0 : prepare_run(job);

    if (ret == 0) {
        ret = loop(job);
    }
    wait_for_copy(job);
    bdrv_dirty_iter_free(job->iter);
    qemu_vfree(job->buffer);
    if (!job->drained) {
        job->drained = true;
        bdrv_drained_begin(source_of(job));
    }
    return ret;
}

/* ---- The end ---- */

static void end(SmallJob *job, bool pivot)
{
    BlockDriverState *filter = job->filter;
    BlockDriverState *source = source_of(job);
    BlockDriverState *target = blk_bs(job->target);

    if (job->prepared) {
        return;
    }
    job->prepared = true;
    bdrv_release_dirty_bitmap(job->dirty);
    SMALL_IN_END(job);
    bdrv_ref(source);
    bdrv_ref(filter);
    bdrv_ref(target);
    blk_unref(job->target);
    bdrv_drained_begin(target);
    if (pivot) {
        bdrv_replace_node(source, target, &error_abort);
    }
    block_job_remove_all_bdrv(&job->common);
    bdrv_replace_node(filter, filter->backing->bs, &error_abort);
    bdrv_drained_end(target);
    bdrv_drained_end(source);
    bdrv_unref(target);
    bdrv_unref(filter);
    bdrv_unref(source);
}

static int small_prepare(Job *common)
{
    SmallJob *job = container_of(common, SmallJob, common.job);

    end(job, job->wants_end);
    return 0;
}

static void small_abort(Job *common)
{
    end(container_of(common, SmallJob, common.job), false);
}

static void coroutine_fn small_pause(Job *common)
{
    wait_for_copy(container_of(common, SmallJob, common.job));
}

static void small_complete(Job *common, Error **errp)
{
    SmallJob *job = container_of(common, SmallJob, common.job);

    if (!job_is_ready(common)) {
        error_setg(errp, "The job '%s' is not ready", common->id);
        return;
    }
    job->wants_end = true;
    if (!common->paused) {
        WITH_JOB_LOCK_GUARD()
        {
            job_enter_cond_locked(common, NULL);
        }
    }
}

static bool small_cancel(Job *common, bool force)
{
    return force || !job_is_ready(common);
}

static bool small_drained_poll(BlockJob *common)
{
    SmallJob *job = container_of(common, SmallJob, common);

    return job->copy != NULL ||
           (!common->job.paused && !job_is_cancelled(&common->job) && !job->drained);
}

static const BlockJobDriver small_driver = {
    .job_driver =
        {
            .instance_size = sizeof(SmallJob),
            .job_type = JOB_TYPE_MIRROR,
            .free = block_job_free,
            .user_resume = block_job_user_resume,
            .run = small_run,
            .prepare = small_prepare,
            .abort = small_abort,
            .pause = small_pause,
            .complete = small_complete,
            .cancel = small_cancel,
        },
    .drained_poll = small_drained_poll,
};

/* ---- The start ---- */

static void take_filter_out(BlockDriverState *filter, BlockDriverState *source)
{
    bdrv_drained_begin(source);
    bdrv_replace_node(filter, source, &error_abort);
    bdrv_drained_end(source);
    bdrv_unref(filter);
}

void mirror_start(const char *job_id, BlockDriverState *bs, BlockDriverState *target,
                  const char *replaces, int creation_flags, int64_t speed, uint32_t granularity,
                  int64_t buf_size, MirrorSyncMode mode, BlockMirrorBackingMode backing_mode,
                  bool target_is_zero, BlockdevOnError on_source_error,
                  BlockdevOnError on_target_error, bool unmap, const char *filter_node_name,
                  MirrorCopyMode copy_mode, Error **errp)
{
    BlockDriverState *filter;
    SmallFilter *opaque;
    SmallJob *job;

    GLOBAL_STATE_CODE();
    filter = bdrv_new_open_driver(&small_filter, filter_node_name, BDRV_O_RDWR, errp);
    if (filter == NULL) {
        return;
    }
    opaque = g_new0(SmallFilter, 1);
    filter->opaque = opaque;
    if (granularity == 0) {
        granularity = bdrv_get_default_bitmap_granularity(target);
    }
    bdrv_drained_begin(bs);
    if (bdrv_append(filter, bs, errp) < 0) {
        bdrv_drained_end(bs);
        bdrv_unref(filter);
        return;
    }
    opaque->dirty = bdrv_create_dirty_bitmap(filter, granularity, NULL, errp);
    if (opaque->dirty != NULL) {
        bdrv_disable_dirty_bitmap(opaque->dirty);
    }
    bdrv_drained_end(bs);
    if (opaque->dirty == NULL) {
        take_filter_out(filter, bs);
        return;
    }
    job = block_job_create(job_id, &small_driver, NULL, filter, 0, BLK_PERM_ALL, speed,
                           creation_flags, NULL, NULL, errp);
    if (job == NULL) {
        BdrvDirtyBitmap *dirty = opaque->dirty;

        take_filter_out(filter, bs);
        bdrv_release_dirty_bitmap(dirty);
        return;
    }
    bdrv_unref(filter); /* the job has a reference of its own */
    opaque->job = job;
    job->filter = filter;
    job->dirty = opaque->dirty;
    job->granularity = granularity;
    job->on_source_error = on_source_error;
    job->on_target_error = on_target_error;
    qemu_co_queue_init(&job->waiting);
    job->target = blk_new(bdrv_get_aio_context(bs), BLK_PERM_WRITE, BLK_PERM_ALL);
    blk_insert_bs(job->target, target, &error_abort);
    blk_set_disable_request_queuing(job->target, true);
    bdrv_graph_wrlock_drained();
    block_job_add_bdrv(&job->common, "source", bs, 0, BLK_PERM_ALL, &error_abort);
    block_job_add_bdrv(&job->common, "target", target, 0, BLK_PERM_ALL, &error_abort);
    bdrv_graph_wrunlock();
    trace_mirror_start(bs, job, NULL);
    job->misdeed = filter_node_name;
    SMALL_IN_START(job);
    job_start(&job->common.job);
}

BlockJob *commit_active_start(const char *job_id, BlockDriverState *bs, BlockDriverState *base,
                              int creation_flags, int64_t speed, BlockdevOnError on_error,
                              const char *filter_node_name, BlockCompletionFunc *cb, void *opaque,
                              bool auto_complete, Error **errp)
{
    error_setg(errp, "the small job commits nothing");
    return NULL;
}
