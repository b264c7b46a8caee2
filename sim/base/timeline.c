/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A binary heap of pointers to events that their owners embed.
 *
 * Each event knows its slot, so that removing it needs no search.  Slot 0 is
 * the next event; the parent of slot i is (i - 1) / 2.  In a heap, the events
 * that share the earliest instant are connected to slot 0, so that the
 * candidates are found without a look at the others.
 */
#include "sim/base/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"

#define HEAP_MIN_CAPACITY 16u

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

/* One piece of memory for the heap and, after it, the candidates. */
static void heap_grow(struct timeline *timeline)
{
    uint32_t capacity = timeline->capacity ? 2 * timeline->capacity : HEAP_MIN_CAPACITY;
    size_t bytes = timeline->capacity * sizeof(struct pending *);
    struct pending **heap = arena_alloc(timeline->arena, 2 * capacity * sizeof(struct pending *));

    if (bytes) {
        memcpy(heap, timeline->heap, bytes);
    }
    arena_free(timeline->arena, timeline->heap, 2 * bytes);
    timeline->heap = heap;
    timeline->candidates = heap + capacity;
    timeline->capacity = capacity;
}

void timeline_add(struct timeline *timeline, struct pending *pending, uint64_t delay_ns,
                  void (*fire)(void *opaque), void *opaque)
{
    assert(fire != NULL && !pending_is_set(pending));
    pending->due_ns = timeline->now_ns + min_u64(delay_ns, UINT64_MAX - timeline->now_ns);
    pending->sequence = timeline->next_sequence++;
    pending->chain = timeline->goes_on != 0 ? timeline->goes_on : ++timeline->chains;
    pending->fire = fire;
    pending->opaque = opaque;
    timeline->goes_on = 0;
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

/* ---- What could be next ---- */

static void add_candidate(struct timeline *timeline, uint32_t *count, struct pending *pending)
{
    timeline->candidates[(*count)++] = pending;
}

static int compare_sequence(const void *a, const void *b)
{
    const struct pending *x = *(const struct pending *const *)a;
    const struct pending *y = *(const struct pending *const *)b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void sort_candidates(struct timeline *timeline, uint32_t from, uint32_t to)
{
    if (to - from > 1) {
        qsort(timeline->candidates + from, to - from, sizeof(struct pending *), compare_sequence);
    }
}

/* Those from `slot` down that are due together with the next. */
static void add_ties(struct timeline *timeline, uint32_t slot, uint32_t *count)
{
    if (slot < timeline->count && timeline->heap[slot]->due_ns == timeline->heap[0]->due_ns) {
        add_candidate(timeline, count, timeline->heap[slot]);
        add_ties(timeline, 2 * slot + 1, count);
        add_ties(timeline, 2 * slot + 2, count);
    }
}

static void add_kind(struct timeline *timeline, enum pending_kind kind, uint64_t until_ns,
                     uint32_t *count)
{
    for (uint32_t slot = 0; slot < timeline->count; slot++) {
        struct pending *here = timeline->heap[slot];

        if (here->kind == kind && here->due_ns <= until_ns) {
            add_candidate(timeline, count, here);
        }
    }
}

static uint64_t first_timed_ns(const struct timeline *timeline)
{
    uint64_t first_ns = UINT64_MAX;

    for (uint32_t slot = 0; slot < timeline->count; slot++) {
        if (timeline->heap[slot]->kind == PENDING_TIMED) {
            first_ns = min_u64(first_ns, timeline->heap[slot]->due_ns);
        }
    }
    return first_ns;
}

/* Events that take time come last, so that in the quiet order no other event starves. */
static void collect_untimed(struct timeline *timeline, uint32_t *count)
{
    uint64_t first_ns = first_timed_ns(timeline);
    uint32_t loose;

    add_kind(timeline, PENDING_LOOSE, UINT64_MAX, count);
    loose = *count;
    add_kind(timeline, PENDING_TIMED, max_u64(first_ns, timeline->now_ns), count);
    if (*count == 0) {
        add_candidate(timeline, count, timeline->heap[0]);
    }
    if (first_ns > timeline->now_ns) {
        sort_candidates(timeline, 0, loose);
        sort_candidates(timeline, loose, *count);
    } else {
        sort_candidates(timeline, 0, *count);
    }
}

struct pending *const *timeline_candidates(struct timeline *timeline, uint32_t *count)
{
    *count = 0;
    if (timeline->untimed && timeline->count > 0) {
        collect_untimed(timeline, count);
    } else {
        add_ties(timeline, 0, count);
        sort_candidates(timeline, 0, *count);
    }
    return timeline->candidates;
}

/* ---- Taking the next ---- */

static uint32_t chain_of_candidate(const void *timeline, uint32_t i)
{
    return ((const struct timeline *)timeline)->candidates[i]->chain;
}

/* The choice point "order". */
static struct pending *timeline_pick(struct timeline *timeline)
{
    const struct candidates candidates = {chain_of_candidate, timeline};
    uint32_t count;

    if (choices_quiet(timeline->choices) && !timeline->untimed) {
        return timeline->heap[0];
    }
    timeline_candidates(timeline, &count);
    return timeline
        ->candidates[choose_event(timeline->choices, timeline->order, count, &candidates)];
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
    timeline->goes_on = next->chain;
    /* Its owner may free or reuse the event while it fires. */
    next->fire(next->opaque);
    timeline->goes_on = 0;
    return true;
}

/* ---- Digest ---- */

void timeline_digest_due(const struct timeline *timeline, const struct pending *pending,
                         struct digest *digest)
{
    uint64_t now_ns = timeline->now_ns;

    digest_u64(digest, pending->due_ns > now_ns ? pending->due_ns - now_ns : 0);
}

/* How many events of its instant will be taken before it, unless any of them may be first. */
static uint64_t events_before(const struct timeline *timeline, const struct pending *pending)
{
    uint64_t before = 0;

    if (timeline->untimed || choices_open(timeline->choices)) {
        return 0;
    }
    for (uint32_t i = 0; i < timeline->count; i++) {
        before += timeline->heap[i]->due_ns == pending->due_ns &&
                  timeline->heap[i]->sequence < pending->sequence;
    }
    return before;
}

void timeline_digest_pending(const struct timeline *timeline, const struct pending *pending,
                             struct digest *digest)
{
    bool is_left_out = digest->symmetry != NULL && digest->symmetry->no_timeouts &&
                       pending->kind == PENDING_TIMEOUT;
    bool is_set = pending_is_set(pending) && !is_left_out;

    digest_u64(digest, is_set);
    if (!is_set || (timeline->untimed && pending->kind == PENDING_LOOSE)) {
        return;
    }
    timeline_digest_due(timeline, pending, digest);
    digest_u64(digest, events_before(timeline, pending));
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
