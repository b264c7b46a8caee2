/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "debt": whatever differs is still owed (mirror-algorithm 10).
 *
 * At every instant between two timeline events, from the end of the bitmap's
 * population until the bitmap is gone, each chunk is equal on source and
 * target, or dirty, or held by a copy in flight, or touched by a guest write
 * that has taken effect and is not done.  Only what the last timeline event
 * touched can have become different, so only that is compared.
 *
 * The oracle keeps its own dirty bitmap, from the trace.  What a device's lie has made different is
 * no debt of the job before the device has told (excuses.h): who lied, and with what harm, is the
 * subject of "ledger".
 *
 * In today's generation population ends when the job takes its first chunks, or has
 * none to take.  Chunks of which the source reads zero, and which the target does not
 * hold while its backing is closed, may be owed until the last flush (ALGORITHM.md
 * D'1 of engine/modern).
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <assert.h>
#include <inttypes.h>

#include "sim/model/excuses.h"
#include "sim/model/owed.h"
#include "sim/model/promise.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

/* Beyond this number of separate ranges in one timeline event, ranges are merged. */
#define MAX_TOUCHED 8

struct range {
    uint64_t offset;
    uint64_t end;
};

struct debt {
    bool started;
    bool populated;
    bool power_cut;
    bool modern;
    bool is_ready;
    bool flushes_last; /* the flush before the end has been submitted, and has not failed */
    struct owed owed;
    struct promise promise;
    struct excuses excuses;
    struct range touched[MAX_TOUCHED];
    uint32_t touched_count;
};

/* ---- Touched ranges ---- */

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

/* A write of part of a cluster may change the rest of it, too. */
static void touch_clusters(struct debt *debt, const struct evidence *evidence,
                           const struct event *event)
{
    uint64_t cluster = max_u64(evidence->plan->disks[event->node].cluster, SECTOR_BYTES);
    uint64_t offset = align_down(event->offset, cluster);

    touch(debt, offset, align_up(range_end(event->offset, event->bytes), cluster) - offset);
}

/* ---- Comparing ---- */

static void report(struct evidence *evidence, uint64_t sector)
{
    const struct plan_job *job = &evidence->plan->job;
    const char *source_name = phrase_disk(evidence, job->source);
    const char *target_name = phrase_disk(evidence, job->target);
    struct finding *finding;

    finding = verdict_add(
        evidence, FINDING_DEBT_FORGOTTEN_SECTOR,
        "%s of %s is neither dirty nor being copied, but %s holds %s and %s holds %s, "
        "since %s.",
        phrase_sector(sector).text, source_name, target_name,
        phrase_content(evidence, job->target, sector).text, source_name,
        phrase_content(evidence, job->source, sector).text, quantity_time(evidence->now_ns).text);
    verdict_mark_sector(finding, job->target, sector);
}

/* The range must be equal; false after a finding. */
static bool judge_piece(const struct debt *debt, struct evidence *evidence, uint64_t at,
                        uint64_t end)
{
    uint64_t sector;

    while (at < end && !promise_is_kept(&debt->promise, evidence, at, end - at, &sector)) {
        if (!excuses_cover(&debt->excuses, &sector, end / SECTOR_BYTES) &&
            (debt->flushes_last ||
             !promise_may_owe_zeroes(evidence, &sector, end / SECTOR_BYTES))) {
            report(evidence, sector);
            return false;
        }
        at = sector * SECTOR_BYTES;
    }
    return true;
}

/* What is not owed must be equal; false after a finding. */
static bool judge_range(const struct debt *debt, struct evidence *evidence, uint64_t at,
                        uint64_t end)
{
    uint64_t bytes;

    end = min_u64(end, evidence->disks[evidence->plan->job.source]->bytes);
    while ((bytes = owed_next_settled(&debt->owed, &at, end)) > 0) {
        verdict_checked(evidence);
        if (!judge_piece(debt, evidence, at, at + bytes)) {
            return false;
        }
        at += bytes;
    }
    return true;
}

/* What is taken, and of which nothing becomes any more, was known to be equal (Z4). */
static void forget_taken(struct debt *debt)
{
    struct bitmap *taken = &debt->owed.taken;
    uint64_t first = 0;

    while (bitmap_next_set(taken, first, &first)) {
        uint64_t end = bitmap_next_clear(taken, first, taken->size);

        touch(debt, first << debt->owed.shift, (end - first) << debt->owed.shift);
        bitmap_clear(taken, first, end - first);
        first = end;
    }
}

/*
 * A job that has reported an error is ending: what it has taken may be given up (O6), and active
 * requests do not wait for each other any more (W2).
 */
static bool is_judged(const struct debt *debt)
{
    return debt->populated && !debt->power_cut && !debt->owed.has_failed;
}

static void debt_settled(void *state, struct evidence *evidence)
{
    struct debt *debt = state;
    uint64_t granularity = owed_granularity(&debt->owed);
    uint32_t count;

    if (debt->owed.taken.count > 0 && !debt->owed.questions_take_time &&
        owed_is_idle(&debt->owed)) {
        forget_taken(debt);
    }
    count = debt->touched_count;
    debt->touched_count = 0;
    if (!is_judged(debt)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!judge_range(debt, evidence, align_down(debt->touched[i].offset, granularity),
                         align_up(debt->touched[i].end, granularity))) {
            return;
        }
    }
}

/* ---- The job's bitmap ---- */

/* R6' */
static void end_population(struct debt *debt, const struct evidence *evidence)
{
    if (debt->started && !debt->populated) {
        debt->populated = true;
        touch(debt, 0, evidence->disks[evidence->plan->job.source]->bytes);
    }
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (!owed_bitmap_event(&debt->owed, evidence, event)) {
        return;
    }
    if (event->kind == EVENT_DIRTY_CLEAR) {
        touch(debt, event->offset, event->bytes);
        if (debt->modern) {
            end_population(debt, evidence);
        }
    } else if (event->kind == EVENT_DIRTY_SET) {
        excuses_end(&debt->excuses, event->offset, event->bytes);
    } else if (event->kind == EVENT_DIRTY_RELEASE) {
        /* The job winds down: what it still owes then is judged by other oracles. */
        debt->started = false;
        debt->populated = false;
    }
}

/* ---- Requests ---- */

/* Copies can be widened to whole clusters, which they do not own (R4', O7). */
static bool widens_copies(const struct debt *debt, const struct evidence *evidence)
{
    const struct disk_spec *target = &evidence->plan->disks[evidence->plan->job.target];

    return target->cluster > owed_granularity(&debt->owed) &&
           (!evidence->disks[evidence->plan->job.target]->backing_open ||
            promise_hides_backing(evidence));
}

/* O4: the job has taken what it reads. */
static void judge_taken(const struct debt *debt, struct evidence *evidence,
                        const struct event *event)
{
    if (!widens_copies(debt, evidence) &&
        !owed_is_taken(&debt->owed, event->offset, event->bytes)) {
        verdict_add(evidence, FINDING_DEBT_NOT_CLEANED,
                    "Read #%" PRIu32 " of %s began, but the job has not marked all of that as "
                    "clean before: a guest write during the copy does not show.",
                    event->request, phrase_range(event->offset, event->bytes).text);
    }
}

/* I5: a chunk is cleaned before it is read, or a guest write during the read would go unnoticed. */
static void judge_clean(const struct debt *debt, struct evidence *evidence,
                        const struct event *event)
{
    const struct owed *owed = &debt->owed;
    uint64_t chunk;

    if (bitmap_next_set(&owed->dirty, event->offset >> owed->shift, &chunk) &&
        chunk << owed->shift < range_end(event->offset, event->bytes)) {
        verdict_add(evidence, FINDING_DEBT_NOT_CLEANED,
                    "Read #%" PRIu32
                    " of %s began while the chunk at %s was still dirty: a guest write during the "
                    "copy would go unnoticed, and the chunk is copied again and again.",
                    event->request, phrase_range(event->offset, event->bytes).text,
                    quantity_size(chunk << owed->shift).text);
    }
}

static void judge_read(const struct debt *debt, struct evidence *evidence,
                       const struct event *event)
{
    if (debt->modern) {
        judge_taken(debt, evidence, event);
    } else {
        judge_clean(debt, evidence, event);
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (event->by != BY_JOB || !debt->started) {
        return;
    }
    if (event->op == OP_READ && debt->owed.has_bitmap) {
        judge_read(debt, evidence, event);
    }
    owed_submitted(&debt->owed, evidence, event);
    /*
     * R6 ends with the first copy, or with the flush of a job that has nothing to copy.  (Today
     * the target may be filled with zeroes before.)
     */
    if (!debt->modern || event->op == OP_FLUSH) {
        end_population(debt, evidence);
    }
    if (debt->modern && event->op == OP_FLUSH && owed_is_idle(&debt->owed)) {
        forget_taken(debt);
    }
    if (debt->is_ready && event->op == OP_FLUSH) {
        debt->flushes_last = true;
        touch(debt, 0, evidence->disks[evidence->plan->job.source]->bytes);
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (!op_is_change(event->op)) {
        return;
    }
    owed_took_effect(&debt->owed, evidence, event);
    if (event->node == evidence->plan->job.target) {
        excuses_written(&debt->excuses, event->offset, event->bytes);
    }
    if (debt->started && event_changes_source(evidence, event)) {
        promise_add(&debt->promise, event->offset, event->bytes);
    }
    touch_clusters(debt, evidence, event);
}

/* A flush that fails may have dropped what it was to make durable. */
static void flushed(struct debt *debt, const struct evidence *evidence, const struct event *event)
{
    excuses_flushed(&debt->excuses, evidence, event);
    if (event->ret < 0) {
        debt->flushes_last = false;
        touch(debt, 0, evidence->disks[evidence->plan->job.source]->bytes);
    }
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    if (owed_is_copy(evidence, event) || (event->by == BY_GUEST && op_is_change(event->op))) {
        owed_done(&debt->owed, evidence, event);
        touch(debt, event->offset, event->bytes);
    } else if (event->by == BY_JOB && event->op == OP_FLUSH) {
        flushed(debt, evidence, event);
    }
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)evidence;
    if (op_is_change(event->op)) {
        owed_answered(&debt->owed, event);
        touch(debt, event->offset, event->bytes);
    }
}

/* ---- The rest ---- */

static void debt_open(void *state, struct evidence *evidence)
{
    struct debt *debt = state;

    excuses_open(&debt->excuses, evidence);
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    excuses_hit(&debt->excuses, evidence, event);
}

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)event;
    debt->started = true;
    debt->power_cut = false;
    debt->modern = evidence->plan->generation == GENERATION_MODERN;
    debt->is_ready = debt->flushes_last = false;
    promise_begin(&debt->promise, evidence);
}

static void became_ready(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)evidence;
    (void)event;
    debt->is_ready = debt->modern;
}

/* The job ends, and may give up what it has taken. */
static void reported_error(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)evidence;
    debt->owed.has_failed =
        debt->owed.has_failed || (debt->modern && event->detail == ACTION_REPORT);
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct debt *debt = state;

    (void)evidence;
    (void)event;
    debt->power_cut = true;
}

/* The bitmap and the copies are left out: they follow from the job and the requests in flight. */
static void debt_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct debt *debt = state;

    excuses_digest(&debt->excuses, evidence, digest);
    digest_flags(digest, debt->owed.has_bitmap, debt->started, debt->populated, debt->power_cut,
                 debt->is_ready, debt->flushes_last, debt->owed.has_failed);
}

static uint64_t debt_kinds(const struct plan *plan)
{
    const uint64_t of_today = EVENT_BIT(JOB_READY) | EVENT_BIT(JOB_ERROR);

    return plan->generation == GENERATION_MODERN ? UINT64_MAX : ~of_today;
}

static void debt_check(const void *state)
{
    const struct debt *debt = state;

    owed_check(&debt->owed);
    promise_check(&debt->promise);
    assert(debt->touched_count == 0); /* what was touched has been judged */
    assert(debt->started || !debt->populated);
}

const struct oracle oracle_debt = {
    .id = ORACLE_DEBT,
    .proves = "Whatever differs between source and target is dirty, being copied, or about to "
              "be marked.",
    .state_bytes = sizeof(struct debt),
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = hit,
            [EVENT_DIRTY_CREATE] = bitmap_event,
            [EVENT_DIRTY_SET] = bitmap_event,
            [EVENT_DIRTY_CLEAR] = bitmap_event,
            [EVENT_DIRTY_RELEASE] = bitmap_event,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
            [EVENT_ANSWERED] = answered,
            [EVENT_JOB_READY] = became_ready,
            [EVENT_JOB_ERROR] = reported_error,
        },
    .kinds = debt_kinds,
    .open = debt_open,
    .settled = debt_settled,
    .digest = debt_digest,
    .check = debt_check,
};
