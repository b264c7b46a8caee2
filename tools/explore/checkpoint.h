/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint: the progress of a search in a file, so that it can be resumed another day.
 *
 * The file says what is searched, which items are done, and their results.  An item of an
 * exhaustive search that was stopped has a file of its own beside it, FILE.N (search_save).
 * All are removed when the search is over.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_CHECKPOINT_H
#define MIRRORSIM_TOOLS_EXPLORE_CHECKPOINT_H

#include <stdint.h>

#include "tools/explore/session.h"

/*
 * What is searched, as a number: the file's text, the engine, the program's version and all options
 * that matter.  `file` is that of options->scenario.
 */
uint64_t checkpoint_identity(const struct explore_options *options, const char *file);

/*
 * Resumes from the file at options->checkpoint, if there is one.  NULL, or why that is impossible:
 * the file cannot be read, or belongs to another search; the caller frees the text.
 */
char *checkpoint_load(struct explore_session *session, uint64_t identity);

/* Writes it; dies if that fails. */
void checkpoint_save(const struct explore_session *session, uint64_t identity);

/* The search is over: removes the file. */
void checkpoint_remove(const struct explore_options *options);

/* The file of an item: NULL if there is none; the caller closes it. */
FILE *checkpoint_open_item(const struct explore_options *options, uint64_t item);

/* The item was stopped: writes where its search was. */
void checkpoint_save_item(const struct explore_options *options, uint64_t item,
                          const struct search *search);

void checkpoint_remove_item(const struct explore_options *options, uint64_t item);

#endif
