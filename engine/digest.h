/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A digest over state: feed it values, read 64 bits.
 *
 * Values enter as 64-bit little-endian words, so the digest is the same on
 * every byte order and word size.  Feed meaning, never pointers or padding.
 */
#ifndef MIRRORSIM_ENGINE_DIGEST_H
#define MIRRORSIM_ENGINE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_WORDS 32

struct digest {
    uint64_t hash;
    uint32_t count;
    uint64_t words[DIGEST_WORDS];
};

void digest_init(struct digest *digest);

/* Adds one value. */
void digest_u64(struct digest *digest, uint64_t value);

/* Adds a string with its length, so that "ab","c" differs from "a","bc". */
void digest_string(struct digest *digest, const char *text);

/* The digest of everything added so far; more can be added afterwards. */
uint64_t digest_value(struct digest *digest);

#endif
