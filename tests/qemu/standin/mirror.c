/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for a user's mirror.c of today's generation: a mirror job written against the
 * interface list alone.
 *
 * It copies chunks with up to four coroutines at a time, asks the block status for holes, and puts
 * a filter between the guest and the source that either marks what the guest changes or writes it
 * to the target, too.  It does not imitate anybody's code: it shows that the environment can run
 * such a job from start to pivot, and gives searches something to find races in.
 */
#include "claims.h"
#include "end.h"
#include "filter.h"
#include "run.h"

typedef struct Wanted {
    const char *job_id;
    const BlockJobDriver *driver;
    BlockDriverState *source;
    BlockDriverState *target;
    const char *filter_name;
    int creation_flags;
    int64_t speed;
    uint32_t granularity;
    Standin values; /* what the job begins with */
} Wanted;

static BlockDriverState *insert_filter(const Wanted *wanted, uint32_t granularity, Error **errp)
{
    BlockDriverState *filter =
        bdrv_new_open_driver(&filter_driver, wanted->filter_name, BDRV_O_RDWR, errp);
    Filter *state;
    int ret;

    if (filter == NULL) {
        return NULL;
    }
    state = g_new0(Filter, 1);
    filter->opaque = state;
    filter->implicit = wanted->filter_name == NULL;
    filter->never_freeze = true;
    filter->total_sectors = wanted->source->total_sectors;
    filter->supported_write_flags = BDRV_REQ_WRITE_UNCHANGED;
    filter->supported_zero_flags = BDRV_REQ_WRITE_UNCHANGED | BDRV_REQ_NO_FALLBACK;
    bdrv_drained_begin(wanted->source);
    ret = bdrv_append(filter, wanted->source, errp);
    if (ret == 0) {
        state->dirty = bdrv_create_dirty_bitmap(filter, granularity, NULL, errp);
    }
    if (state->dirty != NULL) {
        bdrv_disable_dirty_bitmap(state->dirty);
    }
    bdrv_drained_end(wanted->source);
    return filter;
}

static void remove_filter(BlockDriverState *filter, BlockDriverState *source)
{
    Filter *state = filter->opaque;

    bdrv_drained_begin(source);
    state->job = NULL;
    if (filter->backing != NULL) {
        bdrv_graph_wrlock();
        bdrv_replace_node(filter, filter->backing->bs, &error_abort);
        bdrv_graph_wrunlock();
    }
    bdrv_drained_end(source);
    if (state->dirty != NULL) {
        bdrv_release_dirty_bitmap(state->dirty);
    }
    bdrv_unref(filter);
}

/* Source, target and what is between them belong to the job; 0 or -errno. */
static int attach_nodes(Standin *job, BlockDriverState *source, BlockDriverState *target,
                        Error **errp)
{
    uint64_t shared = BLK_PERM_CONSISTENT_READ | BLK_PERM_WRITE_UNCHANGED | BLK_PERM_WRITE;
    BlockDriverState *node;
    int ret;

    bdrv_graph_wrlock_drained();
    ret = block_job_add_bdrv(&job->common, "source", source, 0, BLK_PERM_ALL, errp);
    if (ret == 0) {
        ret = block_job_add_bdrv(&job->common, "target", target, 0, BLK_PERM_ALL, errp);
    }
    if (ret == 0 && job->is_commit) {
        for (node = bdrv_filter_or_cow_bs(source); node != target && ret == 0;
             node = bdrv_filter_or_cow_bs(node)) {
            ret = block_job_add_bdrv(&job->common, "intermediate node", node, 0, shared, errp);
        }
        if (ret == 0) {
            ret = bdrv_freeze_backing_chain(job->filter, target, errp);
        }
    }
    bdrv_graph_wrunlock();
    return ret;
}

/* NULL, with *errp filled in, if the target can't be opened for the job. */
static BlockBackend *open_target(BlockDriverState *target, Error **errp)
{
    BlockBackend *blk = blk_new(NULL, BLK_PERM_WRITE, BLK_PERM_WRITE_UNCHANGED);

    if (blk_insert_bs(blk, target, errp) < 0) {
        blk_unref(blk);
        return NULL;
    }
    blk_set_force_allow_inactivate(blk);
    blk_set_allow_aio_context_change(blk, true);
    blk_set_disable_request_queuing(blk, true);
    return blk;
}

static void fill_in(Standin *job, const Wanted *wanted, BlockDriverState *filter,
                    uint32_t granularity)
{
    BlockJob common = job->common;

    *job = wanted->values;
    job->common = common;
    job->filter = filter;
    job->granularity = granularity;
    job->replaces = g_strdup(wanted->values.replaces);
    job->dirty = ((Filter *)filter->opaque)->dirty;
    QTAILQ_INIT(&job->claims);
}

static BlockJob *start(const Wanted *wanted, Error **errp)
{
    uint32_t granularity = wanted->granularity != 0
                               ? wanted->granularity
                               : bdrv_get_default_bitmap_granularity(wanted->target);
    BlockDriverState *filter = insert_filter(wanted, granularity, errp);
    Standin *job;

    if (filter == NULL) {
        return NULL;
    }
    job = ((Filter *)filter->opaque)->dirty == NULL
              ? NULL
              : block_job_create(wanted->job_id, wanted->driver, NULL, filter,
                                 BLK_PERM_CONSISTENT_READ, BLK_PERM_ALL, wanted->speed,
                                 wanted->creation_flags, NULL, NULL, errp);
    if (job == NULL) {
        remove_filter(filter, wanted->source);
        return NULL;
    }
    fill_in(job, wanted, filter, granularity);
    ((Filter *)filter->opaque)->job = job;
    job->target = open_target(wanted->target, errp);
    if (job->target == NULL || attach_nodes(job, wanted->source, wanted->target, errp) < 0) {
        blk_unref(job->target);
        g_free(job->replaces);
        ((Filter *)filter->opaque)->job = NULL;
        job_early_fail(&job->common.job);
        remove_filter(filter, wanted->source);
        return NULL;
    }
    trace_mirror_start(wanted->source, job, NULL);
    job_start(&job->common.job);
    return &job->common;
}

void mirror_start(const char *job_id, BlockDriverState *bs, BlockDriverState *target,
                  const char *replaces, int creation_flags, int64_t speed, uint32_t granularity,
                  int64_t buf_size, MirrorSyncMode mode, BlockMirrorBackingMode backing_mode,
                  bool target_is_zero, BlockdevOnError on_source_error,
                  BlockdevOnError on_target_error, bool unmap, const char *filter_node_name,
                  MirrorCopyMode copy_mode, Error **errp)
{
    Wanted wanted = {
        .job_id = job_id,
        .driver = &mirror_driver,
        .source = bs,
        .target = target,
        .filter_name = filter_node_name,
        .creation_flags = creation_flags,
        .speed = speed,
        .granularity = granularity,
        .values = {.base = mode == MIRROR_SYNC_MODE_TOP ? bdrv_backing_chain_next(bs) : NULL,
                   .replaces = (char *)replaces,
                   .sync = mode,
                   .copy_mode = copy_mode,
                   .backing_mode = backing_mode,
                   .on_source_error = on_source_error,
                   .on_target_error = on_target_error,
                   .unmap = unmap,
                   .target_is_zero = target_is_zero},
    };

    if (mode == MIRROR_SYNC_MODE_INCREMENTAL || mode == MIRROR_SYNC_MODE_BITMAP) {
        error_setg(errp, "Sync mode '%s' is not possible", MirrorSyncMode_str(mode));
    } else if (buf_size < 0) {
        error_setg(errp, "'buf-size' must not be negative");
    } else if (bdrv_skip_filters(bs) == bdrv_skip_filters(target)) {
        error_setg(errp, "A node cannot be mirrored into itself");
    } else {
        start(&wanted, errp);
    }
}

BlockJob *commit_active_start(const char *job_id, BlockDriverState *bs, BlockDriverState *base,
                              int creation_flags, int64_t speed, BlockdevOnError on_error,
                              const char *filter_node_name, BlockCompletionFunc *cb, void *opaque,
                              bool auto_complete, Error **errp)
{
    Wanted wanted = {
        .job_id = job_id,
        .driver = &commit_driver,
        .source = bs,
        .target = base,
        .filter_name = filter_node_name,
        .creation_flags = creation_flags,
        .speed = speed,
        .values = {.base = base,
                   .sync = MIRROR_SYNC_MODE_TOP,
                   .copy_mode = MIRROR_COPY_MODE_BACKGROUND,
                   .backing_mode = MIRROR_LEAVE_BACKING_CHAIN,
                   .on_source_error = on_error,
                   .on_target_error = on_error,
                   .is_commit = true,
                   .base_was_read_only = bdrv_is_read_only(base),
                   .unmap = true,
                   .wants_end = auto_complete},
    };
    BlockJob *job;

    if (wanted.values.base_was_read_only && bdrv_reopen_set_read_only(base, false, errp) < 0) {
        return NULL;
    }
    job = start(&wanted, errp);
    if (job == NULL && wanted.values.base_was_read_only) {
        bdrv_reopen_set_read_only(base, true, NULL);
    }
    return job;
}
