/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A node of the simulated block graph: one disk of the plan, as it is now.
 *
 * What a disk holds, its length and its backing link are what oracles see of
 * it (struct disk_state); a node adds who uses it and how it serves requests.
 */
#ifndef MIRRORSIM_SIM_DISK_NODE_H
#define MIRRORSIM_SIM_DISK_NODE_H

#include <sys/queue.h>

#include "engine/block.h"
#include "engine/interposer.h"
#include "sim/disk/probe.h"
#include "sim/disk/section.h"
#include "sim/trace/evidence.h"

struct cached_write;
struct request;
struct block_layer;

/* Operations that take time: requests, and the two status questions. */
static inline bool op_is_timed(enum op op)
{
    return op <= OP_STATUS || op == OP_CONTENT;
}

struct block_node {
    struct block_layer *layer;
    const struct disk_spec *spec;
    struct disk_state disk;
    uint8_t id;

    uint32_t flags;
    uint32_t refs;
    uint32_t blockers;
    bool tracks_io_status;
    bool read_only;
    enum io_status io_status;
    enum error_policy on_error;

    uint32_t in_flight; /* requests submitted and not done */
    bool drained;       /* new guest requests queue */
    bool idles;         /* a drain without a queue: the next request ends it (block_idle_begin) */
    void (*drain_done)(void *opaque);
    void *drain_opaque;

    /* Who uses it, the newest first, and drained sections (section.h). */
    TAILQ_HEAD(, block_edge) edges;
    struct block_edge below; /* by which it uses its open backing node; a filter, its node */
    uint32_t sections;       /* begun over it, or over what is below it, and not ended */
    uint32_t own_sections;   /* those of them that jobs are not told of */

    struct block_dirty *dirty; /* in the order of their creation */
    uint16_t dirty_count;      /* numbers given so far */

    bool heals;          /* some latent fault of the plan is about it */
    struct image *older; /* what was there before the last write; NULL: nobody asks */
    uint32_t fault_ops;  /* bit per op that some fault of the plan may hit here */
    uint32_t served;     /* requests that have a lane */
    uint64_t link_free_ns;
    STAILQ_HEAD(, request) waiting; /* for a lane */
    struct choice_site *latency_sites[OP_COUNT];
    struct choice_site *effect_site;

    struct status_answer status_answer;
    struct status_query status_query;

    /* A volatile cache (cache.h). */
    uint64_t cache_stamp; /* counts the cached writes that have finished */
    STAILQ_HEAD(, cached_write) cached;
};

/* What no tearing divides. */
static inline uint64_t node_atomic_bytes(const struct block_node *node)
{
    return node->spec->atomic_bytes == 0 ? SECTOR_BYTES : node->spec->atomic_bytes;
}

/* Ranges at the ports are whole sectors, at least one. */
static inline bool node_is_sectors(uint64_t offset, uint64_t bytes)
{
    return bytes > 0 && (offset | bytes) % SECTOR_BYTES == 0;
}

/* The filter node of a job, between the guest and its disk (engine/interposer.h); there is one at
 * most. */
static inline bool node_is_filter(const struct block_node *node)
{
    return node->id == BLOCK_FILTER_ID;
}

/* Makes the disks of the layer's plan. */
void nodes_create(struct block_layer *layer);

/* The open backing node, or NULL. */
struct block_node *node_backing(const struct block_node *node);

/*
 * What a reader of the node sees at `sector`, open backing nodes included: a
 * run clipped to start there and to `limit`, with tag 0 where there is nothing.
 */
struct run node_lookup(const struct block_node *node, uint64_t sector, uint64_t limit);

/* How long an operation takes that begins now. */
uint64_t node_latency_ns(struct block_node *node, enum op op);

/* Adds everything about the node that can change, its image included. */
void node_digest(const struct block_node *node, struct digest *digest);

/* Asserts its invariants between two timeline events: content, links, bitmaps, cache, drain. */
void node_check(const struct block_node *node);

#endif
