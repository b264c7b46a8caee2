/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults: which request, what happens, how often; data, matched in one place.
 *
 * Every request is shown to the faults when it is submitted; a query that can fail or lie when
 * it is answered, and for what becomes of its time when it is asked.  A fault that is armed counts
 * the ones that match it and hits the nth and the `times - 1` after it (times 0: all after it); a
 * probabilistic one asks the choices for each of these.  Several faults can
 * hit one request: the first error decides the errno, delays add up, and a
 * hold holds whatever the result will be.
 *
 * Exclusive faults are asked one after the other: the one that was armed first is asked first (of
 * those that are so from the start, the plan's first), and once one has hit the request, the
 * others neither hit nor count it.
 *
 * A fault is armed from the start, from an instant, from a mark, or by a hold
 * step, which also resets its count.  A positive shift delays the mark; with a
 * negative one from_ns says when, or else the mark itself.
 */
#ifndef MIRRORSIM_SIM_DISK_FAULT_H
#define MIRRORSIM_SIM_DISK_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "sim/base/choice.h"
#include "sim/plan/fault.h"

struct block_node;
struct image;
struct request;
struct block_layer;

#define FAULT_NONE UINT16_MAX

/* One fault of the plan, as it is now. */
struct fault {
    uint64_t from_ns; /* armed in [from_ns, until_ns) */
    uint64_t until_ns;
    uint64_t matched; /* since it was armed */
    uint64_t armed;   /* how many steps had armed a fault when one did this; 0: from the start */
    uint64_t hits;
    struct image *bad;        /* LATENT: sectors that can't be read; else NULL */
    uint64_t most_hits;       /* hits beyond it cannot change a verdict */
    struct choice_site *site; /* of a probabilistic one, once asked */
};

/* What faults do to one request. */
struct request_faults {
    uint64_t exact_ns;       /* latency, if `exact` */
    uint64_t extra_ns;       /* on top of the latency */
    uint64_t moved_bytes;    /* at most the first so many move */
    uint64_t elsewhere;      /* they move at this offset, if `misdirected` */
    uint32_t factor_percent; /* of the latency; 0 = 100 */
    int error;               /* 0 or -errno */
    enum fault_drops drops;  /* of a flush that fails */
    uint16_t hold;           /* fault, or FAULT_NONE */
    uint16_t hang;
    uint16_t torn;
    uint16_t corrupt;
    bool exact;
    bool misdirected;
    bool stale; /* a read sees what was there before the last write */
};

/* Makes the live faults, and tells each node which operations they may hit. */
void faults_create(struct block_layer *layer);

/* A request has been submitted: what hits it? */
void fault_request(struct block_layer *layer, struct request *request);

/* Nothing happens to a request. */
#define FAULTS_NONE                                     \
    ((struct request_faults){.moved_bytes = UINT64_MAX, \
                             .hold = FAULT_NONE,        \
                             .hang = FAULT_NONE,        \
                             .torn = FAULT_NONE,        \
                             .corrupt = FAULT_NONE})

/* How long a request takes that would take `ns`. */
uint64_t fault_latency_ns(const struct request_faults *faults, uint64_t ns);

/* A question that may take time is asked: adds what happens to its time. */
void fault_question(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes,
                    struct request_faults *faults);

/* A query is answered: 0, or the errno it fails with. */
int fault_query(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes);

/*
 * The truth about `*bytes` from `offset` on is known: true if the answer is *claim instead.  A
 * claim about a range is about just that: `*bytes` is cut where it begins or ends.
 */
bool fault_claims(struct block_node *node, enum op op, uint64_t offset, uint64_t *bytes,
                  enum fault_claim *claim);

/*
 * A write is about to allocate `bytes` more on its disk: 0, or -ENOSPC if a
 * fault says that the disk is full.
 */
int fault_full(struct request *request, uint64_t bytes);

/*
 * wear.c: makes what a fault keeps of its disks; is any sector of the range bad, to a latent fault;
 * and a range of the node has been written, so that it can be read again.
 */
void wear_create(struct block_layer *layer, uint32_t fault);
bool wear_touches(const struct fault *fault, uint64_t offset, uint64_t bytes);
void wear_heal(struct block_node *node, uint64_t offset, uint64_t bytes);

void fault_mark(struct block_layer *layer, uint32_t mark);
void fault_arm(struct block_layer *layer, uint32_t fault);
void fault_disarm(struct block_layer *layer, uint32_t fault);

void faults_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that nothing is hit that the plan leaves alone. */
void faults_check(const struct block_layer *layer);

#endif
