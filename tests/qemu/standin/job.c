/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for a user's job.c of today's generation: the life of a job, as short as it can be
 * written with the interface of such a file.
 *
 * One job is one group; locks are taken where such a file takes them, and nothing else is done
 * about threads.
 */
#include "qemu/osdep.h"

#include "block/aio-wait.h"
#include "qapi/error.h"
#include "qapi/qapi-events-job.h"
#include "qemu/coroutine.h"
#include "qemu/id.h"
#include "qemu/job.h"
#include "qemu/main-loop.h"
#include "trace/trace-root.h"

static QemuMutex job_mutex;
static QLIST_HEAD(, Job) jobs = {NULL};

#define BIT(name) (1u << JOB_STATUS_##name)
#define ACTIVE (BIT(CREATED) | BIT(RUNNING) | BIT(PAUSED) | BIT(READY) | BIT(STANDBY))

static const unsigned followers[JOB_STATUS__MAX] = {
    [JOB_STATUS_UNDEFINED] = BIT(CREATED),
    [JOB_STATUS_CREATED] = BIT(RUNNING) | BIT(ABORTING) | BIT(NULL),
    [JOB_STATUS_RUNNING] = BIT(PAUSED) | BIT(READY) | BIT(WAITING) | BIT(ABORTING),
    [JOB_STATUS_PAUSED] = BIT(RUNNING),
    [JOB_STATUS_READY] = BIT(STANDBY) | BIT(WAITING) | BIT(ABORTING),
    [JOB_STATUS_STANDBY] = BIT(READY),
    [JOB_STATUS_WAITING] = BIT(PENDING) | BIT(ABORTING),
    [JOB_STATUS_PENDING] = BIT(CONCLUDED) | BIT(ABORTING),
    [JOB_STATUS_ABORTING] = BIT(CONCLUDED) | BIT(ABORTING),
    [JOB_STATUS_CONCLUDED] = BIT(NULL),
};

static const unsigned verbs[JOB_VERB__MAX] = {
    [JOB_VERB_CANCEL] = ACTIVE | BIT(WAITING) | BIT(PENDING),
    [JOB_VERB_PAUSE] = ACTIVE,
    [JOB_VERB_RESUME] = ACTIVE,
    [JOB_VERB_SET_SPEED] = ACTIVE,
    [JOB_VERB_CHANGE] = ACTIVE,
    [JOB_VERB_COMPLETE] = BIT(READY) | BIT(STANDBY),
    [JOB_VERB_FINALIZE] = BIT(PENDING),
    [JOB_VERB_DISMISS] = BIT(CONCLUDED),
};

static void __attribute__((constructor)) job_init(void)
{
    qemu_mutex_init(&job_mutex);
}

void job_lock(void)
{
    qemu_mutex_lock(&job_mutex);
}

void job_unlock(void)
{
    qemu_mutex_unlock(&job_mutex);
}

/* ---- Looking ---- */

Job *job_next_locked(Job *job)
{
    return job != NULL ? QLIST_NEXT(job, job_list) : QLIST_FIRST(&jobs);
}

Job *job_get_locked(const char *id)
{
    Job *job;

    QLIST_FOREACH(job, &jobs, job_list)
    {
        if (job->id != NULL && strcmp(job->id, id) == 0) {
            return job;
        }
    }
    return NULL;
}

JobType job_type(const Job *job)
{
    return job->driver->job_type;
}

bool job_is_internal(Job *job)
{
    return job->id == NULL;
}

bool job_is_ready_locked(Job *job)
{
    return job->status == JOB_STATUS_READY || job->status == JOB_STATUS_STANDBY;
}

bool job_is_ready(Job *job)
{
    return job_is_ready_locked(job);
}

bool job_is_completed_locked(Job *job)
{
    return job->status == JOB_STATUS_WAITING || job->status == JOB_STATUS_PENDING ||
           job->status >= JOB_STATUS_ABORTING;
}

bool job_is_cancelled_locked(Job *job)
{
    return job->force_cancel;
}

bool job_is_cancelled(Job *job)
{
    return job->force_cancel;
}

bool job_cancel_requested(Job *job)
{
    return job->cancelled;
}

bool job_user_paused_locked(Job *job)
{
    return job->user_paused;
}

/* ---- Status and verbs ---- */

static void change_status(Job *job, JobStatus to)
{
    assert(job->status < JOB_STATUS__MAX && (followers[job->status] >> to & 1) != 0);
    trace_job_state_transition(job, job->ret, "allowed", JobStatus_str(job->status),
                               JobStatus_str(to));
    if (job->status == to) {
        return;
    }
    job->status = to;
    if (!job_is_internal(job)) {
        qapi_event_send_job_status_change(job->id, to);
    }
}

int job_apply_verb_locked(Job *job, JobVerb verb, Error **errp)
{
    trace_job_apply_verb(job, JobStatus_str(job->status), JobVerb_str(verb), "");
    if ((verbs[verb] >> job->status & 1) != 0) {
        return 0;
    }
    error_setg(errp, "Job '%s' in state '%s' cannot accept '%s'", job->id,
               JobStatus_str(job->status), JobVerb_str(verb));
    return -EPERM;
}

void job_transition_to_ready(Job *job)
{
    WITH_JOB_LOCK_GUARD()
    {
        change_status(job, JOB_STATUS_READY);
        notifier_list_notify(&job->on_ready, job);
    }
}

/* ---- Making and letting go ---- */

static void timer_cb(void *opaque);

void *job_create(const char *job_id, const JobDriver *driver, JobTxn *txn, AioContext *context,
                 int flags, BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    Job *job;

    if (job_id != NULL ? !id_wellformed(job_id) : (flags & JOB_INTERNAL) == 0) {
        error_setg(errp, "'%s' is no id of a job", job_id != NULL ? job_id : "");
        return NULL;
    }
    if (job_id != NULL && job_get_locked(job_id) != NULL) {
        error_setg(errp, "Job ID '%s' already in use", job_id);
        return NULL;
    }
    assert(txn == NULL);
    job = g_malloc0(driver->instance_size);
    job->driver = driver;
    job->id = g_strdup(job_id);
    job->refcnt = 1;
    job->aio_context = context;
    job->busy = false;
    job->paused = true;
    job->pause_count = 1;
    job->auto_finalize = !(flags & JOB_MANUAL_FINALIZE);
    job->auto_dismiss = !(flags & JOB_MANUAL_DISMISS);
    job->cb = cb;
    job->opaque = opaque;
    progress_init(&job->progress);
    notifier_list_init(&job->on_finalize_cancelled);
    notifier_list_init(&job->on_finalize_completed);
    notifier_list_init(&job->on_pending);
    notifier_list_init(&job->on_ready);
    notifier_list_init(&job->on_idle);
    change_status(job, JOB_STATUS_CREATED);
    aio_timer_init(context, &job->sleep_timer, QEMU_CLOCK_REALTIME, SCALE_NS, timer_cb, job);
    QLIST_INSERT_HEAD(&jobs, job, job_list);
    return job;
}

void job_ref_locked(Job *job)
{
    job->refcnt++;
}

void job_unref_locked(Job *job)
{
    assert(job->refcnt > 0);
    if (--job->refcnt > 0) {
        return;
    }
    assert(job->status == JOB_STATUS_NULL && !timer_pending(&job->sleep_timer));
    if (job->driver->free != NULL) {
        job->driver->free(job);
    }
    QLIST_REMOVE(job, job_list);
    progress_destroy(&job->progress);
    error_free(job->err);
    g_free(job->id);
    g_free(job);
}

static void dismiss(Job *job)
{
    job->busy = false;
    job->paused = false;
    job->deferred_to_main_loop = true;
    change_status(job, JOB_STATUS_NULL);
    job_unref_locked(job);
}

void job_early_fail(Job *job)
{
    assert(job->status == JOB_STATUS_CREATED);
    dismiss(job);
}

/* ---- Progress ---- */

void job_progress_update(Job *job, uint64_t done)
{
    progress_work_done(&job->progress, done);
}

void job_progress_set_remaining(Job *job, uint64_t remaining)
{
    progress_set_remaining(&job->progress, remaining);
}

void job_progress_increase_remaining(Job *job, uint64_t delta)
{
    progress_increase_remaining(&job->progress, delta);
}

/* ---- Waking ---- */

void job_enter_cond_locked(Job *job, bool (*fn)(Job *job))
{
    if (job->co == NULL || job->deferred_to_main_loop || job->busy || (fn != NULL && !fn(job))) {
        return;
    }
    timer_del(&job->sleep_timer);
    job->busy = true;
    aio_co_enter(job->aio_context, job->co);
}

void job_enter(Job *job)
{
    job_enter_cond_locked(job, NULL);
}

static void timer_cb(void *opaque)
{
    job_enter(opaque);
}

static bool does_not_sleep(Job *job)
{
    return !timer_pending(&job->sleep_timer);
}

void job_pause_locked(Job *job)
{
    job->pause_count++;
    if (!job->paused) {
        job_enter(job);
    }
}

void job_resume_locked(Job *job)
{
    assert(job->pause_count > 0);
    job->pause_count--;
    if (job->pause_count == 0) {
        job_enter_cond_locked(job, does_not_sleep);
    }
}

/* ---- Waiting ---- */

static bool should_pause(const Job *job)
{
    return job->pause_count > 0 && !job->force_cancel;
}

/* Without a timer for ns < 0. */
static void coroutine_fn wait_to_be_entered(Job *job, int64_t expire_ns)
{
    if (expire_ns >= 0) {
        timer_mod(&job->sleep_timer, expire_ns);
    }
    job->busy = false;
    notifier_list_notify(&job->on_idle, job);
    qemu_coroutine_yield();
    if (qemu_get_current_aio_context() != job->aio_context) {
        aio_co_reschedule_self(job->aio_context);
    }
    assert(job->busy);
}

void coroutine_fn job_pause_point(Job *job)
{
    bool ready;

    assert(job->co != NULL && qemu_in_coroutine());
    if (!should_pause(job)) {
        return;
    }
    if (job->driver->pause != NULL) {
        job->driver->pause(job);
    }
    if (!should_pause(job)) {
        return;
    }
    ready = job->status == JOB_STATUS_READY;
    change_status(job, ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED);
    job->paused = true;
    do {
        wait_to_be_entered(job, -1);
    } while (should_pause(job));
    job->paused = false;
    change_status(job, ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING);
    if (job->driver->resume != NULL) {
        job->driver->resume(job);
    }
}

static void coroutine_fn rest(Job *job, int64_t expire_ns)
{
    if (job->force_cancel) {
        return;
    }
    if (!should_pause(job)) {
        wait_to_be_entered(job, expire_ns);
    }
    job_pause_point(job);
}

void coroutine_fn job_sleep_ns(Job *job, int64_t ns)
{
    rest(job, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + ns);
}

void coroutine_fn job_yield(Job *job)
{
    rest(job, -1);
}

/* ---- The end ---- */

static void settle_result(Job *job)
{
    if (job->ret == 0 && job->force_cancel) {
        job->ret = -ECANCELED;
    }
    if (job->ret < 0) {
        if (job->err == NULL) {
            error_setg(&job->err, "%s", strerror(-job->ret));
        }
        change_status(job, JOB_STATUS_ABORTING);
    }
}

static void conclude(Job *job)
{
    if (job->ret == 0 && job->driver->commit != NULL) {
        job->driver->commit(job);
    } else if (job->ret < 0 && job->driver->abort != NULL) {
        job->driver->abort(job);
    }
    if (job->driver->clean != NULL) {
        job->driver->clean(job);
    }
    if (job->cb != NULL) {
        job->cb(job->opaque, job->ret);
    }
    notifier_list_notify(
        job->force_cancel ? &job->on_finalize_cancelled : &job->on_finalize_completed, job);
    change_status(job, JOB_STATUS_CONCLUDED);
    aio_wait_kick();
    if (job->auto_dismiss) {
        dismiss(job);
    }
}

static void finalize(Job *job)
{
    settle_result(job);
    if (job->ret == 0 && job->driver->prepare != NULL) {
        job->ret = job->driver->prepare(job);
        settle_result(job);
    }
    conclude(job);
}

static void exit_step(void *opaque)
{
    Job *job = opaque;

    job_lock();
    job_ref_locked(job);
    job->busy = false;
    job_unlock();
    trace_job_completed(job, job->ret);
    settle_result(job);
    if (job->ret < 0) {
        conclude(job);
    } else {
        change_status(job, JOB_STATUS_WAITING);
        change_status(job, JOB_STATUS_PENDING);
        if (job->auto_finalize) {
            finalize(job);
        } else {
            notifier_list_notify(&job->on_pending, job);
        }
    }
    job_unref_locked(job);
}

static void coroutine_fn job_co_entry(void *opaque)
{
    Job *job = opaque;

    assert(job->driver->run != NULL);
    job_pause_point(job);
    job->ret = job->driver->run(job, &job->err);
    job->deferred_to_main_loop = true;
    job->busy = true;
    aio_bh_schedule_oneshot(qemu_get_aio_context(), exit_step, job);
}

void job_start(Job *job)
{
    GLOBAL_STATE_CODE();
    assert(qemu_in_main_thread() && job->co == NULL && job->paused);
    job->co = qemu_coroutine_create(job_co_entry, job);
    job->pause_count--;
    job->busy = true;
    job->paused = false;
    change_status(job, JOB_STATUS_RUNNING);
    aio_co_enter(job->aio_context, job->co);
}

#include "commands.h"
