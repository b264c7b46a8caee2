/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cycles: has a run come back to a state in which it has been before?
 *
 * Two states are the same if they differ only in what digest.h's symmetry leaves out: how much has
 * happened before, which numbers the guest's requests have, what time it is, how long a step of the
 * story is still willing to wait, and which answers are to come.  A run makes progress as long as
 * it reaches states that it has not been in.  One that comes back may go round for ever: if nothing
 * was left open it will, and if something was, it will with the same answers.
 *
 * That alone is no fault of the job's.  A cycle counts only if
 *
 *   - it is fair: no event that could have been next all the way round was kept waiting, so
 *     everybody who could have broken the cycle has had a turn.  (A wait's own bound does not
 *     count: it would break every cycle.)
 *   - an oracle objects, because the job would have had to get on (oracle.h, `repeats`).
 *
 * Then the run ends with END_LIVELOCK.
 *
 * The effort is bounded.  A run that may be long compares its states with an anchor that is set
 * after 1024, 2048, 4096 ... events, each only with the eighth as many that follow it, and only if
 * they look like it; and in all no more is digested than a word of the state for every 32nd event.
 * So a cycle of N events is found when the run is some ten to hundred times as long, and a run that
 * never repeats itself costs less than a hundredth more.  An untimed run with recorded answers is
 * what a search has found, and short: its first 4096 states are compared with each other.
 */
#ifndef MIRRORSIM_SIM_WORLD_CYCLE_H
#define MIRRORSIM_SIM_WORLD_CYCLE_H

#include <stdint.h>

#include "sim/world/world.h"

#define CYCLE_KEPT_STATES 4096u

/* A state that was kept. */
struct cycle_state {
    uint64_t digest;
    struct world_place place;
};

/* Lives in the arena from the first call of cycle_look() on. */
struct cycle_watch {
    struct cycle_state anchor;
    uint64_t anchor_events;  /* taken when it was set; 0: there is none */
    uint64_t anchor_look;    /* what is cheap to compare */
    uint64_t digested_words; /* so far */
    uint64_t last_words;     /* by the last digest */

    struct cycle_state *states; /* of a short run; NULL: it may be long */
    uint32_t count;
};

/* The number of timeline events after which cycle_look() is to be called for the first time. */
uint64_t cycle_first(const struct world *world);

/*
 * Called between two steps, after world->cycle_next events.  Sets that anew, and
 * evidence->repeats if the run is in a cycle that counts.
 */
void cycle_look(struct world *world);

#endif
