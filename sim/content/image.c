/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images: extents in a red-black tree, neighbours that continue each other merged.
 *
 * Runs are canonical: zero runs have step 0, all others step 1, and no two
 * neighbours could be one.  So equal content has equal runs, whatever its
 * history, and a digest may look at runs.
 *
 * Extents do not overlap, so ordering them by their end is ordering them by
 * their start, and the first extent that ends after a sector is the one that
 * holds it, or else the next one.  Trimming and growing an extent in place
 * leaves the order as it is: a sequential copy onto an image allocates nothing.
 */
#include "sim/content/image.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "engine/range.h"
#include "sim/content/bytes.h"
#include "sim/content/content.h"
#include "sim/content/writer.h"

#ifndef __unused /* RB_GENERATE_STATIC of libbsd uses it without defining it */
#define __unused __attribute__((unused))
#endif
#include <bsd/sys/tree.h>

struct extent {
    RB_ENTRY(extent) link;
    uint64_t sector;
    uint64_t end; /* the sector after its last */
    uint64_t tag; /* of the first sector; TAG_ZERO: of all */
    bool stored;  /* zeroes that are data */
};

RB_HEAD(extent_tree, extent);

struct image {
    struct arena *arena;
    struct extent_tree extents;
    uint64_t runs;
    uint64_t sectors;    /* allocated */
    struct bytes *bytes; /* NULL: tags alone */
};

static int compare_extents(const struct extent *a, const struct extent *b)
{
    return (a->end > b->end) - (a->end < b->end);
}

RB_GENERATE_STATIC(extent_tree, extent, link, compare_extents)

/* The tag at `sector` of a run or extent that begins at `start` with `tag`. */
static uint64_t tag_at(uint64_t tag, uint64_t start, uint64_t sector)
{
    return tag == TAG_ZERO ? TAG_ZERO : tag + (sector - start);
}

/* The extent that holds `sector`, or else the next one after it, or NULL. */
static struct extent *extent_from(const struct image *image, uint64_t sector)
{
    struct extent *extent = RB_ROOT(&image->extents);
    struct extent *found = NULL;

    while (extent) {
        if (extent->end > sector) {
            found = extent;
            extent = RB_LEFT(extent, link);
        } else {
            extent = RB_RIGHT(extent, link);
        }
    }
    return found;
}

static void extent_insert(struct image *image, uint64_t sector, uint64_t end, uint64_t tag,
                          bool stored)
{
    struct extent *extent = arena_alloc(image->arena, sizeof(*extent));

    extent->sector = sector;
    extent->end = end;
    extent->tag = tag;
    extent->stored = stored;
    RB_INSERT(extent_tree, &image->extents, extent);
    image->runs++;
}

static void extent_remove(struct image *image, struct extent *extent)
{
    RB_REMOVE(extent_tree, &image->extents, extent);
    arena_free(image->arena, extent, sizeof(*extent));
    image->runs--;
}

static void extent_trim_front(struct extent *extent, uint64_t sector)
{
    extent->tag = tag_at(extent->tag, extent->sector, sector);
    extent->sector = sector;
}

/*
 * Takes [sector, end) out of all extents, beginning with `extent`, which is
 * extent_from(sector).  Returns extent_from(end).
 */
static struct extent *extents_carve(struct image *image, struct extent *extent, uint64_t sector,
                                    uint64_t end)
{
    while (extent && extent->sector < end) {
        struct extent *next = RB_NEXT(extent_tree, &image->extents, extent);
        uint64_t old_end = extent->end;

        image->sectors -= min_u64(old_end, end) - max_u64(extent->sector, sector);
        if (extent->sector >= sector && old_end > end) {
            extent_trim_front(extent, end);
            return extent;
        }
        if (extent->sector >= sector) {
            extent_remove(image, extent);
        } else {
            extent->end = sector;
            if (old_end > end) {
                extent_insert(image, end, old_end, tag_at(extent->tag, extent->sector, end),
                              extent->stored);
                return RB_NEXT(extent_tree, &image->extents, extent);
            }
        }
        extent = next;
    }
    return extent;
}

struct image *image_create(struct arena *arena)
{
    struct image *image = arena_alloc(arena, sizeof(*image));

    image->arena = arena;
    RB_INIT(&image->extents);
    return image;
}

void image_keep_bytes(struct image *image)
{
    image->bytes = bytes_create(image->arena);
}

bool image_keeps_bytes(const struct image *image)
{
    return image->bytes != NULL;
}

const uint8_t *image_kept_bytes(const struct image *image, uint64_t sector)
{
    return image->bytes != NULL ? bytes_get(image->bytes, sector) : NULL;
}

bool image_bytes_are_of_tag(const struct image *image, uint64_t sector)
{
    return bytes_are_of_tag(image->bytes, sector);
}

void image_note_bytes_of_tag(const struct image *image, uint64_t sector)
{
    bytes_note_of_tag(image->bytes, sector);
}

void image_get_bytes(const struct image *image, uint64_t sector, uint8_t data[SECTOR_BYTES])
{
    const uint8_t *kept = image_kept_bytes(image, sector);
    struct run run;

    if (kept != NULL) {
        memcpy(data, kept, SECTOR_BYTES);
    } else {
        image_lookup(image, sector, sector + 1, &run);
        content_expand(run.tag, data);
    }
}

void image_put_bytes(struct image *image, uint64_t sector, const uint8_t data[SECTOR_BYTES])
{
    bytes_put(image->bytes, sector, data);
}

/* True if the second begins where the first ends, with the tag that would come next. */
static bool goes_on(const struct extent *first, const struct extent *second)
{
    return first->end == second->sector && first->stored == second->stored &&
           tag_at(first->tag, first->sector, first->end) == second->tag;
}

/* Puts a run where there is none, before `next`, merging it with its neighbours. */
static void extent_add(struct image *image, struct extent *next, const struct extent *added)
{
    struct extent *previous =
        next ? RB_PREV(extent_tree, &image->extents, next) : RB_MAX(extent_tree, &image->extents);
    bool joins_previous = previous && goes_on(previous, added);
    bool joins_next = next && goes_on(added, next);

    if (joins_previous && joins_next) {
        uint64_t next_end = next->end;

        extent_remove(image, next);
        previous->end = next_end;
    } else if (joins_previous) {
        previous->end = added->end;
    } else if (joins_next) {
        next->sector = added->sector;
        next->tag = added->tag;
    } else {
        extent_insert(image, added->sector, added->end, added->tag, added->stored);
    }
}

void image_write(struct image *image, struct run run)
{
    uint64_t end = run.sector + run.sectors;
    struct extent *extent;

    assert(run.step <= 1);
    assert(run.sectors == 1 || run.step == (run.tag != TAG_ZERO));
    assert(!run.stored || run.tag == TAG_ZERO);
    if (run.sectors == 0) {
        return;
    }
    if (image->bytes != NULL) {
        bytes_drop(image->bytes, run.sector, run.sectors);
    }
    extent = extent_from(image, run.sector);
    if (extent && extent->sector < end) {
        if (extent->sector <= run.sector && extent->end >= end &&
            tag_at(extent->tag, extent->sector, run.sector) == run.tag &&
            extent->stored == run.stored) {
            return; /* it says so already */
        }
        extent = extents_carve(image, extent, run.sector, end);
    }
    extent_add(
        image, extent,
        &(struct extent){.sector = run.sector, .end = end, .tag = run.tag, .stored = run.stored});
    image->sectors += run.sectors;
}

void image_punch(struct image *image, uint64_t offset, uint64_t bytes)
{
    uint64_t sector = offset / SECTOR_BYTES;

    assert(offset % SECTOR_BYTES == 0 && bytes % SECTOR_BYTES == 0);
    if (bytes == 0) {
        return;
    }
    if (image->bytes != NULL) {
        bytes_drop(image->bytes, sector, bytes / SECTOR_BYTES);
    }
    extents_carve(image, extent_from(image, sector), sector, sector + bytes / SECTOR_BYTES);
}

bool image_lookup(const struct image *image, uint64_t sector, uint64_t limit, struct run *run)
{
    const struct extent *extent = extent_from(image, sector);

    assert(sector < limit);
    if (!extent || extent->sector > sector) {
        uint64_t end = extent ? min_u64(extent->sector, limit) : limit;

        *run = (struct run){.sector = sector, .sectors = end - sector};
        return false;
    }
    *run = (struct run){
        .sector = sector,
        .sectors = min_u64(extent->end, limit) - sector,
        .tag = tag_at(extent->tag, extent->sector, sector),
        .step = extent->tag != TAG_ZERO,
        .stored = extent->stored,
    };
    return true;
}

/* Of what the image holds at `sector`, or before the next it holds. */
static enum image_state state_at(const struct extent *extent, uint64_t sector)
{
    if (!extent || extent->sector > sector) {
        return STATE_NOTHING;
    }
    return extent->tag == TAG_ZERO && !extent->stored ? STATE_ZERO : STATE_DATA;
}

enum image_state image_state(const struct image *image, uint64_t sector, uint64_t limit,
                             uint64_t *end)
{
    struct extent *extent = extent_from(image, sector);
    enum image_state state = state_at(extent, sector);
    uint64_t at = sector;

    assert(sector < limit);
    if (state == STATE_NOTHING) {
        *end = extent ? min_u64(extent->sector, limit) : limit;
        return state;
    }
    while (at < limit && state_at(extent, at) == state) {
        at = extent->end;
        extent = RB_NEXT(extent_tree, &image->extents, extent);
    }
    *end = min_u64(at, limit);
    return state;
}

uint64_t image_runs(const struct image *image)
{
    return image->runs;
}

uint64_t image_allocated_bytes(const struct image *image)
{
    return image->sectors * SECTOR_BYTES;
}

/* libbsd's RB_MIN takes a head that is not const, and only reads it. */
static struct extent *extent_first(const struct image *image)
{
    return extent_from(image, 0);
}

void image_digest(const struct image *image, const struct writers *writers, struct digest *digest)
{
    struct extent *extent;

    digest_u64(digest, image->runs);
    for (extent = extent_first(image); extent;
         extent = RB_NEXT(extent_tree, &image->extents, extent)) {
        digest_u64(digest, extent->sector);
        digest_u64(digest, extent->end);
        writers_digest_tag(writers, extent->tag, digest);
        if (extent->stored) {
            digest_u64(digest, extent->stored);
        }
    }
}

void image_check(const struct image *image)
{
    const struct extent *previous = NULL;
    struct extent *extent;
    uint64_t runs = 0;
    uint64_t sectors = 0;

    for (extent = extent_first(image); extent;
         extent = RB_NEXT(extent_tree, &image->extents, extent)) {
        assert(extent->sector < extent->end);
        assert(!previous || previous->end <= extent->sector);
        assert(!previous || !goes_on(previous, extent));
        assert(!extent->stored || extent->tag == TAG_ZERO);
        previous = extent;
        runs++;
        sectors += extent->end - extent->sector;
    }
    assert(runs == image->runs && sectors == image->sectors);
    if (image->bytes != NULL) {
        bytes_check(image->bytes);
    }
}
