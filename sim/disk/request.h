/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: submit -> start -> effect -> done (io-model).
 *
 * Submitting counts the request for faults and gives it a lane, or a place in
 * the node's waiting line.  With a lane it takes its latency.  Its data moves
 * at the effect instant (effect.h), which is the completion instant unless the disk
 * says otherwise; a request with nothing special about it is one timeline event.
 * In that event, in this order:
 *
 *   range check, data effect         EVENT_REQUEST_EFFECT (what moved)
 *   a write marks the dirty bitmaps  EVENT_DIRTY_SET
 *   the request leaves the node      EVENT_REQUEST_DONE
 *   the lane goes to the next        EVENT_REQUEST_START (of that one)
 *   callback
 *   a drain that waited for it ends  EVENT_DRAINED, callback
 *
 * A fault can stop a request before its effect or its completion (hold) or
 * for good (hang); it keeps its lane.  Released, it continues at that instant,
 * as a timeline event of its own.
 */
#ifndef MIRRORSIM_SIM_DISK_REQUEST_H
#define MIRRORSIM_SIM_DISK_REQUEST_H

#include <sys/queue.h>

#include "engine/block.h"
#include "sim/base/timeline.h"
#include "sim/disk/effect.h"
#include "sim/disk/fault.h"
#include "sim/disk/node.h"
#include "sim/plan/plan.h"

enum request_state {
    REQUEST_QUEUED,  /* of the guest: the node is drained */
    REQUEST_WAITING, /* for a lane */
    REQUEST_SERVED,  /* its event is pending, or fires now */
    REQUEST_HELD,
    REQUEST_HUNG,
};

struct request {
    TAILQ_ENTRY(request) link;  /* all that are not finished */
    STAILQ_ENTRY(request) turn; /* the guest's queue, or the waiting line of the node */
    struct block_node *node;
    struct pending pending;
    uint64_t offset;
    uint64_t bytes;
    uint64_t submitted_ns;
    uint64_t due_ns; /* completes at this instant; before it, the pending event is the effect */
    struct block_iov iov;
    const struct guest_request *guest; /* its script, or NULL */
    const struct interposed *part_of;  /* the guest request above the disks (guest.h), or NULL */
    block_done *done;                  /* NULL for a scripted one */
    void *opaque;
    struct request_faults faults;
    struct effect effect;
    uint64_t flush_stamp; /* of a flush: what was finished when it was submitted */
    uint32_t number;
    int ret;
    uint16_t plan_number; /* as in events */
    uint8_t op;
    uint8_t by;
    uint8_t state;
    bool moved;     /* the last effect instant has passed */
    bool sampled;   /* ... in the event of its submission: a read of today's generation */
    uint8_t detail; /* as in events */
};

static inline bool op_writes(uint8_t op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

static inline bool op_transfers(uint8_t op)
{
    return op == OP_READ || op == OP_WRITE;
}

/* A request that is not submitted yet, at the end of the layer's list. */
struct request *request_create(struct block_node *node, enum op op, enum by by, uint64_t offset,
                               uint64_t bytes);

/* The same, with a number that is taken already. */
struct request *request_create_numbered(struct block_node *node, enum op op, enum by by,
                                        uint64_t offset, uint64_t bytes, uint32_t number);
void request_submit(struct request *request);

/* A request that was held or hung continues now; no service time is left. */
void request_resume(struct request *request);

/* bytes / bandwidth (bytes/s) in ns, rounded up, saturating. */
uint64_t request_transfer_ns(uint64_t bytes, uint64_t bandwidth);

/* An event about the request; `index` as the kind says. */
void request_emit(const struct request *request, enum event_kind kind, uint16_t index);

/* ---- Those that are not finished (request_list.c) ---- */

/* Lets go every request and question that the fault holds or hangs, or would have. */
void requests_release(struct block_layer *layer, uint32_t fault);

/* True if a request or a question is held by the fault now. */
bool requests_held_by(const struct block_layer *layer, uint32_t fault);

/* "queued", "waiting", "served", "held" or "hung". */
const char *request_state_name(enum request_state state);

/* Adds the requests that are not finished, without their absolute numbers. */
void requests_digest(const struct block_layer *layer, struct digest *digest);

/*
 * Asserts each request's state between two timeline events, and that the counts of the nodes and of
 * the guest are those of the list.
 */
void requests_check(const struct block_layer *layer);

#endif
