/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stand-in: the coroutine of the job, and those that copy.
 */
#ifndef MIRRORSIM_TESTS_QEMU_STANDIN_RUN_H
#define MIRRORSIM_TESTS_QEMU_STANDIN_RUN_H

#include "claims.h"

/* ---- Copying ---- */

static int coroutine_fn copy_data(Claim *claim, bool *is_read)
{
    Standin *job = claim->job;
    QEMUIOVector qiov;
    int ret;

    claim->slot = (int)find_next_zero_bit(job->slots, MAX_COPIES, 0);
    bitmap_set(job->slots, claim->slot, 1);
    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, job->buffer + claim->slot * job->slot_bytes, (size_t)claim->bytes);
    *is_read = true;
    ret = bdrv_co_preadv(job->filter->backing, claim->offset, claim->bytes, &qiov, 0);
    if (ret >= 0) {
        *is_read = false;
        ret = blk_co_pwritev(job->target, claim->offset, claim->bytes, &qiov, 0);
    }
    qemu_iovec_destroy(&qiov);
    return ret;
}

static void coroutine_fn copy_entry(void *opaque)
{
    Claim *claim = opaque;
    Standin *job = claim->job;
    bool is_read = false;
    int ret;

    job->copies++;
    job->copied_bytes_in_flight += claim->bytes;
    if (claim->is_zero) {
        ret = blk_co_pwrite_zeroes(job->target, claim->offset, claim->bytes,
                                   job->unmap ? BDRV_REQ_MAY_UNMAP : 0);
    } else {
        ret = copy_data(claim, &is_read);
    }
    trace_mirror_iteration_done(job, claim->offset, (uint64_t)claim->bytes, ret);
    if (ret < 0) {
        mark_again(job, claim->offset, claim->bytes, is_read, ret);
    } else {
        job_progress_update(&job->common.job, (uint64_t)claim->bytes);
    }
    job->copies--;
    job->copied_bytes_in_flight -= claim->bytes;
    claim_end(claim);
}

/* Waits until the oldest copy has ended. */
static void coroutine_fn wait_for_copy(Standin *job)
{
    Claim *claim;

    QTAILQ_FOREACH(claim, &job->claims, next)
    {
        if (!claim->is_active) {
            trace_mirror_yield_in_flight(job, claim->offset, job->copies);
            qemu_co_queue_wait(&claim->waiters, NULL);
            return;
        }
    }
}

static void coroutine_fn wait_for_copies(Standin *job)
{
    while (job->copies > 0) {
        wait_for_copy(job);
    }
}

static bool coroutine_fn reads_zero(Standin *job, int64_t offset, int64_t bytes)
{
    int64_t answered = 0;
    int status;

    WITH_GRAPH_RDLOCK_GUARD()
    {
        status = bdrv_co_block_status_above(job->filter->backing->bs, NULL, offset, bytes,
                                            &answered, NULL, NULL);
    }
    return status >= 0 && answered == bytes && (status & BDRV_BLOCK_DATA) == 0;
}

/* The next dirty chunk, from where the last one was, wrapping at the end; there is one. */
static int64_t next_dirty(Standin *job)
{
    int64_t offset = bdrv_dirty_iter_next(job->iter);

    if (offset < 0) {
        bdrv_set_dirty_iter(job->iter, 0);
        offset = bdrv_dirty_iter_next(job->iter);
        trace_mirror_restart_iter(job, bdrv_get_dirty_count(job->dirty));
        assert(offset >= 0);
    }
    return offset;
}

static bool is_claimed(Standin *job, int64_t offset, int64_t bytes)
{
    unsigned long end = (unsigned long)(first_chunk(job, offset) + chunk_count(job, offset, bytes));

    return find_next_bit(job->claimed, end, (unsigned long)first_chunk(job, offset)) < end;
}

/* A chunk, or all of the target's cluster that it is in. */
static void coroutine_fn widen(Standin *job, int64_t *offset, int64_t *bytes)
{
    if (job->fills_clusters) {
        WITH_GRAPH_RDLOCK_GUARD()
        {
            bdrv_round_to_subclusters(blk_bs(job->target), *offset, *bytes, offset, bytes);
        }
        *bytes = MIN(*bytes, job->length - *offset);
    }
}

static void coroutine_fn copy_one(Standin *job)
{
    int64_t dirty = next_dirty(job);
    int64_t offset = dirty;
    int64_t bytes = MIN(job->granularity, job->length - offset);
    Claim *claim;

    widen(job, &offset, &bytes);
    while (is_claimed(job, offset, bytes) && job->result == 0) {
        wait_for_chunks(job, NULL, offset, bytes);
    }
    job_pause_point(&job->common.job);
    if (job->result < 0 || !bdrv_dirty_bitmap_get(job->dirty, dirty) ||
        is_claimed(job, offset, bytes)) {
        return; /* the next pass looks again */
    }
    bdrv_dirty_bitmap_lock(job->dirty);
    bdrv_reset_dirty_bitmap_locked(job->dirty, offset, ROUND_UP(bytes, job->granularity));
    bdrv_dirty_bitmap_unlock(job->dirty);
    claim = claim_new(job, offset, bytes);
    claim_hold(claim);
    claim->is_zero = bytes == job->granularity && reads_zero(job, offset, bytes);
    trace_mirror_one_iteration(job, offset, (uint64_t)bytes);
    block_job_ratelimit_processed_bytes(&job->common, (uint64_t)bytes);
    claim->co = qemu_coroutine_create(copy_entry, claim);
    qemu_coroutine_enter(claim->co);
}

/* ---- The run ---- */

static int64_t overlay_bytes_allocated(Standin *job, int64_t offset, int64_t bytes, int *allocated)
{
    BlockDriverState *source = bdrv_skip_filters(job->filter);
    BlockDriverState *overlay = bdrv_find_overlay(source, job->base);
    int64_t answered = 0;

    *allocated = bdrv_co_is_allocated_above(source, overlay, true, offset, bytes, &answered);
    return answered;
}

/* Marks what there is to copy; 0 or -errno. */
static int coroutine_fn walk(Standin *job)
{
    int64_t offset = 0;

    if (job->sync == MIRROR_SYNC_MODE_NONE) {
        return 0;
    }
    if (job->sync == MIRROR_SYNC_MODE_FULL && !job->target_is_zero) {
        bdrv_set_dirty_bitmap(job->dirty, 0, job->length);
        return 0;
    }
    while (offset < job->length && !job_is_cancelled(&job->common.job)) {
        int allocated;
        int64_t answered;

        job_pause_point(&job->common.job);
        answered =
            overlay_bytes_allocated(job, offset, MIN(job->length - offset, INT_MAX), &allocated);
        if (allocated < 0) {
            return allocated;
        }
        assert(answered > 0);
        if (allocated > 0) {
            bdrv_set_dirty_bitmap(job->dirty, offset, answered);
        }
        offset += answered;
    }
    return 0;
}

static int coroutine_fn flush_target(Standin *job)
{
    int ret;

    trace_mirror_before_flush(job);
    ret = blk_co_flush(job->target);
    if (ret < 0) {
        note_error(job, false, -ret);
    }
    return ret;
}

/* With nothing dirty and nothing in flight: true if the job is over. */
static bool coroutine_fn settle(Standin *job)
{
    if (!job_is_ready(&job->common.job)) {
        if (flush_target(job) < 0) {
            return false;
        }
        job_transition_to_ready(&job->common.job);
    }
    if (job->copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING &&
        bdrv_get_dirty_count(job->dirty) == 0) {
        job->is_synced = true;
    }
    if (!job->wants_end && !job_cancel_requested(&job->common.job)) {
        return false;
    }
    trace_mirror_before_drain(job, bdrv_get_dirty_count(job->dirty));
    job->is_draining = true;
    bdrv_drained_begin(job->filter->backing->bs);
    if (bdrv_get_dirty_count(job->dirty) == 0 && flush_target(job) == 0) {
        job->has_section = true;
        return true;
    }
    bdrv_drained_end(job->filter->backing->bs);
    job->is_draining = false;
    return false;
}

static void tell_progress(Standin *job)
{
    job_progress_set_remaining(&job->common.job,
                               (uint64_t)(job->copied_bytes_in_flight + job->active_bytes +
                                          bdrv_get_dirty_count(job->dirty)));
}

static int coroutine_fn copy_loop(Standin *job)
{
    for (;;) {
        int64_t dirty;

        if (job->result < 0) {
            return job->result;
        }
        job_pause_point(&job->common.job);
        if (job_is_cancelled(&job->common.job)) {
            return 0;
        }
        dirty = bdrv_get_dirty_count(job->dirty);
        tell_progress(job);
        if (job->common.iostatus == BLOCK_DEVICE_IO_STATUS_OK) {
            if (job->copies >= MAX_COPIES || (dirty == 0 && job->copies > 0)) {
                trace_mirror_yield(job, dirty, MAX_COPIES - job->copies, job->copies);
                wait_for_copy(job);
                continue;
            }
            if (dirty > 0) {
                copy_one(job);
            }
        }
        if (dirty == 0 && job->copies == 0 && settle(job)) {
            return 0;
        }
        trace_mirror_before_sleep(job, dirty, job_is_ready(&job->common.job), SLICE_NS);
        if (!job_is_ready(&job->common.job)) {
            block_job_ratelimit_sleep(&job->common);
        } else if (dirty == 0 && !job->wants_end && !job_cancel_requested(&job->common.job)) {
            job_sleep_ns(&job->common.job, SLICE_NS);
        }
    }
}

static int coroutine_fn lengths(Standin *job)
{
    int64_t target_length;

    job->length = bdrv_co_getlength(job->filter);
    target_length = blk_co_getlength(job->target);
    if (job->length < 0 || target_length < 0) {
        return (int)MIN(job->length, target_length);
    }
    if (job->is_commit && job->length > target_length) {
        return blk_co_truncate(job->target, job->length, false, PREALLOC_MODE_OFF, 0, NULL);
    }
    return 0;
}

static void coroutine_fn wait_empty(Standin *job)
{
    job_transition_to_ready(&job->common.job);
    job->is_synced = true;
    while (!job->wants_end && !job_cancel_requested(&job->common.job)) {
        job_yield(&job->common.job);
    }
}

/* The largest copy: a chunk, or a cluster of the target. */
static int64_t coroutine_fn slot_bytes(Standin *job)
{
    BlockDriverState *target = blk_bs(job->target);
    BlockDriverInfo info = {.cluster_size = 0};
    char name[2];

    bdrv_get_backing_filename(target, name, sizeof(name));
    if (name[0] == '\0' || bdrv_cow_bs(target) != NULL || bdrv_co_get_info(target, &info) < 0 ||
        info.cluster_size <= job->granularity) {
        return job->granularity;
    }
    job->fills_clusters = true;
    return info.cluster_size;
}

static int coroutine_fn run_copying(Standin *job)
{
    int64_t slot = slot_bytes(job);
    int ret;

    job->claimed = bitmap_new((long)DIV_ROUND_UP(job->length, job->granularity));
    job->slots = bitmap_new(MAX_COPIES);
    job->buffer = qemu_try_blockalign(job->filter->backing->bs, (size_t)(MAX_COPIES * slot));
    job->slot_bytes = slot;
    if (job->buffer == NULL) {
        return -ENOMEM;
    }
    ret = walk(job);
    if (ret == 0 && !job_is_cancelled(&job->common.job)) {
        job->iter = bdrv_dirty_iter_new(job->dirty);
        job->may_use_filter = true;
        ret = copy_loop(job);
    }
    return ret;
}

static int coroutine_fn run(Job *common, Error **errp)
{
    Standin *job = container_of(common, Standin, common.job);
    int64_t target_length;
    int ret;

    if (job_is_cancelled(common)) {
        ret = 0;
    } else {
        ret = lengths(job);
        target_length = blk_co_getlength(job->target);
        if (ret == 0 && target_length != job->length) {
            error_setg(errp, "Source and target image have different sizes");
            ret = -EINVAL;
        } else if (ret == 0 && job->length == 0) {
            wait_empty(job);
        } else if (ret == 0) {
            ret = run_copying(job);
        }
    }
    wait_for_copies(job);
    qemu_vfree(job->buffer);
    g_free(job->slots);
    if (!job->has_section) {
        job->is_draining = true;
        bdrv_drained_begin(job->filter->backing->bs);
        job->has_section = true;
    }
    bdrv_dirty_iter_free(job->iter);
    job->iter = NULL;
    return ret;
}

#endif
