/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variants: the requests of the quiet run, and the faults that can hit each.
 */
#include "tools/explore/variants.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/errno_name.h"
#include "sim/base/quantity.h"
#include "sim/plan/edit.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/quiet_trace.h"

/* A second failure hits one of this number of requests after the first. */
#define PAIR_WINDOW 12

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
static void add_queries(struct victims *victims, const struct plan *plan)
{
    static const enum op ops[] = {OP_STATUS, OP_GETLENGTH, OP_GET_INFO, OP_OPEN_BACKING,
                                  OP_REOPEN, OP_TRUNCATE,  OP_BUFFER,   OP_BITMAP};
    const uint32_t disks[] = {plan->job.source, plan->job.target};

    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        for (size_t j = 0; j < 2; j++) {
            add_victim(victims, (struct victim){.match = {.disks = UINT64_C(1) << disks[j],
                                                          .ops = 1u << ops[i]},
                                                .nth = 1});
        }
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

/* ---- Pairs ---- */

static void add_pairs_of(struct variant_list *variants, const struct plan *plan,
                         const struct engine *engine, const struct variant *single)
{
    struct plan changed = *plan;
    struct victims victims = {0};
    struct trace trace;
    uint64_t after = 0;

    variant_apply(single, &changed);
    quiet_trace(&changed, engine, &trace);
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

static void add_pairs(struct variant_list *variants, const struct plan *plan,
                      const struct engine *engine)
{
    uint64_t singles = variants->count;

    for (uint64_t i = 1; i < singles; i++) {
        struct variant single = variants->list[i]; /* a copy: the list grows */

        if (is_plain(&single)) {
            add_pairs_of(variants, plan, engine, &single);
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

struct variant_list variants_of(const struct plan *plan, const struct engine *engine,
                                enum variant_faults faults)
{
    struct variant_list variants = {0};
    struct victims victims = {0};
    struct trace trace;

    add(&variants, (struct variant){0});
    if (faults == VARIANTS_NONE) {
        return variants;
    }
    quiet_trace(plan, engine, &trace);
    if (faults == VARIANTS_POWER_CUTS) {
        add_power_cuts(&variants, &trace);
    } else {
        variants.cut = !add_requests(&victims, &trace, 0, VARIANT_MAX_REQUESTS);
        add_queries(&victims, plan);
    }
    for (uint64_t i = 0; i < victims.count; i++) {
        add_singles_of(&variants, &victims.list[i], faults != VARIANTS_TRANSIENT);
    }
    if (faults == VARIANTS_PAIRS) {
        add_pairs(&variants, plan, engine);
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

/* ---- Words ---- */

static const char *applied_text(enum fault_applied applied)
{
    static const char *const texts[] = {[APPLIED_NOTHING] = "",
                                        [APPLIED_PREFIX] = ", half applied",
                                        [APPLIED_TORN] = ", torn",
                                        [APPLIED_ALL] = ", applied"};

    return texts[applied];
}

static void write_fault(FILE *out, const struct fault_spec *fault, const struct plan *plan)
{
    uint32_t disk = (uint32_t)__builtin_ctzll(fault->match.disks);
    enum op op = (enum op)__builtin_ctz(fault->match.ops);

    fprintf(out, "%s%s %" PRIu64 " of %s fails %s with %s%s",
            fault->match.by == BY_GUEST    ? "guest "
            : fault->match.by == BY_ACTIVE ? "active "
                                           : "",
            op_name(op), fault->nth, plan->disks[disk].name,
            fault->times == 0 ? "from then on" : "once", phrase_result(fault->error).text,
            applied_text(fault->applied));
}

static void write_variant(FILE *out, const struct variant *variant, const struct plan *plan)
{
    static const char *const keeps[] = {
        [CUT_BY_CHOICE] = "some", [CUT_LOSES_ALL] = "all", [CUT_KEEPS_ALL] = "nothing"};

    for (uint32_t i = 0; i < variant->fault_count; i++) {
        fputs(i > 0 ? ", then " : "", out);
        write_fault(out, &variant->faults[i], plan);
    }
    if (variant->cuts_power) {
        fprintf(out, "the power of %s is cut at %s and %s of its cache is lost",
                plan->disks[plan->job.target].name, quantity_time(variant->cut_ns).text,
                keeps[variant->keeps]);
    }
}

const char *variant_text(const struct variant *variant, const struct plan *plan,
                         char buf[VARIANT_TEXT_BYTES])
{
    char *text = NULL;
    size_t bytes;
    FILE *out = must_memstream(&text, &bytes);

    write_variant(out, variant, plan);
    if (fclose(out) != 0) {
        die("out of memory");
    }
    text_copy(buf, VARIANT_TEXT_BYTES, text);
    free(text);
    return buf;
}

/* ---- Failures, numbered ---- */

/* What can fail, and how; queries have no policy. */
static const struct {
    enum op op;
    int error;
    enum fault_applied applied;
} failures[] = {
    {OP_READ, -EIO, APPLIED_NOTHING},         {OP_WRITE, -EIO, APPLIED_NOTHING},
    {OP_WRITE, -EIO, APPLIED_PREFIX},         {OP_WRITE, -EIO, APPLIED_ALL},
    {OP_WRITE, -ENOSPC, APPLIED_NOTHING},     {OP_FLUSH, -EIO, APPLIED_NOTHING},
    {OP_FLUSH, -ENOSPC, APPLIED_NOTHING},     {OP_STATUS, -EIO, APPLIED_NOTHING},
    {OP_GETLENGTH, -EIO, APPLIED_NOTHING},    {OP_GET_INFO, -EIO, APPLIED_NOTHING},
    {OP_OPEN_BACKING, -EIO, APPLIED_NOTHING}, {OP_REOPEN, -EIO, APPLIED_NOTHING},
    {OP_TRUNCATE, -EIO, APPLIED_NOTHING},     {OP_BUFFER, -EIO, APPLIED_NOTHING},
    {OP_BITMAP, -EIO, APPLIED_NOTHING},
};

/* The first rows are requests, which have an error policy. */
#define FAILING_REQUESTS 7u
#define POLICIES 4u
#define OTHER_FAILURES (COUNT_OF(failures) - FAILING_REQUESTS)

/* Each once and from then on. */
_Static_assert(VARIANT_FAILURES == 2 * (FAILING_REQUESTS * POLICIES + OTHER_FAILURES),
               "VARIANT_FAILURES counts the failures");

static bool failure_row(const struct fault_spec *fault, uint32_t *row)
{
    for (*row = 0; *row < COUNT_OF(failures); (*row)++) {
        if ((fault->match.ops >> (unsigned)failures[*row].op & 1) &&
            fault->error == failures[*row].error && fault->applied == failures[*row].applied) {
            return true;
        }
    }
    return false;
}

bool variant_failure(const struct fault_spec *fault, const struct plan *plan, uint32_t *number)
{
    uint32_t row;
    enum error_policy policy;

    if (fault->match.by == BY_GUEST || !failure_row(fault, &row)) {
        return false;
    }
    policy = failures[row].op == OP_READ ? plan->job.on_source_error : plan->job.on_target_error;
    *number = row < FAILING_REQUESTS ? row * POLICIES + (uint32_t)policy
                                     : row + FAILING_REQUESTS * (POLICIES - 1);
    *number = 2 * *number + (fault->times == 0);
    return true;
}

const char *variant_failure_text(uint32_t number, char buf[VARIANT_TEXT_BYTES])
{
    const char *duration = number % 2 != 0 ? "from then on" : "once";
    bool has_policy = number / 2 < FAILING_REQUESTS * POLICIES;
    uint32_t row =
        has_policy ? number / 2 / POLICIES : number / 2 - FAILING_REQUESTS * (POLICIES - 1);

    snprintf(buf, VARIANT_TEXT_BYTES, "%s fails %s with %s%s%s%s", op_name(failures[row].op),
             duration, phrase_result(failures[row].error).text, applied_text(failures[row].applied),
             has_policy ? ", policy " : "",
             has_policy ? error_policy_name((enum error_policy)(number / 2 % POLICIES)) : "");
    return buf;
}
