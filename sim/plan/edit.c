/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Editing a plan: lists are copied, never changed in place.
 */
#include "sim/plan/edit.h"

#include <assert.h>
#include <string.h>

/* A copy of `count` elements with room for one more. */
static void *with_room(struct plan *plan, const void *list, uint32_t count, size_t bytes)
{
    void *copy = arena_alloc(plan->arena, (count + 1) * bytes);

    if (count > 0) {
        memcpy(copy, list, count * bytes);
    }
    return copy;
}

/* A copy of `*count` elements without the one at `index`. */
static void *without(struct plan *plan, const void *list, uint32_t *count, uint32_t index,
                     size_t bytes)
{
    char *copy = arena_alloc(plan->arena, *count * bytes);

    assert(index < *count);
    memcpy(copy, list, index * bytes);
    memcpy(copy + index * bytes, (const char *)list + (index + 1) * bytes,
           (*count - index - 1) * bytes);
    --*count;
    return copy;
}

void edit_add_fault(struct plan *plan, const struct fault_spec *fault)
{
    plan->faults = with_room(plan, plan->faults, plan->fault_count, sizeof(*plan->faults));
    plan->faults[plan->fault_count++] = *fault;
}

struct react_spec *edit_add_react(struct plan *plan, struct event_match when, uint64_t nth,
                                  enum action_kind kind)
{
    plan->reacts = with_room(plan, plan->reacts, plan->react_count, sizeof(*plan->reacts));
    plan->reacts[plan->react_count] =
        (struct react_spec){.when = when,
                            .nth = nth,
                            .action = {.kind = kind, .refusal = MATCH_ANY, .may_be_refused = true}};
    return &plan->reacts[plan->react_count++];
}

void edit_drop_fault(struct plan *plan, uint32_t fault)
{
    assert(fault < plan->fault_count);
    plan->faults = with_room(plan, plan->faults, plan->fault_count, sizeof(*plan->faults));
    plan->faults[fault].nth = UINT64_MAX;
    plan->faults[fault].optional = true;
    for (uint32_t i = plan->step_count; i > 0; i--) {
        const struct action *step = &plan->steps[i - 1];

        if (step->kind == DO_WAIT && step->wait.kind == WAIT_HELD && step->wait.index == fault) {
            edit_drop_step(plan, i - 1);
        }
    }
}

void edit_drop_step(struct plan *plan, uint32_t index)
{
    plan->steps = without(plan, plan->steps, &plan->step_count, index, sizeof(*plan->steps));
}

void edit_drop_timed(struct plan *plan, uint32_t index)
{
    plan->timed = without(plan, plan->timed, &plan->timed_count, index, sizeof(*plan->timed));
}

void edit_drop_react(struct plan *plan, uint32_t index)
{
    plan->reacts = without(plan, plan->reacts, &plan->react_count, index, sizeof(*plan->reacts));
}

void edit_drop_generator(struct plan *plan, uint32_t index)
{
    plan->generators =
        without(plan, plan->generators, &plan->generator_count, index, sizeof(*plan->generators));
}

void edit_drop_choice(struct plan *plan, uint32_t index)
{
    plan->choices =
        without(plan, plan->choices, &plan->choice_count, index, sizeof(*plan->choices));
}
