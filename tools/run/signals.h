/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signals that end a command early, SIGINT, SIGTERM and SIGHUP: they are read from a file
 * descriptor between two pieces of work, so that what is done so far can be reported.
 *
 * Until they are closed they are blocked, also in children that are started meanwhile: Ctrl-C
 * does not reach these, and their parent decides.
 */
#ifndef MIRRORSIM_TOOLS_RUN_SIGNALS_H
#define MIRRORSIM_TOOLS_RUN_SIGNALS_H

#include <signal.h>

/*
 * Once, at the start of the program.  The signals that end it from outside remove its temporary
 * files first (tools/base/leftovers.h): hang-up, interrupt, quit, termination and a broken pipe;
 * one that is ignored stays ignored.  And a file that may not grow any more (SIGXFSZ) is an error
 * of the write.
 */
void signals_guard(void);

struct signals {
    int fd;          /* readable when one has come */
    sigset_t before; /* what was blocked before */
};

/* Dies if that cannot be done. */
void signals_open(struct signals *signals);
void signals_close(struct signals *signals);

/* The number of one that has come, or 0.  Does not wait. */
int signals_take(const struct signals *signals);

#endif
