/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans: faults, steps, timed actions and reactions.
 *
 * Races need requests that meet. So the guest has a hot spot, faults come in
 * pairs that match the same requests, and observers write at the same instant
 * at which the job does something.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "tests/sim/world/random_draw.h"

#define MAX_FAULTS 4
#define MAX_TIMED 32
#define MAX_REACTS 8
#define MAX_STEPS 4

/* An undisturbed job is ready much sooner; a job that still runs later is cancelled. */
#define READY_WITHIN_NS (10 * SECOND)
#define LATE_NS (30 * SECOND)

/* ---- Actions ---- */

static void draw_guest(struct draw *draw, struct guest_request *guest)
{
    static const enum op ops[] = {OP_WRITE,   OP_WRITE, OP_WRITE, OP_WRITE_ZEROES,
                                  OP_DISCARD, OP_READ,  OP_FLUSH};

    guest->op = draw->sectors > 0 ? ops[below(draw, 7)] : OP_FLUSH;
    if (guest->op != OP_FLUSH) {
        bool hot = one_in(draw, 2) && draw->hot_sector < draw->sectors;
        struct range_spec where =
            hot ? range_from(draw, draw->hot_sector, 8) : range_anywhere(draw);

        guest->offset = where.offset;
        guest->bytes = where.bytes;
    }
    if (one_in(draw, 4)) {
        guest->has_latency = true;
        guest->latency_ns = below(draw, 1000) * US;
    }
}

int64_t draw_speed(struct draw *draw)
{
    uint64_t factor = skewed(draw, 1024);

    return (int64_t)(factor << below(draw, 19));
}

static enum action_kind ending(struct draw *draw)
{
    return draw->completes && !one_in(draw, 4) ? DO_COMPLETE : DO_CANCEL;
}

static void set_speed(struct draw *draw, struct action *action)
{
    action->kind = DO_SET_SPEED;
    action->speed = one_in(draw, 3) ? 0 : draw_speed(draw);
    if (one_in(draw, 10)) {
        action->speed = -1;
    }
}

static void draw_action(struct draw *draw, struct action *action)
{
    uint64_t pick = below(draw, 20);

    if (pick < 12) {
        action->kind = DO_GUEST;
        draw_guest(draw, &action->guest);
    } else if (pick < 14) {
        action->kind = DO_PAUSE;
    } else if (pick < 16) {
        action->kind = DO_RESUME;
    } else if (pick == 16) {
        set_speed(draw, action);
    } else if (pick == 17) {
        action->kind = draw->completes ? DO_MARK : DO_START;
    } else {
        action->kind = ending(draw);
    }
}

static struct action *init_action(struct action *action, enum action_kind kind)
{
    action->kind = kind;
    action->refusal = MATCH_ANY;
    action->may_be_refused = true;
    return action;
}

static struct action *add_timed(struct draw *draw, uint64_t at_ns, enum action_kind kind)
{
    struct plan *plan = draw->plan;
    struct timed_spec *timed = &plan->timed[plan->timed_count++];

    assert(plan->timed_count <= MAX_TIMED);
    timed->at_ns = at_ns;
    return init_action(&timed->action, kind);
}

static struct react_spec *add_react(struct draw *draw, struct event_match when,
                                    enum action_kind kind)
{
    struct plan *plan = draw->plan;
    struct react_spec *react = &plan->reacts[plan->react_count++];

    assert(plan->react_count <= MAX_REACTS);
    react->when = when;
    init_action(&react->action, kind);
    return react;
}

/* ---- Faults ---- */

static void draw_match(struct draw *draw, struct request_match *match)
{
    static const enum op source_ops[] = {OP_READ,         OP_READ,    OP_READ, OP_WRITE,
                                         OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};
    static const enum op target_ops[] = {OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE,
                                         OP_FLUSH, OP_FLUSH, OP_READ};
    const struct plan_job *job = &draw->plan->job;
    bool is_source = one_in(draw, 2);

    match->disks = UINT64_C(1) << (is_source ? job->source : job->target);
    match->ops = 1u << (is_source ? source_ops : target_ops)[below(draw, 7)];
    match->by = (enum by)below(draw, 3);
    if (one_in(draw, 10)) {
        match->disks = 0;
    }
    if (one_in(draw, 3) && draw->sectors > 0) {
        struct range_spec where = range_anywhere(draw);

        match->has_range = true;
        match->offset = where.offset;
        match->bytes = where.bytes;
    }
}

/* Releases what the fault keeps, in the end when nothing can arm it again. */
static void release_later(struct draw *draw, uint32_t fault)
{
    if (one_in(draw, 2)) {
        add_timed(draw, instant(draw), DO_RELEASE)->index = fault;
    }
    add_timed(draw, draw->span_ns + instant(draw), DO_RELEASE)->index = fault;
}

/* A mark may come at any time, so a fault that must be released is not armed by one. */
static void draw_arming(struct draw *draw, struct fault_spec *fault)
{
    bool keeps = fault->kind == FAULT_HANG || fault->kind == FAULT_HOLD;

    switch (below(draw, 8)) {
    case 0:
        fault->armed = keeps;
        fault->from_mark = keeps ? PLAN_NONE : 0;
        fault->shift_ns = (int64_t)instant(draw);
        break;
    case 1:
        fault->until_mark = 0;
        break;
    case 2:
        fault->from_ns = instant(draw);
        break;
    case 3:
        fault->until_ns = instant(draw);
        break;
    default:
        break;
    }
    if (one_in(draw, 6)) {
        fault->probability_ppm = (uint32_t)between(draw, 1, 999999);
    }
}

static void draw_query_fault(struct draw *draw, struct fault_spec *fault)
{
    fault->match = (struct request_match){.ops = 1u << between(draw, OP_STATUS, OP_BITMAP)};
    fault->nth = skewed(draw, 3);
}

/* The effect of a hit. */
static void draw_effect(struct draw *draw, struct fault_spec *fault, uint32_t number)
{
    static const enum fault_kind kinds[] = {FAULT_ERROR, FAULT_ERROR, FAULT_ERROR,   FAULT_ERROR,
                                            FAULT_HANG,  FAULT_DELAY, FAULT_LATENCY, FAULT_HOLD,
                                            FAULT_HOLD,  FAULT_FULL};

    fault->kind = kinds[below(draw, 10)];
    fault->applied = (enum fault_applied)below(draw, 4);
    fault->bytes = below(draw, draw->sectors + 2) * SECTOR_BYTES;
    fault->factor_percent = one_in(draw, 2) ? below(draw, 500) : 0;
    fault->span_ns = instant(draw) / 4;
    fault->phase = one_in(draw, 2) ? HOLD_BEFORE_EFFECT : HOLD_BEFORE_COMPLETION;
    if (fault->kind == FAULT_HANG || fault->kind == FAULT_HOLD) {
        release_later(draw, number);
    }
    if (fault->kind == FAULT_HOLD && one_in(draw, 3)) {
        fault->armed = false;
        add_timed(draw, instant(draw), DO_HOLD)->index = number;
    }
}

static void draw_fault(struct draw *draw, uint32_t number)
{
    struct fault_spec *fault = &draw->plan->faults[number];

    fault->name = arena_printf(draw->plan->arena, "fault-%u", (unsigned)number);
    fault->optional = true;
    fault->armed = true;
    fault->from_mark = PLAN_NONE;
    fault->until_mark = PLAN_NONE;
    fault->error = one_in(draw, 2) ? -EIO : -ENOSPC;
    fault->nth = skewed(draw, 8);
    fault->times = skewed(draw, one_in(draw, 3) ? 20 : 3);
    if (number > 0 && one_in(draw, 3)) {
        fault->match = fault[-1].match; /* so that they meet */
    } else {
        draw_match(draw, &fault->match);
    }
    if (one_in(draw, 8)) {
        draw_query_fault(draw, fault);
        return;
    }
    draw_effect(draw, fault, number);
    draw_arming(draw, fault);
}

static void draw_faults(struct draw *draw)
{
    struct plan *plan = draw->plan;

    plan->fault_count = (uint32_t)below(draw, MAX_FAULTS + 1);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        draw_fault(draw, i);
    }
}

/* ---- The story ---- */

/* A reaction that acts once, when something has happened for the nth time. */
static void draw_observer(struct draw *draw)
{
    static const enum event_kind kinds[] = {
        EVENT_REQUEST_SUBMIT, EVENT_REQUEST_SUBMIT, EVENT_REQUEST_EFFECT, EVENT_REQUEST_DONE,
        EVENT_REQUEST_DONE,   EVENT_HELD,           EVENT_DRAIN_BEGIN,    EVENT_DRAINED,
        EVENT_JOB_READY,      EVENT_JOB_READY,      EVENT_JOB_ERROR,      EVENT_JOB_PAUSED,
        EVENT_JOB_RESUMED,    EVENT_DIRTY_CLEAR,    EVENT_DIRTY_RELEASE,  EVENT_GRAPH_PIVOT};
    static const enum op ops[] = {OP_READ, OP_WRITE, OP_FLUSH};
    enum event_kind kind = kinds[below(draw, 16)];
    struct event_match when = event_match_kind(kind);
    struct react_spec *react;

    if (kind <= EVENT_REQUEST_DONE) {
        when.request.by = BY_JOB;
        when.request.ops = 1u << ops[below(draw, 3)];
    }
    react = add_react(draw, when, DO_GUEST);
    react->nth = skewed(draw, 4);
    react->delay_ns = one_in(draw, 2) ? 0 : below(draw, 300) * US;
    if (one_in(draw, 2)) {
        draw_guest(draw, &react->action.guest);
    } else {
        draw_action(draw, &react->action);
    }
}

/* Reactions that end every pause and answer READY, even a READY during a pause. */
static void answer_job(struct draw *draw)
{
    enum action_kind end = ending(draw);
    struct event_match resume = event_match_kind(EVENT_COMMAND);

    resume.verb = VERB_RESUME;
    add_react(draw, event_match_kind(EVENT_JOB_PAUSED), DO_RESUME)->delay_ns = instant(draw) / 8;
    add_react(draw, event_match_kind(EVENT_JOB_READY), end)->delay_ns = instant(draw) / 8;
    add_react(draw, resume, end)->delay_ns = instant(draw) / 8;
}

/* Tries once more after a job that was refused or did not pivot. */
static void try_again(struct draw *draw)
{
    static const enum event_kind ends[] = {EVENT_JOB_REFUSED, EVENT_JOB_CANCELLED,
                                           EVENT_JOB_COMPLETED};
    enum event_kind end = ends[below(draw, 3)];
    struct event_match when = event_match_kind(end);
    struct react_spec *react;

    if (end == EVENT_JOB_COMPLETED) {
        when.has_ret = true;
        when.ret = one_in(draw, 2) ? -EIO : -ENOSPC;
    }
    react = add_react(draw, when, DO_START);
    react->limit = 1;
    react->delay_ns = instant(draw);
}

static void draw_steps(struct draw *draw)
{
    struct plan *plan = draw->plan;
    struct action *step = plan->steps;

    init_action(step++, DO_START);
    init_action(step, DO_WAIT);
    step->wait.kind = WAIT_DURATION;
    step->wait.within_ns = between(draw, US, 2 * draw->span_ns);
    step++;
    init_action(step++, ending(draw));
    init_action(step++, DO_SETTLE);
    plan->step_count = (uint32_t)(step - plan->steps);
}

/* ---- The whole ---- */

static void create_lists(struct plan *plan)
{
    plan->faults = arena_alloc(plan->arena, MAX_FAULTS * sizeof(*plan->faults));
    plan->timed = arena_alloc(plan->arena, MAX_TIMED * sizeof(*plan->timed));
    plan->reacts = arena_alloc(plan->arena, MAX_REACTS * sizeof(*plan->reacts));
    plan->steps = arena_alloc(plan->arena, MAX_STEPS * sizeof(*plan->steps));
    plan->marks = arena_alloc(plan->arena, sizeof(*plan->marks));
    plan->marks[0] = "mark";
    plan->mark_count = 1;
}

/* Speeds are drawn without regard to how long the job takes with them. */
static bool is_ever_limited(const struct plan *plan)
{
    for (uint32_t i = plan->step_count; plan_action(plan, i) != NULL; i++) {
        if (plan_action(plan, i)->kind == DO_SET_SPEED) {
            return true;
        }
    }
    return plan->job.speed > 0;
}

/* Any end of a job is fine, but a failure must be named in order to be expected. */
static void allow_any_end(struct plan *plan)
{
    struct expect_spec *expect = arena_alloc(plan->arena, sizeof(*expect));

    expect->kind = EXPECT_AT_MOST;
    expect->matches = arena_alloc(plan->arena, sizeof(*expect->matches));
    expect->matches[0] = event_match_kind(EVENT_JOB_COMPLETED);
    expect->match_count = 1;
    expect->count = UINT64_MAX;
    plan->expects = expect;
    plan->expect_count = 1;
}

void draw_story(struct draw *draw)
{
    uint64_t timed = skewed(draw, 16);
    uint64_t observers = below(draw, 4);

    create_lists(draw->plan);
    draw_faults(draw);
    draw_steps(draw);
    for (uint64_t i = 0; i < timed; i++) {
        draw_action(draw, add_timed(draw, instant(draw), DO_GUEST));
    }
    for (uint64_t i = 0; i < observers; i++) {
        draw_observer(draw);
    }
    if (one_in(draw, 20)) {
        add_timed(draw, instant(draw), DO_POWER_CUT)->index = draw->plan->job.target;
    }
    if (one_in(draw, 8)) {
        struct action *use = add_timed(draw, instant(draw), DO_USE);

        use->index = (uint32_t)below(draw, draw->plan->disk_count);
        use->may_be_refused = true;
    }
    answer_job(draw);
    try_again(draw);
    add_timed(draw, LATE_NS, DO_CANCEL);
    add_timed(draw, 2 * LATE_NS, DO_CANCEL);
    allow_any_end(draw->plan);
    draw->plan->limits.ready_within_ns = is_ever_limited(draw->plan) ? 0 : READY_WITHIN_NS;
}
