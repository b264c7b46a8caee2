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

/* ---- The job's bitmap ---- */

static void create_bitmap(struct owed *owed, const struct evidence *evidence,
                          const struct event *event)
{
    uint64_t chunks = div_round_up(evidence->disks[event->node]->bytes, event->bytes);

    owed->has_bitmap = true;
    owed->bitmap = event->index;
    owed->shift = (uint32_t)__builtin_ctzll(event->bytes);
    owed->dirty_memory = arena_alloc(evidence->arena, bitmap_memory_bytes(chunks));
    bitmap_init(&owed->dirty, chunks, owed->dirty_memory);
}

static void release_bitmap(struct owed *owed, const struct evidence *evidence)
{
    arena_free(evidence->arena, owed->dirty_memory, bitmap_memory_bytes(owed->dirty.size));
    owed->has_bitmap = false;
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
    }
    return true;
}

/* ---- Requests ---- */

bool owed_is_copy(const struct evidence *evidence, const struct event *event)
{
    const struct plan_job *job = &evidence->plan->job;

    return event->by == BY_JOB && ((event->op == OP_READ && event->node == job->source) ||
                                   (event->op == OP_WRITE && event->node == job->target));
}

void owed_submitted(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    if (owed_is_copy(evidence, event)) {
        outstanding_add(&owed->covers, evidence->arena, event);
    }
}

void owed_took_effect(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    if (event_changes_source(evidence, event)) {
        outstanding_add(&owed->covers, evidence->arena, event);
    }
}

void owed_done(struct owed *owed, const struct evidence *evidence, const struct event *event)
{
    if (owed_is_copy(evidence, event) || (event->by == BY_GUEST && op_is_change(event->op))) {
        outstanding_remove(&owed->covers, event->request);
    }
}

/* ---- Piece by piece ---- */

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

/* As is_covered(), for dirty chunks. */
static bool is_dirty(const struct owed *owed, uint64_t at, uint64_t *until)
{
    uint64_t chunk = at >> owed->shift;
    uint64_t limit = min_u64((*until - 1) >> owed->shift, owed->dirty.size - 1) + 1;
    uint64_t next;

    if (bitmap_get(&owed->dirty, chunk)) {
        next = bitmap_next_clear(&owed->dirty, chunk, limit);
        *until = min_u64(next << owed->shift, *until);
        return true;
    }
    if (bitmap_next_set(&owed->dirty, chunk, &next)) {
        *until = min_u64(next << owed->shift, *until);
    }
    return false;
}

uint64_t owed_next_settled(const struct owed *owed, uint64_t *offset, uint64_t end)
{
    end = min_u64(end, owed->dirty.size << owed->shift);
    while (*offset < end) {
        uint64_t until = end;

        if (!is_covered(owed, *offset, &until) && !is_dirty(owed, *offset, &until)) {
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
