/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of interface_modern.c that is the filter, and the job's struct.
 */
#ifndef MIRRORSIM_TESTS_QEMU_INTERFACE_MODERN_FILTER_H
#define MIRRORSIM_TESTS_QEMU_INTERFACE_MODERN_FILTER_H

#define KIB 1024
#define CHUNK (4 * KIB)
#define LENGTH (1024 * KIB)
#define PASSED 4711

typedef struct TheJob {
    BlockJob common;
    BlockBackend *target;
    BlockDriverState *filter;
    BdrvDirtyBitmap *dirty;
    CoQueue queue;
    void *buffer;
    BlockdevOnError on_target_error;
    int order; /* of those woken */
    int guests;
    int paused;
    int changed;
    bool wants_end;
    bool prepared;
} TheJob;

static TheJob *the_job(Job *job)
{
    return container_of(job, TheJob, common.job);
}

static int64_t now_ns(void)
{
    QEMUClockType clock = QEMU_CLOCK_REALTIME;

    return qemu_clock_get_ns(clock);
}

/* ---- The filter; each request once ---- */

static TheJob *seen(BlockDriverState *bs)
{
    TheJob *job = *(TheJob **)bs->opaque;

    job->guests++;
    assert(!QLIST_EMPTY(&bs->tracked_requests));
    return job;
}

static int coroutine_fn GRAPH_RDLOCK filter_preadv(BlockDriverState *bs, int64_t offset,
                                                   int64_t bytes, QEMUIOVector *qiov,
                                                   BdrvRequestFlags flags)
{
    seen(bs);
    assert(offset == 0 && bytes == CHUNK && (int64_t)qiov->size == bytes);
    return bdrv_co_preadv(bs->backing, offset, bytes, qiov, flags);
}

/* On the source, then on the target from memory of its own, in two parts. */
static int coroutine_fn filter_pwritev(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                       QEMUIOVector *qiov, BdrvRequestFlags flags)
{
    TheJob *job = seen(bs);
    void *memory = qemu_blockalign(bs, (size_t)bytes);
    QEMUIOVector own;
    int ret;

    iov_to_buf_full(qiov->iov, (unsigned)qiov->niov, 0, memory, (size_t)bytes);
    qemu_iovec_init(&own, 1);
    qemu_iovec_add(&own, memory, (size_t)bytes);
    ret = bdrv_co_pwritev(bs->backing, offset, bytes, &own, flags);
    assert(ret == 0);
    ret = blk_co_pwritev_part(job->target, offset + CHUNK / 2, CHUNK / 2, &own, CHUNK / 2, 0);
    assert(ret == 0);
    qemu_iovec_destroy(&own);
    qemu_iovec_init(&own, 1);
    qemu_iovec_add(&own, memory, CHUNK / 2);
    ret = blk_co_pwritev(job->target, offset, CHUNK / 2, &own, 0);
    qemu_iovec_destroy(&own);
    qemu_vfree(memory);
    return ret;
}

static int coroutine_fn filter_pwrite_zeroes(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                             BdrvRequestFlags flags)
{
    TheJob *job = seen(bs);
    int ret = bdrv_co_pwrite_zeroes(bs->backing, offset, bytes, flags);

    assert(ret == 0);
    return blk_co_pwrite_zeroes(job->target, offset, bytes, flags);
}

static int coroutine_fn filter_pdiscard(BlockDriverState *bs, int64_t offset, int64_t bytes)
{
    return bdrv_co_pdiscard(bs->backing, offset, bytes);
}

static int coroutine_fn filter_flush(BlockDriverState *bs)
{
    seen(bs);
    return bdrv_co_flush(bs->backing->bs);
}

static void filter_names(BlockDriverState *bs)
{
    pstrcpy(bs->exact_filename, sizeof(bs->exact_filename), bs->backing->bs->filename);
}

static void filter_permissions(BlockDriverState *bs, BdrvChild *child, BdrvChildRole role,
                               BlockReopenQueue *queue, uint64_t perm, uint64_t shared,
                               uint64_t *nperm, uint64_t *nshared)
{
    bdrv_default_perms(bs, child, role, queue, perm, shared, nperm, nshared);
}

static BlockDriver filter_driver = {.format_name = "interface",
                                    .bdrv_co_preadv = filter_preadv,
                                    .bdrv_co_pwritev = filter_pwritev,
                                    .bdrv_co_pwrite_zeroes = filter_pwrite_zeroes,
                                    .bdrv_co_pdiscard = filter_pdiscard,
                                    .bdrv_co_flush = filter_flush,
                                    .bdrv_refresh_filename = filter_names,
                                    .bdrv_child_perm = filter_permissions,
                                    .is_filter = true,
                                    .filtered_child_is_backing = true};

#endif
