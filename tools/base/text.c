/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and characters as text.
 */
#include "tools/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

bool number_parse(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* ---- Characters ---- */

/* The length of the valid UTF-8 character at `text`; 0 if it is not valid. */
static size_t utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t code = at[0];
    size_t length = code < 0x80 ? 1 : code >> 5 == 6 ? 2 : code >> 4 == 14 ? 3 : 4;

    if (length == 1) {
        return 1;
    }
    if (length == 4 && code >> 3 != 30) {
        return 0;
    }
    code &= 0x7fu >> length;
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < (length == 2   ? 0x80u
                : length == 3 ? 0x800u
                              : 0x10000u) ||
        code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return 0;
    }
    return length;
}

char *utf8_clean(const char *text)
{
    char *clean = must_strdup(text);

    for (char *at = clean; *at != '\0';) {
        size_t length = utf8_length(at);

        if (length == 0) {
            *at = '?';
        }
        at += length > 0 ? length : 1;
    }
    return clean;
}

void text_copy(char *buf, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);

    while (length > 0 && text[length] != '\0' && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    memcpy(buf, text, length);
    buf[length] = '\0';
}

void xml_write(FILE *out, const char *text)
{
    char *clean = utf8_clean(text);

    for (const char *at = clean; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\n':
            fputs("&#10;", out);
            break;
        default:
            fputc((unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at, out);
        }
    }
    free(clean);
}

void shell_write(FILE *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_./-+,:@%=";

    if (*text != '\0' && text[strspn(text, plain)] == '\0') {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*text, out);
        }
    }
    fputc('\'', out);
}
