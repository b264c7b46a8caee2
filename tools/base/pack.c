/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A number is written in groups of seven bits, the lowest first; the last has its top bit clear.
 */
#include "tools/base/pack.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

/* ---- Writing ---- */

void pack_free(struct pack *pack)
{
    free(pack->bytes);
    *pack = (struct pack){0};
}

static void make_room(struct pack *pack, size_t more)
{
    size_t capacity = pack->capacity > 0 ? pack->capacity : 256;

    if (pack->count + more <= pack->capacity) {
        return;
    }
    while (capacity < pack->count + more) {
        capacity *= 2;
    }
    pack->bytes = realloc(pack->bytes, capacity);
    if (pack->bytes == NULL) {
        die("out of memory");
    }
    pack->capacity = capacity;
}

void pack_bytes(struct pack *pack, const void *bytes, size_t count)
{
    if (count > 0) {
        make_room(pack, count);
        memcpy(pack->bytes + pack->count, bytes, count);
        pack->count += count;
    }
}

void pack_number(struct pack *pack, uint64_t number)
{
    make_room(pack, 10);
    for (; number >= 0x80; number >>= 7) {
        pack->bytes[pack->count++] = (uint8_t)(number | 0x80);
    }
    pack->bytes[pack->count++] = (uint8_t)number;
}

void pack_blob(struct pack *pack, const void *bytes, size_t count)
{
    pack_number(pack, count);
    pack_bytes(pack, bytes, count);
}

void pack_text(struct pack *pack, const char *text)
{
    pack_blob(pack, text, strlen(text));
}

/* ---- Reading ---- */

static void fail(struct unpack *unpack)
{
    *unpack = (struct unpack){.failed = true};
}

uint64_t unpack_number(struct unpack *unpack)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64 && unpack->left > 0; shift += 7) {
        uint8_t byte = *unpack->at++;

        unpack->left--;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    fail(unpack);
    return 0;
}

uint64_t unpack_at_most(struct unpack *unpack, uint64_t max)
{
    uint64_t number = unpack_number(unpack);

    if (number > max) {
        fail(unpack);
        return 0;
    }
    return number;
}

bool unpack_bool(struct unpack *unpack)
{
    return unpack_at_most(unpack, 1) != 0;
}

const uint8_t *unpack_blob(struct unpack *unpack, size_t *count)
{
    uint64_t length = unpack_number(unpack);
    const uint8_t *at = unpack->at;

    *count = 0;
    if (length > unpack->left) {
        fail(unpack);
    }
    if (unpack->failed) {
        return NULL;
    }
    *count = (size_t)length;
    unpack->at += length;
    unpack->left -= (size_t)length;
    return at;
}

void unpack_text(struct unpack *unpack, char *buf, size_t size)
{
    size_t count;
    const uint8_t *text = unpack_blob(unpack, &count);

    *buf = '\0';
    if (count >= size || (count > 0 && memchr(text, '\0', count) != NULL)) {
        fail(unpack);
    } else if (count > 0) {
        memcpy(buf, text, count);
        buf[count] = '\0';
    }
}

char *unpack_new_text(struct unpack *unpack)
{
    struct unpack ahead = *unpack;
    size_t count;
    char *text;

    unpack_blob(&ahead, &count);
    text = must_alloc(count + 1);
    unpack_text(unpack, text, count + 1);
    return text;
}

bool unpack_ends(const struct unpack *unpack)
{
    return !unpack->failed && unpack->left == 0;
}
