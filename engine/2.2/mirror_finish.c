/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a mirror job: winding down, pivot, conclusion (C6).
 *
 * Declared in engine/2.2/mirror.h: it is a part of the job.
 */
#include <assert.h>
#include <stddef.h>

#include "engine/2.2/mirror.h"

void mirror_release_to_replace(struct engine_job *mirror)
{
    if (mirror->to_replace != NULL) {
        job_release_node(mirror->to_replace);
        mirror->to_replace = NULL;
    }
}

/* Makes the target what the guest uses (C6). */
static void pivot(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->job.spec;
    struct block_node *old_node = mirror->to_replace != NULL ? mirror->to_replace : spec->source;

    /* D10, D12: whatever led here, a pivot needs all of this to be true. */
    assert(mirror->job.ready && mirror->draining && mirror->ops_in_flight == 0);
    /* C6 has no way back from here: if the flags can't be had, the data is still right. */
    if (block_flags(spec->target) != block_flags(old_node)) {
        block_reopen(spec->target, block_flags(old_node));
    }
    block_replace(old_node, spec->target);
    if (spec->kind == JOB_COMMIT) {
        block_unlink_backing(spec->source);
    }
}

static void emit_end(const struct engine_job *mirror)
{
    const struct job *job = &mirror->job;
    bool cancelled = mirror->ret == 0 && job->cancelled;
    struct event event = {.kind = (uint8_t)(cancelled ? EVENT_JOB_CANCELLED : EVENT_JOB_COMPLETED),
                          .by = BY_JOB,
                          .node = block_node_id(job->spec.source),
                          .ret = mirror->ret,
                          .offset = job->offset,
                          .bytes = job->len};

    host_emit(job->host, &event);
}

/* From the main loop: section 8's completion. */
static void conclude(void *opaque)
{
    struct engine_job *mirror = opaque;
    struct job_spec spec = mirror->job.spec;
    struct host *host = mirror->job.host;
    int ret = mirror->ret;

    mirror->timer = NULL;
    if (mirror->complete_wanted && ret == 0) {
        pivot(mirror);
    }
    if (mirror->draining) {
        block_drain_end(spec.source);
    }
    mirror_release_to_replace(mirror);
    mirror_set_phase(mirror, PHASE_CONCLUDED);
    mirror_run(mirror); /* only to trace it */
    job_release_node(spec.target);
    emit_end(mirror);
    job_release_node(spec.source);
    host_free(host, mirror, sizeof(*mirror));
    spec.concluded(spec.opaque, ret);
}

void mirror_wind_down(struct engine_job *mirror)
{
    struct host *host = mirror->job.host;

    if (mirror->buffers != NULL) {
        assert(mirror->free_count == mirror->buffer_count);
        host_free(host, mirror->free_ring, mirror->buffer_count * sizeof(mirror->free_ring[0]));
        block_buffers_release(mirror->buffers);
    }
    host_free(host, mirror->bitmap_memory, mirror->bitmap_memory_bytes);
    block_dirty_release(mirror->dirty);
    block_io_status_enable(mirror->job.spec.target, false);
    mirror_set_phase(mirror, PHASE_DEFERRED);
    mirror->timer = host_timer_start(host, 0, conclude, mirror);
}
