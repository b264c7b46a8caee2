/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "bounds": the job stays within its limits, and leaves nothing behind.
 *
 * Every request of the job covers whole sectors within the source's length, on a disk
 * that the job may access in that way.  An operation is a read and then, in the timeline
 * event in which the read succeeds, a write of the same range.  At most 16 operations
 * are in flight, of at most 1024 chunks; they are disjoint and fit into the buffers.
 *
 * In today's generation an operation can also be write-zeroes or a discard of whole chunks, and
 * each request has at most as many chunks as both disks take at once.  What an active request
 * writes shares no chunk with an operation, or with another active one.  Copies that had to wait
 * for buffers can be more than 16.  Copies that are widened to
 * whole clusters may overlap others (modern-algorithm O7, O11).
 *
 * When a job is gone it has given back everything it took: references, blockers, drains,
 * sections, dirty bitmaps, buffers, and the guest is not behind its filter any more.  A refused
 * start leaves nothing taken.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "engine/interposer.h"
#include "sim/model/outstanding.h"
#include "sim/model/owed.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define MAX_OPS 16
#define MAX_KNOWN_OPS 64 /* as many are followed */
#define MAX_OP_CHUNKS 1024

struct op_in_flight {
    uint64_t offset;
    uint64_t bytes;
    uint64_t chunks;
    uint32_t request; /* number of the request in flight: the read, then the write */
    bool was_read;    /* the read is done and the write not yet submitted */
};

#define ALL_NODES 0xff
#define FILTER PLAN_MAX_DISKS /* where `taken` has what it has taken on its filter */

/* What the job has taken on a disk and not given back. */
struct taken {
    int16_t references;
    int16_t blockers;
    int16_t drains; /* sections, too */
    int16_t bitmaps;
};

struct bounds {
    bool alive; /* a job has started and not ended */
    bool ended; /* in this timeline event: look for leftovers */
    bool pivoted;
    uint64_t granularity; /* 0 = not known */
    uint64_t buffers;     /* chunk buffers that the job has; 0 = not allocated */
    uint64_t chunks;      /* in flight */
    uint32_t op_count;
    uint32_t unwritten; /* operations with `was_read` */
    uint32_t flushes;
    struct op_in_flight ops[MAX_KNOWN_OPS];
    struct taken taken[PLAN_MAX_DISKS + 1];

    /* Today's generation only. */
    bool modern;
    bool has_taken_chunks;           /* before that it may fill the target with zeroes (Z3) */
    bool has_failed;                 /* active requests do not wait any more (W2) */
    bool gave_back;                  /* in this timeline event an operation has ended */
    bool guest_is_above;             /* behind the filter */
    struct outstanding_list actives; /* in flight */
};

static bool may_overlap(const struct bounds *bounds, const struct evidence *evidence)
{
    const struct disk_spec *target = &evidence->plan->disks[evidence->plan->job.target];

    return bounds->has_failed || (bounds->modern && target->cluster > bounds->granularity);
}

static uint64_t max_op_chunks(const struct evidence *evidence)
{
    const struct plan *plan = evidence->plan;
    uint64_t source = plan->disks[plan->job.source].max_segments;
    uint64_t target = plan->disks[plan->job.target].max_segments;

    if (plan->generation == GENERATION_2_2) {
        return MAX_OP_CHUNKS;
    }
    return min_u64(source > 0 ? source : MAX_OP_CHUNKS, target > 0 ? target : MAX_OP_CHUNKS);
}

/* ---- One request ---- */

static bool may_touch(const struct plan *plan, const struct event *event)
{
    const struct plan_job *job = &plan->job;

    if (plan->generation == GENERATION_MODERN && op_is_change(event->op)) {
        return event->node == job->target;
    }
    switch (event->op) {
    case OP_READ:
        return event->node == job->source;
    case OP_WRITE:
    case OP_FLUSH:
        return event->node == job->target;
    default:
        return false;
    }
}

/*
 * Both sides are bounded by the source's length: a longer target keeps what
 * lies beyond it; a shorter one is the user's mistake and fails the write.
 */
static void judge_request(struct evidence *evidence, const struct event *event)
{
    uint8_t source = (uint8_t)evidence->plan->job.source;
    uint64_t length = evidence->disks[source]->bytes;

    if (!may_touch(evidence->plan, event)) {
        verdict_add(evidence, FINDING_BOUNDS_WRONG_DISK,
                    "The job issued %s #%" PRIu32 " to %s, which it must not %s.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    op_name(event_op(event)));
    } else if ((event->offset | event->bytes) % SECTOR_BYTES != 0) {
        verdict_add(evidence, FINDING_BOUNDS_UNALIGNED,
                    "The job's %s #%" PRIu32 " of %s at offset %" PRIu64 ", %" PRIu64
                    " bytes, is not whole sectors.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    event->offset, event->bytes);
    } else if (event->offset > length || event->bytes > length - event->offset) {
        verdict_add(evidence, FINDING_BOUNDS_OUT_OF_RANGE,
                    "The job's %s #%" PRIu32 " of %s at %s is outside %s, which is %s long.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    phrase_range(event->offset, event->bytes).text, phrase_disk(evidence, source),
                    quantity_size(length).text);
    }
}

/* ---- Operations ---- */

static uint64_t chunks_of(const struct bounds *bounds, uint64_t offset, uint64_t bytes)
{
    uint64_t granularity = bounds->granularity;

    if (granularity == 0) {
        return 0;
    }
    return (align_up(range_end(offset, bytes), granularity) - align_down(offset, granularity)) >>
           __builtin_ctzll(granularity);
}

static bool shares_chunk(const struct bounds *bounds, const struct op_in_flight *op,
                         uint64_t offset, uint64_t bytes)
{
    uint64_t granularity = max_u64(bounds->granularity, SECTOR_BYTES);
    uint64_t first = align_down(offset, granularity);
    uint64_t end = align_up(range_end(offset, bytes), granularity);

    return range_overlaps(first, end - first, op->offset, op->bytes);
}

/* Copies that have waited for buffers begin when another operation gives some back (O9). */
static bool may_be_more(const struct bounds *bounds, const struct event *event)
{
    return bounds->modern && bounds->gave_back && event->op == OP_READ;
}

static void report_shared(struct evidence *evidence, const struct event *event, uint64_t offset,
                          uint64_t bytes)
{
    verdict_add(evidence, FINDING_BOUNDS_SHARED_CHUNK,
                "%s%s #%" PRIu32
                " begins an operation at %s, which shares a chunk with one in flight at %s.",
                event->op == OP_READ ? "" : "The ",
                event->op == OP_READ ? "Read" : op_name(event_op(event)), event->request,
                phrase_range(event->offset, event->bytes).text, phrase_range(offset, bytes).text);
}

/* No two that move data hold the same chunk. */
static void judge_shared(const struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    if (may_overlap(bounds, evidence)) {
        return;
    }
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        const struct op_in_flight *op = &bounds->ops[i];

        if (shares_chunk(bounds, op, event->offset, event->bytes)) {
            report_shared(evidence, event, op->offset, op->bytes);
        }
    }
    for (uint32_t i = 0; i < bounds->actives.count; i++) {
        const struct outstanding *active = &bounds->actives.requests[i];
        struct op_in_flight op = {.offset = active->offset, .bytes = active->bytes};

        if (shares_chunk(bounds, &op, event->offset, event->bytes)) {
            report_shared(evidence, event, op.offset, op.bytes);
        }
    }
}

static void judge_operation(const struct bounds *bounds, struct evidence *evidence,
                            const struct event *event, uint64_t chunks)
{
    uint64_t max_chunks = max_op_chunks(evidence);

    judge_shared(bounds, evidence, event);
    if (bounds->op_count >= MAX_OPS && !may_be_more(bounds, event)) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_MANY_OPERATIONS,
                    "With read #%" PRIu32 " %d operations are in flight; at most %d are allowed.",
                    event->request, MAX_OPS + 1, MAX_OPS);
    }
    if (chunks > max_chunks) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_LONG,
                    "Read #%" PRIu32 " of %s is %" PRIu64 " chunk buffers long; at most %" PRIu64
                    " are allowed.",
                    event->request, phrase_range(event->offset, event->bytes).text, chunks,
                    max_chunks);
    }
    if (chunks + bounds->chunks > bounds->buffers) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_FEW_BUFFERS,
                    "With read #%" PRIu32 " of %s the job holds %" PRIu64
                    " chunk buffers, but it has %" PRIu64 ".",
                    event->request, phrase_range(event->offset, event->bytes).text,
                    chunks + bounds->chunks, bounds->buffers);
    }
}

static void begin_operation(struct bounds *bounds, struct evidence *evidence,
                            const struct event *event)
{
    uint64_t chunks = chunks_of(bounds, event->offset, event->bytes);

    judge_operation(bounds, evidence, event, chunks);
    if (bounds->op_count < MAX_KNOWN_OPS) {
        bounds->ops[bounds->op_count++] =
            (struct op_in_flight){event->offset, event->bytes, chunks, event->request, false};
        bounds->chunks += chunks;
    }
}

/* O5, O8: whole chunks, but before there is anything to copy. */
static void judge_zeroes(const struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    uint64_t granularity = max_u64(bounds->granularity, SECTOR_BYTES);

    judge_shared(bounds, evidence, event);
    if (bounds->op_count >= MAX_OPS && !may_be_more(bounds, event)) {
        verdict_add(evidence, FINDING_BOUNDS_TOO_MANY_OPERATIONS,
                    "With %s #%" PRIu32 " %d operations are in flight; at most %d are allowed.",
                    op_name(event_op(event)), event->request, MAX_OPS + 1, MAX_OPS);
    }
    if (bounds->has_taken_chunks && (event->offset | event->bytes) % granularity != 0) {
        verdict_add(evidence, FINDING_BOUNDS_UNALIGNED,
                    "The job's %s #%" PRIu32 " of %s is not whole chunks.",
                    op_name(event_op(event)), event->request,
                    phrase_range(event->offset, event->bytes).text);
    }
}

static void begin_zeroes(struct bounds *bounds, struct evidence *evidence,
                         const struct event *event)
{
    judge_zeroes(bounds, evidence, event);
    if (bounds->op_count < MAX_KNOWN_OPS) {
        bounds->ops[bounds->op_count++] = (struct op_in_flight){
            .offset = event->offset, .bytes = event->bytes, .request = event->request};
    }
}

static void end_operation(struct bounds *bounds, struct op_in_flight *op)
{
    bounds->gave_back = true;
    bounds->chunks -= op->chunks;
    bounds->op_count--;
    *op = bounds->ops[bounds->op_count];
}

/* The write that continues the operation whose read has just succeeded. */
static void continue_operation(struct bounds *bounds, struct evidence *evidence,
                               const struct event *event)
{
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        struct op_in_flight *op = &bounds->ops[i];

        if (op->was_read && op->offset == event->offset && op->bytes == event->bytes) {
            op->was_read = false;
            op->request = event->request;
            bounds->unwritten--;
            return;
        }
    }
    if (bounds->op_count < MAX_KNOWN_OPS) {
        verdict_add(evidence, FINDING_BOUNDS_STRAY_WRITE,
                    "Write #%" PRIu32 " of %s writes %s, which the job has not just read.",
                    event->request, phrase_disk(evidence, event->node),
                    phrase_range(event->offset, event->bytes).text);
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;

    judge_request(evidence, event);
    if (event->by == BY_ACTIVE) {
        judge_shared(bounds, evidence, event);
        outstanding_add(&bounds->actives, evidence->arena, event);
    } else if (event->op == OP_WRITE_ZEROES || event->op == OP_DISCARD) {
        begin_zeroes(bounds, evidence, event);
    } else if (event->op == OP_READ) {
        begin_operation(bounds, evidence, event);
    } else if (event->op == OP_WRITE) {
        continue_operation(bounds, evidence, event);
    } else {
        bounds->flushes++;
    }
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct bounds *bounds = state;

    (void)evidence;
    if (event->by == BY_ACTIVE) {
        outstanding_remove(&bounds->actives, event->request);
        return;
    }
    if (event->op == OP_FLUSH) {
        bounds->flushes--;
        return;
    }
    for (uint32_t i = 0; i < bounds->op_count; i++) {
        struct op_in_flight *op = &bounds->ops[i];

        if (op->request == event->request && !op->was_read) {
            if (event->op == OP_READ && event->ret == 0) {
                op->was_read = true;
                bounds->unwritten++;
            } else {
                end_operation(bounds, op);
            }
            return;
        }
    }
}

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
    *bounds = (struct bounds){.modern = bounds->modern};
}

/* ---- Events ---- */

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
                 bounds->has_failed, bounds->guest_is_above);
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
