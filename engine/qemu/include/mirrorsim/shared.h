/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a mirror.c of any generation sees alike: memory, vectors, errors, time.
 *
 * The headers that such a file includes include this one; so do the .c files that implement it,
 * the rest of engine/qemu/.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_SHARED_H
#define MIRRORSIM_ENGINE_QEMU_SHARED_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct AioContext AioContext;
typedef struct BdrvDirtyBitmap BdrvDirtyBitmap;
typedef struct BlockDriverState BlockDriverState;
typedef struct BlockJob BlockJob;
typedef struct Coroutine Coroutine;
typedef struct Error Error;
typedef struct QDict QDict;

typedef void BlockCompletionFunc(void *opaque, int ret);

typedef enum QEMUClockType { QEMU_CLOCK_REALTIME } QEMUClockType;

typedef struct BlockDriverInfo {
    int cluster_size; /* bytes; 0 = none */
} BlockDriverInfo;

typedef struct QEMUIOVector {
    struct iovec *iov;
    int niov;
    size_t size;
} QEMUIOVector;

#define BDRV_SECTOR_BITS 9
#define BDRV_SECTOR_SIZE (1ULL << BDRV_SECTOR_BITS)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define coroutine_fn

/* ---- Memory ---- */

/*
 * From the world's arena, zeroed; 0 bytes are NULL.  g_free(NULL) and g_strdup(NULL) are allowed.
 */
void *g_malloc(size_t size);
void g_free(void *ptr);
char *g_strdup(const char *str);

void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint);
/* Always adds an element, even if the memory continues the last one. */
void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len);
void qemu_iovec_destroy(QEMUIOVector *qiov);

/* ---- Errors ---- */

/* `errp` may be NULL; *errp must be NULL. */
void error_setg(Error **errp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends ": " and the text of the errno. */
void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void error_free(Error *err);
/* Moves it; frees it if dst is NULL or holds one; it may be NULL. */
void error_propagate(Error **dst, Error *local);
const char *error_get_pretty(const Error *err);

/* ---- Time ---- */

/* Virtual time. */
int64_t qemu_clock_get_ns(QEMUClockType type);

#endif
