/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block layer of the 2.2 generation, as far as a mirror.c sees it.
 *
 * This declares the interface list of the design and nothing else: a file that uses more does
 * not compile, and the compiler names what is missing.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_BLOCK_INT_H
#define MIRRORSIM_ENGINE_QEMU_2_2_BLOCK_INT_H

#include "mirrorsim/shared.h"

/* ---- Types ---- */

typedef struct BlockAIOCB BlockAIOCB;

typedef enum BlockdevOnError {
    BLOCKDEV_ON_ERROR_REPORT,
    BLOCKDEV_ON_ERROR_IGNORE,
    BLOCKDEV_ON_ERROR_ENOSPC,
    BLOCKDEV_ON_ERROR_STOP,
} BlockdevOnError;

typedef enum BlockErrorAction {
    BLOCK_ERROR_ACTION_IGNORE,
    BLOCK_ERROR_ACTION_REPORT,
    BLOCK_ERROR_ACTION_STOP,
} BlockErrorAction;

typedef enum MirrorSyncMode {
    MIRROR_SYNC_MODE_TOP,
    MIRROR_SYNC_MODE_FULL,
    MIRROR_SYNC_MODE_NONE,
} MirrorSyncMode;

typedef enum BlockDeviceIoStatus {
    BLOCK_DEVICE_IO_STATUS_OK,
    BLOCK_DEVICE_IO_STATUS_FAILED,
    BLOCK_DEVICE_IO_STATUS_NOSPACE,
} BlockDeviceIoStatus;

typedef enum ErrorClass {
    ERROR_CLASS_GENERIC_ERROR,
    ERROR_CLASS_INVALID_PARAMETER,
    ERROR_CLASS_NOT_READY,
    ERROR_CLASS_IN_USE,
    ERROR_CLASS_NOT_FOUND,
} ErrorClass;

/* The levels of a hierarchical bitmap: 64 bits per word, the chunks on the last level. */
#define HBITMAP_LEVELS 7

typedef struct HBitmapIter {
    const BdrvDirtyBitmap *bitmap;
    uint64_t word[HBITMAP_LEVELS];  /* the bits left in the copied words, by our level numbers */
    uint64_t place[HBITMAP_LEVELS]; /* the positions of these words */
} HBitmapIter;

/* ---- Lists ---- */

#define QLIST_EMPTY(head) ((head)->lh_first == NULL)

#define QSIMPLEQ_ENTRY(type)   \
    struct {                   \
        struct type *sqe_next; \
    }

#define QSIMPLEQ_HEAD(name, type) \
    struct name {                 \
        struct type *sqh_first;   \
        struct type **sqh_last;   \
    }

#define QSIMPLEQ_INIT(head)                    \
    do {                                       \
        (head)->sqh_first = NULL;              \
        (head)->sqh_last = &(head)->sqh_first; \
    } while (0)

#define QSIMPLEQ_FIRST(head) ((head)->sqh_first)

#define QSIMPLEQ_INSERT_TAIL(head, elm, field)     \
    do {                                           \
        (elm)->field.sqe_next = NULL;              \
        *(head)->sqh_last = (elm);                 \
        (head)->sqh_last = &(elm)->field.sqe_next; \
    } while (0)

#define QSIMPLEQ_REMOVE_HEAD(head, field)                      \
    do {                                                       \
        (head)->sqh_first = (head)->sqh_first->field.sqe_next; \
        if ((head)->sqh_first == NULL) {                       \
            (head)->sqh_last = &(head)->sqh_first;             \
        }                                                      \
    } while (0)

/* ---- Nodes ---- */

struct qemu_tracked; /* a request in flight; opaque */

struct BlockDriverState {
    struct BlockDriverState *backing_hd;
    int open_flags;
    char filename[64];
    struct {
        struct qemu_tracked *lh_first;
    } tracked_requests;
    struct qemu_node *own; /* belongs to the environment */
};

/* ---- Constants and small macros ---- */

#define QERR_INVALID_PARAMETER ERROR_CLASS_INVALID_PARAMETER, "Invalid parameter '%s'"
#define QERR_BLOCK_JOB_NOT_READY ERROR_CLASS_NOT_READY, "The job of '%s' cannot be completed now"

/* ---- Memory ---- */

#define g_slice_new(type) ((type *)g_malloc(sizeof(type)))
#define g_slice_free(type, ptr) g_free((type *){ptr})

/*
 * A copy buffer between two guard pages, or NULL. One at a time, after the
 * dirty bitmap is created.
 */
void *qemu_try_blockalign(BlockDriverState *bs, size_t size);
void qemu_vfree(void *ptr);

/* ---- Errors ---- */

/* `errp` may be NULL; *errp must be NULL. */
void error_set(Error **errp, ErrorClass cls, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Coroutines and time ---- */

Coroutine *qemu_coroutine_create(void (*entry)(void *opaque));
/* Entering a running coroutine is fatal. */
void qemu_coroutine_enter(Coroutine *co, void *opaque);
void qemu_coroutine_yield(void);

/* ---- Data ---- */

/* Calls cb(opaque, ret) later, never from inside the call. */
BlockAIOCB *bdrv_aio_readv(BlockDriverState *bs, int64_t sector_num, QEMUIOVector *qiov,
                           int nb_sectors, BlockCompletionFunc *cb, void *opaque);
BlockAIOCB *bdrv_aio_writev(BlockDriverState *bs, int64_t sector_num, QEMUIOVector *qiov,
                            int nb_sectors, BlockCompletionFunc *cb, void *opaque);

/* To be called in the coroutine. */
int bdrv_flush(BlockDriverState *bs);
void bdrv_drain(BlockDriverState *bs);
int bdrv_is_allocated_above(BlockDriverState *top, BlockDriverState *base, int64_t sector_num,
                            int nb_sectors, int *pnum);

int64_t bdrv_getlength(BlockDriverState *bs);
int bdrv_truncate(BlockDriverState *bs, int64_t offset);
int bdrv_get_info(BlockDriverState *bs, BlockDriverInfo *bdi);
/* Rounds outwards; the results may overwrite the arguments. */
void bdrv_round_to_clusters(BlockDriverState *bs, int64_t sector_num, int nb_sectors,
                            int64_t *cluster_sector_num, int *cluster_nb_sectors);

/* ---- Dirty bitmaps ---- */

BdrvDirtyBitmap *bdrv_create_dirty_bitmap(BlockDriverState *bs, int granularity, Error **errp);
void bdrv_release_dirty_bitmap(BlockDriverState *bs, BdrvDirtyBitmap *bitmap);
int bdrv_get_dirty(BlockDriverState *bs, BdrvDirtyBitmap *bitmap, int64_t sector);
/* In all bitmaps of the node (D6). */
void bdrv_set_dirty(BlockDriverState *bs, int64_t cur_sector, int nr_sectors);
void bdrv_reset_dirty(BlockDriverState *bs, int64_t cur_sector, int nr_sectors);
/* In sectors; a short last chunk counts as a whole one. */
int64_t bdrv_get_dirty_count(BlockDriverState *bs, BdrvDirtyBitmap *bitmap);
void bdrv_dirty_iter_init(BlockDriverState *bs, BdrvDirtyBitmap *bitmap, HBitmapIter *hbi);
/* The first sector of the next dirty chunk, or -1. */
int64_t hbitmap_iter_next(HBitmapIter *hbi);

/* ---- Attributes and graph ---- */

AioContext *bdrv_get_aio_context(BlockDriverState *bs);
void aio_context_acquire(AioContext *context);
void aio_context_release(AioContext *context);
const char *bdrv_get_device_name(BlockDriverState *bs);
int bdrv_get_flags(BlockDriverState *bs);
int bdrv_reopen(BlockDriverState *bs, int flags, Error **errp);
void bdrv_swap(BlockDriverState *bs_new, BlockDriverState *bs_old);
void bdrv_set_backing_hd(BlockDriverState *bs, BlockDriverState *backing_hd);
int bdrv_open_backing_file(BlockDriverState *bs, QDict *options, Error **errp);
void bdrv_get_backing_filename(BlockDriverState *bs, char *filename, int filename_size);
void bdrv_ref(BlockDriverState *bs);
void bdrv_unref(BlockDriverState *bs);
void bdrv_op_block_all(BlockDriverState *bs, Error *reason);
void bdrv_op_unblock_all(BlockDriverState *bs, Error *reason);
BlockDriverState *check_to_replace_node(const char *node_name, Error **errp);
void bdrv_set_enable_write_cache(BlockDriverState *bs, bool wce);
void bdrv_set_on_error(BlockDriverState *bs, BlockdevOnError on_read_error,
                       BlockdevOnError on_write_error);
void bdrv_iostatus_enable(BlockDriverState *bs);
void bdrv_iostatus_disable(BlockDriverState *bs);
void bdrv_iostatus_reset(BlockDriverState *bs);
bool bdrv_iostatus_is_enabled(const BlockDriverState *bs);

/* ---- What the file exports: the build gives each file's own names ---- */

void mirror_start(BlockDriverState *bs, BlockDriverState *target, const char *replaces,
                  int64_t speed, int64_t granularity, int64_t buf_size, MirrorSyncMode mode,
                  BlockdevOnError on_source_error, BlockdevOnError on_target_error,
                  BlockCompletionFunc *cb, void *opaque, Error **errp);
void commit_active_start(BlockDriverState *bs, BlockDriverState *base, int64_t speed,
                         BlockdevOnError on_error, BlockCompletionFunc *cb, void *opaque,
                         Error **errp);

#endif
