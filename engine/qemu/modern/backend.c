/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The target's user: a reference, and requests that pass in a drained section.
 */
#include "engine/qemu/modern/env.h"
#include "engine/range.h"

struct BlockBackend {
    BlockDriverState *bs;
    bool passes;   /* in a drained section */
    bool is_a_job; /* 6.2: stands for the job as a user of its main node, which the life keeps */
};

BlockBackend *qemu_backend_of_job(void)
{
    BlockBackend *blk = g_malloc0(sizeof(*blk));

    blk->is_a_job = true;
    return blk;
}

BlockBackend *blk_new(AioContext *context, uint64_t perm, uint64_t shared_perm)
{
    (void)context;
    (void)perm;
    (void)shared_perm;
    return g_malloc0(sizeof(BlockBackend));
}

int blk_insert_bs(BlockBackend *blk, BlockDriverState *bs, Error **errp)
{
    (void)errp;
    if (blk->is_a_job) {
        return 0;
    }
    if (blk->bs != NULL || bs->own->driver != NULL) {
        qemu_unsupported("a user of two nodes, or of a filter");
    }
    bdrv_ref(bs);
    blk->bs = bs;
    return 0;
}

void blk_remove_bs(BlockBackend *blk)
{
    bdrv_unref(blk->bs);
    blk->bs = NULL;
}

int blk_set_perm(BlockBackend *blk, uint64_t perm, uint64_t shared, Error **errp)
{
    (void)blk;
    (void)perm;
    (void)shared;
    (void)errp;
    return 0;
}

void blk_unref(BlockBackend *blk)
{
    if (blk != NULL) {
        blk_remove_bs(blk);
        g_free(blk);
    }
}

BlockDriverState *blk_bs(BlockBackend *blk)
{
    return blk != NULL ? blk->bs : NULL;
}

void blk_set_force_allow_inactivate(BlockBackend *blk)
{
    (void)blk;
}

void blk_set_allow_aio_context_change(BlockBackend *blk, bool allow)
{
    (void)blk;
    (void)allow;
}

void blk_set_disable_request_queuing(BlockBackend *blk, bool disable)
{
    blk->passes = disable;
}

/* ---- Requests ---- */

static BlockDriverState *node_for_request(const BlockBackend *blk)
{
    if (blk->bs == NULL) {
        qemu_die("a request of a user that has no node");
    }
    if (!blk->passes && block_sections(blk->bs->own->block) > 0) {
        qemu_unsupported("a request of the job that queues in a drained section");
    }
    return blk->bs;
}

int64_t blk_co_getlength(BlockBackend *blk)
{
    return bdrv_getlength(node_for_request(blk));
}

int64_t blk_getlength(BlockBackend *blk)
{
    return bdrv_getlength(node_for_request(blk));
}

int blk_co_truncate(BlockBackend *blk, int64_t offset, bool exact, PreallocMode prealloc,
                    BdrvRequestFlags flags, Error **errp)
{
    const BlockDriverState *bs = node_for_request(blk);
    int ret;

    (void)exact;
    (void)prealloc;
    if ((unsigned)flags != 0 || offset < 0 || (uint64_t)offset % SECTOR_BYTES != 0) {
        qemu_unsupported("a new length that is not in sectors, or flags for it");
    }
    ret = block_truncate(bs->own->block, (uint64_t)offset);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "can't resize '%s'", bs->node_name);
    }
    return ret;
}

int blk_truncate(BlockBackend *blk, int64_t offset, bool exact, PreallocMode prealloc,
                 BdrvRequestFlags flags, Error **errp)
{
    return blk_co_truncate(blk, offset, exact, prealloc, flags, errp);
}

int blk_co_pwritev_part(BlockBackend *blk, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                        size_t qiov_offset, BdrvRequestFlags flags)
{
    (void)flags; /* without effect on a write here */
    return qemu_request_write(node_for_request(blk), offset, bytes, qiov, qiov_offset);
}

int blk_co_pwritev(BlockBackend *blk, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                   BdrvRequestFlags flags)
{
    return blk_co_pwritev_part(blk, offset, bytes, qiov, 0, flags);
}

int blk_co_pwrite_zeroes(BlockBackend *blk, int64_t offset, int64_t bytes, BdrvRequestFlags flags)
{
    return qemu_request_zero(node_for_request(blk), offset, bytes, flags);
}

int qemu_modern_blk_discard(BlockBackend *blk, int64_t offset, int64_t bytes)
{
    return qemu_request_discard(node_for_request(blk), offset, bytes);
}

int blk_co_flush(BlockBackend *blk)
{
    return bdrv_co_flush(node_for_request(blk));
}

int blk_flush(BlockBackend *blk)
{
    return bdrv_co_flush(node_for_request(blk));
}
