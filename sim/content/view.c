/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Views: what a reader sees through a chain of images, run by run.
 *
 * On the way down a hole limits how far the answer of the layers below it
 * holds.  The first layer that has the sector, or ends before it, decides.
 */
#include "sim/content/view.h"

#include <assert.h>
#include <string.h>

#include "engine/range.h"
#include "sim/content/content.h"

/* As view_lookup(); *layer is the one that has the sector, or NULL. */
static struct run look_up(const struct view *view, uint64_t sector, uint64_t limit,
                          const struct image **layer)
{
    struct run run = {.sector = sector};

    assert(sector < limit && view->layers <= VIEW_MAX_LAYERS);
    *layer = NULL;
    for (uint32_t i = 0; i < view->layers; i++) {
        uint64_t layer_end = view->bytes[i] / SECTOR_BYTES;

        if (sector >= layer_end) {
            break;
        }
        if (image_lookup(view->layer[i], sector, min_u64(limit, layer_end), &run)) {
            *layer = view->layer[i];
            return run;
        }
        limit = sector + run.sectors;
    }
    run.sectors = limit - sector;
    return run;
}

struct run view_lookup(const struct view *view, uint64_t sector, uint64_t limit)
{
    const struct image *layer;

    return look_up(view, sector, limit, &layer);
}

void view_copy(const struct view *view, uint64_t bytes, struct image *image)
{
    uint64_t end = bytes / SECTOR_BYTES;

    for (uint64_t sector = 0; sector < end;) {
        struct run run = view_lookup(view, sector, end);

        image_write(image, run);
        sector += run.sectors;
    }
}

void view_get_bytes(const struct view *view, uint64_t sector, uint8_t data[SECTOR_BYTES])
{
    const struct image *layer;

    look_up(view, sector, sector + 1, &layer);
    if (layer != NULL) {
        image_get_bytes(layer, sector, data);
    } else {
        memset(data, 0, SECTOR_BYTES);
    }
}

/* A stretch that one layer of a view answers for. */
struct stretch {
    struct run run;
    const struct image *layer; /* NULL: none, it reads zero */
};

static struct stretch stretch_at(const struct view *view, uint64_t sector, uint64_t limit)
{
    struct stretch stretch;

    stretch.run = look_up(view, sector, limit, &stretch.layer);
    return stretch;
}

static const uint8_t *kept_bytes(const struct stretch *stretch, uint64_t sector)
{
    return stretch->layer != NULL ? image_kept_bytes(stretch->layer, sector) : NULL;
}

static uint64_t stretch_tag(const struct stretch *stretch, uint64_t sector)
{
    return stretch->run.tag + (sector - stretch->run.sector) * stretch->run.step;
}

/* The bytes that were put there are those of the tag. */
static bool kept_bytes_are(const struct stretch *stretch, uint64_t sector, const uint8_t *kept,
                           uint64_t tag)
{
    bool is_own = tag == stretch_tag(stretch, sector);
    uint8_t made[SECTOR_BYTES];

    if (image_bytes_are_of_tag(stretch->layer, sector)) {
        return is_own;
    }
    content_expand(tag, made);
    if (memcmp(kept, made, SECTOR_BYTES) != 0) {
        return false;
    }
    if (is_own) {
        image_note_bytes_of_tag(stretch->layer, sector);
    }
    return true;
}

/*
 * Bytes that were put there are compared whatever the tags say.  Where neither side has any, the
 * tags decide: their bytes would be made only to be compared, and differ if and only if they do.
 */
static bool sector_equal(const struct stretch *a, const struct stretch *b, uint64_t sector)
{
    const uint8_t *data_a = kept_bytes(a, sector);
    const uint8_t *data_b = kept_bytes(b, sector);

    if (data_a != NULL && data_b != NULL) {
        return memcmp(data_a, data_b, SECTOR_BYTES) == 0;
    }
    if (data_a != NULL) {
        return kept_bytes_are(a, sector, data_a, stretch_tag(b, sector));
    }
    if (data_b != NULL) {
        return kept_bytes_are(b, sector, data_b, stretch_tag(a, sector));
    }
    return stretch_tag(a, sector) == stretch_tag(b, sector);
}

/* Sector by sector. */
static bool bytes_equal(const struct view *a, const struct view *b, uint64_t sector, uint64_t end,
                        uint64_t *first_difference)
{
    while (sector < end) {
        struct stretch stretch_a = stretch_at(a, sector, end);
        struct stretch stretch_b = stretch_at(b, sector, end);
        uint64_t stop = sector + min_u64(stretch_a.run.sectors, stretch_b.run.sectors);

        for (; sector < stop; sector++) {
            if (!sector_equal(&stretch_a, &stretch_b, sector)) {
                *first_difference = sector;
                return false;
            }
        }
    }
    return true;
}

bool view_equal(const struct view *a, const struct view *b, uint64_t offset, uint64_t bytes,
                uint64_t *first_difference)
{
    uint64_t sector = offset / SECTOR_BYTES;
    uint64_t end = range_end(offset, bytes) / SECTOR_BYTES;

    if (image_keeps_bytes(a->layer[0])) {
        return bytes_equal(a, b, sector, end, first_difference);
    }
    while (sector < end) {
        struct run run_a = view_lookup(a, sector, end);
        struct run run_b = view_lookup(b, sector, end);

        /* Runs are canonical: two that begin with equal tags are equal as far as both reach. */
        if (run_a.tag != run_b.tag) {
            *first_difference = sector;
            return false;
        }
        sector += min_u64(run_a.sectors, run_b.sectors);
    }
    return true;
}
