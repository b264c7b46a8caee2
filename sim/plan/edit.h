/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Editing a plan: what tools add to a copy of a plan, or leave out of it.
 *
 * The copy shares its lists with the original until one is edited: then it gets a list of its own,
 * in the arena that both have.
 */
#ifndef MIRRORSIM_SIM_PLAN_EDIT_H
#define MIRRORSIM_SIM_PLAN_EDIT_H

#include "sim/plan/plan.h"

/* Adds a fault at the end of the list, so that the indices of the others stay. */
void edit_add_fault(struct plan *plan, const struct fault_spec *fault);

/* Adds a reaction of that kind, which the job may refuse; returns it for filling in. */
struct react_spec *edit_add_react(struct plan *plan, struct event_match when, uint64_t nth,
                                  enum action_kind kind);

/*
 * The fault never hits, and steps that wait until it holds something are left out.  It stays in
 * the list: others name a fault by its index.
 */
void edit_drop_fault(struct plan *plan, uint32_t fault);

/* Leaves out the element at `index`, which must be there. */
void edit_drop_step(struct plan *plan, uint32_t index);
void edit_drop_timed(struct plan *plan, uint32_t index);
void edit_drop_react(struct plan *plan, uint32_t index);
void edit_drop_generator(struct plan *plan, uint32_t index);
void edit_drop_choice(struct plan *plan, uint32_t index);

#endif
