/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections and graph locks.
 *
 * A main coroutine asks the world at once; a real one asks from the main loop, behind what is due,
 * and goes on inside the event in which the section is quiet, or has ended (modern-interface 2.7).
 */
#include "engine/qemu/modern/env.h"

/* A coroutine waits for a section. */
struct wait {
    struct engine_job *env;
    Coroutine *co;
    struct block_node *node;
    bool is_over;
    bool waits;
};

static void is_quiet(void *opaque)
{
    struct wait *wait = opaque;

    wait->is_over = true;
    if (wait->waits) {
        qemu_co_wake_from_world(wait->env, wait->co);
    }
}

static void wait_until_quiet(struct wait *wait, const char *what)
{
    if (!wait->is_over) {
        wait->waits = true;
        qemu_co_wait(wait->co, what);
    }
}

static struct block_node *node_of(const BlockDriverState *bs, const char *call)
{
    if (bs->own->block == NULL) {
        qemu_unsupported("%s of a node that is not in the graph", call);
    }
    return bs->own->block;
}

/* ---- One node ---- */

static void begin_from_main_loop(void *opaque)
{
    struct wait *wait = opaque;

    block_section_begin(wait->node, is_quiet, wait);
}

void bdrv_drained_begin(BlockDriverState *bs)
{
    struct engine_job *env = qemu_job_env();
    struct wait wait = {.env = env,
                        .co = qemu_co_needed("bdrv_drained_begin()"),
                        .node = node_of(bs, "bdrv_drained_begin()")};

    if (wait.co->is_main) {
        block_section_begin(wait.node, is_quiet, &wait);
    } else {
        wait.waits = true;
        host_defer(env->common.host, begin_from_main_loop, &wait);
    }
    wait_until_quiet(&wait, "a drained section to be quiet");
}

static void end_from_main_loop(void *opaque)
{
    struct wait *wait = opaque;

    block_section_end(wait->node);
    qemu_co_wake_from_world(wait->env, wait->co);
}

void bdrv_drained_end(BlockDriverState *bs)
{
    struct engine_job *env = qemu_job_env();
    struct wait wait = {.env = env,
                        .co = qemu_co_needed("bdrv_drained_end()"),
                        .node = node_of(bs, "bdrv_drained_end()")};

    qemu_check_drained(bs, "bdrv_drained_end()");
    if (wait.co->is_main) {
        block_section_end(wait.node);
        return;
    }
    host_defer(env->common.host, end_from_main_loop, &wait);
    qemu_co_wait(wait.co, "the end of a drained section");
}

/* ---- All nodes ---- */

void qemu_drain_all_begin(struct engine_job *env)
{
    struct wait wait = {.env = env, .co = qemu_co_needed("a drained section over all nodes")};

    if (!wait.co->is_main) {
        qemu_die("all nodes are drained from inside a coroutine");
    }
    block_section_begin_all(env->common.host, is_quiet, &wait);
    wait_until_quiet(&wait, "all nodes to be quiet");
}

void qemu_drain_all_end(struct engine_job *env)
{
    block_section_end_all(env->common.host);
}

/* ---- Locks: nothing but the drained kind is to be seen ---- */

static void lock(struct engine_job *env, bool drained)
{
    env->locks++;
    env->drained_locks = env->drained_locks << 1 | drained;
}

void qemu_modern_wrlock(void)
{
    lock(qemu_job_env(), false);
}

void bdrv_graph_wrlock_drained(void)
{
    qemu_drain_all_begin(qemu_job_env());
    lock(qemu_job_env(), true);
}

void qemu_modern_wrunlock(void)
{
    struct engine_job *env = qemu_job_env();
    bool drained = env->drained_locks & 1;

    if (env->locks == 0) {
        qemu_die("bdrv_graph_wrunlock() without a lock");
    }
    env->locks--;
    env->drained_locks >>= 1;
    if (drained) {
        qemu_drain_all_end(env);
    }
}

void bdrv_graph_co_rdlock(void)
{
}

void bdrv_graph_co_rdunlock(void)
{
}

void bdrv_graph_rdlock_main_loop(void)
{
}

void bdrv_graph_rdunlock_main_loop(void)
{
}

AioContext *bdrv_get_aio_context(BlockDriverState *bs)
{
    (void)bs;
    return qemu_get_aio_context();
}

AioContext *qemu_get_aio_context(void)
{
    return (AioContext *)(void *)qemu_job_env();
}

void aio_context_acquire(AioContext *context)
{
    assert(context != NULL);
}

void aio_context_release(AioContext *context)
{
    assert(context != NULL);
}
