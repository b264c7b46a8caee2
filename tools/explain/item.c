/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of things that are left out: those of the scenario, with their
 * lines.
 */
#include "tools/explain/item.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

/* The name of an item and its place in the file. */
struct named {
    char *name;
    struct where where;
};

static struct named name_action(const struct action *action, const char *prefix)
{
    const char *tag = action->guest.tag;

    if (action->kind != DO_GUEST) {
        return (struct named){must_printf("%s%s", prefix, action_kind_name(action->kind)),
                              action->where};
    }
    return (struct named){must_printf("%sguest %s%s%s", prefix, op_name(action->guest.op),
                                      tag != NULL ? " " : "", tag != NULL ? tag : ""),
                          action->where};
}

static struct named name_fault(const struct fault_spec *fault)
{
    const char *kind = fault->kind == FAULT_HOLD ? "hold" : "fault";

    return (struct named){
        must_printf("%s %s", kind, fault->name != NULL ? fault->name : "without a name"),
        fault->where};
}

/* What was chosen, if the run has told it. */
static struct named name_choice(const struct told_choices *told, const struct choice_answer *choice)
{
    const struct told_choice *known = choices_find(told, choice->site, choice->nth);

    return (struct named){must_printf("the choice %" PRIu32 " at question %" PRIu32 " of %s%s%s%s",
                                      choice->pick, choice->nth, choice->site,
                                      known != NULL ? " (" : "", known != NULL ? known->words : "",
                                      known != NULL ? ")" : ""),
                          {0}};
}

static struct named name_item(const struct plan *plan, const struct told_choices *told,
                              struct item item)
{

    switch (item.kind) {
    case ITEM_NOTHING:
        break;
    case ITEM_FAULT:
        return name_fault(&plan->faults[item.index]);
    case ITEM_STEP:
        return name_action(&plan->steps[item.index], "");
    case ITEM_TIMED:
        return name_action(&plan->timed[item.index].action, "");
    case ITEM_REACT:
        return name_action(&plan->reacts[item.index].action, "the reaction's ");
    case ITEM_GENERATOR:
        return (struct named){must_printf("guest generator %s", plan->generators[item.index].name),
                              plan->generators[item.index].where};
    case ITEM_CHOICE:
        return name_choice(told, &plan->choices[item.index]);
    }
    return (struct named){must_strdup("nothing"), {0}};
}

/* True if several items have this name in this line, so that the column must be shown, too. */
static bool is_ambiguous(const struct named *list, size_t count, const struct named *named)
{
    for (size_t i = 0; i < count; i++) {
        if (&list[i] != named && list[i].where.line == named->where.line &&
            strcmp(list[i].name, named->name) == 0) {
            return true;
        }
    }
    return false;
}

static char *in_words(const struct named *list, size_t count, const struct named *named)
{
    if (named->where.line == 0) {
        return must_strdup(named->name);
    }
    if (is_ambiguous(list, count, named)) {
        return must_printf("%s (line %" PRIu32 ", column %" PRIu32 ")", named->name,
                           named->where.line, named->where.column);
    }
    return must_printf("%s (line %" PRIu32 ")", named->name, named->where.line);
}

void items_name(const struct plan *plan, const struct told_choices *told, const struct items *items,
                struct without_list *list)
{
    struct named *names = must_alloc(items->count * sizeof(*names));

    for (size_t i = 0; i < items->count; i++) {
        names[i] = name_item(plan, told, items->list[i]);
    }
    list->list = must_alloc(items->count * sizeof(*list->list));
    for (size_t i = 1; i < items->count; i++) {
        list->list[list->count++] =
            (struct without){.what = in_words(names, items->count, &names[i]),
                             .is_choice = items->list[i].kind == ITEM_CHOICE};
    }
    for (size_t i = 0; i < items->count; i++) {
        free(names[i].name);
    }
    free(names);
}
