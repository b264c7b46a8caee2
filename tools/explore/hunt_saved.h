/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The progress of a hunt in pieces, for a checkpoint: its result so far, and where it is.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_HUNT_SAVED_H
#define MIRRORSIM_TOOLS_EXPLORE_HUNT_SAVED_H

#include "tools/explore/hunt.h"

/* For struct search_options, whose `opaque` is the hunt; also restores the result so far. */
bool hunt_next_piece(void *opaque, struct unpack *piece);

/* Of a hunt with seeds: restores its result, and returns how many seeds it has run. */
uint64_t hunt_restore_seeds(struct hunt *hunt);

/*
 * Saves a piece if a checkpoint is wanted, and it is time or the hunt stops here; `seeds` have been
 * run, of a hunt with seeds.
 */
void hunt_save(struct hunt *hunt, uint64_t seeds);

#endif
