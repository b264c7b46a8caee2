/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory: the heap is the world's arena, and so are vectors.
 */
#include <string.h>

#include "engine/qemu/env.h"

/* ---- Heap ---- */

#define PIECE_IS_USED UINT64_C(0x9e3779b97f4a7c15)

/*
 * Stands before each piece: its size, because host_free() needs it, and a mark
 * to recognise pieces.
 */
struct piece {
    _Alignas(16) uint64_t mark;
    size_t bytes;
    char memory[];
};

void *g_malloc(size_t size)
{
    struct piece *piece;

    if (size == 0) {
        return NULL;
    }
    piece = host_alloc(qemu_current()->host, sizeof(*piece) + size);
    piece->mark = PIECE_IS_USED;
    piece->bytes = size;
    return piece->memory;
}

void g_free(void *ptr)
{
    struct piece *piece;

    if (ptr != NULL) {
        piece = container_of(ptr, struct piece, memory);
        if (piece->mark != PIECE_IS_USED) {
            qemu_die("the memory freed is not on the heap, or was freed already");
        }
        piece->mark = 0;
        host_free(qemu_current()->host, piece, sizeof(*piece) + piece->bytes);
    }
}

/* Pieces that are looked into are no larger: what is no piece is hardly ever read. */
#define LARGEST ((uintptr_t)1 << 16)

bool qemu_piece_holds(const void *memory, const void *inside)
{
    const struct piece *piece = (const struct piece *)memory - 1;
    uintptr_t place = (uintptr_t)inside - (uintptr_t)memory;

    return memory != NULL && (uintptr_t)memory % _Alignof(struct piece) == 0 && place < LARGEST &&
           piece->mark == PIECE_IS_USED && place < piece->bytes;
}

char *g_strdup(const char *str)
{
    size_t bytes;

    if (str == NULL) {
        return NULL;
    }
    bytes = strlen(str) + 1;
    return memcpy(g_malloc(bytes), str, bytes);
}

/* ---- Vectors ---- */

void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint)
{
    (void)alloc_hint;
    *qiov = (QEMUIOVector){.iov = NULL};
}

void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len)
{
    size_t count = (size_t)qiov->niov;

    /* The capacity is the next power of two, so at a power of two the array is full. */
    if ((count & (count - 1)) == 0) {
        struct iovec *longer = g_malloc((count > 0 ? 2 * count : 1) * sizeof(*longer));

        if (count > 0) {
            memcpy(longer, qiov->iov, count * sizeof(*longer));
        }
        g_free(qiov->iov);
        qiov->iov = longer;
    }
    qiov->iov[qiov->niov++] = (struct iovec){.iov_base = base, .iov_len = len};
    qiov->size += len;
}

void qemu_iovec_destroy(QEMUIOVector *qiov)
{
    g_free(qiov->iov);
    *qiov = (QEMUIOVector){.iov = NULL};
}
