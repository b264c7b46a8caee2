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

    /*
     * D10, D12: whatever led here, a pivot needs all of this to be true.  That
     * nothing is dirty was seen when the loop ended; the bitmap is gone by now.
     */
    assert(mirror->job.ready && mirror->draining && mirror->ops_in_flight == 0);
    /* C6 has no way back from here: if the flags can't be had, the data is still right. */
    if (block_flags(spec->target) != block_flags(old_node)) {
        block_reopen(spec->target, block_flags(old_node));
    }
    block_replace(old_node, spec->target);
    /* Only now is there a loop to break: base -> ... -> top -> base (section 9). */
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

/*
 * From the main loop: section 8's completion (C6).  Each step relies on those
 * before it; what is needed after the job is gone is copied first.
 */
static void conclude(void *opaque)
{
    struct engine_job *mirror = opaque;
    struct job_spec spec = mirror->job.spec;
    struct host *host = mirror->job.host;
    int ret = mirror->ret;

    mirror->timer = NULL;
    /*
     * The source is still drained, so nothing has been written to it since the
     * two were equal (D12).  A cancel has withdrawn complete_wanted (D10).
     */
    if (mirror->complete_wanted && ret == 0) {
        pivot(mirror);
    }
    /* After the pivot: what has queued goes to the disk that the guest has now, the target. */
    if (mirror->draining) {
        block_drain_end(spec.source);
    }
    /* After the pivot, which needs the named node; until then it was kept from others (C4). */
    mirror_release_to_replace(mirror);
    /* In the trace the last phase comes before the job's end. */
    mirror_set_phase(mirror, PHASE_CONCLUDED);
    mirror_trace_phase(mirror);
    /* Whoever hears of the end finds the target free ... */
    job_release_node(spec.target);
    emit_end(mirror);
    /* ... but the source in use until the job is gone: a second job can't start inside (S3). */
    job_release_node(spec.source);
    /* The callback may start the next job, and finds nothing left of this one. */
    host_free(host, mirror, sizeof(*mirror));
    spec.concluded(spec.opaque, ret);
}

/*
 * The exit of L, once nothing is in flight.  Nothing here may look at the dirty
 * bitmap or a buffer again.  The rest has to wait for the main loop: this may
 * run inside a completion of the target's or the source's, and a pivot would
 * change the graph under it.
 */
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
