/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pauses, sleep, and what an error does (modern-algorithm J2 to J5, E').
 *
 * Declared in engine/life/life.h: it is a part of the job's life.
 */
#include <assert.h>
#include <errno.h>

#include "engine/life/life.h"

/* ---- From outside ---- */

static void go_on(struct life *life)
{
    if (life->timer != NULL) {
        host_timer_stop(life->host, life->timer);
        life->timer = NULL;
    }
    life->busy = true;
    life->driver->wake(life);
}

void life_enter(struct life *life)
{
    if (life->started && !life->deferred && !life->busy) {
        go_on(life);
    }
}

void life_pause(struct life *life)
{
    life->pause_count++;
    if (!life->parked) {
        life_enter(life);
    }
}

/* No sleep is left to be slept (J4): the pause has ended it. */
void life_resume(struct life *life)
{
    assert(life->pause_count > 0 && life->timer == NULL);
    life->pause_count--;
    if (life->pause_count == 0) {
        life_enter(life);
    }
}

/* ---- From the continuation ---- */

static bool must_pause(const struct life *life)
{
    return life->pause_count > 0 && !life->force_cancelled;
}

static enum life_step park(struct life *life)
{
    bool ready = life->status == JOB_STATUS_READY;

    life_set_status(life, ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED);
    life_emit(life, EVENT_JOB_PAUSED);
    life->point = POINT_PARKED;
    life->parked = true;
    life->busy = false;
    return LIFE_WAIT;
}

static enum life_step unpark(struct life *life)
{
    bool ready = life->status == JOB_STATUS_STANDBY;

    life->point = POINT_NONE;
    life->parked = false;
    life_set_status(life, ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING);
    life_emit(life, EVENT_JOB_RESUMED);
    return LIFE_GO;
}

enum life_step life_pause_point(struct life *life)
{
    assert(life->busy && !life->deferred);
    if (life->point == POINT_NONE) {
        life->point = must_pause(life) ? POINT_QUIESCING : POINT_NONE;
        return life->point == POINT_NONE ? LIFE_GO : LIFE_QUIESCE;
    }
    if (life->point == POINT_QUIESCING) {
        life->point = POINT_NONE;
        return must_pause(life) ? park(life) : LIFE_GO;
    }
    if (must_pause(life)) {
        /* Woken while somebody still wants the pause: nobody sees it (M10). */
        life->busy = false;
        return LIFE_WAIT;
    }
    return unpark(life);
}

static void timer_fired(void *opaque)
{
    struct life *life = opaque;

    life->timer = NULL;
    life_enter(life);
}

static enum life_step rest(struct life *life, bool with_timer, uint64_t delay_ns)
{
    assert(life->busy && life->point == POINT_NONE);
    if (life->force_cancelled) {
        return LIFE_GO;
    }
    if (life->pause_count > 0) {
        return life_pause_point(life);
    }
    life->busy = false;
    if (with_timer) {
        life->wake_ns = host_now_ns(life->host) + delay_ns;
        life->timer = host_timer_start(life->host, delay_ns, timer_fired, life);
    }
    return LIFE_WAIT;
}

enum life_step life_sleep(struct life *life, uint64_t delay_ns)
{
    return rest(life, true, delay_ns);
}

enum life_step life_idle(struct life *life)
{
    return rest(life, false, 0);
}

/* ---- Errors ---- */

static enum error_action action_for(enum error_policy policy, int error)
{
    switch (policy) {
    case POLICY_IGNORE:
        return ACTION_IGNORE;
    case POLICY_STOP:
        return ACTION_STOP;
    case POLICY_ENOSPC:
        return error == -ENOSPC ? ACTION_STOP : ACTION_REPORT;
    case POLICY_REPORT:
        break;
    }
    return ACTION_REPORT;
}

/* E4: as if the user had paused; several failures add one pause, the first gives the status. */
static void stop_on_error(struct life *life, int error)
{
    if (!life->user_paused) {
        life_pause(life);
        life->user_paused = true;
    }
    if (life->io_status == IO_STATUS_OK) {
        life->io_status = error == -ENOSPC ? IO_STATUS_NOSPACE : IO_STATUS_FAILED;
    }
}

enum error_action life_handle_error(struct life *life, enum error_policy policy, enum op side,
                                    int error, uint64_t offset, uint64_t bytes)
{
    struct block_node *node = side == OP_READ ? life->spec.source : life->spec.target;
    enum error_action action = action_for(policy, error);
    struct event event = {.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = (uint8_t)side,
                          .node = block_node_id(node),
                          .detail = (uint8_t)action,
                          .ret = error,
                          .offset = offset,
                          .bytes = bytes};

    assert(error < 0 && (side == OP_READ || side == OP_WRITE));
    host_emit(life->host, &event);
    if (action == ACTION_STOP) {
        stop_on_error(life, error);
    }
    return action;
}
