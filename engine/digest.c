/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A digest over state: words are collected and hashed one block at a time.
 */
#include "engine/digest.h"

#include <endian.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void digest_init(struct digest *digest)
{
    digest->hash = 0;
    digest->symmetry = NULL;
    digest->count = 0;
}

void digest_init_symmetric(struct digest *digest, struct digest_symmetry *symmetry,
                           uint64_t progress)
{
    memset(symmetry, 0, sizeof(*symmetry));
    symmetry->progress = progress;
    digest_init(digest);
    digest->symmetry = symmetry;
}

void digest_init_part(struct digest *part, const struct digest *whole)
{
    digest_init(part);
    part->symmetry = whole->symmetry;
}

bool digest_name(struct digest *digest, uint32_t group, uint32_t thing, uint32_t *name)
{
    struct digest_symmetry *symmetry = digest->symmetry;
    uint32_t slot;

    assert(thing > 0);
    if (symmetry == NULL) {
        return false;
    }
    slot = (thing * UINT32_C(0x9e3779b1)) % (2 * DIGEST_NAMES);
    while (symmetry->names[slot].thing != 0 && symmetry->names[slot].thing != thing) {
        slot = (slot + 1) % (2 * DIGEST_NAMES);
    }
    if (symmetry->names[slot].thing == 0) {
        if (symmetry->count == DIGEST_NAMES) {
            return false;
        }
        symmetry->names[slot].thing = thing;
        symmetry->names[slot].name = symmetry->counts[group % DIGEST_GROUPS]++;
        symmetry->count++;
    }
    *name = symmetry->names[slot].name;
    return true;
}

static void digest_fold(struct digest *digest)
{
    digest->hash =
        XXH3_64bits_withSeed(digest->words, digest->count * sizeof(digest->words[0]), digest->hash);
    if (digest->symmetry != NULL) {
        digest->symmetry->words += digest->count;
    }
    digest->count = 0;
}

void digest_u64(struct digest *digest, uint64_t value)
{
    if (digest->count == DIGEST_WORDS) {
        digest_fold(digest);
    }
    /* In the same byte order on every machine. */
    digest->words[digest->count++] = htole64(value);
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
