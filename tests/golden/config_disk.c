/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directives about one disk: its length, latencies, content, links and flags.
 */
#include <string.h>

#include "engine/range.h"
#include "tests/golden/reader.h"

static struct disk_spec *read_disk(struct reader *reader, const char *word)
{
    uint32_t disk;
    return words_node(reader, word, &disk) ? &reader->plan->disks[disk] : NULL;
}

static bool read_length(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    return disk && words_bytes(reader, args[1], &disk->bytes);
}

static bool read_latency(struct reader *reader, char **args, uint32_t count)
{
    static const struct word_value ops[] = {
        {"read", OP_READ}, {"write", OP_WRITE}, {"flush", OP_FLUSH}, {NULL, 0}};
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    int op;
    return disk && words_choice(reader, args[1], ops, &op) &&
           words_time(reader, args[2], &disk->latency[op].a_ns);
}

static bool read_alloc(struct reader *reader, char **args, uint32_t count)
{
    struct disk_spec *disk = read_disk(reader, args[0]);
    if (!disk) {
        return false;
    }
    disk->has_allocated = true;
    disk->fill = disk->fill == FILL_ZERO ? FILL_UNIQUE : disk->fill;
    if (count == 2) {
        return strcmp(args[1], "none") == 0 ||
               reader_fail(reader, "usage: alloc NODE OFFSET BYTES, or alloc NODE none");
    }
    struct range_spec *range =
        READER_APPEND(reader->plan->arena, disk->allocated, disk->allocated_count);
    return words_bytes(reader, args[1], &range->offset) &&
           words_bytes(reader, args[2], &range->bytes);
}

static bool read_link(struct reader *reader, char **args, bool open)
{
    uint32_t disk;
    uint32_t backing;
    if (!words_node(reader, args[0], &disk) || !words_node(reader, args[1], &backing)) {
        return false;
    }
    struct plan *plan = reader->plan;
    plan->disks[disk].backing = PLAN_NONE;
    for (uint32_t node = backing; node != PLAN_NONE; node = plan->disks[node].backing) {
        if (node == disk) {
            return reader_fail(reader, "'%s' would be in its own backing chain", args[0]);
        }
    }
    plan->disks[disk].backing = backing;
    plan->disks[disk].backing_possible = reader->generation == GENERATION_MODERN;
    plan->disks[disk].backing_open = open;
    return true;
}

static bool read_backing(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return read_link(reader, args, true);
}

static bool read_backing_file(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    return read_link(reader, args, false);
}

static bool read_cluster(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    if (!disk || !words_bytes(reader, args[1], &disk->cluster)) {
        return false;
    }
    disk->backing_possible = reader->generation == GENERATION_MODERN;
    return disk->cluster == 0 || is_power_of_two(disk->cluster) ||
           reader_unsupported(reader, "a cluster of no power of two");
}

static bool read_init(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    if (!disk) {
        return false;
    }
    if (strcmp(args[1], "garbage") != 0) {
        return reader_fail(reader, "usage: init NODE garbage");
    }
    disk->fill = FILL_GARBAGE;
    return true;
}

static bool read_flags(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    uint64_t flags;
    if (!disk || !words_number(reader, args[1], &flags)) {
        return false;
    }
    disk->flags = (uint32_t)flags;
    return flags <= UINT32_MAX || reader_fail(reader, "flags of more than 32 bits");
}

static bool read_iostatus(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    uint64_t enabled;
    if (!disk || !words_number(reader, args[1], &enabled)) {
        return false;
    }
    disk->tracks_io_status = enabled != 0;
    return true;
}

static bool read_blocked(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    return disk && (disk->blocked = true);
}

static bool read_filter(struct reader *reader, char **args, uint32_t count)
{
    (void)count;
    struct disk_spec *disk = read_disk(reader, args[0]);
    return disk && (disk->filter = true);
}

const struct directive disk_directives[] = {
    {"length", 2, 2, read_length, "NODE BYTES", 0},
    {"latency", 3, 3, read_latency, "NODE read|write|flush NS", ONLY_2_2},
    {"alloc", 2, 3, read_alloc, "NODE OFFSET BYTES, or alloc NODE none", ONLY_2_2},
    {"backing", 2, 2, read_backing, "NODE BACKING", 0},
    {"backing_file", 2, 2, read_backing_file, "NODE BACKING", 0},
    {"cluster", 2, 2, read_cluster, "NODE BYTES", 0},
    {"init", 2, 2, read_init, "NODE garbage", 0},
    {"blocked", 1, 1, read_blocked, "NODE", ONLY_2_2},
    {"filter", 1, 1, read_filter, "NODE", ONLY_2_2},
    {"flags", 2, 2, read_flags, "NODE FLAGS", ONLY_2_2},
    {"iostatus", 2, 2, read_iostatus, "NODE 0|1", ONLY_2_2},
    {0},
};
