/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cycles: does a run come back to a state in which it has been before?
 *
 * A run whose answers are all settled (none of them random, none left to a search) is a function
 * of its state: once it comes back to one, it goes round for ever.  Two states are the same if
 * they differ only in what digest.h's symmetry leaves out: how much has happened before, which
 * numbers the guest's requests have, what time it is, and how long a step of the story is still
 * willing to wait.  So a run makes progress as long as it reaches states that it has not been in.
 *
 * A cycle as such is no fault: a guest may write for ever, and a ready job that nobody tells to
 * complete follows it for ever.  The oracles are asked (oracle.h, `repeats`) whether the job would
 * have had to get on; if one says so, the run ends with END_LIVELOCK.
 *
 * Such a run is fair to everybody: events are taken in the order in which they become due, so
 * whatever can happen on the way round does happen, and none of it has helped.
 *
 * The effort is bounded: states are compared with an anchor that is set after 1024, 2048, 4096 ...
 * events, each only with the eighth as many that follow it, and only if they look like it; and in
 * all no more is digested than a word of the state for every fourth event.  So a cycle of N events
 * is found when the run is some ten to hundred times as long, and a run that never repeats itself
 * costs less than a hundredth more.
 */
#ifndef MIRRORSIM_SIM_WORLD_CYCLE_H
#define MIRRORSIM_SIM_WORLD_CYCLE_H

#include <stdint.h>

struct world;

/* Lives in the arena from the first anchor on. */
struct cycle_watch {
    uint64_t anchor;      /* events taken when it was set; 0: there is none */
    uint64_t anchor_look; /* what is cheap to compare */
    uint64_t anchor_digest;
    uint64_t anchor_event; /* of the trace */
    uint64_t anchor_ns;
    uint64_t digested_words; /* so far */
    uint64_t last_words;     /* by the last digest */
};

/* The number of timeline events after which cycle_look() is to be called for the first time. */
uint64_t cycle_first(const struct world *world);

/*
 * Called between two steps, after world->cycle_next events.  Sets that anew, and
 * evidence->repeats if the run goes round and an oracle objects.
 */
void cycle_look(struct world *world);

#endif
