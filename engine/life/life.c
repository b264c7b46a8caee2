/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The states of a job and their two tables; making a job, its nodes, its progress, its events.
 */
#include "engine/life/life.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/range.h"

#define STATUS(name) (1u << JOB_STATUS_##name)
#define ACTIVE \
    (STATUS(CREATED) | STATUS(RUNNING) | STATUS(PAUSED) | STATUS(READY) | STATUS(STANDBY))

/* What may follow each state (J). */
static const unsigned followers[JOB_STATUS_COUNT] = {
    [JOB_STATUS_UNDEFINED] = STATUS(CREATED),
    [JOB_STATUS_CREATED] = STATUS(RUNNING) | STATUS(ABORTING) | STATUS(NULL),
    [JOB_STATUS_RUNNING] = STATUS(PAUSED) | STATUS(READY) | STATUS(WAITING) | STATUS(ABORTING),
    [JOB_STATUS_PAUSED] = STATUS(RUNNING),
    [JOB_STATUS_READY] = STATUS(STANDBY) | STATUS(WAITING) | STATUS(ABORTING),
    [JOB_STATUS_STANDBY] = STATUS(READY),
    [JOB_STATUS_WAITING] = STATUS(PENDING) | STATUS(ABORTING),
    [JOB_STATUS_PENDING] = STATUS(CONCLUDED) | STATUS(ABORTING),
    [JOB_STATUS_ABORTING] = STATUS(CONCLUDED),
    [JOB_STATUS_CONCLUDED] = STATUS(NULL),
};

/* In which states each verb is legal (J1). */
static const unsigned legal_in[VERB_COUNT] = {
    [VERB_CANCEL] = ACTIVE | STATUS(WAITING) | STATUS(PENDING),
    [VERB_PAUSE] = ACTIVE,
    [VERB_RESUME] = ACTIVE,
    [VERB_SET_SPEED] = ACTIVE,
    [VERB_CHANGE] = ACTIVE,
    [VERB_COMPLETE] = STATUS(READY) | STATUS(STANDBY),
    [VERB_FINALIZE] = STATUS(PENDING),
    [VERB_DISMISS] = STATUS(CONCLUDED),
};

bool life_may_follow(enum job_status from, enum job_status to)
{
    assert(from < JOB_STATUS_COUNT && to < JOB_STATUS_COUNT);
    return (followers[from] >> to & 1) != 0;
}

bool life_allows(enum job_status status, enum job_verb verb)
{
    assert(status < JOB_STATUS_COUNT && verb < VERB_COUNT);
    return (legal_in[verb] >> status & 1) != 0;
}

/* ---- Events ---- */

void life_set_status(struct life *life, enum job_status status)
{
    struct event event = {.kind = EVENT_JOB_STATUS,
                          .by = BY_JOB,
                          .detail = (uint8_t)life->status,
                          .detail2 = (uint8_t)status};

    assert(life_may_follow(life->status, status));
    life->status = status;
    host_emit(life->host, &event);
}

void life_emit(const struct life *life, enum event_kind kind)
{
    bool is_end = kind == EVENT_JOB_COMPLETED || kind == EVENT_JOB_CANCELLED;
    struct event event = {.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = block_node_id(life->spec.source),
                          .ret = is_end ? life->ret : 0,
                          .offset = life->done_bytes,
                          .bytes = life->total_bytes};

    host_emit(life->host, &event);
}

int life_refuse(struct job_error *error, enum job_refusal refusal, int ret, const char *format, ...)
{
    va_list args;

    error->refusal = refusal;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return ret;
}

/* ---- Beginning ---- */

int life_create(struct life *life, struct host *host, const struct life_driver *driver,
                const struct job_spec *spec, struct job_error *error)
{
    assert(driver->wake != NULL && driver->is_busy != NULL);
    if (spec->id == NULL) {
        return life_refuse(error, REFUSED_ID, -EINVAL, "the job has no id");
    }
    *life = (struct life){.host = host,
                          .driver = driver,
                          .spec = *spec,
                          .status = JOB_STATUS_UNDEFINED,
                          .pause_count = 1};
    life_set_status(life, JOB_STATUS_CREATED);
    if (spec->speed < 0) {
        life_set_status(life, JOB_STATUS_NULL);
        return life_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                           "the speed can't be negative");
    }
    life->speed = (uint64_t)spec->speed;
    account_set_speed(&life->account, life->speed);
    return 0;
}

void life_start(struct life *life)
{
    assert(life->pause_count > 0);
    life->pause_count--;
    life->started = true;
    life->busy = true;
    life_set_status(life, JOB_STATUS_RUNNING);
    life->driver->wake(life);
}

void life_fail_early(struct life *life)
{
    assert(!life->started);
    life_release_nodes(life);
    life_set_status(life, JOB_STATUS_NULL);
}

/* ---- Nodes ---- */

struct life_use {
    struct life_use *next;
    struct block_node *node;
    struct block_edge *edge;
};

static void section_begun(void *opaque)
{
    life_pause(opaque);
}

static bool disturbs_section(void *opaque)
{
    const struct life *life = opaque;

    return life->busy && life->driver->is_busy(life);
}

static void section_ended(void *opaque)
{
    life_resume(opaque);
}

void life_add_node(struct life *life, struct block_node *node)
{
    static const struct edge_user user = {section_begun, disturbs_section, section_ended};
    struct life_use *use = host_alloc(life->host, sizeof(*use));

    block_ref(node);
    block_op_block_all(node);
    *use = (struct life_use){.next = life->uses, .node = node};
    life->uses = use;
    use->edge = block_edge_attach(node, &user, life);
}

void life_release_nodes(struct life *life)
{
    while (life->uses != NULL) {
        struct life_use *use = life->uses;
        struct block_node *node = use->node;

        life->uses = use->next;
        block_edge_detach(use->edge);
        host_free(life->host, use, sizeof(*use));
        block_op_unblock_all(node);
        block_unref(node);
    }
}

/* ---- Progress ---- */

static void publish(struct life *life)
{
    if (life->done_bytes != life->published_done || life->total_bytes != life->published_total) {
        life->published_done = life->done_bytes;
        life->published_total = life->total_bytes;
        life_emit(life, EVENT_JOB_PROGRESS);
    }
}

/* Between passes more can be done than the last one has counted (L2', O9): the total stays. */
void life_advance(struct life *life, uint64_t bytes)
{
    life->done_bytes += bytes;
    publish(life);
}

void life_add_total(struct life *life, uint64_t bytes)
{
    life->total_bytes += bytes;
    publish(life);
}

void life_set_remaining(struct life *life, uint64_t bytes)
{
    life->total_bytes = life->done_bytes + bytes;
    publish(life);
}

void life_become_ready(struct life *life)
{
    life_set_status(life, JOB_STATUS_READY);
    life_emit(life, EVENT_JOB_READY);
}

/* ---- Looking ---- */

static const char *error_text(const struct life *life)
{
    if (life->ret == 0) {
        return NULL;
    }
    return life->own_text != NULL ? life->own_text : strerror(-life->ret);
}

void life_query(const struct life *life, struct job_info *info)
{
    *info = (struct job_info){
        .kind = life->spec.kind,
        .status = life->status,
        .offset = life->done_bytes,
        .len = life->total_bytes,
        .speed = life->speed,
        .io_status = life->io_status,
        .busy = life->busy,
        .paused = life->pause_count > 0,
        .ready = life_is_ready(life),
        .cancelled = life->cancel_wanted,
        .error_text = error_text(life),
        .dirty_bytes = -1,
    };
}

void life_digest(const struct life *life, struct digest *digest)
{
    digest_u64(digest, life->status);
    digest_u64(digest, life->point);
    digest_u64(digest, life->pause_count);
    digest_flags(digest, life->user_paused, life->started, life->busy, life->parked, life->deferred,
                 life->cancel_wanted, life->force_cancelled, life->timer != NULL,
                 life->own_text != NULL);
    digest_i64(digest, life->ret);
    digest_progress(digest, life->done_bytes);
    digest_progress(digest, life->total_bytes);
    digest_progress(digest, life->published_done);
    digest_progress(digest, life->published_total);
    digest_u64(digest, life->speed);
    digest_u64(digest, life->io_status);
    digest_u64(digest, life->timer != NULL
                           ? life->wake_ns - min_u64(life->wake_ns, host_now_ns(life->host))
                           : 0);
    account_digest(&life->account, host_now_ns(life->host), digest);
}

void life_check(const struct life *life)
{
    assert(life->status < JOB_STATUS_COUNT && life->status != JOB_STATUS_CONCLUDING);
    assert(life->parked == (life->point == POINT_PARKED));
    assert(!life->parked || !life->busy);
    assert(life->timer == NULL || !life->busy);
    assert(!life->user_paused || life->pause_count > 0);
    assert(!life->force_cancelled || life->cancel_wanted);
    assert(!life->deferred || life->timer == NULL);
    assert(life->parked ==
           (life->status == JOB_STATUS_PAUSED || life->status == JOB_STATUS_STANDBY));
}
