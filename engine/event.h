/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace vocabulary: everything observable that happens in a world.
 *
 * Engines emit the JOB events through host_emit(); the simulated block layer
 * emits the rest.  A trace is a sequence of these records and nothing else;
 * oracles and reports read only them, the plan and the disk images.
 *
 * All fields are plain numbers, so that a record has the same hash and text
 * everywhere.  Fields that a kind does not use are zero.
 */
#ifndef MIRRORSIM_ENGINE_EVENT_H
#define MIRRORSIM_ENGINE_EVENT_H

#include <stdint.h>

/*
 * X(enumerator, name in traces)
 *
 * Requests: node, op, by, request (number), offset, bytes; `index` of a guest
 * request is its number in the plan (plan_action()) plus one (0 = not from the plan).
 */
#define EVENT_KINDS(X)                                                                            \
    /* request life: submit -> start -> effect -> done */                                         \
    X(REQUEST_QUEUED, "queued") /* a guest request waits for the end of a drain */                \
    X(REQUEST_SUBMIT, "submit")                                                                   \
    X(REQUEST_START, "start")   /* got a lane; only on nodes with a lane limit */                 \
    X(REQUEST_EFFECT, "effect") /* data of [offset, offset + bytes) has moved */                  \
    X(REQUEST_DONE, "done")     /* ret = 0 or -errno */                                           \
    X(FAULT, "fault")           /* index = fault of the plan; request = the one it hit, or 0 */   \
    X(HELD, "held")             /* index = fault of the plan (a hold); request = the one held */  \
    X(RELEASED, "released")     /* index as for HELD */                                           \
    /* dirty bitmaps: index = bitmap number on the node; offset, bytes in bytes of the node */    \
    X(DIRTY_CREATE, "dirty-create") /* bytes = granularity */                                     \
    X(DIRTY_SET, "dirty-set")                                                                     \
    X(DIRTY_CLEAR, "dirty-clear")                                                                 \
    X(DIRTY_RELEASE, "dirty-release")                                                             \
    /* node graph; node is the one acted upon */                                                  \
    X(DRAIN_BEGIN, "drain-begin")                                                                 \
    X(DRAINED, "drained") /* no request in flight on it; new ones queue */                        \
    X(DRAIN_END, "drain-end")                                                                     \
    X(GRAPH_OPEN_BACKING, "open-backing") /* ret */                                               \
    X(GRAPH_REOPEN, "reopen")             /* bytes = new flags; ret */                            \
    X(GRAPH_TRUNCATE, "truncate")         /* bytes = new length; ret */                           \
    X(GRAPH_PIVOT, "pivot")               /* node = new, index = id of the node it replaces */    \
    X(GRAPH_UNLINK, "unlink")             /* node lost its backing link */                        \
    X(GRAPH_BLOCK, "block")               /* all operations on node blocked by the job */         \
    X(GRAPH_UNBLOCK, "unblock")                                                                   \
    X(GRAPH_REF, "ref")     /* bytes = references after it */                                     \
    X(GRAPH_UNREF, "unref") /* bytes = references after it */                                     \
    X(GRAPH_USE, "use")     /* another user asks for the node; detail = enum job_refusal, ret */  \
    X(BUFFERS_CREATE, "buffers") /* bytes = size of one, offset = their number */                 \
    X(BUFFERS_RELEASE, "buffers-release")                                                         \
    /* the job */                                                                                 \
    X(JOB_STARTED, "started")       /* node = source, index = id of the target */                 \
    X(JOB_REFUSED, "start-refused") /* detail = enum job_refusal, ret */                          \
    X(JOB_PHASE, "phase")           /* detail = from, detail2 = to (engine's own numbers) */      \
    X(JOB_TRACE, "trace-point") /* detail = engine's own number; offset, bytes, ret = values */   \
    X(JOB_PROGRESS, "progress") /* offset = job offset, bytes = job len */                        \
    X(JOB_READY, "ready")                                                                         \
    X(JOB_ERROR, "error")         /* op, detail = enum error_action, ret, offset, bytes */        \
    X(JOB_PAUSED, "paused")       /* the job parked: it issues nothing until resumed */           \
    X(JOB_RESUMED, "resumed")     /* the job continues after JOB_PAUSED */                        \
    X(JOB_COMPLETED, "completed") /* ret = 0 or -errno; offset, bytes = job offset and len */     \
    X(JOB_CANCELLED, "cancelled") /* as JOB_COMPLETED */                                          \
    X(COMMAND, "command")         /* detail = enum job_verb, offset = argument */                 \
    X(COMMAND_REFUSED, "refused") /* detail = verb, detail2 = enum job_refusal, ret */            \
    /* the story */                                                                               \
    X(STEP, "step")   /* index = step of the plan that begins */                                  \
    X(REACT, "react") /* index = react rule that acts */                                          \
    X(MARK, "mark")   /* index = mark of the plan */                                              \
    /* a query step; offset, bytes = job offset, len; today's generation: detail = actively */    \
    /* synced, detail2 = enum job_status */                                                       \
    X(QUERY, "query")                                                                             \
    X(CHECK_FAILED, "check-failed") /* index = step whose expectation did not hold */             \
    X(POWER_CUT, "power-cut")       /* node */                                                    \
    X(END, "end")                   /* detail = enum world_end */                                 \
    /* in worlds of today's generation only; behind END, since kinds are hashed by number */      \
    X(ARRIVE, "arrive")             /* a guest request reaches the filter, or its disk */         \
    X(ANSWERED, "answered")         /* the guest has its result; node = where its user is */      \
    X(GUEST_MOVED, "moved")         /* node = new, index = old; BLOCK_FILTER_ID is the filter */  \
    X(GRAPH_BACKING, "backing")     /* node; index = its backing, or 255 for none; ret */         \
    X(GRAPH_READ_ONLY, "read-only") /* node; detail = 0 or 1; ret */                              \
    X(JOB_STATUS, "status")         /* detail = from, detail2 = to (enum job_status) */           \
    X(JOB_PENDING, "pending")                                                                     \
    X(JOB_SYNCED, "synced") /* detail = 0 or 1: "actively synced" has changed */                  \
    X(SECTION, "section")   /* detail = enum section_step; node, index 255 = all; by */           \
    /* a guest request waits for an operation: detail = enum stall_holder, offset, bytes: of that \
     */                                                                                           \
    X(STALL_HOLDER, "held-by")

enum event_kind {
#define X(id, name) EVENT_##id,
    EVENT_KINDS(X)
#undef X
        EVENT_KIND_COUNT
};

/* Operations of requests, and the queries that faults can hit. */
#define OPS(X)                                                    \
    X(READ, "read")                                               \
    X(WRITE, "write")                                             \
    X(WRITE_ZEROES, "write-zeroes")                               \
    X(DISCARD, "discard")                                         \
    X(FLUSH, "flush")                                             \
    X(STATUS, "block-status")       /* allocation query (R6) */   \
    X(GETLENGTH, "getlength")       /* R2 */                      \
    X(GET_INFO, "get-info")         /* cluster size: S1, R4 */    \
    X(OPEN_BACKING, "open-backing") /* C4 */                      \
    X(REOPEN, "reopen")             /* C6, section 9 */           \
    X(TRUNCATE, "truncate")         /* section 9 */               \
    X(BUFFER, "buffer")             /* R5 */                      \
    X(BITMAP, "dirty-bitmap")       /* S6 */                      \
    /* today's generation */                                      \
    X(CONTENT, "content-status")  /* data, zero or nothing: O5 */ \
    X(ALL_ZERO, "all-zero")       /* Z2 */                        \
    X(SET_BACKING, "set-backing") /* C6' */                       \
    X(READ_ONLY, "read-only")     /* A1', C6' */

enum op {
#define X(id, name) OP_##id,
    OPS(X)
#undef X
        OP_COUNT
};

/* Who issued a request. */
enum by {
    BY_NONE,
    BY_JOB,
    BY_GUEST,
    BY_ACTIVE, /* by the job for a guest request: its copy on the target (W) */
    BY_COUNT,
};

/* A drained section in EVENT_SECTION. */
#define SECTION_OF_ALL 255 /* `index` of a section over all nodes */

enum section_step {
    SECTION_BEGUN = 1,
    SECTION_QUIET,
    SECTION_ENDED,
};

/* What holds the chunks of a guest request in EVENT_STALL_HOLDER (W2). */
enum stall_holder {
    STALLED_BY_COPY, /* of the job's own */
    STALLED_BY_ZEROES,
    STALLED_BY_DISCARD,
    STALLED_BY_RUN,   /* chunks that are being cut into such operations */
    STALLED_BY_GUEST, /* an earlier request of the guest, here or on the target */
    STALL_HOLDER_COUNT,
};

/* What to do about an error (E1). */
enum error_policy {
    POLICY_REPORT,
    POLICY_IGNORE,
    POLICY_STOP,
    POLICY_ENOSPC,
};

enum error_action {
    ACTION_REPORT,
    ACTION_IGNORE,
    ACTION_STOP,
};

/* Commands (C1 to C5). */
enum job_verb {
    VERB_COMPLETE,
    VERB_CANCEL,
    VERB_PAUSE,
    VERB_RESUME,
    VERB_SET_SPEED,
    VERB_FINALIZE, /* from here on: today's generation (J1) */
    VERB_DISMISS,
    VERB_CHANGE, /* argument: enum copy_mode */
    VERB_COUNT,
};

enum job_refusal {
    REFUSED_NOT,               /* accepted */
    REFUSED_NOT_READY,         /* complete while paused, cancelled or not ready (C4) */
    REFUSED_INVALID_PARAMETER, /* S1, S2, S4, C5 */
    REFUSED_BUSY,              /* S3 */
    REFUSED_NOT_ACTIVE,        /* no job, or the job is about to conclude (D12) */
    REFUSED_NOT_FOUND,         /* replaces: no such node (C4) */
    REFUSED_BLOCKED,           /* replaces: blocked, or not the topmost non-filter (C4) */
    REFUSED_FAILED,            /* an operation failed: see `ret` */
    REFUSED_VERB,              /* from here on today's generation: not in this status (J1) */
    REFUSED_PAUSED,            /* a second pause by the user (J2) */
    REFUSED_NOT_PAUSED,        /* resume of a job that neither user nor error has paused (J2) */
    REFUSED_MODE,              /* change to background (W8) */
    REFUSED_TYPE,              /* change of a commit (W8) */
    REFUSED_ITSELF,            /* source and target are one node (S8') */
    REFUSED_ID,                /* no id, or one in use (S3') */
    REFUSED_COUNT,
};

enum io_status {
    IO_STATUS_OK,
    IO_STATUS_FAILED,
    IO_STATUS_NOSPACE,
};

struct event {
    uint64_t now_ns;
    uint64_t offset;
    uint64_t bytes;
    uint32_t request; /* number of the request, counted from 1; 0 = none */
    int32_t ret;
    uint8_t kind; /* enum event_kind */
    uint8_t node; /* block_node_id() of the node; 0 where there is none */
    uint8_t op;   /* enum op */
    uint8_t by;   /* enum by */
    uint8_t detail;
    uint8_t detail2;
    uint16_t index;
};

/* The members that are enumerations: which of them an event has, EVENTS says. */
static inline enum event_kind event_kind(const struct event *event)
{
    return (enum event_kind)event->kind;
}

static inline enum op event_op(const struct event *event)
{
    return (enum op)event->op;
}

static inline enum by event_by(const struct event *event)
{
    return (enum by)event->by;
}

static inline enum job_verb event_verb(const struct event *event)
{
    return (enum job_verb)event->detail;
}

static inline enum error_action event_action(const struct event *event)
{
    return (enum error_action)event->detail;
}

static inline enum job_refusal event_refusal(const struct event *event)
{
    return (enum job_refusal)(event->kind == EVENT_COMMAND_REFUSED ? event->detail2
                                                                   : event->detail);
}

/* Names as traces and scenarios write them; never NULL for values in range. */
const char *event_kind_name(enum event_kind kind);
const char *op_name(enum op op);
const char *by_name(enum by by);
const char *stall_holder_name(enum stall_holder holder);
const char *error_policy_name(enum error_policy policy);
const char *error_action_name(enum error_action action);
const char *job_verb_name(enum job_verb verb);
const char *job_refusal_name(enum job_refusal refusal);
const char *io_status_name(enum io_status status);

#endif
