/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directives about what happens: guest requests, controls, reactions, faults.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/units.h"
#include "tests/golden/reader.h"

/* ---- What happens: guest requests, controls, reactions ---- */

/* off len tag latency */
static bool read_guest(struct reader *reader, char **args, struct action *action)
{
    uint64_t tag;
    struct guest_request *guest = &action->guest;
    if (!words_bytes(reader, args[0], &guest->offset) ||
        !words_bytes(reader, args[1], &guest->bytes) || !words_number(reader, args[2], &tag) ||
        !words_time(reader, args[3], &guest->latency_ns)) {
        return false;
    }
    if (guest->bytes == 0) {
        return reader_fail(reader, "a guest request of no bytes");
    }
    action->kind = DO_GUEST;
    guest->op = OP_WRITE;
    guest->has_latency = true;
    guest->tag = arena_strdup(reader->plan->arena, args[2]);
    return true;
}

static bool read_control(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    static const struct {
        const char *name;
        enum action_kind kind;
        uint32_t args;
        const char *usage;
    } controls[] = {
        {"complete", DO_COMPLETE, 0, "complete"},
        {"cancel", DO_CANCEL, 0, "cancel"},
        {"pause", DO_PAUSE, 0, "pause"},
        {"resume", DO_RESUME, 0, "resume"},
        {"set_speed", DO_SET_SPEED, 1, "set_speed BYTES"},
        {"guest", DO_GUEST, 4, "guest OFFSET BYTES TAG LATENCY"},
    };
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        if (strcmp(controls[i].name, args[0]) != 0) {
            continue;
        }
        if (count - 1 != controls[i].args) {
            return reader_fail(reader, "usage of this control: %s", controls[i].usage);
        }
        *action = (struct action){
            .kind = controls[i].kind, .where = reader->where, .may_be_refused = true};
        if (action->kind == DO_SET_SPEED) {
            return words_signed(reader, args[1], &action->speed);
        }
        return action->kind != DO_GUEST || read_guest(reader, args + 1, action);
    }
    return reader_fail(reader, "'%.40s' is no control", args[0]);
}

static bool read_timed_guest(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct plan *plan = reader->plan;
    struct timed_spec *timed = READER_APPEND(plan->arena, plan->timed, plan->timed_count);
    *timed = (struct timed_spec){.where = reader->where, .action.where = reader->where};
    return words_time(reader, args[0], &timed->at_ns) &&
           read_guest(reader, args + 1, &timed->action);
}

static bool read_at(struct reader *reader, char **args, uint32_t count)
{
    struct plan *plan = reader->plan;
    struct timed_spec *timed = READER_APPEND(plan->arena, plan->timed, plan->timed_count);
    *timed = (struct timed_spec){.where = reader->where};
    return words_time(reader, args[0], &timed->at_ns) &&
           read_control(reader, args + 1, count - 1, &timed->action);
}

static bool read_on(struct reader *reader, char **args, uint32_t count)
{
    static const struct word_value events[] = {
        {"ready", EVENT_JOB_READY},
        {"error", EVENT_JOB_ERROR},
        {"paused", EVENT_JOB_PAUSED},
        {NULL, 0},
    };
    struct plan *plan = reader->plan;
    int event;
    if (!words_choice(reader, args[0], events, &event)) {
        return false;
    }
    struct react_spec *react = READER_APPEND(plan->arena, plan->reacts, plan->react_count);
    *react = (struct react_spec){.where = reader->where,
                                 .when = event_match_kind((enum event_kind)event)};
    return words_number(reader, args[1], &react->nth) &&
           words_time(reader, args[2], &react->delay_ns) &&
           read_control(reader, args + 3, count - 3, &react->action);
}

/* ---- Faults ---- */

/* Reads NODE OP NTH of a directive into a match; `nth` 0 = every one. */
static bool read_fault(struct reader *reader, char **args, struct fault_spec *fault)
{
    static const struct {
        const char *name;
        enum op op;
        enum by by;
    } ops[] = {
        {"read", OP_READ, BY_JOB},
        {"write", OP_WRITE, BY_JOB},
        {"flush", OP_FLUSH, BY_JOB},
        {"guest", OP_WRITE, BY_GUEST},
        {"getlength", OP_GETLENGTH, BY_NONE},
        {"bitmap", OP_BITMAP, BY_NONE},
        {"alloc", OP_STATUS, BY_NONE},
        {"info", OP_GET_INFO, BY_NONE},
        {"memalign", OP_BUFFER, BY_NONE},
        {"truncate", OP_TRUNCATE, BY_NONE},
        {"open_backing", OP_OPEN_BACKING, BY_NONE},
        {"reopen", OP_REOPEN, BY_NONE},
    };
    uint32_t disk;
    size_t i = 0;
    if (!words_node(reader, args[0], &disk)) {
        return false;
    }
    while (i < COUNT_OF(ops) && strcmp(ops[i].name, args[1]) != 0) {
        i++;
    }
    if (i == COUNT_OF(ops)) {
        return reader_fail(reader, "'%.40s' is no operation that can fail", args[1]);
    }
    fault->name = arena_printf(reader->plan->arena, "line-%" PRIu32, reader->where.line);
    fault->where = reader->where;
    fault->armed = true;
    fault->from_mark = PLAN_NONE;
    fault->until_mark = PLAN_NONE;
    fault->match = (struct request_match){
        .disks = UINT64_C(1) << disk, .ops = UINT32_C(1) << ops[i].op, .by = ops[i].by};
    if (!words_number(reader, args[2], &fault->nth)) {
        return false;
    }
    fault->times = fault->nth == 0 ? 0 : 1;
    return true;
}

static bool read_error(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct plan *plan = reader->plan;
    struct fault_spec *fault = READER_APPEND(plan->arena, plan->faults, plan->fault_count);
    int error;
    *fault = (struct fault_spec){.kind = FAULT_ERROR};
    if (!read_fault(reader, args, fault) || !words_errno(reader, args[3], &error)) {
        return false;
    }
    fault->error = -error;
    return true;
}

static bool read_oplatency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct plan *plan = reader->plan;
    struct fault_spec *fault = READER_APPEND(plan->arena, plan->faults, plan->fault_count);
    *fault = (struct fault_spec){.kind = FAULT_LATENCY};
    if (!read_fault(reader, args, fault) || !words_time(reader, args[3], &fault->span_ns)) {
        return false;
    }
    const uint32_t timed = 1u << OP_READ | 1u << OP_WRITE | 1u << OP_FLUSH;
    return (fault->match.ops & timed) != 0 || reader_fail(reader, "'%s' takes no time", args[1]);
}

const struct directive story_directives[] = {
    {"guest", 5, 5, read_timed_guest, "TIME OFFSET BYTES TAG LATENCY", ONLY_2_2},
    {"at", 2, 6, read_at, "TIME CONTROL", ONLY_2_2},
    {"on", 4, 8, read_on, "ready|error|paused NTH DELAY CONTROL", ONLY_2_2},
    {"error", 4, 4, read_error, "NODE OP NTH ERRNO", ONLY_2_2},
    {"oplatency", 4, 4, read_oplatency, "NODE OP NTH NS", ONLY_2_2},
    {0},
};
