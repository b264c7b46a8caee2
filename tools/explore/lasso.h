/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A livelock in words: the stem that leads into the cycle, and what happens once round it.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_LASSO_H
#define MIRRORSIM_TOOLS_EXPLORE_LASSO_H

#include "sim/world/world.h"

/* Some twenty lines; what does not fit is counted. */
#define LASSO_BYTES 2048

/*
 * Of a world that has ended in a cycle: "134 events, to 40ms", and after that a line for each
 * request that ends on the way round, each drained section, and what the job reports and is told.
 * "" for any other world.
 */
void lasso_tell(const struct world *world, const struct engine *engine, char text[LASSO_BYTES]);

/* Writes the lines under "stem" and "cycle"; nothing for "". */
void lasso_print(const char *text);

#endif
