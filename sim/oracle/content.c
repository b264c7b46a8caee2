/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "content": when the job reports success, the target is a copy.
 *
 * Success is a COMPLETED without an error.  At that instant source and target
 * must be equal: the source was drained until just before, so nothing can have
 * changed since the copy was finished.  Any other end must have left the guest
 * on its disk.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include "sim/model/promise.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct content {
    bool started;
    bool pivoted;
    bool power_cut; /* what the disks hold is unknown */
    struct promise promise;
};

static void judge_copy(const struct content *content, struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const char *source_name = phrase_disk(evidence, job->source);
    const char *target_name = phrase_disk(evidence, job->target);
    struct finding *finding;
    uint64_t sector;

    verdict_checked(evidence);
    if (promise_is_kept(&content->promise, evidence, 0, evidence->disks[job->source]->bytes,
                        &sector)) {
        return;
    }
    finding = verdict_add(
        evidence, FINDING_CONTENT_STALE_SECTOR,
        "%s and %s differ at %s: %s holds %s, %s holds %s, though the job completed "
        "successfully at %s.",
        source_name, target_name, phrase_sector(sector).text, target_name,
        phrase_content(evidence, job->target, sector).text, source_name,
        phrase_content(evidence, job->source, sector).text, quantity_time(evidence->now_ns).text);
    verdict_mark_sector(finding, job->target, sector);
}

static void ended(void *state, struct evidence *evidence, const struct event *event)
{
    struct content *content = state;
    bool success = event->kind == EVENT_JOB_COMPLETED && event->ret == 0;

    if (success && content->started && !content->power_cut) {
        judge_copy(content, evidence);
    } else if (!success) {
        verdict_checked(evidence);
    }
    if (!success && content->pivoted) {
        bool cancelled = event->kind == EVENT_JOB_CANCELLED;

        verdict_add(evidence, FINDING_CONTENT_PIVOT_WITHOUT_SUCCESS,
                    "The guest was switched to %s, though the job %s%s at %s.",
                    phrase_disk(evidence, evidence->plan->job.target),
                    cancelled ? "was cancelled" : "failed with ",
                    cancelled ? "" : phrase_result(event->ret).text,
                    quantity_time(evidence->now_ns).text);
    }
    content->started = false;
}

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct content *content = state;

    (void)event;
    *content = (struct content){.started = true};
    promise_begin(&content->promise, evidence);
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct content *content = state;

    if (content->started && event_changes_source(evidence, event)) {
        promise_add(&content->promise, event->offset, event->bytes);
    }
}

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct content *content = state;

    (void)evidence;
    (void)event;
    content->pivoted = true;
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct content *content = state;

    (void)evidence;
    (void)event;
    content->power_cut = true;
}

static void content_digest(const void *state, const struct evidence *evidence,
                           struct digest *digest)
{
    const struct content *content = state;

    digest_flags(digest, content->started, content->pivoted, content->power_cut);
    promise_digest(&content->promise, evidence, digest);
}

const struct oracle oracle_content = {
    .id = ORACLE_CONTENT,
    .proves = "When the job reports success, the target holds what the source holds.",
    .state_bytes = sizeof(struct content),
    .requests_by = BY_GUEST,
    .on =
        {
            [EVENT_JOB_STARTED] = started,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_COMPLETED] = ended,
            [EVENT_JOB_CANCELLED] = ended,
        },
    .digest = content_digest,
};
