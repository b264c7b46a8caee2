/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our own framework, engine/life/, as what manages the job.
 */
#include "engine/qemu/modern/env.h"

static bool has_started(const struct engine_job *env)
{
    return env->life.started;
}

static int command(struct engine_job *env, enum job_verb verb, int64_t arg, struct job_error *error)
{
    return life_command(&env->life, verb, arg, error);
}

/* The callback is only asked for an answer: what it looks at is not changed. */
static bool synced(const struct engine_job *env)
{
    BlockJobInfo info = {.u.mirror.actively_synced = false};

    if (env->job == NULL) {
        return env->shown_synced;
    }
    if (env->driver->query != NULL) {
        env->driver->query(env->job, &info);
    }
    return info.u.mirror.actively_synced;
}

static void query(const struct engine_job *env, struct job_info *info)
{
    life_query(&env->life, info);
    info->actively_synced = env->job != NULL && synced(env);
}

static void add_digest(const struct engine_job *env, struct digest *digest)
{
    life_digest(&env->life, digest);
}

static void check(const struct engine_job *env)
{
    if (env->life.started) {
        life_check(&env->life);
    }
}

const struct qemu_framework qemu_life_framework = {
    .has_started = has_started,
    .command = command,
    .query = query,
    .synced = synced,
    .digest = add_digest,
    .check = check,
    .refresh = qemu_job_refresh,
};
