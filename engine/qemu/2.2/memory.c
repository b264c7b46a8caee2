/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy buffer is real memory.
 *
 * It lies between two guard pages, its end as close to the second as its size
 * allows.  The simulated block layer moves the data, in chunk buffers of its own; the real memory
 * holds their tags, 64 times per sector.  So code that overwrites a chunk in flight, or uses
 * chunks beyond the buffer, is detected.  The foreign code may do what it likes with free chunks.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/qemu/2.2/env.h"
#include "engine/range.h"

struct qemu_copy_buffer {
    char *mapping;
    size_t mapping_bytes;
    char *memory;
    uint64_t chunk_bytes;
    uint32_t chunks; /* the last one may extend beyond the memory (D1) */
    struct block_buffers *buffers;
};

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Returns false if the system has no memory. */
static bool map_between_guards(struct qemu_copy_buffer *buffer, size_t size)
{
    size_t page = page_bytes();
    size_t body = (size_t)align_up(size, page);

    buffer->mapping_bytes = body + 2 * page;
    buffer->mapping =
        mmap(NULL, buffer->mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer->mapping == MAP_FAILED) {
        return false;
    }
    if (mprotect(buffer->mapping + page, body, PROT_READ | PROT_WRITE) != 0) {
        munmap(buffer->mapping, buffer->mapping_bytes);
        return false;
    }
    buffer->memory = buffer->mapping + page + (body - size);
    return true;
}

void *qemu_try_blockalign(BlockDriverState *bs, size_t size)
{
    struct engine_job *env = qemu_env();
    struct qemu_copy_buffer *buffer;
    uint64_t chunks;
    int ret;

    if (env->buffer != NULL || env->dirty == NULL || size == 0 || size % SECTOR_BYTES != 0) {
        qemu_unsupported("a copy buffer of %zu bytes%s", size,
                         env->dirty == NULL ? " without a dirty bitmap" : "");
    }
    buffer = host_alloc(env->common.host, sizeof(*buffer));
    buffer->chunk_bytes = qemu_dirty_granularity(env->dirty);
    chunks = div_round_up(size, buffer->chunk_bytes);
    buffer->chunks = (uint32_t)min_u64(chunks, UINT32_MAX);
    ret = block_buffers_create(bs->own->stands_for, buffer->chunk_bytes, buffer->chunks,
                               &buffer->buffers);
    if (ret < 0 || !map_between_guards(buffer, size)) {
        if (ret == 0) {
            block_buffers_release(buffer->buffers);
        }
        env->common.last_error = -ENOMEM;
        host_free(env->common.host, buffer, sizeof(*buffer));
        return NULL;
    }
    env->buffer = buffer;
    return buffer->memory;
}

void qemu_vfree(void *ptr)
{
    struct engine_job *env = qemu_env();
    struct qemu_copy_buffer *buffer = env->buffer;

    if (ptr == NULL) {
        return;
    }
    if (buffer == NULL || ptr != buffer->memory) {
        qemu_die("the memory freed is not a copy buffer");
    }
    block_buffers_release(buffer->buffers);
    munmap(buffer->mapping, buffer->mapping_bytes);
    host_free(env->common.host, buffer, sizeof(*buffer));
    env->buffer = NULL;
}

void qemu_buffer_abandon(struct engine_job *env)
{
    if (env->buffer != NULL) {
        munmap(env->buffer->mapping, env->buffer->mapping_bytes);
        env->buffer = NULL;
    }
}

/* ---- Chunks ---- */

static uint32_t chunk_of(const struct qemu_copy_buffer *buffer, const struct iovec *piece)
{
    char *base = piece->iov_base;
    uint64_t offset = (uint64_t)(base - buffer->memory);

    if (base < buffer->memory || offset % buffer->chunk_bytes != 0 ||
        offset / buffer->chunk_bytes >= buffer->chunks || piece->iov_len > buffer->chunk_bytes ||
        piece->iov_len % SECTOR_BYTES != 0) {
        qemu_die("a request uses memory that is not a chunk of the copy buffer");
    }
    return (uint32_t)(offset / buffer->chunk_bytes);
}

struct block_iov qemu_buffers_of(const QEMUIOVector *qiov, uint32_t *index)
{
    const struct qemu_copy_buffer *buffer = qemu_env()->buffer;

    if (buffer == NULL) {
        qemu_die("a request without a copy buffer");
    }
    for (int i = 0; i < qiov->niov; i++) {
        index[i] = chunk_of(buffer, &qiov->iov[i]);
        if (i + 1 < qiov->niov && qiov->iov[i].iov_len < buffer->chunk_bytes) {
            qemu_unsupported("a request with a short chunk before its end");
        }
    }
    return (struct block_iov){
        .buffers = buffer->buffers, .index = index, .count = (uint32_t)qiov->niov};
}

/* Calls `word` for every word of the vector, with the tag that it should hold. */
static void each_word(const QEMUIOVector *qiov,
                      void (*word)(uint64_t *word, uint64_t tag, const char *when),
                      const char *when)
{
    const struct qemu_copy_buffer *buffer = qemu_env()->buffer;

    for (int i = 0; i < qiov->niov; i++) {
        uint32_t chunk = chunk_of(buffer, &qiov->iov[i]);
        uint64_t *at = qiov->iov[i].iov_base;

        for (uint64_t sector = 0; sector < qiov->iov[i].iov_len / SECTOR_BYTES; sector++) {
            uint64_t tag = block_buffers_tag(buffer->buffers, chunk, sector);

            for (uint64_t j = 0; j < SECTOR_BYTES / sizeof(*at); j++) {
                word(at++, tag, when);
            }
        }
    }
}

static void fill_word(uint64_t *word, uint64_t tag, const char *when)
{
    (void)when;
    *word = tag;
}

static void check_word(uint64_t *word, uint64_t tag, const char *when)
{
    if (*word != tag) {
        qemu_die("a chunk of the copy buffer was overwritten %s", when);
    }
}

void qemu_buffers_fill(const QEMUIOVector *qiov)
{
    each_word(qiov, fill_word, NULL);
}

void qemu_buffers_check(const QEMUIOVector *qiov, const char *when)
{
    each_word(qiov, check_word, when);
}
