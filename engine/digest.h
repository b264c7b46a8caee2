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

/* Names that one digest can give out, and the groups that it counts them for; powers of two. */
#define DIGEST_NAMES 256u
#define DIGEST_GROUPS 32u

/*
 * In what states may differ and still have the same digest: where they only count what has
 * happened so far.  A run that does the same again and again never comes to the same state, for
 * its counters of bytes go on, and so do the numbers of the guest's requests that name what the
 * disks hold.  But nothing depends on these numbers, only on which of them are equal and how far
 * apart they are.  So counters are told from `progress` on, things by the order in which the
 * digest meets those of a group, and answers to come are left out.
 */
struct digest_symmetry {
    bool no_timeouts;               /* bounds that only end a wait are left out, too */
    uint64_t progress;              /* bytes that the job has done */
    uint64_t words;                 /* that were digested: what it has cost */
    uint32_t count;                 /* of names that were given out ... */
    uint32_t counts[DIGEST_GROUPS]; /* ... to things of these groups */
    struct {
        uint32_t thing; /* a number above 0 */
        uint32_t name;
    } names[2 * DIGEST_NAMES]; /* open addressing: never more than half full */
};

struct digest {
    uint64_t hash;
    struct digest_symmetry *symmetry; /* NULL: every difference counts */
    uint32_t count;
    uint64_t words[DIGEST_WORDS];
};

void digest_init(struct digest *digest);

/* The same, with a symmetry, which the call empties. */
void digest_init_symmetric(struct digest *digest, struct digest_symmetry *symmetry,
                           uint64_t progress);

/* The digest of a part of the state, whose value is to be added to that of the whole. */
void digest_init_part(struct digest *part, const struct digest *whole);

/* Adds one value. */
void digest_u64(struct digest *digest, uint64_t value);

static inline void digest_i64(struct digest *digest, int64_t value)
{
    digest_u64(digest, (uint64_t)value);
}

/* Adds a counter of the job's bytes: one that only grows, and is compared with others like it. */
static inline void digest_progress(struct digest *digest, uint64_t bytes)
{
    digest_u64(digest, bytes - (digest->symmetry != NULL ? digest->symmetry->progress : 0));
}

/*
 * The name of a thing among those of its group, under the digest's symmetry; `thing` is above 0.
 * False: it goes by its own number, because there is no symmetry, or no name is left.
 */
bool digest_name(struct digest *digest, uint32_t group, uint32_t thing, uint32_t *name);

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
