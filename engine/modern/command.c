/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What complete, cancel and change are for a mirror (modern-algorithm C3', C4', J7, W8).
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>

#include "engine/modern/modern.h"

static int claim_to_replace(struct engine_job *mirror, struct job_error *error)
{
    const char *name = mirror->life.spec.replaces;
    struct block_node *node;

    if (name == NULL || mirror->to_replace != NULL) {
        return 0;
    }
    node = block_node_find(mirror->life.host, name);
    if (node == NULL) {
        return life_refuse(error, REFUSED_NOT_FOUND, -ENOENT, "there is no node \"%s\"", name);
    }
    block_ref(node);
    block_op_block_all(node);
    mirror->to_replace = node;
    return 0;
}

void modern_release_to_replace(struct engine_job *mirror)
{
    if (mirror->to_replace != NULL) {
        block_op_unblock_all(mirror->to_replace);
        block_unref(mirror->to_replace);
        mirror->to_replace = NULL;
    }
}

/* A second time it only wakes the job; one that is parked goes on when it is resumed. */
int modern_complete(struct life *life, struct job_error *error)
{
    struct engine_job *mirror = modern_of_life(life);
    int ret = claim_to_replace(mirror, error);

    if (ret == 0) {
        mirror->complete_wanted = true;
        if (!life->parked) {
            life_enter(life);
        }
    }
    return ret;
}

bool modern_cancel(struct life *life, bool force)
{
    return force || !life_is_ready(life);
}

int modern_change(struct life *life, int64_t mode, struct job_error *error)
{
    struct engine_job *mirror = modern_of_life(life);

    assert(mode == COPY_BACKGROUND || mode == COPY_WRITE_BLOCKING);
    if (life->spec.kind == JOB_COMMIT) {
        return life_refuse(error, REFUSED_TYPE, -ENOTSUP, "a commit can't be changed");
    }
    if (mode == COPY_BACKGROUND && mirror->write_blocking) {
        return life_refuse(error, REFUSED_MODE, -ENOTSUP,
                           "the copy mode can't be changed back to background");
    }
    mirror->write_blocking = mode == COPY_WRITE_BLOCKING;
    return 0;
}
