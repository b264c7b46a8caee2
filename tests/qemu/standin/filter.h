/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stand-in: the filter between the guest and the source.
 */
#ifndef MIRRORSIM_TESTS_QEMU_STANDIN_FILTER_H
#define MIRRORSIM_TESTS_QEMU_STANDIN_FILTER_H

#include "claims.h"

typedef enum Change {
    CHANGE_WRITE,
    CHANGE_ZEROES,
    CHANGE_DISCARD,
} Change;

static int coroutine_fn change_source(BlockDriverState *bs, Change kind, int64_t offset,
                                      int64_t bytes, QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    switch (kind) {
    case CHANGE_WRITE:
        return bdrv_co_pwritev(bs->backing, offset, bytes, qiov, flags);
    case CHANGE_ZEROES:
        return bdrv_co_pwrite_zeroes(bs->backing, offset, bytes, flags);
    case CHANGE_DISCARD:
        return bdrv_co_pdiscard(bs->backing, offset, bytes);
    }
    abort();
}

static int coroutine_fn change_target(Standin *job, Change kind, int64_t offset, int64_t bytes,
                                      QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    switch (kind) {
    case CHANGE_WRITE:
        return blk_co_pwritev_part(job->target, offset, bytes, qiov, 0, 0);
    case CHANGE_ZEROES:
        return blk_co_pwrite_zeroes(job->target, offset, bytes, flags);
    case CHANGE_DISCARD:
        return blk_co_pdiscard(job->target, offset, bytes, 0);
    }
    abort();
}

/* The chunks that the range covers from end to end are as good as copied. */
static void clean_covered(Standin *job, int64_t offset, int64_t bytes)
{
    int64_t begin = QEMU_ALIGN_UP(offset, job->granularity);
    int64_t end = QEMU_ALIGN_DOWN(offset + bytes, job->granularity);

    if (begin < end) {
        bdrv_reset_dirty_bitmap(job->dirty, begin, end - begin);
    }
}

static int coroutine_fn change_both(Standin *job, Change kind, int64_t offset, int64_t bytes,
                                    QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    Claim *claim = claim_new(job, offset, bytes);
    int target_ret;
    int ret;

    claim->is_active = true;
    job->active_requests++;
    wait_for_chunks(job, claim, offset, bytes);
    claim_hold(claim);
    ret = change_source(job->filter, kind, offset, bytes, qiov, flags);
    if (ret < 0) {
        bdrv_set_dirty_bitmap(job->dirty, offset, bytes); /* it may have changed something */
        job->is_synced = false;
    } else {
        clean_covered(job, offset, bytes);
        job_progress_increase_remaining(&job->common.job, (uint64_t)bytes);
        job->active_bytes += bytes;
        target_ret = change_target(job, kind, offset, bytes, qiov, flags);
        job->active_bytes -= bytes;
        if (target_ret < 0) {
            mark_again(job, offset, bytes, false, target_ret);
        } else {
            job_progress_update(&job->common.job, (uint64_t)bytes);
        }
    }
    job->active_requests--;
    claim_end(claim);
    return ret;
}

static bool goes_to_both(const Standin *job)
{
    return job != NULL && job->may_use_filter && job->result == 0 &&
           job->copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING &&
           !job_is_cancelled((Job *)&job->common.job);
}

static int coroutine_fn change_guest(BlockDriverState *bs, Change kind, int64_t offset,
                                     int64_t bytes, QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    Filter *filter = bs->opaque;
    int ret;

    if (goes_to_both(filter->job)) {
        return change_both(filter->job, kind, offset, bytes, qiov, flags);
    }
    ret = change_source(bs, kind, offset, bytes, qiov, flags);
    if (filter->job != NULL) {
        filter->job->is_synced = false;
    }
    if (filter->dirty != NULL) {
        bdrv_set_dirty_bitmap(filter->dirty, offset, bytes);
    }
    return ret;
}

static int coroutine_fn filter_preadv(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                      QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    return bdrv_co_preadv(bs->backing, offset, bytes, qiov, flags);
}

static int coroutine_fn filter_pwritev(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                       QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    Filter *filter = bs->opaque;
    QEMUIOVector own;
    void *memory;
    int ret;

    if (!goes_to_both(filter->job)) {
        return change_guest(bs, CHANGE_WRITE, offset, bytes, qiov, flags);
    }
    memory = qemu_blockalign(bs, (size_t)bytes); /* the guest may change its own under way */
    iov_to_buf_full(qiov->iov, (unsigned)qiov->niov, 0, memory, (size_t)bytes);
    qemu_iovec_init(&own, 1);
    qemu_iovec_add(&own, memory, (size_t)bytes);
    ret = change_guest(bs, CHANGE_WRITE, offset, bytes, &own, flags & ~BDRV_REQ_REGISTERED_BUF);
    qemu_iovec_destroy(&own);
    qemu_vfree(memory);
    return ret;
}

static int coroutine_fn filter_zeroes(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                      BdrvRequestFlags flags)
{
    return change_guest(bs, CHANGE_ZEROES, offset, bytes, NULL, flags);
}

static int coroutine_fn filter_discard(BlockDriverState *bs, int64_t offset, int64_t bytes)
{
    return change_guest(bs, CHANGE_DISCARD, offset, bytes, NULL, 0);
}

static int coroutine_fn filter_flush(BlockDriverState *bs)
{
    return bs->backing == NULL ? 0 : bdrv_co_flush(bs->backing->bs);
}

static void filter_refresh_filename(BlockDriverState *bs)
{
    if (bs->backing != NULL) {
        pstrcpy(bs->exact_filename, sizeof(bs->exact_filename), bs->backing->bs->filename);
    }
}

static void filter_child_perm(BlockDriverState *bs, BdrvChild *child, BdrvChildRole role,
                              BlockReopenQueue *queue, uint64_t perm, uint64_t shared,
                              uint64_t *needed, uint64_t *shares)
{
    bdrv_default_perms(bs, child, role, queue, perm, shared, needed, shares);
    *shares = BLK_PERM_ALL;
}

static BlockDriver filter_driver = {
    .format_name = "standin_filter",
    .bdrv_co_preadv = filter_preadv,
    .bdrv_co_pwritev = filter_pwritev,
    .bdrv_co_pwrite_zeroes = filter_zeroes,
    .bdrv_co_pdiscard = filter_discard,
    .bdrv_co_flush = filter_flush,
    .bdrv_refresh_filename = filter_refresh_filename,
    .bdrv_child_perm = filter_child_perm,
    .is_filter = true,
    .filtered_child_is_backing = true,
};

#endif
