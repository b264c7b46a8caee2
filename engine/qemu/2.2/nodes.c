/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes: their attributes, the graph, and the pivot.
 *
 * A pivot exchanges the nodes that two BlockDriverStates stand for, but not what others hold on
 * them. That stays with the seat, the node that a BlockDriverState stood for at first: it has
 * the references, blockers and I/O status.
 */
#include <stdio.h>
#include <string.h>

#include "engine/qemu/2.2/env.h"

/* ---- BlockDriverStates ---- */

/* Leaves the links alone: they go from seat to seat, so that a pivot can turn them into a loop. */
static void refresh(struct qemu_node *node)
{
    BlockDriverState *bs = &node->bs;

    bs->open_flags = (int)block_flags(node->stands_for);
    bs->tracked_requests.lh_first =
        block_in_flight(node->stands_for) > 0 ? (struct qemu_tracked *)(void *)node : NULL;
}

void qemu_nodes_refresh(struct engine_job *env)
{
    for (struct qemu_node *node = env->nodes; node != NULL; node = node->next) {
        refresh(node);
    }
}

BlockDriverState *qemu_bs_of(struct block_node *block)
{
    struct engine_job *env = qemu_env();
    struct qemu_node *node = env->nodes;

    if (block == NULL) {
        return NULL;
    }
    while (node != NULL && node->stands_for != block) {
        node = node->next;
    }
    if (node == NULL) {
        node = host_alloc(env->common.host, sizeof(*node));
        *node = (struct qemu_node){
            .next = env->nodes, .bs.own = node, .stands_for = block, .seat = block};
        snprintf(node->bs.filename, sizeof(node->bs.filename), "%s", block_node_name(block));
        env->nodes = node;
        node->bs.backing_hd = qemu_bs_of(block_backing(block));
        refresh(node);
    }
    return &node->bs;
}

void qemu_nodes_free(struct engine_job *env)
{
    while (env->nodes != NULL) {
        struct qemu_node *node = env->nodes;

        env->nodes = node->next;
        host_free(env->common.host, node, sizeof(*node));
    }
}

/* ---- Attributes ---- */

AioContext *bdrv_get_aio_context(BlockDriverState *bs)
{
    return (AioContext *)(void *)bs;
}

/* There is one thread, so there is nothing to lock. */
void aio_context_acquire(AioContext *context)
{
    assert(context != NULL);
}

void aio_context_release(AioContext *context)
{
    assert(context != NULL);
}

const char *bdrv_get_device_name(BlockDriverState *bs)
{
    return block_node_name(bs->own->stands_for);
}

int bdrv_get_flags(BlockDriverState *bs)
{
    return (int)block_flags(bs->own->stands_for);
}

int64_t bdrv_getlength(BlockDriverState *bs)
{
    uint64_t bytes;
    int ret = block_getlength(bs->own->stands_for, &bytes);

    qemu_env()->common.last_error = ret;
    return ret < 0 ? ret : (int64_t)bytes;
}

int bdrv_get_info(BlockDriverState *bs, BlockDriverInfo *bdi)
{
    uint64_t bytes = 0;
    int ret = block_cluster_size(bs->own->stands_for, &bytes);

    bdi->cluster_size = ret == 0 ? (int)bytes : 0;
    return ret;
}

void bdrv_round_to_clusters(BlockDriverState *bs, int64_t sector_num, int nb_sectors,
                            int64_t *cluster_sector_num, int *cluster_nb_sectors)
{
    BlockDriverInfo info;
    int64_t first = sector_num;
    int64_t end = sector_num + nb_sectors;

    if (bdrv_get_info(bs, &info) == 0 && info.cluster_size > 0) {
        int64_t sectors = info.cluster_size / (int)BDRV_SECTOR_SIZE;

        first = first / sectors * sectors;
        end = (end + sectors - 1) / sectors * sectors;
    }
    *cluster_sector_num = first;
    *cluster_nb_sectors = (int)(end - first);
}

void bdrv_get_backing_filename(BlockDriverState *bs, char *filename, int filename_size)
{
    snprintf(filename, (size_t)filename_size, "%s",
             block_names_backing(bs->own->stands_for) ? "backing-file" : "");
}

/* ---- Changing them ---- */

static int tell(int ret, Error **errp, const char *what, const BlockDriverState *bs)
{
    qemu_env()->common.last_error = ret;
    if (ret < 0) {
        error_setg_errno(errp, -ret, "can't %s '%s'", what, bs->filename);
    }
    qemu_nodes_refresh(qemu_env());
    return ret;
}

int bdrv_reopen(BlockDriverState *bs, int flags, Error **errp)
{
    return tell(block_reopen(bs->own->stands_for, (uint32_t)flags), errp, "reopen", bs);
}

int bdrv_truncate(BlockDriverState *bs, int64_t offset)
{
    return tell(block_truncate(bs->own->stands_for, (uint64_t)offset), NULL, "resize", bs);
}

int bdrv_open_backing_file(BlockDriverState *bs, QDict *options, Error **errp)
{
    int ret;

    if (options != NULL) {
        qemu_unsupported("a backing file opened with options");
    }
    ret = block_open_backing(bs->own->stands_for);
    if (ret == 0 && bs->backing_hd == NULL) {
        bs->backing_hd = qemu_bs_of(block_backing(bs->own->stands_for));
    }
    return tell(ret, errp, "open the backing file of", bs);
}

/*
 * The reference that the link held passes to the caller, who must release it; the block layer
 * has never counted it.
 */
void bdrv_set_backing_hd(BlockDriverState *bs, BlockDriverState *backing_hd)
{
    if (backing_hd != NULL) {
        qemu_unsupported("a backing node that is set");
    }
    if (bs->backing_hd != NULL) {
        bdrv_ref(bs->backing_hd);
        block_unlink_backing(bs->own->stands_for);
        bs->backing_hd = NULL;
    }
}

void bdrv_swap(BlockDriverState *bs_new, BlockDriverState *bs_old)
{
    struct block_node *new_node = bs_new->own->stands_for;
    struct block_node *old_node = bs_old->own->stands_for;
    BlockDriverState *new_backing = bs_new->backing_hd;

    bs_new->own->stands_for = old_node;
    bs_old->own->stands_for = new_node;
    bs_new->backing_hd = bs_old->backing_hd;
    bs_old->backing_hd = new_backing;
    block_replace(old_node, new_node);
    qemu_nodes_refresh(qemu_env());
}

BlockDriverState *check_to_replace_node(const char *node_name, Error **errp)
{
    struct block_node *node = block_node_find(qemu_env()->common.host, node_name);

    if (node == NULL) {
        error_set(errp, ERROR_CLASS_NOT_FOUND, "there is no node '%s'", node_name);
    } else if (block_is_blocked(node)) {
        error_set(errp, ERROR_CLASS_IN_USE, "the node '%s' is in use", node_name);
    } else if (!block_is_topmost_non_filter(node)) {
        error_set(errp, ERROR_CLASS_IN_USE, "'%s' is not the topmost non-filter node", node_name);
    } else {
        return qemu_bs_of(node);
    }
    return NULL;
}

/* ---- What others hold of them ---- */

void bdrv_ref(BlockDriverState *bs)
{
    block_ref(bs->own->seat);
}

void bdrv_unref(BlockDriverState *bs)
{
    if (bs != NULL) {
        block_unref(bs->own->seat);
    }
}

/* All blockers of a job are alike except for their reason. */
void bdrv_op_block_all(BlockDriverState *bs, Error *reason)
{
    (void)reason;
    block_op_block_all(bs->own->seat);
}

void bdrv_op_unblock_all(BlockDriverState *bs, Error *reason)
{
    (void)reason;
    block_op_unblock_all(bs->own->seat);
}

/* ---- Errors and the I/O status ---- */

void bdrv_set_enable_write_cache(BlockDriverState *bs, bool wce)
{
    block_set_write_cache(bs->own->stands_for, wce);
    qemu_nodes_refresh(qemu_env());
}

static enum error_policy policy_of(BlockdevOnError on_error)
{
    switch (on_error) {
    case BLOCKDEV_ON_ERROR_IGNORE:
        return POLICY_IGNORE;
    case BLOCKDEV_ON_ERROR_ENOSPC:
        return POLICY_ENOSPC;
    case BLOCKDEV_ON_ERROR_STOP:
        return POLICY_STOP;
    case BLOCKDEV_ON_ERROR_REPORT:
        break;
    }
    return POLICY_REPORT;
}

void bdrv_set_on_error(BlockDriverState *bs, BlockdevOnError on_read_error,
                       BlockdevOnError on_write_error)
{
    bs->own->has_policies = true;
    bs->own->on_read_error = on_read_error;
    bs->own->on_write_error = on_write_error;
    block_set_on_error(bs->own->seat, policy_of(on_write_error));
}

void qemu_iostatus_set(BlockDriverState *bs, enum io_status status)
{
    if (status == IO_STATUS_OK || bs->own->iostatus == IO_STATUS_OK) {
        bs->own->iostatus = status;
        block_io_status_set(bs->own->seat, status);
    }
}

void bdrv_iostatus_enable(BlockDriverState *bs)
{
    bs->own->iostatus_enabled = true;
    block_io_status_enable(bs->own->seat, true);
    qemu_iostatus_set(bs, IO_STATUS_OK);
}

void bdrv_iostatus_disable(BlockDriverState *bs)
{
    bs->own->iostatus_enabled = false;
    block_io_status_enable(bs->own->seat, false);
}

void bdrv_iostatus_reset(BlockDriverState *bs)
{
    BlockJob *job = bs->own->job;

    if (bdrv_iostatus_is_enabled(bs)) {
        qemu_iostatus_set(bs, IO_STATUS_OK);
        if (job != NULL) {
            job->iostatus = BLOCK_DEVICE_IO_STATUS_OK;
        }
    }
}

bool bdrv_iostatus_is_enabled(const BlockDriverState *bs)
{
    const struct qemu_node *node = bs->own;

    if (!node->has_policies) {
        return block_tracks_io_status(node->seat);
    }
    return node->iostatus_enabled && (node->on_write_error == BLOCKDEV_ON_ERROR_ENOSPC ||
                                      node->on_write_error == BLOCKDEV_ON_ERROR_STOP ||
                                      node->on_read_error == BLOCKDEV_ON_ERROR_STOP);
}
