/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory for requests, and what copies it.
 *
 * The copy buffer lies between two guard pages, its end as close to the second as its size allows.
 * Other memory comes from the heap, where what was given back is poisoned (sim/world/host.c).
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/qemu/modern/env.h"
#include "engine/range.h"

/* ---- Guarded memory ---- */

/* A mapping: a guard page, a body of whole pages, a guard page. */
struct mapping {
    char *memory;
    size_t body_bytes;
};

struct qemu_memory {
    struct qemu_memory *next;
    struct mapping mapping;
    char *memory;
    struct block_buffers *shown; /* for the trace: the copy buffer */
};

/*
 * Small mappings that were given back, out of anybody's reach, for the next run in this process:
 * the system needs longer to make one than a small run takes.
 */
#define KEPT_MAPPINGS 4
#define KEPT_BYTES ((size_t)1 << 20)

static struct mapping kept[KEPT_MAPPINGS];

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *body_of(const struct mapping *mapping)
{
    return mapping->memory + page_bytes();
}

static bool open_body(const struct mapping *mapping)
{
    return mprotect(body_of(mapping), mapping->body_bytes, PROT_READ | PROT_WRITE) == 0;
}

static void unmap(const struct mapping *mapping)
{
    munmap(mapping->memory, mapping->body_bytes + 2 * page_bytes());
}

static bool map_new(size_t body_bytes, struct mapping *mapping)
{
    void *memory =
        mmap(NULL, body_bytes + 2 * page_bytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *mapping = (struct mapping){memory, body_bytes};
    if (memory == MAP_FAILED) {
        return false;
    }
    if (!open_body(mapping)) {
        unmap(mapping);
        return false;
    }
    return true;
}

/* A kept one of that size, all zeroes like a new one. */
static bool map_kept(size_t body_bytes, struct mapping *mapping)
{
    for (size_t i = 0; i < KEPT_MAPPINGS; i++) {
        if (kept[i].memory != NULL && kept[i].body_bytes == body_bytes && open_body(&kept[i])) {
            *mapping = kept[i];
            kept[i].memory = NULL;
            memset(body_of(mapping), 0, body_bytes);
            return true;
        }
    }
    return false;
}

static void give_back(const struct mapping *mapping)
{
    for (size_t i = 0; i < KEPT_MAPPINGS && mapping->body_bytes <= KEPT_BYTES; i++) {
        if (kept[i].memory == NULL &&
            mprotect(body_of(mapping), mapping->body_bytes, PROT_NONE) == 0) {
            kept[i] = *mapping;
            return;
        }
    }
    unmap(mapping);
}

static bool map_between_guards(struct qemu_memory *piece, size_t size)
{
    size_t body_bytes = (size_t)align_up(size, page_bytes());

    if (!map_kept(body_bytes, &piece->mapping) && !map_new(body_bytes, &piece->mapping)) {
        return false;
    }
    piece->memory = body_of(&piece->mapping) + (body_bytes - size);
    return true;
}

/* The trace has one chunk buffer per bit of the dirty bitmap. */
static int show(struct engine_job *env, struct qemu_memory *piece, BlockDriverState *bs,
                size_t size)
{
    uint64_t chunk = env->dirty != NULL ? qemu_bitmap_granularity(env->dirty) : SECTOR_BYTES;
    uint64_t count = div_round_up(size, chunk);

    if (count > UINT32_MAX) {
        return -ENOMEM;
    }
    return block_buffers_create(bs->own->block, chunk, (uint32_t)count, &piece->shown);
}

void *qemu_try_blockalign(BlockDriverState *bs, size_t size)
{
    struct engine_job *env = qemu_job_env();
    struct qemu_memory *piece;
    int ret;

    if (size == 0 || bs->own->driver != NULL) {
        qemu_unsupported("a copy buffer of %zu bytes, or of a filter", size);
    }
    piece = qemu_own_alloc(sizeof(*piece));
    ret = show(env, piece, bs, size);
    if (ret < 0 || !map_between_guards(piece, size)) {
        if (ret == 0) {
            block_buffers_release(piece->shown);
        }
        env->common.last_error = -ENOMEM;
        qemu_own_free(piece);
        return NULL;
    }
    piece->next = env->memory;
    env->memory = piece;
    return piece->memory;
}

void *qemu_blockalign(BlockDriverState *bs, size_t size)
{
    (void)bs;
    return g_malloc(size);
}

static void piece_free(struct qemu_memory *piece)
{
    give_back(&piece->mapping);
    qemu_own_free(piece);
}

void qemu_vfree(void *ptr)
{
    struct qemu_memory **link = &qemu_job_env()->memory;
    struct qemu_memory *piece;

    while (*link != NULL && (*link)->memory != ptr) {
        link = &(*link)->next;
    }
    piece = *link;
    if (ptr == NULL || piece == NULL) {
        g_free(ptr);
        return;
    }
    *link = piece->next;
    block_buffers_release(piece->shown);
    piece_free(piece);
}

void qemu_memory_abandon(struct engine_job *env)
{
    while (env->memory != NULL) {
        struct qemu_memory *piece = env->memory;

        env->memory = piece->next;
        piece_free(piece);
    }
}

/* ---- Copies ---- */

void *g_malloc0(size_t size)
{
    return g_malloc(size); /* which is zeroed, too */
}

size_t iov_to_buf_full(const struct iovec *iov, unsigned int iov_cnt, size_t offset, void *buf,
                       size_t bytes)
{
    size_t done = 0;

    for (unsigned int i = 0; i < iov_cnt && done < bytes; i++) {
        if (offset < iov[i].iov_len) {
            size_t part = MIN(iov[i].iov_len - offset, bytes - done);

            memcpy((char *)buf + done, (char *)iov[i].iov_base + offset, part);
            done += part;
            offset = 0;
        } else {
            offset -= iov[i].iov_len;
        }
    }
    return done;
}

void pstrcpy(char *buf, int buf_size, const char *str)
{
    size_t length = strlen(str);

    if (buf_size > 0) {
        length = MIN(length, (size_t)buf_size - 1);
        memcpy(buf, str, length);
        buf[length] = '\0';
    }
}

/* ---- Words ---- */

const char *MirrorSyncMode_str(MirrorSyncMode mode)
{
    static const char *const names[] = {[MIRROR_SYNC_MODE_TOP] = "top",
                                        [MIRROR_SYNC_MODE_FULL] = "full",
                                        [MIRROR_SYNC_MODE_NONE] = "none",
                                        [MIRROR_SYNC_MODE_INCREMENTAL] = "incremental",
                                        [MIRROR_SYNC_MODE_BITMAP] = "bitmap"};

    return names[mode];
}

const char *MirrorCopyMode_str(MirrorCopyMode mode)
{
    static const char *const names[] = {[MIRROR_COPY_MODE_BACKGROUND] = "background",
                                        [MIRROR_COPY_MODE_WRITE_BLOCKING] = "write-blocking"};

    return names[mode];
}

/* ---- Warnings: nothing that a trace shows ---- */

void error_report_err(Error *err)
{
    error_free(err);
}

void warn_report_err(Error *err)
{
    error_free(err);
}

void error_report(const char *fmt, ...)
{
    (void)fmt;
}

void warn_report(const char *fmt, ...)
{
    (void)fmt;
}
