/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside a search: its stack.  For search*.c only.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_SEARCH_PRIVATE_H
#define MIRRORSIM_TOOLS_EXPLORE_SEARCH_PRIVATE_H

#include "sim/world/independent.h"
#include "tools/explore/search.h"

/* One question and the answer that is tried: `first`, and then the others in order. */
struct turn {
    uint32_t tried; /* answers before it */
    uint32_t bound;
    uint32_t first;
    bool only; /* `first` stands for all */
};

struct frame {
    void *snapshot;
    size_t snapshot_capacity;
    uint64_t history;
    uint64_t state; /* digest by which it is known */
    struct world_place place;
    struct turn *questions; /* of the next timeline event */
    uint32_t question_count;
    uint32_t question_capacity;
    bool entered;                   /* a child has been visited */
    bool full;                      /* there are too many: new questions are not varied */
    uint32_t children;              /* visited so far */
    bool reduces;                   /* its first question has an answer that stands for all ... */
    struct independent independent; /* ... as long as the engine keeps its promise */
};

struct search {
    struct visited visited;
    struct frame *frames;
    uint32_t depth;
    uint64_t stack_bytes; /* of the snapshots' memory */
    uint32_t capacity;
    struct frame *current; /* whose child is being visited */
    uint32_t asked;        /* questions of this timeline event */
    struct search_figures *figures;
    uint64_t root;   /* digest of the world before its first event */
    uint64_t *fresh; /* states visited since search_save() was called, if it will be */
    uint64_t fresh_count;
    uint64_t fresh_capacity;
    bool restoring; /* the answers come from a file ... */
    bool misfit;    /* ... and are not to what was asked */
    struct world *world;
    bool is_livelock; /* one was found: enough */
};

/* One search, while it is under way. */
struct path {
    const struct plan *plan;
    const struct search_options *options;
    const struct world_options *world_options;
    struct world *world;
    struct trace *trace;
    uint64_t kinds; /* of events that the plan's expectations look at */
    bool reduces;
    bool goes_on; /* the guest may, for ever: digests are symmetric (world_digest_repeating) */
    struct independent_plan independent;
    bool runs_again; /* a foreign engine: there are no snapshots, and no state is recognised */
};

/* Adds a question that the node's next event has asked. */
void search_add_turn(struct frame *frame, struct turn turn);

/* Pushes a node: the world as it is, in a state known by that digest. */
void search_push(struct search *search, const struct path *path, uint64_t history, uint64_t state);

/* The digest by which the world's state is known, after that history. */
uint64_t search_state(const struct path *path, uint64_t history);

/*
 * Takes one event with the answers of search->current.  False: that was the end of the path.
 * Otherwise *history is that of the state it has led to.
 */
bool search_step(struct search *search, const struct path *path, uint64_t *history);

/*
 * Restores what search_save() wrote; only the root has been pushed.  False if it does not fit the
 * plan.
 */
bool search_restore(struct search *search, const struct path *path,
                    const struct search_saved *saved);

#endif
