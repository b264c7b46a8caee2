/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a mirror job (mirror-algorithm S) and what precedes its copy loop
 * (R): geometry, buffers, and the population of the dirty bitmap.
 *
 * Declared in engine/2.2/mirror.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>

#include "engine/2.2/mirror.h"

/* S1: granularity when the target says nothing, and its bounds when it does. */
#define DEFAULT_GRANULARITY UINT64_C(65536)
#define MIN_CHOSEN_GRANULARITY UINT64_C(4096)

/* ---- S: the start ---- */

static uint64_t choose_granularity(struct block_node *target)
{
    uint64_t cluster = 0;

    if (block_cluster_size(target, &cluster) < 0 || cluster == 0) {
        return DEFAULT_GRANULARITY;
    }
    return min_u64(max_u64(cluster, MIN_CHOSEN_GRANULARITY), DEFAULT_GRANULARITY);
}

static bool stops_on_error(enum error_policy policy)
{
    return policy == POLICY_STOP || policy == POLICY_ENOSPC;
}

int mirror_check_spec(const struct job_spec *spec, struct job_error *error)
{
    const char *text = NULL;

    if (spec->source == spec->target) {
        text = "can't mirror a node to itself";
    } else if (spec->granularity != 0 && (spec->granularity < (int64_t)SECTOR_BYTES ||
                                          !is_power_of_two((uint64_t)spec->granularity))) {
        text = "parameter 'granularity' must be a power of two of at least 512";
    } else if (spec->buffer_bytes < 0) {
        text = "parameter 'buffer' must not be negative";
    } else if (stops_on_error(spec->on_source_error) && !block_tracks_io_status(spec->source)) {
        text = "parameter 'on-source-error' needs a source that tracks its I/O status";
    } else if (spec->speed < 0) {
        text = "parameter 'speed' must not be negative";
    }
    if (text != NULL) {
        return job_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL, "%s", text);
    }
    if (block_is_blocked(spec->source)) {
        return job_refuse(error, REFUSED_BUSY, -EBUSY, "the source is in use");
    }
    if (block_is_blocked(spec->target)) {
        return job_refuse(error, REFUSED_BUSY, -EBUSY, "the target is in use");
    }
    return 0;
}

/* S7 */
static void prepare_target(const struct job_spec *spec)
{
    block_set_write_cache(spec->target, true);
    block_set_on_error(spec->target, spec->on_target_error);
    block_io_status_enable(spec->target, true);
}

static void emit_started(const struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->job.spec;
    struct event event = {.kind = EVENT_JOB_STARTED,
                          .by = BY_JOB,
                          .node = block_node_id(spec->source),
                          .index = block_node_id(spec->target)};

    host_emit(mirror->job.host, &event);
}

static struct engine_job *create_job(struct host *host, const struct job_spec *spec,
                                     uint64_t granularity, struct block_dirty *dirty)
{
    struct engine_job *mirror = host_alloc(host, sizeof(*mirror));

    mirror->job.host = host;
    mirror->job.spec = *spec;
    mirror->job.speed = (uint64_t)spec->speed;
    mirror->granularity = granularity;
    /* S5: a chunk more than fits 64 bits is a buffer that R5 can't have anyway. */
    mirror->buffer_bytes =
        align_up(max_u64((uint64_t)spec->buffer_bytes, granularity), granularity);
    mirror->dirty = dirty;
    if (mirror->job.speed > 0) {
        ratelimit_set_speed(&mirror->limit, mirror->job.speed, host_now_ns(host));
    }
    return mirror;
}

int mirror_start(struct host *host, const struct job_spec *spec, struct engine_job **mirror,
                 struct job_error *error)
{
    struct block_dirty *dirty;
    uint64_t granularity;
    int ret = mirror_check_spec(spec, error);

    if (ret < 0) {
        return ret;
    }
    granularity =
        spec->granularity != 0 ? (uint64_t)spec->granularity : choose_granularity(spec->target);
    ret = block_dirty_create(spec->source, granularity, &dirty);
    if (ret < 0) {
        return job_refuse(error, REFUSED_FAILED, ret, "can't create the dirty bitmap");
    }
    job_claim_node(spec->source);
    job_claim_node(spec->target);
    *mirror = create_job(host, spec, granularity, dirty);
    prepare_target(spec);
    emit_started(*mirror);
    mirror_run(*mirror);
    return 0;
}

/* ---- R: before the copy loop ---- */

/* R4: what the target can't do for itself is done by hand. */
static int set_up_cow(struct engine_job *mirror)
{
    struct block_node *target = mirror->job.spec.target;
    uint64_t cluster = 0;
    int ret;

    if (!block_names_backing(target) || block_backing(target) != NULL) {
        return 0;
    }
    ret = block_cluster_size(target, &cluster);
    if (ret < 0 && ret != -ENOTSUP) {
        return ret;
    }
    if (ret == 0 && mirror->granularity < cluster) {
        mirror->cluster = cluster;
        mirror->buffer_bytes = max_u64(mirror->buffer_bytes, cluster);
    }
    return 0;
}

/* R3, R4, D23: one piece of memory for all bitmaps. */
static void create_bitmaps(struct engine_job *mirror)
{
    uint64_t bytes = bitmap_memory_bytes(mirror->chunks);
    bool cow = mirror->cluster > 0;
    bool cache = block_has_cache(mirror->job.spec.target);
    char *memory;

    mirror->bitmap_memory_bytes = bytes + (cow ? bytes : 0) + (cache ? bytes : 0);
    memory = host_alloc(mirror->job.host, mirror->bitmap_memory_bytes);
    mirror->bitmap_memory = memory;
    bitmap_init(&mirror->in_flight, mirror->chunks, memory);
    if (cow) {
        memory += bytes;
        bitmap_init(&mirror->cow, mirror->chunks, memory);
    }
    if (cache) {
        memory += bytes;
        bitmap_init(&mirror->unflushed, mirror->chunks, memory);
    }
}

/* R5 */
static int create_buffers(struct engine_job *mirror)
{
    uint64_t count = mirror->buffer_bytes / mirror->granularity;
    int ret;

    if (count > UINT32_MAX) {
        return -ENOMEM;
    }
    ret = block_buffers_create(mirror->job.spec.source, mirror->granularity, (uint32_t)count,
                               &mirror->buffers);
    if (ret < 0) {
        return ret;
    }
    mirror->buffer_count = (uint32_t)count;
    mirror->free_count = mirror->buffer_count;
    mirror->free_ring =
        host_alloc(mirror->job.host, mirror->buffer_count * sizeof(mirror->free_ring[0]));
    for (uint32_t i = 0; i < mirror->buffer_count; i++) {
        mirror->free_ring[i] = i;
    }
    return 0;
}

static struct block_node *allocation_base(const struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->job.spec;

    if (spec->kind == JOB_COMMIT) {
        return spec->target;
    }
    return spec->sync == SYNC_TOP ? block_backing(spec->source) : NULL;
}

static void enter_loop(struct engine_job *mirror)
{
    mirror->populated = true;
    mirror_go_on(mirror);
}

static int set_up(struct engine_job *mirror)
{
    int ret;

    mirror->chunks = div_round_up(mirror->length, mirror->granularity);
    ret = set_up_cow(mirror);
    if (ret == 0) {
        create_bitmaps(mirror);
        ret = create_buffers(mirror);
    }
    return ret;
}

/* R1 needs nothing here: nobody can cancel before the start has returned. */
void mirror_begin(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->job.spec;
    int ret = block_getlength(spec->source, &mirror->length);

    if (ret == 0 && mirror->length == 0) {
        mirror_set_phase(mirror, PHASE_EMPTY);
        job_become_ready(&mirror->job);
        return;
    }
    if (ret == 0) {
        ret = set_up(mirror);
    }
    if (ret < 0) {
        mirror_exit(mirror, ret);
        return;
    }
    mirror->base = allocation_base(mirror);
    if (spec->kind == JOB_MIRROR && spec->sync == SYNC_NONE) {
        enter_loop(mirror);
        return;
    }
    mirror_go_on(mirror);
    if (spec->kind == JOB_MIRROR && mirror->base == NULL && !block_has_zero_init(spec->target)) {
        /* D15: holes must be written too. */
        mirror->walk = mirror->length;
    }
}

/* Chunks are marked a run at a time; the run ends where the walk stands. */
static void mark_run(struct engine_job *mirror)
{
    if (mirror->run_start < mirror->walk) {
        block_dirty_set(mirror->dirty, mirror->run_start, mirror->walk - mirror->run_start);
    }
}

static void status_answered(void *opaque, int ret)
{
    struct engine_job *mirror = opaque;

    (void)ret; /* asking again gives the answer or its error */
    mirror_set_phase(mirror, PHASE_POPULATE);
    mirror_run(mirror);
}

/*
 * One question of R6.  True: it is answered, and the walk has gone on.  False:
 * *ret is 0 if the answer takes time, or else -errno.
 */
static bool populate_step(struct engine_job *mirror, int *ret)
{
    uint64_t chunk_end = min_u64(
        align_down(mirror->walk, mirror->granularity) + mirror->granularity, mirror->length);
    uint64_t extent = 0;
    int answer = block_status_above(mirror->job.spec.source, mirror->base, mirror->walk,
                                    chunk_end - mirror->walk, &extent, status_answered, mirror);

    if (answer < 0) {
        *ret = answer == -EINPROGRESS ? 0 : answer;
        return false;
    }
    assert(extent > 0);
    if (answer > 0) {
        mirror->walk = chunk_end;
    } else {
        mark_run(mirror);
        mirror->walk = min_u64(mirror->walk + extent, mirror->length);
        mirror->run_start = mirror->walk;
    }
    return true;
}

void mirror_populate(struct engine_job *mirror)
{
    bool answered = true;
    int ret = 0;

    if (mirror->job.cancelled) {
        mirror_exit(mirror, 0);
        return;
    }
    if (mirror->job.pause_wanted) {
        mirror_park(mirror);
        return;
    }
    if (host_now_ns(mirror->job.host) - mirror->last_pause_ns >= SLICE_NS) {
        mirror_sleep(mirror, 0);
        return;
    }
    while (answered && mirror->walk < mirror->length) {
        answered = populate_step(mirror, &ret);
    }
    if (ret < 0) {
        mirror_exit(mirror, ret);
    } else if (!answered) {
        mirror_set_phase(mirror, PHASE_STATUS);
    } else {
        mark_run(mirror);
        enter_loop(mirror);
    }
}
