/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job's life calls the foreign file's callbacks (modern-interface 5).
 */
#include <stdlib.h>

#include "engine/qemu/modern/env.h"

/* ---- While it runs ---- */

static void wake(struct life *life)
{
    struct engine_job *env = qemu_env_of(life);

    if (env->job_coroutine == NULL) {
        qemu_die("the job is woken, and has ended");
    }
    qemu_co_wake_from_world(env, env->job_coroutine);
}

static bool has_finished(const struct life *life)
{
    return life->status >= JOB_STATUS_CONCLUDED;
}

static bool is_busy(const struct life *life)
{
    struct engine_job *env = qemu_env_of(life);
    struct qemu_env *before;
    bool busy;

    if (env->job == NULL || env->driver->drained_poll == NULL || has_finished(life)) {
        return false;
    }
    before = qemu_begin_call(env);
    busy = env->driver->drained_poll(env->job);
    qemu_end_call(env, before);
    return busy;
}

/* ---- Commands; in a main coroutine ---- */

static int complete(struct life *life, struct job_error *error)
{
    struct engine_job *env = qemu_env_of(life);
    Error *from = NULL;

    if (env->driver->job_driver.complete == NULL) {
        return life_refuse(error, REFUSED_NOT_READY, -EBUSY, "the job can't be completed");
    }
    env->refusal = REFUSED_NOT;
    env->common.last_error = 0;
    env->driver->job_driver.complete(&env->job->job, &from);
    return from == NULL ? 0 : qemu_refuse_with(env, from, REFUSED_NOT_READY, error);
}

static bool cancel(struct life *life, bool force)
{
    const struct engine_job *env = qemu_env_of(life);

    return env->driver->job_driver.cancel == NULL ||
           env->driver->job_driver.cancel(&env->job->job, force);
}

static int change(struct life *life, int64_t mode, struct job_error *error)
{
    struct engine_job *env = qemu_env_of(life);
    BlockJobChangeOptions options = {.u.mirror.copy_mode = mode == COPY_WRITE_BLOCKING
                                                               ? MIRROR_COPY_MODE_WRITE_BLOCKING
                                                               : MIRROR_COPY_MODE_BACKGROUND};
    Error *from = NULL;

    if (env->driver->change == NULL) {
        return life_refuse(error, REFUSED_TYPE, -ENOTSUP, "a job of this kind can't be changed");
    }
    env->refusal = REFUSED_NOT;
    env->driver->change(env->job, &options, &from);
    return from == NULL ? 0 : qemu_refuse_with(env, from, REFUSED_MODE, error);
}

/* ---- The end ---- */

static void run_exit(struct life *life, void (*step)(void *opaque))
{
    struct engine_job *env = qemu_env_of(life);
    struct qemu_env *before = qemu_begin_call(env);

    qemu_main(env, step, life);
    qemu_end_call(env, before);
}

static int prepare(struct life *life)
{
    struct engine_job *env = qemu_env_of(life);
    int ret = 0;

    qemu_job_refresh(env);
    if (env->driver->job_driver.prepare != NULL) {
        ret = env->driver->job_driver.prepare(&env->job->job);
    }
    return ret < 0 ? ret : 0;
}

static void abort_job(struct life *life)
{
    struct engine_job *env = qemu_env_of(life);

    qemu_job_refresh(env);
    if (env->driver->job_driver.abort != NULL) {
        env->driver->job_driver.abort(&env->job->job);
    }
}

static void free_job(struct life *life)
{
    struct engine_job *env = qemu_env_of(life);
    struct qemu_env *before = qemu_begin_call(env);

    qemu_job_free(env);
    qemu_end_call(env, before);
}

void qemu_job_concluded(void *opaque, int ret)
{
    struct engine_job *env = opaque;
    struct qemu_env *before = qemu_begin_call(env);

    qemu_free_nodes(env);
    env->spec.concluded(env->spec.opaque, ret);
    env->gone = true;
    qemu_end_call(env, before);
}

const struct life_driver qemu_life_driver = {
    .wake = wake,
    .is_busy = is_busy,
    .complete = complete,
    .cancel = cancel,
    .change = change,
    .exit = run_exit,
    .prepare = prepare,
    .abort = abort_job,
    .free = free_job,
};
