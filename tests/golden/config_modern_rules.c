/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors, holds and latencies of a configuration of today's generation.
 *
 * Errors and holds are exclusive faults: the one that was made first is asked first.  Those that a
 * control makes are in the plan from the start, and armed when the control happens.
 *
 * Declared in tests/golden/modern.h, with the other parts of the format.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/units.h"
#include "tests/golden/modern.h"

#define OP_BIT(id) (UINT32_C(1) << OP_##id)

const struct word_value modern_request_ops[] = {
    {"read", OP_READ},       {"write", OP_WRITE}, {"zero", OP_WRITE_ZEROES},
    {"discard", OP_DISCARD}, {"flush", OP_FLUSH}, {NULL, 0},
};

/* An operation or all of them, as a mask. */
bool modern_read_ops(struct reader *reader, const char *word, uint32_t *ops)
{
    int op;
    if (strcmp(word, "all") == 0) {
        *ops =
            OP_BIT(READ) | OP_BIT(WRITE) | OP_BIT(WRITE_ZEROES) | OP_BIT(DISCARD) | OP_BIT(FLUSH);
        return true;
    }
    if (!words_choice(reader, word, modern_request_ops, &op)) {
        return false;
    }
    *ops = UINT32_C(1) << op;
    return true;
}

/* ---- Rules: errors, holds, latencies ---- */

/* A rule of the current line; `armed`: from the start. */
struct fault_spec modern_new_rule(struct reader *reader, enum fault_kind kind, bool armed)
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

bool modern_read_node_mask(struct reader *reader, const char *word, uint64_t *mask)
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
    if (!modern_read_node_mask(reader, args[0], &fault->match.disks) ||
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
    if (!modern_read_node_mask(reader, args[1], &fault->match.disks) ||
        !words_choice(reader, args[2], modern_request_ops, &op) ||
        !read_nth(reader, args[3], fault)) {
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
    return modern_read_node_mask(reader, args[0], &fault->match.disks) &&
           modern_read_ops(reader, args[1], &fault->match.ops) &&
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

bool modern_read_rule(struct reader *reader, const struct rule *rule, bool armed, char **args,
                      uint32_t count)
{
    struct plan *plan = reader->plan;
    struct fault_spec fault = modern_new_rule(reader, rule->kind, armed);
    if (count < rule->min_args || count > rule->max_args) {
        return reader_fail(reader, "usage: %s %s", rule->name, rule->usage);
    }
    if (!rule->read(reader, args, count, &fault)) {
        return false;
    }
    *READER_APPEND(plan->arena, plan->faults, plan->fault_count) = fault;
    return true;
}

bool modern_read_error(struct reader *reader, char **args, uint32_t count)
{
    return modern_read_rule(reader, &rules[0], true, args, count);
}

bool modern_read_hold(struct reader *reader, char **args, uint32_t count)
{
    return modern_read_rule(reader, &rules[1], true, args, count);
}

bool modern_read_oplatency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct fault_spec fault = modern_new_rule(reader, FAULT_LATENCY, true);
    int op;
    if (!modern_read_node_mask(reader, args[0], &fault.match.disks) ||
        !words_choice(reader, args[1], modern_request_ops, &op) ||
        !read_nth(reader, args[2], &fault) || !words_time(reader, args[3], &fault.span_ns)) {
        return false;
    }
    fault.match.ops = UINT32_C(1) << op;
    *READER_APPEND(reader->plan->arena, reader->op_latencies, reader->op_latency_count) = fault;
    return true;
}

const struct rule *modern_find_rule(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}
