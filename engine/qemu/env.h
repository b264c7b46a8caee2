/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a foreign mirror.c: one job of it, in one world.
 *
 * The functions that such a file calls say nothing of the world that they are called in:
 * g_malloc() has no host.  So there is one current environment, and this is the only place
 * in engine/ and sim/ that has such a thing: every way from the world into the foreign code goes
 * through qemu_enter() and qemu_leave(), and while the world runs there is none.
 *
 * A file of this folder implements a part of the interface: its functions are declared, and
 * described, in the headers that the foreign file includes.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_ENV_H
#define MIRRORSIM_ENGINE_QEMU_ENV_H

#include "block/blockjob.h"
#include "engine/block.h"
#include "engine/engine.h"

struct qemu_copy_buffer;

/* A node, behind a BlockDriverState. */
struct qemu_node {
    struct qemu_node *next;
    BlockDriverState bs;
    struct block_node *stands_for; /* content, length, links, flags; exchanged by a pivot */
    struct block_node *seat;       /* what stays: references, blockers, bitmaps, I/O status */
    BlockJob *job;
    bool has_policies; /* its I/O status is what the next two say, not what the device does */
    bool iostatus_enabled;
    enum io_status iostatus;
    BlockdevOnError on_read_error;
    BlockdevOnError on_write_error;
};

/* A mirror job is this; the foreign file's own struct is `job`. */
struct engine_job {
    struct host *host;
    struct job_spec spec;
    BlockJob *job; /* attached to the source, or NULL */
    struct qemu_node *nodes;
    struct qemu_copy_buffer *buffer; /* or NULL */
    BdrvDirtyBitmap *dirty;          /* the last one made, or NULL */
    Coroutine *running;              /* the coroutine that runs, or NULL */
    Coroutine *coroutines;           /* all, also those that have ended */
    struct host_timer *timer;        /* of the job's sleep, or NULL ... */
    struct host_timer *deferred;     /* ... and of its end */
    void (*deferred_fn)(BlockJob *job, void *opaque);
    void *deferred_opaque;
    bool started;          /* JOB_STARTED has been emitted */
    bool parked;           /* JOB_PAUSED has been emitted, and the job has not gone on */
    uint32_t in_flight;    /* reads and writes */
    uint64_t shown_offset; /* in the last progress event */
    uint64_t shown_len;
    uint64_t last_offset; /* the request whose end is being dealt with, for error events */
    uint64_t last_bytes;
    int last_error; /* negative errno of the last call that failed */
};

/* ---- env.c ---- */

/* From the world into the foreign code, and back; the latter tells of progress. */
void qemu_enter(struct engine_job *env);
void qemu_leave(void);

/* The current environment; there is one. */
struct engine_job *qemu_env(void);

/* An event of the job, named by its source. */
void qemu_emit(enum event_kind kind);

/* The foreign code has done what it must not: says so and aborts. */
_Noreturn void qemu_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ... or asks for what is not here: the run is invalid. */
_Noreturn void qemu_unsupported(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- nodes.c ---- */

/* The BlockDriverState that stands for a node, made on first use; NULL for NULL. */
BlockDriverState *qemu_bs_of(struct block_node *node);

/* Fields that the foreign code reads itself are brought up to date: on every way in. */
void qemu_nodes_refresh(struct engine_job *env);
void qemu_nodes_free(struct engine_job *env);

/* Of the first error, until it is OK again. */
void qemu_iostatus_set(BlockDriverState *bs, enum io_status status);

/* ---- memory.c ---- */

/* The chunk buffers of the copy buffer; `index` has room for qiov->niov. */
struct block_iov qemu_buffers_of(const QEMUIOVector *qiov, uint32_t *index);

/* A read has filled them: the memory gets the tags. */
void qemu_buffers_fill(const QEMUIOVector *qiov);

/* A write takes from them: dies if the memory does not hold what was read; says when that was. */
void qemu_buffers_check(const QEMUIOVector *qiov, const char *when);

/* Gives back the copy buffer's pages, if there are any. */
void qemu_buffer_abandon(struct engine_job *env);

/* ---- coroutine.c ---- */

/* Gives back the stacks of coroutines that have not ended. */
void qemu_coroutines_abandon(struct engine_job *env);

/* Gives back all of them. */
void qemu_coroutines_free(struct engine_job *env);

/* ---- dirty.c ---- */

/* Bytes per bit. */
uint64_t qemu_dirty_granularity(const BdrvDirtyBitmap *bitmap);

/* ---- blockjob.c ---- */

/* Tells, once, that the job that there is has started: its coroutine is about to run. */
void qemu_job_started(void);

/* What the monitor does to a job. */
void qemu_job_cancel(BlockJob *job);
void qemu_job_complete(BlockJob *job, Error **errp);
void qemu_job_set_speed(BlockJob *job, int64_t speed, Error **errp);

/* ---- error.c ---- */

ErrorClass qemu_error_class(const Error *error);
const char *qemu_error_text(const Error *error);

#endif
