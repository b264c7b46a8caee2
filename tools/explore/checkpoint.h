/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint: the progress of a search in a file, so that it can be resumed another day.
 *
 * It is one journal (tools/base/journal.h).  It belongs to one search, by one build of the program:
 * what was searched with another engine proves nothing of this one.  A process that is killed
 * leaves all but its last half second in it, also of an item that was under way.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_CHECKPOINT_H
#define MIRRORSIM_TOOLS_EXPLORE_CHECKPOINT_H

#include <stdint.h>

#include "tools/base/pack.h"
#include "tools/explore/session.h"

struct checkpoint;

/*
 * Opens the checkpoint at `path`, and puts into the session what it says; or makes a new one.
 * `file` is that of options->scenario.  NULL if the search can't be resumed from it: *why is a
 * sentence, for the caller to free.  Dies if it can't be written.
 */
struct checkpoint *checkpoint_open(const char *path, struct explore_session *session,
                                   const char *file, char **why);

/* Notes what is done, and what was found; dies if that can't be written. */
void checkpoint_save(struct checkpoint *checkpoint, const struct explore_session *session);

/* Notes a piece of the progress of an item; dies if that can't be written. */
void checkpoint_save_piece(struct checkpoint *checkpoint, uint64_t item, const uint8_t *piece,
                           size_t bytes);

/*
 * The pieces of an item, in their order: *number is 0 at first.  False: there are no more.  Each
 * stays where it is until the next is asked for.  Dies if one can't be read.  Also in a child
 * process, which sees the pieces that were there when it was forked.
 */
bool checkpoint_next_piece(struct checkpoint *checkpoint, uint64_t item, uint64_t *number,
                           struct unpack *piece);

/* The file stays, unless the search is over. */
void checkpoint_close(struct checkpoint *checkpoint, bool is_over);

#endif
