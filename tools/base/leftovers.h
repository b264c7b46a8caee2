/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Temporary files that must not stay behind, however this process ends.
 *
 * They are removed by die() and by the signals that end a process from outside (signals_guard()).
 * SIGKILL alone leaves them.  A child process never removes the files of its parent.
 */
#ifndef MIRRORSIM_TOOLS_BASE_LEFTOVERS_H
#define MIRRORSIM_TOOLS_BASE_LEFTOVERS_H

/*
 * A file that is about to be made; the path is the caller's, and must live until it is forgotten.
 */
void leftovers_add(const char *path);

/* The file has been renamed or removed. */
void leftovers_forget(const char *path);

/* Removes all that this process has added.  Async-signal-safe. */
void leftovers_remove(void);

#endif
