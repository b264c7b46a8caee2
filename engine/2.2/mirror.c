/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mirror job's machine: phases, the copy loop (mirror-algorithm L), sleep.
 *
 * mirror_run() is the only driver.  A phase function either moves the job to
 * another phase or leaves it where it waits; whoever ends the wait moves it
 * on and runs the machine again.  So at every return from the engine the job
 * waits in exactly one phase, and there is no other place where it could be.
 */
#include "engine/2.2/mirror.h"

#include <assert.h>

static const char *const phase_names[PHASE_COUNT] = {
#define X(id, name) [PHASE_##id] = name,
    MIRROR_PHASES(X)
#undef X
};

const char *mirror_phase_name(unsigned phase)
{
    return phase < PHASE_COUNT ? phase_names[phase] : "?";
}

#define TO(phase) (1u << PHASE_##phase)

/* Where the job may go from each phase. */
static const unsigned legal_next[PHASE_COUNT] = {
    [PHASE_CREATED] = TO(POPULATE) | TO(PASS) | TO(EMPTY) | TO(EXIT),
    [PHASE_POPULATE] = TO(STATUS) | TO(PASS) | TO(SLEEP) | TO(PARKED) | TO(EXIT),
    [PHASE_STATUS] = TO(POPULATE),
    [PHASE_PASS] =
        TO(ISSUE) | TO(WAIT_OP) | TO(FLUSH) | TO(PASS) | TO(SLEEP) | TO(PARKED) | TO(EXIT),
    [PHASE_ISSUE] = TO(PASS) | TO(WAIT_CHUNK) | TO(WAIT_BUFFERS) | TO(SLEEP),
    [PHASE_WAIT_OP] = TO(PASS),
    [PHASE_WAIT_CHUNK] = TO(ISSUE) | TO(PASS),
    [PHASE_WAIT_BUFFERS] = TO(ISSUE) | TO(PASS),
    [PHASE_FLUSH] = TO(DRAIN) | TO(PASS) | TO(SLEEP) | TO(PARKED) | TO(EXIT),
    [PHASE_DRAIN] = TO(PASS) | TO(EXIT),
    [PHASE_SLEEP] = TO(POPULATE) | TO(PASS),
    [PHASE_PARKED] = TO(POPULATE) | TO(PASS),
    [PHASE_EMPTY] = TO(DRAIN),
    [PHASE_EXIT] = TO(DEFERRED),
    [PHASE_DEFERRED] = TO(CONCLUDED),
};

/* The one writer of the phase. */
void mirror_set_phase(struct engine_job *mirror, enum mirror_phase phase)
{
    assert(legal_next[mirror->phase] & 1u << phase);
    mirror->phase = phase;
}

void mirror_trace_phase(struct engine_job *mirror)
{
    struct event event = {.kind = EVENT_JOB_PHASE,
                          .by = BY_JOB,
                          .detail = (uint8_t)mirror->traced_phase,
                          .detail2 = (uint8_t)mirror->phase};

    if (mirror->phase != mirror->traced_phase) {
        mirror->traced_phase = mirror->phase;
        host_emit(mirror->job.host, &event);
    }
}

/* ---- Sleeping (L6, L7) and parking (C1, E4) ---- */

void mirror_go_on(struct engine_job *mirror)
{
    mirror->last_pause_ns = host_now_ns(mirror->job.host);
    mirror_set_phase(mirror, mirror->populated ? PHASE_PASS : PHASE_POPULATE);
}

static void timer_fired(void *opaque)
{
    struct engine_job *mirror = opaque;

    mirror->timer = NULL;
    mirror_go_on(mirror);
    mirror_run(mirror);
}

/* The guest's queued requests are submitted inside. */
static void end_drain(struct engine_job *mirror)
{
    if (mirror->draining) {
        mirror->draining = false;
        block_drain_end(mirror->job.spec.source);
    }
}

void mirror_park(struct engine_job *mirror)
{
    end_drain(mirror); /* D22: the guest does not stand still for a paused job. */
    mirror_set_phase(mirror, PHASE_PARKED);
    job_emit(&mirror->job, EVENT_JOB_PAUSED);
}

/* A cancelled job does not sleep, a paused one parks instead. */
void mirror_sleep(struct engine_job *mirror, uint64_t delay_ns)
{
    if (mirror->job.cancelled) {
        mirror_go_on(mirror);
    } else if (mirror->job.pause_wanted) {
        mirror_park(mirror);
    } else {
        mirror_set_phase(mirror, PHASE_SLEEP);
        mirror->wake_ns = host_now_ns(mirror->job.host) + delay_ns;
        mirror->timer = host_timer_start(mirror->job.host, delay_ns, timer_fired, mirror);
    }
}

void mirror_kick(struct engine_job *mirror)
{
    if (mirror->phase == PHASE_EMPTY && (mirror->complete_wanted || mirror->job.cancelled)) {
        mirror_end_pass(mirror, true, 0);
    } else if (mirror->phase == PHASE_PARKED) {
        job_emit(&mirror->job, EVENT_JOB_RESUMED);
        mirror_go_on(mirror);
    } else if (mirror->phase == PHASE_SLEEP) {
        host_timer_stop(mirror->job.host, mirror->timer);
        mirror->timer = NULL;
        mirror_go_on(mirror);
    }
}

/* ---- The copy loop ---- */

/* L2; the short last chunk counts with its real length. */
static void publish_len(struct engine_job *mirror)
{
    const struct bitmap *dirty = block_dirty_bits(mirror->dirty);
    uint64_t bytes = dirty->count * mirror->granularity;
    uint64_t last = mirror->chunks - 1;

    if (bitmap_get(dirty, last)) {
        bytes -= mirror->granularity - mirror_chunk_bytes(mirror, last, 1);
    }
    job_publish_progress(&mirror->job, mirror->job.offset + bytes + mirror->bytes_in_flight);
}

/* L5: no guest request is in flight on the source, and none will be. */
static void source_drained(void *opaque)
{
    struct engine_job *mirror = opaque;

    mirror_end_pass(mirror, true, 0);
    mirror_run(mirror);
}

static void drain_source(struct engine_job *mirror)
{
    mirror_set_phase(mirror, PHASE_DRAIN);
    mirror->draining = true;
    if (block_drain_begin(mirror->job.spec.source, source_drained, mirror)) {
        mirror_end_pass(mirror, true, 0);
    }
}

void mirror_end_pass(struct engine_job *mirror, bool finish, uint64_t delay_ns)
{
    struct job *job = &mirror->job;
    bool idle = !mirror_is_dirty(mirror) && mirror->ops_in_flight == 0;

    if (!job->ready) {
        mirror_sleep(mirror, delay_ns);
    } else if (!finish) {
        mirror_sleep(mirror, idle ? SLICE_NS : 0);
    } else if (!idle) {
        mirror_go_on(mirror); /* D22: a drain is kept until what it left dirty is copied. */
    } else if (!mirror->draining) {
        drain_source(mirror);
    } else {
        /* Source and target are equal, and nothing can change that. */
        job->cancelled = false;
        mirror_exit(mirror, 0);
    }
}

/*
 * D23: what the flush was to make durable may be gone.  So may be its cluster; but then all that
 * was copied there is dirty now, so that nobody has to fill it (I8).  No operation is in flight:
 * nothing has been written since the flush was submitted.
 */
static void copy_unflushed_again(struct engine_job *mirror)
{
    struct bitmap *unflushed = &mirror->unflushed;
    uint64_t first = 0;

    while (bitmap_next_set(unflushed, first, &first)) {
        uint64_t end = bitmap_next_clear(unflushed, first, mirror->chunks);

        block_dirty_set(mirror->dirty, first * mirror->granularity,
                        mirror_chunk_bytes(mirror, first, end - first));
        first = end;
    }
}

static void target_flushed(void *opaque, int ret)
{
    struct engine_job *mirror = opaque;
    struct job *job = &mirror->job;

    if (ret < 0) {
        copy_unflushed_again(mirror);
    }
    if (mirror->unflushed.size > 0) {
        bitmap_clear(&mirror->unflushed, 0, mirror->chunks);
    }
    if (ret < 0) {
        if (job_handle_error(job, OP_WRITE, ret, 0, 0) == ACTION_REPORT) {
            mirror_exit(mirror, ret);
        } else {
            mirror_end_pass(mirror, false, 0);
        }
    } else {
        if (!job->ready) {
            job_become_ready(job);
        }
        mirror_end_pass(mirror, mirror->complete_wanted || job->cancelled, 0);
    }
    mirror_run(mirror);
}

/*
 * L1 to L4.  L3 also asks for a good I/O status: a job whose status is bad has
 * been stopped (E4), and so has parked here.
 */
static void begin_pass(struct engine_job *mirror)
{
    struct job *job = &mirror->job;
    bool dirty = mirror_is_dirty(mirror);
    bool may_issue = host_now_ns(job->host) - mirror->last_pause_ns < SLICE_NS;

    if (!job->ready) {
        end_drain(mirror); /* D22: nor for a job that an error has set back. */
    }
    if (mirror->ret < 0 || mirror_must_abort(mirror)) {
        mirror_exit(mirror, mirror->ret);
        return;
    }
    publish_len(mirror);
    if (job->pause_wanted) {
        mirror_park(mirror);
        return;
    }
    if (may_issue && (mirror->ops_in_flight == MIRROR_MAX_IN_FLIGHT || mirror->free_count == 0 ||
                      (!dirty && mirror->ops_in_flight > 0))) {
        mirror_set_phase(mirror, PHASE_WAIT_OP);
    } else if (may_issue && dirty) {
        mirror_set_phase(mirror, PHASE_ISSUE);
    } else if (!dirty && mirror->ops_in_flight == 0) {
        mirror_set_phase(mirror, PHASE_FLUSH);
        block_flush(job->spec.target, target_flushed, mirror);
    } else {
        mirror_end_pass(mirror, false, 0);
    }
}

void mirror_exit(struct engine_job *mirror, int ret)
{
    assert(ret <= 0);
    mirror->ret = ret;
    mirror_set_phase(mirror, PHASE_EXIT);
}

void mirror_run(struct engine_job *mirror)
{
    for (;;) {
        switch (mirror->phase) {
        case PHASE_CREATED:
            mirror_begin(mirror);
            continue;
        case PHASE_POPULATE:
            mirror_populate(mirror);
            continue;
        case PHASE_PASS:
            begin_pass(mirror);
            continue;
        case PHASE_ISSUE:
            mirror_issue(mirror);
            continue;
        case PHASE_EXIT:
            if (mirror->ops_in_flight == 0) {
                mirror_wind_down(mirror);
            }
            break;
        case PHASE_STATUS:
        case PHASE_WAIT_OP:
        case PHASE_WAIT_CHUNK:
        case PHASE_WAIT_BUFFERS:
        case PHASE_FLUSH:
        case PHASE_DRAIN:
        case PHASE_SLEEP:
        case PHASE_PARKED:
        case PHASE_EMPTY:
        case PHASE_DEFERRED:
        case PHASE_CONCLUDED:
        case PHASE_COUNT:
            break;
        }
        mirror_trace_phase(mirror);
        return;
    }
}
