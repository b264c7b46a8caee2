/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a foreign mirror.c of 2.2: one of its jobs, in one world.
 *
 * Each .c file of this folder implements a part of the interface; its functions are declared
 * and described in the headers that the foreign file includes.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_ENV_H
#define MIRRORSIM_ENGINE_QEMU_2_2_ENV_H

#include "block/blockjob.h"
#include "engine/block.h"
#include "engine/engine.h"
#include "engine/qemu/2.2/engine.h"
#include "engine/qemu/env.h"
#include "engine/qemu/fibre.h"

struct qemu_copy_buffer;

/* The node behind a BlockDriverState. */
struct qemu_node {
    struct qemu_node *next;
    BlockDriverState bs;
    struct block_node *stands_for; /* has content, length, links, flags; a pivot exchanges it */
    /* Never changes; has references, blockers, bitmaps, I/O status. */
    struct block_node *seat;
    BlockJob *job;
    bool has_policies; /* its I/O status follows the next two fields, not the device */
    bool iostatus_enabled;
    enum io_status iostatus;
    BlockdevOnError on_read_error;
    BlockdevOnError on_write_error;
};

/* A mirror job; `job` is the foreign file's own struct. */
struct engine_job {
    struct qemu_env common; /* first */
    const struct qemu_file *file;
    struct job_spec spec;
    BlockJob *job; /* attached to the source, or NULL */
    struct qemu_node *nodes;
    struct qemu_copy_buffer *buffer; /* or NULL */
    BdrvDirtyBitmap *dirty;          /* the last one created, or NULL */
    Coroutine *running;              /* the running coroutine, or NULL */
    Coroutine *coroutines;           /* all, including those that have ended */
    struct host_timer *timer;        /* ends the job's sleep, or NULL */
    struct host_timer *deferred;     /* runs the job's deferred function, or NULL */
    void (*deferred_fn)(BlockJob *job, void *opaque);
    void *deferred_opaque;
    bool started;          /* JOB_STARTED has been emitted */
    bool parked;           /* JOB_PAUSED has been emitted and JOB_RESUMED has not */
    uint32_t in_flight;    /* number of reads and writes in flight */
    uint64_t shown_offset; /* as in the last progress event */
    uint64_t shown_len;
    /* Range of the request whose completion is being handled, for error events. */
    uint64_t last_offset;
    uint64_t last_bytes;
};

/* ---- env.c ---- */

/* Enter the foreign code from the world, and leave it; leaving emits progress. */
void qemu_enter(struct engine_job *env);
void qemu_leave(void);

/* The current environment; asserts that there is one. */
struct engine_job *qemu_env(void);

/* Emits an event of the job on its source. */
void qemu_emit(enum event_kind kind);

/* ---- nodes.c ---- */

/* The BlockDriverState of a node, made on first use; NULL for NULL. */
BlockDriverState *qemu_bs_of(struct block_node *node);

/* Updates the fields that the foreign code reads directly; called on every entry. */
void qemu_nodes_refresh(struct engine_job *env);
void qemu_nodes_free(struct engine_job *env);

/* Sets the I/O status; it keeps the first error until it is set to OK. */
void qemu_iostatus_set(BlockDriverState *bs, enum io_status status);

/* ---- memory.c ---- */

/* The vector as chunk buffers of the copy buffer; `index` has room for qiov->niov. */
struct block_iov qemu_buffers_of(const QEMUIOVector *qiov, uint32_t *index);

/* After a read has filled the chunk buffers: writes their tags to the real memory. */
void qemu_buffers_fill(const QEMUIOVector *qiov);

/*
 * For a write: dies if the real memory does not hold what was read; `when` is
 * part of the message.
 */
void qemu_buffers_check(const QEMUIOVector *qiov, const char *when);

/* Frees the copy buffer's pages, if there are any. */
void qemu_buffer_abandon(struct engine_job *env);

/* ---- coroutine.c ---- */

/* Frees the stacks of coroutines that have not ended. */
void qemu_coroutines_abandon(struct engine_job *env);

/* Frees all coroutines. */
void qemu_coroutines_free(struct engine_job *env);

/* ---- dirty.c ---- */

/* Bytes per bit. */
uint64_t qemu_dirty_granularity(const BdrvDirtyBitmap *bitmap);

/* ---- blockjob.c ---- */

/* Emits JOB_STARTED once, when the job's coroutine is about to run. */
void qemu_job_started(void);

/* The monitor's commands to a job. */
void qemu_job_cancel(BlockJob *job);
void qemu_job_complete(BlockJob *job, Error **errp);
void qemu_job_set_speed(BlockJob *job, int64_t speed, Error **errp);

#endif
