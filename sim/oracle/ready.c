/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "ready": at READY the target is a flushed copy of the source.
 *
 * Every write to the target that was done before READY must have been covered
 * by a flush submitted after it that has succeeded.  The trace alone shows
 * this, whatever the disk.  If the target has a volatile cache, its durable
 * content is compared, too: what differs from the source must still be owed by
 * the job.  What active requests write is left to the flush at the end.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "sim/model/owed.h"
#include "sim/model/promise.h"
#include "sim/model/suspects.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct ready {
    bool started;
    bool power_cut;
    uint64_t written;                /* number of writes to the target that are done */
    uint64_t flushed;                /* number of them, from the first, that are durable */
    uint32_t last_written;           /* request number of the last of them */
    struct outstanding_list flushes; /* in flight; `moved` is what they cover */
    /* The rest is only kept if the target has a volatile cache. */
    struct owed owed;
    struct promise promise;
    struct suspects suspects;
    /* Active writes that the last flush has not covered; `stopped`: they are done. */
    struct outstanding_list fresh;
};

static bool is_volatile(const struct evidence *evidence)
{
    return evidence->disks[evidence->plan->job.target]->durable != NULL;
}

/* ---- Requests ---- */

/* The flush that has been submitted covers those that are done. */
static void forget_fresh(struct ready *ready)
{
    uint32_t i = 0;

    while (i < ready->fresh.count) {
        uint32_t number = ready->fresh.requests[i].number;

        if (ready->fresh.requests[i].stopped) {
            outstanding_remove(&ready->owed.covers, number);
            outstanding_remove(&ready->fresh, number);
        } else {
            i++;
        }
    }
}

/* It has an entry for each part that has taken effect. */
static void end_fresh(struct ready *ready, uint32_t number)
{
    for (uint32_t i = 0; i < ready->fresh.count; i++) {
        struct outstanding *fresh = &ready->fresh.requests[i];

        fresh->stopped = fresh->stopped || fresh->number == number;
    }
}

/* Not owed, but nobody has promised that it is durable. */
static void add_fresh(struct ready *ready, const struct evidence *evidence,
                      const struct event *event)
{
    outstanding_add(&ready->fresh, evidence->arena, event);
    outstanding_add(&ready->owed.covers, evidence->arena, event);
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    if (event->by == BY_JOB && event->op == OP_FLUSH && event->node == evidence->plan->job.target) {
        outstanding_add(&ready->flushes, evidence->arena, event);
        outstanding_find(&ready->flushes, event->request)->moved = ready->written;
        forget_fresh(ready);
    }
    if (is_volatile(evidence)) {
        owed_submitted(&ready->owed, evidence, event);
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    if (event->by == BY_ACTIVE) {
        add_fresh(ready, evidence, event);
    }
    if (!event_changes_source(evidence, event)) {
        return;
    }
    owed_took_effect(&ready->owed, evidence, event);
    if (ready->started) {
        promise_add(&ready->promise, event->offset, event->bytes);
    }
}

/* Failed writes count, too: they may have written something. */
static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;
    const struct outstanding *flush = NULL;

    if (is_volatile(evidence)) {
        owed_done(&ready->owed, evidence, event);
    }
    if (event->by == BY_ACTIVE) {
        end_fresh(ready, event->request);
    }
    if (event->by != BY_JOB || event->node != evidence->plan->job.target) {
        return;
    }
    if (op_is_change(event->op)) {
        ready->written++;
        ready->last_written = event->request;
    } else if (event->op == OP_FLUSH) {
        flush = outstanding_find(&ready->flushes, event->request);
    }
    if (flush != NULL) {
        if (event->ret == 0) {
            ready->flushed = max_u64(ready->flushed, flush->moved);
        }
        outstanding_remove(&ready->flushes, event->request);
    }
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    (void)evidence;
    owed_answered(&ready->owed, event);
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    owed_bitmap_event(&ready->owed, evidence, event);
}

/* ---- READY ---- */

static void report_sector(const struct ready *ready, struct evidence *evidence, uint64_t sector)
{
    const struct plan_job *job = &evidence->plan->job;
    const char *target_name = phrase_disk(evidence, job->target);
    struct finding *finding = verdict_add(
        evidence, FINDING_READY_NOT_DURABLE,
        "The job was ready at %s, but a power cut can still take %s from %s: %s holds %s there, "
        "and that is neither dirty nor being copied%s.",
        quantity_time(evidence->now_ns).text, phrase_sector(sector).text, target_name,
        phrase_disk(evidence, job->source), phrase_content(evidence, job->source, sector).text,
        suspects_blame(&ready->suspects, evidence, job->target, sector).text);
    verdict_mark_sector(finding, job->target, sector);
}

static bool piece_is_durable(const struct ready *ready, const struct evidence *evidence,
                             uint64_t at, uint64_t end, uint64_t *sector)
{
    while (at < end && !promise_is_durable(&ready->promise, evidence, at, end - at, sector)) {
        uint64_t behind = *sector;

        if (!promise_may_owe_zeroes(evidence, &behind, end / SECTOR_BYTES)) {
            return false;
        }
        at = behind * SECTOR_BYTES;
    }
    return true;
}

/* What is not owed must be durable. */
static void judge_content(const struct ready *ready, struct evidence *evidence)
{
    uint64_t end = evidence->disks[evidence->plan->job.source]->bytes;
    uint64_t sector;
    uint64_t bytes;

    for (uint64_t at = 0; (bytes = owed_next_settled(&ready->owed, &at, end)) > 0; at += bytes) {
        verdict_checked(evidence);
        if (!piece_is_durable(ready, evidence, at, at + bytes, &sector)) {
            report_sector(ready, evidence, sector);
            return;
        }
    }
}

static void became_ready(void *state, struct evidence *evidence, const struct event *event)
{
    const struct ready *ready = state;

    (void)event;
    verdict_checked(evidence);
    if (ready->flushed < ready->written) {
        verdict_add(evidence, FINDING_READY_UNFLUSHED,
                    "The job was ready at %s, but no flush of %s that was submitted after write "
                    "#%" PRIu32 " was done has succeeded: a power cut can take that write (%" PRIu64
                    " in all).",
                    quantity_time(evidence->now_ns).text,
                    phrase_disk(evidence, evidence->plan->job.target), ready->last_written,
                    ready->written - ready->flushed);
    }
    if (is_volatile(evidence) && ready->owed.has_bitmap && !ready->power_cut) {
        judge_content(ready, evidence);
    }
}

/* ---- The rest ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    (void)event;
    ready->started = true;
    ready->power_cut = false;
    if (is_volatile(evidence)) {
        promise_begin(&ready->promise, evidence);
    }
}

/* The disks have lost content without the job's knowledge, so it can no longer be compared. */
static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    (void)evidence;
    (void)event;
    ready->power_cut = true;
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct ready *ready = state;

    suspects_note(&ready->suspects, evidence, event);
}

/* The bitmap and the copies are left out: they follow from the job and the requests in flight. */
static void ready_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct ready *ready = state;

    digest_flags(digest, ready->started, ready->power_cut, ready->flushed < ready->written);
    for (uint32_t i = 0; i < ready->flushes.count; i++) {
        digest_u64(digest, ready->flushes.requests[i].moved == ready->written);
    }
    promise_digest(&ready->promise, evidence, digest);
}

/* Without a volatile cache only the order of writes, flush and READY matters. */
static uint64_t ready_kinds(const struct plan *plan)
{
    const uint64_t of_content = EVENT_BIT(REQUEST_EFFECT) | EVENT_BIT(FAULT) |
                                EVENT_BIT(DIRTY_CREATE) | EVENT_BIT(DIRTY_SET) |
                                EVENT_BIT(DIRTY_CLEAR) | EVENT_BIT(DIRTY_RELEASE) |
                                EVENT_BIT(ANSWERED);

    return plan->disks[plan->job.target].volatile_cache ? UINT64_MAX : ~of_content;
}

const struct oracle oracle_ready = {
    .id = ORACLE_READY,
    .proves = "At READY everything written to the target is flushed, and what is not a durable "
              "copy of the source is still owed.",
    .state_bytes = sizeof(struct ready),
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_ANSWERED] = answered,
            [EVENT_FAULT] = hit,
            [EVENT_DIRTY_CREATE] = bitmap_event,
            [EVENT_DIRTY_SET] = bitmap_event,
            [EVENT_DIRTY_CLEAR] = bitmap_event,
            [EVENT_DIRTY_RELEASE] = bitmap_event,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
            [EVENT_JOB_READY] = became_ready,
        },
    .kinds = ready_kinds,
    .digest = ready_digest,
};
