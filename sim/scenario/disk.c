/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `disks`, references to disks, and ranges on them.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
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

static FIELD_READER(read_index)
{
    disk_read_reference(loader, node, field_place(field, record));
}

static FIELD_WRITER(write_index)
{
    const uint32_t *disk = field_member(field, record);

    if (*disk != PLAN_NONE) {
        emit_word(emit, field->key, plan->disks[*disk].name);
    }
}

const struct shape shape_disk = {
    .kind = SHAPE_NAME, .thing = "disk", .read = read_index, .write = write_index};

/* ---- What is on a disk ---- */

static FIELD_READER(read_size)
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

static FIELD_READER(read_allocated)
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

/* Explicit zeroes. */
static FIELD_READER(read_zeroes)
{
    struct disk_spec *disk = record;
    uint32_t index = (uint32_t)(disk - loader->plan->disks);

    if (!read_sequence(loader, &node, field->key)) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct range_spec *range =
            read_append(loader, &disk->zeroes, &disk->zero_count, sizeof(*disk->zeroes));

        if (range_read(loader, item, &type_sectors, range)) {
            range_check(loader, item, range, index);
        }
    }
}

static FIELD_WRITER(write_zeroes)
{
    const struct disk_spec *disk = record;
    struct emit list = emit_open_below(emit, field->key, EMIT_FLOW_LIST);

    for (uint32_t i = 0; i < disk->zero_count; i++) {
        emit_item(&list);
        range_write(emit->file, disk->zeroes[i].offset, disk->zeroes[i].bytes);
    }
    emit_end(&list);
}

static FIELD_WRITER(write_allocated)
{
    const struct disk_spec *disk = record;
    struct emit list = emit_open_below(emit, field->key, EMIT_FLOW_LIST);

    if (!disk->has_allocated) {
        return;
    }
    if (disk->allocated_count == 0) {
        emit_word(emit, field->key, "none");
    }
    for (uint32_t i = 0; i < disk->allocated_count; i++) {
        emit_item(&list);
        range_write(emit->file, disk->allocated[i].offset, disk->allocated[i].bytes);
    }
    emit_end(&list);
}

struct backing {
    uint32_t disk;
    bool is_open;
};

static const struct field backing_fields[] = {
    FIELD("name", "The disk that the header names.", .shape = &shape_disk,
          MEMBER(struct backing, disk), .required = true),
    FIELD("state", "Is it open from the start? Default open.", .type = &type_backing_open,
          MEMBER(struct backing, is_open), .otherwise = true),
    FIELD_END};

static FIELD_READER(read_backing)
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

static FIELD_WRITER(write_backing)
{
    const struct disk_spec *disk = record;
    struct backing backing = {disk->backing, disk->backing_open};

    if (disk->backing_open) {
        emit_word(emit, field->key, plan->disks[disk->backing].name);
    } else if (disk->backing != PLAN_NONE) {
        write_mapping(emit, plan, field->key, backing_fields, &backing);
    }
}

static FIELD_READER(read_cluster)
{
    struct disk_spec *disk = record;
    int64_t bytes;

    if (value_read(loader, node, &type_cluster, &bytes)) {
        disk->cluster = bytes > 0 ? (uint64_t)bytes : 0;
        disk->cluster_unknown = bytes < 0;
    }
}

static FIELD_WRITER(write_cluster)
{
    const struct disk_spec *disk = record;

    if (disk->cluster_unknown || disk->cluster != 0) {
        write_value(emit, field->key, &type_cluster,
                    disk->cluster_unknown ? -1 : (int64_t)disk->cluster);
    }
}

/* A disk with clusters, or a backing file, can have one; of others the file has to say it. */
static bool has_format(const struct disk_spec *disk)
{
    return disk->cluster > 0 || disk->backing != PLAN_NONE;
}

static FIELD_WRITER(write_backing_possible)
{
    const struct disk_spec *disk = record;

    if (disk->backing_possible && !has_format(disk)) {
        emit_word(emit, field->key, "true");
    }
}

/* ---- Flags and bitmaps ---- */

FIELD_READER(disk_read_flags)
{
    uint32_t flags = 0;
    int64_t flag;

    if (read_sequence(loader, &node, "flags")) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            flags |= value_read(loader, item, &type_disk_flag, &flag) ? (uint32_t)flag : 0;
        }
    }
    field_store(field, record, flags);
}

FIELD_WRITER(disk_write_flags)
{
    uint32_t flags = (uint32_t)field_value(field, record);
    struct emit list = emit_open(emit->file, EMIT_FLOW_LIST);

    emit_key(emit, field->key);
    for (const struct word *word = type_disk_flag.words; word->text; word++) {
        if (flags & (uint32_t)word->value) {
            emit_list_word(&list, word->text);
        }
    }
    emit_end(&list);
}

const struct shape shape_disk_flags = {.kind = SHAPE_LIST,
                                       .of = VALUE_OF(type_disk_flag),
                                       .read = disk_read_flags,
                                       .write = disk_write_flags};

static FIELD_READER(read_flags)
{
    const struct disk_spec *disk = record;

    loader->flagged_disks |= 1u << (disk - loader->plan->disks);
    disk_read_flags(loader, node, field, record);
}

static FIELD_WRITER(write_flags)
{
    const struct disk_spec *disk = record;

    if (disk->flags != disk_default_flags(&plan->job, (uint32_t)(disk - plan->disks))) {
        disk_write_flags(emit, plan, field, record);
    }
}

/* Other users' dirty bitmaps: {NAME: granularity}. */
static FIELD_READER(read_bitmaps)
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

static FIELD_WRITER(write_bitmaps)
{
    const struct disk_spec *disk = record;
    struct emit bitmaps = emit_open_below(emit, field->key, EMIT_FLOW);

    for (uint32_t i = 0; i < disk->bitmap_count; i++) {
        write_value(&bitmaps, disk->bitmaps[i].name, &type_granularity,
                    (int64_t)disk->bitmaps[i].granularity);
    }
    emit_end(&bitmaps);
}

/* ---- Disks ---- */

/* `allocated` needs the size. */
static const struct field disk_fields[] = {
    FIELD("size", "Its length, a multiple of 512.", .type = &type_disk_bytes,
          MEMBER(struct disk_spec, bytes), .required = true, .read = read_size),
    FIELD("fill",
          "What it holds at first: unique (random is the same), each sector its own content; zero, "
          "the default; garbage, unique and not known to read zero.",
          .type = &type_fill, MEMBER(struct disk_spec, fill), .always = true),
    FIELD("allocated",
          "What is allocated at first: all, none or a list of ranges; default: all, but with zero "
          "as fill nothing.",
          .shape = ANY_OF(WORD_OF("all"), WORD_OF("none"), LIST_OF(&shape_range)),
          .read = read_allocated, .write = write_allocated),
    FIELD("backing", "The backing file; as a mapping, one that is named but may not be open.",
          .shape = ANY_OF(&shape_disk, MAPPING_OF("backing", backing_fields)), .read = read_backing,
          .write = write_backing),
    FIELD("cluster",
          "The allocation unit; default none; unknown: the question is answered with ENOTSUP.",
          .type = &type_cluster, MEMBER(struct disk_spec, cluster), .read = read_cluster,
          .write = write_cluster),
    FIELD("lanes", "Requests served at once; default unlimited.", .type = &type_small_count,
          MEMBER(struct disk_spec, lanes)),
    FIELD("bandwidth", "Bytes a second, shared by the lanes; default unlimited.",
          .type = &type_bandwidth, MEMBER(struct disk_spec, bandwidth)),
    FIELD("max-transfer", "Longer requests fail with EINVAL; default unlimited.",
          .type = &type_sectors_length, MEMBER(struct disk_spec, max_transfer)),
    FIELD("atomic",
          "Nothing tears within aligned pieces of this length: faults, power cuts and effects by "
          "sector; default 512.",
          .type = &type_sectors_length, MEMBER(struct disk_spec, atomic_bytes)),
    FIELD("max-segments",
          "Requests of more segments fail with EINVAL; default unlimited. In generation modern the "
          "job asks and keeps to it; default 1024.",
          .type = &type_small_count, MEMBER(struct disk_spec, max_segments)),
    FIELD("latency", "How long requests take: all of them, or by operation.",
          .shape = &shape_latency),
    FIELD("effect",
          "When data moves: complete (default), start, choice, or sector: each sector at an "
          "instant of its own choice.",
          .type = &type_effect, MEMBER(struct disk_spec, effect), .otherwise = EFFECT_AT_COMPLETE),
    FIELD("cache", "volatile: what is not flushed can be lost by a power cut; default none.",
          .type = &type_cache, MEMBER(struct disk_spec, volatile_cache)),
    FIELD("zeroes", "Ranges that begin as explicit zeroes.", .shape = LIST_OF(&shape_range),
          .read = read_zeroes, .write = write_zeroes, IN_MODERN),
    FIELD("subcluster", "What is allocated at once; default: the cluster.",
          .type = &type_subcluster, MEMBER(struct disk_spec, subcluster), IN_MODERN),
    FIELD("unmap", "It can write zeroes by unmapping.", .shape = &shape_flag,
          MEMBER(struct disk_spec, can_unmap), IN_MODERN),
    FIELD("detect-zeroes",
          "What becomes of data that is all zero: it is said to stay (default), to be written as "
          "zeroes, or to be unmapped.",
          .type = &type_detect_zeroes, MEMBER(struct disk_spec, detect_zeroes),
          .otherwise = DETECT_OFF, IN_MODERN),
    FIELD("read-only", "It is, at first.", .shape = &shape_flag,
          MEMBER(struct disk_spec, read_only), IN_MODERN),
    FIELD("backing-possible",
          "A backing file can be attached; one with clusters or a backing file needs not say so.",
          .shape = &shape_flag, MEMBER(struct disk_spec, backing_possible),
          .write = write_backing_possible, IN_MODERN),
    FIELD("flags",
          "Open flags. Default for source and target of a mirror and the top of a commit: rdwr "
          "and write-back; for others write-back.",
          .shape = &shape_disk_flags, MEMBER(struct disk_spec, flags), .read = read_flags,
          .write = write_flags, .turn = 1),
    FIELD("bitmaps", "Dirty bitmaps of other users by granularity: the job leaves them alone.",
          .shape = SHAPE_OF(.kind = SHAPE_NAMES, .of = VALUE_OF(type_granularity),
                            .most = DISK_MAX_BITMAPS),
          .read = read_bitmaps, .write = write_bitmaps),
    FIELD("io-status", "untracked: no stop on error; default tracked.",
          .type = &type_io_status_tracking, MEMBER(struct disk_spec, tracks_io_status),
          .otherwise = true, .turn = 1),
    FIELD("access", "blocked: by another user; default free.", .type = &type_access,
          MEMBER(struct disk_spec, blocked), .turn = 1),
    FIELD("role", "filter: a filter node; default format.", .type = &type_role,
          MEMBER(struct disk_spec, filter), .turn = 1),
    FIELD_END};

const struct shape shape_disks = {.kind = SHAPE_NAMES,
                                  .of = MAPPING_OF("disk", disk_fields),
                                  .most = PLAN_MAX_DISKS,
                                  .read = disk_read_all,
                                  .write = disk_write_all};

static void set_defaults(const struct plan *plan, struct disk_spec *disk)
{
    if (plan->generation == GENERATION_MODERN) {
        disk->read_effect = EFFECT_AT_START;
    }
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

FIELD_READER(disk_read_all)
{
    struct plan *plan = record;
    const struct yaml_node *entry;

    if (node->kind != YAML_MAPPING) {
        return;
    }
    entry = node->first;
    for (uint32_t i = 0; i < plan->disk_count; i++, entry = entry->next) {
        struct disk_spec *disk = &plan->disks[i];

        set_defaults(plan, disk);
        read_fields(loader, entry, "disk", disk_fields, disk);
        disk->backing_possible |= plan->generation == GENERATION_MODERN && has_format(disk);
    }
    entry = node->first;
    for (uint32_t i = 0; i < plan->disk_count; i++, entry = entry->next) {
        check_backing_cycle(loader, entry, i);
    }
}

FIELD_WRITER(disk_write_all)
{
    struct emit disks = emit_open_below(emit, field->key, EMIT_BLOCK);

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        write_mapping(&disks, plan, plan->disks[i].name, disk_fields, &plan->disks[i]);
    }
    emit_end(&disks);
}
