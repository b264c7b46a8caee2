/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The types of jobs as a user's own job.c and blockjob.c see them: whole.
 *
 * Instead of the short ones of types.h, for all files of such an engine.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_TYPES_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_TYPES_H

#include "mirrorsim/framework_parts.h"

/* ---- Words ---- */

typedef enum JobStatus {
    JOB_STATUS_UNDEFINED,
    JOB_STATUS_CREATED,
    JOB_STATUS_RUNNING,
    JOB_STATUS_PAUSED,
    JOB_STATUS_READY,
    JOB_STATUS_STANDBY,
    JOB_STATUS_WAITING,
    JOB_STATUS_PENDING,
    JOB_STATUS_ABORTING,
    JOB_STATUS_CONCLUDED,
    JOB_STATUS_NULL,
    JOB_STATUS__MAX,
} JobStatus;

typedef enum JobVerb {
    JOB_VERB_CANCEL,
    JOB_VERB_PAUSE,
    JOB_VERB_RESUME,
    JOB_VERB_SET_SPEED,
    JOB_VERB_COMPLETE,
    JOB_VERB_DISMISS,
    JOB_VERB_FINALIZE,
    JOB_VERB_CHANGE,
    JOB_VERB__MAX,
} JobVerb;

typedef enum IoOperationType {
    IO_OPERATION_TYPE_READ,
    IO_OPERATION_TYPE_WRITE,
} IoOperationType;

/* Flags of a job's creation. */
enum {
    JOB_DEFAULT = 0,
    JOB_INTERNAL = 1,
    JOB_MANUAL_FINALIZE = 2,
    JOB_MANUAL_DISMISS = 4,
};

/* ---- Jobs ---- */

typedef struct JobDriver JobDriver;

struct Job {
    char *id;
    const JobDriver *driver;
    Coroutine *co;
    bool auto_finalize;
    bool auto_dismiss;
    BlockCompletionFunc *cb;
    void *opaque;
    ProgressMeter progress;
    AioContext *aio_context;
    int refcnt;
    JobStatus status;
    QEMUTimer sleep_timer;
    int pause_count;
    bool busy;
    bool paused;
    bool user_paused;
    bool cancelled;
    bool force_cancel;
    bool deferred_to_main_loop;
    int ret;
    Error *err;
    NotifierList on_finalize_cancelled;
    NotifierList on_finalize_completed;
    NotifierList on_pending;
    NotifierList on_ready;
    NotifierList on_idle;
    QLIST_ENTRY(Job) job_list;
    QLIST_ENTRY(Job) txn_list;
    JobTxn *txn;
};

struct JobDriver {
    size_t instance_size;
    JobType job_type;
    int (*run)(Job *job, Error **errp);
    void (*pause)(Job *job);
    void (*resume)(Job *job);
    void (*user_resume)(Job *job);
    void (*complete)(Job *job, Error **errp);
    int (*prepare)(Job *job);
    void (*commit)(Job *job);
    void (*abort)(Job *job);
    void (*clean)(Job *job);
    bool (*cancel)(Job *job, bool force);
    void (*free)(Job *job);
};

typedef struct BlockJobInfoMirror {
    bool actively_synced;
} BlockJobInfoMirror;

typedef struct BlockJobInfo {
    JobType type;
    char *device;
    int64_t len;
    int64_t offset;
    bool busy;
    bool paused;
    int64_t speed;
    BlockDeviceIoStatus io_status;
    bool ready;
    JobStatus status;
    bool auto_finalize;
    bool auto_dismiss;
    bool has_error; /* up to 7.2 */
    char *error;
    union {
        BlockJobInfoMirror mirror;
    } u;
} BlockJobInfo;

typedef struct BlockJobChangeOptionsMirror {
    MirrorCopyMode copy_mode;
} BlockJobChangeOptionsMirror;

typedef struct BlockJobChangeOptions {
    char *id;
    JobType type;
    union {
        BlockJobChangeOptionsMirror mirror;
    } u;
} BlockJobChangeOptions;

typedef struct BlockJobDriver {
    JobDriver job_driver;
    bool (*drained_poll)(BlockJob *job);
    void (*attached_aio_context)(BlockJob *job, AioContext *new_context);
    void (*set_speed)(BlockJob *job, int64_t speed);
    void (*change)(BlockJob *job, BlockJobChangeOptions *opts, Error **errp);
    void (*query)(BlockJob *job, BlockJobInfo *info);
} BlockJobDriver;

struct BlockJob {
    Job job;
    BlockDeviceIoStatus iostatus;
    int64_t speed;
    RateLimit limit;
    Error *blocker;
    Notifier finalize_cancelled_notifier;
    Notifier finalize_completed_notifier;
    Notifier pending_notifier;
    Notifier ready_notifier;
    Notifier idle_notifier;
    GSList *nodes;     /* of BdrvChild */
    BlockBackend *blk; /* 6.2: of the job's main node */
};

#endif
