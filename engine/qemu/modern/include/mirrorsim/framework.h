/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a user's own job.c and blockjob.c need beside what a mirror.c does.
 *
 * The functions that they define themselves, and mirror.c calls, are declared in functions.h; those
 * that only they, or the monitor, call are at the end of this file.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_H

#include "mirrorsim/framework_parts.h"
#include "mirrorsim/functions.h"

#ifndef QEMU_OWN_FRAMEWORK
/* The environment has other words of these names. */
typedef unsigned JobStatus;
typedef unsigned JobVerb;
typedef unsigned IoOperationType;
#endif

#define SCALE_NS 1

/* ---- Coroutines, the main loop ---- */

void qemu_coroutine_yield(void);
bool qemu_in_coroutine(void);

/* Wakes: in a coroutine when that waits or ends, outside at once. */
void aio_co_enter(AioContext *context, Coroutine *co);
void aio_co_wake(Coroutine *co);
void aio_co_reschedule_self(AioContext *context);
AioContext *qemu_get_current_aio_context(void);
bool qemu_in_main_thread(void);

/* Calls it from the main loop at this instant, once. */
void aio_bh_schedule_oneshot(AioContext *context, void (*cb)(void *opaque), void *opaque);

/* Main: waits while the condition holds; it is looked at again after each aio_wait_kick(). */
#define AIO_WAIT_WHILE_UNLOCKED(context, condition) \
    ({                                              \
        bool own_waited = false;                    \
        while (condition) {                         \
            own_waited = true;                      \
            qemu_wait_for_kick();                   \
        }                                           \
        own_waited;                                 \
    })
#define AIO_WAIT_WHILE(context, condition) AIO_WAIT_WHILE_UNLOCKED(context, condition)
void qemu_wait_for_kick(void);
void aio_wait_kick(void);

void aio_timer_init(AioContext *context, QEMUTimer *timer, QEMUClockType type, int scale,
                    void (*cb)(void *opaque), void *opaque);
void timer_mod(QEMUTimer *timer, int64_t expire_ns);
void timer_del(QEMUTimer *timer);
bool timer_pending(const QEMUTimer *timer);

/* One thread: a mutex only has to be unlocked when it is locked. */
void qemu_mutex_init(QemuMutex *mutex);
void qemu_mutex_lock(QemuMutex *mutex);
void qemu_mutex_unlock(QemuMutex *mutex);

/* ---- Parts of a job ---- */

void notifier_list_init(NotifierList *list);
void notifier_list_add(NotifierList *list, Notifier *notifier);
void notifier_list_notify(NotifierList *list, void *data);

void progress_init(ProgressMeter *meter);
void progress_destroy(ProgressMeter *meter);
void progress_get_snapshot(ProgressMeter *meter, uint64_t *current, uint64_t *total);
void progress_work_done(ProgressMeter *meter, uint64_t done);
void progress_set_remaining(ProgressMeter *meter, uint64_t remaining);
void progress_increase_remaining(ProgressMeter *meter, uint64_t delta);

void ratelimit_init(RateLimit *limit);
void ratelimit_destroy(RateLimit *limit);
void ratelimit_set_speed(RateLimit *limit, uint64_t speed, uint64_t slice_ns);
/* Charges n bytes; how long to sleep then, in ns. */
int64_t ratelimit_calculate_delay(RateLimit *limit, uint64_t n);

GSList *g_slist_prepend(GSList *list, void *data);
GSList *g_slist_remove(GSList *list, const void *data);
void g_slist_free(GSList *list);
GSList *g_slist_delete_link(GSList *list, GSList *link);
char *g_strdup_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool id_wellformed(const char *id);

#define QLIST_INIT(head) LIST_INIT(head)
#define QLIST_INSERT_HEAD(head, elm, field) LIST_INSERT_HEAD(head, elm, field)
#define QLIST_REMOVE(elm, field) LIST_REMOVE(elm, field)
#define QLIST_FOREACH(var, head, field) LIST_FOREACH (var, head, field)
#define QLIST_FOREACH_SAFE(var, head, field, after) \
    for ((var) = LIST_FIRST(head); (var) && ((after) = LIST_NEXT(var, field), 1); (var) = (after))

/* ---- Words, events, trace points ---- */

const char *JobStatus_str(JobStatus status);
const char *JobVerb_str(JobVerb verb);
const char *JobType_str(JobType type);

void qapi_event_send_job_status_change(const char *id, JobStatus status);
void qapi_event_send_block_job_ready(JobType type, const char *device, int64_t len, int64_t offset,
                                     int64_t speed);
void qapi_event_send_block_job_pending(JobType type, const char *id);
void qapi_event_send_block_job_completed(JobType type, const char *device, int64_t len,
                                         int64_t offset, int64_t speed, const char *error);
void qapi_event_send_block_job_cancelled(JobType type, const char *device, int64_t len,
                                         int64_t offset, int64_t speed);
void qapi_event_send_block_job_error(const char *device, IoOperationType operation,
                                     BlockErrorAction action);

#define trace_job_state_transition(job, ret, legal, from, to) ((void)0)
#define trace_job_apply_verb(job, state, verb, legal) ((void)0)
#define trace_job_completed(job, ret) ((void)0)
#define trace_block_job_cb(bs, job, ret) ((void)0)

/* ---- Nodes ---- */

/* Changes of AioContext: there is only one. */
typedef struct GHashTable GHashTable;
typedef struct Transaction Transaction;
typedef struct TransactionActionDrv {
    void (*abort)(void *opaque);
    void (*commit)(void *opaque);
    void (*clean)(void *opaque);
} TransactionActionDrv;
void tran_add(Transaction *tran, TransactionActionDrv *driver, void *opaque);
bool bdrv_child_change_aio_context(BdrvChild *child, AioContext *context, GHashTable *visited,
                                   Transaction *tran, Error **errp);

/* How a user of a node that is no node itself behaves. */
typedef struct BdrvChildClass {
    bool parent_is_bds;
    bool stay_at_node;
    char *(*get_parent_desc)(BdrvChild *child);
    void (*drained_begin)(BdrvChild *child);
    bool (*drained_poll)(BdrvChild *child);
    void (*drained_end)(BdrvChild *child);
    bool (*change_aio_ctx)(BdrvChild *child, AioContext *context, GHashTable *visited,
                           Transaction *tran, Error **errp);
    bool (*can_set_aio_ctx)(BdrvChild *child, AioContext *context, GSList **ignore,
                            Error **errp); /* up to 7.1 */
    void (*set_aio_ctx)(BdrvChild *child, AioContext *context, GSList **ignore);
    AioContext *(*get_parent_aio_context)(BdrvChild *child);
} BdrvChildClass;

/* Main, drained: takes over the caller's reference; NULL: the permissions forbid it. */
BdrvChild *bdrv_root_attach_child(BlockDriverState *bs, const char *name,
                                  const BdrvChildClass *klass, BdrvChildRole role, uint64_t perm,
                                  uint64_t shared_perm, void *opaque, Error **errp);
/* Main, drained: gives the reference back, too. */
void bdrv_root_unref_child(BdrvChild *child);

void bdrv_drain_all_begin(void);
void bdrv_drain_all_end(void);
const char *bdrv_get_device_name(const BlockDriverState *bs);
const char *bdrv_get_device_or_node_name(const BlockDriverState *bs);

/* ---- What job.c and blockjob.c define ---- */

#ifdef QEMU_OWN_FRAMEWORK
void *job_create(const char *job_id, const JobDriver *driver, JobTxn *txn, AioContext *context,
                 int flags, BlockCompletionFunc *cb, void *opaque, Error **errp);
Job *job_next_locked(Job *job);
Job *job_get_locked(const char *id);
void job_ref_locked(Job *job);
void job_unref_locked(Job *job);
JobType job_type(const Job *job);
bool job_is_internal(Job *job);
bool job_is_completed_locked(Job *job);
bool job_is_ready_locked(Job *job);
void job_lock(void);
void job_unlock(void);
void job_pause_locked(Job *job);
void job_resume_locked(Job *job);
int job_apply_verb_locked(Job *job, JobVerb verb, Error **errp);
void job_user_pause_locked(Job *job, Error **errp);
void job_user_resume_locked(Job *job, Error **errp);
bool job_user_paused_locked(Job *job);
void job_user_cancel_locked(Job *job, bool force, Error **errp);
void job_complete_locked(Job *job, Error **errp);
void job_finalize_locked(Job *job, Error **errp);
void job_dismiss_locked(Job **job, Error **errp);
bool block_job_set_speed_locked(BlockJob *job, int64_t speed, Error **errp);
void block_job_change_locked(BlockJob *job, BlockJobChangeOptions *opts, Error **errp);
BlockJobInfo *block_job_query_locked(BlockJob *job, Error **errp);
#endif

#endif
