/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions of today's generation that take time: what is where, and what is allocated.
 *
 * What an engine calls is declared in engine/zeroes.h.  What is stored is data, zeroes or nothing
 * (image_state()).  One answer covers, in each layer that was looked into, sectors of one state, so
 * the shortest of those ends it; neighbours in different layers are not joined.
 */
#ifndef MIRRORSIM_SIM_DISK_INQUIRY_H
#define MIRRORSIM_SIM_DISK_INQUIRY_H

#include <sys/queue.h>

#include "engine/zeroes.h"
#include "sim/base/timeline.h"

struct block_layer;

/* A question that is not answered yet. */
struct inquiry {
    LIST_ENTRY(inquiry) link; /* the layer's */
    struct pending pending;
    struct block_node *node;
    enum op op; /* OP_CONTENT: looks when it is answered; OP_STATUS: has looked */
    uint64_t offset;
    uint64_t bytes;
    struct block_answer sample; /* what it has seen */
    struct block_answer *answer;
    block_done *done;
    void *opaque;
};

LIST_HEAD(inquiries, inquiry);

void inquiries_digest(const struct block_layer *layer, struct digest *digest);

/* Asserts that each will be answered. */
void inquiries_check(const struct block_layer *layer);

#endif
