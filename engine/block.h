/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port to the block layer: all that an engine needs from its environment.
 *
 * The engine calls these functions; sim/ implements them, and a test may
 * implement them as a stub.  There is one thread, and nothing here blocks.  A
 * request calls back exactly once, with 0 or a negative errno, and never from
 * inside the call that submitted it; the callback may submit further requests.
 *
 * Offsets and lengths are bytes, multiples of SECTOR_BYTES.  Nodes are
 * reference counted; an engine holds a reference on every node it keeps.
 */
#ifndef MIRRORSIM_ENGINE_BLOCK_H
#define MIRRORSIM_ENGINE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/bitmap.h"
#include "engine/event.h"

struct host;          /* one world, as its engine sees it */
struct host_timer;    /* a pending one-shot timer */
struct block_node;    /* a node of the block graph */
struct block_buffers; /* a copy buffer cut into chunk buffers */
struct block_dirty;   /* a dirty bitmap of a node */

/* A request has finished: ret is 0 or -errno. */
typedef void block_done(void *opaque, int ret);

/* ---- The host: time, memory, trace ---- */

/* Virtual time in ns; it does not move while the engine runs. */
uint64_t host_now_ns(struct host *host);

/* Zeroed memory in the world's arena, aligned to 16; never NULL. */
void *host_alloc(struct host *host, uint64_t bytes);

/* Frees memory of host_alloc(); `bytes` as in that call. NULL is allowed. */
void host_free(struct host *host, void *memory, uint64_t bytes);

/*
 * Calls `fired(opaque)` from the main loop after `delay_ns`; even 0 takes a
 * trip through the event loop.  The timer is gone once it fires.
 */
struct host_timer *host_timer_start(struct host *host, uint64_t delay_ns,
                                    void (*fired)(void *opaque), void *opaque);

/* Cancels a timer that has not fired. */
void host_timer_stop(struct host *host, struct host_timer *timer);

/* Appends an event to the trace; the host fills in now_ns. */
void host_emit(struct host *host, struct event *event);

/* ---- Nodes: attributes ---- */

/* A small number that identifies the node in events. */
uint8_t block_node_id(const struct block_node *node);
const char *block_node_name(const struct block_node *node);

/* The node with that name, or NULL. */
struct block_node *block_node_find(struct host *host, const char *name);

/* Returns 0 and the length, or -errno (R2). */
int block_getlength(struct block_node *node, uint64_t *bytes);

/* The length as the block layer itself knows it; this query cannot fail. */
uint64_t block_known_bytes(const struct block_node *node);

/*
 * Returns 0 and the allocation unit (a power of two; 0 = it has none), or -errno. -ENOTSUP =
 * the node cannot tell, which R4 treats as "no clusters" (S1, R4, D19).
 */
int block_cluster_size(struct block_node *node, uint64_t *bytes);

/* True if the header names a backing file, whether or not it is open (R4). */
bool block_names_backing(const struct block_node *node);

/* The open backing node, or NULL. */
struct block_node *block_backing(const struct block_node *node);

/* True if `node` is below `top` in the chain of open backing nodes. */
bool block_is_below(const struct block_node *node, const struct block_node *top);

/*
 * True if the node is known to read zero everywhere: nothing is allocated, no
 * backing file is named, and unallocated ranges read zero (D15).
 */
bool block_has_zero_init(const struct block_node *node);

/*
 * True if what has been written may be in a cache only until it is flushed.  A flush that fails may
 * then have dropped it, so that no later flush brings it back (D23).
 */
bool block_has_cache(const struct block_node *node);

uint32_t block_flags(const struct block_node *node);

/* True if another user or job blocks operations on the node (S3, D18, C4). */
bool block_is_blocked(const struct block_node *node);

/* True if it is the topmost node of its tree that is not a filter (C4). */
bool block_is_topmost_non_filter(const struct block_node *node);

/* True if I/O status tracking is on, so that an error stops the guest (S2). */
bool block_tracks_io_status(const struct block_node *node);

/* ---- Nodes: changing them ---- */

void block_ref(struct block_node *node);
void block_unref(struct block_node *node);

/*
 * Block or unblock every operation on the node by anyone but the caller (S3,
 * D18).  Calls nest.
 */
void block_op_block_all(struct block_node *node);
void block_op_unblock_all(struct block_node *node);

/* Switches the write cache, and with it the open flag "write-back" (S7). */
void block_set_write_cache(struct block_node *node, bool on);

/* Sets the node's own policy, for reads and writes (S7). */
void block_set_on_error(struct block_node *node, enum error_policy policy);

/* Switches I/O status tracking on or off (S7, exit of L). */
void block_io_status_enable(struct block_node *node, bool on);

/* Sets the I/O status (E4, C2). */
void block_io_status_set(struct block_node *node, enum io_status status);

/* Return 0 or -errno; on failure nothing has changed. */
int block_reopen(struct block_node *node, uint32_t flags);
int block_truncate(struct block_node *node, uint64_t bytes);

/*
 * Opens the backing file if the header names one that is not open (C4).  On
 * success the open flag "no backing" is cleared, even if there was nothing to
 * open.
 */
int block_open_backing(struct block_node *node);

/*
 * Closes the backing node (section 9): the link is removed, but the header
 * still names the file.
 */
void block_unlink_backing(struct block_node *node);

/*
 * Pivot: from now on every user of `old_node`, the guest or a parent node, uses
 * `new_node`, and the guest requests queued on `old_node` go there (C6).
 */
void block_replace(struct block_node *old_node, struct block_node *new_node);

/*
 * Drain: new guest requests on the node queue up until block_drain_end().
 * Returns true if none is in flight; otherwise `drained(opaque)` is called once
 * the last one has finished, after that one's own completion (L5, D13).
 */
bool block_drain_begin(struct block_node *node, void (*drained)(void *opaque), void *opaque);

/* Ends the drain, even if requests are still in flight; queued requests are submitted. */
void block_drain_end(struct block_node *node);

/*
 * A drain that lets new guest requests in, like that of the reference revision (D13): returns
 * true if no request is in flight on the node; otherwise `idle(opaque)` is called as for
 * block_drain_begin().  It ends when the next request is submitted (D12), or with
 * block_idle_end().
 */
bool block_idle_begin(struct block_node *node, void (*idle)(void *opaque), void *opaque);
void block_idle_end(struct block_node *node);

/* Number of requests in flight on the node, from any issuer. */
uint32_t block_in_flight(const struct block_node *node);

/* ---- Requests ---- */

/*
 * Makes `count` chunk buffers of `bytes` each for reading `node`; returns 0 or
 * -errno (R5).
 */
int block_buffers_create(struct block_node *node, uint64_t bytes, uint32_t count,
                         struct block_buffers **buffers);
void block_buffers_release(struct block_buffers *buffers);

/*
 * The tag of a sector of a chunk buffer: it says who wrote what the last read put there
 * (io-model, content). For engines that also keep the data in memory of their own.
 */
uint64_t block_buffers_tag(const struct block_buffers *buffers, uint32_t index, uint64_t sector);

/*
 * A request's data, piece by piece: the chunk buffers index[0] ..  index[count -
 * 1], all full except the last.  The list must live until the request has
 * finished.
 */
struct block_iov {
    struct block_buffers *buffers;
    const uint32_t *index;
    uint32_t count;
};

void block_read(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                block_done *done, void *opaque);
void block_write(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                 block_done *done, void *opaque);

/* When it succeeds, every write to the node that had finished before this call is durable. */
void block_flush(struct block_node *node, block_done *done, void *opaque);

/*
 * Is [offset, offset + bytes) allocated in a layer from `top` down to, but
 * not including, `base` (NULL: the whole chain)?  Returns 1, 0 or -errno; the
 * answer holds for *extent_bytes from `offset`: more than 0, at most up to the
 * end of the node, possibly beyond `bytes`.
 *
 * -EINPROGRESS: the answer takes time; done(opaque, 0) is called once a call
 * with the same arguments will return it.
 */
int block_status_above(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes, block_done *done, void *opaque);

/* ---- Dirty bitmaps ---- */

/*
 * Attaches an all-clean dirty bitmap: from now on every guest request that
 * writes marks what it touched when it completes, successfully or not (S6).
 * Returns 0 or -errno.
 */
int block_dirty_create(struct block_node *node, uint64_t granularity, struct block_dirty **dirty);
void block_dirty_release(struct block_dirty *dirty);

/* Its bits, one per chunk; read only. */
const struct bitmap *block_dirty_bits(const struct block_dirty *dirty);

/* Mark or clean every chunk that the range touches, in this bitmap only. */
void block_dirty_set(struct block_dirty *dirty, uint64_t offset, uint64_t bytes);
void block_dirty_clear(struct block_dirty *dirty, uint64_t offset, uint64_t bytes);

/* The same in every bitmap of the node, including those of other users (D6). */
void block_dirty_set_all(struct block_node *node, uint64_t offset, uint64_t bytes);
void block_dirty_clear_all(struct block_node *node, uint64_t offset, uint64_t bytes);

#endif
