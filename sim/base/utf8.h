/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-8 that may not be UTF-8: decoding one character, and cutting text between two.
 */
#ifndef MIRRORSIM_SIM_BASE_UTF8_H
#define MIRRORSIM_SIM_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes of the character at `text`, of which `left` bytes may be read, and its
 * value; 0 if there is no valid one.
 */
size_t utf8_decode(const char *text, size_t left, uint32_t *value);

/*
 * How much of the text to keep: at most `max` bytes, and no part of a valid character.  The text
 * ends with a zero byte.
 */
size_t utf8_cut(const char *text, size_t max);

#endif
