/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections of the story's own: those of another user, over a disk or over the job's filter.
 *
 * They nest: each step begins one more, or ends one.
 */
#ifndef MIRRORSIM_SIM_WORLD_DRAIN_H
#define MIRRORSIM_SIM_WORLD_DRAIN_H

#include "sim/plan/plan.h"

struct world;

/* Carries out that action of the plan; EVENT_DRAINED follows when the disk is quiet. */
void drain_begin(struct world *world, uint32_t number, const struct action *action);
void drain_end(struct world *world, uint32_t number, const struct action *action);

#endif
