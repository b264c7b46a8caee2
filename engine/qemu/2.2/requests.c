/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: asynchronous reads and writes, and calls for which a coroutine
 * waits.
 */
#include <limits.h>

#include "engine/qemu/2.2/env.h"
#include "engine/range.h"

/* ---- Reads and writes ---- */

struct BlockAIOCB {
    struct engine_job *env;
    QEMUIOVector *qiov;
    BlockCompletionFunc *cb;
    void *opaque;
    uint64_t offset;
    uint64_t bytes;
    bool is_read;
    uint32_t count;
    uint32_t index[]; /* indices of the chunk buffers */
};

static size_t request_bytes(uint32_t count)
{
    return sizeof(BlockAIOCB) + count * sizeof(uint32_t);
}

static void request_done(void *opaque, int ret)
{
    BlockAIOCB done = *(BlockAIOCB *)opaque;
    struct engine_job *env = done.env;

    qemu_enter(env);
    host_free(env->common.host, opaque, request_bytes(done.count));
    env->in_flight--;
    if (!done.is_read) {
        qemu_buffers_check(done.qiov, "while it was written");
    } else if (ret == 0) {
        qemu_buffers_fill(done.qiov);
    }
    env->last_offset = done.offset;
    env->last_bytes = done.bytes;
    done.cb(done.opaque, ret);
    qemu_leave();
}

static BlockAIOCB *submit(BlockDriverState *bs, int64_t sector_num, QEMUIOVector *qiov,
                          int nb_sectors, BlockCompletionFunc *cb, void *opaque, bool is_read)
{
    struct engine_job *env = qemu_env();
    uint32_t count = (uint32_t)qiov->niov;
    BlockAIOCB *request = host_alloc(env->common.host, request_bytes(count));
    struct block_iov iov;

    assert(sector_num >= 0 && nb_sectors > 0);
    assert(qiov->size == (uint64_t)nb_sectors * SECTOR_BYTES);
    *request = (BlockAIOCB){.env = env,
                            .qiov = qiov,
                            .cb = cb,
                            .opaque = opaque,
                            .offset = (uint64_t)sector_num * SECTOR_BYTES,
                            .bytes = qiov->size,
                            .is_read = is_read,
                            .count = count};
    iov = qemu_buffers_of(qiov, request->index);
    env->in_flight++;
    if (is_read) {
        block_read(bs->own->stands_for, request->offset, request->bytes, iov, request_done,
                   request);
    } else {
        qemu_buffers_check(qiov, "after it was read and before it was written");
        block_write(bs->own->stands_for, request->offset, request->bytes, iov, request_done,
                    request);
    }
    qemu_nodes_refresh(env);
    return request;
}

BlockAIOCB *bdrv_aio_readv(BlockDriverState *bs, int64_t sector_num, QEMUIOVector *qiov,
                           int nb_sectors, BlockCompletionFunc *cb, void *opaque)
{
    return submit(bs, sector_num, qiov, nb_sectors, cb, opaque, true);
}

BlockAIOCB *bdrv_aio_writev(BlockDriverState *bs, int64_t sector_num, QEMUIOVector *qiov,
                            int nb_sectors, BlockCompletionFunc *cb, void *opaque)
{
    return submit(bs, sector_num, qiov, nb_sectors, cb, opaque, false);
}

/* ---- Waiting in a coroutine ---- */

/* A coroutine waits; it is entered again when the result has come. */
struct wait {
    struct engine_job *env;
    Coroutine *co;
    int ret;
};

static void go_on(struct wait *wait)
{
    qemu_enter(wait->env);
    qemu_coroutine_enter(wait->co, NULL);
    qemu_leave();
}

static void answered(void *opaque, int ret)
{
    struct wait *wait = opaque;

    wait->ret = ret;
    go_on(wait);
}

static void idle(void *opaque)
{
    go_on(opaque);
}

static struct wait begin_wait(const char *what)
{
    struct engine_job *env = qemu_env();

    if (env->running == NULL) {
        qemu_unsupported("%s outside a coroutine", what);
    }
    return (struct wait){.env = env, .co = env->running};
}

int bdrv_flush(BlockDriverState *bs)
{
    struct wait wait = begin_wait("bdrv_flush()");

    block_flush(bs->own->stands_for, answered, &wait);
    qemu_coroutine_yield();
    wait.env->last_offset = 0;
    wait.env->last_bytes = 0;
    return wait.ret;
}

static bool chain_is_idle(const BlockDriverState *bs)
{
    for (; bs != NULL; bs = bs->backing_hd) {
        if (block_in_flight(bs->own->stands_for) > 0) {
            return false;
        }
    }
    return true;
}

/*
 * The job stays busy while it waits, so nobody else enters its coroutine: the effect is that of a
 * nested event loop.  New requests are let in, and waited for, too (D13).
 */
void bdrv_drain(BlockDriverState *bs)
{
    struct wait wait = begin_wait("bdrv_drain()");

    do {
        for (BlockDriverState *node = bs; node != NULL; node = node->backing_hd) {
            if ((node == bs || block_in_flight(node->own->stands_for) > 0) &&
                !block_idle_begin(node->own->stands_for, idle, &wait)) {
                qemu_coroutine_yield();
            }
        }
    } while (!chain_is_idle(bs));
    for (BlockDriverState *node = bs->backing_hd; node != NULL; node = node->backing_hd) {
        block_idle_end(node->own->stands_for);
    }
}

int bdrv_is_allocated_above(BlockDriverState *top, BlockDriverState *base, int64_t sector_num,
                            int nb_sectors, int *pnum)
{
    struct wait wait = begin_wait("bdrv_is_allocated_above()");
    struct block_node *node = top->own->stands_for;
    struct block_node *above = base != NULL ? base->own->stands_for : NULL;
    uint64_t offset = (uint64_t)sector_num * SECTOR_BYTES;
    uint64_t bytes = (uint64_t)nb_sectors * SECTOR_BYTES;
    uint64_t end = block_known_bytes(node);
    uint64_t extent = 0;
    int ret;

    if (offset >= end || nb_sectors <= 0) {
        qemu_unsupported("bdrv_is_allocated_above() of nothing");
    }
    bytes = min_u64(bytes, end - offset);
    while ((ret = block_status_above(node, above, offset, bytes, &extent, answered, &wait)) ==
           -EINPROGRESS) {
        qemu_coroutine_yield();
    }
    *pnum = ret < 0 ? 0 : (int)(min_u64(extent, bytes) / SECTOR_BYTES);
    return ret;
}
