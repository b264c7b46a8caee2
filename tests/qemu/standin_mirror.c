/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for a user's mirror.c: a mirror job written against the interface list alone.
 *
 * It copies one chunk at a time in a plain loop and yields where it waits.  It does not imitate
 * anybody's code: it shows that the environment can run such a job from start to pivot.
 */
#include "block/block_int.h"
#include "block/blockjob.h"
#include "qemu/bitmap.h"
#include "qemu/ratelimit.h"
#include "trace.h"

#define SLICE_NS 100000000
#define SLOW_SLICE_NS 100000000ULL

typedef struct Standin {
    BlockJob common;
    BlockDriverState *target;
    BlockDriverState *base; /* of a commit, or NULL */
    MirrorSyncMode mode;
    BlockdevOnError on_read_error;
    BlockdevOnError on_write_error;
    char *replaces;
    BlockDriverState *to_replace;
    Error *replace_blocker;
    BdrvDirtyBitmap *dirty;
    HBitmapIter iter;
    RateLimit limit;
    int64_t granularity;
    int64_t length;
    void *buffer;
    bool wants_end; /* complete was requested */
    bool ready;
    bool waits; /* waits for the request in flight */
    bool done;
    int ret;    /* of that request */
    int result; /* the first reported error */
} Standin;

/* ---- One request at a time ---- */

static void request_done(void *opaque, int ret)
{
    Standin *job = opaque;

    job->ret = ret;
    job->done = true;
    if (job->waits) {
        qemu_coroutine_enter(job->common.co, NULL);
    }
}

static int coroutine_fn wait_for_request(Standin *job)
{
    job->waits = true;
    while (!job->done) {
        qemu_coroutine_yield();
    }
    job->waits = false;
    return job->ret;
}

static void note_error(Standin *job, bool is_read, int error)
{
    BlockErrorAction action =
        is_read ? block_job_error_action(&job->common, job->common.bs, job->on_read_error, 1, error)
                : block_job_error_action(&job->common, job->target, job->on_write_error, 0, error);

    job->ready = false;
    if (action == BLOCK_ERROR_ACTION_REPORT && job->result == 0) {
        job->result = -error;
    }
}

static void coroutine_fn copy_chunk(Standin *job, int64_t sector)
{
    int64_t end = MIN(sector + job->granularity / (int64_t)BDRV_SECTOR_SIZE,
                      job->length / (int64_t)BDRV_SECTOR_SIZE);
    int count = (int)(end - sector);
    QEMUIOVector qiov;
    bool is_read = true;
    int ret;

    trace_mirror_one_iteration(job, sector, count);
    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, job->buffer, count * BDRV_SECTOR_SIZE);
    bdrv_reset_dirty(job->common.bs, sector, count);
    job->done = false;
    bdrv_aio_readv(job->common.bs, sector, &qiov, count, request_done, job);
    ret = wait_for_request(job);
    if (ret == 0) {
        is_read = false;
        job->done = false;
        bdrv_aio_writev(job->target, sector, &qiov, count, request_done, job);
        ret = wait_for_request(job);
    }
    qemu_iovec_destroy(&qiov);
    trace_mirror_iteration_done(job, sector, count, ret);
    if (ret < 0) {
        bdrv_set_dirty(job->common.bs, sector, count);
        note_error(job, is_read, -ret);
    } else {
        job->common.offset += count * (int64_t)BDRV_SECTOR_SIZE;
    }
}

/* ---- The loop ---- */

static int64_t dirty_bytes(Standin *job)
{
    return bdrv_get_dirty_count(job->common.bs, job->dirty) * (int64_t)BDRV_SECTOR_SIZE;
}

static int coroutine_fn mark_all(Standin *job)
{
    BlockDriverState *bs = job->common.bs;
    BlockDriverState *above = job->base != NULL                   ? job->base
                              : job->mode == MIRROR_SYNC_MODE_TOP ? bs->backing_hd
                                                                  : NULL;
    int64_t end = job->length / (int64_t)BDRV_SECTOR_SIZE;
    int chunk = (int)(job->granularity / (int64_t)BDRV_SECTOR_SIZE);
    int64_t sector = 0;

    while (job->mode != MIRROR_SYNC_MODE_NONE && sector < end) {
        int64_t next = (sector / chunk + 1) * chunk;
        int count = 0;
        int ret = bdrv_is_allocated_above(bs, above, sector, (int)(next - sector), &count);

        if (ret < 0) {
            return ret;
        }
        if (ret == 1) {
            bdrv_set_dirty(bs, sector, (int)(MIN(next, end) - sector));
        }
        sector = ret == 1 ? next : sector + count;
    }
    return 0;
}

/* The next dirty chunk after the last one, wrapping to the beginning. */
static int64_t next_chunk(Standin *job)
{
    int64_t sector = hbitmap_iter_next(&job->iter);

    while (sector >= 0 && !bdrv_get_dirty(job->common.bs, job->dirty, sector)) {
        sector = hbitmap_iter_next(&job->iter);
    }
    if (sector < 0) {
        bdrv_dirty_iter_init(job->common.bs, job->dirty, &job->iter);
        trace_mirror_restart_iter(job, dirty_bytes(job));
        sector = hbitmap_iter_next(&job->iter);
    }
    return sector;
}

/* True if the target is now a flushed copy and nothing is in flight on the source. */
static bool coroutine_fn settle(Standin *job)
{
    int ret;

    trace_mirror_before_flush(job);
    ret = bdrv_flush(job->target);
    if (ret < 0) {
        note_error(job, false, -ret);
        return false;
    }
    if (!job->ready) {
        job->ready = true;
        block_job_event_ready(&job->common);
    }
    if (dirty_bytes(job) == 0 && (job->wants_end || block_job_is_cancelled(&job->common))) {
        trace_mirror_before_drain(job, 0);
        bdrv_drain(job->common.bs);
        return dirty_bytes(job) == 0;
    }
    return false;
}

static int64_t pace(Standin *job)
{
    if (job->common.speed == 0 || job->ready) {
        return 0;
    }
    return ratelimit_calculate_delay(&job->limit, job->granularity / (int64_t)BDRV_SECTOR_SIZE);
}

static void coroutine_fn copy_loop(Standin *job)
{
    while (job->result == 0) {
        job->common.len = job->common.offset + dirty_bytes(job);
        if (block_job_is_cancelled(&job->common) && !job->ready) {
            return;
        }
        if (job->common.iostatus != BLOCK_DEVICE_IO_STATUS_OK) {
            block_job_sleep_ns(&job->common, QEMU_CLOCK_REALTIME, SLICE_NS);
        } else if (dirty_bytes(job) > 0) {
            int64_t delay = pace(job);

            copy_chunk(job, next_chunk(job));
            trace_mirror_before_sleep(job, dirty_bytes(job), job->ready, delay);
            block_job_sleep_ns(&job->common, QEMU_CLOCK_REALTIME, delay);
        } else if (settle(job)) {
            job->common.cancelled = false;
            return;
        } else if (dirty_bytes(job) == 0 && job->result == 0) {
            block_job_sleep_ns(&job->common, QEMU_CLOCK_REALTIME, job->wants_end ? 0 : SLICE_NS);
        }
    }
}

/* ---- The end ---- */

static void pivot(Standin *job)
{
    BlockDriverState *old = job->to_replace != NULL ? job->to_replace : job->common.bs;

    if (bdrv_get_flags(job->target) != bdrv_get_flags(old)) {
        bdrv_reopen(job->target, bdrv_get_flags(old), NULL);
    }
    bdrv_swap(job->target, old);
    if (job->base != NULL) {
        BlockDriverState *below = job->base->backing_hd; /* the pivot has made a loop */

        bdrv_set_backing_hd(job->base, NULL);
        bdrv_unref(below);
    }
}

static void finish(BlockJob *common, void *opaque)
{
    Standin *job = container_of(common, Standin, common);

    if (job->wants_end && job->result == 0 && job->ready) {
        pivot(job);
    }
    if (job->to_replace != NULL) {
        bdrv_op_unblock_all(job->to_replace, job->replace_blocker);
        error_free(job->replace_blocker);
        bdrv_unref(job->to_replace);
    }
    bdrv_unref(job->target);
    g_free(job->replaces);
    block_job_completed(common, job->result);
}

static void coroutine_fn run(void *opaque)
{
    Standin *job = opaque;
    int64_t length = bdrv_getlength(job->common.bs);

    if (length < 0) {
        job->result = (int)length;
    } else if (length == 0) {
        block_job_event_ready(&job->common);
        job->ready = true;
        while (!job->wants_end && !block_job_is_cancelled(&job->common)) {
            block_job_yield(&job->common);
        }
        job->common.cancelled = false;
    } else {
        job->length = length;
        job->buffer = qemu_try_blockalign(job->common.bs, (size_t)job->granularity);
        job->result = job->buffer == NULL ? -ENOMEM : mark_all(job);
        bdrv_dirty_iter_init(job->common.bs, job->dirty, &job->iter);
        copy_loop(job);
        qemu_vfree(job->buffer);
    }
    bdrv_release_dirty_bitmap(job->common.bs, job->dirty);
    bdrv_iostatus_disable(job->target);
    block_job_defer_to_main_loop(&job->common, finish, NULL);
}

/* ---- Callbacks ---- */

static void set_speed(BlockJob *common, int64_t speed, Error **errp)
{
    Standin *job = container_of(common, Standin, common);

    if (speed < 0) {
        error_set(errp, QERR_INVALID_PARAMETER, "speed");
        return;
    }
    ratelimit_set_speed(&job->limit, (uint64_t)speed / BDRV_SECTOR_SIZE, SLOW_SLICE_NS);
}

static void iostatus_reset(BlockJob *common)
{
    bdrv_iostatus_reset(container_of(common, Standin, common)->target);
}

static void complete(BlockJob *common, Error **errp)
{
    Standin *job = container_of(common, Standin, common);
    Error *local = NULL;

    if (!job->ready) {
        error_set(errp, QERR_BLOCK_JOB_NOT_READY, bdrv_get_device_name(common->bs));
        return;
    }
    if (job->wants_end) {
        return;
    }
    if (bdrv_open_backing_file(job->target, NULL, &local) < 0) {
        error_propagate(errp, local);
        return;
    }
    if (job->replaces != NULL) {
        job->to_replace = check_to_replace_node(job->replaces, &local);
        if (job->to_replace == NULL) {
            error_propagate(errp, local);
            return;
        }
        error_setg(&job->replace_blocker, "'%s' is to be replaced", job->replaces);
        bdrv_op_block_all(job->to_replace, job->replace_blocker);
        bdrv_ref(job->to_replace);
    }
    job->wants_end = true;
    block_job_resume(common);
}

/* ---- Start ---- */

static const BlockJobDriver mirror_driver = {
    .instance_size = sizeof(Standin),
    .job_type = BLOCK_JOB_TYPE_MIRROR,
    .set_speed = set_speed,
    .iostatus_reset = iostatus_reset,
    .complete = complete,
};

static const BlockJobDriver commit_driver = {
    .instance_size = sizeof(Standin),
    .job_type = BLOCK_JOB_TYPE_COMMIT,
    .set_speed = set_speed,
    .iostatus_reset = iostatus_reset,
    .complete = complete,
};

static int64_t choose_granularity(BlockDriverState *target)
{
    BlockDriverInfo info;

    if (bdrv_get_info(target, &info) == 0 && info.cluster_size > 0) {
        return MAX(4096, MIN(info.cluster_size, 65536));
    }
    return 65536;
}

static void start(const Standin *wanted, const BlockJobDriver *driver, BlockDriverState *bs,
                  int64_t speed, BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    Standin *job;

    if ((wanted->on_read_error == BLOCKDEV_ON_ERROR_STOP ||
         wanted->on_read_error == BLOCKDEV_ON_ERROR_ENOSPC) &&
        !bdrv_iostatus_is_enabled(bs)) {
        error_set(errp, QERR_INVALID_PARAMETER, "on-source-error");
        return;
    }
    job = block_job_create(driver, bs, speed, cb, opaque, errp);
    if (job == NULL) {
        return;
    }
    job->target = wanted->target;
    job->base = wanted->base;
    job->mode = wanted->mode;
    job->on_read_error = wanted->on_read_error;
    job->on_write_error = wanted->on_write_error;
    job->replaces = g_strdup(wanted->replaces);
    job->granularity =
        wanted->granularity != 0 ? wanted->granularity : choose_granularity(wanted->target);
    job->dirty = bdrv_create_dirty_bitmap(bs, (int)job->granularity, errp);
    if (job->dirty == NULL) {
        return; /* leaves the job attached, like the reference revision (D2) */
    }
    bdrv_set_enable_write_cache(job->target, true);
    bdrv_set_on_error(job->target, job->on_write_error, job->on_write_error);
    bdrv_iostatus_enable(job->target);
    job->common.co = qemu_coroutine_create(run);
    trace_mirror_start(bs, job, job->common.co, opaque);
    qemu_coroutine_enter(job->common.co, job);
}

void mirror_start(BlockDriverState *bs, BlockDriverState *target, const char *replaces,
                  int64_t speed, int64_t granularity, int64_t buf_size, MirrorSyncMode mode,
                  BlockdevOnError on_source_error, BlockdevOnError on_target_error,
                  BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    Standin wanted = {.target = target,
                      .mode = mode,
                      .on_read_error = on_source_error,
                      .on_write_error = on_target_error,
                      .replaces = (char *)replaces,
                      .granularity = granularity};

    start(&wanted, &mirror_driver, bs, speed, cb, opaque, errp);
}

void commit_active_start(BlockDriverState *bs, BlockDriverState *base, int64_t speed,
                         BlockdevOnError on_error, BlockCompletionFunc *cb, void *opaque,
                         Error **errp)
{
    Standin wanted = {.target = base,
                      .base = base,
                      .mode = MIRROR_SYNC_MODE_FULL,
                      .on_read_error = on_error,
                      .on_write_error = on_error};
    int flags = bdrv_get_flags(base);
    int64_t length = bdrv_getlength(bs);
    int64_t base_length = bdrv_getlength(base);
    Error *local = NULL;

    if (bdrv_reopen(base, bdrv_get_flags(bs), errp) < 0) {
        return;
    }
    if (length < 0 || base_length < 0) {
        error_setg_errno(&local, (int)-MIN(length, base_length), "the length is not known");
    } else if (length > base_length && bdrv_truncate(base, length) < 0) {
        error_setg(&local,
                   "Top image %s is larger than base image %s, and resize of base image failed",
                   bs->filename, base->filename);
    } else {
        bdrv_ref(base);
        start(&wanted, &commit_driver, bs, speed, cb, opaque, &local);
        if (local != NULL) {
            bdrv_unref(base);
        }
    }
    if (local != NULL) {
        bdrv_reopen(base, flags, NULL);
        error_propagate(errp, local);
    }
}
