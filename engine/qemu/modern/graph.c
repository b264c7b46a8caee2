/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the graph: the filter comes in and goes out, users move, backing nodes, read-only.
 *
 * Permissions are the monitor's affair (engine.c): what it lets through has none that conflict.
 */
#include <stdio.h>

#include "engine/qemu/modern/env.h"

/* ---- Telling ---- */

static int tell(int ret, Error **errp, const char *what, const BlockDriverState *bs)
{
    struct engine_job *env = qemu_job_env();

    env->common.last_error = ret;
    if (ret < 0) {
        error_setg_errno(errp, -ret, "can't %s '%s'", what, bs->node_name);
    }
    qemu_nodes_relink(env);
    return ret;
}

/* ---- The filter ---- */

BlockDriverState *bdrv_new_open_driver(BlockDriver *driver, const char *node_name, int flags,
                                       Error **errp)
{
    struct engine_job *env = qemu_job_env();
    struct qemu_node *node;

    (void)flags;
    if (node_name != NULL && block_node_find(env->common.host, node_name) != NULL) {
        env->common.last_error = -EEXIST;
        error_setg(errp, "there is a node '%s' already", node_name);
        return NULL;
    }
    node = qemu_node_new(env);
    node->driver = driver;
    node->refs = 1;
    pstrcpy(node->bs.node_name, sizeof(node->bs.node_name),
            node_name != NULL ? node_name : "filter");
    return &node->bs;
}

int bdrv_append(BlockDriverState *bs_new, BlockDriverState *bs_top, Error **errp)
{
    struct qemu_node *filter = bs_new->own;
    struct engine_job *env = qemu_job_env();
    int ret;

    if (filter->driver == NULL || filter->block != NULL || bs_top->own->driver != NULL) {
        qemu_unsupported("bdrv_append() of anything but a new filter on a disk");
    }
    qemu_check_drained(bs_top, "bdrv_append()");
    ret = block_filter_insert(bs_top->own->block, env->spec.filter_name, &qemu_interposer, env,
                              &filter->block);
    if (ret == 0) {
        filter->inserted = true;
        filter->refs++;
        filter->below.bs = bs_top;
        bs_new->backing = &filter->below;
        bs_new->bl = bs_top->bl;
        bs_new->total_sectors = bs_top->total_sectors;
        pstrcpy(bs_new->filename, sizeof(bs_new->filename), bs_top->filename);
    }
    return tell(ret, errp, "put the filter above", bs_top);
}

/* It stays linked with what is below it, until it is freed, but is no user any more. */
static int take_out(struct qemu_node *filter, const BlockDriverState *to)
{
    struct engine_job *env = qemu_job_env();

    if (!filter->inserted || to != filter->below.bs) {
        qemu_unsupported("the filter's users move to a node that is not below it");
    }
    qemu_check_drained(&filter->bs, "bdrv_replace_node()");
    if (env->guests > 0) {
        qemu_die("the filter is taken out with %u guest requests in it", env->guests);
    }
    block_filter_remove(filter->block);
    filter->inserted = false;
    qemu_filter_unref(filter);
    qemu_nodes_relink(env);
    return 0;
}

/* ---- Users move ---- */

int bdrv_replace_node(BlockDriverState *from, BlockDriverState *to, Error **errp)
{
    struct engine_job *env = qemu_job_env();
    struct qemu_node *node;
    int ret;

    if (from->own->driver != NULL) {
        return take_out(from->own, to);
    }
    if (to->own->driver != NULL) {
        qemu_unsupported("users that move to the filter");
    }
    qemu_check_drained(from, "bdrv_replace_node()");
    qemu_check_drained(to, "bdrv_replace_node()");
    ret = block_move_users(from->own->block, to->own->block);
    LIST_FOREACH (node, &env->nodes, link) {
        if (ret == 0 && node->inserted && node->below.bs == from) {
            node->below.bs = to;
        }
    }
    return tell(ret, errp, "move the users of", from);
}

/* ---- Backing nodes ---- */

int bdrv_set_backing_hd(BlockDriverState *bs, BlockDriverState *backing_hd, Error **errp)
{
    struct block_node *backing = backing_hd != NULL ? backing_hd->own->block : NULL;

    if (bs->own->driver != NULL && (backing_hd != NULL || bs->own->inserted)) {
        qemu_unsupported("another node below the filter");
    }
    if (bs->own->driver != NULL) {
        bs->backing = NULL;
        return 0;
    }
    return tell(block_set_backing(bs->own->block, backing), errp, "set the backing of", bs);
}

int bdrv_open_backing_file(BlockDriverState *bs, QDict *options, const char *bdref_key,
                           Error **errp)
{
    (void)bdref_key;
    if (options != NULL) {
        qemu_unsupported("a backing file opened with options");
    }
    if (bs->backing != NULL) {
        return 0;
    }
    return tell(block_open_backing(bs->own->block), errp, "open the backing file of", bs);
}

void bdrv_get_backing_filename(BlockDriverState *bs, char *filename, int filename_size)
{
    pstrcpy(filename, filename_size, block_names_backing(bs->own->block) ? "backing-file" : "");
}

/* Nobody else changes chains. */
int bdrv_freeze_backing_chain(BlockDriverState *bs, BlockDriverState *base, Error **errp)
{
    (void)bs;
    (void)base;
    (void)errp;
    return 0;
}

void bdrv_unfreeze_backing_chain(BlockDriverState *bs, BlockDriverState *base)
{
    (void)bs;
    (void)base;
}

/* ---- Permissions ---- */

int bdrv_child_refresh_perms(BlockDriverState *bs, BdrvChild *child, Error **errp)
{
    (void)bs;
    (void)child;
    (void)errp;
    return 0;
}

void bdrv_default_perms(BlockDriverState *bs, BdrvChild *child, BdrvChildRole role,
                        BlockReopenQueue *queue, uint64_t perm, uint64_t shared, uint64_t *nperm,
                        uint64_t *nshared)
{
    (void)bs;
    (void)child;
    (void)role;
    (void)queue;
    *nperm = perm;
    *nshared = shared;
}

bool bdrv_is_read_only(BlockDriverState *bs)
{
    return bs->own->block != NULL && bs->own->driver == NULL && block_is_read_only(bs->own->block);
}

int bdrv_reopen_set_read_only(BlockDriverState *bs, bool read_only, Error **errp)
{
    return tell(block_set_read_only(bs->own->block, read_only), errp,
                "change the read-only flag of", bs);
}
