/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is special about an active commit (modern-algorithm A').
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>

#include "engine/modern/modern.h"

int modern_commit_prepare(struct engine_job *mirror, struct job_error *error)
{
    struct block_node *base = mirror->life.spec.target;
    int ret;

    mirror->base_was_read_only = block_is_read_only(base);
    if (!mirror->base_was_read_only) {
        return 0;
    }
    ret = block_set_read_only(base, false);
    if (ret < 0) {
        mirror->base_was_read_only = false;
        return life_refuse(error, REFUSED_FAILED, ret, "the base can't be made writable");
    }
    return 0;
}

void modern_commit_claim(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    struct block_node *node = block_backing(spec->source);

    for (; node != spec->target; node = block_backing(node)) {
        assert(node != NULL); /* the base is below the top */
        life_add_node(&mirror->life, node);
    }
}

int modern_commit_grow(struct engine_job *mirror, uint64_t target_length)
{
    if (target_length >= mirror->length) {
        return 0;
    }
    return block_truncate(mirror->life.spec.target, mirror->length);
}

void modern_commit_restore(struct engine_job *mirror)
{
    if (mirror->base_was_read_only) {
        mirror->base_was_read_only = false;
        block_set_read_only(mirror->life.spec.target, true);
    }
}
