/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The story: what the plan does to the world, and when.
 *
 * Steps follow each other.  Each begins as a timeline event of its own, at
 * the instant at which the one before it ended; EVENT_STEP says so.  Most
 * steps act and end at once; `wait`, `at` and `settle` take time.
 *
 * A wait for an event counts matches from the moment the last step that takes
 * time ended (or the story began), so that it does not miss what the steps
 * between have caused at once: `start`, `complete`, `wait: ready` sees a READY
 * from inside `start`.  The event that ended the step before does not count
 * again.  Waits for a state (concluded, held, guest idle) are satisfied at
 * once if it holds already; `concluded` means the job started last.
 *
 * A wait that exceeds its bound is a finding, and the story stops there; the
 * world goes on for a while (world_end_soon()).
 *
 * Timed actions are inserted when the world is made, after the story's
 * beginning, in their order.  Reactions are inserted when an event matches,
 * so they never act from inside it, even without a delay.
 */
#ifndef MIRRORSIM_SIM_WORLD_STORY_H
#define MIRRORSIM_SIM_WORLD_STORY_H

#include <sys/queue.h>

#include "engine/digest.h"
#include "engine/event.h"
#include "sim/base/timeline.h"
#include "sim/plan/plan.h"

struct world;

enum story_state {
    STORY_ACTING,  /* the step begins, or is to begin: `next` is pending */
    STORY_WAITING, /* the step has begun and takes time */
    STORY_OVER,    /* the last step has ended */
    STORY_STOPPED, /* a wait exceeded its bound */
};

struct react {
    uint64_t matched;
    uint64_t acted;
    uint32_t last_arrival; /* of a rule about arrivals: the guest request counted last, ... */
    uint32_t request;      /* ... and the one whose answer it waits for; 0: none yet */
};

struct timed {
    struct pending pending;
    struct world *world;
    uint32_t index;
};

/* One answer to one event, until it acts. */
struct reaction {
    LIST_ENTRY(reaction) link;
    struct pending pending;
    struct world *world;
    uint32_t react;
};

struct story {
    uint64_t watched; /* bit per event kind that story_observe() must see */
    enum story_state state;
    uint32_t step;     /* the one that has begun, or is to begin */
    uint32_t counting; /* next step that takes time; matches are counted for it */
    uint64_t matches;
    uint64_t *run_matches; /* per step, for waits since the start; NULL if there are none */
    struct pending next;
    struct pending bound;
    struct react *reacts;
    struct timed *timed;
    LIST_HEAD(, reaction) reactions; /* newest first */
    bool was_made;                   /* a request of the tag that the step waits for */
    uint64_t done_bytes;             /* as the job has said last, if a step waits for progress */
    uint64_t total_bytes;            /* ... */
    uint32_t drains[PLAN_MAX_DISKS + 1]; /* sections of the story's own over each disk, and ... */
    struct block_node *drained_filter;   /* ... over this filter, on which they are a reference */
};

static inline bool story_waits_for_event(const struct action *action)
{
    return action->kind == DO_WAIT && action->wait.kind == WAIT_EVENT;
}

/* Inserts the beginning of the story and the timed actions. */
void story_create(struct world *world);

/* An event of a watched kind is in the trace. */
void story_observe(struct world *world, const struct event *event);

/* The rule of that number sees an event: sim/world/react.c. */
void react_observe(struct world *world, uint32_t index, const struct event *event);

/*
 * wait.c: what a step waits for that is no single event.  Kinds that must be seen from the start
 * on; the step begins; an event (NULL: no step waits); and whether the wait is over.
 */
uint64_t wait_kinds(const struct wait_spec *wait);
void wait_begin(struct world *world, const struct wait_spec *wait);
void wait_observe(struct world *world, const struct wait_spec *wait, const struct event *event);
bool wait_guest_is_over(const struct world *world, const char *tag);
bool wait_progress_is_reached(const struct world *world, const struct wait_spec *wait);

/* The guest has become idle, or done, outside any event. */
void story_guest_changed(struct world *world);

void story_digest(const struct world *world, struct digest *digest);

/* Asserts that a story that goes on has its next event, and one that is over has none. */
void story_check_state(const struct world *world);

#endif
