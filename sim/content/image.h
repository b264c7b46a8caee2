/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk holds: extents of tags, one tag per sector.
 *
 * A tag says who wrote the sector, not which bytes it holds.  A run is a
 * range that is zero (step 0) or whose tags count up by one per sector (step 1).
 * Neighbours that continue each other coalesce, so that the size of an image
 * follows its history: a copied terabyte is one run.  Sectors that no
 * run covers are not allocated: they read through to the backing image.
 */
#ifndef MIRRORSIM_SIM_CONTENT_IMAGE_H
#define MIRRORSIM_SIM_CONTENT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "engine/range.h"
#include "sim/base/arena.h"

struct writers;

/*
 * Tags: kind in the top 4 bits.  Zero is zero, whoever wrote it.
 *   fill   1 | disk number (8 bits) | sector (52 bits)
 *   guest  2 | request number (28 bits) | sector within the request (32 bits)
 * The top bit marks a sector that a fault has corrupted; the rest is its tag before.
 */
#define TAG_ZERO UINT64_C(0)
#define TAG_CORRUPT (UINT64_C(1) << 63)

enum tag_kind {
    TAG_KIND_ZERO = 0,
    TAG_KIND_FILL = 1,
    TAG_KIND_GUEST = 2,
};

static inline uint64_t tag_fill(uint8_t disk, uint64_t sector)
{
    return UINT64_C(1) << 60 | (uint64_t)disk << 52 | sector;
}

static inline uint64_t tag_guest(uint32_t request, uint64_t sector)
{
    return UINT64_C(2) << 60 | (uint64_t)request << 32 | sector;
}

static inline enum tag_kind tag_kind(uint64_t tag)
{
    return (enum tag_kind)((tag & ~TAG_CORRUPT) >> 60);
}

static inline bool tag_is_corrupt(uint64_t tag)
{
    return (tag & TAG_CORRUPT) != 0;
}

static inline uint8_t tag_disk(uint64_t tag)
{
    return (uint8_t)(tag >> 52);
}

static inline uint32_t tag_request(uint64_t tag)
{
    return (uint32_t)(tag >> 32) & UINT32_C(0x0fffffff);
}

/*
 * `sectors` long from `sector`; the tag of sector + i is tag + i * step.  Runs
 * of zero have step 0, all others step 1 (a single sector may say either).  Zeroes that were
 * written as data are `stored`: they read as all zeroes do, but a disk says that they are data.
 */
struct run {
    uint64_t sector;
    uint64_t sectors;
    uint64_t tag;
    uint32_t step; /* 0 or 1 */
    bool stored;   /* only of zeroes */
};

/* The run that the initial fill of a disk has in a range of bytes. */
static inline struct run run_fill(uint8_t disk, uint64_t offset, uint64_t bytes)
{
    uint64_t sector = offset / SECTOR_BYTES;
    return (struct run){sector, bytes / SECTOR_BYTES, tag_fill(disk, sector), 1, false};
}

struct image; /* lives in an arena */

struct image *image_create(struct arena *arena);

/* From now on the image keeps real bytes as well (bytes.h). */
void image_keep_bytes(struct image *image);
bool image_keeps_bytes(const struct image *image);

/*
 * The bytes that were put into a sector since its run was written; NULL if there were none, and
 * its run says what it holds.  Valid until the image changes.
 */
const uint8_t *image_kept_bytes(const struct image *image, uint64_t sector);

/* The note of bytes.h beside them. */
bool image_bytes_are_of_tag(const struct image *image, uint64_t sector);
void image_note_bytes_of_tag(const struct image *image, uint64_t sector);

/*
 * The bytes of a sector: those that were put there since its run was written, or what its tag
 * stands for; zeroes where nothing is allocated.
 */
void image_get_bytes(const struct image *image, uint64_t sector, uint8_t data[SECTOR_BYTES]);

/* The sector's run has been written: these are its bytes. */
void image_put_bytes(struct image *image, uint64_t sector, const uint8_t data[SECTOR_BYTES]);

/* Overwrites the run's range; an empty one changes nothing. */
void image_write(struct image *image, struct run run);

/* Makes a range unallocated. */
void image_punch(struct image *image, uint64_t offset, uint64_t bytes);

/*
 * The run at `sector`, clipped to start there and to `limit` (a sector).
 * True: allocated, *run says what.  False: a hole; run->sectors says how far
 * it goes, tag and step are 0.
 */
bool image_lookup(const struct image *image, uint64_t sector, uint64_t limit, struct run *run);

/* What a disk says of a sector. */
enum image_state {
    STATE_NOTHING, /* not allocated */
    STATE_ZERO,    /* explicit zeroes */
    STATE_DATA,    /* stored zeroes, too */
};

/* The state of `sector`; *end is the sector up to which it holds, at most `limit`. */
enum image_state image_state(const struct image *image, uint64_t sector, uint64_t limit,
                             uint64_t *end);

/* The number of runs, which is the memory it takes, and the bytes that are allocated. */
uint64_t image_runs(const struct image *image);
uint64_t image_allocated_bytes(const struct image *image);

/* Adds its runs, the writers of the guest's by name. */
void image_digest(const struct image *image, const struct writers *writers, struct digest *digest);

/* Asserts order, no overlap, and that neighbours are coalesced. */
void image_check(const struct image *image);

#endif
