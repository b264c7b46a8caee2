/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job framework as the foreign file calls it, on engine/life/.
 */
#include <stdio.h>
#include <string.h>

#include "engine/qemu/modern/env.h"

static struct life *life_of(const Job *job)
{
    return &job->own->life;
}

void qemu_job_refresh(struct engine_job *env)
{
    static const BlockDeviceIoStatus statuses[] = {
        [IO_STATUS_OK] = BLOCK_DEVICE_IO_STATUS_OK,
        [IO_STATUS_FAILED] = BLOCK_DEVICE_IO_STATUS_FAILED,
        [IO_STATUS_NOSPACE] = BLOCK_DEVICE_IO_STATUS_NOSPACE};

    if (env->job != NULL) {
        env->job->job.paused = env->life.parked || !env->life.started;
        env->job->job.ret = env->life.ret;
        env->job->iostatus = statuses[env->life.io_status];
    }
}

/* ---- Making one ---- */

static struct job_spec spec_of(const struct engine_job *env, const char *job_id, int64_t speed)
{
    struct job_spec spec = env->spec;

    spec.id = job_id;
    spec.speed = speed;
    spec.concluded = qemu_job_concluded;
    spec.opaque = qemu_job_env();
    return spec;
}

static BlockJob *make(struct engine_job *env, const BlockJobDriver *driver, const char *job_id)
{
    BlockJob *job = g_malloc0(driver->job_driver.instance_size);

    job->job.id = g_strdup(job_id);
    job->job.aio_context = qemu_get_aio_context();
    job->job.own = env;
    job->blk = qemu_backend_of_job();
    env->job = job;
    env->driver = driver;
    qemu_job_refresh(env);
    return job;
}

static void add_node(struct engine_job *env, BlockDriverState *bs)
{
    struct qemu_use *use = host_alloc(env->common.host, sizeof(*use));

    use->node = bs->own;
    if (bs->own->driver != NULL) {
        bs->own->refs++;
    }
    SLIST_INSERT_HEAD(&env->uses, use, link);
    life_add_node(&env->life, bs->own->block);
    qemu_nodes_relink(env);
}

/* Refused before there is a job, or as its first act. */
static BlockJob *create(struct engine_job *env, const BlockJobDriver *driver, const char *job_id,
                        BlockDriverState *bs, int64_t speed, Error **errp)
{
    struct job_spec spec = spec_of(env, job_id, speed);
    struct job_error error;
    int ret = life_create(&env->life, env->common.host, &qemu_life_driver, &spec, &error);

    if (ret < 0) {
        env->refusal = error.refusal;
        env->common.last_error = ret;
        error_setg(errp, "%s", error.text);
        return NULL;
    }
    make(env, driver, job_id);
    add_node(env, bs);
    if (env->spec.announced != NULL) {
        env->spec.announced(env->spec.opaque, env);
    }
    return env->job;
}

void *block_job_create(const char *job_id, const BlockJobDriver *driver, JobTxn *txn,
                       BlockDriverState *bs, uint64_t perm, uint64_t shared_perm, int64_t speed,
                       int flags, BlockCompletionFunc *cb, void *opaque, Error **errp)
{
    struct engine_job *env = qemu_job_env();
    BlockJob *job;

    (void)perm;
    (void)shared_perm;
    (void)flags;
    (void)cb;
    (void)opaque;
    if (txn != NULL || env->job != NULL || bs->own->block == NULL) {
        qemu_unsupported("a job in a group, a second one, or one of a node outside the graph");
    }
    qemu_drain_all_begin(env);
    job = create(env, driver, job_id, bs, speed, errp);
    qemu_drain_all_end(env);
    return job;
}

int block_job_add_bdrv(BlockJob *job, const char *name, BlockDriverState *bs, uint64_t perm,
                       uint64_t shared_perm, Error **errp)
{
    (void)name;
    (void)perm;
    (void)shared_perm;
    (void)errp;
    add_node(job->job.own, bs);
    return 0;
}

void block_job_remove_all_bdrv(BlockJob *job)
{
    struct engine_job *env = job->job.own;

    life_release_nodes(&env->life);
    while (!SLIST_EMPTY(&env->uses)) {
        struct qemu_use *use = SLIST_FIRST(&env->uses);

        SLIST_REMOVE_HEAD(&env->uses, link);
        if (use->node->driver != NULL) {
            qemu_filter_unref(use->node);
        }
        host_free(env->common.host, use, sizeof(*use));
    }
    qemu_nodes_relink(env);
}

/* ---- Beginning and end ---- */

static void run(void *opaque)
{
    struct engine_job *env = opaque;
    Error *error = NULL;
    int ret;

    job_pause_point(&env->job->job);
    ret = env->driver->job_driver.run(&env->job->job, &error);
    if (error != NULL) {
        snprintf(env->run_error, sizeof(env->run_error), "%s", qemu_error_text(error));
        error_free(error);
    }
    life_end(&env->life, ret < 0 ? ret : 0, env->run_error[0] != '\0' ? env->run_error : NULL);
    qemu_job_refresh(env);
}

void job_start(Job *job)
{
    struct engine_job *env = job->own;
    struct event event = {.kind = EVENT_JOB_STARTED,
                          .by = BY_JOB,
                          .node = block_node_id(env->spec.source),
                          .index = block_node_id(env->spec.target)};

    if (env->life.started) {
        qemu_die("a job is started twice");
    }
    host_emit(env->common.host, &event);
    qemu_start_is_over(env, 0);
    env->job_coroutine = qemu_co_new(env, run, env);
    life_start(&env->life);
}

/* The framework's own: what is left of the job's nodes is released. */
void block_job_free(Job *job)
{
    block_job_remove_all_bdrv(container_of(job, BlockJob, job));
}

void block_job_user_resume(Job *job)
{
    (void)job; /* the life has reset the I/O status */
}

void qemu_job_free(struct engine_job *env)
{
    BlockJob *job = env->job;

    if (env->driver->job_driver.free != NULL) {
        env->driver->job_driver.free(&job->job);
    }
    env->job = NULL;
    blk_unref(job->blk);
    g_free(job->job.id);
    g_free(job);
}

void job_early_fail(Job *job)
{
    struct engine_job *env = job->own;

    life_fail_early(&env->life);
    qemu_job_free(env);
}

/* ---- Waiting ---- */

/* After a step that did not say GO: until the job may go on. */
static void wait_for(struct engine_job *env, enum life_step step, const char *what)
{
    Coroutine *co = qemu_co_real("a job's pause point or sleep");

    while (step != LIFE_GO) {
        qemu_job_refresh(env);
        if (step == LIFE_WAIT) {
            qemu_co_wait(co, what);
        } else if (env->driver->job_driver.pause != NULL) {
            env->driver->job_driver.pause(&env->job->job);
        }
        step = life_pause_point(&env->life);
        what = "the end of a pause";
    }
    qemu_job_refresh(env);
}

static void check_runs(const struct engine_job *env, const char *call)
{
    if (env->running == NULL || env->running != env->job_coroutine) {
        qemu_die("%s outside the job's own coroutine", call);
    }
}

void job_pause_point(Job *job)
{
    check_runs(job->own, "job_pause_point()");
    wait_for(job->own, life_pause_point(life_of(job)), "the end of a pause");
}

void job_sleep_ns(Job *job, int64_t ns)
{
    check_runs(job->own, "job_sleep_ns()");
    wait_for(job->own, life_sleep(life_of(job), ns > 0 ? (uint64_t)ns : 0), "the end of its sleep");
}

void job_yield(Job *job)
{
    check_runs(job->own, "job_yield()");
    wait_for(job->own, life_idle(life_of(job)), "somebody to wake it");
}

void job_enter_cond_locked(Job *job, bool (*fn)(Job *job))
{
    if (fn != NULL) {
        qemu_unsupported("job_enter_cond_locked() with a condition");
    }
    life_enter(life_of(job));
}

void job_enter(Job *job)
{
    life_enter(life_of(job));
}

/* ---- The rate limit ---- */

void block_job_ratelimit_processed_bytes(BlockJob *job, uint64_t n)
{
    struct life *life = life_of(&job->job);

    account_charge(&life->account, n, host_now_ns(life->host));
}

void block_job_ratelimit_sleep(BlockJob *job)
{
    struct life *life = life_of(&job->job);
    uint64_t delay_ns;

    do {
        delay_ns = account_delay_ns(&life->account, host_now_ns(life->host));
        job_sleep_ns(&job->job, (int64_t)delay_ns);
    } while (delay_ns > 0 && !life->force_cancelled);
}

int64_t block_job_ratelimit_get_delay(BlockJob *job, uint64_t n)
{
    struct life *life = life_of(&job->job);

    block_job_ratelimit_processed_bytes(job, n);
    return (int64_t)account_delay_ns(&life->account, host_now_ns(life->host));
}

/* ---- State ---- */

bool job_is_cancelled(Job *job)
{
    return life_of(job)->force_cancelled;
}

bool job_is_cancelled_locked(Job *job)
{
    return life_of(job)->force_cancelled;
}

bool job_cancel_requested(Job *job)
{
    return life_of(job)->cancel_wanted;
}

bool job_is_ready(Job *job)
{
    return life_is_ready(life_of(job));
}

void job_transition_to_ready(Job *job)
{
    if (life_of(job)->status != JOB_STATUS_RUNNING) {
        qemu_die("a job in status %s becomes ready", job_status_name(life_of(job)->status));
    }
    life_become_ready(life_of(job));
}

void job_progress_update(Job *job, uint64_t done)
{
    life_advance(life_of(job), done);
}

void job_progress_set_remaining(Job *job, uint64_t remaining)
{
    life_set_remaining(life_of(job), remaining);
}

void job_progress_increase_remaining(Job *job, uint64_t delta)
{
    life_add_total(life_of(job), delta);
}

/* ---- Errors ---- */

static enum error_policy policy_of(BlockdevOnError on_error)
{
    switch (on_error) {
    case BLOCKDEV_ON_ERROR_IGNORE:
        return POLICY_IGNORE;
    case BLOCKDEV_ON_ERROR_STOP:
        return POLICY_STOP;
    case BLOCKDEV_ON_ERROR_ENOSPC:
    case BLOCKDEV_ON_ERROR_AUTO:
        return POLICY_ENOSPC;
    case BLOCKDEV_ON_ERROR_REPORT:
        break;
    }
    return POLICY_REPORT;
}

BlockErrorAction block_job_error_action(BlockJob *job, BlockdevOnError on_err, int is_read,
                                        int error)
{
    static const BlockErrorAction actions[] = {[ACTION_REPORT] = BLOCK_ERROR_ACTION_REPORT,
                                               [ACTION_IGNORE] = BLOCK_ERROR_ACTION_IGNORE,
                                               [ACTION_STOP] = BLOCK_ERROR_ACTION_STOP};
    struct engine_job *env = job->job.own;
    const Coroutine *co = qemu_co_real("block_job_error_action()");
    enum error_action action;

    assert(error > 0);
    action = life_handle_error(&env->life, policy_of(on_err), is_read ? OP_READ : OP_WRITE, -error,
                               co->failed_offset, co->failed_bytes);
    qemu_job_refresh(env);
    return actions[action];
}
