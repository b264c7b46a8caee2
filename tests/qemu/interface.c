/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls and checks every part of the interface of a foreign mirror.c.
 *
 * It is compiled like such a file, with the five headers and its own other half only, and run by
 * interface.yaml.  Its job copies nothing: it checks with assertions, and shows with a trace point
 * with its own numbers that it has reached its end.
 */
#include "block/block_int.h"
#include "block/blockjob.h"
#include "qemu/bitmap.h"
#include "qemu/ratelimit.h"
#include "trace.h"

#include "interface_values.h"

#define PASSED 4711

typedef struct Job {
    BlockJob common;
    BlockDriverState *target;
    BdrvDirtyBitmap *dirty;
    char *buffer;
    bool started; /* the start has returned */
    bool resumes; /* a finished request resumes the job */
    bool entered; /* the resume entered the coroutine */
    int finished; /* requests */
    int last_ret;
    int64_t woken_ns;
    bool was_reset; /* iostatus_reset was called */
} Job;

static Job *the_job(BlockJob *common)
{
    return container_of(common, Job, common);
}

static int64_t now_ns(void)
{
    QEMUClockType clock = QEMU_CLOCK_REALTIME;

    return qemu_clock_get_ns(clock);
}

/* ---- 1.5 nodes ---- */

static void check_attributes(BlockDriverState *bs, BlockDriverState *target)
{
    BlockDriverInfo info;
    char name[64];
    int64_t first = 9;
    int count = 2;
    int flags = bdrv_get_flags(target);

    AioContext *context = bdrv_get_aio_context(bs);

    assert(context != NULL);
    aio_context_acquire(context);
    aio_context_release(context);
    assert(strcmp(bdrv_get_device_name(bs), "src") == 0 && strcmp(bs->filename, "src") == 0);
    assert(bdrv_getlength(bs) == 130 * CHUNK + 512);
    assert(flags == target->open_flags);
    assert(bdrv_get_info(target, &info) == 0 && info.cluster_size == 65536);
    bdrv_round_to_clusters(target, first, count, &first, &count);
    assert(first == 0 && count == 128);
    first = 127;
    count = 2;
    bdrv_round_to_clusters(target, first, count, &first, &count);
    assert(first == 0 && count == 256);
    first = 9;
    count = 2;
    bdrv_round_to_clusters(bs, first, count, &first, &count); /* the disk has no clusters */
    assert(first == 9 && count == 2);

    bdrv_set_enable_write_cache(target, true);
    assert(target->open_flags & 0x40);
    bdrv_set_enable_write_cache(target, false);
    assert(!(target->open_flags & 0x40));
    assert(bdrv_reopen(target, flags | 0x1000, NULL) == 0 &&
           target->open_flags == (flags | 0x1000));
    assert(bdrv_reopen(target, flags, NULL) == 0);
    assert(bdrv_truncate(target, 2 << 20) == 0 && bdrv_getlength(target) == 2 << 20);
    bdrv_get_backing_filename(target, name, sizeof(name));
    assert(name[0] != '\0');
    bdrv_get_backing_filename(check_to_replace_node("other", NULL), name, sizeof(name));
    assert(name[0] == '\0');
}

static void check_graph(BlockDriverState *bs, BlockDriverState *target)
{
    BlockDriverState *other = check_to_replace_node("other", NULL);
    QDict *no_options = NULL;
    Error *error = NULL;

    assert(bs->backing_hd != NULL && bs->backing_hd->backing_hd == NULL);
    assert(target->backing_hd == NULL);
    assert(bdrv_open_backing_file(target, no_options, &error) == 0 && error == NULL);
    assert(target->backing_hd == bs->backing_hd);
    assert(bdrv_open_backing_file(other, NULL, NULL) == 0); /* already open */
    bdrv_set_backing_hd(target, NULL);
    assert(target->backing_hd == NULL);
    bdrv_unref(bs->backing_hd); /* the link's reference */

    bdrv_ref(other);
    bdrv_unref(other);
    bdrv_unref(NULL);
    assert(check_to_replace_node("nothing", &error) == NULL && error != NULL);
    error_free(error);
    error = NULL;
    bdrv_op_block_all(other, NULL);
    assert(check_to_replace_node("other", &error) == NULL && error != NULL);
    error_free(error);
    bdrv_op_unblock_all(other, NULL);
    assert(check_to_replace_node("other", NULL) == other);
}

static void check_iostatus(BlockDriverState *bs, BlockDriverState *target)
{
    assert(bdrv_iostatus_is_enabled(bs));
    bdrv_set_on_error(target, BLOCKDEV_ON_ERROR_REPORT, BLOCKDEV_ON_ERROR_IGNORE);
    bdrv_iostatus_enable(target);
    assert(!bdrv_iostatus_is_enabled(target)); /* neither policy stops on errors */
    bdrv_set_on_error(target, BLOCKDEV_ON_ERROR_ENOSPC, BLOCKDEV_ON_ERROR_REPORT);
    assert(!bdrv_iostatus_is_enabled(target));
    bdrv_set_on_error(target, BLOCKDEV_ON_ERROR_STOP, BLOCKDEV_ON_ERROR_REPORT);
    assert(bdrv_iostatus_is_enabled(target));
    bdrv_iostatus_disable(target);
    assert(!bdrv_iostatus_is_enabled(target));
    bdrv_set_on_error(target, BLOCKDEV_ON_ERROR_REPORT, BLOCKDEV_ON_ERROR_ENOSPC);
    bdrv_iostatus_enable(target);
    assert(bdrv_iostatus_is_enabled(target));
    bdrv_iostatus_reset(target);
}

/* The two exchange the nodes they stand for, and nothing else. */
static void check_swap(BlockDriverState *a, BlockDriverState *b)
{
    int64_t a_length = bdrv_getlength(a);
    int64_t b_length = bdrv_getlength(b);
    int b_flags = b->open_flags;
    BlockDriverState *a_backing = a->backing_hd;

    assert(a_length != b_length && a_backing != b->backing_hd);
    bdrv_swap(a, b);
    assert(bdrv_getlength(a) == b_length && bdrv_getlength(b) == a_length);
    assert(a->open_flags == b_flags && b->backing_hd == a_backing);
}

/* A pivot of a node with its own backing node makes a loop. */
static void check_loop(BlockDriverState *top)
{
    BlockDriverState *base = top->backing_hd;

    bdrv_swap(base, top);
    assert(base->backing_hd == base && top->backing_hd == NULL);
    bdrv_swap(base, top);
    assert(top->backing_hd == base && base->backing_hd == NULL);
}

/* ---- 1.1, 1.2 coroutines and sleep ---- */

static void check_sleep(Job *job)
{
    BlockJob *common = &job->common;
    int64_t before = now_ns();

    assert(!job->started);
    block_job_sleep_ns(common, QEMU_CLOCK_REALTIME, 0); /* still goes through the event loop */
    assert(job->started && now_ns() == before && common->busy);
    block_job_sleep_ns(common, QEMU_CLOCK_REALTIME, 1000);
    assert(now_ns() == before + 1000);

    assert(!block_job_is_cancelled(common));
    common->cancelled = true;
    before = now_ns();
    block_job_sleep_ns(common, QEMU_CLOCK_REALTIME, 1000000); /* returns at once */
    block_job_yield(common);
    assert(block_job_is_cancelled(common) && now_ns() == before);
    common->cancelled = false;
}

static void request_done(void *opaque, int ret)
{
    Job *job = opaque;

    job->finished++;
    job->last_ret = ret;
    if (job->resumes) {
        assert(!job->common.busy && !job->entered);
        block_job_resume(&job->common); /* must enter the coroutine before it returns */
        assert(job->entered && !job->common.paused && job->was_reset);
    } else if (job->common.busy) {
        qemu_coroutine_enter(job->common.co, NULL);
    }
}

static void read_two_chunks(Job *job, QEMUIOVector *qiov)
{
    qemu_iovec_init(qiov, 2);
    qemu_iovec_add(qiov, job->buffer, CHUNK);
    qemu_iovec_add(qiov, job->buffer + CHUNK, CHUNK);
    bdrv_aio_readv(job->common.bs, 0, qiov, 2 * CHUNK_SECTORS, request_done, job);
}

/* Writes what was read in the same event, so that no oracle finds anything. */
static void write_back(Job *job, QEMUIOVector *qiov)
{
    BlockAIOCB *request =
        bdrv_aio_writev(job->target, 0, qiov, 2 * CHUNK_SECTORS, request_done, job);

    assert(request != NULL);
    assert(!QLIST_EMPTY(&job->target->tracked_requests));
}

static void wait_for_write(Job *job, QEMUIOVector *qiov)
{
    qemu_coroutine_yield();
    assert(job->last_ret == 0);
    qemu_iovec_destroy(qiov);
}

/* A paused job has no timer: it waits until somebody resumes it. */
static void check_pause(Job *job)
{
    BlockJob *common = &job->common;
    int64_t before = now_ns();
    QEMUIOVector qiov;

    for (int round = 0; round < 2; round++) {
        read_two_chunks(job, &qiov);
        job->resumes = true;
        job->entered = false;
        common->paused = round == 0;
        common->iostatus = BLOCK_DEVICE_IO_STATUS_FAILED;
        if (round == 0) {
            block_job_sleep_ns(common, QEMU_CLOCK_REALTIME, 10);
        } else {
            block_job_yield(common);
        }
        job->entered = true; /* from inside the callback */
        assert(now_ns() > before + 10 && common->busy && !common->paused);
        assert(common->iostatus == BLOCK_DEVICE_IO_STATUS_OK);
        write_back(job, &qiov);
        block_job_sleep_ns(common, QEMU_CLOCK_REALTIME, 0); /* back to it */
        job->resumes = false;
        wait_for_write(job, &qiov);
    }
}

/* ---- 1.3 data ---- */

static void check_requests(Job *job)
{
    BlockDriverState *bs = job->common.bs;
    const uint64_t *words = (const uint64_t *)(void *)job->buffer;
    QEMUIOVector qiov;
    int before = job->finished;

    assert(QLIST_EMPTY(&bs->tracked_requests));
    read_two_chunks(job, &qiov);
    assert(job->finished == before); /* never from inside the call */
    assert(!QLIST_EMPTY(&bs->tracked_requests));
    qemu_coroutine_yield();
    assert(job->finished == before + 1 && job->last_ret == 0);
    assert(QLIST_EMPTY(&bs->tracked_requests));
    assert(words[0] != 0 && words[0] == words[63] && words[0] != words[64]);

    write_back(job, &qiov);
    wait_for_write(job, &qiov);
    assert(job->finished == before + 2);

    assert(bdrv_flush(job->target) == 0);
    read_two_chunks(job, &qiov);
    job->common.busy = false; /* the callback must not enter: the drain waits */
    bdrv_drain(bs);
    job->common.busy = true;
    assert(job->finished == before + 3 && QLIST_EMPTY(&bs->tracked_requests));
    write_back(job, &qiov);
    wait_for_write(job, &qiov);
}

static void check_allocation(BlockDriverState *bs)
{
    int count = 0;
    int64_t last = 130 * CHUNK_SECTORS;

    /* src has its first 64KiB, and the rest is in base. */
    assert(bdrv_is_allocated_above(bs, NULL, 0, 8, &count) == 1 && count == 8);
    assert(bdrv_is_allocated_above(bs, bs->backing_hd, 0, 128, &count) == 1 && count == 128);
    assert(bdrv_is_allocated_above(bs, bs->backing_hd, 128, 8, &count) == 0 && count == 8);
    assert(bdrv_is_allocated_above(bs, bs->backing_hd, last, 100, &count) == 0 && count == 1);
}

/* ---- The rate limiter ---- */

static void check_ratelimit(void)
{
    RateLimit limit;

    memset(&limit, 0, sizeof(limit));
    ratelimit_set_speed(&limit, 1000, 100000000);         /* 100 per slice */
    assert(ratelimit_calculate_delay(&limit, 5000) == 0); /* the first charge is free */
    assert(ratelimit_calculate_delay(&limit, 1) == 100000000);
    assert(ratelimit_calculate_delay(&limit, 99) == 0); /* only the last charge counts */
    assert(ratelimit_calculate_delay(&limit, 1) == 100000000);
}

/* ---- Errors of requests ---- */

/* Three actions for errors that never happened; the oracles find each of them. */
static void check_actions(Job *job)
{
    BlockJob *common = &job->common;
    BlockDriverState *bs = common->bs;
    BlockdevOnError policy = BLOCKDEV_ON_ERROR_ENOSPC;
    BlockErrorAction action = block_job_error_action(common, bs, policy, 1, EIO);
    BlockDeviceIoStatus status = common->iostatus;

    assert(action == BLOCK_ERROR_ACTION_REPORT);
    assert(!common->paused && status == BLOCK_DEVICE_IO_STATUS_OK);
    action = block_job_error_action(common, job->target, policy, 0, ENOSPC);
    assert(action != BLOCK_ERROR_ACTION_REPORT);
    assert(common->paused && common->iostatus != BLOCK_DEVICE_IO_STATUS_OK);
    block_job_resume(common); /* does not enter the coroutine, because the job is busy */
    assert(!common->paused && common->iostatus == BLOCK_DEVICE_IO_STATUS_OK);
    action = block_job_error_action(common, bs, BLOCKDEV_ON_ERROR_STOP, 1, EIO);
    assert(action != BLOCK_ERROR_ACTION_REPORT && common->paused);
    block_job_resume(common);
}

static void check_trace_points(Job *job)
{
    trace_mirror_start(job->common.bs, job, job->common.co, NULL);
    trace_mirror_restart_iter(job, INT64_C(1));
    trace_mirror_before_flush(job);
    trace_mirror_before_drain(job, INT64_C(2));
    trace_mirror_before_sleep(job, INT64_C(3), 1, INT64_C(4));
    trace_mirror_one_iteration(job, INT64_C(5), 6);
    trace_mirror_iteration_done(job, INT64_C(7), 8, -EIO);
    trace_mirror_yield(job, 9, 10, INT64_C(11));
    trace_mirror_yield_in_flight(job, INT64_C(12), 13);
    trace_mirror_yield_buf_busy(job, 14, 15);
}

/* ---- The job ---- */

static void finish(BlockJob *common, void *opaque)
{
    Job *job = the_job(common);

    assert(opaque == job->target);
    check_loop(common->bs);
    check_swap(job->target, common->bs);
    bdrv_unref(job->target);
    trace_mirror_break_buf_busy(job, PASSED, PASSED);
    block_job_completed(common, 0);
}

static void coroutine_fn run(void *opaque)
{
    Job *job = opaque;

    check_sleep(job);
    job->buffer = qemu_try_blockalign(job->common.bs, 4 * CHUNK);
    assert(job->buffer != NULL);
    memset(job->buffer, 0x55, 4 * CHUNK); /* free chunks are the job's own */
    check_pause(job);
    check_requests(job);
    check_allocation(job->common.bs);
    check_ratelimit();
    check_actions(job);
    check_trace_points(job);
    block_job_event_ready(&job->common);
    assert(job->common.ready);
    qemu_vfree(job->buffer);
    qemu_vfree(NULL);
    bdrv_release_dirty_bitmap(job->common.bs, job->dirty);
    bdrv_iostatus_disable(job->target);
    block_job_defer_to_main_loop(&job->common, finish, job->target);
}

static void set_speed(BlockJob *common, int64_t speed, Error **errp)
{
    assert(the_job(common)->target == NULL); /* called while the job is being created */
    if (speed < 0) {
        error_set(errp, QERR_INVALID_PARAMETER, "speed");
    }
}

static void iostatus_reset(BlockJob *common)
{
    the_job(common)->was_reset = true;
}

static void complete(BlockJob *common, Error **errp)
{
    error_set(errp, QERR_BLOCK_JOB_NOT_READY, bdrv_get_device_name(common->bs));
}

static const BlockJobDriver driver = {
    .instance_size = sizeof(Job),
    .job_type = BLOCK_JOB_TYPE_MIRROR,
    .set_speed = set_speed,
    .iostatus_reset = iostatus_reset,
    .complete = complete,
};

static Job *check_create(BlockDriverState *bs, int64_t speed, BlockCompletionFunc *cb, void *opaque)
{
    BlockJobType kind;
    Error *error = NULL;
    Job *job;

    assert(block_job_create(&driver, bs, -1, cb, opaque, &error) == NULL && error != NULL);
    error_free(error);
    error = NULL;
    job = block_job_create(&driver, bs, speed, cb, opaque, &error);
    assert(job != NULL && error == NULL);
    assert(job->target == NULL && job->dirty == NULL && job->finished == 0); /* zero-filled */
    assert(job->common.driver == &driver && job->common.bs == bs && job->common.busy);
    kind = job->common.driver->job_type;
    assert(kind == BLOCK_JOB_TYPE_MIRROR && kind != BLOCK_JOB_TYPE_COMMIT);
    assert(job->common.speed == speed && job->common.offset == 0 && job->common.len == 0);
    assert(block_job_create(&driver, bs, 0, cb, opaque, &error) == NULL && error != NULL);
    error_free(error);
    return job;
}

/* Creating a coroutine does not start it; it gets its argument when it is entered. */
static void check_argument(void *opaque)
{
    int *steps = opaque;

    ++*steps;
    qemu_coroutine_yield();
    ++*steps;
}

static void check_coroutine(void)
{
    int steps = 0;
    Coroutine *co = qemu_coroutine_create(check_argument);

    assert(steps == 0);
    qemu_coroutine_enter(co, &steps);
    assert(steps == 1);
    qemu_coroutine_enter(co, NULL);
    assert(steps == 2);
}

void mirror_start(BlockDriverState *bs, BlockDriverState *target, const char *replaces,
                  int64_t speed, int64_t granularity, int64_t buf_size, MirrorSyncMode mode,
                  BlockdevOnError on_source_error, BlockdevOnError on_target_error,
                  BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    Job *job;

    assert(granularity == CHUNK && buf_size == 4 * CHUNK && speed == 1048576);
    assert(mode == MIRROR_SYNC_MODE_NONE && mode != MIRROR_SYNC_MODE_TOP);
    assert(on_source_error == BLOCKDEV_ON_ERROR_STOP);
    assert(on_target_error == BLOCKDEV_ON_ERROR_ENOSPC);
    assert(strcmp(replaces, "other") == 0 && *errp == NULL);
    check_errors();
    check_lists();
    check_macros();
    check_bits();
    check_memory();
    check_attributes(bs, target);
    check_graph(bs, target);
    check_iostatus(bs, target);
    check_coroutine();
    check_dirty(bs);
    job = check_create(bs, speed, cb, opaque);
    job->target = target;
    job->dirty = bdrv_create_dirty_bitmap(bs, CHUNK, errp);
    job->common.co = qemu_coroutine_create(run);
    qemu_coroutine_enter(job->common.co, job);
    job->started = true;
}

void commit_active_start(BlockDriverState *bs, BlockDriverState *base, int64_t speed,
                         BlockdevOnError on_error, BlockCompletionFunc *cb, void *opaque,
                         Error **errp)
{
    assert(bs != base && speed == 0 && on_error == BLOCKDEV_ON_ERROR_IGNORE && cb != NULL &&
           opaque != NULL);
    assert(bs->backing_hd == base);
    error_setg(errp, "the entry point works");
}
