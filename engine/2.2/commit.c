/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Active commit (mirror-algorithm section 9): merging the top into its base.
 *
 * It is a mirror job whose target is the base; what differs is the set-up
 * here, the base that allocation is asked above, and the link that is cut
 * after the pivot.
 *
 * Declared in engine/2.2/mirror.h: it is how a commit starts and ends.
 */
#include <errno.h>

#include "engine/2.2/mirror.h"

/* The base must hold all of the top.  *base_bytes is what it held before. */
static int grow_base(const struct job_spec *spec, uint64_t *base_bytes, struct job_error *error)
{
    uint64_t top_bytes;
    int ret = block_getlength(spec->source, &top_bytes);

    if (ret < 0) {
        return job_refuse(error, REFUSED_FAILED, ret,
                          "can't determine the length of the top image");
    }
    ret = block_getlength(spec->target, base_bytes);
    if (ret < 0) {
        return job_refuse(error, REFUSED_FAILED, ret,
                          "can't determine the length of the base image");
    }
    if (*base_bytes >= top_bytes) {
        return 0;
    }
    ret = block_truncate(spec->target, top_bytes);
    if (ret < 0) {
        job_refuse(error, REFUSED_FAILED, ret,
                   "Top image %s is larger than base image %s, and resize of base image failed",
                   block_node_name(spec->source), block_node_name(spec->target));
    }
    return ret;
}

/* The base as it was before, as far as it can be. */
static void shrink_base(const struct job_spec *spec, uint64_t base_bytes)
{
    uint64_t bytes;

    if (block_getlength(spec->target, &bytes) == 0 && bytes > base_bytes) {
        block_truncate(spec->target, base_bytes);
    }
}

int commit_start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error)
{
    struct job_spec commit = *spec;
    uint32_t base_flags = block_flags(spec->target);
    uint64_t base_bytes;
    int ret = mirror_check_spec(spec, error);

    if (ret < 0) {
        return ret;
    }
    if (!block_is_below(spec->target, spec->source)) {
        return job_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                          "the base is not in the backing chain of the top");
    }
    /* One policy, the default granularity, one chunk of buffer. */
    commit.on_target_error = spec->on_source_error;
    commit.granularity = 0;
    commit.buffer_bytes = 0;
    commit.replaces = NULL;
    ret = block_reopen(spec->target, block_flags(spec->source));
    if (ret < 0) {
        return job_refuse(error, REFUSED_FAILED, ret, "can't reopen the base image");
    }
    ret = grow_base(spec, &base_bytes, error);
    if (ret == 0) {
        ret = mirror_start(host, &commit, mirror, error);
        if (ret < 0) {
            shrink_base(spec, base_bytes);
        }
    }
    if (ret < 0) {
        block_reopen(spec->target, base_flags);
    }
    return ret;
}
