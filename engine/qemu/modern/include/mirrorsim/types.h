/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Types of today's generation: with the fields that a mirror.c touches, and no others.
 *
 * What begins with `own` belongs to the environment.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_TYPES_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_TYPES_H

#include "mirrorsim/macros.h"
#include "mirrorsim/shared.h"

typedef struct BdrvChild BdrvChild;
typedef struct BdrvDirtyBitmapIter BdrvDirtyBitmapIter;
typedef struct BdrvTrackedRequest BdrvTrackedRequest;
typedef struct BlockBackend BlockBackend;
typedef struct BlockReopenQueue BlockReopenQueue;
typedef struct CoMutex CoMutex;
typedef struct Job Job;
typedef struct JobTxn JobTxn;

/* ---- Words ---- */

typedef enum MirrorSyncMode {
    MIRROR_SYNC_MODE_TOP,
    MIRROR_SYNC_MODE_FULL,
    MIRROR_SYNC_MODE_NONE,
    MIRROR_SYNC_MODE_INCREMENTAL,
    MIRROR_SYNC_MODE_BITMAP,
} MirrorSyncMode;

typedef enum MirrorCopyMode {
    MIRROR_COPY_MODE_BACKGROUND,
    MIRROR_COPY_MODE_WRITE_BLOCKING,
} MirrorCopyMode;

typedef enum BlockMirrorBackingMode {
    MIRROR_SOURCE_BACKING_CHAIN,
    MIRROR_OPEN_BACKING_CHAIN,
    MIRROR_LEAVE_BACKING_CHAIN,
} BlockMirrorBackingMode;

typedef enum BlockdevOnError {
    BLOCKDEV_ON_ERROR_REPORT,
    BLOCKDEV_ON_ERROR_IGNORE,
    BLOCKDEV_ON_ERROR_ENOSPC,
    BLOCKDEV_ON_ERROR_STOP,
    BLOCKDEV_ON_ERROR_AUTO,
} BlockdevOnError;

typedef enum BlockErrorAction {
    BLOCK_ERROR_ACTION_IGNORE,
    BLOCK_ERROR_ACTION_REPORT,
    BLOCK_ERROR_ACTION_STOP,
} BlockErrorAction;

typedef enum BlockDeviceIoStatus {
    BLOCK_DEVICE_IO_STATUS_OK,
    BLOCK_DEVICE_IO_STATUS_FAILED,
    BLOCK_DEVICE_IO_STATUS_NOSPACE,
    BLOCK_DEVICE_IO_STATUS__MAX,
} BlockDeviceIoStatus;

typedef enum BlockdevDetectZeroesOptions {
    BLOCKDEV_DETECT_ZEROES_OPTIONS_OFF,
    BLOCKDEV_DETECT_ZEROES_OPTIONS_ON,
    BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP,
} BlockdevDetectZeroesOptions;

typedef enum PreallocMode { PREALLOC_MODE_OFF } PreallocMode;

typedef enum JobType { JOB_TYPE_COMMIT, JOB_TYPE_MIRROR } JobType;

typedef enum BdrvRequestFlags {
    BDRV_REQ_MAY_UNMAP = 0x4,
    BDRV_REQ_REGISTERED_BUF = 0x8,
    BDRV_REQ_WRITE_UNCHANGED = 0x40,
    BDRV_REQ_NO_FALLBACK = 0x100,
} BdrvRequestFlags;

typedef unsigned int BdrvChildRole;

/* ---- Coroutines ---- */

/* Who waits, in order; empty when zeroed. */
typedef struct CoQueue {
    Coroutine *own_first;
    Coroutine *own_last;
    unsigned long own_maker; /* the coroutine that has made it */
} CoQueue;

/* ---- Nodes ---- */

typedef struct BlockDriver {
    const char *format_name;
    int (*bdrv_co_preadv)(BlockDriverState *bs, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                          BdrvRequestFlags flags);
    int (*bdrv_co_pwritev)(BlockDriverState *bs, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                           BdrvRequestFlags flags);
    int (*bdrv_co_pwrite_zeroes)(BlockDriverState *bs, int64_t offset, int64_t bytes,
                                 BdrvRequestFlags flags);
    int (*bdrv_co_pdiscard)(BlockDriverState *bs, int64_t offset, int64_t bytes);
    int (*bdrv_co_flush)(BlockDriverState *bs);
    void (*bdrv_refresh_filename)(BlockDriverState *bs);
    void (*bdrv_child_perm)(BlockDriverState *bs, BdrvChild *c, BdrvChildRole role,
                            BlockReopenQueue *reopen_queue, uint64_t parent_perm,
                            uint64_t parent_shared, uint64_t *nperm, uint64_t *nshared);
    bool is_filter;
    bool filtered_child_is_backing;
} BlockDriver;

/* An edge from a user to the node that it uses. */
struct BdrvChild {
    BlockDriverState *bs;
    QLIST_ENTRY(BdrvChild) next_parent; /* of the node's users, the newest first */
    /* Of a user that is no node, with job.c and blockjob.c. */
    const struct BdrvChildClass *own_class;
#ifdef QEMU_OWN_FRAMEWORK
    void *opaque;
#else
    void *own_opaque;
#endif
};

struct BlockDriverState {
    BdrvChild *backing; /* also a filter's child; or NULL */
    void *opaque;       /* freed with the node */
    char filename[128];
    char exact_filename[128];
    char node_name[128];
    struct {
        int max_iov;
    } bl;
    BlockdevDetectZeroesOptions detect_zeroes;
    int64_t total_sectors;
    unsigned int supported_write_flags;
    unsigned int supported_zero_flags;
    bool implicit;
    bool never_freeze;
    QLIST_HEAD(, BdrvChild) parents;
    QLIST_HEAD(, BdrvTrackedRequest) tracked_requests; /* is it empty? */
    struct qemu_node *own;
};

/* ---- Jobs ---- */

#ifdef QEMU_OWN_FRAMEWORK
#include "mirrorsim/framework_types.h"
#else
struct Job {
    char *id;
    AioContext *aio_context;
    bool paused; /* is parked, or has not begun */
    int ret;     /* of the run */
    struct engine_job *own;
};

typedef struct JobDriver {
    size_t instance_size; /* of the struct that begins with a BlockJob */
    JobType job_type;
    void (*free)(Job *job);        /* block_job_free() */
    void (*user_resume)(Job *job); /* block_job_user_resume() */
    int (*run)(Job *job, Error **errp);
    int (*prepare)(Job *job);
    void (*abort)(Job *job);
    void (*pause)(Job *job);
    void (*complete)(Job *job, Error **errp);
    bool (*cancel)(Job *job, bool force);
} JobDriver;

typedef struct BlockJobInfoMirror {
    bool actively_synced;
} BlockJobInfoMirror;

typedef struct BlockJobInfo {
    union {
        BlockJobInfoMirror mirror;
    } u;
} BlockJobInfo;

typedef struct BlockJobChangeOptionsMirror {
    MirrorCopyMode copy_mode;
} BlockJobChangeOptionsMirror;

typedef struct BlockJobChangeOptions {
    union {
        BlockJobChangeOptionsMirror mirror;
    } u;
} BlockJobChangeOptions;

typedef struct BlockJobDriver {
    JobDriver job_driver;
    bool (*drained_poll)(BlockJob *job);
    void (*change)(BlockJob *job, BlockJobChangeOptions *opts, Error **errp); /* since 8.2 */
    void (*query)(BlockJob *job, BlockJobInfo *info);                         /* since 8.2 */
} BlockJobDriver;

struct BlockJob {
    Job job;
    BlockDeviceIoStatus iostatus;
    BlockBackend *blk; /* 6.2: of the job's main node */
};
#endif

#endif
