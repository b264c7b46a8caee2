/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small job, but it does what a foreign mirror.c must not; `replaces` in the scenario says
 * what.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_HOOKS
#define SMALL_IN_START in_start
#define SMALL_IN_RUN in_run
#define SMALL_IN_COPY in_copy
#define SMALL_IN_END in_end
#define SMALL_IN_WRITE in_write
#include "small_modern.c"

static bool does(const SmallJob *job, const char *misdeed)
{
    return job != NULL && job->misdeed != NULL && strcmp(job->misdeed, misdeed) == 0;
}

/* ---- What outlives a run ---- */

static int runs_begun;
static int runs_left = 2;

/* Variables of the file's own: each run must find them as they were loaded. */
static void keep_count(void)
{
    assert(runs_begun == 0 && runs_left == 2);
    runs_begun++;
    runs_left--;
}

/* Damage that nobody sees, to the process: a second run in it comes to grief. */
static void damage_process(void)
{
    assert(getenv("MISDEED") == NULL);
    setenv("MISDEED", "done", 1);
}

static void outlive(SmallJob *job)
{
    if (does(job, "tells-its-process") || does(job, "keeps-a-count")) {
        fprintf(stderr, "process %d\n", (int)getpid());
    }
    if (does(job, "keeps-a-count")) {
        keep_count();
    } else if (does(job, "damages-the-process")) {
        damage_process();
    }
}

/* ---- In the start: the main loop ---- */

static void in_start(SmallJob *job)
{
    BlockDriverState *source = source_of(job);

    outlive(job);
    if (does(job, "waits-outside")) {
        qemu_co_queue_wait(&job->waiting, NULL);
    } else if (does(job, "replaces-undrained")) {
        bdrv_replace_node(source, blk_bs(job->target), NULL);
    } else if (does(job, "ends-undrained")) {
        bdrv_drained_end(source);
    } else if (does(job, "unlocks-twice")) {
        bdrv_graph_wrunlock();
    } else if (does(job, "frees-twice")) {
        void *memory = g_malloc(8);

        g_free(memory);
        g_free(memory);
    } else if (does(job, "no-error-allowed")) {
        error_setg(&error_abort, "what nobody expects");
    } else if (does(job, "moves-elsewhere")) {
        bdrv_replace_node(job->filter, blk_bs(job->target), NULL);
    } else if (does(job, "names-a-bitmap")) {
        bdrv_create_dirty_bitmap(source, 4096, "name", NULL);
    }
}

/* ---- In the run: the job's coroutine ---- */

static void nothing(void *opaque)
{
}

static int overflow(volatile char *above)
{
    volatile char frame[4096];

    frame[0] = above != NULL ? above[0] : 0;
    if (above == frame) {
        return 0; /* never */
    }
    return overflow(frame) + frame[0];
}

static void sleep_elsewhere(void *opaque)
{
    SmallJob *job = opaque;

    job_sleep_ns(&job->common.job, 1);
}

static void drain_all(void *opaque)
{
    bdrv_graph_wrlock_drained();
}

typedef struct Side {
    CoQueue queue;
    struct Side *other;
} Side;

/* Each waits for the other one. */
static void wait_for_other(void *opaque)
{
    Side *side = opaque;

    qemu_co_queue_wait(&side->other->queue, NULL);
}

static void deadlock(SmallJob *job)
{
    Side *sides[2] = {g_new0(Side, 1), g_new0(Side, 1)};

    for (int i = 0; i < 2; i++) {
        qemu_co_queue_init(&sides[i]->queue);
        sides[i]->other = sides[1 - i];
    }
    for (int i = 0; i < 2; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(wait_for_other, sides[i]));
    }
    qemu_co_queue_wait(&sides[0]->queue, NULL);
}

static void enter_ended(void)
{
    Coroutine *co = qemu_coroutine_create(nothing, NULL);

    qemu_coroutine_enter(co);
    qemu_coroutine_enter(co);
}

static void in_coroutines(SmallJob *job)
{
    if (does(job, "enters-itself")) {
        qemu_coroutine_enter(qemu_coroutine_self());
    } else if (does(job, "enters-ended")) {
        enter_ended();
    } else if (does(job, "sleeps-elsewhere")) {
        qemu_coroutine_enter(qemu_coroutine_create(sleep_elsewhere, job));
    } else if (does(job, "drains-all-inside")) {
        qemu_coroutine_enter(qemu_coroutine_create(drain_all, job));
    } else if (does(job, "loses-a-wake-up")) {
        qemu_co_queue_wait(&job->waiting, NULL);
    } else if (does(job, "deadlocks")) {
        deadlock(job);
    } else if (does(job, "leaves-a-coroutine")) {
        Side *side = g_new0(Side, 1);

        side->other = side;
        qemu_coroutine_enter(qemu_coroutine_create(wait_for_other, side));
    }
}

static void in_run(SmallJob *job)
{
    char *buffer = job->buffer;

    if (does(job, "asserts")) {
        assert(job->misdeed == NULL);
    } else if (does(job, "loops")) {
        for (;;) {
            bdrv_get_dirty_count(job->dirty);
        }
    } else if (does(job, "writes-after-buffer")) {
        buffer[job->granularity] = 1;
    } else if (does(job, "writes-before-buffer")) {
        buffer[-4096] = 1;
    } else if (does(job, "overflows-stack")) {
        overflow(NULL);
    } else if (does(job, "ready-twice")) {
        job_transition_to_ready(&job->common.job);
        job_transition_to_ready(&job->common.job);
    } else if (does(job, "resets-a-part")) {
        bdrv_reset_dirty_bitmap(job->dirty, 512, 512);
    } else if (does(job, "clears-backwards")) {
        unsigned long *bits = bitmap_new(64);

        bitmap_clear(bits, 8, -1);
    } else if (does(job, "asks-for-a-part")) {
        int64_t count;

        bdrv_co_block_status_above(source_of(job), source_of(job), 0, 4096, &count, NULL, NULL);
    } else if (does(job, "writes-garbage")) {
        QEMUIOVector qiov;

        memcpy(buffer, "this was never read", 20);
        qemu_iovec_init(&qiov, 1);
        qemu_iovec_add(&qiov, buffer, 4096);
        blk_co_pwritev(job->target, 0, 4096, &qiov, 0);
    } else {
        in_coroutines(job);
    }
}

/* ---- In a copy, between its read and its write ---- */

static void overwrite(void *opaque)
{
    SmallJob *job = opaque;

    bdrv_co_flush(source_of(job));
    memset(job->buffer, 1, 512);
}

static void in_copy(SmallJob *job)
{
    if (does(job, "overwrites-while-written")) {
        qemu_coroutine_enter(qemu_coroutine_create(overwrite, job));
    } else if (does(job, "overwrites-what-was-read")) {
        memset(job->buffer, 1, 4);
    }
}

/* ---- In the filter ---- */

static void in_write(SmallJob *job, QEMUIOVector *qiov)
{
    if (does(job, "changes-guest-data")) {
        memset(qiov->iov[0].iov_base, 0, 512);
    }
}

/* ---- At the end: the main loop ---- */

static void in_end(SmallJob *job)
{
    if (does(job, "leaks")) {
        g_malloc(24);
    } else if (does(job, "writes-freed")) {
        char *memory = g_malloc(24);

        g_free(memory);
        memory[3] = 1;
    }
}
