/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting a mirror (modern-algorithm S').
 *
 * The filter goes in, the job is made, its nodes are attached: each in a drained section, in which
 * a start may have to wait.  What would be on a stack meanwhile is a phase; each is a function that
 * is called when the section is quiet, ends it, and begins the next.
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

#define MAX_DEFAULT_GRANULARITY UINT64_C(65536)
#define MIN_DEFAULT_GRANULARITY UINT64_C(4096)

/* ---- Before anything is changed (S1', S5', S8') ---- */

static bool is_granularity(int64_t granularity)
{
    uint64_t value = (uint64_t)granularity;

    return granularity == 0 || (granularity > 0 && is_power_of_two(value) &&
                                value >= MODERN_MIN_GRANULARITY && value <= MODERN_MAX_GRANULARITY);
}

static int check_spec(const struct job_spec *spec, struct job_error *error)
{
    if (spec->source == spec->target) {
        return life_refuse(error, REFUSED_ITSELF, -EINVAL, "a node can't be mirrored into itself");
    }
    if (spec->kind == JOB_MIRROR && !is_granularity(spec->granularity)) {
        return life_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                           "the granularity must be a power of two from 512 to 64 MiB");
    }
    if (spec->kind == JOB_MIRROR && spec->buffer_bytes < 0) {
        return life_refuse(error, REFUSED_INVALID_PARAMETER, -EINVAL,
                           "the buffer size can't be negative");
    }
    if (block_is_guests(spec->target)) {
        return life_refuse(error, REFUSED_BUSY, -EPERM, "\"%s\" is in use by the guest",
                           block_node_name(spec->target));
    }
    if (block_is_blocked(spec->source) || block_is_blocked(spec->target)) {
        return life_refuse(
            error, REFUSED_BUSY, -EBUSY, "\"%s\" is in use",
            block_node_name(block_is_blocked(spec->source) ? spec->source : spec->target));
    }
    return 0;
}

/* S1' */
static uint64_t default_granularity(struct block_node *target)
{
    uint64_t cluster = 0;

    if (block_cluster_size(target, &cluster) < 0 || cluster == 0) {
        return MAX_DEFAULT_GRANULARITY;
    }
    return max_u64(min_u64(cluster, MAX_DEFAULT_GRANULARITY), MIN_DEFAULT_GRANULARITY);
}

/* What the target's backing is to become, and what top is above of. */
static struct block_node *find_base(const struct job_spec *spec)
{
    if (spec->kind == JOB_COMMIT || spec->sync == SYNC_FULL) {
        return NULL;
    }
    return spec->sync == SYNC_NONE ? spec->source : block_backing(spec->source);
}

static struct engine_job *create(struct host *host, const struct job_spec *spec)
{
    struct engine_job *mirror = host_alloc(host, sizeof(*mirror));
    bool is_commit = spec->kind == JOB_COMMIT;

    mirror->life.host = host;
    mirror->life.spec = *spec;
    mirror->write_blocking = !is_commit && spec->copy_mode == COPY_WRITE_BLOCKING;
    mirror->complete_wanted = is_commit && spec->auto_complete;
    mirror->base = find_base(spec);
    strand_init(&mirror->run, modern_run);
    TAILQ_INIT(&mirror->ops);
    return mirror;
}

/* S1', S5'; what the user says of them is not for commits. */
static void choose_sizes(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    bool is_commit = spec->kind == JOB_COMMIT;
    bool has_granularity = !is_commit && spec->granularity > 0;
    bool has_buffer = !is_commit && spec->buffer_bytes > 0;

    mirror->granularity =
        has_granularity ? (uint64_t)spec->granularity : default_granularity(spec->target);
    mirror->buffer_bytes = align_up(has_buffer ? (uint64_t)spec->buffer_bytes : MODERN_BUFFER_BYTES,
                                    mirror->granularity);
}

/* ---- The end of a start ---- */

/* A start that had to wait answers by a call. */
static void report(struct engine_job *mirror, int ret)
{
    const struct job_spec *spec = &mirror->life.spec;

    mirror->start_ret = ret;
    if (mirror->start_waits) {
        spec->started(spec->opaque, ret, &mirror->start_error);
    }
}

static void emit_started(const struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    struct event event = {.kind = EVENT_JOB_STARTED,
                          .by = BY_JOB,
                          .node = block_node_id(spec->source),
                          .index = block_node_id(spec->target)};

    host_emit(mirror->life.host, &event);
}

/* S11' */
static void undo(struct engine_job *mirror)
{
    modern_commit_restore(mirror);
    if (mirror->dirty != NULL) {
        block_dirty_release(mirror->dirty);
    }
}

static void undo_filter(void *opaque)
{
    struct engine_job *mirror = opaque;
    bool waits = mirror->start_waits;

    block_filter_remove(mirror->filter);
    block_section_end(mirror->life.spec.source);
    block_unref(mirror->filter);
    undo(mirror);
    mirror->start_phase = START_FAILED;
    report(mirror, mirror->start_ret);
    if (waits) {
        host_free(mirror->life.host, mirror, sizeof(*mirror));
    }
}

static void fail(struct engine_job *mirror, int ret)
{
    mirror->start_ret = ret;
    mirror->start_phase = START_UNDOING;
    block_section_begin(mirror->life.spec.source, undo_filter, mirror);
}

/* ---- The three sections (S10') ---- */

static void attach_nodes(void *opaque)
{
    struct engine_job *mirror = opaque;
    const struct job_spec *spec = &mirror->life.spec;

    life_add_node(&mirror->life, spec->source);
    life_add_node(&mirror->life, spec->target);
    if (spec->kind == JOB_COMMIT) {
        modern_commit_claim(mirror);
    }
    block_section_end_all(mirror->life.host);
    mirror->start_phase = START_DONE;
    emit_started(mirror);
    report(mirror, 0);
    life_start(&mirror->life);
}

static void make_job(void *opaque)
{
    struct engine_job *mirror = opaque;
    struct host *host = mirror->life.host;
    const struct job_spec spec = mirror->life.spec;
    int ret = life_create(&mirror->life, host, &modern_driver, &spec, &mirror->start_error);

    if (ret == 0) {
        life_add_node(&mirror->life, mirror->filter);
        spec.announced(spec.opaque, mirror);
    }
    block_section_end_all(host);
    if (ret < 0) {
        mirror->life.host = host;
        mirror->life.spec = spec;
        fail(mirror, ret);
        return;
    }
    mirror->start_phase = START_NODES;
    block_section_begin_all(host, attach_nodes, mirror);
}

static int insert_filter(struct engine_job *mirror)
{
    struct job_spec *spec = &mirror->life.spec;
    int ret = block_filter_insert(spec->source, spec->filter_name, &modern_interposer, mirror,
                                  &mirror->filter);

    if (ret < 0) {
        return life_refuse(&mirror->start_error, REFUSED_FAILED, ret, "the filter can't be put in");
    }
    ret = block_dirty_create_own(spec->source, mirror->granularity, &mirror->dirty);
    if (ret < 0) {
        block_filter_remove(mirror->filter);
        block_unref(mirror->filter);
        return life_refuse(&mirror->start_error, REFUSED_FAILED, ret,
                           "the dirty bitmap can't be made");
    }
    return 0;
}

static void put_in_filter(void *opaque)
{
    struct engine_job *mirror = opaque;
    struct host *host = mirror->life.host;
    int ret = insert_filter(mirror);

    mirror->start_phase = ret < 0 ? START_FAILED : START_JOB;
    block_section_end(mirror->life.spec.source);
    if (ret < 0) {
        bool waits = mirror->start_waits;

        undo(mirror);
        report(mirror, ret);
        if (waits) {
            host_free(host, mirror, sizeof(*mirror));
        }
        return;
    }
    block_section_begin_all(host, make_job, mirror);
}

int modern_start(struct host *host, const struct job_spec *spec, struct engine_job **result,
                 struct job_error *error)
{
    struct engine_job *mirror;
    int ret = check_spec(spec, error);

    if (ret < 0) {
        return ret;
    }
    mirror = create(host, spec);
    ret = spec->kind == JOB_COMMIT ? modern_commit_prepare(mirror, error) : 0;
    if (ret < 0) {
        host_free(host, mirror, sizeof(*mirror));
        return ret;
    }
    choose_sizes(mirror);
    block_section_begin(spec->source, put_in_filter, mirror);
    if (mirror->start_phase == START_DONE) {
        *result = mirror;
        return 0;
    }
    if (mirror->start_phase == START_FAILED) {
        ret = mirror->start_ret;
        *error = mirror->start_error;
        host_free(host, mirror, sizeof(*mirror));
        return ret;
    }
    mirror->start_waits = true;
    return -EINPROGRESS;
}
