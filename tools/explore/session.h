/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The results of all items of a search.
 *
 * Only sums and sets, and of each kind of finding the one of the lowest item: so it does not
 * depend on the order of the items or the number of processes, and can be saved in a checkpoint.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_SESSION_H
#define MIRRORSIM_TOOLS_EXPLORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/explore/explore.h"

/* A finding, and its run as a file. */
struct session_finding {
    struct explore_finding finding;
    char *scenario;
};

struct explore_session {
    const struct explore_options *options;
    struct explore_space *space;
    struct search_figures figures; /* of the items that are done ... */
    struct search_figures partial; /* ... and of those that were stopped */
    uint64_t items;
    uint8_t *done; /* a bit for each item */
    uint64_t done_count;
    bool stopped;
    uint32_t chains;                  /* of PCT: in a run, at most; ... */
    uint64_t questions;               /* ... in a quiet run, at most */
    bool failures[VARIANT_FAILURES];  /* those that have happened (variants.h) */
    struct session_finding *findings; /* one of each kind, by item */
    uint64_t finding_count;
};

void session_open(struct explore_session *session, const struct explore_options *options,
                  struct explore_space *space);
void session_close(struct explore_session *session);

/* An item has been searched, or stopped: then it is not done.  Its findings were taken before. */
void session_take(struct explore_session *session, const struct explore_result *result);

/* Adds a finding of the item, and takes its scenario, unless a lower item has one of this kind. */
void session_take_finding(struct explore_session *session, const struct explore_finding *finding,
                          char *scenario);

void session_mark_done(struct explore_session *session, uint64_t item);

/* The figures of all items. */
struct search_figures session_figures(const struct explore_session *session);

bool session_is_done(const struct explore_session *session, uint64_t item);

/* All answers to all choices have been tried, and nothing was found. */
bool session_is_exhausted(const struct explore_session *session);

#endif
