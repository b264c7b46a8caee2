/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of operations, and the strand of a background one (modern-algorithm O7 to O11).
 */
#include "engine/modern/op.h"

#include <assert.h>
#include <stddef.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

/* ---- The list ---- */

static size_t op_memory_bytes(uint32_t buffer_count)
{
    return offsetof(struct copy_op, buffers) + buffer_count * sizeof(uint32_t);
}

struct copy_op *op_create(struct engine_job *mirror, enum op_kind kind, uint64_t offset,
                          uint64_t bytes, uint32_t buffer_count, void (*resume)(struct strand *))
{
    struct copy_op *op = host_alloc(mirror->life.host, op_memory_bytes(buffer_count));
    struct chunk_range own = chunks_touched(mirror, offset, bytes);

    op->mirror = mirror;
    op->kind = kind;
    op->offset = offset;
    op->bytes = bytes;
    op->own = own;
    op->buffer_count = buffer_count;
    strand_init(&op->strand, resume);
    STAILQ_INIT(&op->waiters);
    TAILQ_INSERT_TAIL(&mirror->ops, op, link);
    return op;
}

void op_hold(struct copy_op *op)
{
    chunks_set(&op->mirror->in_flight, op->own);
}

void op_let_go(struct copy_op *op)
{
    chunks_clear(&op->mirror->in_flight, op->own);
}

void op_destroy(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    TAILQ_REMOVE(&mirror->ops, op, link);
    strand_wake_all(&mirror->strands, &op->waiters);
    host_free(mirror->life.host, op, op_memory_bytes(op->buffer_count));
}

static bool touches(const struct copy_op *op, struct chunk_range range)
{
    return range_overlaps(op->own.first, op->own.count, range.first, range.count);
}

struct copy_op *op_find_holder(const struct engine_job *mirror, uint64_t chunk)
{
    const struct chunk_range range = {chunk, 1};
    struct copy_op *op = TAILQ_FIRST(&mirror->ops);

    for (; !touches(op, range); op = TAILQ_NEXT(op, link)) {
        assert(TAILQ_NEXT(op, link) != NULL);
    }
    return op;
}

static bool conflicts(const struct copy_op *op, const struct copy_op *self)
{
    return op != self && op->waits_for == NULL && touches(op, self->own);
}

struct copy_op *op_find_conflict(const struct copy_op *self)
{
    struct copy_op *op = TAILQ_FIRST(&self->mirror->ops);

    for (; !conflicts(op, self); op = TAILQ_NEXT(op, link)) {
        assert(TAILQ_NEXT(op, link) != NULL);
    }
    return op;
}

static bool is_background(const struct copy_op *op)
{
    return op->kind != OP_PSEUDO && op->kind != OP_ACTIVE;
}

struct copy_op *op_find_oldest(const struct engine_job *mirror)
{
    struct copy_op *op;

    TAILQ_FOREACH (op, &mirror->ops, link) {
        if (op->in_flight) {
            return op;
        }
    }
    return NULL;
}

struct copy_op *op_find_background(const struct engine_job *mirror)
{
    struct copy_op *op;

    TAILQ_FOREACH (op, &mirror->ops, link) {
        if (is_background(op)) {
            return op;
        }
    }
    return NULL;
}

/* ---- Chunk buffers: a ring, taken at its head, returned at its tail ---- */

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

/* ---- D'32: margins ---- */

/* What of [offset, offset + bytes) a copy moves, but does not own. */
static void note_in_margin(struct copy_op *op, uint64_t offset, uint64_t bytes)
{
    uint64_t granularity = op->mirror->granularity;
    uint64_t own_offset = op->own.first * granularity;
    uint64_t own_end = own_offset + op->own.count * granularity;
    uint64_t from = max_u64(offset, op->offset);
    uint64_t to = min_u64(offset + bytes, op->offset + op->bytes);

    if (from >= to || (from >= own_offset && to <= own_end)) {
        return;
    }
    op->remarked_offset = op->remarked_end == 0 ? from : min_u64(op->remarked_offset, from);
    op->remarked_end = max_u64(op->remarked_end, to);
}

void op_note_changed(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    struct copy_op *op;

    if (!mirror->cow_by_hand) {
        return;
    }
    TAILQ_FOREACH (op, &mirror->ops, link) {
        if (op->kind == OP_COPY) {
            note_in_margin(op, offset, bytes);
        }
    }
}

void op_note_overtaken(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    struct copy_op *op;

    TAILQ_FOREACH (op, &mirror->ops, link) {
        if (op->kind == OP_ACTIVE && op->phase == OP_PHASE_SOURCE &&
            range_overlaps(op->offset, op->bytes, offset, bytes)) {
            op->overtaken = true;
        }
    }
}

/* An active request that is under way changes the source at a time that we don't see. */
static void note_active_ones(struct copy_op *copy)
{
    struct copy_op *op;

    if (!copy->mirror->cow_by_hand) {
        return;
    }
    TAILQ_FOREACH (op, &copy->mirror->ops, link) {
        if (op->kind == OP_ACTIVE) {
            note_in_margin(copy, op->offset, op->bytes);
        }
    }
}

/* What the copy has read may be older than what somebody else has written there since. */
static void mark_margin(const struct copy_op *op)
{
    if (op->remarked_end > 0) {
        zero_forget(op->mirror, op->remarked_offset, op->remarked_end - op->remarked_offset);
        block_dirty_set(op->mirror->dirty, op->remarked_offset,
                        op->remarked_end - op->remarked_offset);
    }
}

/* ---- The end of a background operation (O10) ---- */

static void give_back(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    mirror->ops_in_flight--;
    mirror->bytes_in_flight -= op->bytes;
    if (op->kind == OP_COPY) {
        for (uint32_t i = 0; i < op->buffer_count; i++) {
            return_buffer(mirror, op->buffers[i]);
        }
    }
    op_let_go(op);
}

static void note_success(const struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    if (!op->skipped) {
        unflushed_note(mirror, op->offset, op->bytes);
    }
    if (op->kind == OP_COPY) {
        zero_note_written(mirror, op->offset, op->bytes);
        chunks_set(&mirror->whole, chunks_touched(mirror, op->offset, op->bytes));
    } else if (op->kind == OP_ZERO) {
        zero_note_zeroed(mirror, op->own, op->skipped);
        chunks_set(&mirror->whole, op->own);
    }
    if (op->counts) {
        life_advance(&mirror->life, op->bytes);
    }
}

static void end(struct copy_op *op, enum op side)
{
    struct engine_job *mirror = op->mirror;

    if (op->ret < 0) {
        block_dirty_set(mirror->dirty, op->offset, op->bytes);
        modern_fail(mirror, side, op->ret, op->offset, op->bytes);
    }
    give_back(op);
    if (op->ret == 0) {
        note_success(op);
    }
    mark_margin(op);
    strand_end(&mirror->strands, &op->strand);
    op_destroy(op);
}

/* ---- The strand ---- */

static void request_done(void *opaque, int ret)
{
    struct copy_op *op = opaque;

    op->ret = ret;
    strand_wake(&op->mirror->strands, &op->strand);
}

static struct block_iov op_iov(const struct copy_op *op)
{
    return (struct block_iov){op->mirror->buffers, op->buffers, op->buffer_count};
}

static void become_in_flight(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    op->in_flight = true;
    mirror->ops_in_flight++;
    mirror->bytes_in_flight += op->bytes;
}

/* O9: from one wake-up to the next, until there are enough. */
static void read_source(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    if (mirror->free_count < op->buffer_count) {
        struct copy_op *oldest = op_find_oldest(mirror);

        assert(oldest != NULL); /* who has the buffers */
        op->phase = OP_PHASE_BUFFERS;
        strand_wait_on(&oldest->waiters, &op->strand);
        return;
    }
    for (uint32_t i = 0; i < op->buffer_count; i++) {
        op->buffers[i] = take_buffer(mirror);
    }
    become_in_flight(op);
    op->phase = OP_PHASE_READ;
    block_read(mirror->life.spec.source, op->offset, op->bytes, op_iov(op), request_done, op);
}

/* Whatever has become of the job meanwhile: what was read is written (reads_only_write). */
static void write_target(struct copy_op *op)
{
    if (op->ret < 0) {
        end(op, OP_READ);
        return;
    }
    op->phase = OP_PHASE_TARGET;
    block_write(op->mirror->life.spec.target, op->offset, op->bytes, op_iov(op), request_done, op);
}

/* O8 */
static void zero_or_unmap_target(struct copy_op *op)
{
    const struct job_spec *spec = &op->mirror->life.spec;

    become_in_flight(op);
    op->phase = OP_PHASE_TARGET;
    if (op->kind == OP_UNMAP) {
        block_discard(spec->target, op->offset, op->bytes, request_done, op);
    } else if (op->skipped) {
        end(op, OP_WRITE);
    } else {
        block_write_zeroes(spec->target, op->offset, op->bytes, spec->unmap ? ZEROES_MAY_UNMAP : 0,
                           request_done, op);
    }
}

static void resume(struct strand *strand)
{
    struct copy_op *op = (struct copy_op *)((char *)strand - offsetof(struct copy_op, strand));

    if (op->phase == OP_PHASE_READ) {
        write_target(op);
    } else if (op->phase == OP_PHASE_TARGET) {
        end(op, OP_WRITE);
    } else if (op->kind == OP_COPY) {
        assert(op->phase == OP_PHASE_ENTERED || op->phase == OP_PHASE_BUFFERS);
        read_source(op);
    } else {
        assert(op->phase == OP_PHASE_ENTERED);
        zero_or_unmap_target(op);
    }
}

/* ---- Launching (O7, O8) ---- */

static bool needs_cow(const struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    return !bitmap_get(&mirror->whole, offset / mirror->granularity) ||
           !bitmap_get(&mirror->whole, (offset + bytes - 1) / mirror->granularity);
}

/*
 * D'34: a cluster is more than one request can move.  What the target fills with zeroes around this
 * piece is marked, so that it is copied piece by piece, and no more is made of it.
 */
static void spread_cluster(struct engine_job *mirror, uint64_t offset, uint64_t bytes,
                           uint64_t run_end)
{
    uint64_t first = align_down(offset, mirror->cluster);
    uint64_t end = min_u64(align_up(offset + bytes, mirror->cluster), mirror->length);

    for (uint64_t at = first; at < end; at += mirror->granularity) {
        bool is_own = at >= offset && at < run_end;

        if (!is_own && !bitmap_get(&mirror->whole, at / mirror->granularity)) {
            block_dirty_set(mirror->dirty, at, min_u64(mirror->granularity, mirror->length - at));
        }
    }
    chunks_set(&mirror->whole, chunks_touched(mirror, first, end - first));
}

struct piece {
    uint64_t offset;
    uint64_t bytes;
};

/* R4': outwards to what the target allocates at once; D'33: as far as the buffer goes. */
static struct piece widen(const struct engine_job *mirror, struct piece piece, uint64_t max_bytes)
{
    struct piece wide = piece;

    block_round_to_allocation(mirror->life.spec.target, &wide.offset, &wide.bytes);
    max_bytes = min_u64(max_bytes, mirror->buffer_bytes);
    if (wide.bytes > max_bytes) {
        wide.bytes = align_down(max_bytes, mirror->cluster);
    }
    wide.bytes = min_u64(wide.bytes, mirror->length - wide.offset);
    assert(wide.offset + wide.bytes > piece.offset);
    return wide;
}

static struct piece shape_copy(struct engine_job *mirror, uint64_t offset, uint64_t bytes,
                               uint64_t run_end)
{
    uint64_t max_bytes = mirror->granularity * mirror->max_iov;
    struct piece piece = {offset, min_u64(bytes, min_u64(mirror->buffer_bytes, max_bytes))};

    if (!mirror->cow_by_hand || !needs_cow(mirror, piece.offset, piece.bytes)) {
        return piece;
    }
    if (max_bytes < mirror->cluster) {
        spread_cluster(mirror, piece.offset, piece.bytes, run_end);
        return piece;
    }
    return widen(mirror, piece, max_bytes);
}

static struct op_launched launch_copy(struct engine_job *mirror, uint64_t offset, uint64_t bytes,
                                      uint64_t run_end)
{
    struct piece piece = shape_copy(mirror, offset, bytes, run_end);
    uint64_t end = piece.offset + piece.bytes;
    uint64_t own_end = min_u64(end, run_end);
    uint32_t buffer_count = (uint32_t)div_round_up(piece.bytes, mirror->granularity);
    struct copy_op *op =
        op_create(mirror, OP_COPY, piece.offset, piece.bytes, buffer_count, resume);

    op->own = chunks_touched(mirror, offset, own_end - offset);
    op->counts = true;
    zero_forget(mirror, piece.offset, piece.bytes);
    note_active_ones(op);
    strand_enter(&mirror->strands, &op->strand);
    return (struct op_launched){.bytes = end - offset};
}

static struct op_launched launch(struct engine_job *mirror, enum op_kind kind, uint64_t offset,
                                 uint64_t bytes, bool counts)
{
    struct copy_op *op = op_create(mirror, kind, offset, bytes, 0, resume);
    bool skipped = kind == OP_ZERO && zero_is_known(mirror, offset, bytes);

    op->counts = counts;
    op->skipped = skipped;
    op_hold(op);
    if (kind == OP_UNMAP) {
        zero_forget(mirror, offset, bytes);
    }
    strand_enter(&mirror->strands, &op->strand);
    return (struct op_launched){bytes, skipped};
}

struct op_launched op_launch(struct engine_job *mirror, enum op_kind kind, uint64_t offset,
                             uint64_t bytes, uint64_t run_end)
{
    return kind == OP_COPY ? launch_copy(mirror, offset, bytes, run_end)
                           : launch(mirror, kind, offset, bytes, true);
}

void op_launch_prezero(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    launch(mirror, OP_ZERO, offset, bytes, false);
}
