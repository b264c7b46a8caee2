/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job framework: a job's life cycle, its sleep, its errors, and the monitor's
 * commands.
 */
#include "engine/qemu/2.2/env.h"

/* ---- Life ---- */

/*
 * Attaches the job to its node; comes before anything that can fail.
 */
static void attach(BlockJob *job, BlockDriverState *bs)
{
    bdrv_ref(bs);
    bdrv_op_block_all(bs, NULL);
    bs->own->job = job;
    qemu_env()->job = job;
}

static void detach(BlockJob *job)
{
    BlockDriverState *bs = job->bs;

    qemu_env()->job = NULL;
    bs->own->job = NULL;
    bdrv_op_unblock_all(bs, NULL);
    bdrv_unref(bs);
    g_free(job);
}

void qemu_job_started(void)
{
    struct engine_job *env = qemu_env();
    struct event event = {.kind = EVENT_JOB_STARTED,
                          .by = BY_JOB,
                          .node = block_node_id(env->spec.source),
                          .index = block_node_id(env->spec.target)};

    if (env->job != NULL && !env->started) {
        env->started = true;
        host_emit(env->common.host, &event);
    }
}

void *block_job_create(const BlockJobDriver *driver, BlockDriverState *bs, int64_t speed,
                       BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    Error *error = NULL;
    BlockJob *job;

    if (bs->own->job != NULL) {
        error_set(errp, ERROR_CLASS_IN_USE, "the node '%s' has a job already", bs->filename);
        return NULL;
    }
    job = g_malloc(driver->instance_size);
    job->driver = driver;
    job->bs = bs;
    job->busy = true;
    job->cb = cb;
    job->opaque = opaque;
    attach(job, bs);
    if (speed != 0) {
        qemu_job_set_speed(job, speed, &error);
    }
    if (error != NULL) {
        detach(job);
        error_propagate(errp, error);
        return NULL;
    }
    return job;
}

void block_job_completed(BlockJob *job, int ret)
{
    const struct engine_job *env = qemu_env();

    if (env->deferred_fn == NULL || env->deferred != NULL) {
        qemu_unsupported("block_job_completed() outside a deferred function");
    }
    job->cb(job->opaque, ret);
    detach(job);
}

static void run_deferred(void *opaque)
{
    struct engine_job *env = opaque;
    struct job_spec spec = env->spec;

    qemu_enter(env);
    env->deferred = NULL;
    env->deferred_fn(env->job, env->deferred_opaque);
    if (env->job != NULL) {
        qemu_unsupported("a deferred function that does not complete the job");
    }
    if (env->in_flight > 0) {
        qemu_die("the job is gone with %u of its requests in flight", env->in_flight);
    }
    block_idle_end(spec.source);
    qemu_coroutines_free(env);
    qemu_nodes_free(env);
    qemu_leave();
    host_free(env->common.host, env, sizeof(*env));
    spec.concluded(spec.opaque, 0);
}

void block_job_defer_to_main_loop(BlockJob *job, void (*fn)(BlockJob *job, void *opaque),
                                  void *opaque)
{
    struct engine_job *env = qemu_env();

    assert(job == env->job && env->deferred == NULL);
    env->deferred_fn = fn;
    env->deferred_opaque = opaque;
    env->deferred = host_timer_start(env->common.host, 0, run_deferred, env);
}

/* ---- Sleep ---- */

static void wake(void *opaque)
{
    struct engine_job *env = opaque;

    qemu_enter(env);
    env->timer = NULL;
    qemu_coroutine_enter(env->job->co, NULL);
    qemu_leave();
}

/* Parks the job until somebody enters its coroutine. */
static void park(BlockJob *job)
{
    struct engine_job *env = qemu_env();

    env->parked = true;
    qemu_emit(EVENT_JOB_PAUSED);
    qemu_coroutine_yield();
    env->parked = false;
    qemu_emit(EVENT_JOB_RESUMED);
    (void)job;
}

void block_job_sleep_ns(BlockJob *job, QEMUClockType type, int64_t ns)
{
    struct engine_job *env = qemu_env();

    (void)type;
    if (job->cancelled) {
        return;
    }
    job->busy = false;
    if (job->paused) {
        park(job);
    } else {
        env->timer = host_timer_start(env->common.host, ns > 0 ? (uint64_t)ns : 0, wake, env);
        qemu_coroutine_yield();
        if (env->timer != NULL) {
            host_timer_stop(env->common.host, env->timer);
            env->timer = NULL;
        }
    }
    job->busy = true;
}

void block_job_yield(BlockJob *job)
{
    if (job->cancelled) {
        return;
    }
    job->busy = false;
    qemu_coroutine_yield();
    job->busy = true;
}

/* ---- State ---- */

bool block_job_is_cancelled(BlockJob *job)
{
    return job->cancelled;
}

void block_job_event_ready(BlockJob *job)
{
    job->ready = true;
    qemu_emit(EVENT_JOB_READY);
}

void block_job_resume(BlockJob *job)
{
    job->paused = false;
    job->iostatus = BLOCK_DEVICE_IO_STATUS_OK;
    if (job->driver->iostatus_reset != NULL) {
        job->driver->iostatus_reset(job);
    }
    if (job->co != NULL && !job->busy) {
        qemu_coroutine_enter(job->co, NULL);
    }
}

/* ---- Errors ---- */

static BlockErrorAction action_of(BlockdevOnError on_err, int error)
{
    switch (on_err) {
    case BLOCKDEV_ON_ERROR_IGNORE:
        return BLOCK_ERROR_ACTION_IGNORE;
    case BLOCKDEV_ON_ERROR_STOP:
        return BLOCK_ERROR_ACTION_STOP;
    case BLOCKDEV_ON_ERROR_ENOSPC:
        return error == ENOSPC ? BLOCK_ERROR_ACTION_STOP : BLOCK_ERROR_ACTION_REPORT;
    case BLOCKDEV_ON_ERROR_REPORT:
        break;
    }
    return BLOCK_ERROR_ACTION_REPORT;
}

static void emit_error(const BlockDriverState *bs, BlockErrorAction action, int is_read, int error)
{
    static const enum error_action actions[] = {[BLOCK_ERROR_ACTION_IGNORE] = ACTION_IGNORE,
                                                [BLOCK_ERROR_ACTION_REPORT] = ACTION_REPORT,
                                                [BLOCK_ERROR_ACTION_STOP] = ACTION_STOP};
    struct engine_job *env = qemu_env();
    struct event event = {.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = is_read ? OP_READ : OP_WRITE,
                          .node = block_node_id(bs->own->stands_for),
                          .detail = (uint8_t)actions[action],
                          .ret = -error,
                          .offset = env->last_offset,
                          .bytes = env->last_bytes};

    host_emit(env->common.host, &event);
}

static void stop_on_error(BlockJob *job, BlockDriverState *bs, int error)
{
    bool is_full = error == ENOSPC;

    job->paused = true;
    if (job->iostatus == BLOCK_DEVICE_IO_STATUS_OK) {
        job->iostatus = is_full ? BLOCK_DEVICE_IO_STATUS_NOSPACE : BLOCK_DEVICE_IO_STATUS_FAILED;
    }
    if (bs != job->bs) {
        assert(bdrv_iostatus_is_enabled(bs));
        qemu_iostatus_set(bs, is_full ? IO_STATUS_NOSPACE : IO_STATUS_FAILED);
    }
}

BlockErrorAction block_job_error_action(BlockJob *job, BlockDriverState *bs, BlockdevOnError on_err,
                                        int is_read, int error)
{
    BlockErrorAction action = action_of(on_err, error);

    assert(error > 0);
    emit_error(bs, action, is_read, error);
    if (action == BLOCK_ERROR_ACTION_STOP) {
        stop_on_error(job, bs, error);
    }
    return action;
}

/* ---- The monitor ---- */

void qemu_job_cancel(BlockJob *job)
{
    job->cancelled = true;
    block_job_resume(job);
}

void qemu_job_complete(BlockJob *job, Error **errp)
{
    if (job->paused || job->cancelled || job->driver->complete == NULL) {
        error_set(errp, QERR_BLOCK_JOB_NOT_READY, bdrv_get_device_name(job->bs));
        return;
    }
    job->driver->complete(job, errp);
}

void qemu_job_set_speed(BlockJob *job, int64_t speed, Error **errp)
{
    Error *error = NULL;

    if (job->driver->set_speed == NULL) {
        error_setg(errp, "the job has no speed");
        return;
    }
    job->driver->set_speed(job, speed, &error);
    if (error != NULL) {
        error_propagate(errp, error);
    } else {
        job->speed = speed;
    }
}
