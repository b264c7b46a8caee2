/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Issuing one operation, and what its end does (mirror-algorithm I and E).
 *
 * An operation is put together from pieces: a run of dirty chunks, or, where
 * the target's cluster is not allocated yet and nobody but us can fill it
 * (R4), all chunks of that cluster.  No chunk is ever in two operations.
 *
 * Declared in engine/2.2/mirror.h: it is a part of the job.
 */
#include <assert.h>
#include <stddef.h>

#include "engine/2.2/mirror.h"

struct piece {
    uint64_t first; /* chunk */
    uint64_t chunks;
};

/* ---- Choosing the chunks (I1 to I3) ---- */

/* I1; the cursor stays on the chunk until an operation takes it. */
static uint64_t next_dirty_chunk(struct engine_job *mirror)
{
    const struct bitmap *dirty = block_dirty_bits(mirror->dirty);
    bool found = bitmap_next_set(dirty, mirror->cursor, &mirror->cursor) ||
                 bitmap_next_set(dirty, 0, &mirror->cursor);

    assert(found);
    return mirror->cursor;
}

static bool needs_cow(const struct engine_job *mirror, uint64_t chunk)
{
    return mirror->cluster > 0 && !bitmap_get(&mirror->cow, chunk);
}

/*
 * The target cluster of a chunk, clipped at the end of the device and to what
 * one operation can hold: a window of MIRROR_MAX_OP_CHUNKS, aligned so that
 * windows never overlap.
 */
static struct piece cluster_piece(const struct engine_job *mirror, uint64_t chunk)
{
    uint64_t per_cluster = mirror->cluster / mirror->granularity;
    uint64_t first = align_down(chunk, min_u64(per_cluster, MIRROR_MAX_OP_CHUNKS));
    uint64_t end = first + min_u64(per_cluster, MIRROR_MAX_OP_CHUNKS);

    return (struct piece){first, min_u64(end, mirror->chunks) - first};
}

/* Dirty chunks from `chunk` on, not in flight, that need no rounding. */
static struct piece plain_piece(const struct engine_job *mirror, uint64_t chunk, uint64_t max)
{
    uint64_t end = min_u64(chunk + max, mirror->chunks);
    uint64_t busy;

    end = bitmap_next_clear(block_dirty_bits(mirror->dirty), chunk, end);
    if (mirror->cluster > 0) {
        end = bitmap_next_clear(&mirror->cow, chunk, end);
    }
    if (bitmap_next_set(&mirror->in_flight, chunk, &busy)) {
        end = min_u64(end, busy);
    }
    return (struct piece){chunk, end - chunk};
}

/* Is the limiter to be asked, piece by piece (I3, T3)? */
static bool is_limited(const struct engine_job *mirror)
{
    return !mirror->job.ready && mirror->job.speed > 0;
}

/*
 * What an earlier charge still asks for (T2).  The job has slept for it, unless
 * a command woke it, or lowered the speed while it was waiting or parked.
 */
static uint64_t owed_delay(struct engine_job *mirror)
{
    return is_limited(mirror) ? ratelimit_delay(&mirror->limit, host_now_ns(mirror->job.host)) : 0;
}

static struct piece piece_at(const struct engine_job *mirror, uint64_t chunk, uint64_t max)
{
    if (needs_cow(mirror, chunk)) {
        return cluster_piece(mirror, chunk);
    }
    return plain_piece(mirror, chunk, is_limited(mirror) ? 1 : max);
}

/* Charges the limiter for the piece; returns the delay that it asks for (T2). */
static uint64_t charge_piece(struct engine_job *mirror, struct piece piece)
{
    uint64_t bytes = mirror_chunk_bytes(mirror, piece.first, piece.chunks);

    if (!is_limited(mirror)) {
        return 0;
    }
    return ratelimit_charge(&mirror->limit, bytes, host_now_ns(mirror->job.host));
}

/* The piece belongs to the operation from here on: no other operation can have its chunks. */
static void hold_piece(struct engine_job *mirror, struct piece piece)
{
    bitmap_set(&mirror->in_flight, piece.first, piece.chunks);
}

/*
 * I3: extends the first piece while the next chunk wants to be copied and
 * fits.  Returns the delay.
 */
static uint64_t extend(struct engine_job *mirror, struct piece *op)
{
    uint64_t max = min_u64(mirror->free_count, MIRROR_MAX_OP_CHUNKS);
    uint64_t delay_ns = charge_piece(mirror, *op);

    hold_piece(mirror, *op);
    while (delay_ns == 0 && op->chunks < max) {
        uint64_t next = op->first + op->chunks;
        struct piece piece;

        if (next == mirror->chunks || !bitmap_get(block_dirty_bits(mirror->dirty), next) ||
            bitmap_get(&mirror->in_flight, next)) {
            break;
        }
        piece = piece_at(mirror, next, max - op->chunks);
        assert(piece.first == next);
        if (piece.chunks > max - op->chunks) {
            break;
        }
        delay_ns = charge_piece(mirror, piece);
        hold_piece(mirror, piece);
        op->chunks += piece.chunks;
    }
    return delay_ns;
}

/*
 * A cluster longer than one operation: its other chunks become dirty, so that
 * each is copied by itself before the job can become ready, and count as
 * known from now on, so that they are not rounded again (I8).
 */
static void spread_cluster(struct engine_job *mirror, uint64_t chunk, struct piece window)
{
    uint64_t per_cluster = mirror->cluster / mirror->granularity;
    uint64_t first = align_down(chunk, per_cluster);
    uint64_t end = min_u64(first + per_cluster, mirror->chunks);
    uint64_t window_end = window.first + window.chunks;

    if (window.first > first) {
        bitmap_set(&mirror->cow, first, window.first - first);
        block_dirty_set(mirror->dirty, first * mirror->granularity,
                        (window.first - first) * mirror->granularity);
    }
    if (end > window_end) {
        bitmap_set(&mirror->cow, window_end, end - window_end);
        block_dirty_set(mirror->dirty, window_end * mirror->granularity,
                        mirror_chunk_bytes(mirror, window_end, end - window_end));
    }
}

/* ---- Chunk buffers (I4, I7): a ring, taken at its head, returned at its tail ---- */

static uint32_t take_buffer(struct engine_job *mirror)
{
    uint32_t buffer = mirror->free_ring[mirror->free_head];

    assert(mirror->free_count > 0);
    mirror->free_count--;
    mirror->free_head++;
    if (mirror->free_head == mirror->buffer_count) {
        mirror->free_head = 0;
    }
    return buffer;
}

static void return_buffer(struct engine_job *mirror, uint32_t buffer)
{
    uint64_t tail = (uint64_t)mirror->free_head + mirror->free_count;

    assert(mirror->free_count < mirror->buffer_count);
    mirror->free_ring[tail < mirror->buffer_count ? tail : tail - mirror->buffer_count] = buffer;
    mirror->free_count++;
}

/* ---- Operations ---- */

static size_t op_memory_bytes(uint64_t chunks)
{
    return offsetof(struct mirror_op, buffers) + (size_t)chunks * sizeof(uint32_t);
}

static struct block_iov op_iov(const struct mirror_op *op)
{
    return (struct block_iov){op->mirror->buffers, op->buffers, op->chunks};
}

static struct mirror_op *create_op(struct engine_job *mirror, struct piece piece)
{
    struct mirror_op *op = host_alloc(mirror->job.host, op_memory_bytes(piece.chunks));

    op->mirror = mirror;
    op->first = piece.first;
    op->chunks = (uint32_t)piece.chunks;
    op->offset = piece.first * mirror->granularity;
    op->bytes = mirror_chunk_bytes(mirror, piece.first, piece.chunks);
    for (uint32_t i = 0; i < op->chunks; i++) {
        op->buffers[i] = take_buffer(mirror);
    }
    mirror->ops[mirror->ops_in_flight++] = op;
    mirror->bytes_in_flight += op->bytes;
    return op;
}

static void forget_op(struct engine_job *mirror, struct mirror_op *op)
{
    uint32_t i = 0;

    while (mirror->ops[i] != op) {
        i++;
    }
    mirror->ops_in_flight--;
    for (; i < mirror->ops_in_flight; i++) {
        mirror->ops[i] = mirror->ops[i + 1];
    }
    mirror->bytes_in_flight -= op->bytes;
    host_free(mirror->job.host, op, op_memory_bytes(op->chunks));
}

/* An operation has finished: a waiting job goes on (section 4, waking). */
static void wake_waiter(struct engine_job *mirror)
{
    bool may_issue = !mirror->job.pause_wanted && !mirror_must_abort(mirror);

    if (mirror->phase == PHASE_WAIT_OP) {
        mirror_set_phase(mirror, PHASE_PASS);
    } else if (mirror->phase == PHASE_WAIT_CHUNK || mirror->phase == PHASE_WAIT_BUFFERS) {
        mirror_set_phase(mirror, may_issue ? PHASE_ISSUE : PHASE_PASS);
    } else if (mirror->phase != PHASE_EXIT) {
        return;
    }
    mirror_run(mirror);
}

/* I7 */
static void finish_op(struct mirror_op *op, int ret)
{
    struct engine_job *mirror = op->mirror;

    for (uint32_t i = 0; i < op->chunks; i++) {
        return_buffer(mirror, op->buffers[i]);
    }
    bitmap_clear(&mirror->in_flight, op->first, op->chunks);
    if (ret == 0) {
        if (mirror->cluster > 0) {
            bitmap_set(&mirror->cow, op->first, op->chunks);
        }
        if (mirror->unflushed.size > 0) {
            bitmap_set(&mirror->unflushed, op->first, op->chunks);
        }
        job_advance(&mirror->job, op->bytes);
    }
    forget_op(mirror, op);
    wake_waiter(mirror);
}

/*
 * E1, E3: dirty again, and the first reported error becomes the result, unless
 * the loop has ended: what it ended with, an error or a cancel, stands.
 */
static void fail_op(struct mirror_op *op, enum op failed, int ret)
{
    struct engine_job *mirror = op->mirror;
    enum error_action action;

    block_dirty_set(mirror->dirty, op->offset, op->bytes);
    action = job_handle_error(&mirror->job, failed, ret, op->offset, op->bytes);
    if (action == ACTION_REPORT && mirror->ret == 0 && mirror->phase != PHASE_EXIT) {
        mirror->ret = ret;
    }
    finish_op(op, ret);
}

static void write_done(void *opaque, int ret)
{
    struct mirror_op *op = opaque;

    if (ret < 0) {
        fail_op(op, OP_WRITE, ret);
    } else {
        finish_op(op, 0);
    }
}

/* I6; whatever has become of the job meanwhile, what was read is written (reads_only_write). */
static void read_done(void *opaque, int ret)
{
    struct mirror_op *op = opaque;

    if (ret < 0) {
        fail_op(op, OP_READ, ret);
    } else {
        block_write(op->mirror->job.spec.target, op->offset, op->bytes, op_iov(op), write_done, op);
    }
}

/*
 * I5, I6: clean before the read is issued.  A guest write that takes effect
 * after the read has looked marks the chunks again when it completes; cleaned
 * after the read, that mark would be lost.
 */
static void submit_op(struct engine_job *mirror, struct piece piece)
{
    struct mirror_op *op = create_op(mirror, piece);

    mirror->cursor = max_u64(mirror->cursor, piece.first + piece.chunks);
    block_dirty_clear(mirror->dirty, op->offset, op->bytes);
    block_read(mirror->job.spec.source, op->offset, op->bytes, op_iov(op), read_done, op);
}

void mirror_issue(struct engine_job *mirror)
{
    uint64_t chunk = next_dirty_chunk(mirror);
    struct piece op;
    uint64_t delay_ns = owed_delay(mirror);

    if (delay_ns > 0) {
        mirror_end_pass(mirror, false, delay_ns);
        return;
    }
    if (bitmap_get(&mirror->in_flight, chunk)) {
        mirror_set_phase(mirror, PHASE_WAIT_CHUNK);
        return;
    }
    op = piece_at(mirror, chunk, min_u64(mirror->free_count, MIRROR_MAX_OP_CHUNKS));
    if (op.chunks > mirror->free_count || mirror->free_count == 0) {
        mirror_set_phase(mirror, PHASE_WAIT_BUFFERS);
        return;
    }
    if (needs_cow(mirror, chunk) && mirror->cluster / mirror->granularity > MIRROR_MAX_OP_CHUNKS) {
        spread_cluster(mirror, chunk, op);
    }
    delay_ns = extend(mirror, &op);
    submit_op(mirror, op);
    if (delay_ns == 0) {
        mirror_set_phase(mirror, PHASE_PASS);
    } else {
        mirror_end_pass(mirror, false, delay_ns);
    }
}
