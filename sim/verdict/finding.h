/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of findings: every oracle and every kind of its findings.
 *
 * A finding is identified by its index in the table.  An index means the same in every process of
 * one program, so results carry it through pipes; a file that outlives the program has the two
 * names instead.
 */
#ifndef MIRRORSIM_SIM_VERDICT_FINDING_H
#define MIRRORSIM_SIM_VERDICT_FINDING_H

#include <stdbool.h>
#include <stdint.h>

/* Properties of an oracle's findings that tools use. */
enum finding_trait {
    /* Can have many causes: findings of other oracles are more specific. */
    FINDING_VAGUE = 1,
    FINDING_COMMON = 2, /* only the sentence tells one case from another */
    /* About the scenario's expectations, not about the duties of a mirror. */
    FINDING_OF_SCENARIO = 4,
    FINDING_OF_NO_END = 8,    /* the run did not end */
    FINDING_OF_FLUSH = 16,    /* about what is durable */
    FINDING_OF_GUEST = 32,    /* about what the guest sees */
    FINDING_OF_PROCESS = 64,  /* the run's process died in the event after the last one */
    FINDING_ONLY_NAMED = 128, /* an xfail must name the oracle: a vacuous run has shown nothing */
};

/* X(oracle, "name", traits) */
#define ORACLES(X)                                                                  \
    X(CONTENT, "content", 0)                                                        \
    X(DEBT, "debt", 0)                                                              \
    X(READY, "ready", FINDING_OF_FLUSH)                                             \
    X(DURABLE, "durable", FINDING_OF_FLUSH)                                         \
    X(LEDGER, "ledger", 0)                                                          \
    X(GUEST, "guest", FINDING_OF_GUEST)                                             \
    X(JOB, "job", 0)                                                                \
    X(LIFE, "life", 0)                                                              \
    X(SYNCED, "synced", 0)                                                          \
    X(NAMING, "naming", 0)                                                          \
    X(BOUNDS, "bounds", 0)                                                          \
    X(SHARING, "sharing", 0)                                                        \
    X(LIMIT, "limit", 0)                                                            \
    X(LIVENESS, "liveness", FINDING_VAGUE | FINDING_COMMON | FINDING_OF_NO_END)     \
    X(EXPECT, "expect", FINDING_VAGUE | FINDING_OF_SCENARIO)                        \
    X(VACUOUS, "vacuous", FINDING_VAGUE | FINDING_OF_SCENARIO | FINDING_ONLY_NAMED) \
    X(COMPARE, "compare", 0)                                                        \
    X(DETERMINISM, "determinism", 0)                                                \
    X(CRASH, "crash", FINDING_COMMON | FINDING_OF_PROCESS)                          \
    X(HARNESS, "harness", FINDING_OF_NO_END)

/* X(oracle, kind, "name of the kind") */
#define FINDINGS(X)                                            \
    X(CONTENT, STALE_SECTOR, "stale-sector")                   \
    X(CONTENT, PIVOT_WITHOUT_SUCCESS, "pivot-without-success") \
    X(DEBT, FORGOTTEN_SECTOR, "forgotten-sector")              \
    X(DEBT, NOT_CLEANED, "not-cleaned")                        \
    X(READY, NOT_DURABLE, "not-durable")                       \
    X(READY, UNFLUSHED, "unflushed")                           \
    X(DURABLE, LOST_FLUSHED, "lost-flushed")                   \
    X(DURABLE, LOST_AFTER_READY, "lost-after-ready")           \
    X(DURABLE, NOT_DURABLE, "not-durable")                     \
    X(LEDGER, UNNOTICED, "unnoticed")                          \
    X(LEDGER, SWALLOWED_QUERY, "swallowed-query")              \
    X(LEDGER, HIDDEN, "hidden")                                \
    X(LEDGER, UNREPORTED, "unreported")                        \
    X(LEDGER, SWALLOWED, "swallowed")                          \
    X(LEDGER, BUILT_ON_HANG, "built-on-hang")                  \
    X(GUEST, WRONG_DISK, "wrong-disk")                         \
    X(GUEST, WRONG_DATA, "wrong-data")                         \
    X(GUEST, LEFT_BEHIND, "left-behind")                       \
    X(GUEST, LOST_REQUEST, "lost-request")                     \
    X(JOB, ILLEGAL_ISSUE, "illegal-issue")                     \
    X(JOB, MISSING_ERROR, "missing-error")                     \
    X(JOB, WRONG_ERROR, "wrong-error")                         \
    X(JOB, WRONG_ACTION, "wrong-action")                       \
    X(JOB, ERROR_WITHOUT_FAILURE, "error-without-failure")     \
    X(JOB, READY_TWICE, "ready-twice")                         \
    X(JOB, READY_TOO_EARLY, "ready-too-early")                 \
    X(JOB, READY_BEFORE_FLUSH, "ready-before-flush")           \
    X(JOB, ILLEGAL_PAUSE, "illegal-pause")                     \
    X(JOB, ILLEGAL_RESUME, "illegal-resume")                   \
    X(JOB, PROGRESS, "progress")                               \
    X(JOB, ACCEPTED, "accepted")                               \
    X(JOB, REFUSED, "refused")                                 \
    X(JOB, SIDE_EFFECT, "side-effect")                         \
    X(JOB, ILLEGAL_PIVOT, "illegal-pivot")                     \
    X(JOB, WRONG_PIVOT, "wrong-pivot")                         \
    X(JOB, WRONG_RESULT, "wrong-result")                       \
    X(JOB, WRONG_END, "wrong-end")                             \
    X(JOB, STARTED_TWICE, "started-twice")                     \
    X(JOB, SECOND_JOB, "second-job")                           \
    X(JOB, BASE_TOO_SHORT, "base-too-short")                   \
    X(JOB, REFUSED_BUT_STARTED, "refused-but-started")         \
    X(JOB, EVENT_WITHOUT_JOB, "event-without-job")             \
    X(LIFE, ILLEGAL_STATUS, "illegal-status")                  \
    X(LIFE, WRONG_STATUS, "wrong-status")                      \
    X(LIFE, ILLEGAL_ISSUE, "illegal-issue")                    \
    X(LIFE, ILLEGAL_ACTIVE, "illegal-active")                  \
    X(LIFE, MISSING_ERROR, "missing-error")                    \
    X(LIFE, WRONG_ERROR, "wrong-error")                        \
    X(LIFE, WRONG_ACTION, "wrong-action")                      \
    X(LIFE, ERROR_WITHOUT_FAILURE, "error-without-failure")    \
    X(LIFE, READY_BEFORE_FLUSH, "ready-before-flush")          \
    X(LIFE, WRONG_EVENT, "wrong-event")                        \
    X(LIFE, WRONG_QUERY, "wrong-query")                        \
    X(LIFE, GUEST_LET_IN, "guest-let-in")                      \
    X(LIFE, LATE_PAUSE, "late-pause")                          \
    X(LIFE, LATE_RESUME, "late-resume")                        \
    X(LIFE, PROGRESS, "progress")                              \
    X(LIFE, ACCEPTED, "accepted")                              \
    X(LIFE, REFUSED, "refused")                                \
    X(LIFE, ILLEGAL_PIVOT, "illegal-pivot")                    \
    X(LIFE, WRONG_PIVOT, "wrong-pivot")                        \
    X(LIFE, WRONG_RESULT, "wrong-result")                      \
    X(LIFE, WRONG_END, "wrong-end")                            \
    X(LIFE, EVENT_WITHOUT_JOB, "event-without-job")            \
    X(SYNCED, DIRTY, "dirty")                                  \
    X(SYNCED, QUERY, "query")                                  \
    X(SYNCED, HELD, "held")                                    \
    X(NAMING, WRONG_SPEAKER, "wrong-speaker")                  \
    X(NAMING, WRONG_DISK, "wrong-disk")                        \
    X(NAMING, WRONG_TARGET, "wrong-target")                    \
    X(NAMING, WRONG_RANGE, "wrong-range")                      \
    X(NAMING, WRONG_PROGRESS, "wrong-progress")                \
    X(NAMING, WRONG_PHASE, "wrong-phase")                      \
    X(BOUNDS, WRONG_DISK, "wrong-disk")                        \
    X(BOUNDS, UNALIGNED, "unaligned")                          \
    X(BOUNDS, OUT_OF_RANGE, "out-of-range")                    \
    X(BOUNDS, SHARED_CHUNK, "shared-chunk")                    \
    X(BOUNDS, TOO_MANY_OPERATIONS, "too-many-operations")      \
    X(BOUNDS, TOO_LONG, "too-long")                            \
    X(BOUNDS, TOO_FEW_BUFFERS, "too-few-buffers")              \
    X(BOUNDS, STRAY_WRITE, "stray-write")                      \
    X(BOUNDS, LEFT_OVER, "left-over")                          \
    X(BOUNDS, CHAIN_LOOP, "chain-loop")                        \
    X(BOUNDS, LOST_OPERATION, "lost-operation")                \
    X(BOUNDS, MEMORY_LEFT, "memory-left")                      \
    X(BOUNDS, FREED_MEMORY, "freed-memory")                    \
    X(SHARING, FOREIGN_BITMAP, "foreign-bitmap")               \
    X(SHARING, WRITE_NOT_MARKED, "write-not-marked")           \
    X(SHARING, UNGUARDED, "unguarded")                         \
    X(LIMIT, TOO_FAST, "too-fast")                             \
    X(LIVENESS, DEADLOCK, "deadlock")                          \
    X(LIVENESS, LIVELOCK, "livelock")                          \
    X(LIVENESS, TIME_LIMIT, "time-limit")                      \
    X(LIVENESS, EVENT_LIMIT, "event-limit")                    \
    X(LIVENESS, READY_OVERDUE, "ready-overdue")                \
    X(LIVENESS, NEVER_TOLD, "never-told")                      \
    X(EXPECT, RESULT, "result")                                \
    X(EXPECT, CANCELLED, "cancelled")                          \
    X(EXPECT, CONCLUDED, "concluded")                          \
    X(EXPECT, QUERY, "query")                                  \
    X(EXPECT, GUEST_ON, "guest-on")                            \
    X(EXPECT, FIRED, "fired")                                  \
    X(EXPECT, UNEXPECTED_ERROR, "unexpected-error")            \
    X(EXPECT, EVENTS, "events")                                \
    X(EXPECT, ORDER, "order")                                  \
    X(EXPECT, NEVER, "never")                                  \
    X(EXPECT, COUNT, "count")                                  \
    X(EXPECT, AT_MOST, "at-most")                              \
    X(EXPECT, WITHIN, "within")                                \
    X(EXPECT, NOT_BEFORE, "not-before")                        \
    X(EXPECT, GUEST_STALL, "guest-stall")                      \
    X(EXPECT, JOB_STILL, "job-still")                          \
    X(EXPECT, GUEST_LATENCY, "guest-latency")                  \
    X(EXPECT, GUEST_ERRORS, "guest-errors")                    \
    X(EXPECT, SAME, "same")                                    \
    X(EXPECT, DIFFER, "differ")                                \
    X(EXPECT, SECTOR, "sector")                                \
    X(EXPECT, BACKING, "backing")                              \
    X(EXPECT, LENGTH, "length")                                \
    X(EXPECT, ALLOCATED, "allocated")                          \
    X(EXPECT, DURABLE, "durable")                              \
    X(EXPECT, NOT_REFUSED, "not-refused")                      \
    X(EXPECT, REFUSED_OTHERWISE, "refused-otherwise")          \
    X(EXPECT, REFUSED, "refused")                              \
    X(EXPECT, JOB_EXISTS, "job-exists")                        \
    X(EXPECT, WAIT_TIMEOUT, "wait-timeout")                    \
    X(VACUOUS, NEVER_FIRED, "never-fired")                     \
    X(VACUOUS, NEVER_BEGAN, "never-began")                     \
    X(VACUOUS, NEVER_ACTED, "never-acted")                     \
    X(VACUOUS, STEPS_NOT_RUN, "steps-not-run")                 \
    X(VACUOUS, NOTHING_CHECKED, "nothing-checked")             \
    X(COMPARE, DIFFERS, "differs")                             \
    X(DETERMINISM, TRACES_DIFFER, "traces-differ")             \
    X(DETERMINISM, STATES_DIFFER, "states-differ")             \
    X(CRASH, CRASH, "crash")                                   \
    X(CRASH, HANG, "hang")                                     \
    X(CRASH, MEMORY, "memory")                                 \
    X(HARNESS, UNSUPPORTED, "unsupported")                     \
    X(HARNESS, NO_MEMORY, "no-memory")                         \
    X(HARNESS, MEMORY, "memory")                               \
    X(HARNESS, NO_IMAGE, "no-image")                           \
    X(HARNESS, TOO_LARGE, "too-large")                         \
    X(HARNESS, GOES_ON, "goes-on")

enum finding_oracle {
    ORACLE_NONE,
#define X(oracle, name, traits) ORACLE_##oracle,
    ORACLES(X)
#undef X
        ORACLE_COUNT
};

/* Enumerators like FINDING_DEBT_FORGOTTEN_SECTOR. */
enum finding_id {
    FINDING_NONE,
#define X(oracle, kind, name) FINDING_##oracle##_##kind,
    FINDINGS(X)
#undef X
        FINDING_COUNT
};

/* Names are stable words for scripts: "debt" and "forgotten-sector"; "" for none. */
const char *finding_oracle_name(enum finding_oracle oracle);
const char *finding_kind_name(enum finding_id id);

enum finding_oracle finding_oracle(enum finding_id id);

/* The oracle's name: "debt" for FINDING_DEBT_FORGOTTEN_SECTOR. */
static inline const char *finding_by(enum finding_id id)
{
    return finding_oracle_name(finding_oracle(id));
}

/* True if the oracle has one of these traits. */
bool finding_is(enum finding_id id, uint32_t traits);
bool finding_oracle_is(enum finding_oracle oracle, uint32_t traits);

/* The finding with these names; FINDING_NONE if there is none. */
enum finding_id finding_find(const char *oracle, const char *kind);

/* A pattern for findings: ORACLE, or ORACLE/KIND. */
struct finding_pattern {
    const char *oracle; /* NULL = any finding */
    const char *kind;   /* NULL = any finding of that oracle */
};

bool finding_fits(const struct finding_pattern *pattern, enum finding_id id);

#endif
