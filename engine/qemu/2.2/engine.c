/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A foreign mirror.c as an engine: start, commands, query.
 *
 * The checks that the monitor makes before it starts a job are here; everything else is the
 * foreign code, with its defects.
 */
#include <stdio.h>

#include "engine/qemu/2.2/engine.h"
#include "engine/qemu/2.2/env.h"
#include "engine/range.h"
#include "trace.h"

/* ---- Refusals ---- */

static int refuse(struct job_error *error, enum job_refusal refusal, int ret, const char *text)
{
    error->refusal = refusal;
    snprintf(error->text, sizeof(error->text), "%s", text);
    return ret;
}

/* Turns a foreign error into a refusal; frees the error. */
static int refuse_with(struct engine_job *env, Error *from, struct job_error *error)
{
    static const struct {
        enum job_refusal refusal;
        int ret;
    } classes[] = {
        [ERROR_CLASS_GENERIC_ERROR] = {REFUSED_FAILED, -EIO},
        [ERROR_CLASS_INVALID_PARAMETER] = {REFUSED_INVALID_PARAMETER, -EINVAL},
        [ERROR_CLASS_NOT_READY] = {REFUSED_NOT_READY, -EBUSY},
        [ERROR_CLASS_IN_USE] = {REFUSED_BLOCKED, -EBUSY},
        [ERROR_CLASS_NOT_FOUND] = {REFUSED_NOT_FOUND, -ENOENT},
    };
    ErrorClass cls = (ErrorClass)qemu_error_class(from);
    int ret = cls == ERROR_CLASS_GENERIC_ERROR && env->common.last_error < 0
                  ? env->common.last_error
                  : classes[cls].ret;

    refuse(error, classes[cls].refusal, ret, qemu_error_text(from));
    error_free(from);
    return ret;
}

static int check_as_monitor(const struct job_spec *spec, struct job_error *error)
{
    if (spec->granularity != 0 && (spec->granularity < (int64_t)SECTOR_BYTES ||
                                   !is_power_of_two((uint64_t)spec->granularity))) {
        return refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                      "parameter 'granularity' must be a power of two of at least 512");
    }
    if (spec->buffer_bytes < 0) {
        return refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                      "parameter 'buffer' must not be negative");
    }
    if (spec->source == spec->target) {
        return refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL, "can't mirror a node to itself");
    }
    if (spec->kind == JOB_COMMIT && !block_is_below(spec->target, spec->source)) {
        return refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                      "the base is not in the backing chain of the top");
    }
    if (block_is_blocked(spec->source)) {
        return refuse(error, REFUSED_BUSY, -EBUSY, "the source is in use");
    }
    return 0;
}

/* ---- Start ---- */

static void completed(void *opaque, int ret)
{
    struct engine_job *env = opaque;
    const BlockJob *job = env->job;
    struct event event = {.kind = job->cancelled ? EVENT_JOB_CANCELLED : EVENT_JOB_COMPLETED,
                          .by = BY_JOB,
                          .node = block_node_id(env->spec.source),
                          .ret = ret,
                          .offset = (uint64_t)job->offset,
                          .bytes = (uint64_t)job->len};

    host_emit(env->common.host, &event);
}

static BlockdevOnError on_error(enum error_policy policy)
{
    static const BlockdevOnError policies[] = {[POLICY_REPORT] = BLOCKDEV_ON_ERROR_REPORT,
                                               [POLICY_IGNORE] = BLOCKDEV_ON_ERROR_IGNORE,
                                               [POLICY_STOP] = BLOCKDEV_ON_ERROR_STOP,
                                               [POLICY_ENOSPC] = BLOCKDEV_ON_ERROR_ENOSPC};

    return policies[policy];
}

/* The job gets a reference on the target, which it releases itself. */
static void call_mirror(struct engine_job *env, Error **errp)
{
    static const MirrorSyncMode modes[] = {[SYNC_FULL] = MIRROR_SYNC_MODE_FULL,
                                           [SYNC_TOP] = MIRROR_SYNC_MODE_TOP,
                                           [SYNC_NONE] = MIRROR_SYNC_MODE_NONE};
    const struct job_spec *spec = &env->spec;
    BlockDriverState *target = qemu_bs_of(spec->target);

    bdrv_ref(target);
    env->file->mirror(qemu_bs_of(spec->source), target, spec->replaces, spec->speed,
                      spec->granularity, spec->buffer_bytes, modes[spec->sync],
                      on_error(spec->on_source_error), on_error(spec->on_target_error), completed,
                      env, errp);
    if (*errp != NULL) {
        bdrv_unref(target);
    }
}

static void call_commit(struct engine_job *env, Error **errp)
{
    const struct job_spec *spec = &env->spec;

    env->file->commit(qemu_bs_of(spec->source), qemu_bs_of(spec->target), spec->speed,
                      on_error(spec->on_source_error), completed, env, errp);
}

/* A job that stays attached although its start failed is left there (D2). */
static int start_failed(struct engine_job *env, Error *from, struct job_error *error)
{
    int ret = from != NULL ? refuse_with(env, from, error)
                           : refuse(error, REFUSED_FAILED, -EINVAL,
                                    "the engine gave neither a job nor an error");

    if (env->job == NULL) {
        qemu_coroutines_free(env);
        qemu_nodes_free(env);
    }
    return ret;
}

int qemu_2_2_start(const struct qemu_file *file, struct host *host, const struct job_spec *spec,
                   struct engine_job **job, struct job_error *error)
{
    int ret = check_as_monitor(spec, error);
    struct engine_job *env;
    Error *from = NULL;
    bool is_left;

    if (ret < 0) {
        return ret;
    }
    env = host_alloc(host, sizeof(*env));
    env->common.host = host;
    env->file = file;
    env->spec = *spec;
    qemu_enter(env);
    if (spec->kind == JOB_COMMIT) {
        call_commit(env, &from);
    } else {
        call_mirror(env, &from);
    }
    if (from != NULL || env->job == NULL) {
        ret = start_failed(env, from, error);
    } else {
        qemu_job_started();
    }
    is_left = env->job != NULL;
    qemu_leave();
    if (is_left) {
        *job = env;
    } else {
        host_free(host, env, sizeof(*env));
    }
    return ret;
}

/* ---- Commands ---- */

int qemu_2_2_command(struct engine_job *env, enum job_verb verb, int64_t arg,
                     struct job_error *error)
{
    Error *from = NULL;
    int ret = 0;

    qemu_enter(env);
    env->common.last_error = 0;
    switch (verb) {
    case VERB_COMPLETE:
        qemu_job_complete(env->job, &from);
        break;
    case VERB_CANCEL:
        qemu_job_cancel(env->job);
        break;
    case VERB_PAUSE:
        env->job->paused = true;
        break;
    case VERB_RESUME:
        block_job_resume(env->job);
        break;
    case VERB_SET_SPEED:
        qemu_job_set_speed(env->job, arg, &from);
        break;
    case VERB_FINALIZE:
    case VERB_DISMISS:
    case VERB_CHANGE:
    case VERB_COUNT:
        assert(false);
    }
    if (from != NULL) {
        ret = refuse_with(env, from, error);
    }
    qemu_leave();
    return ret;
}

/* ---- Looking at it ---- */

static enum job_status status_of(const struct engine_job *env)
{
    bool ready = env->job->ready;

    if (env->deferred != NULL) {
        return JOB_STATUS_CONCLUDING;
    }
    if (env->parked) {
        return ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED;
    }
    return ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING;
}

void qemu_2_2_query(const struct engine_job *env, struct job_info *info)
{
    static const enum io_status statuses[] = {[BLOCK_DEVICE_IO_STATUS_OK] = IO_STATUS_OK,
                                              [BLOCK_DEVICE_IO_STATUS_FAILED] = IO_STATUS_FAILED,
                                              [BLOCK_DEVICE_IO_STATUS_NOSPACE] = IO_STATUS_NOSPACE};
    const BlockJob *job = env->job;

    *info = (struct job_info){.kind = env->spec.kind,
                              .status = status_of(env),
                              .offset = (uint64_t)job->offset,
                              .len = (uint64_t)job->len,
                              .speed = (uint64_t)job->speed,
                              .io_status = statuses[job->iostatus],
                              .busy = job->busy,
                              .paused = job->paused,
                              .ready = job->ready,
                              .cancelled = job->cancelled};
}

/* The foreign state is opaque, so this covers only what a query shows. */
void qemu_2_2_digest(const struct engine_job *env, struct digest *digest)
{
    const BlockJob *job = env->job;

    digest_u64(digest, status_of(env));
    digest_u64(digest, (uint64_t)job->offset);
    digest_u64(digest, (uint64_t)job->len);
    digest_u64(digest, (uint64_t)job->speed);
    digest_u64(digest, (uint64_t)job->busy | (uint64_t)job->paused << 1 |
                           (uint64_t)job->cancelled << 2 | (uint64_t)job->iostatus << 3);
}

void qemu_2_2_check(const struct engine_job *env)
{
    assert(env->job != NULL && env->running == NULL);
}

const char *qemu_2_2_phase_name(unsigned phase)
{
    (void)phase;
    return "unknown"; /* the engine emits no phases */
}

const char *qemu_2_2_trace_point_name(unsigned point)
{
    static const char *const names[] = {
#define X(name) #name,
        QEMU_TRACE_POINTS(X)
#undef X
    };

    return point < QEMU_TRACE_POINT_COUNT ? names[point] : "unknown";
}

void qemu_2_2_abandon(struct engine_job *env)
{
    qemu_coroutines_abandon(env);
    qemu_buffer_abandon(env);
}
