/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, times, sizes and characters as text.
 */
#include "tools/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/phrase.h"
#include "tools/base/support.h"

/* ---- Numbers and times ---- */

static const struct {
    const char *name;
    uint64_t ns;
} time_units[] = {
    {"s", UINT64_C(1000000000)},    {"ms", 1000000}, {"us", 1000}, {"ns", 1},
    {"min", UINT64_C(60000000000)}, /* accepted on input only */
};

const char *time_text(uint64_t ns, char buf[TIME_TEXT_BYTES])
{
    snprintf(buf, TIME_TEXT_BYTES, "%.*s", TIME_TEXT_BYTES - 1, phrase_time(ns).text);
    return buf;
}

bool number_parse(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/*
 * Parses "DIGITS[.DIGITS]" in `unit`, which must be a power of ten if there are
 * decimals; the value must be a whole number.
 */
static bool decimal_parse(const char *text, size_t length, uint64_t unit, uint64_t *value)
{
    const char *end = text + length;
    uint64_t place = unit;

    *value = 0;
    for (; text < end && *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(*text - '0') * unit, value)) {
            return false;
        }
    }
    if (text < end && *text == '.') {
        for (text++; text < end && *text >= '0' && *text <= '9' && place >= 10; text++) {
            place /= 10;
            *value += (uint64_t)(*text - '0') * place;
        }
    }
    return text == end;
}

bool time_parse(const char *text, uint64_t *ns)
{
    size_t length = strspn(text, "0123456789.");

    if (strcmp(text, "0") == 0) {
        *ns = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        if (strcmp(text + length, time_units[i].name) == 0) {
            return length > 0 && text[0] != '.' &&
                   decimal_parse(text, length, time_units[i].ns, ns);
        }
    }
    return false;
}

bool thousandths_parse(const char *text, uint64_t *thousandths)
{
    return *text != '\0' && *text != '.' && decimal_parse(text, strlen(text), 1000, thousandths);
}

static const char *const size_units[] = {"", "KiB", "MiB", "GiB", "TiB"};

#define SIZE_UNITS (sizeof(size_units) / sizeof(size_units[0]))

bool size_parse(const char *text, uint64_t *bytes)
{
    size_t length = strspn(text, "0123456789");
    uint64_t unit = 1;

    for (size_t i = 0; i < SIZE_UNITS; i++, unit *= 1024) {
        if (strcmp(text + length, size_units[i]) == 0) {
            return length > 0 && decimal_parse(text, length, unit, bytes);
        }
    }
    return false;
}

const char *size_text(uint64_t bytes, char buf[TIME_TEXT_BYTES])
{
    uint32_t unit = 0;

    while (unit < SIZE_UNITS - 1 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buf, TIME_TEXT_BYTES, "%" PRIu64 "%s", bytes, size_units[unit]);
    return buf;
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
