/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real bytes beside the tags of an image, of the sectors that were written.
 *
 * With `content: bytes` every move of data moves bytes as well, through the
 * chunk buffers as on a real disk, and bytes are what is compared.  A sector
 * that was never written holds what its tag stands for (content.h).  A mistake
 * in the arithmetic of tags then shows as a different verdict.
 */
#ifndef MIRRORSIM_SIM_CONTENT_BYTES_H
#define MIRRORSIM_SIM_CONTENT_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/range.h"
#include "sim/base/arena.h"

/* The most that all disks of a plan with real bytes may hold together. */
#define BYTES_MAX_DISKS (UINT64_C(1) << 30)

struct bytes; /* lives in an arena */

struct bytes *bytes_create(struct arena *arena);

/* Replaces a sector's bytes. */
void bytes_put(struct bytes *bytes, uint64_t sector, const uint8_t data[SECTOR_BYTES]);

/* What is kept of the sector, or NULL. */
const uint8_t *bytes_get(const struct bytes *bytes, uint64_t sector);

/*
 * A note beside the kept bytes of a sector, until others are put there: they have been compared,
 * and are those of its tag.  Reads of a whole disk come again and again, and need not compare them
 * once more.  The note is no content, so making it leaves the bytes as they were.
 */
bool bytes_are_of_tag(const struct bytes *bytes, uint64_t sector);
void bytes_note_of_tag(const struct bytes *bytes, uint64_t sector);

/* Forgets sectors. */
void bytes_drop(struct bytes *bytes, uint64_t sector, uint64_t sectors);

/* Asserts that each page is in its own bucket, and counted. */
void bytes_check(const struct bytes *bytes);

#endif
