/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carrying out one action of the plan, and checking what it expects.
 */
#ifndef MIRRORSIM_SIM_WORLD_ACTION_H
#define MIRRORSIM_SIM_WORLD_ACTION_H

#include "engine/event.h"
#include "sim/plan/plan.h"
#include "sim/verdict/finding.h"

struct world;

/* Carries out action `number` of the plan (plan_action()), one that takes no time. */
void action_run(struct world *world, uint32_t number);

/*
 * An expectation of action `number` does not hold: EVENT_CHECK_FAILED, and a
 * finding at `where` in the plan's file.
 */
void action_fail(struct world *world, uint32_t number, struct where where, enum finding_id id,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The job has come to its end: keeps its last state and how it ended. */
void action_job_ended(struct world *world, const struct event *event);

#endif
