/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wear: places that can't be read until they are written, and what was there before the last write.
 *
 * Declared in sim/disk/fault.h: it is what some faults keep of a disk.
 */
#include "sim/disk/fault.h"

#include "engine/range.h"
#include "sim/disk/layer.h"

/* The match of a latent fault names one disk and a range. */
static void create_bad(struct block_layer *layer, struct fault *fault,
                       const struct request_match *match)
{
    uint64_t first = match->offset / SECTOR_BYTES;
    uint64_t end = align_up(range_end(match->offset, match->bytes), SECTOR_BYTES) / SECTOR_BYTES;

    fault->bad = image_create(layer->arena);
    image_write(fault->bad, (struct run){first, end - first, TAG_ZERO, 0, false});
    for (uint32_t i = 0; i < layer->node_count; i++) {
        layer->nodes[i].heals = layer->nodes[i].heals || match->disks >> i & 1;
    }
}

static void create_older(struct block_layer *layer, const struct request_match *match)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        struct block_node *node = &layer->nodes[i];

        if (node->older == NULL && (match->disks == 0 || match->disks >> i & 1)) {
            node->older = image_create(layer->arena);
            if (layer->plan->content_bytes) {
                image_keep_bytes(node->older);
            }
        }
    }
}

void wear_create(struct block_layer *layer, uint32_t index)
{
    const struct fault_spec *spec = &layer->plan->faults[index];

    if (spec->kind == FAULT_LATENT) {
        create_bad(layer, &layer->faults[index], &spec->match);
    } else if (spec->kind == FAULT_STALE) {
        create_older(layer, &spec->match);
    }
}

bool wear_touches(const struct fault *fault, uint64_t offset, uint64_t bytes)
{
    uint64_t end = range_end(offset, bytes) / SECTOR_BYTES;
    struct run run;

    for (uint64_t at = offset / SECTOR_BYTES; at < end; at += run.sectors) {
        if (image_lookup(fault->bad, at, end, &run)) {
            return true;
        }
    }
    return false;
}

void wear_heal(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    const struct block_layer *layer = node->layer;

    for (uint32_t i = 0; node->heals && i < layer->plan->fault_count; i++) {
        if (layer->faults[i].bad != NULL && layer->plan->faults[i].match.disks >> node->id & 1) {
            image_punch(layer->faults[i].bad, offset, bytes);
        }
    }
}
