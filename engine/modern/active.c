/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest request in copy mode write-blocking: on the source, then on the target, and only then
 * answered (modern-algorithm W2 to W6; D'3, D'15, D'42).
 *
 * Declared in engine/modern/modern.h: it is a part of the filter.
 */
#include <assert.h>
#include <stddef.h>

#include "engine/modern/modern.h"
#include "engine/range.h"

static void request_done(void *opaque, int ret)
{
    struct copy_op *op = opaque;

    op->ret = ret;
    strand_wake(&op->mirror->strands, &op->strand);
}

/* The guest has its answer before those go on who wait for the operation (O10). */
static void settle(struct copy_op *op, int guest_ret)
{
    struct engine_job *mirror = op->mirror;
    struct interposed *request = op->request;

    mirror->active_count--;
    op_let_go(op);
    strand_end(&mirror->strands, &op->strand);
    op_destroy(op);
    interposed_finish(request, guest_ret);
}

/* ---- W2, W3 ---- */

static bool is_held(const struct copy_op *op)
{
    const struct bitmap *in_flight = &op->mirror->in_flight;

    return bitmap_count_range(in_flight, op->own.first, op->own.count) > 0;
}

static void change_source(struct copy_op *op)
{
    op_hold(op);
    op_note_changed(op->mirror, op->offset, op->bytes);
    op->phase = OP_PHASE_SOURCE;
    interposed_pass(op->request, request_done, op);
}

/* The trace says for whom the guest has to wait. */
static void tell_holder(const struct copy_op *op, const struct copy_op *other)
{
    static const enum stall_holder holders[] = {
        [OP_COPY] = STALLED_BY_COPY,     [OP_ZERO] = STALLED_BY_ZEROES,
        [OP_UNMAP] = STALLED_BY_DISCARD, [OP_ACTIVE] = STALLED_BY_GUEST,
        [OP_PSEUDO] = STALLED_BY_RUN,
    };
    struct event event = {.kind = EVENT_STALL_HOLDER,
                          .by = BY_JOB,
                          .request = interposed_info(op->request).number,
                          .detail = (uint8_t)holders[other->kind],
                          .offset = other->offset,
                          .bytes = other->bytes};

    host_emit(op->mirror->life.host, &event);
}

/* A stored error ends the waiting: the job is ending, the request goes on and holds nothing. */
static void wait_for_conflicts(struct copy_op *op)
{
    struct copy_op *other = NULL;

    op->waits_for = NULL;
    if (is_held(op) && op->mirror->stored_error < 0) {
        op->own.count = 0;
    } else if (is_held(op)) {
        other = op_find_conflict(op);
    }
    if (other == NULL) {
        change_source(op);
        return;
    }
    tell_holder(op, other);
    op->phase = OP_PHASE_CONFLICT;
    op->waits_for = other;
    strand_wait_on(&other->waiters, &op->strand);
}

/* ---- W4, W5 ---- */

static bool chunk_is_dirty(const struct engine_job *mirror, uint64_t offset)
{
    return bitmap_get(block_dirty_bits(mirror->dirty), offset / mirror->granularity);
}

/* An unaligned head or tail in a dirty chunk is left to the background copy. */
static void leave_out_dirty_ends(struct copy_op *op)
{
    const struct engine_job *mirror = op->mirror;
    uint64_t head = align_up(op->offset, mirror->granularity) - op->offset;
    uint64_t tail;

    if (head > 0 && chunk_is_dirty(mirror, op->offset)) {
        head = min_u64(head, op->bytes);
        op->offset += head;
        op->bytes -= head;
    }
    tail = (op->offset + op->bytes) % mirror->granularity;
    if (op->bytes > 0 && tail > 0 && chunk_is_dirty(mirror, op->offset + op->bytes - 1)) {
        op->bytes -= min_u64(tail, op->bytes);
    }
}

static void clean(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;
    struct chunk_range covered = chunks_covered(mirror, op->offset, op->bytes);

    if (covered.count > 0) {
        block_dirty_clear(mirror->dirty, covered.first * mirror->granularity,
                          covered.count * mirror->granularity);
    }
}

static void note_success(const struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;
    struct interposed_info info = interposed_info(op->request);
    struct chunk_range covered = chunks_covered(mirror, op->offset, op->bytes);

    if (!op->skipped) {
        unflushed_note(mirror, op->offset, op->bytes);
    }
    if (info.op == OP_WRITE) {
        zero_note_written(mirror, op->offset, op->bytes);
        chunks_set(&mirror->whole, covered);
    } else if (info.op == OP_WRITE_ZEROES && op->skipped) {
        zero_note_zeroed(mirror, chunks_touched(mirror, op->offset, op->bytes), true);
    } else if (info.op == OP_WRITE_ZEROES) {
        zero_note_zeroed(mirror, covered, false);
    }
    life_advance(&mirror->life, op->bytes);
}

/* W6 */
static void target_done(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;

    mirror->active_bytes_in_flight -= op->bytes;
    if (op->ret == 0) {
        note_success(op);
    } else {
        modern_mark_changed(mirror, op->offset, op->bytes);
        modern_fail(mirror, OP_WRITE, op->ret, op->offset, op->bytes);
    }
    settle(op, 0);
}

/* What the target holds there is about to change. */
static void prepare_target(struct copy_op *op, enum op kind)
{
    op->skipped = kind == OP_WRITE_ZEROES && zero_is_known(op->mirror, op->offset, op->bytes);
    if (kind != OP_WRITE_ZEROES) {
        zero_forget(op->mirror, op->offset, op->bytes);
    }
    if (kind == OP_WRITE) {
        zero_mark_filling(op->mirror, op->offset, op->bytes);
    }
}

static void change_target(struct copy_op *op)
{
    struct engine_job *mirror = op->mirror;
    enum op kind = interposed_info(op->request).op;

    leave_out_dirty_ends(op);
    if (op->bytes == 0) {
        settle(op, 0);
        return;
    }
    clean(op);
    life_add_total(&mirror->life, op->bytes);
    mirror->active_bytes_in_flight += op->bytes;
    op->phase = OP_PHASE_TARGET;
    prepare_target(op, kind);
    if (op->skipped) {
        op->ret = 0;
        target_done(op);
    } else {
        interposed_copy(op->request, mirror->life.spec.target, op->offset, op->bytes, request_done,
                        op);
    }
}

/*
 * D'3: a part of a failed request may have landed.  D'42: while this one was on the source, one
 * that came before the mode changed has ended there; whose data the source has now, only a copy
 * tells.
 */
static void source_done(struct copy_op *op)
{
    if (op->ret == 0 && !op->overtaken) {
        change_target(op);
        return;
    }
    modern_set_synced(op->mirror, false);
    modern_mark_changed(op->mirror, op->offset, op->bytes);
    settle(op, op->ret);
}

/* ---- The strand ---- */

static void resume(struct strand *strand)
{
    struct copy_op *op = (struct copy_op *)((char *)strand - offsetof(struct copy_op, strand));

    if (op->phase == OP_PHASE_SOURCE) {
        source_done(op);
    } else if (op->phase == OP_PHASE_TARGET) {
        target_done(op);
    } else {
        assert(op->phase == OP_PHASE_ENTERED || op->phase == OP_PHASE_CONFLICT);
        wait_for_conflicts(op);
    }
}

void modern_active_begin(struct engine_job *mirror, struct interposed *request)
{
    struct interposed_info info = interposed_info(request);
    struct copy_op *op = op_create(mirror, OP_ACTIVE, info.offset, info.bytes, 0, resume);

    op->request = request;
    mirror->active_count++;
    strand_enter(&mirror->strands, &op->strand);
}
