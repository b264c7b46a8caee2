/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Before the copy loop: lengths, buffers, what is known of zeroes, what has to be copied
 * (modern-algorithm R', Z2, Z3).
 *
 * Declared in engine/modern/modern.h: it is a part of the run.
 */
#include <assert.h>
#include <errno.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

#define SLICE_NS ACCOUNT_SLICE_NS

/* ---- Setting up ---- */

/*
 * R4', D'1, D'15: a target that lacks its backing now and has it later hides what it does not
 * hold.  By hand COW is for copies that are smaller than what the target allocates.  Without the
 * cluster that can't be told, so a failure to ask ends the job (D'40); to other targets it is
 * nothing.
 */
static int learn_target(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    struct block_node *target = spec->target;
    bool is_closed = block_backing(target) == NULL;
    bool is_replaced = spec->backing_mode == BACKING_SOURCE && mirror->base != NULL &&
                       block_backing(target) != mirror->base; /* D'45: also an open one */
    uint64_t cluster = 0;
    int ret = block_cluster_size(target, &cluster);

    mirror->cluster = ret == 0 && cluster > 0 ? cluster : SECTOR_BYTES;
    mirror->hides_backing = is_replaced || (is_closed && block_names_backing(target));
    mirror->cow_by_hand = mirror->hides_backing && mirror->granularity < mirror->cluster;
    if (mirror->cow_by_hand) {
        mirror->buffer_bytes = max_u64(mirror->buffer_bytes, mirror->cluster);
    }
    return mirror->hides_backing && ret != -ENOTSUP ? ret : 0;
}

static void *next_bitmap(struct bitmap *bitmap, uint64_t size, void *memory)
{
    bitmap_init(bitmap, size, memory);
    return (char *)memory + bitmap_memory_bytes(size);
}

static void create_bitmaps(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    bool knows_zeroes = spec->kind == JOB_COMMIT || spec->sync != SYNC_NONE;
    uint64_t zero_size = knows_zeroes ? mirror->chunks : 0;
    uint64_t whole_size = mirror->hides_backing ? mirror->chunks : 0;
    uint64_t owed_size = knows_zeroes && mirror->hides_backing ? mirror->chunks : 0;
    uint64_t unflushed_size = block_has_cache(spec->target) ? mirror->chunks : 0;
    void *memory;

    mirror->bitmap_memory_bytes = bitmap_memory_bytes(mirror->chunks) +
                                  bitmap_memory_bytes(zero_size) + bitmap_memory_bytes(whole_size) +
                                  bitmap_memory_bytes(owed_size) +
                                  bitmap_memory_bytes(unflushed_size);
    mirror->bitmap_memory = host_alloc(mirror->life.host, mirror->bitmap_memory_bytes);
    memory = next_bitmap(&mirror->in_flight, mirror->chunks, mirror->bitmap_memory);
    memory = next_bitmap(&mirror->zero, zero_size, memory);
    memory = next_bitmap(&mirror->whole, whole_size, memory);
    memory = next_bitmap(&mirror->zero_owed, owed_size, memory);
    next_bitmap(&mirror->unflushed, unflushed_size, memory);
}

static int create_buffers(struct engine_job *mirror)
{
    uint64_t count = mirror->buffer_bytes / mirror->granularity;
    int ret;

    if (count > UINT32_MAX) {
        return -ENOMEM;
    }
    ret = block_buffers_create(mirror->life.spec.source, mirror->granularity, (uint32_t)count,
                               &mirror->buffers);
    if (ret < 0) {
        return -ENOMEM;
    }
    mirror->buffer_count = (uint32_t)count;
    mirror->free_count = mirror->buffer_count;
    mirror->free_ring =
        host_alloc(mirror->life.host, mirror->buffer_count * sizeof(mirror->free_ring[0]));
    for (uint32_t i = 0; i < mirror->buffer_count; i++) {
        mirror->free_ring[i] = i;
    }
    return 0;
}

static int set_up(struct engine_job *mirror)
{
    int ret;

    mirror->chunks = div_round_up(mirror->length, mirror->granularity);
    mirror->max_iov = (uint32_t)min_u64(block_max_iov(mirror->life.spec.source),
                                        block_max_iov(mirror->life.spec.target));
    ret = learn_target(mirror);
    if (ret < 0) {
        return ret;
    }
    create_bitmaps(mirror);
    return create_buffers(mirror);
}

/* R2', S9', A1' */
static int learn_lengths(struct engine_job *mirror, const char **text)
{
    const struct job_spec *spec = &mirror->life.spec;
    uint64_t target_length = 0;
    int ret = block_getlength(spec->source, &mirror->length);

    if (ret == 0) {
        ret = block_getlength(spec->target, &target_length);
    }
    if (ret < 0) {
        return ret;
    }
    if (spec->kind == JOB_COMMIT) {
        return modern_commit_grow(mirror, target_length);
    }
    if (target_length != mirror->length) {
        *text = "source and target have different lengths";
        return -EINVAL;
    }
    return 0;
}

enum modern_turn modern_begin(struct engine_job *mirror)
{
    const char *text = NULL;
    int ret;

    if (mirror->life.force_cancelled) {
        return modern_exit(mirror, 0, NULL);
    }
    ret = learn_lengths(mirror, &text);
    if (ret == 0 && mirror->length == 0) {
        life_become_ready(&mirror->life);
        modern_set_synced(mirror, true);
        return modern_to(mirror, MODERN_EMPTY);
    }
    if (ret == 0) {
        ret = set_up(mirror);
    }
    if (ret < 0) {
        return modern_exit(mirror, ret, text);
    }
    return modern_to(mirror, MODERN_POPULATE);
}

enum modern_turn modern_empty(struct engine_job *mirror)
{
    if (mirror->life.cancel_wanted || mirror->complete_wanted) {
        return modern_exit(mirror, 0, NULL);
    }
    modern_set_phase(mirror, MODERN_EMPTY_POINT);
    return life_idle(&mirror->life) == LIFE_WAIT ? WAITS : GOES_ON;
}

/* ---- Zeroes (Z2, Z3) ---- */

static int target_is_zero(const struct engine_job *mirror)
{
    return mirror->life.spec.target_is_zero ? 1 : block_reads_zero(mirror->life.spec.target);
}

/* The target unmaps the zeroes that it is given: all of them are wanted. */
static bool punches_holes(const struct engine_job *mirror)
{
    const struct block_node *target = mirror->life.spec.target;

    return block_detects_zeroes(target) == DETECT_UNMAP && block_can_unmap(target);
}

static bool copies_all(const struct engine_job *mirror)
{
    return mirror->life.spec.kind == JOB_MIRROR && mirror->life.spec.sync == SYNC_FULL;
}

/* All of the target is zero.  D'1: perhaps only as long as its backing is closed. */
static void know_all_zero(struct engine_job *mirror)
{
    const struct chunk_range all = {0, mirror->chunks};

    chunks_set(&mirror->zero, all);
    if (copies_all(mirror)) {
        chunks_set(&mirror->zero_owed, all);
    }
}

static enum modern_turn begin_loop(struct engine_job *mirror)
{
    mirror->filter_knows = true; /* R7' */
    mirror->cursor = 0;
    return modern_to(mirror, MODERN_PASS);
}

enum modern_turn modern_populate(struct engine_job *mirror)
{
    bool punches = punches_holes(mirror);
    int is_zero;

    mirror->slice_clock_ns = host_now_ns(mirror->life.host);
    if (mirror->zero.size == 0) {
        return begin_loop(mirror);
    }
    is_zero = target_is_zero(mirror);
    if (is_zero < 0) {
        return modern_exit(mirror, is_zero, NULL);
    }
    if (is_zero > 0 && !punches) {
        know_all_zero(mirror);
    } else if (copies_all(mirror) && !punches && block_can_unmap(mirror->life.spec.target)) {
        return modern_to(mirror, MODERN_PREZERO);
    } else if (copies_all(mirror)) {
        block_dirty_set(mirror->dirty, 0, mirror->length);
        return begin_loop(mirror);
    }
    return modern_to(mirror, MODERN_WALK);
}

/* A pause point, or from time to time a turn of the main loop (R6'). */
static enum modern_turn throttle(struct engine_job *mirror, enum modern_phase point)
{
    uint64_t now_ns = host_now_ns(mirror->life.host);

    modern_set_phase(mirror, point);
    if (now_ns - mirror->slice_clock_ns <= SLICE_NS) {
        return GOES_ON;
    }
    mirror->slice_clock_ns = now_ns;
    return life_sleep(&mirror->life, 0) == LIFE_WAIT ? WAITS : GOES_ON;
}

/* As much as one request or question is about. */
static uint64_t walk_bytes(const struct engine_job *mirror)
{
    return min_u64(mirror->length - mirror->walk,
                   align_down(MODERN_MAX_REQUEST_BYTES, mirror->granularity));
}

enum modern_turn modern_prezero(struct engine_job *mirror)
{
    if (mirror->walk < mirror->length) {
        return throttle(mirror, MODERN_PREZERO_POINT);
    }
    mirror->walk = 0;
    return modern_to(mirror, MODERN_PREZERO_REST);
}

enum modern_turn modern_prezero_take(struct engine_job *mirror)
{
    uint64_t bytes = walk_bytes(mirror);

    if (mirror->life.force_cancelled) {
        return modern_exit(mirror, 0, NULL);
    }
    if (mirror->ops_in_flight >= MODERN_MAX_IN_FLIGHT) {
        modern_set_phase(mirror, MODERN_PREZERO_SLOT);
        return modern_wait_oldest(mirror);
    }
    op_launch_prezero(mirror, mirror->walk, bytes);
    mirror->walk += bytes;
    return modern_to(mirror, MODERN_PREZERO);
}

enum modern_turn modern_prezero_rest(struct engine_job *mirror)
{
    return mirror->ops_in_flight > 0 ? modern_wait_oldest(mirror) : modern_to(mirror, MODERN_WALK);
}

/* ---- What is allocated (R6') ---- */

enum modern_turn modern_walk(struct engine_job *mirror)
{
    if (mirror->walk < mirror->length) {
        return throttle(mirror, MODERN_WALK_POINT);
    }
    return begin_loop(mirror);
}

static void answered(void *opaque, int ret)
{
    (void)ret; /* the answer has it */
    modern_wake(opaque);
}

/* Allocated above the base's overlay: in the top, above a commit's base, or anywhere. */
static bool ask_allocated(struct engine_job *mirror, uint64_t bytes)
{
    const struct job_spec *spec = &mirror->life.spec;
    bool is_commit = spec->kind == JOB_COMMIT;
    struct block_node *base = is_commit                ? spec->target
                              : spec->sync == SYNC_TOP ? spec->source
                                                       : NULL;

    return block_ask_allocated(spec->source, base, !is_commit, mirror->walk, bytes, &mirror->answer,
                               answered, mirror);
}

enum modern_turn modern_walk_ask(struct engine_job *mirror)
{
    if (mirror->life.force_cancelled) {
        return modern_exit(mirror, 0, NULL);
    }
    modern_set_phase(mirror, MODERN_WALK_STATUS);
    return ask_allocated(mirror, walk_bytes(mirror)) ? GOES_ON : WAITS;
}

enum modern_turn modern_walk_answered(struct engine_job *mirror)
{
    const struct block_answer *answer = &mirror->answer;

    if (answer->ret < 0) {
        return modern_exit(mirror, answer->ret, NULL);
    }
    assert(answer->extent_bytes > 0 && answer->extent_bytes <= walk_bytes(mirror));
    if (answer->allocated) {
        block_dirty_set(mirror->dirty, mirror->walk, answer->extent_bytes);
    }
    mirror->walk += answer->extent_bytes;
    return modern_to(mirror, MODERN_WALK);
}
