/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job framework of the 2.2 generation: the job, and the functions it may
 * call.
 *
 * A job's coroutine calls sleep, yield and defer; its callbacks call the rest.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_BLOCKJOB_H
#define MIRRORSIM_ENGINE_QEMU_2_2_BLOCKJOB_H

#include "block/block_int.h"

typedef enum BlockJobType {
    BLOCK_JOB_TYPE_COMMIT,
    BLOCK_JOB_TYPE_MIRROR,
} BlockJobType;

typedef struct BlockJobDriver {
    size_t instance_size; /* size of the struct that begins with a BlockJob */
    BlockJobType job_type;
    void (*set_speed)(BlockJob *job, int64_t speed, Error **errp);
    void (*iostatus_reset)(BlockJob *job); /* may be NULL */
    void (*complete)(BlockJob *job, Error **errp);
} BlockJobDriver;

struct BlockJob {
    const BlockJobDriver *driver;
    BlockDriverState *bs;
    Coroutine *co; /* the job sets it */
    bool cancelled;
    bool paused;
    bool busy; /* neither asleep nor in block_job_yield() */
    bool ready;
    BlockDeviceIoStatus iostatus;
    int64_t offset; /* bytes copied */
    int64_t len;
    int64_t speed; /* 0 = unlimited */
    BlockCompletionFunc *cb;
    void *opaque;
};

/*
 * Makes a job of instance_size bytes, zeroed except for the framework's fields, and
 * attaches it to `bs`, which gets a reference and a blocker.  NULL with an error: the node
 * has a job already, or the speed was refused.
 */
void *block_job_create(const BlockJobDriver *driver, BlockDriverState *bs, int64_t speed,
                       BlockCompletionFunc *cb, void *opaque, Error **errp);

/* Calls cb(opaque, ret), detaches the job and frees it. */
void block_job_completed(BlockJob *job, int ret);

/*
 * To be called in the coroutine.  Returns at once if the job is cancelled and parks if it is
 * paused; otherwise sleeps on a timer, even for 0 ns, unless somebody enters the coroutine
 * earlier.
 */
void block_job_sleep_ns(BlockJob *job, QEMUClockType type, int64_t ns);
void block_job_yield(BlockJob *job);

bool block_job_is_cancelled(BlockJob *job);

/*
 * Clears the pause and the I/O statuses; if the job is not busy, enters the
 * coroutine before it returns.
 */
void block_job_resume(BlockJob *job);

void block_job_event_ready(BlockJob *job);

/*
 * Returns the action that the policy prescribes for the positive errno, emits
 * an error event, and pauses the job for `stop`.
 */
BlockErrorAction block_job_error_action(BlockJob *job, BlockDriverState *bs, BlockdevOnError on_err,
                                        int is_read, int error);

/*
 * Calls fn(job, opaque) from the main loop, at this instant; must be the
 * coroutine's last action.
 */
void block_job_defer_to_main_loop(BlockJob *job, void (*fn)(BlockJob *job, void *opaque),
                                  void *opaque);

#endif
