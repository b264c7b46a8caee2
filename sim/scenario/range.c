/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges of disks: {at:, len:}, or the name of a variable that is one.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

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

#define RANGE_FIELDS(place, length)                                                              \
    {                                                                                            \
        FIELD("at", "Where it begins.", .type = &(place), MEMBER(struct range_spec, offset),     \
              .required = true),                                                                 \
            FIELD("len", "How long it is.", .type = &(length), MEMBER(struct range_spec, bytes), \
                  .required = true),                                                             \
            FIELD_END                                                                            \
    }

static const struct field sector_range_fields[] = RANGE_FIELDS(type_sectors, type_sectors_length);
static const struct field range_fields[] = RANGE_FIELDS(type_bytes, type_bytes_length);

const struct shape shape_range = {
    .kind = SHAPE_ANY,
    .name = "range",
    .any = ALTERNATIVES(SHAPE_OF(.kind = SHAPE_NAME, .thing = "variable"),
                        MAPPING_OF("range-keys", range_fields))};

bool range_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                struct range_spec *range)
{
    node = read_range_name(loader, read_resolve(loader, node));
    if (!node) {
        return false;
    }
    *range = (struct range_spec){0, 0};
    read_fields(loader, node, "a range", type == &type_sectors ? sector_range_fields : range_fields,
                range);
    return range->bytes > 0;
}

void range_write(FILE *file, uint64_t offset, uint64_t bytes)
{
    struct emit emit = emit_open(file, EMIT_FLOW);

    write_fields(&emit, NULL, range_fields, &(struct range_spec){offset, bytes});
    emit_end(&emit);
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
