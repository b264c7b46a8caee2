/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verbs that users give a job (modern-algorithm J1 to J5, J7, C1' to C4').
 *
 * Declared in engine/life/life.h: it is a part of the job's life.
 */
#include <assert.h>
#include <errno.h>

#include "engine/life/life.h"

static int refuse_verb(const struct life *life, enum job_verb verb, struct job_error *error)
{
    return life_refuse(error, REFUSED_VERB, -EPERM, "a job in status %s can't accept %s",
                       job_status_name(life->status), job_verb_name(verb));
}

/* The user's pause, or an error's, is over; the others' stay. */
static void undo_user_pause(struct life *life)
{
    life->io_status = IO_STATUS_OK;
    life->user_paused = false;
}

static int command_pause(struct life *life, struct job_error *error)
{
    if (life->user_paused) {
        return life_refuse(error, REFUSED_PAUSED, -EBUSY, "the job is paused already");
    }
    life->user_paused = true;
    life_pause(life);
    return 0;
}

static int command_resume(struct life *life, struct job_error *error)
{
    (void)error;
    undo_user_pause(life);
    life_resume(life);
    return 0;
}

/* J5, J7; in the exit window a force cancel is seen by the step that ends it. */
static int command_cancel(struct life *life, bool force)
{
    bool forces = life->driver->cancel == NULL || life->driver->cancel(life, force);

    if (life->user_paused) {
        undo_user_pause(life);
        assert(life->pause_count > 0);
        life->pause_count--;
    }
    if (forces || !life->deferred) {
        life->cancel_wanted = true;
        life->force_cancelled |= forces;
    }
    if (life->status == JOB_STATUS_PENDING) {
        assert(life->force_cancelled);
        life_finalize(life);
    } else {
        life_enter(life);
    }
    return 0;
}

static int command_set_speed(struct life *life, int64_t speed, struct job_error *error)
{
    uint64_t before = life->speed;

    if (speed < 0) {
        return life_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                           "the speed can't be negative");
    }
    life->speed = (uint64_t)speed;
    account_set_speed(&life->account, life->speed);
    if ((life->speed == 0 || life->speed > before) && life->timer != NULL) {
        life_enter(life);
    }
    return 0;
}

static int command_complete(struct life *life, struct job_error *error)
{
    if (life->cancel_wanted || life->driver->complete == NULL) {
        return life_refuse(error, REFUSED_NOT_READY, -EBUSY, "the job can't be completed");
    }
    return life->driver->complete(life, error);
}

static int command_change(struct life *life, int64_t mode, struct job_error *error)
{
    if (life->driver->change == NULL) {
        return life_refuse(error, REFUSED_TYPE, -ENOTSUP, "a job of this kind can't be changed");
    }
    return life->driver->change(life, mode, error);
}

static int give(struct life *life, enum job_verb verb, int64_t arg, struct job_error *error)
{
    switch (verb) {
    case VERB_COMPLETE:
        return command_complete(life, error);
    case VERB_CANCEL:
        return command_cancel(life, arg != 0);
    case VERB_PAUSE:
        return command_pause(life, error);
    case VERB_RESUME:
        return command_resume(life, error);
    case VERB_SET_SPEED:
        return command_set_speed(life, arg, error);
    case VERB_FINALIZE:
        life_finalize(life);
        return 0;
    case VERB_DISMISS:
        life_dismiss(life);
        return 0;
    case VERB_CHANGE:
        return command_change(life, arg, error);
    case VERB_COUNT:
        break;
    }
    assert(false);
    return -EINVAL;
}

int life_command(struct life *life, enum job_verb verb, int64_t arg, struct job_error *error)
{
    if (verb == VERB_RESUME && !life->user_paused) {
        return life_refuse(error, REFUSED_NOT_PAUSED, -EPERM,
                           "neither the user nor an error has paused the job");
    }
    if (!life_allows(life->status, verb)) {
        return refuse_verb(life, verb, error);
    }
    return give(life, verb, arg, error);
}
