/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host port, seen from the world: the engine's timers and memory.
 *
 * What an engine calls, host_alloc() and its companions, is declared in
 * engine/block.h and engine/section.h.
 */
#ifndef MIRRORSIM_SIM_WORLD_HOST_H
#define MIRRORSIM_SIM_WORLD_HOST_H

#include <sys/queue.h>

#include "sim/base/timeline.h"

struct world;

/* A timer, or a deferred call, of the engine that has not fired; in the world's arena. */
struct host_timer {
    LIST_ENTRY(host_timer) link;
    struct pending pending;
    struct world *world;
    void (*fired)(void *opaque);
    void *opaque;
};

/*
 * The job is gone, or was refused: has it given back its memory, and in today's generation, left
 * alone what it had given back?  Adds a finding if not.
 */
void host_judge_memory(struct world *world);

/* Asserts that every timer will fire, and that no more memory came back than was taken. */
void host_check(const struct world *world);

#endif
