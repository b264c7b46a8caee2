/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest requests, controls and reactions of a configuration of today's generation.
 *
 * A control that makes a rule makes one each time it happens: a reaction that answers every event
 * with one becomes several, one for each of the first events.
 *
 * Declared in tests/golden/modern.h, with the other parts of the format.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/units.h"
#include "tests/golden/modern.h"

/* Rules that a reaction can make; further ones are not made. */
#define RULES_PER_REACTION 16

/* ---- Guest requests and controls ---- */

/* write OFF LEN TAG, zero OFF LEN, discard OFF LEN, read OFF LEN, flush */
static bool read_request(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    struct guest_request *guest = &action->guest;
    uint64_t tag;
    int op;
    if (!words_choice(reader, args[0], modern_request_ops, &op)) {
        return false;
    }
    action->kind = DO_GUEST;
    guest->op = (enum op)op;
    if (count - 1 != (op == OP_FLUSH ? 0 : op == OP_WRITE ? 3 : 2)) {
        return reader_fail(reader, "usage: write OFF LEN TAG, zero|discard|read OFF LEN, flush");
    }
    if (op == OP_FLUSH) {
        return true;
    }
    if (!words_bytes(reader, args[1], &guest->offset) ||
        !words_bytes(reader, args[2], &guest->bytes)) {
        return false;
    }
    if (guest->bytes == 0) {
        return reader_fail(reader, "a guest request of no bytes");
    }
    if (op == OP_WRITE) {
        guest->tag = arena_strdup(reader->plan->arena, args[3]);
        return words_number(reader, args[3], &tag) &&
               (tag <= UINT32_MAX || reader_fail(reader, "a tag of more than 32 bits"));
    }
    return true;
}

static bool read_cancel(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    action->force = count > 0;
    return count == 0 || strcmp(args[0], "force") == 0 ||
           reader_fail(reader, "usage of this control: cancel [force]");
}

static bool read_set_speed(struct reader *reader, char **args, uint32_t count,
                           struct action *action)
{
    (void)count;
    return words_signed(reader, args[0], &action->speed);
}

static bool read_change(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    int mode;
    (void)count;
    if (!words_choice(reader, args[0], modern_copy_modes, &mode)) {
        return false;
    }
    action->copy_mode = (enum copy_mode)mode;
    return true;
}

static bool read_drained(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    (void)count;
    if (strcmp(args[0], "filter") == 0) {
        action->index = DRAIN_FILTER;
        return true;
    }
    return words_node(reader, args[0], &action->index);
}

static const struct control {
    const char *name;
    enum action_kind kind;
    uint32_t min_args;
    uint32_t max_args;
    bool (*read)(struct reader *reader, char **args, uint32_t count, struct action *action);
} controls[] = {
    {"complete", DO_COMPLETE, 0, 0, NULL},
    {"cancel", DO_CANCEL, 0, 1, read_cancel},
    {"pause", DO_PAUSE, 0, 0, NULL},
    {"resume", DO_RESUME, 0, 0, NULL},
    {"finalize", DO_FINALIZE, 0, 0, NULL},
    {"dismiss", DO_DISMISS, 0, 0, NULL},
    {"query", DO_QUERY, 0, 0, NULL},
    {"set_speed", DO_SET_SPEED, 1, 1, read_set_speed},
    {"change", DO_CHANGE, 1, 1, read_change},
    {"drained_begin", DO_DRAIN, 1, 1, read_drained},
    {"drained_end", DO_UNDRAIN, 1, 1, read_drained},
    {"release", DO_RELEASE, 1, 1, NULL},
    {"guest", DO_GUEST, 1, 4, read_request},
};

static bool read_control(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    const struct rule *rule = modern_find_rule(args[0]);
    *action = (struct action){.where = reader->where, .may_be_refused = true};
    if (rule) {
        action->kind = DO_HOLD;
        action->index = reader->plan->fault_count;
        return modern_read_rule(reader, rule, false, args + 1, count - 1);
    }
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        const struct control *control = &controls[i];
        if (strcmp(control->name, args[0]) != 0) {
            continue;
        }
        action->kind = control->kind;
        if (count - 1 < control->min_args || count - 1 > control->max_args) {
            return reader_fail(reader, "too few or too many words for '%s'", control->name);
        }
        return !control->read || control->read(reader, args + 1, count - 1, action);
    }
    return reader_fail(reader, "'%.40s' is no control", args[0]);
}

/* Notes the hold that a release or an event of the newest action names. */
static void note_hold_name(struct reader *reader, const char *name, bool is_react, bool is_event)
{
    struct plan *plan = reader->plan;
    *READER_APPEND(plan->arena, reader->hold_names, reader->hold_name_count) =
        (struct hold_name){.name = arena_strdup(plan->arena, name),
                           .is_react = is_react,
                           .is_event = is_event,
                           .index = (is_react ? plan->react_count : plan->timed_count) - 1};
}

static struct timed_spec *append_timed(struct reader *reader)
{
    struct plan *plan = reader->plan;
    struct timed_spec *timed = READER_APPEND(plan->arena, plan->timed, plan->timed_count);
    *timed = (struct timed_spec){
        .where = reader->where, .action.where = reader->where, .action.may_be_refused = true};
    return timed;
}

bool modern_read_guest(struct reader *reader, char **args, uint32_t count)
{
    struct timed_spec *timed = append_timed(reader);
    return words_time(reader, args[0], &timed->at_ns) &&
           read_request(reader, args + 1, count - 1, &timed->action);
}

bool modern_read_at(struct reader *reader, char **args, uint32_t count)
{
    struct timed_spec *timed = append_timed(reader);
    if (!words_time(reader, args[0], &timed->at_ns) ||
        !read_control(reader, args + 1, count - 1, &timed->action)) {
        return false;
    }
    if (timed->action.kind == DO_RELEASE) {
        note_hold_name(reader, args[2], false, false);
    }
    return true;
}

/* ---- Reactions ---- */

/* NTH of `ready` and its like. */
static bool read_job_event(struct reader *reader, char **args, struct react_spec *react)
{
    static const struct word_value events[] = {
        {"ready", EVENT_JOB_READY},         {"error", EVENT_JOB_ERROR},
        {"pending", EVENT_JOB_PENDING},     {"completed", EVENT_JOB_COMPLETED},
        {"cancelled", EVENT_JOB_CANCELLED}, {NULL, 0},
    };
    int kind;
    if (!words_choice(reader, args[0], events, &kind)) {
        return false;
    }
    react->when = event_match_kind((enum event_kind)kind);
    return words_number(reader, args[1], &react->nth);
}

static bool read_status_event(struct reader *reader, char **args, struct react_spec *react)
{
    react->when = event_match_kind(EVENT_JOB_STATUS);
    for (int status = 0; status < JOB_STATUS_COUNT; status++) {
        if (strcmp(job_status_name((enum job_status)status), args[1]) == 0) {
            react->when.statuses = UINT32_C(1) << status;
            return words_number(reader, args[2], &react->nth);
        }
    }
    return reader_fail(reader, "'%.40s' is no status of a job", args[1]);
}

static bool read_held_event(struct reader *reader, char **args, struct react_spec *react)
{
    (void)reader;
    (void)args;
    react->when = event_match_kind(EVENT_HELD);
    return true;
}

static bool read_request_event(struct reader *reader, char **args, struct react_spec *react)
{
    bool is_submit = strcmp(args[0], "submit") == 0;
    int op;
    react->when = event_match_kind(is_submit ? EVENT_REQUEST_SUBMIT : EVENT_REQUEST_DONE);
    if (!modern_read_node_mask(reader, args[1], &react->when.request.disks) ||
        !words_choice(reader, args[2], modern_request_ops, &op)) {
        return false;
    }
    react->when.request.ops = UINT32_C(1) << op;
    return words_number(reader, args[3], &react->nth);
}

static bool read_guest_event(struct reader *reader, char **args, struct react_spec *react)
{
    react->when = event_match_kind(EVENT_ANSWERED);
    react->when.kinds |= EVENT_BIT(ARRIVE) | EVENT_BIT(REQUEST_QUEUED);
    react->of_arrival = true;
    return words_number(reader, args[1], &react->nth);
}

static const struct reaction_event {
    const char *name;
    uint32_t words; /* with its name */
    bool (*read)(struct reader *reader, char **args, struct react_spec *react);
} reaction_events[] = {
    {"status", 3, read_status_event},  {"held", 2, read_held_event},
    {"submit", 4, read_request_event}, {"done", 4, read_request_event},
    {"guest", 2, read_guest_event},    {NULL, 2, read_job_event},
};

static const struct reaction_event *find_event(const char *name)
{
    const struct reaction_event *event = reaction_events;
    while (event->name && strcmp(event->name, name) != 0) {
        event++;
    }
    return event;
}

static bool append_react(struct reader *reader, const struct react_spec *react, char **args,
                         const struct reaction_event *event, uint32_t count)
{
    struct plan *plan = reader->plan;
    struct react_spec *appended = READER_APPEND(plan->arena, plan->reacts, plan->react_count);
    *appended = *react;
    if (!words_time(reader, args[event->words], &appended->delay_ns) ||
        !read_control(reader, args + event->words + 1, count - event->words - 1,
                      &appended->action)) {
        return false;
    }
    if (event->read == read_held_event) {
        note_hold_name(reader, args[1], true, true);
    }
    if (appended->action.kind == DO_RELEASE) {
        note_hold_name(reader, args[event->words + 2], true, false);
    }
    return true;
}

bool modern_read_on(struct reader *reader, char **args, uint32_t count)
{
    const struct reaction_event *event = find_event(args[0]);
    struct react_spec react = {.where = reader->where};
    if (count < event->words + 2) {
        return reader_fail(reader, "usage: on EVENT DELAY CONTROL");
    }
    if (!event->read(reader, args, &react)) {
        return false;
    }
    if (react.nth > 0 || !modern_find_rule(args[event->words + 1])) {
        return append_react(reader, &react, args, event, count);
    }
    for (react.nth = 1; react.nth <= RULES_PER_REACTION; react.nth++) {
        if (!append_react(reader, &react, args, event, count)) {
            return false;
        }
    }
    return true;
}
