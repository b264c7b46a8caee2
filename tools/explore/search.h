/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exhaustive search: every answer to every choice of one plan, each state once.
 *
 * Depth first over snapshots.  A node is the world between two timeline events; its children are
 * the answers to the questions of the next event.  A visited state is not expanded again; states
 * are told apart by their digest (world_digest_judged) and by the events so far that the
 * scenario's expectations look at.  Where the next event commutes with all others
 * (sim/world/independent.h), only that one is tried.
 *
 * A guest that may go on for ever would make every state a new one.  Of such a plan, states are
 * told apart by world_digest_repeating_judged().
 *
 * A path that comes back to a state that it has been in has found a cycle, and if that counts
 * (sim/world/cycle.h) a livelock: the path ends with that finding.  Of a cycle that comes about
 * only by way of states that the search has left before, it learns nothing.
 *
 * A foreign engine (struct engine) has no snapshots: each path is replayed from the start, and no
 * state is recognised.
 *
 * Questions with more than SEARCH_MAX_ANSWERS answers are not varied, nor are those
 * that one event asks when SEARCH_MAX_CHILDREN ways to answer it are known: they get
 * the quiet answer, and the search then does not claim to be exhaustive.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_SEARCH_H
#define MIRRORSIM_TOOLS_EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/verdict/verdict.h"
#include "sim/world/world.h"
#include "tools/base/pack.h"
#include "tools/base/visited.h"

#define SEARCH_MAX_ANSWERS 64
#define SEARCH_MAX_CHILDREN 4096
#define SEARCH_MAX_DEPTH 5000
#define SEARCH_MAX_STACK_BYTES (UINT64_C(1) << 30) /* of snapshots */
#define SEARCH_UNVARIED_BYTES 96

struct search_figures {
    uint64_t ends;        /* of runs: a finding, or the world's end */
    uint64_t states;      /* different ones */
    uint64_t transitions; /* timeline events taken, in all */
    uint64_t merged;      /* transitions into a visited state */
    uint64_t reduced;     /* enabled events that were not tried */
    uint64_t depth;       /* timeline events of the longest path */
    bool too_deep;        /* a path was cut: not exhausted */
    bool full;            /* some states could not be stored, and were visited more than once */
    char unvaried[SEARCH_UNVARIED_BYTES]; /* sites whose questions were not varied: not exhausted */
};

/*
 * A path ended with a finding.  `choices` are the answers that lead there; they and the
 * verdict live until the call returns.  Return true to continue.
 */
typedef bool search_found(void *opaque, const struct verdict *verdict,
                          const struct choice_answer *choices, uint32_t choice_count);

/*
 * Does the finding of a path count?  That a fault or a generator has not come into play does not:
 * in one order of events it may come too late, and in another in time.
 *
 * Where only the oracles judge, nor do the scenario's own expectations, and the hang of a story
 * that waits for a job whose start, or whose `complete`, was refused.
 */
bool search_finding_counts(const struct finding *finding, const struct world *world,
                           bool oracles_only);

/*
 * What search_save() has written of a search of this plan, piece by piece in that order; false:
 * there are no more.  A piece stays where it is until the next is asked for.
 */
struct search_saved {
    bool (*next)(void *opaque, struct unpack *piece);
    void *opaque;
};

struct search_options {
    const struct engine *engine;
    bool oracles_only; /* findings of expectations don't count */
    bool no_reduction; /* try every order ... */
    bool no_merging;   /* ... and expand visited states again: to check these two reductions */
    bool symmetric;    /* states are merged as if the guest went on for ever (see above) */
    search_found *found;
    bool keeps_states;                /* search_save() will be called */
    const struct search_saved *saved; /* where to go on from, or NULL */

    /* A timeline event is about to be taken; may be NULL. */
    void (*stepping)(void *opaque, const struct world *world);

    /* A path has ended, with a finding or without; may be NULL. */
    void (*ended)(void *opaque, const struct world *world);

    /* Polled at intervals of transitions; true: stop. */
    bool (*stop)(void *opaque, const struct search_figures *figures);
    void *opaque;

    /* As struct choice_spec has them. */
    void (*recorded_one)(void *recorder, uint32_t index, const struct choice_answer *answer);
    void *recorder;
};

struct search; /* memory for searches, one after the other */

struct search *search_create(uint64_t visited_bytes);
void search_destroy(struct search *search);

/*
 * Searches one plan.  False if it was stopped by `found` or `stop`.  Figures
 * are added to what they are.  Dies if `saved` does not fit the plan.
 */
bool search_run(struct search *search, const struct plan *plan,
                const struct search_options *options, struct search_figures *figures);

/*
 * In `stop`: adds a piece of the search's progress since the last, so that another search of the
 * same plan, also in another process of this very build, can go on from all pieces.
 */
void search_save(struct search *search, struct pack *pack);

void search_pack_figures(struct pack *pack, const struct search_figures *figures);
void search_unpack_figures(struct unpack *unpack, struct search_figures *figures);

/* The world of the path under way, or NULL. */
const struct world *search_world(const struct search *search);

/* Adds a word to a list of them, unless it is there already or there is no room. */
void search_add_word(char list[SEARCH_UNVARIED_BYTES], const char *word);

#endif
