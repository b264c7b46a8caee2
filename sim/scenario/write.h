/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan as a scenario: what explore finds, and shrink makes smaller, is a file.
 *
 * Loading the text gives the same plan: the same run, event for event, from any
 * seed.  What a file says more generally is fixed in it: one case of its
 * matrix, the values that were chosen; comments are gone.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_WRITE_H
#define MIRRORSIM_SIM_SCENARIO_WRITE_H

#include <stdio.h>

#include "sim/plan/plan.h"

/* The complete file; the caller checks for errors of `file`. */
void scenario_write(const struct plan *plan, FILE *file);

#endif
