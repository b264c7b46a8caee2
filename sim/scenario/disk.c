/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `disks`, references to disks, and ranges on them.
 */
#include "sim/scenario/private.h"

/* ---- Names ---- */

void disk_read_names(struct loader *loader)
{
    const struct yaml_node *disks = yaml_get(loader->root, "disks");
    struct plan *plan = loader->plan;

    if (!disks || !read_mapping(loader, &disks, "disks")) {
        return;
    }
    for (const struct yaml_node *entry = disks->first; entry; entry = entry->next) {
        const char *name = read_name(loader, entry->key, "disk");

        if (plan->disk_count == PLAN_MAX_DISKS) {
            read_mistake(loader, entry->key, "too many disks: %d are the most", PLAN_MAX_DISKS);
            return;
        }
        plan->disks[plan->disk_count].where = entry->key->where;
        plan->disks[plan->disk_count++].name =
            name ? name : arena_strdup(loader->arena, entry->key->text);
    }
}

bool disk_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *disk)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "disk's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    *disk = plan_find_disk(plan, name);
    if (*disk == PLAN_NONE) {
        nearest = nearest_to(name);
        for (uint32_t i = 0; i < plan->disk_count; i++) {
            nearest_offer(&nearest, plan->disks[i].name);
        }
        read_unknown_name(loader, node, "disk", name, &nearest);
    }
    return *disk != PLAN_NONE;
}

void disk_read_index(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint32_t *index = record;

    disk_read_reference(loader, node, index);
}

/* ---- Ranges ---- */

/* The range itself, also if only the name of its variable stands there. */
static const struct yaml_node *read_range_name(struct loader *loader, const struct yaml_node *node)
{
    const struct yaml_node *variable;
    const char *name;

    if (node->kind != YAML_SCALAR) {
        return node;
    }
    name = read_text(loader, node, "range");
    variable = name ? read_variable(loader, name) : NULL;
    if (name && !variable) {
        read_mistake(loader, node,
                     "%s is no range: write {at: 64KiB, len: 4KiB} or the name of a variable",
                     read_quote(loader, name));
    }
    return variable;
}

bool range_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                struct range_spec *range)
{
    const struct value_type *length_type =
        type == &type_sectors ? &type_sectors_length : &type_bytes_length;
    const struct field fields[] = {
        {"at", true, NULL, type, offsetof(struct range_spec, offset), sizeof(uint64_t)},
        {"len", true, NULL, length_type, offsetof(struct range_spec, bytes), sizeof(uint64_t)},
        FIELD_END};

    node = read_range_name(loader, read_resolve(loader, node));
    if (!node) {
        return false;
    }
    *range = (struct range_spec){0, 0};
    read_fields(loader, node, "a range", fields, range);
    return range->bytes > 0;
}

uint64_t disk_end(const struct plan *plan, uint32_t disk)
{
    const struct plan_job *job = &plan->job;
    uint64_t end = plan->disks[disk].bytes;

    if (job->kind == JOB_COMMIT && disk == job->target && job->source != PLAN_NONE &&
        plan->disks[job->source].bytes > end) {
        end = plan->disks[job->source].bytes;
    }
    return end;
}

void range_check(struct loader *loader, const struct yaml_node *node,
                 const struct range_spec *range, uint32_t disk)
{
    uint64_t end;

    if (!loader_is_checking(loader) || !(loader->sized_disks >> disk & 1)) {
        return;
    }
    end = disk_end(loader->plan, disk);
    if (range->offset + range->bytes > end) {
        read_mistake(loader, node, "%s + %s goes beyond disk %s, which ends at %s",
                     value_format(loader, &type_bytes, (int64_t)range->offset),
                     value_format(loader, &type_bytes, (int64_t)range->bytes),
                     read_quote(loader, loader->plan->disks[disk].name),
                     value_format(loader, &type_bytes, (int64_t)end));
    }
}

/* ---- Disks ---- */

static void read_size(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;
    int64_t bytes;

    if (value_read_least(loader, node, &type_disk_bytes, &bytes)) {
        disk->bytes = (uint64_t)bytes;
        loader->sized_disks |= 1u << (disk - loader->plan->disks);
    }
}

static bool read_allocated_shape(struct loader *loader, const struct yaml_node *node)
{
    if (node->kind == YAML_SEQUENCE || read_is_word(loader, node, "all")) {
        return true;
    }
    read_mistake(loader, node, "allocated is all, none or a list of ranges");
    return false;
}

static struct range_spec *add_allocated(struct loader *loader, struct disk_spec *disk)
{
    return read_append(loader, &disk->allocated, &disk->allocated_count, sizeof(*disk->allocated));
}

static void read_allocated(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;
    uint32_t index = (uint32_t)(disk - loader->plan->disks);

    node = read_resolve(loader, node);
    disk->has_allocated = true;
    if (read_is_word(loader, node, "none") || !read_allocated_shape(loader, node)) {
        return;
    }
    if (read_is_word(loader, node, "all")) {
        *add_allocated(loader, disk) = (struct range_spec){0, disk->bytes};
        disk->allocated_count = disk->bytes > 0;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct range_spec *range = add_allocated(loader, disk);

        if (range_read(loader, item, &type_sectors, range)) {
            range_check(loader, item, range, index);
        }
    }
}

struct backing {
    uint32_t disk;
    bool is_open;
};

static const struct field backing_fields[] = {
    FIELD_NEEDED_PART("name", disk_read_index, struct backing, disk),
    FIELD_VALUE("state", type_backing_open, struct backing, is_open), FIELD_END};

static void read_backing(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;
    struct backing backing = {PLAN_NONE, true};

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, "backing", backing_fields, &backing);
    } else {
        disk_read_reference(loader, node, &backing.disk);
    }
    disk->backing = backing.disk;
    disk->backing_open = backing.disk != PLAN_NONE && backing.is_open;
}

static void read_cluster(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;
    int64_t bytes;

    if (value_read(loader, node, &type_cluster, &bytes)) {
        disk->cluster = bytes > 0 ? (uint64_t)bytes : 0;
        disk->cluster_unknown = bytes < 0;
    }
}

void disk_read_flags(struct loader *loader, const struct yaml_node *node, void *member)
{
    uint32_t *flags = member;
    int64_t flag;

    *flags = 0;
    if (!read_sequence(loader, &node, "flags")) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (value_read(loader, item, &type_disk_flag, &flag)) {
            *flags |= (uint32_t)flag;
        }
    }
}

static void read_flags(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;

    loader->flagged_disks |= 1u << (disk - loader->plan->disks);
    disk_read_flags(loader, node, &disk->flags);
}

/* Other users' dirty bitmaps: {NAME: granularity}. */
static void read_bitmaps(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;

    node = read_resolve(loader, node);
    if (!read_mapping(loader, &node, "bitmaps")) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        const char *name = read_name(loader, entry->key, "bitmap");
        struct bitmap_spec *bitmap;
        int64_t granularity;

        if (disk->bitmap_count == DISK_MAX_BITMAPS) {
            read_mistake(loader, entry->key, "too many bitmaps: %d are the most", DISK_MAX_BITMAPS);
            return;
        }
        if (!name || !value_read(loader, entry, &type_granularity, &granularity)) {
            continue;
        }
        if (disk->bytes / (uint64_t)granularity > DIRTY_MAX_CHUNKS) {
            read_mistake(loader, entry, "a bitmap of this granularity is too large for the disk");
        } else {
            bitmap = read_append(loader, &disk->bitmaps, &disk->bitmap_count, sizeof(*bitmap));
            *bitmap = (struct bitmap_spec){name, entry->where, (uint64_t)granularity};
        }
    }
}

/* `allocated` needs the size. */
static const struct field disk_fields[] = {
    {"size", true, read_size, NULL, 0, 0},
    FIELD_VALUE("fill", type_fill, struct disk_spec, fill),
    FIELD_WHOLE("allocated", read_allocated),
    FIELD_WHOLE("backing", read_backing),
    FIELD_WHOLE("cluster", read_cluster),
    FIELD_VALUE("lanes", type_small_count, struct disk_spec, lanes),
    FIELD_VALUE("bandwidth", type_bandwidth, struct disk_spec, bandwidth),
    FIELD_VALUE("max-transfer", type_sectors_length, struct disk_spec, max_transfer),
    FIELD_VALUE("max-segments", type_small_count, struct disk_spec, max_segments),
    FIELD_PART("latency", latency_read, struct disk_spec, latency),
    FIELD_VALUE("effect", type_effect, struct disk_spec, effect),
    FIELD_VALUE("cache", type_cache, struct disk_spec, volatile_cache),
    FIELD_WHOLE("flags", read_flags),
    FIELD_WHOLE("bitmaps", read_bitmaps),
    FIELD_VALUE("io-status", type_io_status_tracking, struct disk_spec, tracks_io_status),
    FIELD_VALUE("access", type_access, struct disk_spec, blocked),
    FIELD_VALUE("role", type_role, struct disk_spec, filter),
    FIELD_END};

static void set_defaults(struct disk_spec *disk)
{
    latency_set_defaults(disk->latency);
    disk->fill = FILL_ZERO;
    disk->tracks_io_status = true;
}

/* A chain that is longer than there are disks goes round. */
static void check_backing_cycle(struct loader *loader, const struct yaml_node *node, uint32_t disk)
{
    const struct plan *plan = loader->plan;
    uint32_t below = disk;

    for (uint32_t i = 0; i < plan->disk_count && below != PLAN_NONE; i++) {
        below = plan->disks[below].backing;
        if (below == disk) {
            read_mistake(loader, node, "disk %s is its own backing file, in the end",
                         read_quote(loader, plan->disks[disk].name));
            return;
        }
    }
}

void disk_read_all(struct loader *loader)
{
    const struct yaml_node *disks = yaml_get(loader->root, "disks");
    struct plan *plan = loader->plan;
    const struct yaml_node *entry;

    if (!disks || disks->kind != YAML_MAPPING) {
        return;
    }
    entry = disks->first;
    for (uint32_t i = 0; i < plan->disk_count; i++, entry = entry->next) {
        set_defaults(&plan->disks[i]);
        read_fields(loader, entry, "disk", disk_fields, &plan->disks[i]);
    }
    entry = disks->first;
    for (uint32_t i = 0; i < plan->disk_count; i++, entry = entry->next) {
        check_backing_cycle(loader, entry, i);
    }
}
