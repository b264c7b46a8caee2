/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "bounds": the job stays within its limits, and leaves nothing behind.
 *
 * The limits of its requests are judged in sim/oracle/operations.c; here is what it takes and gives
 * back.
 *
 * When a job is gone it has given back everything it took: references, blockers, drains,
 * sections, dirty bitmaps, buffers, and the guest is not behind its filter any more.  A refused
 * start leaves nothing taken.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "engine/interposer.h"
#include "sim/oracle/bounds.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define ALL_NODES 0xff

/* ---- Leftovers ---- */

static void judge_taken(struct evidence *evidence, uint32_t disk, int count, const char *what)
{
    bool one = count == 1 || count == -1;

    if (count != 0) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER, "The job is gone, but %d %s%s of %s %s %s.",
                    count > 0 ? count : -count, what, one ? "" : "s", phrase_disk(evidence, disk),
                    one ? "was" : "were", count > 0 ? "not released" : "released too often");
    }
}

/*
 * After a commit of 2.2 nobody may still read the old top through the chain; today's leaves the
 * links and moves the top's users.
 */
static void judge_chain(const struct bounds *bounds, struct evidence *evidence)
{
    const struct plan *plan = evidence->plan;
    uint32_t disk = plan->job.target;
    uint32_t steps = 0;

    if (!bounds->pivoted || plan->job.kind != JOB_COMMIT) {
        return;
    }
    if (!bounds->modern && evidence->disks[plan->job.source]->backing_open) {
        verdict_add(evidence, FINDING_BOUNDS_CHAIN_LOOP,
                    "The commit is over, but the old top %s is still linked to its backing file.",
                    phrase_disk(evidence, plan->job.source));
    }
    while (evidence->disks[disk]->backing_open && steps < plan->disk_count) {
        disk = evidence->disks[disk]->backing;
        steps++;
    }
    if (steps == plan->disk_count) {
        verdict_add(evidence, FINDING_BOUNDS_CHAIN_LOOP,
                    "The commit is over, and the backing chain of %s never ends.",
                    phrase_disk(evidence, plan->job.target));
    }
}

/* F: the filter is gone, and with it everything that was taken on it. */
static void judge_filter(const struct bounds *bounds, struct evidence *evidence)
{
    const struct taken *taken = &bounds->taken[FILTER];

    if (bounds->guest_is_above) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER,
                    "The job is gone, but the guest is still behind its filter.");
    }
    if (taken->references != 0 || taken->blockers != 0 || taken->drains != 0) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER,
                    "The job is gone, but on its filter %d references, %d blockers and %d drains "
                    "are left.",
                    taken->references, taken->blockers, taken->drains);
    }
    if (bounds->actives.count > 0) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER,
                    "The job is gone, but %" PRIu32 " active requests of it are in flight.",
                    bounds->actives.count);
    }
}

static void judge_left_over(struct bounds *bounds, struct evidence *evidence)
{
    verdict_checked(evidence);
    if (bounds->op_count > 0 || bounds->flushes > 0) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER,
                    "The job is gone, but %" PRIu32 " operations and %" PRIu32
                    " flushes of it are in flight.",
                    bounds->op_count, bounds->flushes);
    }
    if (bounds->buffers > 0) {
        verdict_add(evidence, FINDING_BOUNDS_LEFT_OVER,
                    "The job is gone, but its %" PRIu64 " chunk buffers were not released.",
                    bounds->buffers);
    }
    for (uint32_t i = 0; i < evidence->plan->disk_count; i++) {
        judge_taken(evidence, i, bounds->taken[i].references, "reference");
        judge_taken(evidence, i, bounds->taken[i].blockers, "blocker");
        judge_taken(evidence, i, bounds->taken[i].drains, "drain");
        judge_taken(evidence, i, bounds->taken[i].bitmaps, "dirty bitmap");
    }
    judge_filter(bounds, evidence);
    judge_chain(bounds, evidence);
    *bounds = (struct bounds){
        .modern = bounds->modern, .ops = bounds->ops, .op_capacity = bounds->op_capacity};
}

/* ---- Events ---- */

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    bounds_submitted(state, evidence, event);
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    (void)evidence;
    bounds_done(state, event);
}

static struct taken *taken_on(struct bounds *bounds, uint8_t node)
{
    return &bounds->taken[node == BLOCK_FILTER_ID ? FILTER : node];
}

static void bitmap_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;
    struct taken *taken = taken_on(bounds, event->node);

    if (event->by != BY_JOB) {
        return;
    }
    if (event->kind == EVENT_DIRTY_CLEAR) {
        bounds->has_taken_chunks = true;
        return;
    }
    if (event->kind == EVENT_DIRTY_RELEASE) {
        taken->bitmaps--;
        return;
    }
    taken->bitmaps++;
    if (event->node == evidence->plan->job.source && bounds->granularity == 0) {
        bounds->granularity = event->bytes;
    }
}

static void node_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;
    struct taken *taken = taken_on(bounds, event->node);

    (void)evidence;
    switch (event->kind) {
    case EVENT_GRAPH_REF:
        taken->references++;
        break;
    case EVENT_GRAPH_UNREF:
        taken->references--;
        break;
    case EVENT_GRAPH_BLOCK:
        taken->blockers++;
        break;
    case EVENT_GRAPH_UNBLOCK:
        taken->blockers--;
        break;
    case EVENT_DRAIN_BEGIN:
        taken->drains++;
        break;
    default: /* drain end */
        taken->drains--;
        break;
    }
}

/* A section over everything ends when a guest's requests do, perhaps later than the job. */
static void section_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;
    struct taken *taken = taken_on(bounds, event->node);

    (void)evidence;
    if (event->by == BY_JOB && event->index != ALL_NODES) {
        taken->drains = (int16_t)(taken->drains + (event->detail == SECTION_BEGUN) -
                                  (event->detail == SECTION_ENDED));
    }
}

static void guest_moved(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;

    (void)evidence;
    bounds->guest_is_above = event->node == BLOCK_FILTER_ID;
}

static void job_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;

    (void)evidence;
    switch (event->kind) {
    case EVENT_BUFFERS_CREATE:
        bounds->buffers = event->offset;
        bounds->has_buffers = true;
        break;
    case EVENT_BUFFERS_RELEASE:
        bounds->buffers = 0;
        break;
    case EVENT_GRAPH_PIVOT:
        bounds->pivoted = true;
        break;
    case EVENT_JOB_ERROR:
        bounds->has_failed =
            bounds->has_failed || (bounds->modern && event->detail == ACTION_REPORT);
        break;
    case EVENT_JOB_STARTED:
        bounds->alive = true;
        break;
    case EVENT_JOB_REFUSED: /* maybe because a job exists, or is being started: it carries on */
        bounds->ended =
            bounds->ended || (!bounds->alive && !(bounds->modern && event->detail == REFUSED_BUSY));
        break;
    default: /* completed or cancelled */
        bounds->ended = true;
        break;
    }
}

static uint64_t bounds_kinds(const struct plan *plan)
{
    const uint64_t of_today = EVENT_BIT(DIRTY_CLEAR) | EVENT_BIT(JOB_ERROR);

    return plan->generation == GENERATION_MODERN ? UINT64_MAX : ~of_today;
}

static void bounds_open(void *state, struct evidence *evidence)
{
    struct bounds *bounds = state;

    bounds->modern = evidence->plan->generation == GENERATION_MODERN;
}

static void bounds_settled(void *state, struct evidence *evidence)
{
    struct bounds *bounds = state;

    bounds->gave_back = false;
    if (bounds->unwritten > 0) {
        verdict_add(evidence, FINDING_BOUNDS_LOST_OPERATION,
                    "The job has read a range, but did not write it.");
        bounds->unwritten = 0;
    }
    if (bounds->ended) {
        judge_left_over(bounds, evidence);
    }
}

/* Operations are left out: they follow from the requests in flight. */
static void bounds_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct bounds *bounds = state;

    digest_flags(digest, bounds->alive, bounds->pivoted, bounds->modern && bounds->has_taken_chunks,
                 bounds->has_failed, bounds->guest_is_above, bounds->has_buffers);
    digest_u64(digest, bounds->buffers);
    for (uint32_t i = 0; i < evidence->plan->disk_count; i++) {
        const struct taken *taken = &bounds->taken[i];

        digest_u64(digest, (uint64_t)(uint16_t)taken->references |
                               (uint64_t)(uint16_t)taken->blockers << 16 |
                               (uint64_t)(uint16_t)taken->drains << 32 |
                               (uint64_t)(uint16_t)taken->bitmaps << 48);
    }
}

const struct oracle oracle_bounds = {
    .id = ORACLE_BOUNDS,
    .proves = "The job's requests stay within their bounds, and it leaves nothing behind.",
    .state_bytes = sizeof(struct bounds),
    .requests_by = BY_JOB,
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,   [EVENT_REQUEST_DONE] = done,
            [EVENT_DIRTY_CREATE] = bitmap_event,  [EVENT_DIRTY_CLEAR] = bitmap_event,
            [EVENT_DIRTY_RELEASE] = bitmap_event, [EVENT_DRAIN_BEGIN] = node_event,
            [EVENT_DRAIN_END] = node_event,       [EVENT_GRAPH_BLOCK] = node_event,
            [EVENT_GRAPH_UNBLOCK] = node_event,   [EVENT_GRAPH_REF] = node_event,
            [EVENT_GRAPH_UNREF] = node_event,     [EVENT_GRAPH_PIVOT] = job_event,
            [EVENT_BUFFERS_CREATE] = job_event,   [EVENT_BUFFERS_RELEASE] = job_event,
            [EVENT_JOB_STARTED] = job_event,      [EVENT_JOB_REFUSED] = job_event,
            [EVENT_JOB_ERROR] = job_event,        [EVENT_SECTION] = section_event,
            [EVENT_GUEST_MOVED] = guest_moved,    [EVENT_JOB_COMPLETED] = job_event,
            [EVENT_JOB_CANCELLED] = job_event,
        },
    .kinds = bounds_kinds,
    .open = bounds_open,
    .settled = bounds_settled,
    .digest = bounds_digest,
};
