/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A binary heap of pointers to events that their owners embed.
 *
 * Each event knows its slot, so that removing it needs no search.  Slot 0 is
 * the next event; the parent of slot i is (i - 1) / 2.  In a heap, the events
 * that share the earliest instant are a connected piece around slot 0: that
 * is how the choice between them is made without looking at the others.
 */
#include "sim/timeline.h"

#include <assert.h>
#include <string.h>

#include "engine/range.h"

#define HEAP_MIN_CAPACITY 64u

void timeline_init(struct timeline *timeline, struct arena *arena, struct choices *choices,
                   bool untimed)
{
    *timeline = (struct timeline){
        .untimed = untimed,
        .arena = arena,
        .choices = choices,
        .order = choices_site(choices, "order"),
    };
}

static bool comes_before(const struct pending *a, const struct pending *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->sequence < b->sequence;
}

static void heap_put(struct timeline *timeline, uint32_t slot, struct pending *pending)
{
    timeline->heap[slot] = pending;
    pending->slot = slot + 1;
}

/* Moves the hole at `slot` towards the root until `pending` fits there. */
static void heap_rise(struct timeline *timeline, uint32_t slot, struct pending *pending)
{
    while (slot > 0 && comes_before(pending, timeline->heap[(slot - 1) / 2])) {
        heap_put(timeline, slot, timeline->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    heap_put(timeline, slot, pending);
}

/* Moves the hole at `slot` towards the leaves until `pending` fits there. */
static void heap_sink(struct timeline *timeline, uint32_t slot, struct pending *pending)
{
    for (;;) {
        uint32_t child = 2 * slot + 1;

        if (child + 1 < timeline->count &&
            comes_before(timeline->heap[child + 1], timeline->heap[child])) {
            child++;
        }
        if (child >= timeline->count || comes_before(pending, timeline->heap[child])) {
            break;
        }
        heap_put(timeline, slot, timeline->heap[child]);
        slot = child;
    }
    heap_put(timeline, slot, pending);
}

static void heap_grow(struct timeline *timeline)
{
    uint32_t capacity = timeline->capacity ? 2 * timeline->capacity : HEAP_MIN_CAPACITY;
    size_t bytes = timeline->capacity * sizeof(struct pending *);
    struct pending **heap = arena_alloc(timeline->arena, capacity * sizeof(struct pending *));

    if (bytes) {
        memcpy(heap, timeline->heap, bytes);
    }
    arena_free(timeline->arena, timeline->heap, bytes);
    timeline->heap = heap;
    timeline->capacity = capacity;
}

void timeline_add(struct timeline *timeline, struct pending *pending, uint64_t delay_ns,
                  void (*fire)(void *opaque), void *opaque)
{
    assert(!pending_is_set(pending));
    pending->due_ns = timeline->now_ns + min_u64(delay_ns, UINT64_MAX - timeline->now_ns);
    pending->sequence = timeline->next_sequence++;
    pending->fire = fire;
    pending->opaque = opaque;
    if (timeline->count == timeline->capacity) {
        heap_grow(timeline);
    }
    heap_rise(timeline, timeline->count++, pending);
}

void timeline_remove(struct timeline *timeline, struct pending *pending)
{
    uint32_t slot = pending->slot - 1;
    struct pending *last;

    assert(pending_is_set(pending) && slot < timeline->count && timeline->heap[slot] == pending);
    last = timeline->heap[--timeline->count];
    pending->slot = 0;
    if (last == pending) {
        return;
    }
    if (comes_before(last, pending)) {
        heap_rise(timeline, slot, last);
    } else {
        heap_sink(timeline, slot, last);
    }
}

bool timeline_next_due(const struct timeline *timeline, uint64_t *due_ns)
{
    if (timeline->count == 0) {
        return false;
    }
    *due_ns = max_u64(timeline->heap[0]->due_ns, timeline->now_ns);
    return true;
}

/* How many events from `slot` down are due with the next one. */
static uint32_t count_ties(const struct timeline *timeline, uint32_t slot)
{
    if (slot >= timeline->count || timeline->heap[slot]->due_ns != timeline->heap[0]->due_ns) {
        return 0;
    }
    return 1 + count_ties(timeline, 2 * slot + 1) + count_ties(timeline, 2 * slot + 2);
}

/* Of the events from `slot` down that are due next: the first one added after `than`. */
static struct pending *next_tie(const struct timeline *timeline, uint32_t slot,
                                const struct pending *than, struct pending *best)
{
    struct pending *here;

    if (slot >= timeline->count || timeline->heap[slot]->due_ns != than->due_ns) {
        return best;
    }
    here = timeline->heap[slot];
    if (here->sequence > than->sequence && (!best || here->sequence < best->sequence)) {
        best = here;
    }
    best = next_tie(timeline, 2 * slot + 1, than, best);
    return next_tie(timeline, 2 * slot + 2, than, best);
}

/* ---- Untimed ---- */

/* The first in the heap's order that is of the kind and comes after `than` (NULL: at all). */
static struct pending *first_after(const struct timeline *timeline, enum pending_kind kind,
                                   const struct pending *than)
{
    struct pending *first = NULL;

    for (uint32_t slot = 0; slot < timeline->count; slot++) {
        struct pending *here = timeline->heap[slot];

        if (here->kind == kind && (than == NULL || comes_before(than, here)) &&
            (first == NULL || comes_before(here, first))) {
            first = here;
        }
    }
    return first;
}

/* The timed event after `than` that is due together with the first; NULL at the end. */
static struct pending *next_timed(const struct timeline *timeline, const struct pending *than)
{
    struct pending *next = first_after(timeline, PENDING_TIMED, than);

    return next != NULL && than != NULL && next->due_ns > max_u64(than->due_ns, timeline->now_ns)
               ? NULL
               : next;
}

/* Those that could be next: first the loose ones, then the timed ones. */
static struct pending *next_candidate(const struct timeline *timeline, const struct pending *than)
{
    struct pending *next = NULL;

    if (than == NULL || than->kind == PENDING_LOOSE) {
        next = first_after(timeline, PENDING_LOOSE, than);
        return next != NULL ? next : next_timed(timeline, NULL);
    }
    return next_timed(timeline, than);
}

static struct pending *pick_untimed(struct timeline *timeline)
{
    struct pending *picked = next_candidate(timeline, NULL);
    struct pending *candidate;
    uint32_t count = 0;

    if (picked == NULL) {
        return timeline->heap[0];
    }
    for (candidate = picked; candidate != NULL; count++) {
        candidate = next_candidate(timeline, candidate);
    }
    for (uint32_t pick = choose(timeline->choices, timeline->order, count); pick > 0; pick--) {
        picked = next_candidate(timeline, picked);
    }
    return picked;
}

/* ---- Taking the next ---- */

/* Which of the events that are due next is taken: the choice point "order". */
static struct pending *timeline_pick(struct timeline *timeline)
{
    struct pending *picked = timeline->heap[0];
    uint32_t pick;

    if (timeline->untimed) {
        return pick_untimed(timeline);
    }
    if (choices_quiet(timeline->choices)) {
        return picked;
    }
    pick = choose(timeline->choices, timeline->order, count_ties(timeline, 0));
    while (pick-- > 0) {
        picked = next_tie(timeline, 0, picked, NULL);
    }
    return picked;
}

bool timeline_step(struct timeline *timeline)
{
    struct pending *next;

    if (timeline->count == 0) {
        return false;
    }
    next = timeline_pick(timeline);
    assert(next->due_ns >= timeline->now_ns || timeline->untimed);
    timeline_remove(timeline, next);
    if (!timeline->untimed || next->kind != PENDING_LOOSE) {
        timeline->now_ns = max_u64(timeline->now_ns, next->due_ns);
    }
    /* Its owner may free or reuse the event while it fires. */
    next->fire(next->opaque);
    return true;
}

void timeline_check(const struct timeline *timeline)
{
    assert(timeline->count <= timeline->capacity);
    for (uint32_t slot = 0; slot < timeline->count; slot++) {
        const struct pending *pending = timeline->heap[slot];

        assert(pending->slot == slot + 1);
        assert(pending->due_ns >= timeline->now_ns || timeline->untimed);
        assert(pending->sequence < timeline->next_sequence);
        assert(slot == 0 || comes_before(timeline->heap[(slot - 1) / 2], pending));
    }
}
