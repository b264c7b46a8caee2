/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of zeroes on the target (modern-algorithm Z1, Z4), and of what the target hides
 * while its backing is closed (ALGORITHM.md D'1, D'15).
 *
 * A target whose backing is closed reads zero where it holds nothing; once the backing is there,
 * it reads what that holds.  So a zero that has not been written is owed: it is written before the
 * end, unless a write has meanwhile allocated the cluster, which the target fills with zeroes.
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

struct chunk_range chunks_touched(const struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    uint64_t first = offset / mirror->granularity;

    return (struct chunk_range){first, div_round_up(offset + bytes, mirror->granularity) - first};
}

struct chunk_range chunks_covered(const struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    uint64_t first = div_round_up(offset, mirror->granularity);
    uint64_t end = (offset + bytes) / mirror->granularity;

    return (struct chunk_range){first, end > first ? end - first : 0};
}

bool zero_is_known(const struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    struct chunk_range range = chunks_touched(mirror, offset, bytes);

    return mirror->zero.size > 0 &&
           bitmap_count_range(&mirror->zero, range.first, range.count) == range.count;
}

void zero_forget(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    chunks_clear(&mirror->zero, chunks_touched(mirror, offset, bytes));
}

/*
 * What the target allocates at once is there from now on; a chunk is if all of it is.  The end of
 * the image is the end of its last chunk.
 */
void zero_note_written(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    uint64_t end;

    block_round_to_allocation(mirror->life.spec.target, &offset, &bytes);
    end = offset + bytes < mirror->length ? offset + bytes : mirror->chunks * mirror->granularity;
    chunks_clear(&mirror->zero_owed, chunks_covered(mirror, offset, end - offset));
}

void zero_note_zeroed(struct engine_job *mirror, struct chunk_range range, bool skipped)
{
    chunks_set(&mirror->zero, range);
    if (skipped) {
        chunks_set(&mirror->zero_owed, range);
    } else {
        chunks_clear(&mirror->zero_owed, range);
    }
}

/* The end of the run of set bits that begins at `first`. */
static uint64_t owed_end(const struct engine_job *mirror, uint64_t first)
{
    return bitmap_next_clear(&mirror->zero_owed, first, mirror->chunks);
}

bool zero_mark_owed(struct engine_job *mirror)
{
    uint64_t first = 0;

    if (mirror->zero_owed.size == 0 || mirror->zero_owed.count == 0) {
        return false;
    }
    while (bitmap_next_set(&mirror->zero_owed, first, &first)) {
        uint64_t end = owed_end(mirror, first);
        uint64_t offset = first * mirror->granularity;

        bitmap_clear(&mirror->zero, first, end - first);
        block_dirty_set(mirror->dirty, offset,
                        min_u64(end * mirror->granularity, mirror->length) - offset);
        first = end;
    }
    chunks_clear(&mirror->zero_owed, (struct chunk_range){0, mirror->chunks});
    modern_set_synced(mirror, false);
    return true;
}

void zero_mark_filling(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    uint64_t unit = max_u64(mirror->cluster, mirror->granularity);
    uint64_t end = min_u64(align_up(offset + bytes, unit), mirror->length);
    uint64_t from = align_down(offset, unit);

    if (!mirror->hides_backing) {
        return;
    }
    for (uint64_t at = align_down(from, mirror->granularity); at < end; at += mirror->granularity) {
        uint64_t chunk_end = min_u64(at + mirror->granularity, mirror->length);
        bool is_covered = at >= offset && chunk_end <= offset + bytes;

        if (!is_covered && !bitmap_get(&mirror->whole, at / mirror->granularity)) {
            zero_forget(mirror, at, chunk_end - at);
            modern_set_synced(mirror, false);
            block_dirty_set(mirror->dirty, at, chunk_end - at);
        }
    }
}

/* ---- D'44 ---- */

void unflushed_note(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    chunks_set(&mirror->unflushed, chunks_touched(mirror, offset, bytes));
    mirror->written_in_flush = true;
}

void unflushed_flush(struct engine_job *mirror)
{
    mirror->written_in_flush = false;
    block_flush(mirror->life.spec.target, modern_request_done, mirror);
}

/*
 * What may be lost is not known to be zero.  Its cluster may be lost, too, but with all that was
 * written there since, so that it is dirty to its ends.
 */
static void copy_again(struct engine_job *mirror)
{
    uint64_t first = 0;

    while (bitmap_next_set(&mirror->unflushed, first, &first)) {
        uint64_t end = bitmap_next_clear(&mirror->unflushed, first, mirror->chunks);
        uint64_t offset = first * mirror->granularity;

        chunks_clear(&mirror->zero, (struct chunk_range){first, end - first});
        block_dirty_set(mirror->dirty, offset,
                        min_u64(end * mirror->granularity, mirror->length) - offset);
        first = end;
    }
}

/* What active requests have written since the flush began is covered by the next one only. */
void unflushed_settle(struct engine_job *mirror, int ret)
{
    if (ret < 0) {
        copy_again(mirror);
    }
    if (ret < 0 || !mirror->written_in_flush) {
        chunks_clear(&mirror->unflushed, (struct chunk_range){0, mirror->chunks});
    }
}
