/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "debt": whatever differs is known to be still owed (mirror-algorithm 10).
 *
 * At every instant between two timeline events, from the end of the bitmap's
 * population until the bitmap is gone, each chunk is equal on source and
 * target, or dirty, or held by a copy in flight, or touched by a guest write
 * that has taken effect and is not done.  Only what the last timeline event
 * touched can have stopped being so, and only that is looked at.
 *
 * The dirty bitmap is the oracle's own, kept from the trace.
 */
#include <inttypes.h>

#include "sim/oracles.h"
#include "sim/outstanding.h"
#include "sim/phrase.h"
#include "sim/promise.h"
#include "sim/verdict.h"

/* More separate ranges in one timeline event are taken together. */
#define MAX_TOUCHED 8

struct range {
    uint64_t offset;
    uint64_t end;
};

struct debt {
    bool has_bitmap;
    bool started;
    bool populated;
    bool power_cut;
    uint16_t bitmap; /* number of the job's bitmap on the source */
    uint32_t shift;  /* log2 of the granularity */
    struct bitmap dirty;
    void *dirty_memory;
    struct promise promise;
    struct outstanding_list covers; /* copies in flight, guest writes with an effect */
    struct range touched[MAX_TOUCHED];
    uint32_t touched_count;
};

/* ---- What is touched ---- */

static void touch(struct debt *debt, uint64_t offset, uint64_t bytes)
{
    uint64_t end = range_end(offset, bytes);
    struct range *last = debt->touched_count > 0 ? &debt->touched[debt->touched_count - 1] : NULL;

    if (last != NULL &&
        (debt->touched_count == MAX_TOUCHED || (offset <= last->end && last->offset <= end))) {
        last->offset = min_u64(last->offset, offset);
        last->end = max_u64(last->end, end);
    } else {
        debt->touched[debt->touched_count++] = (struct range){offset, end};
    }
}

/* What a write of part of a cluster leaves in the rest of it may differ, too. */
static void touch_clusters(struct debt *debt, const struct evidence *evidence,
                           const struct event *event)
{
    uint64_t cluster = max_u64(evidence->plan->disks[event->node].cluster, SECTOR_BYTES);
    uint64_t offset = align_down(event->offset, cluster);

    touch(debt, offset, align_up(range_end(event->offset, event->bytes), cluster) - offset);
}

/* ---- Whether it is owed ---- */

static uint64_t granularity(const struct debt *debt)
{
    return UINT64_C(1) << debt->shift;
}

/*
 * True if a request in flight covers `at`, and then *until is where that
 * ends; otherwise *until is brought forward to the next one.
 */
static bool is_covered(const struct debt *debt, uint64_t at, uint64_t *until)
{
    for (uint32_t i = 0; i < debt->covers.count; i++) {
        const struct outstanding *cover = &debt->covers.requests[i];
        uint64_t offset = align_down(cover->offset, granularity(debt));
        uint64_t end = align_up(range_end(cover->offset, cover->bytes), granularity(debt));

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
static bool is_dirty(const struct debt *debt, uint64_t at, uint64_t *until)
{
    uint64_t chunk = at >> debt->shift;
    uint64_t limit = min_u64((*until - 1) >> debt->shift, debt->dirty.size - 1) + 1;
    uint64_t next;

    if (bitmap_get(&debt->dirty, chunk)) {
        next = bitmap_next_clear(&debt->dirty, chunk, limit);
        *until = min_u64(next << debt->shift, *until);
        return true;
    }
    if (bitmap_next_set(&debt->dirty, chunk, &next)) {
        *until = min_u64(next << debt->shift, *until);
    }
    return false;
}

static void report(struct evidence *evidence, uint64_t sector)
{
    const struct plan_job *job = &evidence->plan->job;
    const char *source_name = phrase_disk(evidence, job->source);
    const char *target_name = phrase_disk(evidence, job->target);
    struct finding *finding;

    finding = verdict_add(
        evidence, "debt", "forgotten-sector",
        "%s of %s is neither dirty nor being copied, but %s holds %s and %s holds %s, "
        "since %s.",
        phrase_sector(sector).text, source_name, target_name,
        phrase_content(evidence, job->target, sector).text, source_name,
        phrase_content(evidence, job->source, sector).text, phrase_time(evidence->now_ns).text);
    if (finding != NULL) {
        finding->has_sector = true;
        finding->disk = job->target;
        finding->sector = sector;
    }
}

/* Piece by piece: what is covered, what is dirty, and what has to be equal. */
static void judge_range(const struct debt *debt, struct evidence *evidence, uint64_t at,
                        uint64_t end)
{
    uint64_t sector;

    end = min_u64(end, min_u64(evidence->disks[evidence->plan->job.source]->bytes,
                               debt->dirty.size << debt->shift));
    while (at < end) {
        uint64_t until = end;

        if (!is_covered(debt, at, &until) && !is_dirty(debt, at, &until)) {
            verdict_checked(evidence);
            if (!promise_is_kept(&debt->promise, evidence, at, until - at, &sector)) {
                report(evidence, sector);
                return;
            }
        }
        at = until;
    }
}

static void debt_settled(void *state, struct evidence *evidence)
{
    struct debt *debt = state;

    if (debt->touched_count == 0) {
        return;
    }
    if (debt->populated && !debt->power_cut) {
        for (uint32_t i = 0; i < debt->touched_count; i++) {
            judge_range(debt, evidence, align_down(debt->touched[i].offset, granularity(debt)),
                        align_up(debt->touched[i].end, granularity(debt)));
        }
    }
    debt->touched_count = 0;
}

/* ---- The job's bitmap ---- */

static void create_bitmap(struct debt *debt, struct evidence *evidence, const struct event *event)
{
    uint64_t chunks = div_round_up(evidence->disks[event->node]->bytes, event->bytes);

    if (debt->has_bitmap) {
        return;
    }
    debt->has_bitmap = true;
    debt->bitmap = event->index;
    debt->shift = (uint32_t)__builtin_ctzll(event->bytes);
    debt->dirty_memory = arena_alloc(evidence->arena, bitmap_memory_bytes(chunks));
    bitmap_init(&debt->dirty, chunks, debt->dirty_memory);
}

/* The job winds down: whether it owes anything is for others to say. */
static void release_bitmap(struct debt *debt, struct evidence *evidence)
{
    arena_free(evidence->arena, debt->dirty_memory, bitmap_memory_bytes(debt->dirty.size));
    debt->has_bitmap = false;
    debt->started = false;
    debt->populated = false;
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;
    uint64_t first = event->offset >> debt->shift;
    uint64_t count = (event->bytes + granularity(debt) - 1) >> debt->shift;

    if (event->node != evidence->plan->job.source) {
        return;
    }
    if (event->kind == EVENT_DIRTY_CREATE) {
        if (event->by == BY_JOB) {
            create_bitmap(debt, evidence, event);
        }
    } else if (!debt->has_bitmap || event->index != debt->bitmap) {
        return;
    } else if (event->kind == EVENT_DIRTY_RELEASE) {
        release_bitmap(debt, evidence);
    } else if (event->kind == EVENT_DIRTY_SET) {
        bitmap_set(&debt->dirty, first, count);
    } else {
        bitmap_clear(&debt->dirty, first, count);
        touch(debt, event->offset, event->bytes);
    }
}

/* ---- Requests ---- */

static bool op_writes(uint8_t op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

/* A read of the source by the job, or a write of the target: half of a copy. */
static bool is_copy(const struct evidence *evidence, const struct event *event)
{
    const struct plan_job *job = &evidence->plan->job;

    return event->by == BY_JOB && ((event->op == OP_READ && event->node == job->source) ||
                                   (event->op == OP_WRITE && event->node == job->target));
}

/* The first copy, or the flush of a job with nothing to copy, ends R6. */
/* I5: what is read has been cleaned before, or a guest write meanwhile would not show. */
static void judge_read(const struct debt *debt, struct evidence *evidence,
                       const struct event *event)
{
    uint64_t chunk;

    if (bitmap_next_set(&debt->dirty, event->offset >> debt->shift, &chunk) &&
        chunk << debt->shift < range_end(event->offset, event->bytes)) {
        verdict_add(evidence, "debt", "not-cleaned",
                    "Read #%" PRIu32 " of %s began while the chunk at %s was still dirty: a guest "
                    "write during the copy does not show, and the chunk is copied again and again.",
                    event->request, phrase_range(event->offset, event->bytes).text,
                    phrase_size(chunk << debt->shift).text);
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (event->by != BY_JOB || !debt->started) {
        return;
    }
    if (event->op == OP_READ && debt->has_bitmap) {
        judge_read(debt, evidence, event);
    }
    if (is_copy(evidence, event)) {
        outstanding_add(&debt->covers, evidence->arena, event);
    }
    if (!debt->populated) {
        debt->populated = true;
        touch(debt, 0, evidence->disks[evidence->plan->job.source]->bytes);
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (!op_writes(event->op)) {
        return;
    }
    if (event_changes_source(evidence, event)) {
        outstanding_add(&debt->covers, evidence->arena, event);
        if (debt->started) {
            promise_add(&debt->promise, event->offset, event->bytes);
        }
    }
    touch_clusters(debt, evidence, event);
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (is_copy(evidence, event) || (event->by == BY_GUEST && op_writes(event->op))) {
        outstanding_remove(&debt->covers, event->request);
        touch(debt, event->offset, event->bytes);
    }
}

/* ---- The rest ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)event;
    debt->started = true;
    debt->power_cut = false;
    promise_begin(&debt->promise, evidence);
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)evidence;
    (void)event;
    debt->power_cut = true;
}

/* Its bitmap is the job's, and what covers a range is in flight. */
static void debt_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct debt *debt = state;

    (void)evidence;
    digest_u64(digest, (uint64_t)debt->has_bitmap | (uint64_t)debt->started << 1 |
                           (uint64_t)debt->populated << 2 | (uint64_t)debt->power_cut << 3);
}

const struct oracle oracle_debt = {
    .name = "debt",
    .proves = "Whatever differs between source and target is dirty, being copied, or about to "
              "be marked.",
    .state_bytes = sizeof(struct debt),
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_DIRTY_CREATE] = bitmap_event,
            [EVENT_DIRTY_SET] = bitmap_event,
            [EVENT_DIRTY_CLEAR] = bitmap_event,
            [EVENT_DIRTY_RELEASE] = bitmap_event,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
        },
    .settled = debt_settled,
    .digest = debt_digest,
};
