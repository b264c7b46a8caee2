/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Probes, questions that take time: asked, answer taken, answer given.
 *
 * What is stored where is asked by generation 2.2 with block_status_above() (engine/block.h), and
 * today with block_ask_content() and block_ask_allocated() (engine/zeroes.h).  A question that
 * takes time is a probe.  Faults can let it take longer, stop it before the answer is taken or
 * before it is given, or leave it without an answer.  Today's question about allocation takes its
 * answer when it is asked: what would stop it before that stops it before the answer is given.
 *
 * It is no request: it has no number and no lane, and no drain waits for it.
 */
#ifndef MIRRORSIM_SIM_DISK_PROBE_H
#define MIRRORSIM_SIM_DISK_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/block.h"
#include "sim/base/timeline.h"

struct block_layer;

enum probe_state {
    PROBE_RUNS, /* its event is pending, or fires now */
    PROBE_HELD,
    PROBE_HUNG,
};

/* Embedded in its owner, who keeps the answer. */
struct probe {
    LIST_ENTRY(probe) link; /* the layer's that are not answered */
    struct pending pending;
    struct block_node *node;
    enum op op;
    uint64_t offset;
    uint64_t bytes;
    void (*take)(struct probe *probe); /* looks; not called if `taken` from the beginning */
    void (*give)(struct probe *probe); /* the question is over, and its owner may free it */
    uint64_t delay_ns;
    uint16_t hold; /* fault, or FAULT_NONE */
    uint16_t hang;
    enum probe_state state;
    bool taken;
};

LIST_HEAD(probes, probe);

/* Neither the disk's latency nor a fault leaves any doubt: such a question takes no time. */
bool probe_is_instant(const struct block_node *node, enum op op);

/*
 * The question is filled in down to `give`: asks the disk how long it takes, and the faults what
 * they do to that.  True if that matters; else the answer is there at once.
 */
bool probe_takes_time(struct probe *probe);

/* One that takes time begins. */
void probe_begin(struct probe *probe);

/* As for requests (request.h). */
void probes_release(struct block_layer *layer, uint32_t fault);
bool probes_held_by(const struct block_layer *layer, uint32_t fault);

/* Adds a question to the digest, but not what its owner keeps. */
void probe_digest(const struct probe *probe, struct digest *digest);

/* Asserts that each that is not answered is pending or stopped. */
void probes_check(const struct block_layer *layer);

/* ---- Generation 2.2 ---- */

/* The last answer to block_status_above(), good as long as the layout stays. */
struct status_answer {
    const struct block_node *base;
    uint64_t layout; /* the layer's layout_changes; 0 = no answer */
    uint64_t offset;
    uint64_t end;
    bool allocated;
};

/* A query that takes time; a node has one at most. */
struct status_query {
    struct probe probe; /* first */
    struct block_node *base;
    block_done *done;
    void *opaque;
    int ret; /* 1, 0 or -errno, once the answer is taken */
    uint64_t extent_bytes;
    bool asked;
    bool answered; /* asking again for the same offset gives the answer */
};

void status_digest(const struct block_node *node, struct digest *digest);

#endif
