/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a sector, word by word: a product with an odd number and a shifted
 * exclusive or are both one-to-one, and so is what they make of the tag.
 */
#include "sim/content/content.h"

#include <endian.h>
#include <string.h>

#include "sim/content/image.h"

#define WORD_BYTES 8u
#define WORDS (SECTOR_BYTES / WORD_BYTES)
#define WORD_SPREAD UINT64_C(0x9e3779b97f4a7c15)
#define WORD_FACTOR UINT64_C(0xd6e8feb86659fd93)

static uint64_t word_of(uint64_t tag, unsigned number)
{
    uint64_t word = (tag ^ number * WORD_SPREAD) * WORD_FACTOR;

    return number == 0 ? tag : word ^ word >> 32;
}

void content_expand(uint64_t tag, uint8_t sector[SECTOR_BYTES])
{
    if (tag == TAG_ZERO) {
        memset(sector, 0, SECTOR_BYTES);
        return;
    }
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t word = htole64(word_of(tag, i));

        memcpy(sector + i * WORD_BYTES, &word, WORD_BYTES);
    }
}
