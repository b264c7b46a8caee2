/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes that continue a character are looked at only as far as the longest character reaches: text
 * that consists of nothing else is cut in the middle, not at its start.
 */
#include "sim/base/utf8.h"

#include <string.h>

/* Bytes of the longest character. */
#define MAX_LENGTH 4u

static size_t length_of(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    return first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

size_t utf8_decode(const char *text, size_t left, uint32_t *value)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = left > 0 ? length_of(at[0]) : 0;

    if (length == 0 || length > left) {
        return 0;
    }
    *value = length == 1 ? at[0] : at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        *value = *value << 6 | (at[i] & 0x3fu);
    }
    if (*value < least[length] || *value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) {
        return 0;
    }
    return length;
}

size_t utf8_cut(const char *text, size_t max)
{
    size_t length = strnlen(text, max + MAX_LENGTH);
    uint32_t value;

    if (length <= max) {
        return length;
    }
    for (size_t back = 1; back < MAX_LENGTH && back <= max; back++) {
        size_t start = max - back;

        if (utf8_decode(text + start, length - start, &value) > back) {
            return start;
        }
    }
    return max;
}
