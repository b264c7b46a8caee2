/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a user's own job.c and blockjob.c ask for: the main loop, timers, lists, the rate limit.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/life/account.h"
#include "engine/qemu/modern/env.h"
#include "mirrorsim/framework.h"

/* ---- Coroutines ---- */

void qemu_coroutine_yield(void)
{
    qemu_co_wait(qemu_co_real("qemu_coroutine_yield()"), "somebody to wake it");
}

bool qemu_in_coroutine(void)
{
    return qemu_co_current(qemu_job_env()) != NULL;
}

void aio_co_enter(AioContext *context, Coroutine *co)
{
    (void)context;
    qemu_co_wake(qemu_job_env(), co);
}

void aio_co_wake(Coroutine *co)
{
    qemu_co_wake(qemu_job_env(), co);
}

/* There is one context, and everybody is there already. */
void aio_co_reschedule_self(AioContext *context)
{
    assert(context == qemu_get_aio_context());
}

void tran_add(Transaction *tran, TransactionActionDrv *driver, void *opaque)
{
    (void)tran;
    (void)driver;
    (void)opaque;
    qemu_unsupported("a change of AioContext");
}

bool bdrv_child_change_aio_context(BdrvChild *child, AioContext *context, GHashTable *visited,
                                   Transaction *tran, Error **errp)
{
    (void)child;
    (void)context;
    (void)visited;
    (void)tran;
    (void)errp;
    qemu_unsupported("a change of AioContext");
}

AioContext *qemu_get_current_aio_context(void)
{
    return qemu_get_aio_context();
}

bool qemu_in_main_thread(void)
{
    return true;
}

/* ---- The main loop ---- */

struct later {
    struct engine_job *env;
    void (*cb)(void *opaque);
    void *opaque;
};

static void run_later(void *opaque)
{
    struct later *later = opaque;
    struct engine_job *env = later->env;
    struct qemu_env *before = qemu_begin_call(env);

    env->user.deferred--;
    qemu_main(env, later->cb, later->opaque);
    host_free(env->common.host, later, sizeof(*later));
    qemu_end_call(env, before);
}

void aio_bh_schedule_oneshot(AioContext *context, void (*cb)(void *opaque), void *opaque)
{
    struct engine_job *env = qemu_job_env();
    struct later *later = host_alloc(env->common.host, sizeof(*later));

    (void)context;
    *later = (struct later){env, cb, opaque};
    env->user.deferred++;
    host_defer(env->common.host, run_later, later);
}

/* ---- Waiting for a kick: in a list of those who do ---- */

struct qemu_kicked {
    struct qemu_kicked *next;
    Coroutine *co;
};

void qemu_wait_for_kick(void)
{
    struct engine_job *env = qemu_job_env();
    struct qemu_kicked self = {.co = qemu_co_needed("a wait in the main loop")};

    if (!self.co->is_main) {
        qemu_die("a coroutine waits for the main loop");
    }
    self.next = env->user.kicked;
    env->user.kicked = &self;
    qemu_co_wait(self.co, "a kick");
}

static void wake_kicked(void *opaque)
{
    struct engine_job *env = opaque;
    struct qemu_env *before = qemu_begin_call(env);
    struct qemu_kicked *next = env->user.kicked;

    env->user.deferred--;
    env->user.kicked = NULL;
    while (next != NULL) {
        struct qemu_kicked *one = next;

        next = one->next;
        qemu_co_wake(env, one->co);
    }
    qemu_end_call(env, before);
}

void aio_wait_kick(void)
{
    struct engine_job *env = qemu_job_env();

    if (env->user.kicked != NULL) {
        env->user.deferred++;
        host_defer(env->common.host, wake_kicked, env);
    }
}

/* ---- Timers ---- */

static void fired(void *opaque)
{
    QEMUTimer *timer = opaque;
    struct engine_job *env = timer->own_env;
    struct qemu_env *before = qemu_begin_call(env);

    timer->own_timer = NULL;
    timer->own_fired(timer->own_opaque);
    qemu_end_call(env, before);
}

void aio_timer_init(AioContext *context, QEMUTimer *timer, QEMUClockType type, int scale,
                    void (*cb)(void *opaque), void *opaque)
{
    (void)context;
    (void)type;
    if (scale != SCALE_NS) {
        qemu_unsupported("a timer that does not count in ns");
    }
    *timer = (QEMUTimer){.own_fired = cb, .own_opaque = opaque, .own_env = qemu_job_env()};
}

void timer_mod(QEMUTimer *timer, int64_t expire_ns)
{
    struct host *host = timer->own_env->common.host;
    int64_t now_ns = (int64_t)host_now_ns(host);

    timer_del(timer);
    timer->own_timer = host_timer_start(
        host, expire_ns > now_ns ? (uint64_t)(expire_ns - now_ns) : 0, fired, timer);
}

void timer_del(QEMUTimer *timer)
{
    if (timer->own_timer != NULL) {
        host_timer_stop(timer->own_env->common.host, timer->own_timer);
        timer->own_timer = NULL;
    }
}

bool timer_pending(const QEMUTimer *timer)
{
    return timer->own_timer != NULL;
}

/* ---- Mutexes ---- */

void qemu_mutex_init(QemuMutex *mutex)
{
    mutex->own_locked = false;
}

void qemu_mutex_lock(QemuMutex *mutex)
{
    if (mutex->own_locked) {
        qemu_die("a mutex is locked twice");
    }
    mutex->own_locked = true;
}

void qemu_mutex_unlock(QemuMutex *mutex)
{
    if (!mutex->own_locked) {
        qemu_die("a mutex is unlocked that is not locked");
    }
    mutex->own_locked = false;
}

/* ---- Lists ---- */

void notifier_list_init(NotifierList *list)
{
    LIST_INIT(&list->notifiers);
}

void notifier_list_add(NotifierList *list, Notifier *notifier)
{
    LIST_INSERT_HEAD(&list->notifiers, notifier, node);
}

void notifier_list_notify(NotifierList *list, void *data)
{
    Notifier *notifier = LIST_FIRST(&list->notifiers);

    while (notifier != NULL) {
        Notifier *next = LIST_NEXT(notifier, node);

        notifier->notify(notifier, data);
        notifier = next;
    }
}

GSList *g_slist_prepend(GSList *list, void *data)
{
    GSList *first = g_malloc(sizeof(*first));

    *first = (GSList){data, list};
    return first;
}

/* The place of the first link that is this one, or has the data. */
static GSList **find_link(GSList **list, const GSList *link, const void *data)
{
    GSList **place = list;

    while (*place != NULL && *place != link && (link != NULL || (*place)->data != data)) {
        place = &(*place)->next;
    }
    return place;
}

static void drop_link(GSList **place)
{
    GSList *link = *place;

    if (link != NULL) {
        *place = link->next;
        g_free(link);
    }
}

GSList *g_slist_delete_link(GSList *list, GSList *link)
{
    drop_link(find_link(&list, link, NULL));
    return list;
}

GSList *g_slist_remove(GSList *list, const void *data)
{
    drop_link(find_link(&list, NULL, data));
    return list;
}

void g_slist_free(GSList *list)
{
    while (list != NULL) {
        drop_link(&list);
    }
}

/* ---- Text ---- */

char *g_strdup_printf(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return g_strdup(text);
}

bool id_wellformed(const char *id)
{
    if (!isalpha((unsigned char)id[0])) {
        return false;
    }
    for (const char *at = id; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("-._", *at) == NULL) {
            return false;
        }
    }
    return true;
}

/* ---- The rate limit: the same account as our framework's ---- */

static struct account *account_of(RateLimit *limit)
{
    _Static_assert(sizeof(struct account) == sizeof(limit->own), "an account is a rate limit");
    return (struct account *)(void *)limit;
}

void ratelimit_init(RateLimit *limit)
{
    *account_of(limit) = (struct account){.quota = 0};
}

void ratelimit_destroy(RateLimit *limit)
{
    (void)limit;
}

void ratelimit_set_speed(RateLimit *limit, uint64_t speed, uint64_t slice_ns)
{
    assert(slice_ns == ACCOUNT_SLICE_NS);
    account_set_speed(account_of(limit), speed);
}

int64_t ratelimit_calculate_delay(RateLimit *limit, uint64_t n)
{
    uint64_t now_ns = host_now_ns(qemu_current()->host);

    account_charge(account_of(limit), n, now_ns);
    return (int64_t)account_delay_ns(account_of(limit), now_ns);
}
