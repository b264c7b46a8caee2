/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and text as bytes, for records that this program writes and reads itself.
 *
 * A reader trusts nothing: what is cut, too large or of another kind makes it fail, once and for
 * all; whatever is taken from it after that is 0 or "", so that the caller asks only at the end.
 */
#ifndef MIRRORSIM_TOOLS_BASE_PACK_H
#define MIRRORSIM_TOOLS_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is an empty one; its memory is given back by pack_free(). */
struct pack {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
};

void pack_free(struct pack *pack);

void pack_number(struct pack *pack, uint64_t number);

/* The bytes as they are, without their number. */
void pack_bytes(struct pack *pack, const void *bytes, size_t count);

/* The number of bytes, and the bytes. */
void pack_blob(struct pack *pack, const void *bytes, size_t count);
void pack_text(struct pack *pack, const char *text);

/* Reads from memory that is the caller's. */
struct unpack {
    const uint8_t *at;
    size_t left;
    bool failed;
};

uint64_t unpack_number(struct unpack *unpack);

/* A number that is at most `max`. */
uint64_t unpack_at_most(struct unpack *unpack, uint64_t max);

bool unpack_bool(struct unpack *unpack);

/* What pack_blob() has written; it stays where it is. */
const uint8_t *unpack_blob(struct unpack *unpack, size_t *count);

/* Text of less than `size` bytes, none of which is 0. */
void unpack_text(struct unpack *unpack, char *buf, size_t size);

/* Text of any length, to be freed by the caller. */
char *unpack_new_text(struct unpack *unpack);

/* Has everything been taken, and nothing failed? */
bool unpack_ends(const struct unpack *unpack);

#endif
