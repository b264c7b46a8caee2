/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interposer port: an engine between the guest and its disk (modern-algorithm F, W).
 *
 * While a filter node is in place, each request of the guest arrives at the engine by a call.  The
 * engine may hold it, pass it on to the node below, issue requests of its own for it, and gives it
 * its result.  The call returns when the engine has to wait for the request, or has finished it;
 * only then does the block layer go on, for example to the next request of a queue that a drained
 * section has let go.  So arrival is synchronous, and everything after it is events.
 *
 * A request that queues because of a drained section has not arrived.  One that has arrived counts
 * as in flight above the source until interposed_finish(), also while it waits for an operation.
 *
 * A world whose job has no filter calls nothing of this: its guest requests go to the disk as ever.
 */
#ifndef MIRRORSIM_ENGINE_INTERPOSER_H
#define MIRRORSIM_ENGINE_INTERPOSER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"

/* block_node_id() of the filter: no disk of a plan has it. */
#define BLOCK_FILTER_ID 0xff

/* A guest request that has arrived; the block layer's own, until it is finished. */
struct interposed;

/* What it asks for: reads, writes, write-zeroes, discards, flushes (offset and bytes 0). */
struct interposed_info {
    enum op op;
    uint64_t offset; /* multiples of SECTOR_BYTES, inside the disk */
    uint64_t bytes;
    uint32_t number; /* of the request, as in traces */
};

struct interposer {
    /*
     * The request has arrived.  May call interposed_finish() before it returns.  Called from the
     * main loop: from the event in which the guest makes the request or a drained section ends.
     */
    void (*arrived)(void *opaque, struct interposed *request);
};

/*
 * Puts a filter node called `name` (NULL: "filter") between `below` and all its users but the edges
 * of jobs (block_edge_attach()), and gives out a reference on it.  `below` is in a drained
 * section of the caller's.  Emits GUEST_MOVED if the guest moves.  0, or -errno with nothing
 * changed (the name is taken: -EEXIST).
 */
int block_filter_insert(struct block_node *below, const char *name,
                        const struct interposer *interposer, void *opaque,
                        struct block_node **filter);

/*
 * Takes it out: its users move to the node that it sits on now, which a pivot may have changed.
 * No request is in flight above it; the section that ensures that is the caller's.
 */
void block_filter_remove(struct block_node *filter);

/* True if the guest uses the node itself, and not through a filter: nobody else may write to it. */
bool block_is_guests(const struct block_node *node);

struct interposed_info interposed_info(const struct interposed *request);

/* How many of the guest's requests that are not finished have come before it, for digests. */
uint64_t interposed_place(const struct interposed *request);

/* The engine's own pointer, NULL at first. */
void interposed_set_context(struct interposed *request, void *context);
void *interposed_context(const struct interposed *request);

/*
 * Does the request on the node below the filter, as the guest's own: the trace shows it `by: guest`
 * with the request's number.  At most once per request.
 */
void interposed_pass(struct interposed *request, block_done *done, void *opaque);

/*
 * The same change, as far as it lies in [offset, offset + bytes), on `node`: `by: active` with a
 * number of its own; event field `index` is the guest request's.  A write carries the data as the
 * guest gave it at its arrival.  Write-zeroes and discards go as such; may-unmap is never set (F3).
 * The range is inside the request's and not empty.  May be called several times, one at a time.
 */
void interposed_copy(struct interposed *request, struct block_node *node, uint64_t offset,
                     uint64_t bytes, block_done *done, void *opaque);

/* The guest has its result, 0 or -errno; the request is gone.  Nothing of it is in flight. */
void interposed_finish(struct interposed *request, int ret);

#endif
