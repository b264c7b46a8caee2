/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of recorded requests, which a generator makes again.
 *
 *   mirrorsim requests 1
 *   NANOSECONDS read|write|write-zeroes|discard|flush OFFSET BYTES
 *
 * `mirrorsim import` writes them.  They are read when a plan is made, so that the plan is still all
 * that a run depends on.  A file that a scenario names is no more to be trusted than the scenario:
 * every line is checked, and times must not fall.
 */
#ifndef MIRRORSIM_SIM_PLAN_REPLAY_H
#define MIRRORSIM_SIM_PLAN_REPLAY_H

#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/plan/plan.h"

/*
 * Reads spec->replay into the arena; no request may go beyond `end`.  NULL, or what is wrong, as
 * the rest of a sentence about the file; it is the arena's.
 */
const char *replay_load(struct arena *arena, struct generator_spec *spec, uint64_t end);

#endif
