/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: a coroutine submits one and waits for it.
 */
#include "engine/qemu/modern/env.h"
#include "engine/range.h"

/* ---- Waiting ---- */

struct wait {
    struct engine_job *env;
    Coroutine *co;
    struct block_node *block;
    uint64_t offset;
    uint64_t bytes;
    int ret;
};

static void done(void *opaque, int ret)
{
    struct wait *wait = opaque;

    wait->ret = ret;
    qemu_co_wake_from_world(wait->env, wait->co);
}

static struct wait wait_for(const BlockDriverState *bs, const char *what, int64_t offset,
                            int64_t bytes)
{
    if (bs->own->driver != NULL) {
        qemu_unsupported("%s of the job on its filter", what);
    }
    return (struct wait){.env = qemu_job_env(),
                         .co = qemu_co_real(what),
                         .block = bs->own->block,
                         .offset = (uint64_t)offset,
                         .bytes = (uint64_t)bytes};
}

static int end_wait(struct wait *wait, const char *what)
{
    qemu_co_wait(wait->co, what);
    if (wait->ret < 0) {
        wait->co->failed_offset = wait->offset;
        wait->co->failed_bytes = wait->bytes;
        wait->co->failed_ret = wait->ret;
    }
    return wait->ret;
}

/* Requests outside of the node fail at once; there are none of parts of sectors. */
static bool is_inside(const BlockDriverState *bs, int64_t offset, int64_t bytes)
{
    uint64_t length = bs->own->block != NULL ? block_known_bytes(bs->own->block) : 0;

    if (offset < 0 || bytes < 0 || (uint64_t)offset > length ||
        (uint64_t)bytes > length - (uint64_t)offset) {
        return false;
    }
    if ((uint64_t)offset % SECTOR_BYTES != 0 || (uint64_t)bytes % SECTOR_BYTES != 0) {
        qemu_unsupported("a request that is not in whole sectors");
    }
    return true;
}

/* Is a request over before it begins, for it is beyond the device, or of no bytes? */
static bool is_over(BlockDriverState *bs, int64_t offset, int64_t bytes, int *ret)
{
    *ret = is_inside(bs, offset, bytes) ? 0 : -EIO;
    return *ret < 0 || bytes == 0;
}

/* The guest's own request, on its disk. */
static int pass(struct wait *wait, const char *what)
{
    interposed_pass(qemu_guest_pass(wait->co), done, wait);
    return end_wait(wait, what);
}

/* ---- Reads and writes ---- */

static int request_read(BlockDriverState *bs, int64_t offset, int64_t bytes, QEMUIOVector *qiov)
{
    struct wait wait = wait_for(bs, "a read", offset, bytes);
    struct qemu_data data;
    int ret;

    if (is_over(bs, offset, bytes, &ret)) {
        return ret;
    }
    if (qemu_guest_passes(wait.co, bs, OP_READ, offset, bytes)) {
        return pass(&wait, "the guest's read");
    }
    qemu_data_expect(&data, wait.block, qiov, 0, wait.bytes);
    block_read(wait.block, wait.offset, wait.bytes, data.iov, done, &wait);
    ret = end_wait(&wait, "a read");
    if (ret == 0) {
        qemu_data_fill(&data);
    }
    qemu_data_release(&data);
    return ret;
}

int qemu_request_write(BlockDriverState *bs, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                       size_t skip)
{
    struct wait wait = wait_for(bs, "a write", offset, bytes);
    struct interposed *copied;
    struct qemu_data data;
    int ret;

    if (is_over(bs, offset, bytes, &ret)) {
        return ret;
    }
    if (qemu_guest_passes(wait.co, bs, OP_WRITE, offset, bytes)) {
        qemu_data_check_guest(qemu_guest_pass(wait.co), qiov, wait.bytes);
        return pass(&wait, "the guest's write");
    }
    copied = qemu_guest_copies(wait.co, bs, OP_WRITE, offset, bytes);
    qemu_data_take(&data, wait.block, qiov, skip, wait.bytes);
    if (copied != NULL) {
        interposed_write(copied, wait.block, wait.offset, wait.bytes, data.iov, done, &wait);
    } else {
        block_write(wait.block, wait.offset, wait.bytes, data.iov, done, &wait);
    }
    ret = end_wait(&wait, "a write");
    qemu_data_check(&data);
    qemu_data_release(&data);
    return ret;
}

/* ---- Zeroes and discards ---- */

int qemu_request_zero(BlockDriverState *bs, int64_t offset, int64_t bytes, BdrvRequestFlags flags)
{
    struct wait wait = wait_for(bs, "a write of zeroes", offset, bytes);
    uint32_t zeroes = ((unsigned)flags & BDRV_REQ_MAY_UNMAP) != 0 ? ZEROES_MAY_UNMAP : 0;
    struct interposed *copied;
    int ret;

    if (is_over(bs, offset, bytes, &ret)) {
        return ret;
    }
    if (qemu_guest_passes(wait.co, bs, OP_WRITE_ZEROES, offset, bytes)) {
        return pass(&wait, "the guest's write of zeroes");
    }
    copied = qemu_guest_copies(wait.co, bs, OP_WRITE_ZEROES, offset, bytes);
    if (copied != NULL && zeroes == 0) {
        interposed_copy(copied, wait.block, wait.offset, wait.bytes, done, &wait);
    } else {
        block_write_zeroes(wait.block, wait.offset, wait.bytes, zeroes, done, &wait);
    }
    return end_wait(&wait, "a write of zeroes");
}

int qemu_request_discard(BlockDriverState *bs, int64_t offset, int64_t bytes)
{
    struct wait wait = wait_for(bs, "a discard", offset, bytes);
    struct interposed *copied;
    int ret;

    if (is_over(bs, offset, bytes, &ret)) {
        return ret;
    }
    if (qemu_guest_passes(wait.co, bs, OP_DISCARD, offset, bytes)) {
        return pass(&wait, "the guest's discard");
    }
    copied = qemu_guest_copies(wait.co, bs, OP_DISCARD, offset, bytes);
    if (copied != NULL) {
        interposed_copy(copied, wait.block, wait.offset, wait.bytes, done, &wait);
    } else {
        block_discard(wait.block, wait.offset, wait.bytes, done, &wait);
    }
    return end_wait(&wait, "a discard");
}

int bdrv_co_flush(BlockDriverState *bs)
{
    struct wait wait = wait_for(bs, "a flush", 0, 0);

    if (qemu_guest_passes(wait.co, bs, OP_FLUSH, 0, 0)) {
        return pass(&wait, "the guest's flush");
    }
    block_flush(wait.block, done, &wait);
    return end_wait(&wait, "a flush");
}

/* ---- By way of a child ---- */

int bdrv_co_preadv(BdrvChild *child, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                   BdrvRequestFlags flags)
{
    (void)flags;
    return request_read(child->bs, offset, bytes, qiov);
}

int bdrv_co_pwritev(BdrvChild *child, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                    BdrvRequestFlags flags)
{
    (void)flags;
    return qemu_request_write(child->bs, offset, bytes, qiov, 0);
}

int bdrv_co_pwrite_zeroes(BdrvChild *child, int64_t offset, int64_t bytes, BdrvRequestFlags flags)
{
    return qemu_request_zero(child->bs, offset, bytes, flags);
}

int bdrv_co_pdiscard(BdrvChild *child, int64_t offset, int64_t bytes)
{
    return qemu_request_discard(child->bs, offset, bytes);
}

void bdrv_cancel_in_flight(BlockDriverState *bs)
{
    (void)bs; /* only network drivers can */
}
