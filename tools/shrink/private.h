/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of tools/shrink.
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
    struct tree tree;          /* the smallest scenario so far, with undecided changes */
    struct run_finding target; /* as it was in the first run */
    struct run_result *found;  /* the result of the smallest scenario so far */
    struct visited tried;      /* hashes of texts tried */
    struct judge sound;        /* runs with options->sound */
    uint64_t cpu_limit_ms;
    uint64_t kept; /* number of changes kept */
    bool stopped;
};

/*
 * Runs the changed tree. If the finding is still there the changes are kept,
 * and it returns true; else they are undone.
 */
bool shrink_try(struct shrinker *shrinker);

/* May this section be changed? */
bool shrink_may_change(const struct tree_node *section);

/*
 * Is this the section of expectations? An expectation is dropped or kept, but
 * its meaning must not change.
 */
bool shrink_is_expectation(const struct tree_node *section);

/* ---- finding.c ---- */

/*
 * Chooses the target: the first finding that fits the options, if possible one
 * that is not vague.
 */
bool shrink_choose_target(struct shrinker *shrinker, const struct run_result *result);

/*
 * The target finding in another result, or NULL: the same kind, and if it is about the scenario,
 * the same entry of it, missed on the same side.
 */
const struct run_finding *shrink_find_target(const struct shrinker *shrinker,
                                             const struct run_result *result);

/* True if the result has the target, and no finding that the smallest scenario so far lacks. */
bool shrink_is_as_bad(const struct shrinker *shrinker, const struct run_result *result);

/* ---- Passes ---- */

/*
 * True for a node that must not be dropped alone, because without it the
 * scenario would be wrong: a refusal that is expected, or the end of a load.
 */
bool shrink_is_restraint(const struct tree_node *node);

/* Marks what must stay, according to the record of the first run: unjudged.c */
void shrink_keep_unjudged(struct shrinker *shrinker, const struct judge_record *record);

/* As long as a fault fails requests, keeps what the story has for handling errors. */
void shrink_keep_error_handling(struct shrinker *shrinker);

/* Drops whatever can be dropped and simplifies the rest: structure.c */
void shrink_structure(struct shrinker *shrinker);

/* Makes numbers smaller and rounder: numbers.c */
void shrink_numbers(struct shrinker *shrinker);

#endif
