/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values that a file leaves open: {choose: [...]} and {range: [a, b]}.
 *
 * Declared in sim/scenario/value.h: values are read there.
 */
#include "sim/scenario/value.h"

#include <inttypes.h>

#include "sim/scenario/private.h"

/* A range with more values than this needs a step. */
#define MAX_RANGE_VALUES (INT64_C(1) << 31)

/* One decision per place in the file; NULL after noting that there are too many. */
static struct decision *find_decision(struct loader *loader, const struct yaml_node *node)
{
    struct decision *decision = loader->decisions;

    while (decision && decision->node != node) {
        decision = decision->next;
    }
    if (decision) {
        return decision;
    }
    if (loader->decision_count == SCENARIO_MAX_DECISIONS) {
        read_mistake(loader, node, "too many choices: %d are the most", SCENARIO_MAX_DECISIONS);
        return NULL;
    }
    decision = arena_alloc(loader->arena, sizeof(*decision));
    decision->next = loader->decisions;
    decision->node = node;
    decision->site = arena_printf(loader->arena, "choose %" PRIu32 ":%" PRIu32, node->where.line,
                                  node->where.column);
    loader->decisions = decision;
    loader->decision_count++;
    return decision;
}

/* A place that is read twice, by a variable, keeps its answer. */
static bool decide(struct loader *loader, const struct yaml_node *node, uint32_t bound,
                   uint32_t *pick)
{
    struct decision *decision = find_decision(loader, node);

    if (!decision) {
        return false;
    }
    if (loader->choices && !decision->is_made) {
        decision->pick =
            choose(loader->choices, choices_site(loader->choices, decision->site), bound);
        decision->is_made = true;
    }
    *pick = decision->pick % bound;
    return true;
}

/* What a check goes on with. */
static int64_t worse(const struct loader *loader, int64_t a, int64_t b)
{
    return (a < b) == loader->want_least ? a : b;
}

static bool check_choose(struct loader *loader, const struct yaml_node *list,
                         const struct value_type *type, int64_t *value)
{
    uint32_t found = 0;

    for (const struct yaml_node *item = list->first; item; item = item->next) {
        int64_t alternative;

        if (value_read(loader, item, type, &alternative)) {
            *value = found++ ? worse(loader, *value, alternative) : alternative;
        }
    }
    return found == list->count;
}

static bool read_choose(struct loader *loader, const struct yaml_node *node,
                        const struct value_type *type, int64_t *value)
{
    const struct yaml_node *list = read_single(loader, node, "a choice is one {choose: [...]}");
    const struct yaml_node *item;
    uint32_t pick;

    if (!list || !read_sequence(loader, &list, "choose")) {
        return false;
    }
    if (list->count == 0) {
        read_mistake(loader, list, "choose needs something to choose from");
        return false;
    }
    if (!decide(loader, node, list->count, &pick)) {
        return false;
    }
    if (loader_is_checking(loader)) {
        return check_choose(loader, list, type, value);
    }
    item = list->first;
    while (pick-- > 0) {
        item = item->next;
    }
    return value_read(loader, item, type, value);
}

/* Microseconds and sectors, if both ends are whole ones. */
static int64_t default_step(const struct value_type *type, int64_t low, int64_t high)
{
    int64_t step = type->range_step > 0 ? type->range_step : 1;

    return low % step == 0 && high % step == 0 ? step : type->multiple > 1 ? type->multiple : 1;
}

static bool read_step(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *step)
{
    struct value_type step_type = *type;

    step_type.min = type->multiple > 1 ? type->multiple : 1;
    step_type.words = NULL;
    return value_read_fixed(loader, node, &step_type, step);
}

static bool read_range_shape(struct loader *loader, const struct yaml_node *node,
                             const struct value_type *type, int64_t ends[2], int64_t *step)
{
    const struct yaml_node *list = yaml_get(node, "range");
    const struct yaml_node *step_node = yaml_get(node, "step");
    struct value_type number = *type;

    if (!type->units || type->power_of_two) {
        read_mistake(loader, node, "a %s can't be left to a range; use choose", type->what);
        return false;
    }
    if (!read_sequence(loader, &list, "range")) {
        return false;
    }
    if (list->count != 2 || node->count != 1u + (step_node != NULL)) {
        read_mistake(loader, node, "a range is written {range: [least, greatest]}, or with step:");
        return false;
    }
    number.words = NULL;
    if (!value_read_fixed(loader, list->first, &number, &ends[0]) ||
        !value_read_fixed(loader, list->first->next, &number, &ends[1])) {
        return false;
    }
    *step = default_step(type, ends[0], ends[1]);
    return !step_node || read_step(loader, step_node, type, step);
}

static bool read_range(struct loader *loader, const struct yaml_node *node,
                       const struct value_type *type, int64_t *value)
{
    int64_t ends[2];
    int64_t step;
    int64_t count;
    uint32_t pick;

    if (!read_range_shape(loader, node, type, ends, &step)) {
        return false;
    }
    if (ends[0] > ends[1]) {
        read_mistake(loader, node, "the range ends before it begins");
        return false;
    }
    if (__builtin_sub_overflow(ends[1], ends[0], &count) || count / step >= MAX_RANGE_VALUES) {
        read_mistake(loader, node, "the range has more than 2^31 values: give it a step");
        return false;
    }
    count = count / step + 1;
    if (!decide(loader, node, (uint32_t)count, &pick)) {
        return false;
    }
    if (loader_is_checking(loader)) {
        pick = loader->want_least ? 0 : (uint32_t)count - 1;
    }
    *value = ends[0] + step * pick;
    return true;
}

bool value_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                int64_t *value)
{
    node = read_resolve(loader, node);
    if (yaml_get(node, "choose")) {
        return read_choose(loader, node, type, value);
    }
    if (yaml_get(node, "range")) {
        return read_range(loader, node, type, value);
    }
    return value_read_fixed(loader, node, type, value);
}

bool value_read_least(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *value)
{
    bool before = loader->want_least;
    bool found;

    loader->want_least = true;
    found = value_read(loader, node, type, value);
    loader->want_least = before;
    return found;
}
