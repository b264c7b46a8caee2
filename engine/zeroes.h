/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port for zeroes: what kind of content is where, and making zeroes (modern-algorithm O5, Z).
 */
#ifndef MIRRORSIM_ENGINE_ZEROES_H
#define MIRRORSIM_ENGINE_ZEROES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"

/* ---- Questions ---- */

enum block_content {
    CONTENT_DATA,        /* stored data, whatever it is: may read zero */
    CONTENT_ZERO,        /* known to read zero */
    CONTENT_UNALLOCATED, /* nothing stored, and what it reads is not said */
};

/* An answer; the caller's memory, until the question is answered. */
struct block_answer {
    int ret; /* 0 or -errno; if it is negative, the rest says nothing */
    enum block_content content;
    bool allocated;        /* stored in a layer that was looked into */
    uint64_t extent_bytes; /* from the offset asked: more than 0, and no further than the range */
};

/*
 * What is in [offset, offset + bytes) as a reader of `node` sees it, the whole chain looked into?
 * The range may reach past the end of the node; the answer is cut there.  Sampled when it is
 * answered.  True: *answer is filled in.  False: it takes time, and done(opaque, 0) is called when
 * it is.  Unallocated without an open backing node where one is possible: ZERO, not allocated.  Not
 * a request: it counts for no drained section.
 */
bool block_ask_content(struct block_node *node, uint64_t offset, uint64_t bytes,
                       struct block_answer *answer, block_done *done, void *opaque);

/*
 * Is it allocated in a layer from `top` down to `base` (with it, if `include_base`; NULL: the whole
 * chain)?  As above, but sampled when it is asked (M1 depends on that), and only `allocated` and
 * `extent_bytes` are said.
 */
bool block_ask_allocated(struct block_node *top, struct block_node *base, bool include_base,
                         uint64_t offset, uint64_t bytes, struct block_answer *answer,
                         block_done *done, void *opaque);

/* Does the node read zero all over (Z2)?  1 yes, 0 not known, or -errno.  Takes no time. */
int block_reads_zero(struct block_node *node);

/* ---- Attributes ---- */

/* Chunk buffers per request. */
uint32_t block_max_iov(const struct block_node *node);

/* It can write zeroes by unmapping: opened for it, and able to. */
bool block_can_unmap(const struct block_node *node);

enum detect_zeroes {
    DETECT_OFF,
    DETECT_ON,
    DETECT_UNMAP,
};

enum detect_zeroes block_detects_zeroes(const struct block_node *node);

/* A backing file can be attached to it, whether or not its header names one (N1, D'1). */
bool block_supports_backing(const struct block_node *node);

/* Rounds outwards to what the node allocates at once (subclusters); nothing changes if unknown. */
void block_round_to_allocation(const struct block_node *node, uint64_t *offset, uint64_t *bytes);

/* ---- Requests of the job ---- */

#define ZEROES_MAY_UNMAP 1u /* event field `detail` of the request */

void block_write_zeroes(struct block_node *node, uint64_t offset, uint64_t bytes, uint32_t flags,
                        block_done *done, void *opaque);
void block_discard(struct block_node *node, uint64_t offset, uint64_t bytes, block_done *done,
                   void *opaque);

/* ---- Graph ---- */

/* The node's backing becomes `backing` (NULL: none); 0 or -errno (C6'). */
int block_set_backing(struct block_node *node, struct block_node *backing);

bool block_is_read_only(const struct block_node *node);
int block_set_read_only(struct block_node *node, bool read_only);

/* May `to_replace` make way for what is identical to `node` (S12', C6')? */
bool block_can_replace(const struct block_node *node, const struct block_node *to_replace);

/*
 * All users of `from` except jobs and those below or inside `to` use `to` from now on.  Both are in
 * drained sections.  0, or -EPERM with nothing changed.  Emits GUEST_MOVED and, if `to` takes the
 * place of the guest's disk, PIVOT.
 */
int block_move_users(struct block_node *from, struct block_node *to);

/* ---- Dirty bitmaps ---- */

/*
 * As block_dirty_create(), but nobody marks it except who made it (S6').  Its number and its events
 * are those of a bitmap of `node`.
 */
int block_dirty_create_own(struct block_node *node, uint64_t granularity,
                           struct block_dirty **dirty);

#endif
