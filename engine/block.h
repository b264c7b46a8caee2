/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port to the block layer: all that an engine needs of its surroundings.
 *
 * The engine calls these functions; sim/ implements them, and a test may
 * implement them as a stub.  One thread; nothing here blocks.  A request
 * calls back once, later, never from inside the call that submitted it, with
 * 0 or a negative errno; a callback may submit further requests.
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

struct host;          /* one world, seen from its engine */
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
void *host_alloc(struct host *host, size_t bytes);

/* Gives it back; `bytes` as it was asked for.  NULL is allowed. */
void host_free(struct host *host, void *memory, size_t bytes);

/*
 * Calls `fired(opaque)` from the main loop after `delay_ns`; 0 is still a
 * trip through the event loop.  The timer is gone once it fires.
 */
struct host_timer *host_timer_start(struct host *host, uint64_t delay_ns,
                                    void (*fired)(void *opaque), void *opaque);

/* Drops a timer that has not fired. */
void host_timer_stop(struct host *host, struct host_timer *timer);

/* Appends to the trace; the host fills in now_ns. */
void host_emit(struct host *host, struct event *event);

/* ---- Nodes: attributes ---- */

/* Small number that names the node in events. */
uint8_t block_node_id(const struct block_node *node);
const char *block_node_name(const struct block_node *node);

/* The node of that name, or NULL. */
struct block_node *block_node_find(struct host *host, const char *name);

/* 0 and the length, or -errno (R2). */
int block_getlength(struct block_node *node, uint64_t *bytes);

/* The length as the block layer itself knows it, which is no question that can fail. */
uint64_t block_known_bytes(const struct block_node *node);

/*
 * 0 and the allocation unit (a power of two; 0 = it has none), or -errno; -ENOTSUP = the node
 * can't tell, which R4 takes for "no clusters" (S1, R4, D19).
 */
int block_cluster_size(struct block_node *node, uint64_t *bytes);

/* The header names a backing file, whether or not it is open (R4). */
bool block_names_backing(const struct block_node *node);

/* The open backing node, or NULL. */
struct block_node *block_backing(const struct block_node *node);

/* `node` is somewhere below `top`, by open backing nodes. */
bool block_is_below(const struct block_node *node, const struct block_node *top);

/*
 * Nothing is allocated, no backing file is named, and unallocated ranges are
 * known to read zero: the node reads zero all over (D15).
 */
bool block_has_zero_init(const struct block_node *node);

uint32_t block_flags(const struct block_node *node);

/* A second user or job holds the node (S3, D18, C4). */
bool block_is_blocked(const struct block_node *node);

/* It is the topmost node of its tree that is no filter (C4). */
bool block_is_topmost_non_filter(const struct block_node *node);

/* I/O status tracking is on and stops the guest on error (S2). */
bool block_tracks_io_status(const struct block_node *node);

/* ---- Nodes: changing them ---- */

void block_ref(struct block_node *node);
void block_unref(struct block_node *node);

/*
 * Blocks, or unblocks, every operation on the node by others than the caller
 * (S3, D18).  Calls nest.
 */
void block_op_block_all(struct block_node *node);
void block_op_unblock_all(struct block_node *node);

/* The write cache, and with it the open flag "write-back" (S7). */
void block_set_write_cache(struct block_node *node, bool on);

/* The node's own policy, for reads and writes (S7). */
void block_set_on_error(struct block_node *node, enum error_policy policy);

/* Switches I/O status tracking (S7, exit of L). */
void block_io_status_enable(struct block_node *node, bool on);

/* Sets the I/O status (E4, C2). */
void block_io_status_set(struct block_node *node, enum io_status status);

/* 0 or -errno; on failure nothing has changed. */
int block_reopen(struct block_node *node, uint32_t flags);
int block_truncate(struct block_node *node, uint64_t bytes);

/*
 * Opens the backing file if the header names one that is not open (C4).  On
 * success, also with nothing to open, the open flag "no backing" is cleared.
 */
int block_open_backing(struct block_node *node);

/*
 * Closes the backing node (section 9): the link is gone, the header still
 * names the file.
 */
void block_unlink_backing(struct block_node *node);

/*
 * Pivot: whoever uses `old_node`, the guest or a parent node, uses `new_node` from now
 * on; its queued guest requests go there (C6).
 */
void block_replace(struct block_node *old_node, struct block_node *new_node);

/*
 * Drain: new guest requests on the node queue up.  Returns true if none is in
 * flight; otherwise `drained(opaque)` is called once the last has finished,
 * after its own completion (L5, D13).  Until block_drain_end().
 */
bool block_drain_begin(struct block_node *node, void (*drained)(void *opaque), void *opaque);

/* Ends the drain, also one not yet reached; queued requests are submitted. */
void block_drain_end(struct block_node *node);

/*
 * A drain that lets new guest requests in, as that of the reference revision (D13): returns true
 * if no request is in flight on the node; otherwise `idle(opaque)` is called as for
 * block_drain_begin().  It ends when the next request is submitted (D12), or with
 * block_idle_end().
 */
bool block_idle_begin(struct block_node *node, void (*idle)(void *opaque), void *opaque);
void block_idle_end(struct block_node *node);

/* Requests in flight on the node, whoever has submitted them. */
uint32_t block_in_flight(const struct block_node *node);

/* ---- Requests ---- */

/*
 * Makes `count` chunk buffers of `bytes` each for reading `node`; 0 or
 * -errno (R5).
 */
int block_buffers_create(struct block_node *node, uint64_t bytes, uint32_t count,
                         struct block_buffers **buffers);
void block_buffers_release(struct block_buffers *buffers);

/*
 * Who wrote what a sector of a chunk buffer holds: the tag that a read has put there (io-model,
 * content), for engines that keep data in memory of their own, too.
 */
uint64_t block_buffers_tag(const struct block_buffers *buffers, uint32_t index, uint64_t sector);

/*
 * One piece of a request's data after the other: buffers[0] .. buffers[count-1],
 * each full but the last.  The list must live until the request has finished.
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

/* Everything written to the node and finished before this call is durable
 * when it succeeds. */
void block_flush(struct block_node *node, block_done *done, void *opaque);

/*
 * Is [offset, offset + bytes) allocated in a layer from `top` down to, but
 * not including, `base` (NULL: the whole chain)?  Returns 1, 0 or -errno;
 * *extent_bytes says how far the answer holds from `offset`: more than 0, up
 * to the end of the node, perhaps beyond `bytes`.
 *
 * -EINPROGRESS: the answer takes time; done(opaque, 0) is called when asking
 * again with the same arguments will give it.
 */
int block_status_above(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes, block_done *done, void *opaque);

/* ---- Dirty bitmaps ---- */

/*
 * Attaches an all-clean dirty bitmap; from now on every guest request that
 * writes marks what it touched when it completes, successfully or not (S6).
 * 0 or -errno.
 */
int block_dirty_create(struct block_node *node, uint64_t granularity, struct block_dirty **dirty);
void block_dirty_release(struct block_dirty *dirty);

/* Its bits, one per chunk, for reading only. */
const struct bitmap *block_dirty_bits(const struct block_dirty *dirty);

/* Marks, or cleans, every chunk that the range touches, in this bitmap only. */
void block_dirty_set(struct block_dirty *dirty, uint64_t offset, uint64_t bytes);
void block_dirty_clear(struct block_dirty *dirty, uint64_t offset, uint64_t bytes);

/* The same in every bitmap of the node, also those of other users (D6). */
void block_dirty_set_all(struct block_node *node, uint64_t offset, uint64_t bytes);
void block_dirty_clear_all(struct block_node *node, uint64_t offset, uint64_t bytes);

#endif
