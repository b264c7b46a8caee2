/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mirror engine as the world sees it: start, query, digest, check.
 *
 * Declared in engine/2.2/mirror.h: it is a part of the job.
 */
#include <assert.h>

#include "engine/2.2/mirror.h"
#include "engine/engine.h"

enum job_status mirror_status(const struct engine_job *mirror)
{
    bool ready = mirror->job.ready;

    switch (mirror->phase) {
    case PHASE_PARKED:
        return ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED;
    case PHASE_EXIT:
    case PHASE_DEFERRED:
        return JOB_STATUS_CONCLUDING;
    case PHASE_CONCLUDED:
        return JOB_STATUS_CONCLUDED;
    case PHASE_CREATED: /* never seen from outside: the start goes on at once (S8) */
    case PHASE_POPULATE:
    case PHASE_STATUS:
    case PHASE_PASS:
    case PHASE_ISSUE:
    case PHASE_WAIT_OP:
    case PHASE_WAIT_CHUNK:
    case PHASE_WAIT_BUFFERS:
    case PHASE_FLUSH:
    case PHASE_DRAIN:
    case PHASE_SLEEP:
    case PHASE_EMPTY:
    case PHASE_COUNT:
        break;
    }
    return ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING;
}

static bool is_busy(const struct engine_job *mirror)
{
    return mirror->phase != PHASE_SLEEP && mirror->phase != PHASE_PARKED &&
           mirror->phase != PHASE_EMPTY && mirror->phase < PHASE_DEFERRED;
}

static void query(const struct engine_job *mirror, struct job_info *info)
{
    const struct job *job = &mirror->job;

    *info = (struct job_info){
        .kind = job->spec.kind,
        .status = mirror_status(mirror),
        .offset = job->offset,
        .len = job->len,
        .speed = job->speed,
        .io_status = job->io_status,
        .busy = is_busy(mirror),
        .paused = job->pause_wanted,
        .ready = job->ready,
        .cancelled = job->cancelled,
    };
}

/* Their order is no part of the state: operations are disjoint. */
static void digest_ops(const struct engine_job *mirror, struct digest *digest)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < mirror->ops_in_flight; i++) {
        struct digest op;

        digest_init(&op);
        digest_u64(&op, mirror->ops[i]->first);
        digest_u64(&op, mirror->ops[i]->chunks);
        all += digest_value(&op);
    }
    digest_u64(digest, mirror->ops_in_flight);
    digest_u64(digest, all);
}

/* Which buffer an operation holds makes no difference, so buffers stay out. */
static void digest_state(const struct engine_job *mirror, struct digest *digest)
{
    uint64_t now_ns = host_now_ns(mirror->job.host);

    job_digest(&mirror->job, digest);
    digest_u64(digest, mirror->phase);
    digest_u64(digest, (uint64_t)(int64_t)mirror->ret);
    digest_u64(digest, mirror->cursor);
    digest_u64(digest, mirror->walk);
    digest_u64(digest, mirror->run_start);
    digest_u64(digest, min_u64(now_ns - mirror->last_pause_ns, SLICE_NS));
    digest_u64(digest, mirror->phase == PHASE_SLEEP ? mirror->wake_ns - now_ns : 0);
    digest_u64(digest, (uint64_t)mirror->populated | (uint64_t)mirror->draining << 1 |
                           (uint64_t)mirror->complete_wanted << 2);
    digest_u64(digest, mirror->to_replace != NULL ? block_node_id(mirror->to_replace) + 1u : 0);
    ratelimit_digest(&mirror->limit, now_ns, digest);
    digest_ops(mirror, digest);
    if (mirror->phase < PHASE_EXIT) {
        bitmap_digest(block_dirty_bits(mirror->dirty), digest);
        bitmap_digest(&mirror->in_flight, digest);
        bitmap_digest(&mirror->cow, digest);
        if (mirror->unflushed.size > 0) {
            bitmap_digest(&mirror->unflushed, digest);
        }
    }
}

void mirror_check(const struct engine_job *mirror)
{
    uint64_t chunks = 0;
    uint64_t bytes = 0;

    assert(mirror->ops_in_flight <= MIRROR_MAX_IN_FLIGHT);
    for (uint32_t i = 0; i < mirror->ops_in_flight; i++) {
        const struct mirror_op *op = mirror->ops[i];

        assert(bitmap_count_range(&mirror->in_flight, op->first, op->chunks) == op->chunks);
        chunks += op->chunks;
        bytes += op->bytes;
    }
    assert(bytes == mirror->bytes_in_flight);
    assert(mirror->free_count + chunks == mirror->buffer_count);
    if (mirror->phase < PHASE_EXIT) {
        assert(mirror->in_flight.count == chunks);
        bitmap_check(&mirror->in_flight);
        bitmap_check(&mirror->cow);
        bitmap_check(&mirror->unflushed);
        bitmap_check(block_dirty_bits(mirror->dirty));
    }
    job_check(&mirror->job);
    assert(!mirror->complete_wanted || !mirror->job.cancelled);
    assert(mirror->to_replace == NULL || mirror->complete_wanted);
    assert((mirror->phase == PHASE_SLEEP || mirror->phase == PHASE_DEFERRED) ==
           (mirror->timer != NULL));
}

static int start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error)
{
    return spec->kind == JOB_COMMIT ? commit_start(host, spec, mirror, error)
                                    : mirror_start(host, spec, mirror, error);
}

const struct engine mirror_engine = {
    .name = "mirror",
    .summary = "mirrorsim's own engine: the mirror algorithm, with every known defect mended",
    .start = start,
    .command = mirror_command,
    .query = query,
    .digest = digest_state,
    .check = mirror_check,
    .reads_only_write = true,
    .phase_name = mirror_phase_name,
};
