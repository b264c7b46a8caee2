/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of a mirror job (mirror-algorithm C1 to C5).
 *
 * A refused command changes nothing (D16).
 *
 * Declared in engine/2.2/mirror.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "engine/2.2/mirror.h"

/* C4: may the named node be replaced?  *node is it. */
static int find_to_replace(struct engine_job *mirror, struct block_node **node,
                           struct job_error *error)
{
    *node = block_node_find(mirror->job.host, mirror->job.spec.replaces);
    if (*node == NULL) {
        return job_refuse(error, REFUSED_NOT_FOUND, -ENOENT, "no such node to replace");
    }
    if (block_is_blocked(*node)) {
        return job_refuse(error, REFUSED_BLOCKED, -EBUSY, "the node to replace is in use");
    }
    if (!block_is_topmost_non_filter(*node)) {
        return job_refuse(error, REFUSED_BLOCKED, -EINVAL,
                          "only the topmost non-filter node can be replaced");
    }
    return 0;
}

static int command_complete(struct engine_job *mirror, struct job_error *error)
{
    struct block_node *to_replace = NULL;
    int ret = 0;

    if (mirror->complete_wanted) {
        return 0; /* D9 */
    }
    if (mirror->job.spec.replaces != NULL) {
        ret = find_to_replace(mirror, &to_replace, error);
        if (ret < 0) {
            return ret;
        }
    }
    ret = block_open_backing(mirror->job.spec.target);
    if (ret < 0) {
        return job_refuse(error, REFUSED_FAILED, ret, "can't open the target's backing file");
    }
    if (to_replace != NULL) {
        job_claim_node(to_replace);
        mirror->to_replace = to_replace;
    }
    mirror->complete_wanted = true;
    mirror_kick(mirror);
    return 0;
}

/* C3; a cancel withdraws an earlier complete (D10). */
static void command_cancel(struct engine_job *mirror)
{
    mirror->job.cancelled = true;
    mirror->complete_wanted = false;
    mirror_release_to_replace(mirror);
    job_clear_pause(&mirror->job);
    mirror_kick(mirror);
}

/* C2; without a pause there is nothing to resume (D17). */
static void command_resume(struct engine_job *mirror)
{
    if (mirror->job.pause_wanted) {
        job_clear_pause(&mirror->job);
        mirror_kick(mirror);
    }
}

/*
 * C5, T3; a job that sleeps for the old speed looks again at once.  A trip through
 * the event loop (L6, 0 ns) is no such sleep, and keeps its turn.
 */
static int command_set_speed(struct engine_job *mirror, int64_t speed, struct job_error *error)
{
    uint64_t now_ns = host_now_ns(mirror->job.host);

    if (speed < 0) {
        return job_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                          "parameter 'speed' must not be negative");
    }
    mirror->job.speed = (uint64_t)speed;
    ratelimit_set_speed(&mirror->limit, mirror->job.speed, now_ns);
    if (mirror->phase == PHASE_SLEEP && !mirror->job.ready && mirror->wake_ns > now_ns) {
        mirror_kick(mirror);
    }
    return 0;
}

int mirror_command(struct engine_job *mirror, enum job_verb verb, int64_t arg,
                   struct job_error *error)
{
    int ret = job_check_verb(&mirror->job, mirror_status(mirror), verb, error);

    if (ret < 0) {
        return ret;
    }
    switch (verb) {
    case VERB_COMPLETE:
        ret = command_complete(mirror, error);
        break;
    case VERB_CANCEL:
        command_cancel(mirror);
        break;
    case VERB_PAUSE:
        mirror->job.pause_wanted = true;
        break;
    case VERB_RESUME:
        command_resume(mirror);
        break;
    case VERB_SET_SPEED:
        ret = command_set_speed(mirror, arg, error);
        break;
    case VERB_FINALIZE:
    case VERB_DISMISS:
    case VERB_CHANGE:
    case VERB_COUNT:
        assert(false);
    }
    if (ret == 0) {
        mirror_run(mirror);
    }
    return ret;
}
