/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a sector, from the tag that says who wrote it.
 *
 * Tags are all that a run compares; bytes are for dumped images, and for tools
 * that compare those.  The function is fixed, so that
 * images of different runs, builds and machines can be compared.
 */
#ifndef MIRRORSIM_SIM_CONTENT_CONTENT_H
#define MIRRORSIM_SIM_CONTENT_CONTENT_H

#include <stdint.h>

#include "engine/range.h"

/*
 * The 64 little-endian words of 8 bytes that a sector of this tag holds.  All
 * are zero for TAG_ZERO.  Otherwise word 0 is the tag itself, and word i is
 * w ^ (w >> 32) with w = (tag ^ i * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93.
 * Each word is a one-to-one function of the tag, so different tags that are
 * not zero differ in all of them, and no sector but TAG_ZERO's is all zero.
 */
void content_expand(uint64_t tag, uint8_t sector[SECTOR_BYTES]);

#endif
