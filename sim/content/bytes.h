/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real bytes beside the tags of an image: those sectors that data has moved to.
 *
 * With `content: bytes` every move of data moves bytes, too, through the chunk
 * buffers as a real disk's would go, and it is bytes that are compared.  A
 * sector that nothing has been moved to holds what its tag stands for
 * (content.h).  So a mistake in the arithmetic of tags shows as a different verdict.
 */
#ifndef MIRRORSIM_SIM_CONTENT_BYTES_H
#define MIRRORSIM_SIM_CONTENT_BYTES_H

#include <stdint.h>

#include "engine/range.h"
#include "sim/base/arena.h"

/* Disks of a plan with real bytes are so large in all, at most. */
#define BYTES_MAX_DISKS (UINT64_C(1) << 30)

struct bytes; /* lives in an arena */

struct bytes *bytes_create(struct arena *arena);

/* Keeps a sector's bytes, in place of those that it had. */
void bytes_put(struct bytes *bytes, uint64_t sector, const uint8_t data[SECTOR_BYTES]);

/* What is kept of the sector, or NULL. */
const uint8_t *bytes_get(const struct bytes *bytes, uint64_t sector);

/* Forgets sectors. */
void bytes_drop(struct bytes *bytes, uint64_t sector, uint64_t sectors);

/* Asserts that each page is in its own bucket, and counted. */
void bytes_check(const struct bytes *bytes);

#endif
