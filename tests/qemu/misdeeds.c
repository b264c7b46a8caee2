/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A foreign mirror.c that breaks one rule.
 *
 * The name in `replaces` selects the rule.
 */
#include "block/block_int.h"
#include "block/blockjob.h"
#include "qemu/bitmap.h"
#include "qemu/ratelimit.h"
#include "trace.h"

#define CHUNK 4096

typedef struct Job {
    BlockJob common;
    BlockDriverState *target;
    const char *misdeed;
    BdrvDirtyBitmap *dirty;
    char *buffer;
    QEMUIOVector qiov;
} Job;

static bool is(const Job *job, const char *misdeed)
{
    return strcmp(job->misdeed, misdeed) == 0;
}

static void request_done(void *opaque, int ret)
{
    Job *job = opaque;

    assert(ret == 0 && !is(job, "asserts-in-callback"));
    qemu_coroutine_enter(job->common.co, NULL);
}

static void finish(BlockJob *common, void *opaque)
{
    Job *job = opaque;

    if (is(job, "enters-ended")) {
        qemu_coroutine_enter(common->co, NULL);
    } else if (is(job, "frees-twice")) {
        char *memory = g_malloc(8);

        g_free(memory);
        g_free(memory);
    }
    g_free(is(job, "leaks") ? NULL : (void *)job->misdeed);
    bdrv_unref(job->target);
    block_job_completed(common, 0);
}

static void overflow_stack(volatile char *below)
{
    volatile char here[4096];

    here[0] = below[0];
    overflow_stack(here);
    here[1] = here[0];
}

static void coroutine_fn copy(Job *job)
{
    bdrv_aio_readv(job->common.bs, 0, &job->qiov, 8, request_done, job);
    qemu_coroutine_yield();
    if (is(job, "overwrites-in-flight")) {
        job->buffer[100] ^= 1;
    }
    bdrv_aio_writev(job->target, 0, &job->qiov, 8, request_done, job);
    if (is(job, "overwrites-while-written")) {
        job->buffer[CHUNK - 1] ^= 1;
    }
    qemu_coroutine_yield();
    if (is(job, "ends-in-flight")) {
        bdrv_aio_readv(job->common.bs, 0, &job->qiov, 8, request_done, job);
    }
}

static void coroutine_fn run(void *opaque)
{
    Job *job = opaque;
    volatile char here = 0;

    block_job_sleep_ns(&job->common, QEMU_CLOCK_REALTIME, 1000);
    job->buffer = qemu_try_blockalign(job->common.bs, CHUNK);
    qemu_iovec_init(&job->qiov, 1);
    qemu_iovec_add(&job->qiov, is(job, "uses-other-memory") ? job->buffer + 512 : job->buffer,
                   CHUNK);
    if (is(job, "asserts")) {
        assert(job->misdeed == NULL);
    } else if (is(job, "loops")) {
        while (here == 0) {
        }
    } else if (is(job, "writes-after-buffer")) {
        job->buffer[CHUNK] = 1;
    } else if (is(job, "writes-before-buffer")) {
        job->buffer[-1] = 1;
    } else if (is(job, "overflows-stack")) {
        overflow_stack(&here);
    } else if (is(job, "enters-itself")) {
        qemu_coroutine_enter(job->common.co, NULL);
    } else if (is(job, "asks-for-more")) {
        qemu_try_blockalign(job->common.bs, CHUNK);
    } else if (is(job, "completes-too-early")) {
        block_job_completed(&job->common, 0);
    }
    copy(job);
    qemu_iovec_destroy(&job->qiov);
    qemu_vfree(job->buffer);
    bdrv_release_dirty_bitmap(job->common.bs, job->dirty);
    block_job_defer_to_main_loop(&job->common, finish, job);
}

void mirror_start(BlockDriverState *bs, BlockDriverState *target, const char *replaces,
                  int64_t speed, int64_t granularity, int64_t buf_size, MirrorSyncMode mode,
                  BlockdevOnError on_source_error, BlockdevOnError on_target_error,
                  BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    static const BlockJobDriver driver = {.instance_size = sizeof(Job),
                                          .job_type = BLOCK_JOB_TYPE_MIRROR};
    Job *job = block_job_create(&driver, bs, 0, cb, opaque, errp);

    job->target = target;
    job->misdeed = g_strdup(replaces);
    job->dirty = bdrv_create_dirty_bitmap(bs, CHUNK, errp);
    job->common.co = qemu_coroutine_create(run);
    if (is(job, "yields-outside")) {
        qemu_coroutine_yield();
    }
    qemu_coroutine_enter(job->common.co, job);
}

void commit_active_start(BlockDriverState *bs, BlockDriverState *base, int64_t speed,
                         BlockdevOnError on_error, BlockCompletionFunc *cb, void *opaque,
                         Error **errp)
{
    error_setg(errp, "no misdeed is a commit");
}
