/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations about disks: what they hold, how long they are, who is on them.
 *
 * Declared in sim/scenario/expect.h, with the rest of `expect`.
 */
#include "sim/scenario/expect.h"

/* ---- Two disks ---- */

static FIELD_READER(read_pair)
{
    struct expect_spec *expect = record;

    if (!read_sequence(loader, &node, "two disks")) {
        return;
    }
    if (node->count != 2) {
        read_mistake(loader, node, "name two disks, [a, b]");
        return;
    }
    disk_read_reference(loader, node->first, &expect->a);
    disk_read_reference(loader, node->first->next, &expect->b);
}

static void write_pair(FILE *file, const struct plan *plan, const struct expect_spec *expect)
{
    struct emit pair = emit_open(file, EMIT_FLOW_LIST);

    emit_list_word(&pair, plan->disks[expect->a].name);
    emit_list_word(&pair, plan->disks[expect->b].name);
    emit_end(&pair);
}

static FIELD_WRITER(write_disks)
{
    emit_key(emit, field->key);
    write_pair(emit->file, plan, record);
}

static const struct shape shape_pair = {
    .kind = SHAPE_LIST, .of = &shape_disk, .least = 2, .most = 2};

static const struct field compare_fields[] = {
    FIELD("disks", "The two disks.", .shape = &shape_pair, .required = true, .read = read_pair,
          .write = write_disks),
    FIELD("at", "Where the part begins.", .type = &type_sectors, MEMBER(struct expect_spec, offset),
          .needs = "len", .always = true),
    FIELD("len", "How long the part is.", .type = &type_sectors_length,
          MEMBER(struct expect_spec, bytes), .needs = "at"),
    FIELD_END};

const struct shape shape_compared = {
    .kind = SHAPE_ANY, .any = ALTERNATIVES(&shape_pair, MAPPING_OF("comparison", compare_fields))};

FIELD_READER(expect_read_compared)
{
    struct expect_spec *expect = expect_add(loader, node, (enum expect_kind)field->kind);
    struct range_spec range;

    node = read_resolve(loader, node);
    if (node->kind != YAML_MAPPING) {
        read_pair(loader, node, field, expect);
        return;
    }
    read_fields(loader, node, "a comparison", compare_fields, expect);
    if (!yaml_get(node, "at") != !yaml_get(node, "len")) {
        read_mistake(loader, node, "a part of a disk has both `at` and `len`");
    }
    range = (struct range_spec){expect->offset, expect->bytes};
    if (expect->a != PLAN_NONE) {
        range_check(loader, node, &range, expect->a);
    }
    if (expect->b != PLAN_NONE) {
        range_check(loader, node, &range, expect->b);
    }
}

FIELD_WRITER(expect_write_compared)
{
    const struct expect_spec *expect = record;

    if (expect->bytes == 0) {
        emit_key(emit, field->key);
        write_pair(emit->file, plan, expect);
    } else {
        write_mapping(emit, plan, field->key, compare_fields, expect);
    }
}

/* ---- One sector ---- */

static FIELD_READER(read_tag)
{
    struct expect_spec *expect = record;
    const char *name = read_name(loader, node, "tag");

    expect->content = SECTOR_GUEST_TAG;
    expect->tag = name ? guest_find_tag(loader, node, name) : NULL;
}

static FIELD_READER(read_fill)
{
    struct expect_spec *expect = record;

    expect->content = SECTOR_FILL_OF;
    disk_read_reference(loader, node, &expect->b);
}

static FIELD_READER(read_zero)
{
    struct expect_spec *expect = record;

    expect->content = SECTOR_ZERO;
    read_flag(loader, node);
}

/* What the sector holds, under the key that says so. */
static FIELD_WRITER(write_content)
{
    const struct expect_spec *expect = record;

    if (expect->content != (enum sector_content)field->kind) {
        return;
    }
    switch (expect->content) {
    case SECTOR_GUEST_TAG:
        emit_word(emit, field->key, expect->tag);
        break;
    case SECTOR_FILL_OF:
        emit_word(emit, field->key, plan->disks[expect->b].name);
        break;
    case SECTOR_ZERO:
        emit_word(emit, field->key, "true");
        break;
    }
}

#define CONTENTS_GROUP 1

#define CONTENT(key, doc, shape_, kind_, read_)                                                    \
    FIELD(key, doc, .shape = &(shape_), .kind = (kind_), .group = CONTENTS_GROUP, .read = (read_), \
          .write = write_content)

static const struct field sector_fields[] = {
    FIELD("disk", "The disk.", .shape = &shape_disk, MEMBER(struct expect_spec, a),
          .required = true),
    FIELD("at", "Where the sector is.", .type = &type_sectors, MEMBER(struct expect_spec, offset),
          .required = true),
    CONTENT("tag", "What the guest request of this tag has written there.", shape_name,
            SECTOR_GUEST_TAG, read_tag),
    CONTENT("fill", "What this disk held there at first.", shape_disk, SECTOR_FILL_OF, read_fill),
    CONTENT("zero", "Zeroes.", shape_flag, SECTOR_ZERO, read_zero),
    FIELD_END};

const struct shape shape_sector = {
    .kind = SHAPE_MAPPING, .name = "sector", .fields = sector_fields};

FIELD_READER(expect_read_sector)
{
    struct expect_spec *expect = expect_add(loader, node, EXPECT_SECTOR);
    struct range_spec range;

    node = read_resolve(loader, node);
    read_fields(loader, node, "sector", sector_fields, expect);
    if (node->kind == YAML_MAPPING && read_count_group(node, sector_fields, CONTENTS_GROUP) != 1) {
        read_mistake(loader, node, "a sector holds one of tag, fill and zero");
    }
    range = (struct range_spec){expect->offset, 512};
    if (expect->a != PLAN_NONE) {
        range_check(loader, node, &range, expect->a);
    }
}

/* ---- Disks by name ---- */

FIELD_READER(expect_read_guest_on)
{
    disk_read_reference(loader, node, &expect_add(loader, node, EXPECT_GUEST_ON)->a);
}

/* {DISK: ...}: an expectation for each entry; NULL once there are no more. */
static struct expect_spec *read_disk_entry(struct loader *loader, const struct yaml_node *entry,
                                           enum expect_kind kind)
{
    struct expect_spec *expect = expect_add(loader, entry, kind);
    uint32_t disk = plan_find_disk(loader->plan, entry->key->text);

    expect->a = disk;
    if (disk == PLAN_NONE) {
        disk_read_reference(loader, entry->key, &expect->a);
    }
    return expect;
}

FIELD_READER(expect_read_backing)
{
    if (!read_mapping(loader, &node, field->key)) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = read_disk_entry(loader, entry, EXPECT_BACKING);
        const char *text = read_text(loader, entry, "disk's name");

        if (text && strcmp(text, "none") != 0) {
            disk_read_reference(loader, entry, &expect->b);
        }
    }
}

FIELD_WRITER(expect_write_backing)
{
    const struct expect_spec *expect = record;
    struct emit backing = emit_open_below(emit, field->key, EMIT_FLOW);

    emit_word(&backing, plan->disks[expect->a].name,
              expect->b == PLAN_NONE ? "none" : plan->disks[expect->b].name);
    emit_end(&backing);
}

/* `length` and `allocated`. */
FIELD_READER(expect_read_amounts)
{
    int64_t bytes;

    if (!read_mapping(loader, &node, field->key)) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        struct expect_spec *expect = read_disk_entry(loader, entry, (enum expect_kind)field->kind);

        if (value_read(loader, entry, &type_bytes, &bytes)) {
            expect->count = (uint64_t)bytes;
        }
    }
}

FIELD_WRITER(expect_write_amount)
{
    const struct expect_spec *expect = record;
    struct emit amount = emit_open_below(emit, field->key, EMIT_FLOW);

    write_value(&amount, plan->disks[expect->a].name, &type_bytes, (int64_t)expect->count);
    emit_end(&amount);
}

static void read_durable(struct loader *loader, const struct yaml_node *node)
{
    struct expect_spec *expect = expect_add(loader, node, EXPECT_DURABLE);

    if (disk_read_reference(loader, node, &expect->a) &&
        !loader->plan->disks[expect->a].volatile_cache) {
        read_mistake(loader, node, "only a disk with \"cache: volatile\" can lose anything");
    }
}

FIELD_READER(expect_read_durable)
{
    node = read_resolve(loader, node);
    if (node->kind != YAML_SEQUENCE) {
        read_durable(loader, node);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_durable(loader, item);
    }
}

FIELD_WRITER(expect_write_durable)
{
    const struct expect_spec *expect = record;

    emit_word(emit, field->key, plan->disks[expect->a].name);
}
