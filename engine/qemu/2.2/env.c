/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entering and leaving the foreign code.
 */
#include "engine/qemu/2.2/env.h"

void qemu_enter(struct engine_job *env)
{
    struct qemu_env *before = qemu_exchange(&env->common);

    assert(before == NULL);
    qemu_nodes_refresh(env);
}

/* Emits the progress that the foreign code has written into its job. */
static void tell_progress(struct engine_job *env)
{
    const BlockJob *job = env->job;
    struct event event = {.kind = EVENT_JOB_PROGRESS, .by = BY_JOB};

    if (job == NULL ||
        ((uint64_t)job->offset == env->shown_offset && (uint64_t)job->len == env->shown_len)) {
        return;
    }
    env->shown_offset = (uint64_t)job->offset;
    env->shown_len = (uint64_t)job->len;
    event.offset = env->shown_offset;
    event.bytes = env->shown_len;
    host_emit(env->common.host, &event);
}

void qemu_leave(void)
{
    struct engine_job *env = qemu_env();

    tell_progress(env);
    qemu_exchange(NULL);
}

struct engine_job *qemu_env(void)
{
    return (struct engine_job *)qemu_current();
}

void qemu_emit(enum event_kind kind)
{
    struct engine_job *env = qemu_env();
    struct event event = {
        .kind = (uint8_t)kind, .by = BY_JOB, .node = block_node_id(env->spec.source)};

    host_emit(env->common.host, &event);
}
