/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One iteration of the copy loop: a run of dirty chunks is searched for, taken, and cut into
 * operations by what is stored there (modern-algorithm O1 to O8).
 *
 * Declared in engine/modern/modern.h: it is a part of the run.
 */
#include <assert.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

/* O1; the cursor stands behind what it has given. */
enum modern_turn modern_search(struct engine_job *mirror)
{
    const struct bitmap *dirty = block_dirty_bits(mirror->dirty);
    uint64_t chunk = 0;

    if (!bitmap_next_set(dirty, mirror->cursor, &chunk)) {
        bool found = bitmap_next_set(dirty, 0, &chunk);

        assert(found);
    }
    mirror->cursor = chunk + 1;
    mirror->cut_offset = chunk * mirror->granularity;
    return modern_to(mirror, MODERN_WAIT_CHUNK);
}

/* O2; all is looked at again after each wake-up. */
enum modern_turn modern_wait_chunk(struct engine_job *mirror)
{
    uint64_t chunk = mirror->cut_offset / mirror->granularity;
    struct copy_op *holder;

    if (mirror->stored_error < 0 || !bitmap_get(&mirror->in_flight, chunk)) {
        return modern_to(mirror, MODERN_SEARCH_POINT);
    }
    holder = op_find_holder(mirror, chunk);
    strand_wait_on(&holder->waiters, &mirror->run);
    return WAITS;
}

/* The chunks of the run that begins there, as many as the buffer takes. */
static uint64_t measure_run(const struct engine_job *mirror, uint64_t first)
{
    const struct bitmap *dirty = block_dirty_bits(mirror->dirty);
    uint64_t end = min_u64(first + mirror->buffer_bytes / mirror->granularity, mirror->chunks);
    uint64_t held;

    end = first + 1 < end ? bitmap_next_clear(dirty, first + 1, end) : end;
    if (bitmap_next_set(&mirror->in_flight, first + 1, &held)) {
        end = min_u64(end, held);
    }
    return end - first;
}

/*
 * O4; clean before anything is asked or read, so that no guest write is missed.  The first chunk is
 * taken even if it has been cleaned since it was found: it is copied once more.  If an active
 * request has taken it while the job was parked, it is waited for again (D'36).
 */
enum modern_turn modern_take(struct engine_job *mirror)
{
    uint64_t first = mirror->cut_offset / mirror->granularity;
    uint64_t bytes;

    if (bitmap_get(&mirror->in_flight, first)) {
        return modern_to(mirror, mirror->stored_error < 0 ? MODERN_SETTLE : MODERN_WAIT_CHUNK);
    }
    bytes = measure_run(mirror, first) * mirror->granularity;
    mirror->cut_end = mirror->cut_offset + bytes;
    mirror->cursor = max_u64(mirror->cursor, mirror->cut_end / mirror->granularity);
    block_dirty_clear(mirror->dirty, mirror->cut_offset,
                      min_u64(bytes, mirror->length - mirror->cut_offset));
    mirror->run_op = op_create(mirror, OP_PSEUDO, mirror->cut_offset, bytes, 0, NULL);
    op_hold(mirror->run_op);
    return modern_to(mirror, MODERN_CUT);
}

/* ---- O5 ---- */

/* The pieces hold their chunks by themselves; what has not become one is given up (O6). */
static enum modern_turn close_run(struct engine_job *mirror)
{
    struct copy_op *run_op = mirror->run_op;
    uint64_t rest = align_up(mirror->cut_offset, mirror->granularity);

    if (rest < mirror->cut_end) {
        chunks_clear(&mirror->in_flight, chunks_touched(mirror, rest, mirror->cut_end - rest));
    }
    mirror->run_op = NULL;
    op_destroy(run_op);
    return modern_to(mirror, MODERN_SETTLE);
}

static void answered(void *opaque, int ret)
{
    (void)ret; /* the answer has it */
    modern_wake(opaque);
}

enum modern_turn modern_cut(struct engine_job *mirror)
{
    if (mirror->cut_offset >= mirror->cut_end || mirror->cut_offset >= mirror->length) {
        return close_run(mirror);
    }
    modern_set_phase(mirror, MODERN_CUT_STATUS);
    return block_ask_content(mirror->life.spec.source, mirror->cut_offset,
                             mirror->cut_end - mirror->cut_offset, &mirror->answer, answered,
                             mirror)
               ? GOES_ON
               : WAITS;
}

static uint64_t max_copy_bytes(const struct engine_job *mirror)
{
    return max_u64(mirror->buffer_bytes / MODERN_MAX_IN_FLIGHT, MODERN_MIN_COPY_BYTES);
}

/* The target can do it at once: it begins and ends where the target's own units do. */
static bool fits_target(const struct engine_job *mirror, uint64_t bytes)
{
    uint64_t offset = mirror->cut_offset;
    uint64_t rounded = bytes;

    block_round_to_allocation(mirror->life.spec.target, &offset, &rounded);
    return offset == mirror->cut_offset && rounded == bytes;
}

static enum op_kind kind_for(const struct engine_job *mirror, uint64_t bytes)
{
    if (!fits_target(mirror, bytes)) {
        return OP_COPY;
    }
    return mirror->answer.content == CONTENT_ZERO ? OP_ZERO : OP_UNMAP;
}

/* An error of the question is not reported: the range is copied (E7'). */
enum modern_turn modern_cut_answered(struct engine_job *mirror)
{
    const struct block_answer *answer = &mirror->answer;
    bool is_hole = answer->ret == 0 && answer->content != CONTENT_DATA;
    uint64_t extent = answer->ret < 0 ? mirror->cut_end - mirror->cut_offset : answer->extent_bytes;
    uint64_t bytes = is_hole ? extent : min_u64(extent, max_copy_bytes(mirror));

    bytes = align_down(bytes, mirror->granularity);
    mirror->cut_kind = is_hole && bytes > 0 ? kind_for(mirror, bytes) : OP_COPY;
    bytes = max_u64(bytes, mirror->granularity);
    mirror->cut_bytes = min_u64(bytes, mirror->length - mirror->cut_offset);
    return modern_to(mirror, MODERN_CUT_SLOT);
}

/* Z6 */
static uint64_t charged_bytes(const struct engine_job *mirror, struct op_launched launched)
{
    bool is_free = launched.skipped ||
                   (mirror->cut_kind != OP_COPY && block_can_unmap(mirror->life.spec.target));

    return is_free ? 0 : launched.bytes;
}

/* O6: after every wake-up again. */
enum modern_turn modern_cut_launch(struct engine_job *mirror)
{
    struct life *life = &mirror->life;
    struct op_launched launched;

    if (mirror->ops_in_flight >= MODERN_MAX_IN_FLIGHT) {
        return modern_wait_oldest(mirror);
    }
    if (mirror->stored_error < 0) {
        return close_run(mirror);
    }
    launched =
        op_launch(mirror, mirror->cut_kind, mirror->cut_offset, mirror->cut_bytes, mirror->cut_end);
    assert(launched.bytes > 0);
    mirror->cut_offset += launched.bytes;
    account_charge(&life->account, charged_bytes(mirror, launched), host_now_ns(life->host));
    return modern_to(mirror, MODERN_CUT);
}
