/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A view: a chain of images as a reader sees it.
 *
 * Each sector comes from the first layer that has it, or reads zero.
 */
#ifndef MIRRORSIM_SIM_CONTENT_VIEW_H
#define MIRRORSIM_SIM_CONTENT_VIEW_H

#include "sim/content/image.h"

#define VIEW_MAX_LAYERS 16

/* Layer 0 is the top.  A layer shorter than the top reads zero past its end. */
struct view {
    const struct image *layer[VIEW_MAX_LAYERS];
    uint64_t bytes[VIEW_MAX_LAYERS];
    uint32_t layers;
};

/* What a reader sees at `sector`: a run clipped to start there and to `limit`. */
struct run view_lookup(const struct view *view, uint64_t sector, uint64_t limit);

/* The image becomes what a reader sees from the beginning to `bytes`. */
void view_copy(const struct view *view, uint64_t bytes, struct image *image);

/* The bytes that a reader sees at `sector`; the top layer keeps bytes. */
void view_get_bytes(const struct view *view, uint64_t sector, uint8_t data[SECTOR_BYTES]);

/*
 * Compares two views over a byte range, by their bytes if they keep any.  True if equal; otherwise
 * *first_difference is the first differing sector.
 */
bool view_equal(const struct view *a, const struct view *b, uint64_t offset, uint64_t bytes,
                uint64_t *first_difference);

#endif
