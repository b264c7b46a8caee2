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

#include "engine/zeroes.h"
#include "sim/disk/probe.h"

struct block_layer;

/* A question that is not answered yet. */
struct inquiry {
    struct probe probe;         /* first; OP_CONTENT, or OP_STATUS, which is `taken` when asked */
    struct block_answer sample; /* what it has seen */
    struct block_answer *answer;
    block_done *done;
    void *opaque;
};

void inquiries_digest(const struct block_layer *layer, struct digest *digest);

#endif
