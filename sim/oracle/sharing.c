/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "sharing": other users of the job's disks lose nothing.
 *
 * When a guest write is done it is set in each dirty bitmap of another user, and
 * the job clears none of these bitmaps (D6).  While the job lives, no other user
 * gets access to its source or its target (S3, D18).
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct sharing {
    bool job_lives;
    /* Others' bitmaps in which this timeline event's write is set, a bit each. */
    uint32_t marked[PLAN_MAX_DISKS];
};

/* The others' bitmaps were created first, so they have the lowest numbers. */
static const struct bitmap_spec *others_bitmap(const struct evidence *evidence,
                                               const struct event *event)
{
    const struct disk_spec *disk = &evidence->plan->disks[event->node];

    return event->index < disk->bitmap_count ? &disk->bitmaps[event->index] : NULL;
}

static void bitmap_cleaned(void *state, struct evidence *evidence, const struct event *event)
{
    const struct bitmap_spec *bitmap = others_bitmap(evidence, event);

    (void)state;
    if (bitmap != NULL) {
        verdict_add(evidence, FINDING_SHARING_FOREIGN_BITMAP,
                    "The job cleaned %s in dirty bitmap %.64s of %s, which belongs to another "
                    "user: that user loses the guest writes there.",
                    phrase_range(event->offset, event->bytes).text, bitmap->name,
                    phrase_disk(evidence, event->node));
    }
}

static void bitmap_marked(void *state, struct evidence *evidence, const struct event *event)
{
    struct sharing *sharing = state;

    if (event->by == BY_GUEST && others_bitmap(evidence, event) != NULL) {
        sharing->marked[event->node] |= UINT32_C(1) << event->index;
    }
}

static void write_done(void *state, struct evidence *evidence, const struct event *event)
{
    struct sharing *sharing = state;
    const struct disk_spec *disk = &evidence->plan->disks[event->node];

    if (disk->bitmap_count == 0 || event->op == OP_READ || event->op == OP_FLUSH) {
        return;
    }
    verdict_checked(evidence);
    for (uint32_t i = 0; i < disk->bitmap_count; i++) {
        if (!(sharing->marked[event->node] >> i & 1)) {
            verdict_add(evidence, FINDING_SHARING_WRITE_NOT_MARKED,
                        "Guest %s #%" PRIu32 " of %s is done, but not marked in dirty bitmap %.64s "
                        "of %s, which belongs to another user.",
                        op_name(event_op(event)), event->request,
                        phrase_range(event->offset, event->bytes).text, disk->bitmaps[i].name,
                        phrase_disk(evidence, event->node));
        }
    }
    sharing->marked[event->node] = 0;
}

static void used(void *state, struct evidence *evidence, const struct event *event)
{
    const struct sharing *sharing = state;
    const struct plan_job *job = &evidence->plan->job;
    bool is_the_jobs = event->node == job->source || event->node == job->target;

    verdict_checked(evidence);
    if (sharing->job_lives && is_the_jobs && event->ret == 0) {
        verdict_add(evidence, FINDING_SHARING_UNGUARDED,
                    "Another user got access to %s at %s, while the job uses it.",
                    phrase_disk(evidence, event->node), quantity_time(evidence->now_ns).text);
    }
}

static void job_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct sharing *sharing = state;

    (void)evidence;
    sharing->job_lives = event->kind == EVENT_JOB_STARTED;
}

static void sharing_digest(const void *state, const struct evidence *evidence,
                           struct digest *digest)
{
    const struct sharing *sharing = state;

    (void)evidence;
    digest_u64(digest, sharing->job_lives);
}

/* Without bitmaps of other users only events about uses matter. */
static uint64_t sharing_kinds(const struct plan *plan)
{
    const uint64_t of_bitmaps =
        EVENT_BIT(DIRTY_SET) | EVENT_BIT(DIRTY_CLEAR) | EVENT_BIT(REQUEST_DONE);

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (plan->disks[i].bitmap_count > 0) {
            return UINT64_MAX;
        }
    }
    return ~of_bitmaps;
}

const struct oracle oracle_sharing = {
    .id = ORACLE_SHARING,
    .proves = "Other users of the job's disks lose nothing, and stay off while it lives.",
    .state_bytes = sizeof(struct sharing),
    .requests_by = BY_GUEST,
    .on =
        {
            [EVENT_REQUEST_DONE] = write_done,
            [EVENT_DIRTY_SET] = bitmap_marked,
            [EVENT_DIRTY_CLEAR] = bitmap_cleaned,
            [EVENT_GRAPH_USE] = used,
            [EVENT_JOB_STARTED] = job_event,
            [EVENT_JOB_COMPLETED] = job_event,
            [EVENT_JOB_CANCELLED] = job_event,
        },
    .kinds = sharing_kinds,
    .digest = sharing_digest,
};
