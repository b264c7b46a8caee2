/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls and checks every part of the interface of a mirror.c of today's generation.
 *
 * It is compiled like such a file, with its headers and its own other half only, and run by
 * interface_modern.yaml.  Its job copies nothing: it checks with assertions, and shows with a trace
 * point with its own numbers that it has reached its end.
 */
#include "qemu/osdep.h"

#include "block/block_int.h"
#include "block/blockjob_int.h"
#include "block/dirty-bitmap.h"
#include "qapi/error.h"
#include "qapi/qmp/qerror.h"
#include "qemu/bitmap.h"
#include "qemu/coroutine.h"
#include "qemu/cutils.h"
#include "qemu/memalign.h"
#include "qemu/range.h"
#include "qemu/ratelimit.h"
#include "sysemu/block-backend.h"
#include "system/block-backend.h"
#include "trace.h"

/* What a changed file may include besides. */
#include "block/block-common.h"
#include "block/block-global-state.h"
#include "block/block-io.h"
#include "block/block.h"
#include "block/block_int-common.h"
#include "block/block_int-io.h"
#include "block/graph-lock.h"
#include "qapi/qapi-types-block-core.h"
#include "qapi/qapi-types-job.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qemu/job.h"
#include "qemu/lockable.h"
#include "qemu/queue.h"

#include "interface_modern_filter.h"
#include "interface_modern_values.h"

/* ---- Nodes ---- */

static void check_walks(BlockDriverState *filter, BlockDriverState *source,
                        BlockDriverState *target)
{
    BlockDriverState *base = bdrv_find_node("base");

    assert(bdrv_find_node("nobody") == NULL && base == source->backing->bs);
    assert(bdrv_skip_filters(filter) == source && bdrv_filter_bs(filter) == source);
    assert(bdrv_cow_bs(filter) == NULL && bdrv_cow_bs(source) == base);
    assert(bdrv_filter_bs(source) == NULL && bdrv_filter_or_cow_bs(filter) == source);
    assert(bdrv_filter_or_cow_bs(source) == base && bdrv_backing_chain_next(source) == base);
    assert(bdrv_find_overlay(source, base) == source && bdrv_find_overlay(source, NULL) == base);
    assert(bdrv_chain_contains(filter, base) && !bdrv_chain_contains(base, source));
    assert(bdrv_recurse_can_replace(source, source) && bdrv_recurse_can_replace(filter, source));
    assert(!bdrv_recurse_can_replace(source, target));
    assert(bdrv_skip_filters(NULL) == NULL && bdrv_cow_bs(NULL) == NULL);
}

static void check_attributes(BlockDriverState *filter, BlockDriverState *source,
                             BlockDriverState *target)
{
    BlockDriverInfo info;
    char name[2];
    int64_t offset;
    int64_t bytes;

    assert(strcmp(source->filename, "src") == 0 && strcmp(source->node_name, "src") == 0);
    assert(strcmp(filter->node_name, "above") == 0 && filter->total_sectors == LENGTH / 512);
    assert(target->detect_zeroes == BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP);
    assert(source->bl.max_iov == 1024 && bdrv_getlength(filter) == LENGTH);
    assert(bdrv_get_info(target, &info) == 0 && info.cluster_size == 64 * KIB);
    assert(bdrv_can_write_zeroes_with_unmap(target) && !bdrv_can_write_zeroes_with_unmap(source));
    bdrv_round_to_subclusters(target, 70 * KIB, 1 * KIB, &offset, &bytes);
    assert(offset == 64 * KIB && bytes == 64 * KIB);
    bdrv_round_to_clusters(target, 60 * KIB, 8 * KIB, &offset, &bytes);
    assert(offset == 0 && bytes == 128 * KIB);
    bdrv_get_backing_filename(target, name, sizeof(name));
    assert(name[0] != '\0');
    assert(bdrv_get_default_bitmap_granularity(target) == 64 * KIB);
    assert(bdrv_get_default_bitmap_granularity(source) == 64 * KIB);
    assert(bdrv_is_read_only(bdrv_find_node("other")) && !bdrv_is_read_only(source));
    bdrv_cancel_in_flight(target);
}

/* The job's own edge is above the filter's: an assertion of the file is never armed. */
static void check_users(BlockDriverState *filter, BlockDriverState *source)
{
    BdrvChild *first = QLIST_FIRST(&source->parents);

    assert(first != filter->backing && first->bs == source);
    assert(QLIST_NEXT(first, next_parent) == filter->backing);
    assert(QLIST_NEXT(filter->backing, next_parent) == NULL);
    assert(QLIST_EMPTY(&source->tracked_requests));
}

static void check_contexts(BlockDriverState *bs)
{
    AioContext *context = bdrv_get_aio_context(bs);

    assert(context != NULL && qemu_get_aio_context() != NULL);
    aio_context_acquire(context);
    aio_context_release(context);
    bdrv_graph_rdlock_main_loop();
    bdrv_graph_rdunlock_main_loop();
    bdrv_graph_wrlock(bs);
    bdrv_graph_wrunlock(bs);
    bdrv_graph_wrlock();
    bdrv_graph_wrunlock();
}

/* ---- Dirty bitmaps ---- */

static void check_bitmap(BdrvDirtyBitmap *dirty)
{
    BdrvDirtyBitmapIter *iter;

    bdrv_dirty_bitmap_lock(dirty);
    bdrv_set_dirty_bitmap(dirty, 5 * KIB, 4 * KIB);
    assert(bdrv_get_dirty_count(dirty) == 2 * CHUNK && bdrv_dirty_bitmap_get(dirty, 9 * KIB));
    iter = bdrv_dirty_iter_new(dirty);
    assert(bdrv_dirty_iter_next(iter) == CHUNK);
    bdrv_set_dirty_bitmap(dirty, 40 * KIB, 1); /* the word has been copied already */
    bdrv_set_dirty_bitmap(dirty, 512 * KIB, 1);
    bdrv_reset_dirty_bitmap(dirty, 2 * CHUNK, CHUNK);
    assert(!bdrv_dirty_bitmap_get_locked(dirty, 2 * CHUNK));
    assert(bdrv_dirty_iter_next(iter) == -1); /* nor was there anything in that word */
    bdrv_set_dirty_iter(iter, 2 * CHUNK);
    assert(bdrv_dirty_iter_next(iter) == 40 * KIB && bdrv_dirty_iter_next(iter) == 512 * KIB);
    assert(bdrv_dirty_iter_next(iter) == -1);
    bdrv_dirty_iter_free(iter);
    bdrv_dirty_iter_free(NULL);
    bdrv_reset_dirty_bitmap_locked(dirty, 0, LENGTH);
    bdrv_dirty_bitmap_unlock(dirty);
    assert(bdrv_get_dirty_count(dirty) == 0);
}

/* ---- In the coroutine: questions and requests ---- */

static void coroutine_fn check_questions(TheJob *job)
{
    BlockDriverState *source = job->filter->backing->bs;
    BlockDriverState *base = source->backing->bs;
    BlockDriverState *target = blk_bs(job->target);
    BlockDriverInfo info;
    int64_t count;

    bdrv_graph_co_rdlock();
    assert(bdrv_co_getlength(source) == LENGTH && blk_co_getlength(job->target) == LENGTH);
    assert(blk_getlength(job->target) == LENGTH && bdrv_co_get_info(target, &info) == 0);
    /* Beyond the end, and all of the chain: data. */
    assert(bdrv_co_block_status_above(source, NULL, LENGTH - CHUNK, 2 * CHUNK, &count, NULL,
                                      NULL) == BDRV_BLOCK_DATA);
    assert(count == CHUNK);
    assert(bdrv_block_status_above(target, NULL, 0, CHUNK, &count, NULL, NULL) == BDRV_BLOCK_ZERO);
    assert(bdrv_co_is_allocated_above(source, source, true, 0, LENGTH, &count) == 1);
    assert(count == 64 * KIB);
    assert(bdrv_co_is_allocated_above(source, base, false, 64 * KIB, 4 * KIB, &count) == 0);
    assert(bdrv_is_allocated_above(source, NULL, false, 64 * KIB, 4 * KIB, &count) == 1);
    assert(bdrv_co_is_all_zeroes(target) == 1 && bdrv_co_is_all_zeroes(source) == 0);
    bdrv_graph_co_rdunlock();
}

static void coroutine_fn check_requests(TheJob *job)
{
    BlockDriverState *source = job->filter->backing->bs;
    char *buffer = qemu_try_blockalign(source, 2 * CHUNK);
    QEMUIOVector qiov;
    BlockErrorAction action;

    assert(buffer != NULL);
    qemu_iovec_init(&qiov, 2);
    qemu_iovec_add(&qiov, buffer, CHUNK);
    qemu_iovec_add(&qiov, buffer + CHUNK, CHUNK);
    assert(bdrv_co_preadv(job->filter->backing, 0, 2 * CHUNK, &qiov, 0) == 0);
    assert(buffer[0] != buffer[512] || buffer[1] != buffer[513] || buffer[2] != buffer[514]);
    assert(bdrv_co_preadv(job->filter->backing, LENGTH, CHUNK, &qiov, 0) == -EIO);
    qemu_iovec_destroy(&qiov);
    job->buffer = buffer;
    assert(blk_co_pwrite_zeroes(job->target, 0, LENGTH, BDRV_REQ_MAY_UNMAP) == 0);
    assert(blk_co_pdiscard(job->target, 0, CHUNK) == 0);
    assert(blk_co_pdiscard(job->target, 0, CHUNK, 0) == 0);
    assert(blk_co_flush(job->target) == 0 && blk_flush(job->target) == 0);
    assert(bdrv_co_flush(source) == 0);
    assert(blk_co_truncate(job->target, LENGTH, false, PREALLOC_MODE_OFF, 0, NULL) == 0);
    assert(blk_truncate(job->target, LENGTH, false, PREALLOC_MODE_OFF, 0, NULL) == 0);
    assert(blk_co_pwrite_zeroes(job->target, 0, CHUNK, 0) == -ENOSPC);
    action = block_job_error_action(&job->common, job->on_target_error, false, ENOSPC);
    assert(action == BLOCK_ERROR_ACTION_STOP && job->common.iostatus != BLOCK_DEVICE_IO_STATUS_OK);
    job_pause_point(&job->common.job); /* until the story resumes */
    assert(job->paused == 1 && job->common.iostatus == BLOCK_DEVICE_IO_STATUS_OK);
}

/* ---- In the coroutine: the order of wake-ups ---- */

typedef struct Waiter {
    TheJob *job;
    int place;
} Waiter;

static void coroutine_fn wait_in_line(void *opaque)
{
    Waiter *waiter = opaque;

    qemu_co_queue_wait(&waiter->job->queue, NULL);
    assert(waiter->job->order == waiter->place);
    waiter->job->order++;
}

static void coroutine_fn wake_line(void *opaque)
{
    TheJob *job = opaque;

    assert(qemu_coroutine_self() != NULL);
    qemu_co_queue_restart_all(&job->queue);
    assert(job->order == 0); /* they run when this one has ended ... */
}

static void coroutine_fn check_order(TheJob *job)
{
    Waiter waiters[2] = {{job, 0}, {job, 1}};
    Coroutine *waker = qemu_coroutine_create(wake_line, job);

    qemu_co_queue_init(&job->queue);
    for (int i = 0; i < 2; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(wait_in_line, &waiters[i]));
    }
    qemu_coroutine_enter(waker);
    assert(job->order == 2); /* ... and before whoever has entered it goes on */
}

/* ---- The run ---- */

static void coroutine_fn check_time(TheJob *job)
{
    Job *common = &job->common.job;
    int64_t before_ns = now_ns();

    job_sleep_ns(common, 1000);
    assert(now_ns() == before_ns + 1000);
    block_job_ratelimit_processed_bytes(&job->common, 64 * KIB);
    assert(block_job_ratelimit_get_delay(&job->common, 0) == 0);
    block_job_ratelimit_processed_bytes(&job->common, 64 * KIB); /* a slice is 104857 bytes */
    block_job_ratelimit_sleep(&job->common);
    assert(now_ns() == before_ns + 1000 + 125000715);
    job_progress_set_remaining(common, 10);
    job_progress_increase_remaining(common, 2);
    job_progress_update(common, 12);
}

static int coroutine_fn run(Job *common, Error **errp)
{
    TheJob *job = the_job(common);
    BlockDriverState *source = job->filter->backing->bs;

    assert(!job_is_cancelled(common) && !job_is_cancelled_locked(common) && !common->paused);
    assert(!job_cancel_requested(common) && !job_is_ready(common));
    check_attributes(job->filter, source, blk_bs(job->target));
    check_bitmap(job->dirty);
    check_questions(job);
    check_requests(job);
    check_order(job);
    check_time(job);
    job_transition_to_ready(common);
    assert(job_is_ready(common));
    while (!job->wants_end) {
        job_yield(common);
    }
    assert(job->guests == 4 && job->changed == 1);
    bdrv_drained_begin(source);
    bdrv_drained_end(source);
    qemu_vfree(job->buffer);
    bdrv_drained_begin(source);
    trace_mirror_before_drain(job, 2);
    return 0;
}

/* ---- Callbacks ---- */

static const BlockJobDriver driver;

static int prepare(Job *common)
{
    TheJob *job = the_job(common);
    BlockDriverState *filter = job->filter;
    BlockDriverState *source = filter->backing->bs;
    BlockDriverState *target = blk_bs(job->target);
    BlockDriverState *other = bdrv_find_node("other");
    const JobDriver *job_driver = &driver.job_driver;
    Error *error = NULL;

    assert(job_driver->instance_size == sizeof(*job) && job_driver->job_type == JOB_TYPE_MIRROR);
    assert(common->ret == 0 && common->aio_context != NULL && !job->prepared);
    job->prepared = true;
    check_contexts(source);
    bdrv_ref(filter);
    bdrv_release_dirty_bitmap(job->dirty);
    blk_unref(job->target);
    blk_unref(NULL);
    bdrv_drained_begin(target);
    assert(bdrv_open_backing_file(target, NULL, "backing", &error) == 0);
    assert(bdrv_cow_bs(target) == bdrv_find_node("base"));
    assert(bdrv_set_backing_hd(target, NULL, &error) == 0 && target->backing == NULL);
    assert(bdrv_reopen_set_read_only(other, false, &error) == 0 && !bdrv_is_read_only(other));
    bdrv_graph_wrlock_drained();
    block_job_remove_all_bdrv(&job->common);
    bdrv_graph_wrunlock();
    blk_remove_bs(job->common.blk); /* as 6.2 does */
    assert(blk_set_perm(job->common.blk, 0, BLK_PERM_ALL, &error_abort) == 0);
    assert(blk_insert_bs(job->common.blk, filter, &error_abort) == 0);
    assert(bdrv_child_refresh_perms(filter, filter->backing, &error) == 0);
    assert(bdrv_replace_node(filter, source, &error_abort) == 0 && error == NULL);
    bdrv_drained_end(target);
    bdrv_drained_end(source);
    bdrv_unfreeze_backing_chain(source, bdrv_find_node("base"));
    bdrv_unref(filter); /* and with it its opaque */
    bdrv_unref(NULL);
    trace_mirror_yield_in_flight(job, PASSED, PASSED);
    return 0;
}

static void give_up(Job *common)
{
    assert(the_job(common)->prepared);
}

static void coroutine_fn quiesce(Job *common)
{
    the_job(common)->paused++;
}

static void complete(Job *common, Error **errp)
{
    the_job(common)->wants_end = true;
    job_enter_cond_locked(common, NULL);
    job_enter(common); /* it has ended or waits: nothing more happens */
}

static bool cancel(Job *common, bool force)
{
    return force || !job_is_ready(common);
}

static bool drained_poll(BlockJob *common)
{
    return false;
}

static void change(BlockJob *common, BlockJobChangeOptions *options, Error **errp)
{
    BlockJobChangeOptionsMirror *mirror = &options->u.mirror;

    assert(mirror->copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING);
    the_job(&common->job)->changed++;
}

static void query(BlockJob *common, BlockJobInfo *info)
{
    BlockJobInfoMirror *mirror = &info->u.mirror;

    mirror->actively_synced = job_is_ready(&common->job);
}

static const BlockJobDriver driver = {.job_driver = {.instance_size = sizeof(TheJob),
                                                     .job_type = JOB_TYPE_MIRROR,
                                                     .free = block_job_free,
                                                     .user_resume = block_job_user_resume,
                                                     .run = run,
                                                     .prepare = prepare,
                                                     .abort = give_up,
                                                     .pause = quiesce,
                                                     .complete = complete,
                                                     .cancel = cancel},
                                      .drained_poll = drained_poll,
                                      .change = change,
                                      .query = query};

/* ---- The start ---- */

static void emit_points(TheJob *job)
{
    trace_mirror_start(job->filter, job, NULL);
    trace_mirror_restart_iter(job, 1);
    trace_mirror_before_flush(job);
    trace_mirror_before_sleep(job, 3, 1, 4);
    trace_mirror_one_iteration(job, 5, 6);
    trace_mirror_iteration_done(job, 7, 8, -5);
    trace_mirror_yield(job, 9, 10, 11);
}

static BlockDriverState *insert_filter(BlockDriverState *bs, const char *name, Error **errp)
{
    Error *error = NULL;
    BlockDriverState *filter;

    assert(bdrv_new_open_driver(&filter_driver, "dst", BDRV_O_RDWR, &error) == NULL);
    error_free(error); /* there is a node of that name */
    filter = bdrv_new_open_driver(&filter_driver, name, BDRV_O_RDWR, errp);
    assert(filter->backing == NULL);
    filter->opaque = g_new0(TheJob *, 1);
    filter->implicit = false;
    filter->never_freeze = true;
    filter->supported_write_flags = BDRV_REQ_WRITE_UNCHANGED;
    filter->supported_zero_flags = BDRV_REQ_NO_FALLBACK;
    bdrv_drained_begin(bs);
    assert(bdrv_append(filter, bs, errp) == 0 && filter->backing->bs == bs);
    return filter;
}

static BlockBackend *make_target(BlockDriverState *bs)
{
    BlockBackend *blk = blk_new(qemu_get_aio_context(), BLK_PERM_WRITE, BLK_PERM_ALL);

    assert(blk_insert_bs(blk, bs, &error_abort) == 0 && blk_bs(blk) == bs);
    blk_remove_bs(blk);
    assert(blk_bs(blk) == NULL && blk_insert_bs(blk, bs, &error_abort) == 0);
    assert(blk_set_perm(blk, BLK_PERM_WRITE, BLK_PERM_ALL, &error_abort) == 0);
    blk_set_force_allow_inactivate(blk);
    blk_set_allow_aio_context_change(blk, true);
    blk_set_disable_request_queuing(blk, true);
    return blk;
}

static TheJob *make_job(const char *job_id, BlockDriverState *filter, int64_t speed, Error **errp)
{
    BlockCompletionFunc *cb = NULL;
    JobTxn *txn = NULL;
    TheJob *job =
        block_job_create(job_id, &driver, txn, filter, 0, BLK_PERM_ALL, speed, 0, cb, NULL, errp);

    assert(job->common.job.paused && strcmp(job->common.job.id, job_id) == 0);
    assert(!job->wants_end && job->common.blk != NULL);
    return job;
}

static void attach(TheJob *job, BlockDriverState *bs, BlockDriverState *target)
{
    Error *blocker = NULL;

    error_setg(&blocker, "in use");
    bdrv_graph_wrlock_drained();
    assert(block_job_add_bdrv(&job->common, "source", bs, 0, BLK_PERM_ALL, NULL) == 0);
    assert(block_job_add_bdrv(&job->common, "target", target, 0, BLK_PERM_ALL, NULL) == 0);
    bdrv_graph_wrunlock();
    check_users(job->filter, bs);
    bdrv_op_block_all(target, blocker);
    bdrv_op_unblock_all(target, blocker);
    error_free(blocker);
    assert(bdrv_freeze_backing_chain(bs, bdrv_find_node("base"), NULL) == 0);
}

void mirror_start(const char *job_id, BlockDriverState *bs, BlockDriverState *target,
                  const char *replaces, int creation_flags, int64_t speed, uint32_t granularity,
                  int64_t buf_size, MirrorSyncMode mode, BlockMirrorBackingMode backing_mode,
                  bool target_is_zero, BlockdevOnError on_source_error,
                  BlockdevOnError on_target_error, bool unmap, const char *filter_node_name,
                  MirrorCopyMode copy_mode, Error **errp)
{
    BlockDriverState *filter;
    BdrvDirtyBitmap *dirty;
    TheJob *job;

    assert(strcmp(job_id, "me") == 0 && strcmp(replaces, "other") == 0 && creation_flags == 0);
    assert(speed == LENGTH && granularity == CHUNK && buf_size == 16 * KIB && unmap);
    assert(mode == MIRROR_SYNC_MODE_NONE && backing_mode == MIRROR_OPEN_BACKING_CHAIN);
    assert(target_is_zero && copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING);
    assert(on_source_error != on_target_error);
    check_values();
    filter = insert_filter(bs, filter_node_name, errp);
    dirty = bdrv_create_dirty_bitmap(filter, granularity, NULL, errp);
    bdrv_disable_dirty_bitmap(dirty);
    bdrv_drained_end(bs);
    check_walks(filter, bs, target);
    job_early_fail(&make_job(job_id, filter, speed, errp)->common.job);
    job = make_job(job_id, filter, speed, errp);
    bdrv_unref(filter);
    *(TheJob **)filter->opaque = job;
    job->filter = filter;
    job->dirty = dirty;
    job->on_target_error = on_target_error;
    job->target = make_target(target);
    attach(job, bs, target);
    emit_points(job);
    job_start(&job->common.job);
}

BlockJob *commit_active_start(const char *job_id, BlockDriverState *bs, BlockDriverState *base,
                              int creation_flags, int64_t speed, BlockdevOnError on_error,
                              const char *filter_node_name, BlockCompletionFunc *cb, void *opaque,
                              bool auto_complete, Error **errp)
{
    assert(bdrv_chain_contains(bs, base) && cb == NULL && auto_complete);
    error_setg(errp, "the entry point works");
    return NULL;
}
