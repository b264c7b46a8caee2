/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `hold` steps: the faults that they arm.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* Names are read before. */
static FIELD_READER(skip)
{
}

static FIELD_WRITER(write_name)
{
    emit_word(emit, field->key, ((const struct fault_spec *)record)->name);
}

static const struct field hold_fields[] = {
    FIELD("name", "What release and wait call it.", .shape = &shape_name, .required = true,
          .read = skip, .write = write_name),
    FIELD("match", "The requests that it holds.", .shape = &shape_match, .required = true,
          .read = fault_read_match, .write = fault_write_match),
    FIELD("phase", "before-effect (default) or before-completion.", .type = &type_hold_phase,
          MEMBER(struct fault_spec, phase), .always = true),
    FIELD("times", "How many requests in a row, or forever; default 1.", .type = &type_times,
          MEMBER(struct fault_spec, times), .otherwise = 1),
    FIELD_END};

const struct shape shape_hold = {.kind = SHAPE_MAPPING, .name = "hold", .fields = hold_fields};

void fault_add_hold(struct loader *loader, const struct yaml_node *node)
{
    const struct yaml_node *name_node = yaml_get(read_resolve(loader, node), "name");
    const char *name = name_node ? read_name(loader, name_node, "hold") : NULL;
    struct fault_spec *hold = name ? fault_add(loader, name_node, name) : NULL;

    if (hold) {
        hold->kind = FAULT_HOLD;
    }
}

FIELD_READER(fault_read_hold)
{
    struct action *action = record;
    const struct yaml_node *name_node = yaml_get(read_resolve(loader, node), "name");
    const char *name = name_node ? read_text(loader, name_node, "hold's name") : NULL;
    uint32_t index = name ? fault_find(loader->plan, name) : PLAN_NONE;
    struct fault_spec ignored = {.kind = FAULT_HOLD};
    struct fault_spec *hold;

    if (index != PLAN_NONE) {
        action->index = index;
    }
    hold = index == PLAN_NONE ? &ignored : &loader->plan->faults[index];
    read_fields(loader, node, "hold", hold_fields, hold);
    fault_check_ops(loader, read_resolve(loader, node), hold);
}

FIELD_WRITER(fault_write_hold)
{
    const struct action *action = record;

    write_mapping(emit, plan, field->key, hold_fields, &plan->faults[action->index]);
}
