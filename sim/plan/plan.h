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
#include "sim/plan/action.h"
#include "sim/plan/disk.h"
#include "sim/plan/expect.h"
#include "sim/plan/fault.h"
#include "sim/plan/generator.h"
#include "sim/plan/match.h"

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

/* ---- Known failures, limits, exploring ---- */

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
    bool plain_cursor; /* engines of foreign files: the dirty iterator of the recorded runs */
    /* added to every timer; in the generation 2.2, to every timer of more than 0 ns */
    uint64_t timer_slack_ns;
    struct choice_answer *choices;
    uint32_t choice_count;
    bool content_bytes; /* real bytes move, and are compared (bytes.h) */
    /* The next event is a choice instead of following from latencies (timeline.h). */
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

#endif
