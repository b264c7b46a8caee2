/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside a world: the block layer, the job, the story and the oracles.
 *
 * struct world is the first thing in its arena, and everything that changes
 * during a run hangs off it, so that a copy of the arena is a copy of the
 * run.  The pointers to plan, engine, trace, verdict and audience leave the arena;
 * they never change.
 *
 * Only the files of sim/world include this header.
 */
#ifndef MIRRORSIM_SIM_WORLD_PRIVATE_H
#define MIRRORSIM_SIM_WORLD_PRIVATE_H

#include <sys/queue.h>

#include "sim/base/timeline.h"
#include "sim/disk/layer.h"
#include "sim/trace/evidence.h"
#include "sim/world/audience.h"
#include "sim/world/cycle.h"
#include "sim/world/generator.h"
#include "sim/world/host.h"
#include "sim/world/story.h"
#include "sim/world/world.h"

struct world {
    struct block_layer layer; /* first: the engine's host, and the owner of its nodes */
    struct arena *arena;
    const struct plan *plan;
    const struct engine *engine;
    struct trace *trace;
    struct verdict *verdict;
    struct audience *audience;
    struct choice_spec choice_spec;
    struct choices *choices;
    struct timeline timeline;
    struct evidence evidence;

    uint64_t events;         /* timeline events taken */
    uint64_t events_at_once; /* since virtual time last moved */
    uint64_t end_ns;         /* when the run ends at the latest: the plan's limit, or sooner, ... */
    uint64_t end_events;     /* ... and after how many events */
    uint64_t cycle_next;     /* cycle_look() is called after this number of them */
    struct cycle_watch *cycle; /* NULL: not yet */
    uint64_t step_end;         /* the trace must not grow to this before the step is over, ... */
    void (*step_limit)(uint64_t events);           /* ... or this ends it (struct world_options) */
    void (*acting)(void *opaque, uint32_t number); /* as in struct world_options */
    void (*emitted)(void *opaque);                 /* the same */
    void *hook_opaque;

    LIST_HEAD(, host_timer) timers;
    struct story story;
    struct generator *generators; /* one per generator of the plan */

    struct engine_job *job;    /* NULL: none */
    bool job_starts;           /* it waits in a drained section of its start */
    bool start_announced;      /* the last start has shown its job */
    uint32_t start_number;     /* ... and this action has begun it */
    uint64_t job_taken_bytes;  /* memory that the present job has taken ... */
    uint64_t job_given_bytes;  /* ... and given back */
    struct poisoned *poisoned; /* pieces that it has given back lately (host.c); NULL: none yet */
    uint32_t poisoned_count;   /* ... so far */
    struct job_info last_job;
    bool has_last_job;
    bool job_concluded; /* the job started last has ended ... */
    bool job_cancelled; /* ... as cancelled; and its result */
    int job_ret;
};

/* The world whose disks they are. */
static inline struct world *world_of_layer(struct block_layer *layer)
{
    return (struct world *)(void *)layer;
}

/* An engine's host is the block layer under another name, and so the world. */
static inline struct world *world_of(struct host *host)
{
    return world_of_layer(layer_of(host));
}

static inline struct host *world_host(struct world *world)
{
    return (struct host *)(void *)world;
}

/*
 * A step has waited in vain.  What is under way may come to its end, so that the oracles see what
 * becomes of it: a second of virtual time is more than requests take.  More is not worth the time
 * that it costs: 100,000 events are about a tenth of a second of a processor's.
 */
#define WORLD_PATIENCE_NS UINT64_C(1000000000)
#define WORLD_PATIENCE_EVENTS 100000u

void world_end_soon(struct world *world);

/* Is there a reason not to take the next event? */
enum world_end world_end_before_next(const struct world *world);

/*
 * Shows an event of the present instant to the oracles, appends it to the
 * trace and shows it to the story.  Fills in event->now_ns.
 */
void world_emit(struct world *world, struct event *event);

#endif
