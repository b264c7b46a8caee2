/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directives that only today's generation has, or has in a form of its own.
 *
 * Declared in tests/golden/reader.h, with the tables of the other directives.
 *
 * Those about rules and about what happens are in config_modern_rules.c and config_modern_story.c.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tests/golden/modern.h"

const struct word_value modern_copy_modes[] = {
    {"background", COPY_BACKGROUND}, {"write-blocking", COPY_WRITE_BLOCKING}, {NULL, 0}};

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

static bool read_copy_mode(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    int mode;
    if (!words_choice(reader, args[0], modern_copy_modes, &mode)) {
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

static bool read_latency(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    uint64_t ns;
    uint32_t ops;
    if (!disk || !modern_read_ops(reader, args[1], &ops) || !words_time(reader, args[2], &ns)) {
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
    {"error", 4, 10, modern_read_error, "NODE OP NTH ERRNO [range OFF LEN] [times N] [torn]",
     ONLY_MODERN},
    {"hold", 4, 9, modern_read_hold, "NAME NODE OP NTH [range OFF LEN] [errno E]", ONLY_MODERN},
    {"oplatency", 4, 4, modern_read_oplatency, "NODE OP NTH NS", ONLY_MODERN},
    {"guest", 2, 5, modern_read_guest, "TIME REQUEST", ONLY_MODERN},
    {"at", 2, 12, modern_read_at, "TIME CONTROL", ONLY_MODERN},
    {"on", 4, READER_MAX_WORDS, modern_read_on, "EVENT DELAY CONTROL", ONLY_MODERN},
    {0},
};

/* ---- After the last line ---- */

/* The hold of that name, or one that holds nothing: to release it is refused. */
static uint32_t find_hold(struct reader *reader, const char *name)
{
    struct plan *plan = reader->plan;
    struct fault_spec nothing = modern_new_rule(reader, FAULT_HOLD, false);
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
        plan->job.target_is_zero = false;
        plan->job.on_target_error = plan->job.on_source_error;
    }
    plan->filter_passes_discards = true;
    plan->plain_cursor = true;
    return true;
}
