/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan: faults, steps, reactions and scripted requests of the guest.
 */
#include "sim/scenario/write.h"

#include <inttypes.h>

#include "sim/scenario/private.h"

/* ---- Faults ---- */

/* A hold that a step or a reaction arms is written there. */
static bool is_of_action(const struct plan *plan, uint32_t fault)
{
    const struct action *action;

    for (uint32_t i = 0; (action = plan_action(plan, i)) != NULL; i++) {
        if (action->kind == DO_HOLD && action->index == fault) {
            return true;
        }
    }
    return false;
}

static void write_match(struct flow *fault, const struct plan *plan, const struct fault_spec *spec)
{
    struct flow match = {fault->file, false};

    flow_key(fault, "match");
    write_request_match(&match, plan, &spec->match);
    if (spec->nth > 0) {
        flow_value(&match, "nth", &type_count, (int64_t)spec->nth);
    }
    flow_end(&match);
}

static void write_times(struct flow *fault, const struct fault_spec *spec, uint64_t otherwise)
{
    if (spec->times != otherwise) {
        flow_value(fault, "times", &type_times, (int64_t)spec->times);
    }
}

static void write_applied(struct flow *fault, const struct fault_spec *spec)
{
    switch (spec->applied) {
    case APPLIED_NOTHING:
        break;
    case APPLIED_PREFIX:
        flow_value(fault, "applied", &type_sectors, (int64_t)spec->bytes);
        break;
    case APPLIED_TORN:
        flow_text(fault, "applied", "torn");
        break;
    case APPLIED_ALL:
        flow_text(fault, "applied", "all");
        break;
    }
}

static void write_delay(struct flow *fault, const struct fault_spec *spec)
{
    struct flow delay = {fault->file, false};

    flow_key(fault, "delay");
    if (spec->factor_percent > 0) {
        flow_value(&delay, "factor", &type_factor, (int64_t)spec->factor_percent);
    }
    flow_value(&delay, "plus", &type_time, (int64_t)spec->span_ns);
    flow_end(&delay);
}

static void write_what_it_does(struct flow *fault, const struct fault_spec *spec)
{
    switch (spec->kind) {
    case FAULT_ERROR:
        flow_value(fault, "error", &type_error, spec->error);
        write_applied(fault, spec);
        break;
    case FAULT_HANG:
        flow_text(fault, "hang", "true");
        break;
    case FAULT_DELAY:
        write_delay(fault, spec);
        break;
    case FAULT_LATENCY:
        flow_value(fault, "latency", &type_time, (int64_t)spec->span_ns);
        break;
    case FAULT_HOLD:
        flow_value(fault, "hold", &type_hold_phase, (int64_t)spec->phase);
        break;
    case FAULT_FULL:
        flow_value(fault, "full", &type_bytes, (int64_t)spec->bytes);
        break;
    case FAULT_LOST:
        flow_text(fault, "lost", "true");
        break;
    case FAULT_TORN:
        flow_text(fault, "torn", "true");
        break;
    case FAULT_CORRUPT:
        flow_text(fault, "corrupt", "true");
        break;
    case FAULT_MISDIRECT:
        flow_value(fault, "misdirect", &type_sectors, (int64_t)spec->bytes);
        break;
    }
}

static void write_from(struct flow *fault, const struct plan *plan, const struct fault_spec *spec)
{
    struct flow from = {fault->file, false};

    if (spec->from_mark == PLAN_NONE) {
        if (spec->from_ns > 0) {
            flow_value(fault, "from", &type_time, (int64_t)spec->from_ns);
        }
        return;
    }
    flow_key(fault, "from");
    flow_text(&from, "mark", plan->marks[spec->from_mark]);
    if (spec->shift_ns != 0) {
        flow_value(&from, "shift", &type_shift, spec->shift_ns);
    }
    flow_end(&from);
}

static void write_until(struct flow *fault, const struct plan *plan, const struct fault_spec *spec)
{
    if (spec->until_mark != PLAN_NONE) {
        flow_key(fault, "until");
        fprintf(fault->file, "{mark: %s}", plan->marks[spec->until_mark]);
    } else if (spec->until_ns > 0) {
        flow_value(fault, "until", &type_time, (int64_t)spec->until_ns);
    }
}

static void write_fault(const struct plan *plan, const struct fault_spec *spec, FILE *file)
{
    struct flow fault = {file, false};

    fprintf(file, "  %s: ", spec->name);
    write_match(&fault, plan, spec);
    write_what_it_does(&fault, spec);
    write_times(&fault, spec, spec->kind == FAULT_FULL ? 0 : 1);
    if (spec->probability_ppm > 0) {
        flow_value(&fault, "probability", &type_probability, (int64_t)spec->probability_ppm);
    }
    write_from(&fault, plan, spec);
    write_until(&fault, plan, spec);
    if (spec->optional) {
        flow_text(&fault, "optional", "true");
    }
    flow_end(&fault);
    fputc('\n', file);
}

void write_faults(const struct plan *plan, FILE *file)
{
    bool has_one = false;

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (!is_of_action(plan, i)) {
            fputs(has_one ? "" : "faults:\n", file);
            has_one = true;
            write_fault(plan, &plan->faults[i], file);
        }
    }
}

/* ---- Actions ---- */

static void write_hold(const struct plan *plan, const struct fault_spec *spec, FILE *file)
{
    struct flow hold = {file, false};

    flow_text(&hold, "name", spec->name);
    write_match(&hold, plan, spec);
    flow_value(&hold, "phase", &type_hold_phase, (int64_t)spec->phase);
    write_times(&hold, spec, 1);
    flow_end(&hold);
}

/* The request's keys, into a flow that stays open; without its tag. */
static void write_request(struct flow *flow, const struct guest_request *request)
{
    if (request->op == OP_FLUSH) {
        flow_text(flow, "flush", "true");
    } else {
        flow_key(flow, op_name(request->op));
        write_range(flow->file, request->offset, request->bytes);
    }
    if (request->has_latency) {
        flow_value(flow, "latency", &type_time, (int64_t)request->latency_ns);
    }
}

static void write_guest_step(const struct guest_request *request, FILE *file)
{
    struct flow guest = {file, false};

    write_request(&guest, request);
    if (request->tag) {
        flow_text(&guest, "tag", request->tag);
    }
    flow_end(&guest);
}

static void write_refusal(struct flow *flow, const struct action *action)
{
    if (action->expect_refused && action->refusal == ANY) {
        flow_text(flow, "refused", "true");
    } else if (action->expect_refused) {
        flow_value(flow, "refused", &type_refusal, action->refusal);
    } else if (action->may_be_refused) {
        flow_text(flow, "refused", "maybe");
    }
    if (action->saying) {
        flow_key(flow, "saying");
        text_write(flow->file, action->saying);
    }
}

static void write_set_speed(const struct action *action, FILE *file)
{
    struct flow flow = {file, false};

    flow_value(&flow, "speed", &type_speed, action->speed);
    write_refusal(&flow, action);
    flow_end(&flow);
}

static void write_power_cut(const struct plan *plan, const struct action *action, FILE *file)
{
    struct flow flow = {file, false};

    flow_text(&flow, "disk", plan->disks[action->index].name);
    flow_value(&flow, "keeps", &type_power_cut, (int64_t)action->cut);
    flow_end(&flow);
}

static void write_use(const struct plan *plan, const struct action *action, FILE *file)
{
    struct flow flow = {file, false};

    flow_text(&flow, "disk", plan->disks[action->index].name);
    if (action->expect_refused) {
        write_refusal(&flow, action);
    }
    flow_end(&flow);
}

static void write_query_disk(const struct plan *plan, const struct action *action, FILE *file)
{
    struct flow flow = {file, false};
    const char *before = "";

    flow_text(&flow, "disk", plan->disks[action->index].name);
    if (action->disk.io_status != ANY) {
        flow_value(&flow, "io-status", &type_io_status, action->disk.io_status);
    }
    if (action->disk.tracks != ANY) {
        flow_value(&flow, "tracking", &type_io_status_tracking, action->disk.tracks);
    }
    if (action->disk.on_error != ANY) {
        flow_value(&flow, "on-error", &type_policy, action->disk.on_error);
    }
    if (action->disk.flags != ANY) {
        flow_key(&flow, "flags");
        fputc('[', file);
        for (const struct word *word = type_disk_flag.words; word->text; word++) {
            if (action->disk.flags & word->value) {
                fprintf(file, "%s%s", before, word->text);
                before = ", ";
            }
        }
        fputc(']', file);
    }
    flow_end(&flow);
}

/* ---- Waits ---- */

static void write_within(struct flow *wait, const struct wait_spec *spec)
{
    if (spec->within_ns > 0) {
        flow_value(wait, "within", &type_time, (int64_t)spec->within_ns);
    }
}

static void write_wait(const struct plan *plan, const struct wait_spec *spec, FILE *file)
{
    struct flow wait = {file, false};

    switch (spec->kind) {
    case WAIT_DURATION:
        value_write(file, &type_time, (int64_t)spec->within_ns);
        return;
    case WAIT_CONCLUDED:
        if (spec->within_ns == 0) {
            fputs("concluded", file);
            return;
        }
        flow_text(&wait, "concluded", "true");
        break;
    case WAIT_HELD:
        flow_text(&wait, "held", plan->faults[spec->index].name);
        break;
    case WAIT_GUEST_IDLE:
        flow_text(&wait, "guest", "idle");
        break;
    case WAIT_EVENT:
        if (event_is_bare(&spec->match) && spec->nth == 0 && !spec->since_start &&
            spec->within_ns == 0 && spec->match.kinds != EVENT_BIT(HELD)) {
            fputs(event_kind_name((enum event_kind)__builtin_ctzll(spec->match.kinds)), file);
            return;
        }
        write_event_match(&wait, plan, &spec->match);
        if (spec->nth > 0) {
            flow_value(&wait, "nth", &type_count, (int64_t)spec->nth);
        }
        if (spec->since_start) {
            flow_text(&wait, "since", "start");
        }
        break;
    }
    write_within(&wait, spec);
    flow_end(&wait);
}

/* ---- All of them ---- */

/* What stands after the word of an action, for those that need more. */
static void write_details(const struct plan *plan, const struct action *action, FILE *file)
{
    switch (action->kind) {
    case DO_START:
    case DO_COMPLETE:
    case DO_CANCEL:
    case DO_PAUSE:
    case DO_RESUME: {
        struct flow flow = {file, false};

        write_refusal(&flow, action);
        flow_end(&flow);
        break;
    }
    case DO_SET_SPEED:
        write_set_speed(action, file);
        break;
    case DO_GUEST:
        write_guest_step(&action->guest, file);
        break;
    case DO_HOLD:
        write_hold(plan, &plan->faults[action->index], file);
        break;
    case DO_RELEASE:
        fputs(plan->faults[action->index].name, file);
        break;
    case DO_MARK:
        fputs(plan->marks[action->index], file);
        break;
    case DO_POWER_CUT:
        write_power_cut(plan, action, file);
        break;
    case DO_USE:
        write_use(plan, action, file);
        break;
    case DO_QUERY:
        write_query_checks(file, action->checks, action->check_count);
        break;
    case DO_QUERY_DISK:
        write_query_disk(plan, action, file);
        break;
    case DO_JOB_NONE:
        fputs("none", file);
        break;
    case DO_WAIT:
        write_wait(plan, &action->wait, file);
        break;
    case DO_AT:
        value_write(file, &type_time, (int64_t)action->at_ns);
        break;
    case DO_SETTLE:
        value_write(file, &type_time, (int64_t)action->wait.within_ns);
        break;
    }
}

/* `start` alone, or {start: {...}}. */
static bool is_bare(const struct action *action, bool is_step)
{
    bool is_command = action->kind <= DO_RESUME;

    return (is_command && !action->expect_refused && action->may_be_refused == !is_step &&
            !action->saying) ||
           (action->kind == DO_SETTLE && action->wait.within_ns == 0);
}

static void write_action(const struct plan *plan, const struct action *action, bool is_step,
                         FILE *file)
{
    const char *word = action->kind == DO_JOB_NONE ? "job" : action_kind_name(action->kind);

    if (is_bare(action, is_step)) {
        fputs(word, file);
    } else {
        fprintf(file, is_step ? "%s: " : "{%s: ", word);
        write_details(plan, action, file);
        fputs(is_step ? "" : "}", file);
    }
}

void write_steps(const struct plan *plan, FILE *file)
{
    fputs("steps:\n", file);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        fputs("  - ", file);
        write_action(plan, &plan->steps[i], true, file);
        fputc('\n', file);
    }
}

static void write_react(const struct plan *plan, const struct react_spec *spec, FILE *file)
{
    struct flow react = {file, false};
    struct flow when = {file, false};

    flow_key(&react, "when");
    write_event_match(&when, plan, &spec->when);
    if (spec->nth > 0) {
        flow_value(&when, "nth", &type_count, (int64_t)spec->nth);
    }
    flow_end(&when);
    flow_key(&react, "do");
    write_action(plan, &spec->action, false, file);
    if (spec->delay_ns > 0) {
        flow_value(&react, "after", &type_time, (int64_t)spec->delay_ns);
    }
    if (spec->limit > 0) {
        flow_value(&react, "limit", &type_count, (int64_t)spec->limit);
    }
    flow_end(&react);
}

void write_reacts(const struct plan *plan, FILE *file)
{
    for (uint32_t i = 0; i < plan->react_count; i++) {
        fputs(i == 0 ? "react:\n  - " : "  - ", file);
        write_react(plan, &plan->reacts[i], file);
        fputc('\n', file);
    }
}

/* ---- The guest ---- */

static void write_timed(const struct timed_spec *timed, uint32_t number, FILE *file)
{
    const struct guest_request *request = &timed->action.guest;
    struct flow guest = {file, false};

    if (request->tag) {
        fprintf(file, "  %s: ", request->tag);
    } else {
        fprintf(file, "  request-%" PRIu32 ": ", number + 1);
    }
    flow_value(&guest, "at", &type_time, (int64_t)timed->at_ns);
    write_request(&guest, request);
    flow_end(&guest);
    fputc('\n', file);
}

void write_guest(const struct plan *plan, FILE *file)
{
    if (plan->timed_count + plan->generator_count > 0) {
        fputs("guest:\n", file);
    }
    for (uint32_t i = 0; i < plan->timed_count; i++) {
        write_timed(&plan->timed[i], i, file);
    }
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        write_generator(plan, &plan->generators[i], file);
    }
}
