/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "durable": what a flush has covered survives a power cut.
 *
 * The guest may rely on what its disk held at the beginning and on each write
 * acknowledged before it submitted a flush that has succeeded; until the next
 * such flush, a sector may instead hold any later write to it.  A pivot changes
 * nothing about that, except where the job has promised nothing.  At each power
 * cut the guest's disk must keep this promise.
 *
 * The job promises more: what the target holds at READY is safe until it is
 * written again (but for what active requests have written since the flush
 * before it), and when the job succeeds the target's content is durable
 * wherever it is promised, whether or not the power fails.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include "sim/model/outstanding.h"
#include "sim/model/owed.h"
#include "sim/model/promise.h"
#include "sim/model/reliance.h"
#include "sim/model/suspects.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct durable {
    bool job_started;
    bool power_cut;     /* since the job started */
    bool mixed;         /* a power cut during a commit: the base may hold what the top has lost */
    bool has_kept;      /* `kept` is in force */
    struct image *kept; /* what the target must not lose; a hole means unknown */
    /* Active writes that the last flush has not covered; `stopped`: they are done. */
    struct outstanding_list fresh;
    struct reliance guest;
    struct promise promise;
    struct suspects suspects;
};

/* Without a volatile cache a power cut takes nothing, so there is nothing to judge. */
static uint64_t durable_kinds(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (plan->disks[i].volatile_cache) {
            return UINT64_MAX;
        }
    }
    return 0;
}

static void durable_open(void *state, struct evidence *evidence)
{
    struct durable *durable = state;

    durable->promise.everything = true;
    durable->kept = image_create(evidence->arena);
    reliance_open(&durable->guest, evidence);
}

/* ---- Requests ---- */

/* The flush that has been submitted covers what is done. */
static void forget_covered(struct durable *durable)
{
    uint32_t i = 0;

    while (i < durable->fresh.count) {
        if (durable->fresh.requests[i].stopped) {
            outstanding_remove(&durable->fresh, durable->fresh.requests[i].number);
        } else {
            i++;
        }
    }
}

/* It has an entry for each part that has taken effect. */
static void end_fresh(struct durable *durable, uint32_t number)
{
    for (uint32_t i = 0; i < durable->fresh.count; i++) {
        struct outstanding *fresh = &durable->fresh.requests[i];

        fresh->stopped = fresh->stopped || fresh->number == number;
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    if (event->by == BY_GUEST) {
        reliance_submitted(&durable->guest, evidence, event);
    } else if (event->by == BY_JOB && event->op == OP_FLUSH) {
        forget_covered(durable);
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    if (!op_is_change(event->op)) {
        return;
    }
    if (event->by == BY_GUEST) {
        reliance_took_effect(&durable->guest, evidence, event);
        if (durable->job_started && event_changes_source(evidence, event)) {
            promise_add(&durable->promise, event->offset, event->bytes);
        }
    }
    if (event->by == BY_ACTIVE) {
        outstanding_add(&durable->fresh, evidence->arena, event);
    }
    if (durable->has_kept && event->node == evidence->plan->job.target) {
        image_punch(durable->kept, event->offset, event->bytes);
    }
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    if (event->by == BY_GUEST) {
        reliance_done(&durable->guest, evidence, event);
    } else if (event->by == BY_ACTIVE) {
        end_fresh(durable, event->request);
    }
}

/* ---- Power cuts ---- */

static void judge_guest(const struct durable *durable, struct evidence *evidence, uint32_t cut)
{
    uint32_t disk = durable->guest.disk;
    uint64_t sector;
    uint64_t tag;

    verdict_checked(evidence);
    if (reliance_is_kept(&durable->guest, evidence, &sector, &tag)) {
        return;
    }
    verdict_mark_sector(
        verdict_add(evidence, FINDING_DURABLE_LOST_FLUSHED,
                    "The guest relies on %s at %s of its disk %s (there from the "
                    "beginning, or covered by a flush of the guest), but after the power "
                    "cut of %s at %s it holds %s%s.",
                    phrase_tag(evidence, tag, sector).text, phrase_sector(sector).text,
                    phrase_disk(evidence, disk), phrase_disk(evidence, cut),
                    quantity_time(evidence->now_ns).text,
                    phrase_content(evidence, disk, sector).text,
                    suspects_blame(&durable->suspects, evidence, cut, sector).text),
        disk, sector);
}

/* The target must still hold what READY promised. */
static void judge_target(const struct durable *durable, struct evidence *evidence)
{
    uint32_t target = evidence->plan->job.target;
    uint64_t end = evidence->disks[target]->bytes / SECTOR_BYTES;
    struct run kept;
    struct run is;

    verdict_checked(evidence);
    for (uint64_t at = 0; at < end; at += min_u64(kept.sectors, is.sectors)) {
        bool known = image_lookup(durable->kept, at, end, &kept);
        bool there = image_lookup(evidence->disks[target]->image, at, end, &is);

        if (known && (!there || kept.tag != is.tag)) {
            verdict_mark_sector(
                verdict_add(evidence, FINDING_DURABLE_LOST_AFTER_READY,
                            "%s held %s at %s when the job was ready, and nothing has been written "
                            "there since, but the power cut at %s has left %s%s.",
                            phrase_disk(evidence, target), phrase_tag(evidence, kept.tag, at).text,
                            phrase_sector(at).text, quantity_time(evidence->now_ns).text,
                            phrase_content(evidence, target, at).text,
                            suspects_blame(&durable->suspects, evidence, target, at).text),
                target, at);
            return;
        }
    }
}

/*
 * After the cut the guest relies on what the disk holds now, whether or not it
 * was certain before.
 */
static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    if (durable->has_kept && event->node == evidence->plan->job.target) {
        judge_target(durable, evidence);
        durable->has_kept = false;
    }
    if (!durable->mixed) {
        judge_guest(durable, evidence, event->node);
    }
    if (event->node == durable->guest.disk) {
        reliance_begin_again(&durable->guest, evidence);
    }
    durable->power_cut = true;
    durable->mixed = evidence->plan->job.kind == JOB_COMMIT;
}

/* ---- The job ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    (void)event;
    durable->job_started = true;
    durable->power_cut = false;
    promise_begin(&durable->promise, evidence);
}

/* No flush has covered it. */
static void forget_fresh(struct durable *durable)
{
    for (uint32_t i = 0; i < durable->fresh.count; i++) {
        const struct outstanding *fresh = &durable->fresh.requests[i];

        image_punch(durable->kept, fresh->offset, fresh->bytes);
    }
}

static void became_ready(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;
    const struct disk_state *target = evidence->disks[evidence->plan->job.target];
    uint64_t end = target->bytes / SECTOR_BYTES;

    (void)event;
    durable->has_kept = true;
    image_punch(durable->kept, 0, target->bytes);
    for (uint64_t sector = 0; sector < end;) {
        struct run run;

        if (image_lookup(target->image, sector, end, &run)) {
            image_write(durable->kept, run);
        }
        sector += run.sectors;
    }
    forget_fresh(durable);
}

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    if (event->index == durable->guest.disk) {
        reliance_pivoted(&durable->guest, evidence, &durable->promise, event->node);
        if (durable->power_cut) {
            /*
             * The job cannot know what the target lost while it ran, so the
             * guest relies on what is there.
             */
            reliance_begin_again(&durable->guest, evidence);
        }
    }
}

static void report_not_durable(const struct durable *durable, struct evidence *evidence,
                               uint64_t sector)
{
    uint32_t target = evidence->plan->job.target;

    verdict_mark_sector(
        verdict_add(evidence, FINDING_DURABLE_NOT_DURABLE,
                    "The job completed successfully at %s, but no flush has made durable "
                    "what %s holds at %s, %s: a power cut can take it%s.",
                    quantity_time(evidence->now_ns).text, phrase_disk(evidence, target),
                    phrase_sector(sector).text, phrase_content(evidence, target, sector).text,
                    suspects_blame(&durable->suspects, evidence, target, sector).text),
        target, sector);
}

/* Judges the worst case without a power cut: is everything promised durable? */
static void judge_success(const struct durable *durable, struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct disk_state *target = evidence->disks[job->target];
    uint64_t end = evidence->disks[job->source]->bytes;
    struct view now;
    struct view least;
    uint64_t sector;
    uint64_t bytes;

    verdict_checked(evidence);
    evidence_view(evidence, job->target, &now);
    least = now;
    least.layer[0] = target->durable;
    for (uint64_t at = 0; (bytes = promise_next(&durable->promise, &at, end)) > 0; at += bytes) {
        if (!view_equal(&now, &least, at, bytes, &sector)) {
            report_not_durable(durable, evidence, sector);
            return;
        }
    }
}

static void ended(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;
    bool success = event->kind == EVENT_JOB_COMPLETED && event->ret == 0;

    if (success && !durable->power_cut &&
        evidence->disks[evidence->plan->job.target]->durable != NULL) {
        judge_success(durable, evidence);
    }
    durable->has_kept = false;
}

/* ---- The rest ---- */

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct durable *durable = state;

    suspects_note(&durable->suspects, evidence, event);
}

static void durable_digest(const void *state, const struct evidence *evidence,
                           struct digest *digest)
{
    const struct durable *durable = state;

    digest_flags(digest, durable->job_started, durable->power_cut, durable->has_kept,
                 durable->mixed);
    image_digest(durable->kept, evidence->writers, digest);
    for (uint32_t i = 0; i < durable->fresh.count; i++) {
        const struct outstanding *fresh = &durable->fresh.requests[i];

        digest_u64(digest, fresh->offset);
        digest_u64(digest, fresh->bytes);
        digest_u64(digest, fresh->stopped);
    }
    promise_digest(&durable->promise, evidence, digest);
    reliance_digest(&durable->guest, evidence, digest);
}

const struct oracle oracle_durable = {
    .id = ORACLE_DURABLE,
    .proves = "What a flush has covered survives a power cut, and so does what the job has "
              "promised at READY and at its successful end.",
    .state_bytes = sizeof(struct durable),
    .on =
        {
            [EVENT_REQUEST_QUEUED] = submitted,
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = hit,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
            [EVENT_JOB_READY] = became_ready,
            [EVENT_JOB_COMPLETED] = ended,
            [EVENT_JOB_CANCELLED] = ended,
        },
    .kinds = durable_kinds,
    .open = durable_open,
    .digest = durable_digest,
};
