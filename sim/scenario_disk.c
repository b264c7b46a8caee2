/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `disks`, references to disks, and ranges on them.
 */
#include <inttypes.h>

#include "sim/scenario_private.h"

#define US UINT64_C(1000)

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
    variable = name ? yaml_get(yaml_get(loader->root, "vars"), name) : NULL;
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

/* A commit grows its base to the length of the top. */
static uint64_t disk_end(const struct plan *plan, uint32_t disk)
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

/* ---- Latencies ---- */

static void read_uniform(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t ends[2];

    if (!read_sequence(loader, &node, "uniform")) {
        return;
    }
    if (node->count != 2) {
        read_mistake(loader, node, "uniform is written [least, greatest]");
    } else if (value_read(loader, node->first, &type_time, &ends[0]) &&
               value_read_least(loader, node->first->next, &type_time, &ends[1])) {
        *latency = (struct latency_spec){
            .kind = LATENCY_UNIFORM, .a_ns = (uint64_t)ends[0], .b_ns = (uint64_t)ends[1]};
    }
}

static void read_exponential(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t mean;

    if (value_read(loader, node, &type_time, &mean)) {
        *latency = (struct latency_spec){.kind = LATENCY_EXPONENTIAL, .a_ns = (uint64_t)mean};
    }
}

static void read_p50(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        *latency = (struct latency_spec){.kind = LATENCY_PERCENTILES, .a_ns = (uint64_t)time};
    }
}

static void read_greatest(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint64_t *time_ns = record;
    int64_t time;

    if (value_read_least(loader, node, &type_time, &time)) {
        *time_ns = (uint64_t)time;
    }
}

static const struct field distribution_fields[] = {
    FIELD_WHOLE("uniform", read_uniform),
    FIELD_WHOLE("exponential", read_exponential),
    FIELD_WHOLE("p50", read_p50),
    FIELD_PART("p99", read_greatest, struct latency_spec, b_ns),
    FIELD_VALUE("min", type_time, struct latency_spec, min_ns),
    FIELD_PART("max", read_greatest, struct latency_spec, max_ns),
    FIELD_END};

static bool is_distribution(const struct yaml_node *node)
{
    return yaml_get(node, "uniform") || yaml_get(node, "exponential") || yaml_get(node, "p50") ||
           yaml_get(node, "p99");
}

static bool is_value(const struct yaml_node *node)
{
    return node->kind != YAML_MAPPING || yaml_get(node, "choose") || yaml_get(node, "range");
}

static void check_distribution(struct loader *loader, const struct yaml_node *node,
                               const struct latency_spec *latency)
{
    int kinds = (yaml_get(node, "uniform") != NULL) + (yaml_get(node, "exponential") != NULL) +
                (yaml_get(node, "p50") != NULL);

    if (kinds != 1 || !yaml_get(node, "p50") != !yaml_get(node, "p99")) {
        read_mistake(loader, node,
                     "a distribution is one of {uniform: [a, b]}, {exponential: mean} and "
                     "{p50: a, p99: b}");
    } else if (loader_is_checking(loader) && latency->kind != LATENCY_EXPONENTIAL &&
               latency->a_ns > latency->b_ns) {
        read_mistake(loader, node, "the greater time comes second");
    } else if (loader_is_checking(loader) && latency->max_ns > 0 &&
               latency->min_ns > latency->max_ns) {
        read_mistake(loader, node, "min is greater than max");
    }
}

static void read_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t time;

    node = read_resolve(loader, node);
    if (is_value(node)) {
        if (value_read(loader, node, &type_time, &time)) {
            *latency = (struct latency_spec){.kind = LATENCY_FIXED, .a_ns = (uint64_t)time};
        }
        return;
    }
    *latency = (struct latency_spec){.kind = LATENCY_FIXED};
    read_fields(loader, node, "a latency", distribution_fields, latency);
    check_distribution(loader, node, latency);
}

/* Zeroes and discards take as long as writes unless the file says otherwise. */
static void read_write_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;

    read_latency(loader, node, &latency[OP_WRITE]);
    latency[OP_WRITE_ZEROES] = latency[OP_WRITE];
    latency[OP_DISCARD] = latency[OP_WRITE];
}

#define LATENCY_OF(key, op)                                                                        \
    {                                                                                              \
        key, false, read_latency, NULL, (op) * sizeof(struct latency_spec),                        \
            sizeof(struct latency_spec)                                                            \
    }

static const struct field latency_fields[] = {LATENCY_OF("read", OP_READ),
                                              FIELD_WHOLE("write", read_write_latency),
                                              LATENCY_OF("write-zeroes", OP_WRITE_ZEROES),
                                              LATENCY_OF("discard", OP_DISCARD),
                                              LATENCY_OF("flush", OP_FLUSH),
                                              LATENCY_OF("block-status", OP_STATUS),
                                              FIELD_END};

static void read_latencies(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;

    node = read_resolve(loader, node);
    if (!is_value(node) && !is_distribution(node)) {
        read_fields(loader, node, "latency", latency_fields, latency);
        return;
    }
    read_write_latency(loader, node, latency);
    latency[OP_READ] = latency[OP_WRITE];
    latency[OP_FLUSH] = latency[OP_WRITE];
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

static void read_flags(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct disk_spec *disk = record;
    int64_t flag;

    loader->flagged_disks |= 1u << (disk - loader->plan->disks);
    if (!read_sequence(loader, &node, "flags")) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (value_read(loader, item, &type_disk_flag, &flag)) {
            disk->flags |= (uint32_t)flag;
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
    FIELD_PART("latency", read_latencies, struct disk_spec, latency),
    FIELD_VALUE("effect", type_effect, struct disk_spec, effect),
    FIELD_VALUE("cache", type_cache, struct disk_spec, volatile_cache),
    FIELD_WHOLE("flags", read_flags),
    FIELD_VALUE("io-status", type_io_status_tracking, struct disk_spec, tracks_io_status),
    FIELD_VALUE("access", type_access, struct disk_spec, blocked),
    FIELD_VALUE("role", type_role, struct disk_spec, filter),
    FIELD_END};

static void set_defaults(struct disk_spec *disk)
{
    for (uint32_t op = 0; op < OP_COUNT; op++) {
        disk->latency[op] = (struct latency_spec){.kind = LATENCY_FIXED};
    }
    disk->latency[OP_READ].a_ns = 100 * US;
    disk->latency[OP_WRITE].a_ns = 100 * US;
    disk->latency[OP_WRITE_ZEROES].a_ns = 100 * US;
    disk->latency[OP_DISCARD].a_ns = 100 * US;
    disk->latency[OP_FLUSH].a_ns = 50 * US;
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
