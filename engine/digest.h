/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A digest over state: feed it values, read 64 bits.
 *
 * Values enter as 64-bit little-endian words, so the digest is the same on
 * every byte order and word size.  Feed meaning, never pointers or padding.
 */
#ifndef MIRRORSIM_ENGINE_DIGEST_H
#define MIRRORSIM_ENGINE_DIGEST_H

#include <assert.h>
#include <stdbool.h>
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

static inline void digest_i64(struct digest *digest, int64_t value)
{
    digest_u64(digest, (uint64_t)value);
}

/* Adds up to 64 booleans as one value: digest_flags(digest, job->ready, job->cancelled). */
#define digest_flags(digest, ...) \
    digest_bools(digest, sizeof((bool[]){__VA_ARGS__}), (const bool[]){__VA_ARGS__})

static inline void digest_bools(struct digest *digest, size_t count, const bool facts[])
{
    uint64_t bits = 0;

    assert(count <= 64);
    for (size_t i = 0; i < count; i++) {
        bits |= (uint64_t)facts[i] << i;
    }
    digest_u64(digest, bits);
}

/* Adds a string with its length, so that "ab","c" differs from "a","bc". */
void digest_string(struct digest *digest, const char *text);

/* The digest of everything added so far; more can be added afterwards. */
uint64_t digest_value(struct digest *digest);

#endif
