/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After the run: the exit window, and the states up to NULL (modern-algorithm J6 to J10).
 *
 * Declared in engine/life/life.h: it is a part of the job's life.
 */
#include <assert.h>
#include <errno.h>

#include "engine/life/life.h"

/* A force cancel turns a success into a failure. */
static void settle_result(struct life *life)
{
    if (life->ret == 0 && life->force_cancelled) {
        life->ret = -ECANCELED;
    }
    if (life->ret < 0) {
        life_set_status(life, JOB_STATUS_ABORTING);
    }
}

static void conclude(struct life *life)
{
    if (life->ret < 0 && life->driver->abort != NULL) {
        life->driver->abort(life);
    }
    life_emit(life, life->force_cancelled ? EVENT_JOB_CANCELLED : EVENT_JOB_COMPLETED);
    life_set_status(life, JOB_STATUS_CONCLUDED);
    if (life->spec.auto_dismiss) {
        life_dismiss(life);
    }
}

/* The last reference is gone: nobody knows the job any more. */
static void let_go(void *opaque)
{
    struct life *life = opaque;
    struct host *host = life->host;
    struct job_spec spec = life->spec;
    int ret = life->ret;

    life_release_nodes(life);
    if (life->driver->free != NULL) {
        life->driver->free(life);
    }
    spec.concluded(spec.opaque, ret);
    block_section_end_all(host);
}

/*
 * Letting go of a job changes the graph, if only formally: a drained section over all nodes (J11).
 */
void life_dismiss(struct life *life)
{
    life_set_status(life, JOB_STATUS_NULL);
    block_section_begin_all(life->host, let_go, life);
}

void life_finalize(struct life *life)
{
    assert(life->status == JOB_STATUS_PENDING);
    settle_result(life);
    if (life->ret == 0 && life->driver->prepare != NULL) {
        life->ret = life->driver->prepare(life);
        settle_result(life);
    }
    conclude(life);
}

static void become_pending(struct life *life)
{
    life_set_status(life, JOB_STATUS_WAITING);
    life_set_status(life, JOB_STATUS_PENDING);
    if (life->spec.auto_finalize) {
        life_finalize(life);
    } else {
        life_emit(life, EVENT_JOB_PENDING);
    }
}

static void exit_step(void *opaque)
{
    struct life *life = opaque;

    life->busy = false;
    settle_result(life);
    if (life->ret < 0) {
        conclude(life);
    } else {
        become_pending(life);
    }
}

static void begin_exit(void *opaque)
{
    struct life *life = opaque;

    if (life->driver->exit != NULL) {
        life->driver->exit(life, exit_step);
    } else {
        exit_step(life);
    }
}

void life_end(struct life *life, int ret, const char *own_text)
{
    assert(life->busy && !life->deferred && life->point == POINT_NONE);
    assert(life->status == JOB_STATUS_RUNNING || life->status == JOB_STATUS_READY);
    life->ret = ret;
    life->own_text = own_text;
    life->deferred = true;
    host_defer(life->host, begin_exit, life);
}
