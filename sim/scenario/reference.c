/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of faults, holds and marks, where the file refers to them.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

uint32_t fault_find(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (strcmp(plan->faults[i].name, name) == 0) {
            return i;
        }
    }
    return PLAN_NONE;
}

bool fault_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *fault)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "fault's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    *fault = fault_find(plan, name);
    if (*fault == PLAN_NONE) {
        nearest = nearest_to(name);
        for (uint32_t i = 0; i < plan->fault_count; i++) {
            nearest_offer(&nearest, plan->faults[i].name);
        }
        read_unknown_name(loader, node, "fault or hold", name, &nearest);
    }
    return *fault != PLAN_NONE;
}

bool fault_read_mark(struct loader *loader, const struct yaml_node *node, uint32_t *mark)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "mark's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    nearest = nearest_to(name);
    for (uint32_t i = 0; i < plan->mark_count; i++) {
        if (strcmp(plan->marks[i], name) == 0) {
            *mark = i;
            return true;
        }
        nearest_offer(&nearest, plan->marks[i]);
    }
    read_unknown_name(loader, node, "mark", name, &nearest);
    return false;
}

static FIELD_READER(read_mark)
{
    fault_read_mark(loader, node, field_place(field, record));
}

static FIELD_WRITER(write_mark)
{
    const uint32_t *mark = field_member(field, record);

    emit_word(emit, field->key, plan->marks[*mark]);
}

const struct shape shape_fault = {.kind = SHAPE_NAME, .thing = "fault"};
const struct shape shape_mark = {
    .kind = SHAPE_NAME, .thing = "mark", .read = read_mark, .write = write_mark};
