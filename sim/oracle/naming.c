/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "naming": each event of the job names what it is about.
 *
 * An observer outside, such as a management tool or a person with a trace, sees
 * nothing of a job but its events.  So they come from the job and name its
 * source, an error names the disk and the range of the failed request, and each
 * phase event starts from the phase the one before it entered.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct naming {
    bool has_phase;
    uint8_t phase;       /* the phase that the last phase event entered */
    struct event failed; /* the last failed request of the job */
    uint64_t len;        /* as in the last progress event */
};

static void failed(void *state, struct evidence *evidence, const struct event *event)
{
    struct naming *naming = state;

    (void)evidence;
    if (event->ret < 0) {
        naming->failed = *event;
    }
}

static void judge_disk(struct evidence *evidence, const struct event *event, uint32_t disk)
{
    verdict_checked(evidence);
    if (event->by != BY_JOB) {
        verdict_add(evidence, FINDING_NAMING_WRONG_SPEAKER,
                    "Event \"%s\" is the job's, but says that it is by %s.",
                    event_kind_name(event_kind(event)), by_name(event_by(event)));
    } else if (event->node != disk) {
        verdict_add(evidence, FINDING_NAMING_WRONG_DISK, "Event \"%s\" is about %s, but names %s.",
                    event_kind_name(event_kind(event)), phrase_disk(evidence, disk),
                    phrase_disk(evidence, event->node));
    }
}

static void judge_source(void *state, struct evidence *evidence, const struct event *event)
{
    (void)state;
    judge_disk(evidence, event, evidence->plan->job.source);
}

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct naming *naming = state;
    uint32_t target = evidence->plan->job.target;

    *naming = (struct naming){0};
    judge_disk(evidence, event, evidence->plan->job.source);
    if (event->index != target) {
        verdict_add(evidence, FINDING_NAMING_WRONG_TARGET,
                    "The job reported at its start that its target is %s, but it is %s.",
                    phrase_disk(evidence, event->index), phrase_disk(evidence, target));
    }
}

static void judge_error(void *state, struct evidence *evidence, const struct event *event)
{
    const struct naming *naming = state;
    const struct event *request = &naming->failed;

    judge_disk(evidence, event, request->node);
    if (event->offset != request->offset || event->bytes != request->bytes) {
        verdict_add(evidence, FINDING_NAMING_WRONG_RANGE,
                    "%s #%" PRIu32 " of %s failed at %" PRIu64 " (%" PRIu64
                    " bytes), but the error event says %" PRIu64 " (%" PRIu64 " bytes).",
                    op_name(event_op(request)), request->request,
                    phrase_disk(evidence, request->node), request->offset, request->bytes,
                    event->offset, event->bytes);
    }
}

/* Progress names no disk: it belongs to the job.  Today's generation may name the source. */
static void judge_progress(void *state, struct evidence *evidence, const struct event *event)
{
    struct naming *naming = state;

    judge_disk(evidence, event,
               evidence->plan->generation == GENERATION_2_2 ? 0 : evidence->plan->job.source);
    if ((event->offset | event->bytes) % SECTOR_BYTES != 0) {
        verdict_add(evidence, FINDING_NAMING_WRONG_PROGRESS,
                    "The job's progress is offset %" PRIu64 " of len %" PRIu64
                    ": these are not whole sectors.",
                    event->offset, event->bytes);
    }
    naming->len = event->bytes;
}

static void judge_end(void *state, struct evidence *evidence, const struct event *event)
{
    const struct naming *naming = state;

    judge_source(state, evidence, event);
    if (event->bytes != naming->len) {
        verdict_add(evidence, FINDING_NAMING_WRONG_PROGRESS,
                    "The job ended with len %" PRIu64 ", but its last progress event had %" PRIu64
                    ".",
                    event->bytes, naming->len);
    }
}

static void judge_phase(void *state, struct evidence *evidence, const struct event *event)
{
    struct naming *naming = state;

    judge_disk(evidence, event, 0);
    if (event->detail == event->detail2 || (naming->has_phase && event->detail != naming->phase)) {
        verdict_add(evidence, FINDING_NAMING_WRONG_PHASE,
                    "The job went from its phase %u to %u, but it was in phase %u.", event->detail,
                    event->detail2, naming->phase);
    }
    naming->has_phase = true;
    naming->phase = event->detail2;
}

static void judge_speaker(void *state, struct evidence *evidence, const struct event *event)
{
    (void)state;
    judge_disk(evidence, event, 0);
}

const struct oracle oracle_naming = {
    .id = ORACLE_NAMING,
    .proves = "Each event of the job names the right disk, range and phase.",
    .state_bytes = sizeof(struct naming),
    .requests_by = BY_JOB,
    .on =
        {
            [EVENT_REQUEST_DONE] = failed,
            [EVENT_JOB_STARTED] = started,
            [EVENT_JOB_PHASE] = judge_phase,
            [EVENT_JOB_PROGRESS] = judge_progress,
            [EVENT_JOB_ERROR] = judge_error,
            [EVENT_JOB_READY] = judge_source,
            [EVENT_JOB_PAUSED] = judge_source,
            [EVENT_JOB_RESUMED] = judge_source,
            [EVENT_JOB_COMPLETED] = judge_end,
            [EVENT_JOB_CANCELLED] = judge_end,
            [EVENT_JOB_STATUS] = judge_speaker,
            [EVENT_JOB_SYNCED] = judge_speaker,
            [EVENT_JOB_PENDING] = judge_source,
        },
};
