/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and characters as text.
 */
#include "tools/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/utf8.h"
#include "tools/base/support.h"

bool number_parse(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* ---- Characters ---- */

char *utf8_clean(const char *text)
{
    char *clean = must_strdup(text);
    const char *end = clean + strlen(clean);

    for (char *at = clean; *at != '\0';) {
        uint32_t value;
        size_t length = utf8_decode(at, (size_t)(end - at), &value);

        if (length == 0) {
            *at = '?';
        }
        at += length > 0 ? length : 1;
    }
    return clean;
}

void text_copy(char *buf, size_t size, const char *text)
{
    size_t length = utf8_cut(text, size - 1);

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
