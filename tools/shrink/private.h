/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of shrinking share.
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_PRIVATE_H
#define MIRRORSIM_TOOLS_SHRINK_PRIVATE_H

#include "tools/base/visited.h"
#include "tools/shrink/judge.h"
#include "tools/shrink/shrink.h"
#include "tools/shrink/tree.h"

struct shrinker {
    const struct shrink_options *options;
    struct shrink_report *report;
    struct judge judge;
    struct tree tree;         /* the smallest so far, and changes that are not decided */
    struct run_result *found; /* of the smallest so far */
    struct visited tried;     /* texts, by hash */
    struct judge sound;       /* with options->sound */
    uint64_t cpu_limit_ms;
    uint64_t kept; /* changes */
    bool stopped;
};

/*
 * Decides the changes of the tree: true if the finding is still there, and they
 * are kept; else they are undone.
 */
bool shrink_try(struct shrinker *shrinker);

/* Is this a section that may be changed? */
bool shrink_may_change(const struct tree_node *section);

/* Is this section of expectations?  They are left out or they stay, but mean what they meant. */
bool shrink_is_expectation(const struct tree_node *section);

/* ---- shrink_finding.c ---- */

/* Takes note of the finding that is meant: the first that fits the options, and is not vague. */
bool shrink_choose_target(struct shrinker *shrinker, const struct run_result *result);

/* That finding in another result; NULL if it is not there. */
const struct run_finding *shrink_find_target(const struct shrinker *shrinker,
                                             const struct run_result *result);

/* The finding is there, and nothing that the smallest so far does not find. */
bool shrink_is_as_bad(const struct shrinker *shrinker, const struct run_result *result);

/* ---- Passes ---- */

/* Not to be left out alone: that a command is refused is right, and load has to have an end. */
bool shrink_is_restraint(const struct tree_node *node);

/* Notes what has to stay, by the run that was given: shrink_unjudged.c */
void shrink_keep_unjudged(struct shrinker *shrinker, const struct judge_record *record);

/* While there are faults that fail requests, what the story has ready for errors stays. */
void shrink_keep_error_handling(struct shrinker *shrinker);

/* Leaves out whatever can be, and puts the rest simpler: shrink_structure.c */
void shrink_structure(struct shrinker *shrinker);

/* Makes numbers smaller and rounder: shrink_numbers.c */
void shrink_numbers(struct shrinker *shrinker);

#endif
