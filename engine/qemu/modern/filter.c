/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest requests on their way through the foreign file's filter (modern-interface 7).
 *
 * Each is a coroutine of its own.  The first request that the filter makes of its child, the same
 * as the guest's, is the guest's own on its disk; what it writes to another node inside the guest's
 * range is the active copy; anything else is a request of the job.
 */
#include "engine/qemu/modern/env.h"

struct qemu_guest {
    struct engine_job *env;
    struct interposed *request;
    struct interposed_info info;
    struct qemu_node *filter;
    QEMUIOVector qiov;
    void *memory; /* NULL: no data */
    bool passed;
};

/* ---- The callbacks ---- */

static int missing(const char *call)
{
    qemu_unsupported("a filter without %s", call);
    return 0;
}

static int call_driver(struct qemu_guest *guest)
{
    const BlockDriver *driver = guest->filter->driver;
    BlockDriverState *bs = &guest->filter->bs;
    int64_t offset = (int64_t)guest->info.offset;
    int64_t bytes = (int64_t)guest->info.bytes;

    switch ((int)guest->info.op) {
    case OP_READ:
        return driver->bdrv_co_preadv != NULL
                   ? driver->bdrv_co_preadv(bs, offset, bytes, &guest->qiov, 0)
                   : missing("bdrv_co_preadv");
    case OP_WRITE:
        return driver->bdrv_co_pwritev != NULL
                   ? driver->bdrv_co_pwritev(bs, offset, bytes, &guest->qiov, 0)
                   : missing("bdrv_co_pwritev");
    case OP_WRITE_ZEROES:
        return driver->bdrv_co_pwrite_zeroes != NULL
                   ? driver->bdrv_co_pwrite_zeroes(bs, offset, bytes, 0)
                   : missing("bdrv_co_pwrite_zeroes");
    case OP_DISCARD:
        return driver->bdrv_co_pdiscard != NULL ? driver->bdrv_co_pdiscard(bs, offset, bytes)
                                                : missing("bdrv_co_pdiscard");
    default:
        return driver->bdrv_co_flush != NULL ? driver->bdrv_co_flush(bs) : missing("bdrv_co_flush");
    }
}

/* ---- The coroutine ---- */

static bool has_data(enum op op)
{
    return op == OP_READ || op == OP_WRITE;
}

/* One more or less is in the filter: its node is one that is used. */
static void count_guest(struct engine_job *env, bool more)
{
    env->guests = more ? env->guests + 1 : env->guests - 1;
    qemu_refresh_nodes(env);
}

static void take_memory(struct qemu_guest *guest)
{
    qemu_iovec_init(&guest->qiov, 1);
    if (has_data(guest->info.op)) {
        guest->memory = g_malloc(guest->info.bytes);
        qemu_iovec_add(&guest->qiov, guest->memory, guest->info.bytes);
    }
    if (guest->info.op == OP_WRITE) {
        qemu_data_fill_guest(guest->memory, guest->request, guest->info.bytes);
    }
}

/* The guest has its result before those go on who wait for the operation (O10). */
static void run(void *opaque)
{
    struct qemu_guest *guest = opaque;
    struct engine_job *env = guest->env;
    struct interposed *request = guest->request;
    int ret;

    env->running->guest = guest;
    take_memory(guest);
    ret = call_driver(guest);
    qemu_iovec_destroy(&guest->qiov);
    g_free(guest->memory);
    env->running->guest = NULL;
    count_guest(env, false);
    host_free(env->common.host, guest, sizeof(*guest));
    interposed_finish(request, ret < 0 ? ret : 0);
}

static struct qemu_node *filter_of(const struct engine_job *env)
{
    struct qemu_node *node;

    LIST_FOREACH (node, &env->nodes, link) {
        if (node->driver != NULL && node->block != NULL) {
            return node;
        }
    }
    assert(false);
    return NULL;
}

static void arrived(void *opaque, struct interposed *request)
{
    struct engine_job *env = opaque;
    struct qemu_env *before = qemu_begin_call(env);
    struct qemu_guest *guest = host_alloc(env->common.host, sizeof(*guest));

    *guest = (struct qemu_guest){
        .env = env, .request = request, .info = interposed_info(request), .filter = filter_of(env)};
    count_guest(env, true);
    qemu_coroutine_enter(qemu_co_new(env, run, guest));
    qemu_end_call(env, before);
}

const struct interposer qemu_interposer = {arrived};

/* ---- What its requests are ---- */

bool qemu_guest_passes(const Coroutine *co, const BlockDriverState *bs, enum op op, int64_t offset,
                       int64_t bytes)
{
    const struct qemu_guest *guest = co->guest;

    return guest != NULL && !guest->passed && guest->filter->below.bs == bs &&
           guest->info.op == op && (int64_t)guest->info.offset == offset &&
           (int64_t)guest->info.bytes == bytes;
}

struct interposed *qemu_guest_pass(Coroutine *co)
{
    co->guest->passed = true;
    return co->guest->request;
}

struct interposed *qemu_guest_copies(const Coroutine *co, const BlockDriverState *bs, enum op op,
                                     int64_t offset, int64_t bytes)
{
    const struct qemu_guest *guest = co->guest;
    bool inside = guest != NULL && offset >= (int64_t)guest->info.offset && bytes > 0 &&
                  offset + bytes <= (int64_t)(guest->info.offset + guest->info.bytes);

    return inside && guest->info.op == op && guest->filter->below.bs != bs ? guest->request : NULL;
}

uint32_t qemu_guest_number(const struct qemu_guest *guest)
{
    return guest->info.number;
}
