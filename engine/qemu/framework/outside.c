/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user's own framework as what manages the job: its events become ours, its users edges.
 *
 * The job is known by its id.  It is gone when its status is NULL, nobody finds it any more, and
 * nothing of it waits.
 */
#include <string.h>

#include "engine/qemu/modern/env.h"
#include "engine/qemu/modern/inside.h"
#include "mirrorsim/framework.h"

/* In the order of the user's files. */
static const enum job_status statuses[] = {
    JOB_STATUS_UNDEFINED, JOB_STATUS_CREATED,   JOB_STATUS_RUNNING, JOB_STATUS_PAUSED,
    JOB_STATUS_READY,     JOB_STATUS_STANDBY,   JOB_STATUS_WAITING, JOB_STATUS_PENDING,
    JOB_STATUS_ABORTING,  JOB_STATUS_CONCLUDED, JOB_STATUS_NULL};

static bool look(const struct engine_job *env, struct qemu_inside_state *state)
{
    return env->file->inside->look(env->spec.id, state);
}

/* ---- Events ---- */

static void emit(const struct engine_job *env, enum event_kind kind, int ret, uint64_t done,
                 uint64_t total)
{
    struct event event = {.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = block_node_id(env->spec.source),
                          .ret = ret,
                          .offset = done,
                          .bytes = total};

    host_emit(env->common.host, &event);
}

static void emit_now(const struct engine_job *env, enum event_kind kind, bool is_end)
{
    struct qemu_inside_state state;

    if (look(env, &state)) {
        emit(env, kind, is_end ? state.ret : 0, state.done_bytes, state.total_bytes);
    }
}

static void note_start(struct engine_job *env)
{
    struct event event = {.kind = EVENT_JOB_STARTED,
                          .by = BY_JOB,
                          .node = block_node_id(env->spec.source),
                          .index = block_node_id(env->spec.target)};
    struct qemu_inside_state state;

    host_emit(env->common.host, &event);
    env->user.started = true;
    qemu_start_is_over(env, 0);
    if (look(env, &state)) {
        env->job_coroutine = state.co;
    }
}

static bool is_parked(enum job_status status)
{
    return status == JOB_STATUS_PAUSED || status == JOB_STATUS_STANDBY;
}

static void emit_status(struct engine_job *env, enum job_status to)
{
    enum job_status from = env->user.status;
    struct event event = {
        .kind = EVENT_JOB_STATUS, .by = BY_JOB, .detail = (uint8_t)from, .detail2 = (uint8_t)to};

    env->user.status = to;
    host_emit(env->common.host, &event);
    if (is_parked(to)) {
        emit_now(env, EVENT_JOB_PAUSED, false);
    } else if (is_parked(from)) {
        emit_now(env, EVENT_JOB_RESUMED, false);
    }
}

static bool is_ours(const struct engine_job *env, const char *id)
{
    return id != NULL && env->spec.id != NULL && strcmp(id, env->spec.id) == 0;
}

void qapi_event_send_job_status_change(const char *id, JobStatus status)
{
    struct engine_job *env = qemu_job_env();

    assert(status < sizeof(statuses) / sizeof(*statuses));
    if (!is_ours(env, id)) {
        return;
    }
    if (statuses[status] == JOB_STATUS_RUNNING && !env->user.started) {
        note_start(env);
    }
    emit_status(env, statuses[status]);
    if (statuses[status] == JOB_STATUS_CREATED && env->spec.announced != NULL) {
        env->spec.announced(env->spec.opaque, env);
    }
}

void qapi_event_send_block_job_ready(JobType type, const char *device, int64_t len, int64_t offset,
                                     int64_t speed)
{
    (void)type;
    (void)device;
    (void)speed;
    emit(qemu_job_env(), EVENT_JOB_READY, 0, (uint64_t)offset, (uint64_t)len);
}

void qapi_event_send_block_job_pending(JobType type, const char *id)
{
    (void)type;
    (void)id;
    emit_now(qemu_job_env(), EVENT_JOB_PENDING, false);
}

static void note_end(struct engine_job *env, enum event_kind kind)
{
    struct qemu_inside_state state;

    env->user.ret = look(env, &state) ? state.ret : 0;
    emit_now(env, kind, true);
}

void qapi_event_send_block_job_completed(JobType type, const char *device, int64_t len,
                                         int64_t offset, int64_t speed, const char *error)
{
    (void)type;
    (void)device;
    (void)len;
    (void)offset;
    (void)speed;
    (void)error;
    note_end(qemu_job_env(), EVENT_JOB_COMPLETED);
}

void qapi_event_send_block_job_cancelled(JobType type, const char *device, int64_t len,
                                         int64_t offset, int64_t speed)
{
    (void)type;
    (void)device;
    (void)len;
    (void)offset;
    (void)speed;
    note_end(qemu_job_env(), EVENT_JOB_CANCELLED);
}

void qapi_event_send_block_job_error(const char *device, IoOperationType operation,
                                     BlockErrorAction action)
{
    static const enum error_action actions[] = {[BLOCK_ERROR_ACTION_IGNORE] = ACTION_IGNORE,
                                                [BLOCK_ERROR_ACTION_REPORT] = ACTION_REPORT,
                                                [BLOCK_ERROR_ACTION_STOP] = ACTION_STOP};
    struct engine_job *env = qemu_job_env();
    const Coroutine *co = qemu_co_real("block_job_error_action()");
    const struct block_node *node = operation == 0 ? env->spec.source : env->spec.target;
    struct event event = {.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = (uint8_t)(operation == 0 ? OP_READ : OP_WRITE),
                          .node = block_node_id(node),
                          .detail = (uint8_t)actions[action],
                          .ret = co->failed_ret < 0 ? co->failed_ret : env->common.last_error,
                          .offset = co->failed_offset,
                          .bytes = co->failed_bytes};

    (void)device;
    host_emit(env->common.host, &event);
}

/* ---- Progress ---- */

static void publish(const ProgressMeter *meter)
{
    struct engine_job *env = qemu_job_env();

    if (meter->current != env->user.published_done || meter->total != env->user.published_total) {
        env->user.published_done = meter->current;
        env->user.published_total = meter->total;
        emit(env, EVENT_JOB_PROGRESS, 0, meter->current, meter->total);
    }
}

void progress_init(ProgressMeter *meter)
{
    *meter = (ProgressMeter){.current = 0};
}

void progress_destroy(ProgressMeter *meter)
{
    (void)meter;
}

void progress_get_snapshot(ProgressMeter *meter, uint64_t *current, uint64_t *total)
{
    *current = meter->current;
    *total = meter->total;
}

void progress_work_done(ProgressMeter *meter, uint64_t done)
{
    meter->current += done;
    publish(meter);
}

void progress_set_remaining(ProgressMeter *meter, uint64_t remaining)
{
    meter->total = meter->current + remaining;
    publish(meter);
}

void progress_increase_remaining(ProgressMeter *meter, uint64_t delta)
{
    meter->total += delta;
    publish(meter);
}

/* ---- Users of nodes ---- */

static void section_begun(void *opaque)
{
    struct qemu_use *use = opaque;
    struct engine_job *env = use->env;
    struct qemu_env *before = qemu_begin_call(env);

    use->child.own_class->drained_begin(&use->child);
    qemu_end_call(env, before);
}

static bool disturbs_section(void *opaque)
{
    struct qemu_use *use = opaque;
    struct engine_job *env = use->env;
    struct qemu_env *before = qemu_begin_call(env);
    bool busy = use->child.own_class->drained_poll(&use->child);

    qemu_end_call(env, before);
    return busy;
}

static void section_ended(void *opaque)
{
    struct qemu_use *use = opaque;
    struct engine_job *env = use->env;
    struct qemu_env *before = qemu_begin_call(env);

    use->child.own_class->drained_end(&use->child);
    qemu_end_call(env, before);
}

BdrvChild *bdrv_root_attach_child(BlockDriverState *bs, const char *name,
                                  const BdrvChildClass *klass, BdrvChildRole role, uint64_t perm,
                                  uint64_t shared_perm, void *opaque, Error **errp)
{
    static const struct edge_user user = {section_begun, disturbs_section, section_ended};
    struct engine_job *env = qemu_job_env();
    struct qemu_use *use = host_alloc(env->common.host, sizeof(*use));

    (void)name;
    (void)role;
    (void)perm;
    (void)shared_perm;
    (void)errp;
    if (klass->parent_is_bds || !klass->stay_at_node || bs->own->block == NULL) {
        qemu_unsupported("a user that is a node or moves, or one of a node outside the graph");
    }
    use->env = env;
    use->node = bs->own;
    use->child.own_class = klass;
    use->child.own_opaque = opaque;
    use->child.bs = bs;
    SLIST_INSERT_HEAD(&env->uses, use, link);
    use->edge = block_edge_attach(bs->own->block, &user, use);
    qemu_nodes_relink(env);
    return &use->child;
}

void bdrv_root_unref_child(BdrvChild *child)
{
    struct engine_job *env = qemu_job_env();
    struct qemu_use *use = container_of(child, struct qemu_use, child);
    BlockDriverState *bs = &use->node->bs;

    block_edge_detach(use->edge);
    SLIST_REMOVE(&env->uses, use, qemu_use, link);
    host_free(env->common.host, use, sizeof(*use));
    qemu_nodes_relink(env);
    bdrv_unref(bs);
}

void bdrv_drain_all_begin(void)
{
    qemu_drain_all_begin(qemu_job_env());
}

void bdrv_drain_all_end(void)
{
    qemu_drain_all_end(qemu_job_env());
}

const char *bdrv_get_device_name(const BlockDriverState *bs)
{
    return bs->node_name;
}

const char *bdrv_get_device_or_node_name(const BlockDriverState *bs)
{
    return bs->node_name;
}

/* ---- Words ---- */

const char *JobStatus_str(JobStatus status)
{
    return job_status_name(statuses[status]);
}

const char *JobVerb_str(JobVerb verb)
{
    static const char *const names[] = {"cancel",   "pause",   "resume",   "set-speed",
                                        "complete", "dismiss", "finalize", "change"};

    return names[verb];
}

const char *JobType_str(JobType type)
{
    return type == JOB_TYPE_COMMIT ? "commit" : "mirror";
}

/* ---- What manages the job ---- */

static bool has_started(const struct engine_job *env)
{
    return env->user.started;
}

static bool synced(const struct engine_job *env)
{
    struct qemu_inside_state state;

    return look(env, &state) ? state.synced : env->shown_synced;
}

static const char *error_text(const struct qemu_inside_state *state)
{
    if (state->ret == 0) {
        return NULL;
    }
    return state->error_text != NULL ? state->error_text : strerror(-state->ret);
}

static void query(const struct engine_job *env, struct job_info *info)
{
    static const enum io_status io_statuses[] = {IO_STATUS_OK, IO_STATUS_FAILED, IO_STATUS_NOSPACE};
    struct qemu_inside_state state;

    *info = (struct job_info){.kind = env->spec.kind, .status = env->user.status};
    if (!look(env, &state)) {
        return;
    }
    *info = (struct job_info){
        .kind = state.is_commit ? JOB_COMMIT : JOB_MIRROR,
        .status = statuses[state.status],
        .offset = state.done_bytes,
        .len = state.total_bytes,
        .speed = (uint64_t)state.speed,
        .io_status = io_statuses[state.io_status],
        .busy = state.busy,
        .paused = state.pause_wanted,
        .ready = env->user.status == JOB_STATUS_READY || env->user.status == JOB_STATUS_STANDBY,
        .cancelled = state.cancel_wanted,
        .actively_synced = state.synced,
        .error_text = error_text(&state),
    };
}

/* Why it may have refused the verb, in our words. */
static enum job_refusal refusal_of(enum job_verb verb, const struct qemu_inside_state *state)
{
    static const enum job_refusal refusals[VERB_COUNT] = {
        [VERB_CANCEL] = REFUSED_VERB,       [VERB_PAUSE] = REFUSED_PAUSED,
        [VERB_RESUME] = REFUSED_NOT_PAUSED, [VERB_SET_SPEED] = REFUSED_INVALID_PARAMETER,
        [VERB_CHANGE] = REFUSED_MODE,       [VERB_COMPLETE] = REFUSED_NOT_READY,
        [VERB_FINALIZE] = REFUSED_VERB,     [VERB_DISMISS] = REFUSED_VERB};

    if (verb == VERB_RESUME && !state->user_paused) {
        return REFUSED_NOT_PAUSED;
    }
    if (!life_allows(statuses[state->status], verb)) {
        return REFUSED_VERB;
    }
    return verb == VERB_CHANGE && state->is_commit ? REFUSED_TYPE : refusals[verb];
}

static int command(struct engine_job *env, enum job_verb verb, int64_t arg, struct job_error *error)
{
    static const enum qemu_inside_verb verbs[VERB_COUNT] = {
        [VERB_CANCEL] = INSIDE_CANCEL,     [VERB_PAUSE] = INSIDE_PAUSE,
        [VERB_RESUME] = INSIDE_RESUME,     [VERB_SET_SPEED] = INSIDE_SET_SPEED,
        [VERB_CHANGE] = INSIDE_CHANGE,     [VERB_COMPLETE] = INSIDE_COMPLETE,
        [VERB_FINALIZE] = INSIDE_FINALIZE, [VERB_DISMISS] = INSIDE_DISMISS};
    struct qemu_inside_state state;
    Error *from = NULL;

    if (!look(env, &state)) {
        return life_refuse(error, REFUSED_NOT_ACTIVE, -EBUSY, "there is no job any more");
    }
    env->refusal = REFUSED_NOT;
    env->common.last_error = 0;
    env->file->inside->command(env->spec.id, verbs[verb],
                               verb == VERB_CHANGE ? arg == COPY_WRITE_BLOCKING : arg, &from);
    return from == NULL ? 0 : qemu_refuse_with(env, from, refusal_of(verb, &state), error);
}

static void add_digest(const struct engine_job *env, struct digest *digest)
{
    struct job_info info;

    query(env, &info);
    digest_u64(digest, info.status);
    digest_flags(digest, info.busy, info.paused, info.cancelled, info.actively_synced);
    digest_progress(digest, info.offset);
    digest_progress(digest, info.len);
    digest_u64(digest, info.speed);
    digest_u64(digest, info.io_status);
}

static void check(const struct engine_job *env)
{
    assert(env->user.status < JOB_STATUS_COUNT);
}

static void refresh(struct engine_job *env)
{
    (void)env; /* the structs are its own */
}

static void settle(struct engine_job *env)
{
    struct qemu_inside_state state;

    if (env->gone || !env->user.started || env->user.status != JOB_STATUS_NULL ||
        env->user.deferred > 0 || !LIST_EMPTY(&env->coroutines) || look(env, &state)) {
        return;
    }
    env->depth++;
    qemu_free_nodes(env);
    env->spec.concluded(env->spec.opaque, env->user.ret);
    env->gone = true;
    env->depth--;
}

const struct qemu_framework qemu_user_framework = {
    .has_started = has_started,
    .command = command,
    .query = query,
    .synced = synced,
    .digest = add_digest,
    .check = check,
    .refresh = refresh,
    .settle = settle,
};
