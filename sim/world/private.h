/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside a world: what the block layer, the faults and the story share.
 *
 * struct world is the first thing in its arena, and everything that changes
 * during a run hangs off it, so that a copy of the arena is a copy of the
 * run.  The pointers to plan, engine, trace and verdict leave the arena; they
 * never change.
 *
 * Only sim/ files of the world include this header.
 */
#ifndef MIRRORSIM_SIM_WORLD_PRIVATE_H
#define MIRRORSIM_SIM_WORLD_PRIVATE_H

#include <sys/queue.h>

#include "sim/base/timeline.h"
#include "sim/content/writer.h"
#include "sim/disk/buffer.h"
#include "sim/disk/fault.h"
#include "sim/disk/node.h"
#include "sim/disk/request.h"
#include "sim/oracle/oracle.h"
#include "sim/trace/evidence.h"
#include "sim/world/generator.h"
#include "sim/world/story.h"
#include "sim/world/world.h"

struct oracle_slot {
    const struct oracle *oracle;
    void *state;
};

struct host_timer {
    LIST_ENTRY(host_timer) link;
    struct pending pending;
    struct world *world;
    void (*fired)(void *opaque);
    void *opaque;
};

struct world {
    struct arena *arena;
    const struct plan *plan;
    const struct engine *engine;
    struct trace *trace;
    struct verdict *verdict;
    struct choice_spec choice_spec;
    struct choices *choices;
    struct timeline timeline;
    struct evidence evidence;

    uint64_t events;         /* timeline events taken */
    uint64_t events_at_once; /* since virtual time last moved */
    uint64_t step_end;       /* the trace must not grow to this before the step is over, ... */
    void (*step_limit)(uint64_t events); /* ... or this ends it (struct world_options) */

    /* The block layer. */
    struct block_node *nodes;
    uint32_t node_count;
    uint32_t guest_node;            /* the guest's disk now */
    uint32_t guest_requests;        /* of the guest, not finished */
    uint32_t request_count;         /* numbers given so far */
    struct writers writers;         /* the guest's requests */
    uint64_t layout_changes;        /* of any image or link: what was looked up before is stale */
    TAILQ_HEAD(, request) requests; /* not finished, oldest first */
    STAILQ_HEAD(, request) queued;  /* of the guest, until a drain ends */
    LIST_HEAD(, host_timer) timers;
    struct run_list scratch; /* of the read that takes effect */

    struct fault *faults; /* one per fault of the plan */
    struct story story;
    struct generator *generators; /* one per generator of the plan */

    struct engine_job *job;   /* NULL: none */
    uint64_t job_taken_bytes; /* of memory, by the job that there is */
    uint64_t job_given_bytes; /* ... and given back */
    struct job_info last_job;
    bool has_last_job;
    bool job_concluded; /* the last job that was started has come to its end ... */
    bool job_cancelled; /* ... so, with this result */
    int job_ret;

    /* Oracles, and for each kind of event those that want it, a bit each. */
    struct oracle_slot *oracles;
    uint32_t oracle_count;
    uint32_t wanted_by[EVENT_KIND_COUNT][BY_GUEST + 1];
    uint32_t settled_by;
};

/* An engine's host is the world under another name. */
static inline struct world *world_of(struct host *host)
{
    return (struct world *)(void *)host;
}

static inline struct host *world_host(struct world *world)
{
    return (struct host *)(void *)world;
}

/* The job is gone, or was refused: has it given back its memory? */
void world_judge_job_memory(struct world *world);

/*
 * Shows an event of the present instant to the oracles, appends it to the
 * trace and shows it to the story.  Fills in event->now_ns.
 */
void world_emit(struct world *world, struct event *event);

/*
 * Adds when an event is due, from now, and how many of that instant come
 * before it; or that it is not pending.
 */
void world_digest_pending(const struct world *world, const struct pending *pending,
                          struct digest *digest);

/* Only when it is due, from now; it is pending. */
void world_digest_due(const struct world *world, const struct pending *pending,
                      struct digest *digest);

/* The guest has nothing queued or in flight. */
static inline bool world_guest_idle(const struct world *world)
{
    return world->guest_requests == 0;
}

#endif
