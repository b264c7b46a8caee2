/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variants: the requests of the quiet run, and the faults that can hit each.
 */
#include "tools/explore/variants.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/plan/edit.h"
#include "tools/base/support.h"
#include "tools/run/stream.h"

/* A second failure hits one of this number of requests after the first. */
#define PAIR_WINDOW 12

/* A failure that the choices place; a search with seeds shall see it in most runs. */
#define CHOSEN_PPM 50000u

/* A job that meets this number of errors is cancelled. */
#define ERRORS_BEFORE_CANCEL 3

/* One request of the quiet run, or one query. */
struct victim {
    struct request_match match;
    uint64_t nth;
    uint64_t bytes;
};

struct victims {
    struct victim *list;
    uint64_t count;
};

/* ---- The quiet run ---- */

/*
 * The trace is empty if the engine dies or never comes to an end; what it says then is dropped, for
 * the search reports it.
 */
static void quiet_trace(const struct quiet_run *run, struct trace *trace)
{
    const struct world_options quiet = {.engine = run->engine, .step_limit = isolate_step_limit};
    struct run_result *result = stream_trace(run->plan, &quiet, run->cpu_limit_ms, trace);

    if (result == NULL) {
        trace_clear(trace);
    }
    free(result);
}

static void add_victim(struct victims *victims, struct victim victim)
{
    victims->list = must_grow(victims->list, victims->count, sizeof(*victims->list));
    victims->list[victims->count++] = victim;
}

/* The number of requests of each kind seen so far, while a trace is read from its beginning. */
struct ordinals {
    uint64_t seen[PLAN_MAX_DISKS][OP_COUNT][BY_COUNT];
};

static struct victim victim_of(struct ordinals *ordinals, const struct event *submit)
{
    assert(submit->node < PLAN_MAX_DISKS && submit->op < OP_COUNT && submit->by < BY_COUNT);
    return (struct victim){.match = {.disks = UINT64_C(1) << submit->node,
                                     .ops = 1u << submit->op,
                                     .by = event_by(submit)},
                           .nth = ++ordinals->seen[submit->node][submit->op][submit->by],
                           .bytes = submit->bytes};
}

/* The requests from event `first` of the trace on, as far as there is room; true if all fitted. */
static bool add_requests(struct victims *victims, const struct trace *trace, uint64_t first,
                         uint64_t room)
{
    struct ordinals ordinals = {0};

    for (uint64_t i = 0; i < trace->count; i++) {
        struct victim victim;

        if (trace->events[i].kind != EVENT_REQUEST_SUBMIT) {
            continue;
        }
        if (victims->count == room) {
            return false;
        }
        victim = victim_of(&ordinals, &trace->events[i]);
        if (i >= first) {
            add_victim(victims, victim);
        }
    }
    return true;
}

/* Queries are not traced unless they fail: each is tried on every disk of the job. */
static void add_queries_of(struct victims *victims, const struct plan *plan, const enum op *ops,
                           size_t count)
{
    const uint32_t disks[] = {plan->job.source, plan->job.target};

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 2; j++) {
            add_victim(victims, (struct victim){.match = {.disks = UINT64_C(1) << disks[j],
                                                          .ops = 1u << ops[i]},
                                                .nth = 1});
        }
    }
}

/* Queries leave no trace unless they fail: each is tried where it can be asked. */
static void add_queries(struct victims *victims, const struct plan *plan)
{
    static const enum op ops[] = {OP_STATUS, OP_GETLENGTH, OP_GET_INFO, OP_OPEN_BACKING,
                                  OP_REOPEN, OP_TRUNCATE,  OP_BUFFER,   OP_BITMAP};
    static const enum op modern_ops[] = {OP_CONTENT, OP_ALL_ZERO, OP_SET_BACKING, OP_READ_ONLY};

    add_queries_of(victims, plan, ops, COUNT_OF(ops));
    if (plan->generation == GENERATION_MODERN) {
        add_queries_of(victims, plan, modern_ops, COUNT_OF(modern_ops));
    }
}

/* ---- Singles ---- */

static void add(struct variant_list *variants, struct variant variant)
{
    variants->list = must_grow(variants->list, variants->count, sizeof(*variants->list));
    variants->list[variants->count++] = variant;
}

static struct fault_spec fault_on(const struct victim *victim, const char *name, int error)
{
    return (struct fault_spec){.name = name,
                               .kind = FAULT_ERROR,
                               .match = victim->match,
                               .nth = victim->nth,
                               .times = 1,
                               .armed = true,
                               .from_mark = PLAN_NONE,
                               .until_mark = PLAN_NONE,
                               .error = error,
                               .optional = true};
}

static bool is_op(const struct victim *victim, enum op op)
{
    return victim->match.ops >> (unsigned)op & 1;
}

static bool writes(const struct victim *victim)
{
    return is_op(victim, OP_WRITE) || is_op(victim, OP_WRITE_ZEROES) || is_op(victim, OP_DISCARD);
}

/* Once, and from then on. */
static void add_durations(struct variant_list *variants, struct fault_spec fault, bool lasts)
{
    add(variants, (struct variant){.faults = {fault}, .fault_count = 1});
    if (lasts) {
        fault.times = 0;
        add(variants, (struct variant){.faults = {fault}, .fault_count = 1});
    }
}

static void add_singles_of(struct variant_list *variants, const struct victim *victim, bool lasts)
{
    static const int errors[] = {-EIO, -ENOSPC};
    bool can_fill = writes(victim) || is_op(victim, OP_FLUSH);

    for (size_t i = 0; i < (can_fill ? 2 : 1); i++) {
        struct fault_spec fault = fault_on(victim, "first", errors[i]);

        add_durations(variants, fault, lasts);
        if (writes(victim) && i == 0) {
            fault.applied = APPLIED_ALL;
            add_durations(variants, fault, lasts);
            fault.applied = APPLIED_PREFIX;
            fault.bytes = align_down(victim->bytes / 2, SECTOR_BYTES);
            add_durations(variants, fault, lasts);
        }
    }
}

/* ---- Chosen ---- */

#define WRITES (1u << OP_WRITE | 1u << OP_WRITE_ZEROES | 1u << OP_DISCARD)

static void add_chosen(struct variant_list *variants)
{
    static const struct {
        uint32_t ops; /* 0: all */
        int error;
    } kinds[] = {{0, -EIO}, {WRITES | 1u << OP_FLUSH, -ENOSPC}};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct victim any = {.match = {.ops = kinds[i].ops}};
        struct fault_spec fault = fault_on(&any, "chosen", kinds[i].error);

        fault.times = 0;
        fault.hits = 1;
        fault.probability_ppm = CHOSEN_PPM;
        fault.applied = APPLIED_BY_CHOICE;
        add(variants, (struct variant){.faults = {fault}, .fault_count = 1});
    }
}

/* ---- Pairs ---- */

static void add_pairs_of(struct variant_list *variants, const struct quiet_run *run,
                         const struct variant *single)
{
    struct plan changed = *run->plan;
    const struct quiet_run again = {&changed, run->engine, run->cpu_limit_ms};
    struct victims victims = {0};
    struct trace trace;
    uint64_t after = 0;

    variant_apply(single, &changed);
    quiet_trace(&again, &trace);
    while (after < trace.count && trace.events[after].kind != EVENT_FAULT) {
        after++;
    }
    add_requests(&victims, &trace, after, PAIR_WINDOW);
    for (uint64_t i = 0; i < victims.count; i++) {
        struct variant pair = *single;

        pair.faults[1] = fault_on(&victims.list[i], "second", -EIO);
        pair.fault_count = 2;
        add(variants, pair);
    }
    free(victims.list);
    trace_free(&trace);
}

/* Of the singles, those that fail once with EIO and leave nothing behind. */
static bool is_plain(const struct variant *variant)
{
    const struct fault_spec *fault = &variant->faults[0];

    return variant->fault_count == 1 && fault->times == 1 && fault->error == -EIO &&
           fault->applied == APPLIED_NOTHING;
}

static void add_pairs(struct variant_list *variants, const struct quiet_run *run)
{
    uint64_t singles = variants->count;

    for (uint64_t i = 1; i < singles; i++) {
        struct variant single = variants->list[i]; /* a copy: the list grows */

        if (is_plain(&single)) {
            add_pairs_of(variants, run, &single);
        }
    }
}

/* ---- Power cuts ---- */

static void add_power_cuts(struct variant_list *variants, const struct trace *trace)
{
    static const enum power_cut keeps[] = {CUT_LOSES_ALL, CUT_BY_CHOICE};
    uint64_t last_ns = UINT64_MAX;

    for (uint64_t i = 0; i < trace->count; i++) {
        uint64_t now_ns = trace->events[i].now_ns;

        if (now_ns == last_ns) {
            continue;
        }
        for (size_t j = 0; j < COUNT_OF(keeps); j++) {
            add(variants,
                (struct variant){.cuts_power = true, .cut_ns = now_ns, .keeps = keeps[j]});
        }
        last_ns = now_ns;
    }
}

/* ---- All of them ---- */

struct variant_list variants_of(const struct quiet_run *run, enum variant_faults faults)
{
    struct variant_list variants = {0};
    struct victims victims = {0};
    struct trace trace;

    add(&variants, (struct variant){0});
    if (faults == VARIANTS_CHOSEN) {
        add_chosen(&variants);
    }
    if (faults == VARIANTS_NONE || faults == VARIANTS_CHOSEN) {
        return variants;
    }
    quiet_trace(run, &trace);
    if (faults == VARIANTS_POWER_CUTS) {
        add_power_cuts(&variants, &trace);
    } else {
        variants.cut = !add_requests(&victims, &trace, 0, VARIANT_MAX_REQUESTS);
        add_queries(&victims, run->plan);
    }
    for (uint64_t i = 0; i < victims.count; i++) {
        add_singles_of(&variants, &victims.list[i], faults != VARIANTS_TRANSIENT);
    }
    if (faults == VARIANTS_PAIRS) {
        add_pairs(&variants, run);
    }
    free(victims.list);
    trace_free(&trace);
    return variants;
}

void variants_free(struct variant_list *variants)
{
    free(variants->list);
    *variants = (struct variant_list){0};
}

/* ---- Applying one ---- */

static bool resumes(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->react_count; i++) {
        if (plan->reacts[i].action.kind == DO_RESUME) {
            return true;
        }
    }
    return false;
}

/* Makes sure that the job ends, whatever its policy for errors. */
static void let_it_end(struct plan *plan)
{
    struct event_match stopped = event_match_kind(EVENT_JOB_ERROR);

    edit_add_react(plan, stopped, ERRORS_BEFORE_CANCEL, DO_CANCEL);
    if (!resumes(plan)) {
        stopped.action = ACTION_STOP;
        edit_add_react(plan, stopped, 0, DO_RESUME);
    }
}

/* Counted from the first step, with which the run begins. */
static void cut_power(struct plan *plan, const struct variant *variant)
{
    struct react_spec *react = edit_add_react(plan, event_match_kind(EVENT_STEP), 1, DO_POWER_CUT);

    plan->disks[plan->job.target].volatile_cache = true;
    react->delay_ns = variant->cut_ns;
    react->action.index = plan->job.target;
    react->action.cut = variant->keeps;
}

/* Any end of the job will do. */
static void expect_nothing(struct plan *plan)
{
    struct expect_spec *expect = arena_alloc(plan->arena, sizeof(*expect));

    expect->kind = EXPECT_AT_MOST;
    expect->matches = arena_alloc(plan->arena, sizeof(*expect->matches));
    expect->matches[0] = event_match_kind(EVENT_JOB_COMPLETED);
    expect->match_count = 1;
    expect->count = 1;
    plan->expects = expect;
    plan->expect_count = 1;
}

void variant_apply(const struct variant *variant, struct plan *plan)
{
    if (variant->fault_count > 0) {
        for (uint32_t i = 0; i < variant->fault_count; i++) {
            edit_add_fault(plan, &variant->faults[i]);
        }
        let_it_end(plan);
        expect_nothing(plan);
    }
    if (variant->cuts_power) {
        cut_power(plan, variant);
        expect_nothing(plan);
    }
}
