/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A digest over state: words are collected and hashed one block at a time.
 */
#include "engine/digest.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void digest_init(struct digest *digest)
{
    digest->hash = 0;
    digest->count = 0;
}

/* The word in little-endian byte order, whatever the order of the machine. */
static uint64_t word_little_endian(uint64_t value)
{
    uint8_t bytes[8];
    uint64_t word;

    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static void digest_fold(struct digest *digest)
{
    digest->hash =
        XXH3_64bits_withSeed(digest->words, digest->count * sizeof(digest->words[0]), digest->hash);
    digest->count = 0;
}

void digest_u64(struct digest *digest, uint64_t value)
{
    if (digest->count == DIGEST_WORDS) {
        digest_fold(digest);
    }
    digest->words[digest->count++] = word_little_endian(value);
}

void digest_string(struct digest *digest, const char *text)
{
    size_t length = strlen(text);

    digest_u64(digest, length);
    digest_u64(digest, XXH3_64bits(text, length));
}

uint64_t digest_value(struct digest *digest)
{
    if (digest->count > 0) {
        digest_fold(digest);
    }
    return digest->hash;
}
