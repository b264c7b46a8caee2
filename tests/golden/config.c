/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the configuration of a reference trace into a plan.
 *
 * Each directive is a row of a table: those of the job are here, those of disks
 * and story in other files.  What depends on the whole file (which disk is the
 * target, default lengths, allocation maps) is settled after the last line.
 */
#include "tests/golden/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tests/golden/reader.h"

#define DEFAULT_LIMIT_NS UINT64_C(100000000000)

/* Bounds on the cost of a run, far above any reference trace. */
#define MAX_EVENTS UINT64_C(2000000)
#define MAX_CHUNKS (UINT64_C(1) << 28)
#define MAX_BUFFERS (UINT64_C(1) << 22)
#define MIN_DEFAULT_GRANULARITY UINT64_C(4096) /* S1 */

/* ---- The job ---- */

static bool read_mode(struct reader *reader, char **args, uint32_t count)
{
    enum { COMMIT = -1 };
    static const struct word_value modes[] = {
        {"full", SYNC_FULL}, {"top", SYNC_TOP}, {"none", SYNC_NONE}, {"commit", COMMIT}, {NULL, 0},
    };
    (void)count;
    struct plan_job *job = &reader->plan->job;
    int mode;
    if (!words_choice(reader, args[0], modes, &mode)) {
        return false;
    }
    job->where = reader->where;
    job->kind = mode == COMMIT ? JOB_COMMIT : JOB_MIRROR;
    job->sync = mode == COMMIT ? SYNC_TOP : (enum sync_mode)mode;
    return true;
}

static bool read_policy(struct reader *reader, const char *word, enum error_policy *policy)
{
    static const struct word_value policies[] = {
        {"report", POLICY_REPORT},
        {"ignore", POLICY_IGNORE},
        {"enospc", POLICY_ENOSPC},
        {"stop", POLICY_STOP},
        {NULL, 0},
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

static bool read_granularity(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_signed(reader, args[0], &reader->plan->job.granularity);
}

static bool read_buf_size(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_signed(reader, args[0], &reader->plan->job.buffer_bytes);
}

static bool read_speed(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_signed(reader, args[0], &reader->plan->job.speed);
}

static bool read_start(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_time(reader, args[0], &reader->plan->timed[0].at_ns);
}

static bool read_limit(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_time(reader, args[0], &reader->plan->limits.time_ns);
}

static bool read_timer_slack(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return words_time(reader, args[0], &reader->plan->timer_slack_ns);
}

/* The named node exists only if another directive mentions it (C4). */
static bool read_replaces(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    reader->plan->job.replaces = arena_strdup(reader->plan->arena, args[0]);
    return true;
}

/* ---- Lines ---- */

/* config_modern.c has those that are of today's generation alone. */
static const struct directive job_directives[] = {
    {"mode", 1, 1, read_mode, "full|top|none|commit", 0},
    {"granularity", 1, 1, read_granularity, "BYTES", 0},
    {"buf_size", 1, 1, read_buf_size, "BYTES", 0},
    {"speed", 1, 1, read_speed, "BYTES", 0},
    {"start", 1, 1, read_start, "TIME", 0},
    {"limit", 1, 1, read_limit, "TIME", 0},
    {"timer_slack", 1, 1, read_timer_slack, "NS", 0},
    {"on_source_error", 1, 1, read_on_source_error, "report|ignore|enospc|stop", ONLY_2_2},
    {"on_target_error", 1, 1, read_on_target_error, "report|ignore|enospc|stop", ONLY_2_2},
    {"replaces", 1, 1, read_replaces, "NODE", 0},
    {0},
};

static bool has_directive(const struct directive *directive, enum generation generation)
{
    return directive->generations == 0 || (directive->generations >> generation & 1) != 0;
}

static const struct directive *find_directive(const char *name, enum generation generation)
{
    const struct directive *const tables[] = {job_directives, disk_directives, story_directives,
                                              modern_directives};
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        for (const struct directive *directive = tables[i]; directive->name; directive++) {
            if (strcmp(directive->name, name) == 0 && has_directive(directive, generation)) {
                return directive;
            }
        }
    }
    return NULL;
}

static bool read_line(struct reader *reader, char *line)
{
    if (!reader_split(reader, line)) {
        return false;
    }
    if (reader->count == 0) {
        return true;
    }
    uint32_t args = reader->count - 1;
    const struct directive *directive = find_directive(reader->words[0], reader->generation);
    if (!directive) {
        return reader_fail(reader, "'%.40s' is no directive", reader->words[0]);
    }
    if (args < directive->min_args || args > directive->max_args) {
        return reader_fail(reader, "usage: %s %s", directive->name, directive->usage);
    }
    return directive->read(reader, reader->words + 1, args);
}

static bool read_lines(struct reader *reader, char *text)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        if (reader->where.line++ == READER_MAX_LINES) {
            return reader_unsupported(reader, "more than %d lines", READER_MAX_LINES);
        }
        if (!read_line(reader, line)) {
            return false;
        }
    }
    return true;
}

/* ---- Before and after the lines ---- */

/* What lies beyond the end of the disk is ignored. */
static void clip_allocated(struct disk_spec *disk)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->allocated_count; i++) {
        struct range_spec range = disk->allocated[i];
        if (range.offset < disk->bytes && range.bytes > 0) {
            range.bytes = min_u64(range.bytes, disk->bytes - range.offset);
            disk->allocated[kept++] = range;
        }
    }
    disk->allocated_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < disk->zero_count; i++) {
        struct range_spec range = disk->zeroes[i];
        if (range.offset < disk->bytes && range.bytes > 0) {
            range.bytes = min_u64(range.bytes, disk->bytes - range.offset);
            disk->zeroes[kept++] = range;
        }
    }
    disk->zero_count = kept;
}

static void begin(struct reader *reader)
{
    struct plan *plan = reader->plan;
    uint32_t source;
    plan->generation = reader->generation;
    words_node(reader, "source", &source);
    plan->job.source = source;
    plan->job.buffer_bytes = reader->generation == GENERATION_2_2 ? MIRROR_DEFAULT_BUFFER_BYTES : 0;
    plan->job.unmap = true;
    plan->job.auto_finalize = true;
    plan->job.auto_dismiss = true;
    plan->job.backing_mode = BACKING_LEAVE;
    plan->job.id = "job";
    plan->limits = limits_default();
    plan->limits.time_ns = DEFAULT_LIMIT_NS;
    plan->limits.events = MAX_EVENTS;
    *READER_APPEND(plan->arena, plan->timed, plan->timed_count) =
        (struct timed_spec){.action = {.kind = DO_START, .may_be_refused = true}};
}

/* Bounds memory: a world holds a few bits per chunk, and more per chunk buffer. */
static bool check_cost(struct reader *reader)
{
    const struct plan *plan = reader->plan;
    const struct disk_spec *source = &plan->disks[plan->job.source];
    const struct disk_spec *target = &plan->disks[plan->job.target];
    uint64_t granularity = plan->job.granularity > 0 && plan->job.kind == JOB_MIRROR
                               ? (uint64_t)plan->job.granularity
                               : MIN_DEFAULT_GRANULARITY;
    uint64_t buffer = plan->job.buffer_bytes > 0 ? (uint64_t)plan->job.buffer_bytes : 0;
    if (source->bytes / granularity > MAX_CHUNKS) {
        return reader_unsupported(reader, "more than %" PRIu64 " chunks", MAX_CHUNKS);
    }
    if (max_u64(buffer, target->cluster) / granularity > MAX_BUFFERS) {
        return reader_unsupported(reader, "more than %" PRIu64 " chunk buffers", MAX_BUFFERS);
    }
    return true;
}

static bool finish(struct reader *reader)
{
    struct plan *plan = reader->plan;
    const char *target = plan->job.kind == JOB_COMMIT ? "base" : "target";
    uint64_t source_bytes = plan->disks[plan->job.source].bytes;
    reader->where.line = 0;
    if (!words_node(reader, target, &plan->job.target)) {
        return false;
    }
    if (source_bytes == CONFIG_NO_LENGTH) {
        return reader_fail(reader, "no line says 'length source BYTES'");
    }
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        struct disk_spec *disk = &plan->disks[i];
        disk->bytes = disk->bytes == CONFIG_NO_LENGTH ? source_bytes : disk->bytes;
        clip_allocated(disk);
    }
    return check_cost(reader) && (reader->generation == GENERATION_2_2 || modern_finish(reader));
}

struct plan *config_read(const char *path, char *text, enum generation generation,
                         struct config_error *error)
{
    struct reader reader = {.plan = plan_create(), .generation = generation, .error = error};
    if (!reader.plan) {
        reader_fail(&reader, "no memory");
        return NULL;
    }
    reader.plan->file = arena_strdup(reader.plan->arena, path);
    reader.plan->name = reader.plan->file;
    reader.plan->case_name = "";
    begin(&reader);
    if (!read_lines(&reader, text) || !finish(&reader)) {
        plan_destroy(reader.plan);
        return NULL;
    }
    return reader.plan;
}

bool config_looks_modern(const char *text)
{
    struct config_error error;
    char *copy = strdup(text);
    if (!copy) {
        return false;
    }
    struct plan *plan = config_read("", copy, GENERATION_2_2, &error);
    bool is_old = plan != NULL || error.unsupported;
    free(copy);
    plan_destroy(plan);
    copy = is_old ? NULL : strdup(text);
    plan = copy ? config_read("", copy, GENERATION_MODERN, &error) : NULL;
    bool is_modern = copy && (plan != NULL || error.unsupported);
    free(copy);
    plan_destroy(plan);
    return is_modern;
}
