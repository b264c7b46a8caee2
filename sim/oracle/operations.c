/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations: the half of the oracle "bounds" that judges what the job has in flight.
 *
 * Every request of the job covers whole sectors within the source's length, on a disk
 * that the job may access in that way.  An operation is a read and then, in the timeline
 * event in which the read succeeds, a write of the same range.  At most 16 operations
 * are in flight, of at most 1024 chunks; they are disjoint and fit into the buffers.
 *
 * In today's generation an operation can also be write-zeroes or a discard of whole chunks, and
 * each request has at most as many chunks as both disks take at once.  What an active request
 * writes shares no chunk with an operation, or with another active one.  Copies that had to wait
 * for buffers can be more than 16.  Copies that are widened to
 * whole clusters may overlap others (modern-algorithm O7, O11).
 *
 * Declared in sim/oracle/bounds.h: it works on the state of that oracle.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/interposer.h"
#include "sim/model/outstanding.h"
#include "sim/model/owed.h"
#include "sim/oracle/bounds.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define MAX_OPS 16
#define MAX_OP_CHUNKS 1024
#define FIRST_KNOWN_OPS 4

static bool may_overlap(const struct bounds *bounds, const struct evidence *evidence)
{
    const struct disk_spec *target = &evidence->plan->disks[evidence->plan->job.target];

    return bounds->has_failed || (bounds->modern && target->cluster > bounds->granularity);
}

static uint64_t max_op_chunks(const struct evidence *evidence)
{
    const struct plan *plan = evidence->plan;
    uint64_t source = plan->disks[plan->job.source].max_segments;
    uint64_t target = plan->disks[plan->job.target].max_segments;

    if (plan->generation == GENERATION_2_2) {
        return MAX_OP_CHUNKS;
    }
    return min_u64(source > 0 ? source : MAX_OP_CHUNKS, target > 0 ? target : MAX_OP_CHUNKS);
}

/* ---- One request ---- */

static bool may_touch(const struct plan *plan, const struct event *event)
{
    const struct plan_job *job = &plan->job;

    if (plan->generation == GENERATION_MODERN && op_is_change(event->op)) {
        return event->node == job->target;
    }
    switch (event->op) {
    case OP_READ:
        return event->node == job->source;
    case OP_WRITE:
    case OP_FLUSH:
        return event->node == job->target;
    default:
        return false;
    }
}

/*
 * Both sides are bounded by the source's length: a longer target keeps what
 * lies beyond it; a shorter one is the user's mistake and fails the write.
 */
static void judge_request(struct evidence *evidence, const struct event *event)
{
    uint8_t source = (uint8_t)evidence->plan->job.source;
    uint64_t length = evidence->disks[source]->bytes;

    if (!may_touch(evidence->plan, event)) {
        verdict_add(evidence, FINDING_BOUNDS_WRONG_DISK,
                    "The job issued %s #%" PRIu32 " to %s, which it must not %s.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    op_name(event_op(event)));
    } else if ((event->offset | event->bytes) % SECTOR_BYTES != 0) {
        verdict_add(evidence, FINDING_BOUNDS_UNALIGNED,
                    "The job's %s #%" PRIu32 " of %s at offset %" PRIu64 ", %" PRIu64
                    " bytes, is not whole sectors.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    event->offset, event->bytes);
    } else if (event->offset > length || event->bytes > length - event->offset) {
        verdict_add(evidence, FINDING_BOUNDS_OUT_OF_RANGE,
                    "The job's %s #%" PRIu32 " of %s at %s is outside %s, which is %s long.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    phrase_range(event->offset, event->bytes).text, phrase_disk(evidence, source),
                    quantity_size(length).text);
    }
}

/* ---- Operations ---- */

static uint64_t chunks_of(const struct bounds *bounds, uint64_t offset, uint64_t bytes)
{
    uint64_t granularity = bounds->granularity;

    if (granularity == 0) {
        return 0;
    }
    return (align_up(range_end(offset, bytes), granularity) - align_down(offset, granularity)) >>
           __builtin_ctzll(granularity);
}

static bool shares_chunk(const struct bounds *bounds, const struct op_in_flight *op,
                         uint64_t offset, uint64_t bytes)
{
    uint64_t granularity = max_u64(bounds->granularity, SECTOR_BYTES);
    uint64_t first = align_down(offset, granularity);
    uint64_t end = align_up(range_end(offset, bytes), granularity);

    return range_overlaps(first, end - first, op->offset, op->bytes);
}

/* Copies that have waited for buffers begin when another operation gives some back (O9). */
static bool may_be_more(const struct bounds *bounds, const struct event *event)
{
    return bounds->modern && bounds->gave_back && event->op == OP_READ;
}

static void report_shared(struct evidence *evidence, const struct event *event, uint64_t offset,
                          uint64_t bytes)
{
    verdict_add(evidence, FINDING_BOUNDS_SHARED_CHUNK,
                "%s%s #%" PRIu32
                " begins an operation at %s, which shares a chunk with one in flight at %s.",
                event->op == OP_READ ? "" : "The ",
                event->op == OP_READ ? "Read" : op_name(event_op(event)), event->request,
                phrase_range(event->offset, event->bytes).text, phrase_range(offset, bytes).text);
}

/* No two that move data hold the same chunk. */
static void judge_shared(const struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    if (may_overlap(bounds, evidence)) {
        return;
    }
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        const struct op_in_flight *op = &bounds->ops[i];

        if (shares_chunk(bounds, op, event->offset, event->bytes)) {
            report_shared(evidence, event, op->offset, op->bytes);
        }
    }
    for (uint32_t i = 0; i < bounds->actives.count; i++) {
        const struct outstanding *active = &bounds->actives.requests[i];
        struct op_in_flight op = {.offset = active->offset, .bytes = active->bytes};

        if (shares_chunk(bounds, &op, event->offset, event->bytes)) {
            report_shared(evidence, event, op.offset, op.bytes);
        }
    }
}

static void judge_operation(const struct bounds *bounds, struct evidence *evidence,
                            const struct event *event, uint64_t chunks)
{
    uint64_t max_chunks = max_op_chunks(evidence);

    judge_shared(bounds, evidence, event);
    if (bounds->op_count >= MAX_OPS && !may_be_more(bounds, event)) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_MANY_OPERATIONS,
                    "With read #%" PRIu32 " %d operations are in flight; at most %d are allowed.",
                    event->request, MAX_OPS + 1, MAX_OPS);
    }
    if (chunks > max_chunks) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_LONG,
                    "Read #%" PRIu32 " of %s is %" PRIu64 " chunk buffers long; at most %" PRIu64
                    " are allowed.",
                    event->request, phrase_range(event->offset, event->bytes).text, chunks,
                    max_chunks);
    }
    if (bounds->has_buffers && chunks + bounds->chunks > bounds->buffers) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_FEW_BUFFERS,
                    "With read #%" PRIu32 " of %s the job holds %" PRIu64
                    " chunk buffers, but it has %" PRIu64 ".",
                    event->request, phrase_range(event->offset, event->bytes).text,
                    chunks + bounds->chunks, bounds->buffers);
    }
}

static void grow_ops(struct bounds *bounds, struct arena *arena)
{
    uint32_t capacity = bounds->op_capacity == 0 ? FIRST_KNOWN_OPS : 2 * bounds->op_capacity;
    struct op_in_flight *ops = arena_alloc(arena, capacity * sizeof(*ops));

    if (bounds->op_count > 0) {
        memcpy(ops, bounds->ops, bounds->op_count * sizeof(*ops));
    }
    arena_free(arena, bounds->ops, bounds->op_capacity * sizeof(*ops));
    bounds->ops = ops;
    bounds->op_capacity = capacity;
}

/* Beyond MAX_KNOWN_OPS they are not followed. */
static void follow(struct bounds *bounds, const struct evidence *evidence, struct op_in_flight op)
{
    if (bounds->op_count == MAX_KNOWN_OPS) {
        return;
    }
    if (bounds->op_count == bounds->op_capacity) {
        grow_ops(bounds, evidence->arena);
    }
    bounds->ops[bounds->op_count++] = op;
    bounds->chunks += op.chunks;
}

static void begin_operation(struct bounds *bounds, struct evidence *evidence,
                            const struct event *event)
{
    uint64_t chunks = chunks_of(bounds, event->offset, event->bytes);

    judge_operation(bounds, evidence, event, chunks);
    follow(bounds, evidence,
           (struct op_in_flight){event->offset, event->bytes, chunks, event->request, false});
}

/* O5, O8: whole chunks, but before there is anything to copy. */
static void judge_zeroes(const struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    uint64_t granularity = max_u64(bounds->granularity, SECTOR_BYTES);

    judge_shared(bounds, evidence, event);
    if (bounds->op_count >= MAX_OPS && !may_be_more(bounds, event)) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_MANY_OPERATIONS,
                    "With %s #%" PRIu32 " %d operations are in flight; at most %d are allowed.",
                    op_name(event_op(event)), event->request, MAX_OPS + 1, MAX_OPS);
    }
    if (bounds->has_taken_chunks && (event->offset | event->bytes) % granularity != 0) {
        verdict_add(evidence, FINDING_BOUNDS_UNALIGNED,
                    "The job's %s #%" PRIu32 " of %s is not whole chunks.",
                    op_name(event_op(event)), event->request,
                    phrase_range(event->offset, event->bytes).text);
    }
}

static void begin_zeroes(struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    judge_zeroes(bounds, evidence, event);
    follow(bounds, evidence,
           (struct op_in_flight){
               .offset = event->offset, .bytes = event->bytes, .request = event->request});
}

static void end_operation(struct bounds *bounds, struct op_in_flight *op)
{
    bounds->gave_back = true;
    bounds->chunks -= op->chunks;
    bounds->op_count--;
    *op = bounds->ops[bounds->op_count];
}

/* The write that continues the operation whose read has just succeeded. */
static void continue_operation(struct bounds *bounds, struct evidence *evidence,
                               const struct event *event)
{
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        struct op_in_flight *op = &bounds->ops[i];

        if (op->was_read && op->offset == event->offset && op->bytes == event->bytes) {
            op->was_read = false;
            op->request = event->request;
            bounds->unwritten--;
            return;
        }
    }
    if (bounds->op_count < MAX_KNOWN_OPS) {
        verdict_add(evidence, FINDING_BOUNDS_STRAY_WRITE,
                    "Write #%" PRIu32 " of %s writes %s, which the job has not just read.",
                    event->request, phrase_disk(evidence, event->node),
                    phrase_range(event->offset, event->bytes).text);
    }
}

void bounds_submitted(struct bounds *bounds, struct evidence *evidence, const struct event *event)
{
    judge_request(evidence, event);
    if (event->by == BY_ACTIVE) {
        judge_shared(bounds, evidence, event);
        outstanding_add(&bounds->actives, evidence->arena, event);
    } else if (event->op == OP_WRITE_ZEROES || event->op == OP_DISCARD) {
        begin_zeroes(bounds, evidence, event);
    } else if (event->op == OP_READ) {
        begin_operation(bounds, evidence, event);
    } else if (event->op == OP_WRITE) {
        continue_operation(bounds, evidence, event);
    } else {
        bounds->flushes++;
    }
}

void bounds_done(struct bounds *bounds, const struct event *event)
{
    if (event->by == BY_ACTIVE) {
        outstanding_remove(&bounds->actives, event->request);
        return;
    }
    if (event->op == OP_FLUSH) {
        bounds->flushes--;
        return;
    }
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        struct op_in_flight *op = &bounds->ops[i];

        if (op->request == event->request && !op->was_read) {
            if (event->op == OP_READ && event->ret == 0) {
                op->was_read = true;
                bounds->unwritten++;
            } else {
                end_operation(bounds, op);
            }
            return;
        }
    }
}
