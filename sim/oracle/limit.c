/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "limit": the speed limit is kept (mirror-algorithm T2).
 *
 * A leaky bucket: what the job reads while it is not ready fills it, and the
 * speed drains it.  In every window the bytes issued are at most speed times
 * window plus one quota plus one operation if and only if the level never
 * exceeds one quota plus one operation.
 *
 * In today's generation the job does not look at its account before a whole run of chunks is
 * issued (modern-algorithm T1'): it may be ahead by two quotas and a buffer, and by as much again
 * that had to wait for chunk buffers.  Copies that are widened to whole clusters are not charged
 * for all that they read (O7), so nothing is judged where there can be such.  Zeroes count if the
 * target can't unmap (Z6), active requests don't.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "engine/units.h"
#include "sim/model/owed.h"
#include "sim/model/promise.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define SLICES_PER_SECOND 10
#define TODAYS_BUFFER_BYTES (UINT64_C(16) << 20)

struct limit {
    bool ready;
    uint64_t speed;    /* bytes/s; 0 = no limit */
    uint64_t level;    /* bytes */
    uint64_t fraction; /* of a byte already drained, in 1/NS_PER_SECOND */
    uint64_t paid_ns;  /* the instant up to which `level` is drained */
    uint64_t largest;  /* largest operation so far, bytes */

    /*
     * Today's generation: what the job has taken and not read yet, and how much of that it had when
     * the speed was set: it was charged at another speed, or not at all.
     */
    uint64_t taken;
    uint64_t forgiven;

    /* Before the last command, for the case that it is refused. */
    uint64_t speed_before;
    uint64_t level_before;
};

/* Whole bytes due after `span_ns` at that speed; the remainder is kept in *fraction. */
static uint64_t bytes_due(uint64_t speed, uint64_t span_ns, uint64_t *fraction)
{
    uint64_t seconds = span_ns / NS_PER_SECOND;
    uint64_t ns = span_ns % NS_PER_SECOND;
    uint64_t parts = ns * (speed % NS_PER_SECOND) + *fraction;

    *fraction = parts % NS_PER_SECOND;
    if (seconds > 0 && speed > UINT64_MAX / 4 / seconds) {
        return UINT64_MAX / 2; /* more than any level */
    }
    return seconds * speed + ns * (speed / NS_PER_SECOND) + parts / NS_PER_SECOND;
}

static void pay(struct limit *limit, uint64_t now_ns)
{
    uint64_t due = bytes_due(limit->speed, now_ns - limit->paid_ns, &limit->fraction);

    limit->level -= min_u64(due, limit->level);
    if (limit->level == 0) {
        limit->fraction = 0; /* idle time earns nothing */
    }
    limit->paid_ns = now_ns;
}

static uint64_t quota(const struct limit *limit)
{
    return max_u64(limit->speed / SLICES_PER_SECOND, SECTOR_BYTES);
}

/* Which requests the account is charged for. */
static bool is_charged(const struct evidence *evidence, const struct event *event)
{
    const struct plan *plan = evidence->plan;

    if (event->by != BY_JOB || promise_hides_backing(evidence)) {
        return false;
    }
    return event->op == OP_READ ||
           (plan->generation == GENERATION_MODERN && op_is_change(event->op) &&
            event->op != OP_WRITE && !plan->disks[plan->job.target].can_unmap);
}

/* By how many bytes the job may be ahead. */
static uint64_t allowance(const struct limit *limit, const struct plan *plan)
{
    uint64_t buffer = plan->job.buffer_bytes > 0 && plan->job.kind == JOB_MIRROR
                          ? (uint64_t)plan->job.buffer_bytes
                          : TODAYS_BUFFER_BYTES;

    if (plan->generation == GENERATION_2_2) {
        return quota(limit) + limit->largest;
    }
    return 2 * quota(limit) + 2 * (buffer + limit->largest);
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct limit *limit = state;

    if (!is_charged(evidence, event)) {
        return;
    }
    limit->largest = max_u64(limit->largest, event->bytes);
    limit->taken -= min_u64(limit->taken, event->bytes);
    if (limit->speed == 0 || limit->ready) {
        return;
    }
    pay(limit, evidence->now_ns);
    limit->level += event->bytes - min_u64(event->bytes, limit->forgiven);
    limit->forgiven -= min_u64(event->bytes, limit->forgiven);
    verdict_checked(evidence);
    if (limit->level > allowance(limit, evidence->plan)) {
        verdict_add(evidence, FINDING_LIMIT_TOO_FAST,
                    "With read #%" PRIu32 " at %s the job is %" PRIu64
                    " bytes ahead of its speed of %s; it may be %" PRIu64 " ahead (%s).",
                    event->request, quantity_time(evidence->now_ns).text, limit->level,
                    quantity_plain(quantity_speed_units, (int64_t)limit->speed).text,
                    allowance(limit, evidence->plan),
                    evidence->plan->generation == GENERATION_2_2
                        ? "one quota and one operation"
                        : "two quotas, and twice a buffer and an operation");
        limit->level = 0;
    }
}

/*
 * The new speed holds at once.  The job may account for the slice in which it
 * changes at either speed, which makes a difference of one quota at most.
 * Today's leaves the account as it is (T1'): what it had issued at another speed
 * is forgiven.
 */
static void set_speed(struct limit *limit, uint64_t now_ns, uint64_t speed, bool is_modern)
{
    bool forgives = is_modern && speed != limit->speed;

    pay(limit, now_ns);
    limit->forgiven = forgives ? limit->taken : limit->forgiven;
    limit->speed_before = limit->speed;
    limit->level_before = limit->level;
    limit->speed = speed;
    limit->level -= min_u64(limit->level, speed == 0 || forgives ? limit->level : quota(limit));
}

static void took(void *state, struct evidence *evidence, const struct event *event)
{
    struct limit *limit = state;

    if (event->by == BY_JOB && event->node == evidence->plan->job.source) {
        limit->taken += event->bytes;
    }
}

static uint64_t limit_kinds(const struct plan *plan)
{
    return plan->generation == GENERATION_MODERN ? UINT64_MAX : ~EVENT_BIT(DIRTY_CLEAR);
}

static void begin(struct limit *limit, const struct evidence *evidence)
{
    *limit =
        (struct limit){.paid_ns = evidence->now_ns, .speed = (uint64_t)evidence->plan->job.speed};
}

static void limit_event(void *state, struct evidence *evidence, const struct event *event)
{
    struct limit *limit = state;

    switch (event->kind) {
    case EVENT_JOB_STARTED: /* today's job exists, and takes commands, before it has started */
        if (evidence->plan->generation == GENERATION_MODERN) {
            break;
        }
        begin(limit, evidence);
        break;
    case EVENT_JOB_STATUS:
        if (event->detail2 == JOB_STATUS_CREATED) {
            begin(limit, evidence);
        }
        break;
    case EVENT_COMMAND:
        if (event->detail == VERB_SET_SPEED) {
            set_speed(limit, evidence->now_ns, event->offset,
                      evidence->plan->generation == GENERATION_MODERN);
        }
        break;
    case EVENT_COMMAND_REFUSED:
        if (event->detail == VERB_SET_SPEED) {
            limit->speed = limit->speed_before;
            limit->level = limit->level_before;
        }
        break;
    default: /* READY, or an error, which ends readiness; but not today (E1') */
        limit->ready = event->kind == EVENT_JOB_READY ||
                       (limit->ready && evidence->plan->generation == GENERATION_MODERN);
        break;
    }
}

/* The level as of now, so that the instant of its last update makes no difference. */
static void limit_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    struct limit limit = *(const struct limit *)state;

    pay(&limit, evidence->now_ns);
    digest_u64(digest, limit.ready);
    digest_u64(digest, limit.speed);
    digest_u64(digest, limit.level);
    digest_u64(digest, limit.fraction);
    digest_u64(digest, limit.speed > 0 ? limit.largest : 0);
    if (evidence->plan->generation == GENERATION_MODERN) {
        digest_u64(digest, limit.forgiven);
    }
}

const struct oracle oracle_limit = {
    .id = ORACLE_LIMIT,
    .proves = "While it is not ready, the job reads no faster than its speed limit promises.",
    .state_bytes = sizeof(struct limit),
    .requests_by = BY_JOB,
    .on =
        {
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_DIRTY_CLEAR] = took,
            [EVENT_JOB_STARTED] = limit_event,
            [EVENT_JOB_STATUS] = limit_event,
            [EVENT_COMMAND] = limit_event,
            [EVENT_COMMAND_REFUSED] = limit_event,
            [EVENT_JOB_READY] = limit_event,
            [EVENT_JOB_ERROR] = limit_event,
        },
    .kinds = limit_kinds,
    .digest = limit_digest,
};
