/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: everything decided before a run begins.
 *
 * A plan is plain data, made whole by a loader (from a scenario file, a
 * reference trace's configuration, a benchmark) and then only followed.  Names
 * are resolved to indices, sizes to bytes, times to nanoseconds; matrix cases
 * and `choose` values have been decided.  All of it lives in `arena`; nothing
 * in a run writes to it.
 *
 * Enumerations and masks use 0 for "any" where a field narrows a match.
 */
#ifndef MIRRORSIM_SIM_PLAN_PLAN_H
#define MIRRORSIM_SIM_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/event.h"
#include "sim/base/arena.h"
#include "sim/base/choice.h"
#include "sim/plan/disk.h"

#define PLAN_MAX_DISKS 16
#define DISK_MAX_BITMAPS 8
#define PLAN_NONE UINT32_MAX /* an index that refers to nothing */

/* ---- The job ---- */

struct plan_job {
    struct where where;
    enum job_kind kind;
    uint32_t source;      /* disk; the guest's disk when the run begins */
    uint32_t target;      /* disk; the base of a commit */
    const char *replaces; /* name, even of a disk that does not exist; NULL = the source */
    enum sync_mode sync;
    int64_t speed;
    int64_t granularity;
    int64_t buffer_bytes;
    enum error_policy on_source_error;
    enum error_policy on_target_error;

    /* Today's generation only, as in struct job_spec. */
    const char *id;
    const char *filter_name;
    enum copy_mode copy_mode;
    enum backing_mode backing_mode;
    bool unmap;
    bool target_is_zero;
    bool auto_finalize;
    bool auto_dismiss;
    bool auto_complete;
};

/* ---- Matching requests and events ---- */

/* Requests and queries.  Zero fields match anything. */
struct request_match {
    uint64_t disks; /* bit per disk */
    uint32_t ops;   /* bit per enum op */
    enum by by;
    bool has_range; /* overlaps [offset, offset + bytes) */
    uint64_t offset;
    uint64_t bytes;
};

#define ANY (-1)

/* A kind's bit in a set of event kinds, like EVENT_BIT(JOB_READY). */
#define EVENT_BIT(kind) (UINT64_C(1) << EVENT_##kind)

/* Events of the trace.  ANY (and zero masks) match anything. */
struct event_match {
    uint64_t kinds;               /* of EVENT_BIT() */
    struct request_match request; /* for requests and for error events (ops = READ or WRITE) */
    int action;                   /* enum error_action, for error events */
    int verb;                     /* enum job_verb, for commands */
    int refusal;                  /* enum job_refusal, for refusals */
    int index;                    /* mark, fault or hold, by event kind */
    bool has_ret;
    int ret; /* 0 or -errno */
};

/* ---- Faults ---- */

enum fault_kind {
    FAULT_ERROR,   /* fails with `error`; `applied` says what a write leaves behind */
    FAULT_HANG,    /* never completes, unless a release step names it */
    FAULT_DELAY,   /* takes longer */
    FAULT_LATENCY, /* takes exactly span_ns */
    FAULT_HOLD,    /* a breakpoint: stays until released */
    FAULT_FULL,    /* ENOSPC once `bytes` have been allocated on the disk */
    /* Silent kinds: the request succeeds ... */
    FAULT_LOST,      /* but no data has moved; a flush has made nothing durable */
    FAULT_TORN,      /* but some sectors have not moved */
    FAULT_CORRUPT,   /* but one sector has changed */
    FAULT_MISDIRECT, /* but the data moved to or from offset `bytes` of the disk */
};

enum fault_applied {
    APPLIED_NOTHING,
    APPLIED_PREFIX, /* the first `bytes` */
    APPLIED_TORN,   /* some sectors, by choice */
    APPLIED_ALL,
};

enum hold_phase {
    HOLD_BEFORE_EFFECT,
    HOLD_BEFORE_COMPLETION, /* after its data has moved */
};

struct fault_spec {
    const char *name;
    struct where where;
    enum fault_kind kind;
    struct request_match match;
    uint64_t nth;             /* ordinal of the first matching request hit, from 1; 0 means 1 */
    uint64_t times;           /* how many in a row are hit; 0 = all from then on */
    bool armed;               /* armed from the start; else by a step (hold) or by a mark */
    uint32_t from_mark;       /* armed when this mark is set, or PLAN_NONE */
    int64_t shift_ns;         /* offset from the mark; if negative, never before the mark's step */
    uint32_t until_mark;      /* disarmed by this mark, or PLAN_NONE */
    uint64_t until_ns;        /* disarmed at this instant; 0 = never */
    uint64_t from_ns;         /* armed at this instant; 0 = at once */
    uint32_t probability_ppm; /* 0 = certain; otherwise a choice point per match */
    int error;                /* negative errno */
    enum fault_applied applied;
    uint64_t bytes;          /* APPLIED_PREFIX, FULL; MISDIRECT: where to */
    uint64_t factor_percent; /* DELAY: 100 = unchanged; 0 = use span_ns alone */
    uint64_t span_ns;        /* DELAY: added; LATENCY: instead */
    enum hold_phase phase;
    bool optional; /* if it never fires the run is not vacuous */
};

/* ---- Actions: steps, reactions, timed actions ---- */

struct guest_request {
    enum op op;
    uint64_t offset;
    uint64_t bytes;
    const char *tag; /* name for expectations, or NULL */
    bool has_latency;
    uint64_t latency_ns; /* replaces the disk's latency */
};

/* Fields of a job, or of a final check, that must have these values. */
enum query_field {
    QUERY_OFFSET,
    QUERY_LEN,
    QUERY_SPEED,
    QUERY_BUSY,
    QUERY_PAUSED,
    QUERY_READY,
    QUERY_CANCELLED,
    QUERY_IO_STATUS, /* enum io_status */
    QUERY_STATUS,    /* enum job_status */
    QUERY_KIND,      /* enum job_kind */
};

enum comparison {
    COMPARE_EQUAL,
    COMPARE_AT_LEAST,
    COMPARE_AT_MOST,
};

struct query_check {
    enum query_field field;
    enum comparison comparison;
    uint64_t value;
    struct where where;
};

/* Attributes that a disk must have; ANY: not checked. */
struct disk_check {
    int io_status; /* enum io_status */
    int tracks;    /* is it tracked? */
    int on_error;  /* enum error_policy */
    int flags;     /* exactly these open flags */
};

enum wait_kind {
    WAIT_EVENT,      /* an event matches, from now on or, with `since_start`, since the start */
    WAIT_CONCLUDED,  /* COMPLETED or CANCELLED has happened, now or before */
    WAIT_HELD,       /* hold `index` holds a request, now or since before */
    WAIT_DURATION,   /* within_ns passes */
    WAIT_GUEST_IDLE, /* no guest request is queued or in flight */
};

struct wait_spec {
    enum wait_kind kind;
    struct event_match match; /* WAIT_EVENT */
    uint64_t nth;             /* WAIT_EVENT: ordinal of the match to wait for, from 1 */
    bool since_start;         /* count matches of the whole run, not from the step on */
    uint32_t index;           /* WAIT_HELD: fault */
    uint64_t within_ns;       /* 0 = only the run's limits apply */
};

/* What happens to writes that no flush has made durable. */
enum power_cut {
    CUT_BY_CHOICE, /* the quiet answer keeps them */
    CUT_LOSES_ALL,
    CUT_KEEPS_ALL,
};

enum action_kind {
    DO_START,
    DO_COMPLETE,
    DO_CANCEL,
    DO_PAUSE,
    DO_RESUME,
    DO_SET_SPEED,
    DO_GUEST,
    DO_HOLD,      /* arms fault `index` */
    DO_RELEASE,   /* releases what fault `index` holds or hangs, and disarms it */
    DO_MARK,      /* mark `index` */
    DO_POWER_CUT, /* disk `index` */
    DO_USE,       /* another user wants disk `index` for itself */
    DO_QUERY,
    DO_QUERY_DISK, /* disk `index` */
    DO_JOB_NONE,   /* checks that no job exists */
    /* only as steps: */
    DO_WAIT,
    DO_AT,     /* wait for an absolute instant */
    DO_SETTLE, /* wait until the job has concluded and the guest is idle */
};

struct action {
    enum action_kind kind;
    struct where where;
    int64_t speed; /* SET_SPEED */
    struct guest_request guest;
    uint32_t index;             /* HOLD, RELEASE: fault; MARK: mark; others: disk */
    enum power_cut cut;         /* POWER_CUT */
    struct wait_spec wait;      /* WAIT; SETTLE uses within_ns */
    uint64_t at_ns;             /* AT */
    struct query_check *checks; /* QUERY */
    uint32_t check_count;
    struct disk_check disk; /* QUERY_DISK */
    bool expect_refused;    /* START and commands */
    int refusal;            /* the expected enum job_refusal, or ANY */
    const char *saying;     /* what the refusal's sentence must contain, or NULL */
    bool may_be_refused;    /* accepting and refusing are both fine (reactions, reference traces) */
};

/* When an event matches, does the action `delay_ns` later, as an event of its own. */
struct react_spec {
    struct where where;
    struct event_match when;
    uint64_t nth;   /* only the nth match; 0 = every one */
    uint64_t limit; /* maximum number of times; 0 = no bound */
    uint64_t delay_ns;
    struct action action;
};

/* Does the action at an instant. */
struct timed_spec {
    struct where where;
    uint64_t at_ns;
    struct action action;
};

/* ---- Guest generators ---- */

enum address_kind {
    ADDRESS_LIST,       /* one of `places` */
    ADDRESS_SEQUENTIAL, /* each after the one before, then from the start again */
    ADDRESS_UNIFORM,
    ADDRESS_ZIPF, /* rank k is drawn in proportion to k^-theta; ranks are scattered */
    ADDRESS_HOT,  /* a share of the requests goes to one part */
};

/* Where requests go: multiples of `align` from the start of a range of the disk. */
struct address_spec {
    enum address_kind kind;
    uint64_t *places; /* LIST */
    uint32_t place_count;
    uint64_t offset; /* the range */
    uint64_t bytes;
    uint64_t align;
    uint32_t theta;      /* ZIPF: theta in thousandths, at most 2000 */
    uint32_t share_ppm;  /* HOT: share of the requests that goes ... */
    uint64_t hot_offset; /* ... to this part, relative to the start of the range */
    uint64_t hot_bytes;
};

/* One kind of request in a generator's mix. */
struct mix_spec {
    struct where where;
    uint64_t weight;
    struct guest_request request; /* its offset and bytes are drawn */
    struct address_spec address;
    uint64_t *lengths; /* each request has one of these */
    uint32_t length_count;
};

/* The most requests that a generator may have in flight or queued. */
#define GENERATOR_MAX_UNFINISHED 1024u

enum pace {
    PACE_RATE,  /* open loop: the next request comes length / rate later */
    PACE_EVERY, /* open loop: the next request comes `every_ns` later */
    /* closed loop: `outstanding` at once, each `think_ns` after one has finished */
    PACE_OUTSTANDING,
};

struct generator_spec {
    const char *name;
    struct where where;
    enum pace pace;
    uint64_t rate; /* bytes/s */
    uint64_t every_ns;
    uint64_t outstanding;
    uint64_t think_ns;
    struct mix_spec *mix;
    uint32_t mix_count;
    uint64_t from_ns; /* starts at this instant, or ... */
    bool has_when;    /* ... `after_ns` after the nth event that matches `when` */
    struct event_match when;
    uint64_t nth;
    uint64_t after_ns;
    uint64_t count;      /* requests; 0 = no bound */
    uint64_t bytes;      /* sum over its requests; 0 = no bound */
    uint64_t until_ns;   /* no request from this instant on; 0 = no bound */
    uint32_t until_mark; /* ends when this mark is set, or PLAN_NONE */
    bool optional;       /* if it submits nothing the run is not vacuous */
};

/* ---- Expectations beyond the oracles ---- */

enum expect_kind {
    EXPECT_RESULT,    /* ret of the job's end */
    EXPECT_CANCELLED, /* the job ended CANCELLED */
    EXPECT_EVENTS,    /* exactly these job events (ready, error, paused, resumed, completed,
                         cancelled), in order */
    EXPECT_IN_ORDER,  /* these events in this order, with others between them */
    EXPECT_NEVER,
    EXPECT_AT_MOST, /* count */
    EXPECT_COUNT,   /* exactly count */
    EXPECT_SAME,    /* disks a, b over the range (bytes 0: over the shorter) */
    EXPECT_DIFFER,
    EXPECT_SECTOR,      /* disk a at offset holds ... */
    EXPECT_WITHIN,      /* matches[0] happens by time_ns */
    EXPECT_NOT_BEFORE,  /* matches[0] does not happen before time_ns */
    EXPECT_FIRED,       /* fault `a` hit `count` requests */
    EXPECT_CONCLUDED,   /* by time_ns (0: at all) */
    EXPECT_GUEST_STALL, /* no guest request took longer than time_ns */
    EXPECT_GUEST_ON,    /* the guest's disk at the end is disk a */
    EXPECT_BACKING,     /* disk a's open backing at the end is disk b, or PLAN_NONE */
    EXPECT_LENGTH,      /* disk a is `count` bytes long at the end */
    EXPECT_QUERY,       /* of the job's last state */
    EXPECT_ALLOCATED,   /* disk a has exactly `count` bytes allocated */
};

enum sector_content {
    SECTOR_GUEST_TAG, /* written by the guest request of that tag */
    SECTOR_FILL_OF,   /* the initial fill of disk b at this offset */
    SECTOR_ZERO,
};

struct expect_spec {
    enum expect_kind kind;
    struct where where;
    struct event_match *matches;
    uint32_t match_count;
    uint64_t count;
    int ret;
    uint32_t a;
    uint32_t b;
    uint64_t offset;
    uint64_t bytes;
    uint64_t time_ns;
    enum sector_content content;
    const char *tag;
    struct query_check *checks;
    uint32_t check_count;
};

/* A known failure. */
struct xfail_spec {
    struct where where;
    const char *engine; /* applies to this engine only; NULL: any */
    const char *oracle; /* the finding's oracle, or NULL: any */
    const char *bug;    /* reference for people, or NULL */
};

#define LIMITS_TIME_NS (UINT64_C(3600) * 1000 * 1000 * 1000)
#define LIMITS_EVENTS 10000000
#define LIMITS_EVENTS_AT_ONCE 100000

struct limits_spec {
    uint64_t time_ns;         /* virtual */
    uint64_t events;          /* of the timeline */
    uint64_t events_at_once;  /* without virtual time passing */
    uint64_t ready_within_ns; /* READY after the last fault and guest write; 0 = not checked */
};

/* How to explore the scenario; only tools use it, a run ignores it. */
enum explore_schedule_word { EXPLORE_UNSAID, EXPLORE_EXHAUSTIVE, EXPLORE_RANDOM, EXPLORE_PCT };
enum explore_faults_word { EXPLORE_FAULTS_UNSAID, EXPLORE_NONE, EXPLORE_SINGLES, EXPLORE_PAIRS };

struct explore_spec {
    enum explore_schedule_word schedule;
    enum explore_faults_word faults;
    uint32_t pct;       /* depth */
    uint64_t runs;      /* 0 = not given */
    uint64_t budget_ns; /* 0 = not given */
};

struct limits_spec limits_default(void);

struct plan {
    struct arena *arena;
    const char *file; /* as the user named it */
    const char *name;
    const char *doc;
    const char *case_name; /* matrix values, "policy=stop lanes=4", or "" */
    const char **refs;
    uint32_t ref_count;
    const char **tags;
    uint32_t tag_count;

    struct disk_spec disks[PLAN_MAX_DISKS];
    uint32_t disk_count;
    struct plan_job job;
    struct fault_spec *faults;
    uint32_t fault_count;
    struct react_spec *reacts;
    uint32_t react_count;
    struct timed_spec *timed;
    uint32_t timed_count;
    struct generator_spec *generators;
    uint32_t generator_count;
    struct action *steps;
    uint32_t step_count;
    struct expect_spec *expects;
    uint32_t expect_count;
    struct xfail_spec *xfails;
    uint32_t xfail_count;
    const char **marks;
    uint32_t mark_count;
    struct limits_spec limits;
    struct explore_spec explore;
    enum generation generation;
    bool filter_passes_discards; /* the guest's reach the job's filter (F3: in QEMU they don't) */
    /* added to every timer; in the generation 2.2, to every timer of more than 0 ns */
    uint64_t timer_slack_ns;
    struct choice_answer *choices;
    uint32_t choice_count;
    bool content_bytes; /* real bytes move, and are compared (bytes.h) */
    /* the next event is a choice instead of following from latencies (timeline.h) */
    bool untimed;
    bool quiet; /* the story works in the quiet order only, so seeds change nothing */
};

/* An empty plan in an arena of its own; NULL if the system has no memory. */
struct plan *plan_create(void);
void plan_destroy(struct plan *plan);

/* True if the plan's disks are small enough for real bytes (BYTES_MAX_DISKS). */
bool plan_fits_bytes(const struct plan *plan);

/* Index of the disk of that name, or PLAN_NONE. */
uint32_t plan_find_disk(const struct plan *plan, const char *name);

/*
 * Actions are numbered through the plan: steps, then timed, then reactions.
 * Guest requests carry the number of their action in events; those of
 * generators carry the numbers after the last action.  Returns NULL past the
 * last action.
 */
static inline const struct action *plan_action(const struct plan *plan, uint32_t number)
{
    if (number < plan->step_count) {
        return &plan->steps[number];
    }
    number -= plan->step_count;
    if (number < plan->timed_count) {
        return &plan->timed[number].action;
    }
    number -= plan->timed_count;
    return number < plan->react_count ? &plan->reacts[number].action : NULL;
}

/* The number that a generator's requests carry. */
static inline uint32_t plan_generator_number(const struct plan *plan, uint32_t generator)
{
    return plan->step_count + plan->timed_count + plan->react_count + generator;
}

/* The tag of a guest request, or NULL, and its place in the scenario. */
struct guest_origin {
    const char *tag;
    struct where where;
};

/* `number` as for plan_action(); all zero past the last generator. */
struct guest_origin plan_guest_origin(const struct plan *plan, uint32_t number);

/* The word for it in scenarios. */
const char *action_kind_name(enum action_kind kind);

/* True if the event matches; the trace's own node ids are disk indices. */
bool event_matches(const struct event_match *match, const struct event *event);
bool request_matches(const struct request_match *match, uint8_t disk, enum op op, enum by by,
                     uint64_t offset, uint64_t bytes);

/* A match for every event of one kind. */
struct event_match event_match_kind(enum event_kind kind);

#endif
