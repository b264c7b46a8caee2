/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directives that only today's generation has, or has in a form of its own.
 *
 * Declared in tests/golden/reader.h, with the tables of the other directives.
 *
 * Errors and holds are exclusive faults: the one that was made first is asked first.  Those that a
 * control makes are in the plan from the start, and armed when the control happens.  A control of a
 * reaction that answers every event makes a rule each time: such a reaction becomes several, one
 * for each of the first events.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tests/golden/reader.h"

/* Rules that a reaction can make; further ones are not made. */
#define RULES_PER_REACTION 16

#define OP_BIT(id) (UINT32_C(1) << OP_##id)

static const struct word_value request_ops[] = {
    {"read", OP_READ},       {"write", OP_WRITE}, {"zero", OP_WRITE_ZEROES},
    {"discard", OP_DISCARD}, {"flush", OP_FLUSH}, {NULL, 0},
};

static const struct word_value flags[] = {{"0", false}, {"1", true}, {NULL, 0}};

static bool read_flag(struct reader *reader, const char *word, bool *flag)
{
    int value;
    if (!words_choice(reader, word, flags, &value)) {
        return false;
    }
    *flag = value != 0;
    return true;
}

/* ---- The job ---- */

#define JOB_FLAG(member)                                                          \
    static bool read_##member(struct reader *reader, char **args, uint32_t count) \
    {                                                                             \
        (void)count;                                                              \
        return read_flag(reader, args[0], &reader->plan->job.member);             \
    }

JOB_FLAG(unmap)
JOB_FLAG(target_is_zero)
JOB_FLAG(auto_finalize)
JOB_FLAG(auto_dismiss)
JOB_FLAG(auto_complete)

static const struct word_value copy_modes[] = {
    {"background", COPY_BACKGROUND}, {"write-blocking", COPY_WRITE_BLOCKING}, {NULL, 0}};

static bool read_copy_mode(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    int mode;
    if (!words_choice(reader, args[0], copy_modes, &mode)) {
        return false;
    }
    reader->plan->job.copy_mode = (enum copy_mode)mode;
    return true;
}

static bool read_backing_mode(struct reader *reader, char **args, uint32_t count)
{
    static const struct word_value modes[] = {
        {"leave", BACKING_LEAVE}, {"source", BACKING_SOURCE}, {"open", BACKING_OPEN}, {NULL, 0}};
    (void)count;
    int mode;
    if (!words_choice(reader, args[0], modes, &mode)) {
        return false;
    }
    reader->plan->job.backing_mode = (enum backing_mode)mode;
    return true;
}

static bool read_policy(struct reader *reader, const char *word, enum error_policy *policy)
{
    static const struct word_value policies[] = {
        {"report", POLICY_REPORT}, {"ignore", POLICY_IGNORE}, {"enospc", POLICY_ENOSPC},
        {"stop", POLICY_STOP},     {"auto", POLICY_ENOSPC},   {NULL, 0},
    };
    int value;
    if (!words_choice(reader, word, policies, &value)) {
        return false;
    }
    *policy = (enum error_policy)value;
    return true;
}

static bool read_on_source_error(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return read_policy(reader, args[0], &reader->plan->job.on_source_error);
}

static bool read_on_target_error(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return read_policy(reader, args[0], &reader->plan->job.on_target_error);
}

/* ---- Disks ---- */

static struct disk_spec *read_disk(struct reader *reader, const char *word)
{
    uint32_t disk;
    return words_node(reader, word, &disk) ? &reader->plan->disks[disk] : NULL;
}

static bool read_can_unmap(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    return disk && read_flag(reader, args[1], &disk->can_unmap);
}

static bool read_read_only(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    return disk && read_flag(reader, args[1], &disk->read_only);
}

static bool read_detect_zeroes(struct reader *reader, char **args, uint32_t count)
{
    static const struct word_value words[] = {
        {"off", DETECT_OFF}, {"on", DETECT_ON}, {"unmap", DETECT_UNMAP}, {NULL, 0}};
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    int value;
    if (!disk || !words_choice(reader, args[1], words, &value)) {
        return false;
    }
    disk->detect_zeroes = (enum detect_zeroes)value;
    return true;
}

static bool read_max_iov(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    uint64_t number;
    if (!disk || !words_number(reader, args[1], &number)) {
        return false;
    }
    disk->max_segments = (uint32_t)number;
    return (number > 0 && number <= UINT32_MAX) ||
           reader_fail(reader, "max_iov is a number from 1 to 2^32 - 1");
}

/* Of both questions, whichever node they are asked of. */
static bool read_status_latency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_time(reader, args[0], &reader->status_latency_ns);
}

/* An operation or all of them, as a mask. */
static bool read_ops(struct reader *reader, const char *word, uint32_t *ops)
{
    int op;
    if (strcmp(word, "all") == 0) {
        *ops =
            OP_BIT(READ) | OP_BIT(WRITE) | OP_BIT(WRITE_ZEROES) | OP_BIT(DISCARD) | OP_BIT(FLUSH);
        return true;
    }
    if (!words_choice(reader, word, request_ops, &op)) {
        return false;
    }
    *ops = UINT32_C(1) << op;
    return true;
}

static bool read_latency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    uint64_t ns;
    uint32_t ops;
    if (!disk || !read_ops(reader, args[1], &ops) || !words_time(reader, args[2], &ns)) {
        return false;
    }
    for (enum op op = OP_READ; op <= OP_FLUSH; op++) {
        if (ops >> op & 1) {
            disk->latency[op].a_ns = ns;
        }
    }
    return true;
}

/* ---- What is on a disk: lines apply in their order ---- */

/* What is data is not zeroes any more. */
static void subtract_zeroes(struct reader *reader, struct disk_spec *disk, struct range_spec data)
{
    uint64_t end = data.offset + data.bytes;
    uint32_t count = disk->zero_count;
    for (uint32_t i = 0; i < count; i++) {
        struct range_spec zero = disk->zeroes[i];
        uint64_t zero_end = zero.offset + zero.bytes;
        if (!range_overlaps(zero.offset, zero.bytes, data.offset, data.bytes)) {
            continue;
        }
        disk->zeroes[i].bytes = data.offset > zero.offset ? data.offset - zero.offset : 0;
        if (zero_end > end) {
            *READER_APPEND(reader->plan->arena, disk->zeroes, disk->zero_count) =
                (struct range_spec){end, zero_end - end};
        }
    }
}

static bool read_range(struct reader *reader, char **args, struct range_spec *range)
{
    return words_bytes(reader, args[0], &range->offset) &&
           words_bytes(reader, args[1], &range->bytes);
}

static bool read_alloc(struct reader *reader, char **args, uint32_t count)
{
    struct disk_spec *disk = read_disk(reader, args[0]);
    struct range_spec range;
    if (!disk) {
        return false;
    }
    if (!disk->has_allocated) {
        disk->has_allocated = true;
        disk->zero_count = 0;
        disk->zeroes = NULL;
        disk->fill = disk->fill == FILL_ZERO ? FILL_UNIQUE : disk->fill;
    }
    if (count == 2) {
        return strcmp(args[1], "none") == 0 ||
               reader_fail(reader, "usage: alloc NODE OFFSET BYTES, or alloc NODE none");
    }
    if (!read_range(reader, args + 1, &range)) {
        return false;
    }
    subtract_zeroes(reader, disk, range);
    *READER_APPEND(reader->plan->arena, disk->allocated, disk->allocated_count) = range;
    return true;
}

static bool read_zero(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    struct range_spec range;
    if (!disk || !read_range(reader, args + 1, &range)) {
        return false;
    }
    *READER_APPEND(reader->plan->arena, disk->zeroes, disk->zero_count) = range;
    return true;
}

/* ---- Rules: errors, holds, latencies ---- */

/* A rule of the current line; `armed`: from the start. */
static struct fault_spec new_rule(struct reader *reader, enum fault_kind kind, bool armed)
{
    return (struct fault_spec){
        .name = arena_printf(reader->plan->arena, "line-%" PRIu32, reader->where.line),
        .where = reader->where,
        .kind = kind,
        .armed = armed,
        .exclusive = kind != FAULT_LATENCY,
        .from_mark = PLAN_NONE,
        .until_mark = PLAN_NONE,
    };
}

static bool read_node_mask(struct reader *reader, const char *word, uint64_t *mask)
{
    uint32_t disk;
    if (!words_node(reader, word, &disk)) {
        return false;
    }
    *mask = UINT64_C(1) << disk;
    return true;
}

static bool read_nth(struct reader *reader, const char *word, struct fault_spec *fault)
{
    fault->times = 1;
    if (!words_number(reader, word, &fault->nth)) {
        return false;
    }
    fault->times = fault->nth == 0 ? 0 : 1;
    return true;
}

/* Words after those that a rule must have; `*at` moves behind the ones that are taken. */
struct options {
    char **args;
    uint32_t count;
    uint32_t at;
};

static bool option_is(const struct options *options, const char *word, uint32_t values)
{
    return strcmp(options->args[options->at], word) == 0 && options->count - options->at > values;
}

static bool read_rule_range(struct reader *reader, struct options *options,
                            struct request_match *match)
{
    match->has_range = true;
    options->at += 3;
    return words_bytes(reader, options->args[options->at - 2], &match->offset) &&
           words_bytes(reader, options->args[options->at - 1], &match->bytes);
}

static bool read_error_options(struct reader *reader, struct options *options,
                               struct fault_spec *fault)
{
    while (options->at < options->count) {
        bool is_read = false;
        if (option_is(options, "range", 2)) {
            is_read = read_rule_range(reader, options, &fault->match);
        } else if (option_is(options, "times", 1)) {
            is_read = words_number(reader, options->args[options->at + 1], &fault->times);
            options->at += 2;
        } else if (option_is(options, "torn", 0)) {
            is_read = true;
            fault->applied = APPLIED_TORN;
            options->at++;
        } else {
            reader_fail(reader, "'%.40s' is none of range OFF LEN, times N, torn",
                        options->args[options->at]);
        }
        if (!is_read) {
            return false;
        }
    }
    return true;
}

/* A request, or a question or call that can fail. */
static bool read_error_op(struct reader *reader, const char *word, struct request_match *match)
{
    static const struct word_value ops[] = {
        {"read", OP_READ},         {"write", OP_WRITE},
        {"zero", OP_WRITE_ZEROES}, {"discard", OP_DISCARD},
        {"flush", OP_FLUSH},       {"getlength", OP_GETLENGTH},
        {"memalign", OP_BUFFER},   {"info", OP_GET_INFO},
        {"is_zero", OP_ALL_ZERO},  {"open_backing", OP_OPEN_BACKING},
        {"status", OP_CONTENT},    {"alloc", OP_STATUS},
        {"truncate", OP_TRUNCATE}, {NULL, 0},
    };
    int op;
    if (!words_choice(reader, word, ops, &op)) {
        return false;
    }
    match->ops = UINT32_C(1) << op;
    return true;
}

/* NODE OP NTH ERRNO [range OFF LEN] [times N] [torn] */
static bool read_error_rule(struct reader *reader, char **args, uint32_t count,
                            struct fault_spec *fault)
{
    struct options options = {args, count, 4};
    int error;
    if (!read_node_mask(reader, args[0], &fault->match.disks) ||
        !read_error_op(reader, args[1], &fault->match) || !read_nth(reader, args[2], fault) ||
        !words_errno(reader, args[3], &error) || !read_error_options(reader, &options, fault)) {
        return false;
    }
    fault->error = -error;
    return true;
}

/* NAME NODE OP NTH [range OFF LEN] [errno E]; a read has sampled the data when it is held. */
static bool read_hold_rule(struct reader *reader, char **args, uint32_t count,
                           struct fault_spec *fault)
{
    struct options options = {args, count, 4};
    int op;
    int error = 0;
    if (strlen(args[0]) >= CONFIG_MAX_NAME) {
        return reader_fail(reader, "a name of %d bytes or more", CONFIG_MAX_NAME);
    }
    fault->name = arena_strdup(reader->plan->arena, args[0]);
    if (!read_node_mask(reader, args[1], &fault->match.disks) ||
        !words_choice(reader, args[2], request_ops, &op) || !read_nth(reader, args[3], fault)) {
        return false;
    }
    fault->match.ops = UINT32_C(1) << op;
    fault->phase = op == OP_READ ? HOLD_BEFORE_COMPLETION : HOLD_BEFORE_EFFECT;
    while (options.at < options.count) {
        bool is_read = false;
        if (option_is(&options, "range", 2)) {
            is_read = read_rule_range(reader, &options, &fault->match);
        } else if (option_is(&options, "errno", 1)) {
            is_read = words_errno(reader, args[options.at + 1], &error);
            options.at += 2;
        } else {
            reader_fail(reader, "'%.40s' is neither range OFF LEN nor errno E", args[options.at]);
        }
        if (!is_read) {
            return false;
        }
    }
    fault->error = -error;
    return true;
}

/* NODE OP|all NS */
static bool read_latency_rule(struct reader *reader, char **args, uint32_t count,
                              struct fault_spec *fault)
{
    (void)count;
    return read_node_mask(reader, args[0], &fault->match.disks) &&
           read_ops(reader, args[1], &fault->match.ops) &&
           words_time(reader, args[2], &fault->span_ns);
}

/* Rules as directives, and as controls. */
static const struct rule {
    const char *name;
    enum fault_kind kind;
    uint32_t min_args;
    uint32_t max_args;
    bool (*read)(struct reader *reader, char **args, uint32_t count, struct fault_spec *fault);
    const char *usage;
} rules[] = {
    {"error", FAULT_ERROR, 4, 10, read_error_rule,
     "NODE OP NTH ERRNO [range OFF LEN] [times N] [torn]"},
    {"hold", FAULT_HOLD, 4, 9, read_hold_rule, "NAME NODE OP NTH [range OFF LEN] [errno E]"},
    {"latency", FAULT_LATENCY, 3, 3, read_latency_rule, "NODE OP|all NS"},
};

static bool read_rule(struct reader *reader, const struct rule *rule, bool armed, char **args,
                      uint32_t count)
{
    struct plan *plan = reader->plan;
    struct fault_spec fault = new_rule(reader, rule->kind, armed);
    if (count < rule->min_args || count > rule->max_args) {
        return reader_fail(reader, "usage: %s %s", rule->name, rule->usage);
    }
    if (!rule->read(reader, args, count, &fault)) {
        return false;
    }
    *READER_APPEND(plan->arena, plan->faults, plan->fault_count) = fault;
    return true;
}

static bool read_error(struct reader *reader, char **args, uint32_t count)
{
    return read_rule(reader, &rules[0], true, args, count);
}

static bool read_hold(struct reader *reader, char **args, uint32_t count)
{
    return read_rule(reader, &rules[1], true, args, count);
}

static bool read_oplatency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct fault_spec fault = new_rule(reader, FAULT_LATENCY, true);
    int op;
    if (!read_node_mask(reader, args[0], &fault.match.disks) ||
        !words_choice(reader, args[1], request_ops, &op) || !read_nth(reader, args[2], &fault) ||
        !words_time(reader, args[3], &fault.span_ns)) {
        return false;
    }
    fault.match.ops = UINT32_C(1) << op;
    *READER_APPEND(reader->plan->arena, reader->op_latencies, reader->op_latency_count) = fault;
    return true;
}

/* ---- Guest requests and controls ---- */

/* write OFF LEN TAG, zero OFF LEN, discard OFF LEN, read OFF LEN, flush */
static bool read_request(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    struct guest_request *guest = &action->guest;
    uint64_t tag;
    int op;
    if (!words_choice(reader, args[0], request_ops, &op)) {
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
    if (!words_choice(reader, args[0], copy_modes, &mode)) {
        return false;
    }
    action->copy_mode = (enum copy_mode)mode;
    return true;
}

static bool read_drained(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    (void)count;
    if (strcmp(args[0], "filter") == 0) {
        return reader_unsupported(reader, "a drained section over the job's filter alone");
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

static const struct rule *find_rule(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

static bool read_control(struct reader *reader, char **args, uint32_t count, struct action *action)
{
    const struct rule *rule = find_rule(args[0]);
    *action = (struct action){.where = reader->where, .may_be_refused = true};
    if (rule) {
        action->kind = DO_HOLD;
        action->index = reader->plan->fault_count;
        return read_rule(reader, rule, false, args + 1, count - 1);
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

static bool read_guest(struct reader *reader, char **args, uint32_t count)
{
    struct timed_spec *timed = append_timed(reader);
    return words_time(reader, args[0], &timed->at_ns) &&
           read_request(reader, args + 1, count - 1, &timed->action);
}

static bool read_at(struct reader *reader, char **args, uint32_t count)
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
    if (!read_node_mask(reader, args[1], &react->when.request.disks) ||
        !words_choice(reader, args[2], request_ops, &op)) {
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

static bool read_on(struct reader *reader, char **args, uint32_t count)
{
    const struct reaction_event *event = find_event(args[0]);
    struct react_spec react = {.where = reader->where};
    if (count < event->words + 2) {
        return reader_fail(reader, "usage: on EVENT DELAY CONTROL");
    }
    if (!event->read(reader, args, &react)) {
        return false;
    }
    if (react.nth > 0 || !find_rule(args[event->words + 1])) {
        return append_react(reader, &react, args, event, count);
    }
    for (react.nth = 1; react.nth <= RULES_PER_REACTION; react.nth++) {
        if (!append_react(reader, &react, args, event, count)) {
            return false;
        }
    }
    return true;
}

const struct directive modern_directives[] = {
    {"copy_mode", 1, 1, read_copy_mode, "background|write-blocking", ONLY_MODERN},
    {"unmap", 1, 1, read_unmap, "0|1", ONLY_MODERN},
    {"target_is_zero", 1, 1, read_target_is_zero, "0|1", ONLY_MODERN},
    {"backing_mode", 1, 1, read_backing_mode, "leave|source|open", ONLY_MODERN},
    {"auto_finalize", 1, 1, read_auto_finalize, "0|1", ONLY_MODERN},
    {"auto_dismiss", 1, 1, read_auto_dismiss, "0|1", ONLY_MODERN},
    {"auto_complete", 1, 1, read_auto_complete, "0|1", ONLY_MODERN},
    {"on_source_error", 1, 1, read_on_source_error, "report|ignore|enospc|stop|auto", ONLY_MODERN},
    {"on_target_error", 1, 1, read_on_target_error, "report|ignore|enospc|stop|auto", ONLY_MODERN},
    {"can_unmap", 2, 2, read_can_unmap, "NODE 0|1", ONLY_MODERN},
    {"read_only", 2, 2, read_read_only, "NODE 0|1", ONLY_MODERN},
    {"detect_zeroes", 2, 2, read_detect_zeroes, "NODE off|on|unmap", ONLY_MODERN},
    {"max_iov", 2, 2, read_max_iov, "NODE NUMBER", ONLY_MODERN},
    {"status_latency", 1, 1, read_status_latency, "NS", ONLY_MODERN},
    {"latency", 3, 3, read_latency, "NODE OP|all NS", ONLY_MODERN},
    {"alloc", 2, 3, read_alloc, "NODE OFFSET BYTES, or alloc NODE none", ONLY_MODERN},
    {"zero", 3, 3, read_zero, "NODE OFFSET BYTES", ONLY_MODERN},
    {"error", 4, 10, read_error, "NODE OP NTH ERRNO [range OFF LEN] [times N] [torn]", ONLY_MODERN},
    {"hold", 4, 9, read_hold, "NAME NODE OP NTH [range OFF LEN] [errno E]", ONLY_MODERN},
    {"oplatency", 4, 4, read_oplatency, "NODE OP NTH NS", ONLY_MODERN},
    {"guest", 2, 5, read_guest, "TIME REQUEST", ONLY_MODERN},
    {"at", 2, 12, read_at, "TIME CONTROL", ONLY_MODERN},
    {"on", 4, READER_MAX_WORDS, read_on, "EVENT DELAY CONTROL", ONLY_MODERN},
    {0},
};

/* ---- After the last line ---- */

/* The hold of that name, or one that holds nothing: to release it is refused. */
static uint32_t find_hold(struct reader *reader, const char *name)
{
    struct plan *plan = reader->plan;
    struct fault_spec nothing = new_rule(reader, FAULT_HOLD, false);
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].kind == FAULT_HOLD && strcmp(plan->faults[i].name, name) == 0) {
            return i;
        }
    }
    nothing.name = name;
    nothing.times = 1;
    *READER_APPEND(plan->arena, plan->faults, plan->fault_count) = nothing;
    return plan->fault_count - 1;
}

static void resolve_hold_name(struct reader *reader, const struct hold_name *named)
{
    struct plan *plan = reader->plan;
    uint32_t hold = find_hold(reader, named->name);
    if (named->is_event) {
        plan->reacts[named->index].when.index = (int)hold;
    } else if (named->is_react) {
        plan->reacts[named->index].action.index = hold;
    } else {
        plan->timed[named->index].action.index = hold;
    }
}

/* Of two latencies for one request the later fault counts, but the earlier line does. */
static void append_op_latencies(struct reader *reader)
{
    struct plan *plan = reader->plan;
    for (uint32_t i = reader->op_latency_count; i > 0; i--) {
        *READER_APPEND(plan->arena, plan->faults, plan->fault_count) = reader->op_latencies[i - 1];
    }
}

bool modern_finish(struct reader *reader)
{
    struct plan *plan = reader->plan;
    for (uint32_t i = 0; i < reader->hold_name_count; i++) {
        resolve_hold_name(reader, &reader->hold_names[i]);
    }
    append_op_latencies(reader);
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        plan->disks[i].latency[OP_CONTENT].a_ns = reader->status_latency_ns;
        plan->disks[i].latency[OP_STATUS].a_ns = reader->status_latency_ns;
    }
    if (plan->job.kind == JOB_COMMIT) {
        plan->job.granularity = 0;
        plan->job.buffer_bytes = 0;
        plan->job.on_target_error = plan->job.on_source_error;
    }
    plan->filter_passes_discards = true;
    return true;
}
