/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of engines for test programs that link parts of the tools: ours, and nobody else's.
 *
 * Declared in tools/run/load.h, as is the program's own list.
 */
#include "tools/run/load.h"

const struct engine *const engines[] = {&mirror_engine, &modern_engine, NULL};
