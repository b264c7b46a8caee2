/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans: their disks and their job.
 *
 * Each part is drawn by one function, all from the same stream of numbers.
 */
#include "tests/sim/world/random_plan.h"

#include <assert.h>
#include <stddef.h>

#include "tests/sim/world/random_draw.h"

#define MAX_EXTENTS 32

enum { SRC, DST, BASE, MID, OTHER, DISKS };

static const char *const disk_names[DISKS] = {"src", "dst", "base", "mid", "other"};

/* ---- Disks ---- */

static struct latency_spec draw_latency(struct draw *draw)
{
    struct latency_spec latency = {.min_ns = US, .max_ns = MS};

    latency.kind = (enum latency_kind)below(draw, 4);
    latency.a_ns = between(draw, 1, 200) * US;
    latency.b_ns = latency.a_ns + below(draw, 300) * US;
    return latency;
}

static void draw_service(struct draw *draw, struct disk_spec *disk)
{
    for (int op = OP_READ; op <= OP_FLUSH; op++) {
        disk->latency[op] = draw_latency(draw);
    }
    if (one_in(draw, 5)) {
        disk->latency[OP_STATUS] = draw_latency(draw);
    }
    disk->lanes = one_in(draw, 4) ? (uint32_t)between(draw, 1, 4) : 0;
    disk->bandwidth = one_in(draw, 6) ? between(draw, 5, 500) * 1000 * 1000 : 0;
    disk->effect = one_in(draw, 32) ? EFFECT_BY_SECTOR : (enum effect_policy)below(draw, 3);
}

/* Extents anywhere, or a comb of them, so that many operations are in flight at once. */
static void draw_extents(struct draw *draw, struct disk_spec *disk)
{
    uint64_t count = one_in(draw, 3) ? MAX_EXTENTS : below(draw, MAX_EXTENTS / 4);
    uint64_t pitch = count == MAX_EXTENTS ? between(draw, 2, 40) : 0;

    disk->has_allocated = true;
    disk->allocated = arena_alloc(draw->plan->arena, MAX_EXTENTS * sizeof(*disk->allocated));
    for (uint64_t i = 0; i < count && i * pitch < draw->sectors; i++) {
        disk->allocated[disk->allocated_count++] =
            pitch > 0 ? range_from(draw, i * pitch, pitch / 2) : range_anywhere(draw);
    }
}

static void draw_disk(struct draw *draw, uint32_t number)
{
    struct disk_spec *disk = &draw->plan->disks[number];

    disk->name = disk_names[number];
    disk->bytes = draw->sectors * SECTOR_BYTES;
    disk->fill = FILL_UNIQUE;
    disk->tracks_io_status = !one_in(draw, 20);
    disk->flags = DISK_FLAG_RDWR | (one_in(draw, 4) ? 0 : DISK_FLAG_WRITE_BACK);
    disk->volatile_cache = one_in(draw, 3);
    if (one_in(draw, 6)) {
        disk->bitmap_count = 1;
        disk->bitmaps = arena_alloc(draw->plan->arena, sizeof(*disk->bitmaps));
        disk->bitmaps->name = "backup";
        disk->bitmaps->granularity = SECTOR_BYTES << below(draw, 9);
    }
    disk->cluster = one_in(draw, 3) ? SECTOR_BYTES << below(draw, 9) : 0;
    draw_service(draw, disk);
}

/* src over base, perhaps with mid between them. */
static void draw_chain(struct draw *draw)
{
    struct disk_spec *disks = draw->plan->disks;
    uint32_t top = SRC;

    draw_extents(draw, &disks[SRC]);
    if (one_in(draw, 3)) {
        disks[SRC].backing = MID;
        disks[SRC].backing_open = true;
        draw_extents(draw, &disks[MID]);
        top = MID;
    }
    disks[top].backing = BASE;
    disks[top].backing_open = true;
    if (one_in(draw, 2)) {
        draw_extents(draw, &disks[BASE]);
    }
    if (one_in(draw, 4)) {
        disks[BASE].bytes = between(draw, 0, 2 * draw->sectors) * SECTOR_BYTES;
        disks[BASE].has_allocated = false;
    }
}

/* The target before the job: empty, garbage, or an overlay of the source's backing file. */
static void draw_target(struct draw *draw)
{
    struct disk_spec *source = &draw->plan->disks[SRC];
    struct disk_spec *target = &draw->plan->disks[DST];

    target->fill = one_in(draw, 3) ? FILL_GARBAGE : FILL_ZERO;
    target->bytes += one_in(draw, 6) ? skewed(draw, 100) * SECTOR_BYTES : 0;
    if (source->backing != PLAN_NONE && !one_in(draw, 4)) {
        target->fill = one_in(draw, 8) ? FILL_GARBAGE : FILL_ZERO;
        target->backing = source->backing;
        target->backing_open = one_in(draw, 4);
        target->flags |= target->backing_open ? 0 : DISK_FLAG_NO_BACKING;
    }
    target->cluster = one_in(draw, 3) ? 0 : SECTOR_BYTES << below(draw, 10);
    if (one_in(draw, 12)) {
        target->cluster = 0;
        target->cluster_unknown = true;
    }
}

/* A third disk that `replaces` can name: fit for that, or unfit in some way. */
static void draw_other(struct draw *draw)
{
    struct disk_spec *other = &draw->plan->disks[OTHER];

    other->filter = one_in(draw, 8);
    other->blocked = one_in(draw, 8);
    if (one_in(draw, 8)) {
        other->backing = SRC;
        other->backing_open = true;
    }
}

static void draw_disks(struct draw *draw)
{
    static const uint64_t sizes[] = {8, 64, 64, 400, 2000};

    draw->sectors = one_in(draw, 40) ? 0 : between(draw, 1, sizes[below(draw, 5)]);
    draw->hot_sector = below(draw, draw->sectors + 1);
    draw->plan->disk_count = DISKS;
    for (uint32_t i = 0; i < DISKS; i++) {
        draw_disk(draw, i);
    }
    if (!one_in(draw, 3)) {
        draw_chain(draw);
    } else if (one_in(draw, 2)) {
        draw_extents(draw, &draw->plan->disks[SRC]);
    }
    draw_target(draw);
    draw_other(draw);
}

/* ---- The job ---- */

static enum error_policy draw_policy(struct draw *draw)
{
    return (enum error_policy)below(draw, 4);
}

/* A buffer of a few chunks, not always a whole number of them (S5). */
static int64_t draw_buffer(struct draw *draw, int64_t granularity)
{
    if (one_in(draw, 10)) {
        return MIRROR_DEFAULT_BUFFER_BYTES;
    }
    return (int64_t)below(draw, 20 * (uint64_t)granularity);
}

/* Clusters with more chunks than an operation can hold, which the job must fill itself (I8). */
static void draw_huge_clusters(struct draw *draw)
{
    struct disk_spec *target = &draw->plan->disks[DST];

    target->cluster = SECTOR_BYTES << between(draw, 11, 12);
    target->cluster_unknown = false;
    target->backing = draw->plan->disks[SRC].backing;
    target->backing_open = false;
    target->fill = FILL_ZERO;
    draw->plan->job.granularity = SECTOR_BYTES;
    draw->plan->job.sync = one_in(draw, 4) ? SYNC_NONE : SYNC_TOP;
}

/* Makes a job whose start must be refused. */
static void spoil_job(struct draw *draw)
{
    switch (below(draw, 4)) {
    case 0:
        draw->plan->job.granularity = (int64_t)below(draw, 2000);
        break;
    case 1:
        draw->plan->job.buffer_bytes = -1;
        break;
    case 2:
        draw->plan->job.speed = -1;
        break;
    default:
        draw->plan->disks[one_in(draw, 2) ? SRC : DST].blocked = true;
        break;
    }
}

/* Any disk below the source will do. */
static uint32_t draw_base(struct draw *draw)
{
    return one_in(draw, 2) ? draw->plan->disks[SRC].backing : BASE;
}

static void draw_job(struct draw *draw)
{
    static const char *const replaces[] = {"src", "other", "other", "nothing", "base"};
    struct plan_job *job = &draw->plan->job;
    bool is_backed = draw->plan->disks[SRC].backing != PLAN_NONE;

    job->kind = is_backed && one_in(draw, 4) ? JOB_COMMIT : JOB_MIRROR;
    job->source = SRC;
    job->target = job->kind == JOB_COMMIT ? draw_base(draw) : DST;
    job->sync = one_in(draw, is_backed ? 2 : 10) ? (enum sync_mode)below(draw, 3) : SYNC_FULL;
    job->granularity = one_in(draw, 10) ? 0 : (int64_t)SECTOR_BYTES << below(draw, 8);
    job->speed = one_in(draw, 4) ? draw_speed(draw) : 0;
    job->on_source_error = draw_policy(draw);
    job->on_target_error = draw_policy(draw);
    job->replaces = one_in(draw, 8) ? replaces[below(draw, 5)] : NULL;
    if (draw->sectors > 1024 && job->kind == JOB_MIRROR && one_in(draw, 2)) {
        draw_huge_clusters(draw);
    }
    job->buffer_bytes = draw_buffer(draw, job->granularity > 0 ? job->granularity : 65536);
    if (one_in(draw, 50)) {
        spoil_job(draw);
    }
}

/* ---- The whole ---- */

struct plan *random_plan_create(uint64_t seed)
{
    struct draw draw = {.plan = plan_create(), .state = seed};

    assert(draw.plan != NULL);
    draw.state = below(&draw, UINT64_MAX);
    draw.completes = !one_in(&draw, 6);
    draw.span_ns = 100 * US << below(&draw, 8);
    draw_disks(&draw);
    draw_job(&draw);
    draw_story(&draw);
    draw.plan->timer_slack_ns = one_in(&draw, 8) ? below(&draw, 5 * MS) : 0;
    draw_generators(&draw);
    return draw.plan;
}
