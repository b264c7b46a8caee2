/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of what is owed: a bitmap of dirty chunks and a list of requests.
 */
#include "sim/model/owed.h"

#include <assert.h>

#include "engine/range.h"
#include "sim/model/promise.h"

uint64_t owed_granularity(const struct owed *owed)
{
    return UINT64_C(1) << owed->shift;
}

bool op_is_change(uint8_t op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

/* ---- What is in flight ---- */

/*
 * True if a request in flight covers `at`; *until is lowered to where that
 * request ends, or, if none covers it, to where the next one begins.
 */
static bool is_covered(const struct owed *owed, uint64_t at, uint64_t *until)
{
    for (uint32_t i = 0; i < owed->covers.count; i++) {
        const struct outstanding *cover = &owed->covers.requests[i];
        uint64_t offset = align_down(cover->offset, owed_granularity(owed));
        uint64_t end = align_up(range_end(cover->offset, cover->bytes), owed_granularity(owed));

        if (offset <= at && at < end) {
            *until = min_u64(end, *until);
            return true;
        }
        if (at < offset) {
            *until = min_u64(offset, *until);
        }
    }
    return false;
}

/* ---- The job's bitmap ---- */

static bool is_modern(const struct evidence *evidence)
{
    return evidence->plan->generation == GENERATION_MODERN;
}

static bool takes_time(const struct latency_spec *latency)
{
    return latency->a_ns > 0 || latency->b_ns > 0;
}

/* Can the question of O5 take time? */
static bool questions_take_time(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        uint32_t ops = plan->faults[i].match.ops;

        if (ops == 0 || (ops & 1u << OP_CONTENT) != 0) {
            return true;
        }
    }
    return takes_time(&plan->disks[plan->job.source].latency[OP_CONTENT]);
}

static void create_bitmap(struct owed *owed, const struct evidence *evidence,
                          const struct event *event)
{
    uint64_t chunks = div_round_up(evidence->disks[event->node]->bytes, event->bytes);

    owed->has_bitmap = true;
    owed->bitmap = event->index;
    owed->shift = (uint32_t)__builtin_ctzll(event->bytes);
    owed->dirty_memory = arena_alloc(evidence->arena, bitmap_memory_bytes(chunks));
    bitmap_init(&owed->dirty, chunks, owed->dirty_memory);
    if (is_modern(evidence)) {
        owed->taken_memory = arena_alloc(evidence->arena, bitmap_memory_bytes(chunks));
        bitmap_init(&owed->taken, chunks, owed->taken_memory);
        owed->questions_take_time = questions_take_time(evidence->plan);
        owed->has_failed = false;
    }
}

static void release_bitmap(struct owed *owed, const struct evidence *evidence)
{
    arena_free(evidence->arena, owed->dirty_memory, bitmap_memory_bytes(owed->dirty.size));
    if (owed->taken.size > 0) {
        arena_free(evidence->arena, owed->taken_memory, bitmap_memory_bytes(owed->taken.size));
        owed->taken = (struct bitmap){0};
    }
    owed->has_bitmap = false;
}

/* Is the chunk covered by a guest write that is done on the source, and goes on to the target? */
static bool is_active(const struct owed *owed, uint64_t chunk)
{
    for (uint32_t i = 0; i < owed->covers.count; i++) {
        const struct outstanding *cover = &owed->covers.requests[i];

        if (cover->by == BY_GUEST && cover->stopped &&
            range_overlaps(cover->offset, cover->bytes, chunk << owed->shift,
                           owed_granularity(owed))) {
            return true;
        }
    }
    return false;
}

/* An active request cleans what it covers (W4); everything else is taken. */
static void take(struct owed *owed, uint64_t first, uint64_t count)
{
    for (uint64_t chunk = first; chunk < first + count && chunk < owed->taken.size; chunk++) {
        if (!is_active(owed, chunk)) {
            bitmap_set(&owed->taken, chunk, 1);
        }
    }
}

bool owed_bitmap_event(struct owed *owed, const struct evidence *evidence,
                       const struct event *event)
{
    uint64_t first = event->offset >> owed->shift;
    uint64_t count = (event->bytes + owed_granularity(owed) - 1) >> owed->shift;

    if (event->node != evidence->plan->job.source) {
        return false;
    }
    if (event->kind == EVENT_DIRTY_CREATE) {
        if (event->by != BY_JOB || owed->has_bitmap) {
            return false;
        }
        create_bitmap(owed, evidence, event);
    } else if (!owed->has_bitmap || event->index != owed->bitmap) {
        return false;
    } else if (event->kind == EVENT_DIRTY_RELEASE) {
        release_bitmap(owed, evidence);
    } else if (event->kind == EVENT_DIRTY_SET) {
        bitmap_set(&owed->dirty, first, count);
    } else {
        bitmap_clear(&owed->dirty, first, count);
        take(owed, first, count);
    }
    return true;
}

/* ---- Requests ---- */

bool owed_is_copy(const struct evidence *evidence, const struct event *event)
{
    const struct plan_job *job = &evidence->plan->job;

    return event->by == BY_JOB && ((event->op == OP_READ && event->node == job->source) ||
                                   (op_is_change(event->op) && event->node == job->target));
}

void owed_submitted(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    uint64_t first = event->offset >> owed->shift;
    uint64_t end = div_round_up(range_end(event->offset, event->bytes), owed_granularity(owed));

    if (!owed_is_copy(evidence, event)) {
        return;
    }
    outstanding_add(&owed->covers, evidence->arena, event);
    if (owed->taken.count > 0 && event->bytes > 0) {
        end = min_u64(end, owed->taken.size);
        bitmap_clear(&owed->taken, first, end - first);
    }
}

void owed_took_effect(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    if (event_changes_source(evidence, event)) {
        outstanding_add(&owed->covers, evidence->arena, event);
    }
}

/* Every entry of the request: it has one for each of its effects. */
static void note_on_source(struct owed *owed, uint32_t number)
{
    for (uint32_t i = 0; i < owed->covers.count; i++) {
        if (owed->covers.requests[i].number == number) {
            owed->covers.requests[i].stopped = true;
        }
    }
}

void owed_done(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    bool is_over = event->by == BY_GUEST && op_is_change(event->op) && !is_modern(evidence);

    if (owed_is_copy(evidence, event) || is_over) {
        outstanding_remove(&owed->covers, event->request);
    } else if (event->by == BY_GUEST && op_is_change(event->op)) {
        note_on_source(owed, event->request);
    }
}

void owed_answered(struct owed *owed, const struct event *event)
{
    outstanding_remove(&owed->covers, event->request);
}

bool owed_is_idle(const struct owed *owed)
{
    for (uint32_t i = 0; i < owed->covers.count; i++) {
        if (owed->covers.requests[i].by == BY_JOB) {
            return false;
        }
    }
    return !owed->has_failed;
}

bool owed_is_taken(const struct owed *owed, uint64_t offset, uint64_t bytes)
{
    uint64_t first = offset >> owed->shift;
    uint64_t end = div_round_up(range_end(offset, bytes), owed_granularity(owed));

    return bitmap_count_range(&owed->taken, first, end - first) == end - first;
}

/* ---- Piece by piece ---- */

/* As is_covered(), for the chunks of a bitmap. */
static bool is_set(const struct owed *owed, const struct bitmap *bitmap, uint64_t at,
                   uint64_t *until)
{
    uint64_t chunk = at >> owed->shift;
    uint64_t limit = min_u64((*until - 1) >> owed->shift, bitmap->size - 1) + 1;
    uint64_t next;

    if (bitmap_get(bitmap, chunk)) {
        next = bitmap_next_clear(bitmap, chunk, limit);
        *until = min_u64(next << owed->shift, *until);
        return true;
    }
    if (bitmap_next_set(bitmap, chunk, &next)) {
        *until = min_u64(next << owed->shift, *until);
    }
    return false;
}

uint64_t owed_next_settled(const struct owed *owed, uint64_t *offset, uint64_t end)
{
    end = min_u64(end, owed->dirty.size << owed->shift);
    while (*offset < end) {
        uint64_t until = end;

        if (!is_covered(owed, *offset, &until) && !is_set(owed, &owed->dirty, *offset, &until) &&
            !(owed->taken.count > 0 && is_set(owed, &owed->taken, *offset, &until))) {
            return until - *offset;
        }
        *offset = until;
    }
    return 0;
}

/* ---- Invariants ---- */

void owed_check(const struct owed *owed)
{
    outstanding_check(&owed->covers);
    for (uint32_t i = 0; i < owed->covers.count; i++) {
        const struct outstanding *cover = &owed->covers.requests[i];

        assert(op_is_change(cover->op) || (cover->by == BY_JOB && cover->op == OP_READ));
    }
    if (owed->has_bitmap) {
        assert(owed_granularity(owed) >= SECTOR_BYTES);
        bitmap_check(&owed->dirty);
    }
}
