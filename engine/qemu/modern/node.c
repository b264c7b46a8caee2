/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes: what the foreign code sees of them, whom they are linked with, references.
 *
 * A disk's BlockDriverState only shows what the block layer has.  The filter is the foreign file's
 * own node: it has a block node once it is in the graph, and is freed with its last reference;
 * being in the graph is one, for the users that it has taken over.
 */

#include "engine/qemu/modern/env.h"
#include "engine/range.h"

/* ---- Fields ---- */

static void refresh(const struct engine_job *env, struct qemu_node *node)
{
    BlockDriverState *bs = &node->bs;
    struct block_node *block = node->driver != NULL && node->bs.backing != NULL
                                   ? node->bs.backing->bs->own->block
                                   : node->block;
    bool is_used = node->driver != NULL ? env->guests > 0 : block_in_flight(node->block) > 0;

    bs->tracked_requests.lh_first = is_used ? (BdrvTrackedRequest *)(void *)node : NULL;
    if (block != NULL) {
        bs->total_sectors = (int64_t)(block_known_bytes(block) / SECTOR_BYTES);
    }
}

void qemu_refresh_nodes(struct engine_job *env)
{
    struct qemu_node *node;

    LIST_FOREACH (node, &env->nodes, link) {
        refresh(env, node);
    }
}

static BlockdevDetectZeroesOptions detects_zeroes(const struct block_node *block)
{
    switch (block_detects_zeroes(block)) {
    case DETECT_ON:
        return BLOCKDEV_DETECT_ZEROES_OPTIONS_ON;
    case DETECT_UNMAP:
        return BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP;
    case DETECT_OFF:
        break;
    }
    return BLOCKDEV_DETECT_ZEROES_OPTIONS_OFF;
}

static void describe(struct qemu_node *node)
{
    BlockDriverState *bs = &node->bs;
    const char *name = block_node_name(node->block);

    pstrcpy(bs->filename, sizeof(bs->filename), name);
    pstrcpy(bs->exact_filename, sizeof(bs->exact_filename), name);
    pstrcpy(bs->node_name, sizeof(bs->node_name), name);
    bs->bl.max_iov = (int)block_max_iov(node->block);
    bs->detect_zeroes = detects_zeroes(node->block);
}

/* ---- Making ---- */

struct qemu_node *qemu_node_new(struct engine_job *env)
{
    struct qemu_node *node = host_alloc(env->common.host, sizeof(*node));

    node->bs.own = node;
    LIST_INSERT_HEAD(&env->nodes, node, link);
    return node;
}

/* ---- Links ---- */

static void use(BdrvChild *child, BlockDriverState *bs)
{
    child->bs = bs;
    LIST_INSERT_HEAD(&bs->parents, child, next_parent);
}

static struct qemu_node *find(const struct engine_job *env, const struct block_node *block)
{
    struct qemu_node *node;

    LIST_FOREACH (node, &env->nodes, link) {
        if (node->block == block) {
            return node;
        }
    }
    return NULL;
}

/* The nodes of a disk, and of all below it. */
static void make_chain(struct engine_job *env, struct block_node *block)
{
    for (; block != NULL; block = block_backing(block)) {
        if (find(env, block) == NULL) {
            struct qemu_node *node = qemu_node_new(env);

            node->block = block;
            describe(node);
        }
    }
}

/* A disk's own link, as the block layer has it. */
static void relink_disk(struct engine_job *env, struct qemu_node *node)
{
    struct block_node *backing = block_backing(node->block);

    node->bs.backing = backing != NULL ? &node->below : NULL;
    if (backing != NULL) {
        use(&node->below, &find(env, backing)->bs);
    }
}

static struct qemu_node *find_filter(const struct engine_job *env)
{
    struct qemu_node *node;

    LIST_FOREACH (node, &env->nodes, link) {
        if (node->driver != NULL && node->inserted) {
            return node;
        }
    }
    return NULL;
}

static void relink_guest(struct engine_job *env, struct qemu_node *filter)
{
    struct qemu_node *node;

    if (filter != NULL && block_is_guests(filter->block)) {
        use(&env->guest_child, &filter->bs);
        return;
    }
    LIST_FOREACH (node, &env->nodes, link) {
        if (node->driver == NULL && block_is_guests(node->block)) {
            use(&env->guest_child, &node->bs);
        }
    }
}

/* The last one used is the newest, which has to come last here. */
static void relink_uses(struct qemu_use *last)
{
    if (last != NULL) {
        relink_uses(SLIST_NEXT(last, link));
        use(&last->child, &last->node->bs);
    }
}

/*
 * From the oldest to the newest: the guest and the disks' links were there at the start, then came
 * the filter, and then the job.
 */
void qemu_nodes_relink(struct engine_job *env)
{
    struct qemu_node *filter = find_filter(env);
    struct qemu_node *node;

    LIST_FOREACH (node, &env->nodes, link) {
        LIST_INIT(&node->bs.parents);
        if (node->driver == NULL) {
            make_chain(env, node->block);
        }
    }
    relink_guest(env, filter);
    LIST_FOREACH (node, &env->nodes, link) {
        if (node->driver == NULL) {
            relink_disk(env, node);
        }
    }
    if (filter != NULL) {
        use(&filter->below, filter->below.bs);
    }
    relink_uses(SLIST_FIRST(&env->uses));
    qemu_refresh_nodes(env);
}

/* ---- Finding and freeing ---- */

BlockDriverState *qemu_state_of(struct block_node *block)
{
    struct engine_job *env = qemu_job_env();

    if (block == NULL) {
        return NULL;
    }
    if (find(env, block) == NULL) {
        make_chain(env, block);
        qemu_nodes_relink(env);
    }
    return &find(env, block)->bs;
}

static void node_free(struct qemu_node *node)
{
    LIST_REMOVE(node, link);
    host_free(qemu_current()->host, node, sizeof(*node));
}

/* A filter that is left is a leak of the foreign code's. */
void qemu_free_nodes(struct engine_job *env)
{
    struct qemu_node *node = LIST_FIRST(&env->nodes);

    while (node != NULL) {
        struct qemu_node *next = LIST_NEXT(node, link);

        if (node->inserted) {
            qemu_die("the job is gone, and its filter is still between the guest and its disk");
        }
        if (node->driver == NULL) {
            node_free(node);
        }
        node = next;
    }
}

/* ---- References ---- */

void qemu_filter_unref(struct qemu_node *node)
{
    if (node->refs == 0) {
        qemu_die("the filter is let go of once too often");
    }
    if (--node->refs > 0) {
        return;
    }
    g_free(node->bs.opaque);
    if (node->block != NULL) {
        block_unref(node->block);
    }
    node_free(node);
}

void bdrv_ref(BlockDriverState *bs)
{
    if (bs->own->driver != NULL) {
        bs->own->refs++;
    } else {
        block_ref(bs->own->block);
    }
}

void bdrv_unref(BlockDriverState *bs)
{
    if (bs == NULL) {
        return;
    }
    if (bs->own->driver != NULL) {
        qemu_filter_unref(bs->own);
    } else {
        block_unref(bs->own->block);
    }
}

/* All blockers of a job are alike except for their reason. */
void bdrv_op_block_all(BlockDriverState *bs, Error *reason)
{
    (void)reason;
    block_op_block_all(bs->own->block);
}

void bdrv_op_unblock_all(BlockDriverState *bs, Error *reason)
{
    (void)reason;
    block_op_unblock_all(bs->own->block);
}

void qemu_check_drained(const BlockDriverState *bs, const char *call)
{
    if (bs->own->block == NULL || block_sections(bs->own->block) == 0) {
        qemu_die("%s: the node '%s' is not in a drained section", call, bs->node_name);
    }
}

/* ---- Walks ---- */

BlockDriverState *bdrv_find_node(const char *node_name)
{
    struct engine_job *env = qemu_job_env();
    struct block_node *block = block_node_find(env->common.host, node_name);

    if (block == NULL) {
        env->refusal = REFUSED_NOT_FOUND;
    }
    return qemu_state_of(block);
}

static bool is_filter(const BlockDriverState *bs)
{
    return bs->own->driver != NULL || block_is_filter(bs->own->block);
}

static BlockDriverState *below(const BlockDriverState *bs)
{
    return bs->backing != NULL ? bs->backing->bs : NULL;
}

BlockDriverState *bdrv_filter_or_cow_bs(BlockDriverState *bs)
{
    return bs != NULL ? below(bs) : NULL;
}

BlockDriverState *bdrv_cow_bs(BlockDriverState *bs)
{
    return bs != NULL && !is_filter(bs) ? below(bs) : NULL;
}

BlockDriverState *bdrv_filter_bs(BlockDriverState *bs)
{
    return bs != NULL && is_filter(bs) ? below(bs) : NULL;
}

BlockDriverState *bdrv_skip_filters(BlockDriverState *bs)
{
    while (bs != NULL && is_filter(bs)) {
        bs = below(bs);
    }
    return bs;
}

BlockDriverState *bdrv_backing_chain_next(BlockDriverState *bs)
{
    return bdrv_skip_filters(bdrv_cow_bs(bdrv_skip_filters(bs)));
}

/* The overlay of nothing is the lowest node that is no filter. */
BlockDriverState *bdrv_find_overlay(BlockDriverState *active, BlockDriverState *bs)
{
    BlockDriverState *wanted = bdrv_skip_filters(bs);
    BlockDriverState *overlay = bdrv_skip_filters(active);

    while (overlay != NULL && bdrv_backing_chain_next(overlay) != wanted) {
        overlay = bdrv_backing_chain_next(overlay);
    }
    return overlay;
}

bool bdrv_chain_contains(BlockDriverState *top, BlockDriverState *base)
{
    while (top != NULL && top != base) {
        top = below(top);
    }
    return top != NULL;
}

bool bdrv_recurse_can_replace(BlockDriverState *bs, BlockDriverState *to_replace)
{
    return bs != NULL && to_replace != NULL &&
           block_can_replace(bs->own->block, to_replace->own->block);
}
