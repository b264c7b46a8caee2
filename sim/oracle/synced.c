/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "synced": "actively synced" is true (modern-algorithm W9, section 12).
 *
 * While a job says that it is actively synced, no chunk is dirty and none is held by a background
 * copy: whatever the guest changes goes to the target before the guest has its answer.  The oracle
 * keeps its own dirty bitmap, from the trace.  A query says what the last event has said.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "sim/model/owed.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct synced {
    bool says_so; /* to be judged */
    bool said;    /* what it has said last: queries must say the same */
    struct owed owed;
};

/* Only a job in copy mode write-blocking, or changed to it, ever says so. */
static uint64_t synced_kinds(const struct plan *plan)
{
    return plan->generation == GENERATION_MODERN ? UINT64_MAX : 0;
}

static void judge(struct synced *synced, struct evidence *evidence)
{
    const struct bitmap *dirty = &synced->owed.dirty;
    uint64_t chunk;

    verdict_checked(evidence);
    if (bitmap_next_set(dirty, 0, &chunk)) {
        verdict_add(evidence, FINDING_SYNCED_DIRTY,
                    "The job says that it is actively synced, but at %s %" PRIu64
                    " chunks are dirty, the first at %s.",
                    quantity_time(evidence->now_ns).text, dirty->count,
                    quantity_size(chunk << synced->owed.shift).text);
        synced->says_so = false;
    } else if (!owed_is_idle(&synced->owed)) {
        verdict_add(evidence, FINDING_SYNCED_HELD,
                    "The job says that it is actively synced, but at %s it copies %s in the "
                    "background.",
                    quantity_time(evidence->now_ns).text,
                    phrase_range(synced->owed.covers.requests[0].offset,
                                 synced->owed.covers.requests[0].bytes)
                        .text);
        synced->says_so = false;
    }
}

static void synced_settled(void *state, struct evidence *evidence)
{
    struct synced *synced = state;

    if (synced->says_so && synced->owed.has_bitmap) {
        judge(synced, evidence);
    }
}

static void changed(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    synced->says_so = event->detail != 0;
    synced->said = synced->says_so;
    synced_settled(synced, evidence);
}

/* Of a commit a query never says so. */
static void queried(void *state, struct evidence *evidence, const struct event *event)
{
    const struct synced *synced = state;

    if (evidence->plan->job.kind == JOB_COMMIT) {
        return;
    }
    verdict_checked(evidence);
    if ((event->detail != 0) != synced->said) {
        verdict_add(
            evidence, FINDING_SYNCED_QUERY,
            "A query at %s says that the job is%s actively synced, but the job's last event "
            "has said that it is%s.",
            quantity_time(evidence->now_ns).text, event->detail != 0 ? "" : " not",
            synced->said ? "" : " not");
    }
}

static void began(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    (void)evidence;
    if (event->detail2 == JOB_STATUS_CREATED) {
        synced->said = synced->says_so = false;
    }
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    owed_bitmap_event(&synced->owed, evidence, event);
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    owed_submitted(&synced->owed, evidence, event);
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    owed_done(&synced->owed, evidence, event);
}

static void ended(void *state, struct evidence *evidence, const struct event *event)
{
    struct synced *synced = state;

    (void)evidence;
    (void)event;
    synced->says_so = false;
}

/* The bitmap and the copies follow from the job and the requests in flight. */
static void synced_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct synced *synced = state;

    (void)evidence;
    digest_flags(digest, synced->says_so, synced->said);
}

const struct oracle oracle_synced = {
    .id = ORACLE_SYNCED,
    .proves = "While a job of today's generation says that it is actively synced, nothing is "
              "dirty or being copied in the background.",
    .state_bytes = sizeof(struct synced),
    .requests_by = BY_JOB,
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_DIRTY_CREATE] = bitmap_event,
            [EVENT_DIRTY_SET] = bitmap_event,
            [EVENT_DIRTY_CLEAR] = bitmap_event,
            [EVENT_DIRTY_RELEASE] = bitmap_event,
            [EVENT_JOB_SYNCED] = changed,
            [EVENT_JOB_STATUS] = began,
            [EVENT_QUERY] = queried,
            [EVENT_JOB_COMPLETED] = ended,
            [EVENT_JOB_CANCELLED] = ended,
        },
    .kinds = synced_kinds,
    .settled = synced_settled,
    .digest = synced_digest,
};
