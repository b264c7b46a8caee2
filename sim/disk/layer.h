/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block layer: the disks of a plan, their graph, and the requests on them.
 *
 * It knows nothing of stories, generators, jobs or oracles.  Whoever makes one
 * gives it an arena, a plan, choices and a timeline, and learns what happens
 * from the events that it emits.  A world has one (sim/world); a test can have
 * one alone.
 *
 * All that changes is in the arena, so that a copy of the arena is a copy of
 * the disks.  The engine's port (engine/block.h) is implemented here, but for
 * the host's functions: a `struct host` is a block layer under another name.
 *
 * Only sim/disk and sim/world, who own one, look inside.
 */
#ifndef MIRRORSIM_SIM_DISK_LAYER_H
#define MIRRORSIM_SIM_DISK_LAYER_H

#include <sys/queue.h>

#include "engine/event.h"
#include "sim/base/arena.h"
#include "sim/base/choice.h"
#include "sim/base/timeline.h"
#include "sim/content/writer.h"
#include "sim/disk/buffer.h"
#include "sim/disk/fault.h"
#include "sim/disk/guest.h"
#include "sim/disk/inquiry.h"
#include "sim/disk/node.h"
#include "sim/disk/request.h"
#include "sim/disk/section.h"
#include "sim/plan/plan.h"
#include "sim/trace/evidence.h"

struct block_layer {
    /* Set by the owner before layer_init(), and the owner's; they outlive the layer. */
    struct arena *arena;
    const struct plan *plan;
    struct choices *choices;
    struct timeline *timeline;
    struct evidence *evidence; /* the disks put themselves there, and a read what it sees */

    /*
     * Called for each event, from inside the function that causes it.  Fills in
     * event->now_ns.  It may look at the layer and add to the timeline; it must
     * not submit, drain or change anything.
     */
    void (*emit)(struct block_layer *layer, struct event *event);

    /* The graph. */
    struct block_node *nodes; /* one per disk of the plan, in its order */
    uint32_t node_count;
    uint32_t guest_node;       /* the guest's disk now */
    struct block_node *filter; /* of a job, or NULL; the guest's disk is still `guest_node` */
    const struct interposer *interposer; /* ... what it calls */
    void *interposer_opaque;
    uint64_t layout_changes; /* of any image or link, from 1: what was looked up before is stale */

    /* Requests. */
    uint32_t request_count;         /* numbers given so far */
    uint32_t guest_requests;        /* of the guest, not finished */
    TAILQ_HEAD(, request) requests; /* not finished, oldest first */
    STAILQ_HEAD(, request) queued;  /* of the guest, until a drain ends; in the generation 2.2 */
    struct writers writers;         /* the guest's requests */
    struct run_list scratch;        /* of the read or write that takes effect */
    struct probes probes;           /* of the job, not answered, the youngest first */

    /* Today's generation: the guest as a user, and drained sections. */
    struct block_edge guest_edge;
    struct interposed_list guest_list;   /* its requests, not finished */
    struct interposed_queue guest_queue; /* ... of them those that queue */
    uint32_t guest_in_flight;            /* ... and those that have arrived */
    uint32_t all_sections;               /* over all nodes */
    struct section_waits waits;          /* the youngest first */

    struct fault *faults;  /* one per fault of the plan */
    uint64_t faults_armed; /* how often a step has armed one */
};

/*
 * Makes the disks as the plan describes them, and the faults; the owner's part
 * is filled in, the rest is zero.  The guest has the disk `guest_node`.  Emits
 * nothing: the bitmaps of other users come with dirty_create_others().
 */
void layer_init(struct block_layer *layer, uint32_t guest_node);

/*
 * Adds what only worlds of today's generation have: sections, questions, the guest above the disks.
 */
void layer_digest_modern(const struct block_layer *layer, struct digest *digest);

/* Asserts the invariants of every disk, request and fault. */
void layer_check(const struct block_layer *layer);

/* An event of the present instant: the owner's hook sees it. */
static inline void layer_emit(struct block_layer *layer, struct event *event)
{
    layer->emit(layer, event);
}

/* An engine's host is the layer that its nodes belong to. */
static inline struct block_layer *layer_of(struct host *host)
{
    return (struct block_layer *)(void *)host;
}

static inline struct host *layer_host(struct block_layer *layer)
{
    return (struct host *)(void *)layer;
}

/* The guest has nothing queued or in flight. */
static inline bool layer_guest_idle(const struct block_layer *layer)
{
    return layer->guest_requests == 0;
}

#endif
