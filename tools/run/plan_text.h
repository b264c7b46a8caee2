/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plans as the text of a scenario file.
 */
#ifndef MIRRORSIM_TOOLS_RUN_PLAN_TEXT_H
#define MIRRORSIM_TOOLS_RUN_PLAN_TEXT_H

#include "sim/plan/plan.h"

/* The whole file; the caller frees it. */
char *plan_text(const struct plan *plan);

#endif
