/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promise is a set of ranges: an image of which only the allocation matters.
 */
#include "sim/model/promise.h"

#include <assert.h>
#include <stddef.h>

#include "engine/range.h"

/* Promises the ranges allocated in the disk's own image, clipped to its length. */
static void add_allocated(struct promise *promise, const struct disk_state *disk)
{
    uint64_t end = disk->bytes / SECTOR_BYTES;

    for (uint64_t sector = 0; sector < end;) {
        struct run run;

        if (image_lookup(disk->image, sector, end, &run)) {
            promise_add(promise, run.sector * SECTOR_BYTES, run.sectors * SECTOR_BYTES);
        }
        sector += run.sectors;
    }
}

/* ---- The target's backing ---- */

/* The disk that the job makes the target's backing, or PLAN_NONE (C6'). */
static uint32_t backing_to_come(const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct disk_state *source = evidence->disks[job->source];

    if (evidence->plan->generation != GENERATION_MODERN || job->kind == JOB_COMMIT ||
        job->backing_mode != BACKING_SOURCE || job->sync == SYNC_FULL) {
        return PLAN_NONE;
    }
    if (job->sync == SYNC_NONE) {
        return job->source;
    }
    return source->backing_open ? source->backing : PLAN_NONE;
}

static uint32_t backing_of_target(const struct evidence *evidence)
{
    uint32_t backing = backing_to_come(evidence);

    return backing != PLAN_NONE ? backing : evidence->disks[evidence->plan->job.target]->backing;
}

/* It has another one open now, or none. */
static bool is_to_be_attached(const struct evidence *evidence, uint32_t backing)
{
    const struct disk_state *target = evidence->disks[evidence->plan->job.target];

    return backing != PLAN_NONE && !(target->backing_open && target->backing == backing);
}

bool promise_hides_backing(const struct evidence *evidence)
{
    return evidence->plan->generation == GENERATION_MODERN &&
           is_to_be_attached(evidence, backing_of_target(evidence));
}

bool promise_may_owe_zeroes(const struct evidence *evidence, uint64_t *sector, uint64_t end)
{
    const struct plan_job *job = &evidence->plan->job;
    struct view source;
    struct run seen;
    struct run held;

    if (!promise_hides_backing(evidence) ||
        image_lookup(evidence->disks[job->target]->image, *sector, end, &held)) {
        return false;
    }
    evidence_view(evidence, job->source, &source);
    seen = view_lookup(&source, *sector, end);
    if (seen.tag != TAG_ZERO || seen.step != 0) {
        return false;
    }
    *sector += min_u64(seen.sectors, held.sectors);
    return true;
}

static void view_target(const struct evidence *evidence, struct view *view)
{
    uint32_t backing = backing_to_come(evidence);
    struct view below;

    evidence_view(evidence, evidence->plan->job.target, view);
    if (!is_to_be_attached(evidence, backing)) {
        return;
    }
    view->layers = 1;
    evidence_view(evidence, backing, &below);
    for (uint32_t i = 0; i < below.layers && view->layers < VIEW_MAX_LAYERS; i++) {
        view->layer[view->layers] = below.layer[i];
        view->bytes[view->layers] = below.bytes[i];
        view->layers++;
    }
}

/* ---- What is promised ---- */

/* True if the target is empty and backed by `disk`, so that it reads as `disk` does. */
static bool shines_through(const struct evidence *evidence, uint32_t disk)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct disk_state *target = evidence->disks[job->target];

    return backing_of_target(evidence) == disk && image_runs(target->image) == 0 &&
           target->bytes >= evidence->disks[job->source]->bytes;
}

/* Does the disk hold anything but zeroes? */
static bool holds_data(const struct disk_state *disk)
{
    uint64_t end = disk->bytes / SECTOR_BYTES;

    for (uint64_t sector = 0; sector < end;) {
        struct run run;

        if (image_lookup(disk->image, sector, end, &run) && (run.tag != TAG_ZERO || run.step > 0)) {
            return true;
        }
        sector += run.sectors;
    }
    return false;
}

/* The disk, or what shows through it. */
static bool shows_data(const struct evidence *evidence, uint32_t disk)
{
    /* A chain is no longer than the plan's disks. */
    for (uint32_t i = 0; i < evidence->plan->disk_count; i++) {
        if (holds_data(evidence->disks[disk])) {
            return true;
        }
        if (!evidence->disks[disk]->backing_open) {
            break;
        }
        disk = evidence->disks[disk]->backing;
    }
    return false;
}

static bool is_told_zero(const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;

    return evidence->plan->generation == GENERATION_MODERN && job->kind == JOB_MIRROR &&
           job->target_is_zero && job->sync != SYNC_NONE && shows_data(evidence, job->target);
}

void promise_begin(struct promise *promise, const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct disk_state *source = evidence->disks[job->source];

    *promise = (struct promise){.everything = true, .believes_zeroes = is_told_zero(evidence)};
    if (job->kind == JOB_COMMIT || job->sync == SYNC_FULL) {
        return;
    }
    if (job->sync == SYNC_TOP &&
        ((!source->backing_open && evidence->plan->generation == GENERATION_2_2) ||
         shines_through(evidence, source->backing))) {
        return;
    }
    if (job->sync == SYNC_NONE && shines_through(evidence, job->source)) {
        return;
    }
    promise->everything = false;
    promise->ranges = image_create(evidence->arena);
    if (job->sync == SYNC_TOP) {
        add_allocated(promise, source);
    }
}

void promise_add(struct promise *promise, uint64_t offset, uint64_t bytes)
{
    if (!promise->everything) {
        image_write(promise->ranges,
                    (struct run){offset / SECTOR_BYTES, bytes / SECTOR_BYTES, TAG_ZERO, 0, false});
    }
}

uint64_t promise_next(const struct promise *promise, uint64_t *offset, uint64_t end)
{
    while (*offset < end) {
        struct run run;

        if (promise->everything) {
            return end - *offset;
        }
        if (image_lookup(promise->ranges, *offset / SECTOR_BYTES, end / SECTOR_BYTES, &run)) {
            return run.sectors * SECTOR_BYTES;
        }
        *offset += run.sectors * SECTOR_BYTES;
    }
    return 0;
}

void promise_forget_rest(const struct promise *promise, struct image *image, uint64_t end)
{
    for (uint64_t at = 0; at < end;) {
        uint64_t promised = at;
        uint64_t bytes = promise_next(promise, &promised, end);

        image_punch(image, at, promised - at);
        at = promised + bytes;
    }
}

/* The end of the zeroes that begin at `sector`, or the sector itself if there are none. */
static uint64_t end_of_zeroes(const struct view *view, uint64_t sector, uint64_t limit)
{
    struct run run = view_lookup(view, sector, limit);

    return run.tag == TAG_ZERO && run.step == 0 ? sector + run.sectors : sector;
}

static bool piece_is_kept(const struct promise *promise, const struct view *source,
                          const struct view *target, uint64_t offset, uint64_t bytes,
                          uint64_t *sector)
{
    uint64_t end = range_end(offset, bytes) / SECTOR_BYTES;
    uint64_t at = offset / SECTOR_BYTES;

    while (at < end &&
           !view_equal(source, target, at * SECTOR_BYTES, (end - at) * SECTOR_BYTES, sector)) {
        at = promise->believes_zeroes ? end_of_zeroes(source, *sector, end) : *sector;
        if (at == *sector) {
            return false;
        }
    }
    return true;
}

static bool is_kept_by(const struct promise *promise, const struct evidence *evidence,
                       const struct view *target, uint64_t offset, uint64_t bytes, uint64_t *sector)
{
    uint64_t end = range_end(offset, bytes);
    struct view source;
    uint64_t piece;

    evidence_view(evidence, evidence->plan->job.source, &source);
    while ((piece = promise_next(promise, &offset, end)) > 0) {
        if (!piece_is_kept(promise, &source, target, offset, piece, sector)) {
            return false;
        }
        offset += piece;
    }
    return true;
}

bool promise_is_kept(const struct promise *promise, const struct evidence *evidence,
                     uint64_t offset, uint64_t bytes, uint64_t *sector)
{
    struct view target;

    view_target(evidence, &target);
    return is_kept_by(promise, evidence, &target, offset, bytes, sector);
}

bool promise_is_durable(const struct promise *promise, const struct evidence *evidence,
                        uint64_t offset, uint64_t bytes, uint64_t *sector)
{
    const struct disk_state *disk = evidence->disks[evidence->plan->job.target];
    struct view target;

    view_target(evidence, &target);
    if (disk->durable != NULL) {
        target.layer[0] = disk->durable;
    }
    return is_kept_by(promise, evidence, &target, offset, bytes, sector);
}

void promise_digest(const struct promise *promise, const struct evidence *evidence,
                    struct digest *digest)
{
    digest_flags(digest, promise->everything, promise->believes_zeroes);
    if (promise->ranges != NULL) {
        image_digest(promise->ranges, evidence->writers, digest);
    }
}

bool event_changes_source(const struct evidence *evidence, const struct event *event)
{
    return event->kind == EVENT_REQUEST_EFFECT && event->by == BY_GUEST &&
           event->node == evidence->plan->job.source &&
           (event->op == OP_WRITE || event->op == OP_WRITE_ZEROES || event->op == OP_DISCARD);
}

void promise_check(const struct promise *promise)
{
    assert(!promise->everything || promise->ranges == NULL);
    if (promise->ranges != NULL) {
        image_check(promise->ranges);
    }
}
