/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A foreign mirror.c as an engine: start, commands, query.
 *
 * The checks that the monitor makes before it starts a job are here, permissions among them;
 * everything else is the foreign code, with its defects.
 */
#include "engine/qemu/modern/engine.h"

#include <stdio.h>

#include "engine/qemu/modern/env.h"
#include "engine/range.h"
#include "trace.h"

/* ---- Refusals ---- */

static int errno_of(const struct engine_job *env, enum job_refusal refusal)
{
    switch ((int)refusal) {
    case REFUSED_ITSELF:
    case REFUSED_INVALID_PARAMETER:
    case REFUSED_ID:
        return -EINVAL;
    case REFUSED_NOT_FOUND:
        return -ENOENT;
    case REFUSED_MODE:
    case REFUSED_TYPE:
        return -ENOTSUP;
    case REFUSED_VERB:
    case REFUSED_NOT_PAUSED:
        return -EPERM;
    case REFUSED_FAILED:
        return env->common.last_error < 0 ? env->common.last_error : -EIO;
    default:
        return -EBUSY;
    }
}

int qemu_refuse_with(struct engine_job *env, Error *from, enum job_refusal otherwise,
                     struct job_error *error)
{
    enum job_refusal refusal = env->refusal != REFUSED_NOT ? env->refusal : otherwise;
    int ret = errno_of(env, refusal);

    life_refuse(error, refusal, ret, "%s", qemu_error_text(from));
    error_free(from);
    return ret;
}

#define MAX_GRANULARITY (INT64_C(64) << 20)

static bool is_granularity(int64_t value)
{
    return value == 0 || (value >= (int64_t)SECTOR_BYTES && value <= MAX_GRANULARITY &&
                          is_power_of_two((uint64_t)value));
}

static int check_as_monitor(const struct job_spec *spec, struct job_error *error)
{
    const struct block_node *blocked = block_is_blocked(spec->source) ? spec->source : spec->target;

    if (spec->kind == JOB_MIRROR && !is_granularity(spec->granularity)) {
        return life_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                           "the granularity must be a power of two from 512 to 64 MiB");
    }
    if (spec->source != spec->target && block_is_guests(spec->target)) {
        return life_refuse(error, REFUSED_BUSY, -EPERM, "\"%s\" is in use by the guest",
                           block_node_name(spec->target));
    }
    if (block_is_blocked(blocked)) {
        return life_refuse(error, REFUSED_BUSY, -EBUSY, "\"%s\" is in use",
                           block_node_name(blocked));
    }
    return 0;
}

/* ---- Start ---- */

static BlockdevOnError on_error(enum error_policy policy)
{
    static const BlockdevOnError policies[] = {[POLICY_REPORT] = BLOCKDEV_ON_ERROR_REPORT,
                                               [POLICY_IGNORE] = BLOCKDEV_ON_ERROR_IGNORE,
                                               [POLICY_STOP] = BLOCKDEV_ON_ERROR_STOP,
                                               [POLICY_ENOSPC] = BLOCKDEV_ON_ERROR_ENOSPC};

    return policies[policy];
}

/* Flags of a job's creation; the life has them from the spec. */
#define MANUAL_FINALIZE 2
#define MANUAL_DISMISS 4

static int creation_flags(const struct job_spec *spec)
{
    return (spec->auto_finalize ? 0 : MANUAL_FINALIZE) | (spec->auto_dismiss ? 0 : MANUAL_DISMISS);
}

/* Up to 10.0 the caller says what must be done about the target, and not what it is. */
static bool eleventh_argument(const struct engine_job *env)
{
    const struct job_spec *spec = &env->spec;

    if (env->file->eleventh_is_zero_target) {
        return spec->sync == SYNC_FULL && !spec->target_is_zero;
    }
    return spec->target_is_zero;
}

static void call_mirror(const struct engine_job *env, Error **errp)
{
    static const MirrorSyncMode modes[] = {[SYNC_FULL] = MIRROR_SYNC_MODE_FULL,
                                           [SYNC_TOP] = MIRROR_SYNC_MODE_TOP,
                                           [SYNC_NONE] = MIRROR_SYNC_MODE_NONE};
    static const BlockMirrorBackingMode backings[] = {[BACKING_SOURCE] =
                                                          MIRROR_SOURCE_BACKING_CHAIN,
                                                      [BACKING_OPEN] = MIRROR_OPEN_BACKING_CHAIN,
                                                      [BACKING_LEAVE] = MIRROR_LEAVE_BACKING_CHAIN};
    const struct job_spec *spec = &env->spec;

    env->file->mirror(spec->id, qemu_state_of(spec->source), qemu_state_of(spec->target),
                      spec->replaces, creation_flags(spec), spec->speed,
                      (uint32_t)spec->granularity, spec->buffer_bytes, modes[spec->sync],
                      backings[spec->backing_mode], eleventh_argument(env),
                      on_error(spec->on_source_error), on_error(spec->on_target_error), spec->unmap,
                      spec->filter_name,
                      spec->copy_mode == COPY_WRITE_BLOCKING ? MIRROR_COPY_MODE_WRITE_BLOCKING
                                                             : MIRROR_COPY_MODE_BACKGROUND,
                      errp);
}

static void call_commit(const struct engine_job *env, Error **errp)
{
    const struct job_spec *spec = &env->spec;

    env->file->commit(spec->id, qemu_state_of(spec->source), qemu_state_of(spec->target),
                      creation_flags(spec), spec->speed, on_error(spec->on_source_error),
                      spec->filter_name, NULL, NULL, spec->auto_complete, errp);
}

void qemu_start_is_over(struct engine_job *env, int ret)
{
    env->start_ret = ret;
    if (env->start_waits) {
        env->spec.started(env->spec.opaque, ret, &env->start_error);
    }
}

/* What the files themselves refuse. */
static enum job_refusal own_refusal(const struct job_spec *spec)
{
    if (spec->source == spec->target) {
        return REFUSED_ITSELF;
    }
    if (spec->id == NULL) {
        return REFUSED_ID;
    }
    return spec->speed < 0 || (spec->kind == JOB_MIRROR && spec->buffer_bytes < 0)
               ? REFUSED_INVALID_PARAMETER
               : REFUSED_FAILED;
}

static void refuse_start(struct engine_job *env, Error *from)
{
    int ret;

    if (env->job != NULL || !SLIST_EMPTY(&env->uses)) {
        qemu_die("a start that has failed leaves its job behind");
    }
    if (from == NULL) {
        error_setg(&from, "the engine gave neither a job nor an error");
    }
    ret = qemu_refuse_with(env, from, own_refusal(&env->spec), &env->start_error);
    qemu_free_nodes(env);
    qemu_start_is_over(env, ret);
    env->gone = true;
}

static void start(void *opaque)
{
    struct engine_job *env = opaque;
    Error *from = NULL;

    if (env->spec.kind == JOB_COMMIT) {
        call_commit(env, &from);
    } else {
        call_mirror(env, &from);
    }
    env->started = true;
    if (from != NULL || !env->file->framework->has_started(env)) {
        refuse_start(env, from);
    }
}

int qemu_modern_start(const struct qemu_file *file, struct host *host, const struct job_spec *spec,
                      struct engine_job **job, struct job_error *error)
{
    int ret = check_as_monitor(spec, error);
    struct engine_job *env;
    struct qemu_env *before;

    if (ret < 0) {
        return ret;
    }
    env = qemu_own_alloc(sizeof(*env));
    env->common.host = host;
    env->file = file;
    env->spec = *spec;
    env->user.status = JOB_STATUS_UNDEFINED;
    before = qemu_begin_call(env);
    qemu_main(env, start, env);
    ret = env->started ? env->start_ret : -EINPROGRESS;
    env->start_waits = !env->started;
    *error = env->start_error;
    if (ret == 0) {
        *job = env;
    }
    qemu_end_call(env, before);
    return ret;
}

/* ---- Commands ---- */

/* A command, on the stack of its caller, who may have gone when it is over. */
struct command {
    struct engine_job *env;
    enum job_verb verb;
    int64_t arg;
    struct job_error *error;
    int ret;
};

static void run_command(void *opaque)
{
    struct command *asked = opaque;
    struct engine_job *env = asked->env;
    uint64_t number = env->commands;
    struct job_error error = {.refusal = REFUSED_NOT};
    int ret = env->file->framework->command(env, asked->verb, asked->arg, &error);

    if (env->asked == number) {
        asked->ret = ret;
        *asked->error = ret < 0 ? error : *asked->error;
    }
}

/* One that has to wait is accepted. */
int qemu_modern_command(struct engine_job *env, enum job_verb verb, int64_t arg,
                        struct job_error *error)
{
    struct command command = {.env = env, .verb = verb, .arg = arg, .error = error};
    struct qemu_env *before = qemu_begin_call(env);

    env->asked = ++env->commands;
    qemu_main(env, run_command, &command);
    env->asked = 0;
    qemu_end_call(env, before);
    return command.ret;
}

/* ---- Looking at it ---- */

void qemu_modern_query(const struct engine_job *env, struct job_info *info)
{
    struct engine_job *asked = (struct engine_job *)(uintptr_t)env;
    struct qemu_env *before = qemu_begin_call(asked);

    env->file->framework->query(env, info);
    info->dirty_bytes = qemu_dirty_bytes(env);
    qemu_end_call(asked, before);
}

/* The foreign state is opaque, so this covers only what a query shows. */
void qemu_modern_digest(const struct engine_job *env, struct digest *digest)
{
    env->file->framework->digest(env, digest);
}

void qemu_modern_check(const struct engine_job *env)
{
    assert(env->depth == 0 && env->running == NULL);
    env->file->framework->check(env);
}

const char *qemu_modern_phase_name(unsigned phase)
{
    (void)phase;
    return "unknown"; /* the engine emits no phases */
}

const char *qemu_modern_trace_point_name(unsigned point)
{
    static const char *const names[] = {
#define X(name) #name,
        QEMU_TRACE_POINTS(X)
#undef X
    };

    return point < QEMU_TRACE_POINT_COUNT ? names[point] : "unknown";
}

void qemu_modern_describe_waits(const struct engine_job *env, char *text, size_t bytes)
{
    qemu_co_describe(env, text, bytes);
}

void qemu_modern_abandon(struct engine_job *env)
{
    qemu_co_abandon(env);
    qemu_memory_abandon(env);
    qemu_own_free(env);
}
