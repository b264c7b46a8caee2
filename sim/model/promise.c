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

/* True if the target is empty and backed by `disk`, so that it reads as `disk` does. */
static bool shines_through(const struct disk_state *source, const struct disk_state *target,
                           uint32_t disk)
{
    return target->backing == disk && image_runs(target->image) == 0 &&
           target->bytes >= source->bytes;
}

void promise_begin(struct promise *promise, const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct disk_state *source = evidence->disks[job->source];
    const struct disk_state *target = evidence->disks[job->target];

    *promise = (struct promise){.everything = true};
    if (job->kind == JOB_COMMIT || job->sync == SYNC_FULL) {
        return;
    }
    if (job->sync == SYNC_TOP &&
        (!source->backing_open || shines_through(source, target, source->backing))) {
        return;
    }
    if (job->sync == SYNC_NONE && shines_through(source, target, job->source)) {
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

static bool is_kept_by(const struct promise *promise, const struct evidence *evidence,
                       const struct view *target, uint64_t offset, uint64_t bytes, uint64_t *sector)
{
    uint64_t end = range_end(offset, bytes);
    struct view source;
    uint64_t piece;

    evidence_view(evidence, evidence->plan->job.source, &source);
    while ((piece = promise_next(promise, &offset, end)) > 0) {
        if (!view_equal(&source, target, offset, piece, sector)) {
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

    evidence_view(evidence, evidence->plan->job.target, &target);
    return is_kept_by(promise, evidence, &target, offset, bytes, sector);
}

bool promise_is_durable(const struct promise *promise, const struct evidence *evidence,
                        uint64_t offset, uint64_t bytes, uint64_t *sector)
{
    const struct disk_state *disk = evidence->disks[evidence->plan->job.target];
    struct view target;

    evidence_view(evidence, evidence->plan->job.target, &target);
    if (disk->durable != NULL) {
        target.layer[0] = disk->durable;
    }
    return is_kept_by(promise, evidence, &target, offset, bytes, sector);
}

void promise_digest(const struct promise *promise, const struct evidence *evidence,
                    struct digest *digest)
{
    digest_u64(digest, promise->everything);
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
