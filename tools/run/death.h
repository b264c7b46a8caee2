/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is still to be done when the engine takes the process with it.
 */
#ifndef MIRRORSIM_TOOLS_RUN_DEATH_H
#define MIRRORSIM_TOOLS_RUN_DEATH_H

#include <stdbool.h>

#include "engine/engine.h"

/*
 * From now on calls handler(signal) when an assertion fails, when memory or arithmetic goes
 * wrong, and for the signals of `also`, which ends with 0 (NULL: none).  It runs where the process
 * died, but on a stack of its own: the engine's may be what has run out.  The signal
 * has its default action again, and is raised when the handler returns.
 */
void death_catch(void (*handler)(int signal_number), const int *also);

/* Bounds the processor time of this process, as `run` gives up a run by default. */
void death_limit_cpu(void);

/*
 * A foreign engine can end its process in any way: what follows is done in a child.  The parent
 * waits, says on stderr what the child died of, and exits with its code, or with EXIT_FAILED.
 * Returns in the child; of an engine that is not foreign, at once.
 */
void death_stand_apart(const struct engine *engine);

#endif
