/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines of 2.2: one runs at a time, and the argument comes when it is entered first.
 *
 * A stack is given back when its coroutine has ended.  The Coroutine itself stays, so that entering
 * it again is detected.
 */
#include "engine/qemu/2.2/env.h"
#include "engine/qemu/fibre.h"

struct Coroutine {
    Coroutine *next;
    struct fibre fibre;
};

Coroutine *qemu_coroutine_create(void (*entry)(void *opaque))
{
    struct engine_job *env = qemu_env();
    Coroutine *co = host_alloc(env->common.host, sizeof(*co));

    if (!fibre_init(&co->fibre, entry)) {
        qemu_die("there is no memory for a coroutine's stack");
    }
    co->next = env->coroutines;
    env->coroutines = co;
    return co;
}

void qemu_coroutine_enter(Coroutine *co, void *opaque)
{
    struct engine_job *env = qemu_env();

    if (env->running != NULL) {
        qemu_die("a coroutine is entered while %s runs", env->running == co ? "it" : "another one");
    }
    if (co->fibre.ended) {
        qemu_die("a coroutine that has ended is entered");
    }
    if (!co->fibre.begun) {
        co->fibre.opaque = opaque;
        qemu_job_started();
    }
    env->running = co;
    fibre_enter(&co->fibre);
    env->running = NULL;
    if (co->fibre.ended) {
        fibre_release(&co->fibre);
    }
}

void qemu_coroutine_yield(void)
{
    Coroutine *co = qemu_env()->running;

    if (co == NULL) {
        qemu_die("a yield outside any coroutine");
    }
    fibre_yield(&co->fibre);
}

void qemu_coroutines_abandon(struct engine_job *env)
{
    for (Coroutine *co = env->coroutines; co != NULL; co = co->next) {
        fibre_release(&co->fibre);
    }
}

void qemu_coroutines_free(struct engine_job *env)
{
    qemu_coroutines_abandon(env);
    while (env->coroutines != NULL) {
        Coroutine *co = env->coroutines;

        env->coroutines = co->next;
        host_free(env->common.host, co, sizeof(*co));
    }
}
