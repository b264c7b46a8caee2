/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exploring: from one scenario to its interleavings, its values, and failures at each place.
 *
 * The space is divided into numbered items: a case of the matrix, with one assignment of the
 * values that the file leaves to a choice, with one variant of what else goes wrong
 * (variants.h), and for a search with seeds EXPLORE_SEEDS of them.  Items are independent, and
 * the result of an item is always the same.  So items can be distributed among processes, and
 * the lowest item with a finding does not depend on the number of processes.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_EXPLORE_H
#define MIRRORSIM_TOOLS_EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"
#include "sim/verdict/verdict.h"
#include "tools/explore/lasso.h"
#include "tools/explore/search.h"
#include "tools/explore/variants.h"
#include "tools/run/isolate.h"

enum explore_schedule {
    SCHEDULE_EXHAUSTIVE,
    SCHEDULE_RANDOM,
    SCHEDULE_PCT, /* priorities (pct.h) */
};

/* Seeds in one item of a random search, or of PCT. */
#define EXPLORE_SEEDS 64

/* Sets of the values that the file leaves to a choice, at most. */
#define EXPLORE_MAX_VALUES 256

/* The answers that lead to a finding, as far as they fit; the found scenario has all. */
#define EXPLORE_CHOICES_BYTES 160

/* Plain data, but for the scenario. */
struct explore_finding {
    enum finding_id id;
    char text[FINDING_TEXT_BYTES];
    char variant[VARIANT_TEXT_BYTES];    /* what else went wrong; "" = nothing */
    char choices[EXPLORE_CHOICES_BYTES]; /* "order 4 = 1, order 11 = 1 and 3 more"; "" = none */
    char lasso[LASSO_BYTES];             /* of a livelock (lasso.h) */
    char stack[STACK_TEXT_BYTES];        /* of a death: where it was (tools/base/stack.h) */
    uint64_t now_ns;
    uint64_t item;
};

struct explore_options {
    const struct scenario *scenario;
    const char *chosen; /* --case, or NULL = all */
    const struct engine *engine;
    enum explore_schedule schedule;
    enum variant_faults faults;
    bool untimed;
    bool every_order;       /* no partial-order reduction (independent.h) */
    bool all;               /* continue after a finding: one of each kind is kept */
    uint32_t depth;         /* of PCT */
    uint64_t runs;          /* of a random search or PCT, for each variant */
    uint64_t visited_bytes; /* of memory for the states that were visited */
    uint64_t cpu_limit_ms;  /* of an event, and of a run of the shrinking; 0 = no bound */

    /* Polled during a search; true: stop. */
    bool (*stop)(void *opaque);

    /* The item has a finding, and the run that has it as a file; both are the search's. */
    void (*found)(void *opaque, const struct explore_finding *finding, const char *scenario);

    /* NULL without a checkpoint: a piece of the item's progress, at least once in a second. */
    void (*save)(void *opaque, uint64_t item, const struct pack *piece);

    /*
     * NULL without a checkpoint: the pieces of the item that an earlier process has saved, in their
     * order.  *number is 0 at first and the caller's to keep; false: there are no more.  A piece
     * stays where it is until the next is asked for.
     */
    bool (*saved)(void *opaque, uint64_t item, uint64_t *number, struct unpack *piece);
    void *opaque;
};

/* Findings of one item, at most: different ones, by oracle and kind. */
#define EXPLORE_MAX_FINDINGS 8u

/*
 * The result of an item: plain data.  The runs of its findings have been given to options->found.
 */
struct explore_result {
    uint64_t item;
    struct search_figures figures; /* with seeds: ends are runs */
    bool stopped;
    bool fired;         /* in some run, all failures of the item's variant have happened */
    uint32_t chains;    /* of PCT: in a run, at most */
    uint64_t questions; /* of PCT: in the quiet run */
    uint32_t finding_count;
    struct explore_finding findings[EXPLORE_MAX_FINDINGS]; /* in the order of the search */
};

/* At most this number of answers of the current run is recorded, with this much of their site. */
#define EXPLORE_NOTED_CHOICES 4096
#define EXPLORE_SITE_BYTES 96

/*
 * The progress of an item's search, always up to date, in memory that the process shares with its
 * parent (tools/run/isolate.h): when the process dies, the parent reads it.
 */
struct explore_record {
    bool under_way;
    struct explore_result result;
    uint64_t now_ns; /* of the run, before the timeline event under way */
    uint32_t choice_count;
    struct {
        char site[EXPLORE_SITE_BYTES];
        uint32_t nth;
        uint32_t pick;
    } choices[EXPLORE_NOTED_CHOICES]; /* the answers that are not 0 */
};

struct explore_space;

/* Makes the list of items; runs each plan quietly if there are to be faults. */
struct explore_space *explore_open(const struct explore_options *options);
void explore_close(struct explore_space *space);

uint64_t explore_items(const struct explore_space *space);

/* True if there are more sets of values, or more requests to fail, than are tried. */
bool explore_is_cut(const struct explore_space *space);

/* Searches one item; the result is in the record, which is kept up to date meanwhile. */
void explore_item(struct explore_space *space, uint64_t item, struct explore_record *record);

/*
 * The process that was searching the record's item has died: adds its death, in the run that was
 * under way, as a finding.  Earlier findings of the item are not reported again.
 */
void explore_item_died(struct explore_space *space, struct explore_record *record,
                       const struct isolate_death *death);

/* Items with the same plan, but other seeds, have the same number. */
uint64_t explore_plan_number(const struct explore_space *space, uint64_t item);

/* Sets those failures that the item's variant consists of. */
void explore_note_failures(const struct explore_space *space, uint64_t item,
                           bool failures[VARIANT_FAILURES]);

/* Runs one seed of an item again, and shows its world after each of the first 2000 events. */
void explore_watch(struct explore_space *space, uint64_t item, uint64_t seed,
                   void (*show)(void *opaque, const struct world *world), void *opaque);

#endif
