/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entering and leaving the foreign code.
 */
#include "engine/qemu/modern/env.h"

#include <stdlib.h>

void *qemu_own_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL) {
        qemu_die("there is no memory for the environment");
    }
    return memory;
}

void qemu_own_free(void *memory)
{
    free(memory);
}

struct engine_job *qemu_job_env(void)
{
    return (struct engine_job *)qemu_current();
}

struct qemu_env *qemu_begin_call(struct engine_job *env)
{
    env->depth++;
    qemu_refresh_nodes(env);
    env->file->framework->refresh(env);
    return qemu_exchange(&env->common);
}

/* The flag is the foreign file's own: it is asked for when nothing of the job runs. */
static void tell_synced(struct engine_job *env)
{
    struct event event = {.kind = EVENT_JOB_SYNCED, .by = BY_JOB};
    bool synced = env->file->framework->synced(env);

    if (synced != env->shown_synced) {
        env->shown_synced = synced;
        event.detail = synced;
        host_emit(env->common.host, &event);
    }
}

static void destroy(struct engine_job *env)
{
    qemu_co_check_all_ended(env);
    qemu_co_abandon(env);
    free(env);
}

void qemu_end_call(struct engine_job *env, struct qemu_env *before)
{
    env->depth--;
    if (env->depth == 0) {
        tell_synced(env);
    }
    if (env->depth == 0 && env->file->framework->settle != NULL) {
        env->file->framework->settle(env);
    }
    qemu_exchange(before);
    if (env->gone && env->depth == 0) {
        destroy(env);
    }
}
