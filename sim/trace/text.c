/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events as lines of text and as JSON objects.
 *
 * Text gives sizes in the largest unit that is exact and time to the
 * nanosecond, so nothing is lost in it.  Numbers are written directly: printf
 * would cost several times as much.
 *
 * Declared in sim/trace/trace.h: the two formats of a trace.
 */

#include "sim/base/errno_name.h"
#include "sim/trace/fields.h"
#include "sim/trace/trace.h"

#define NUMBER_COLUMNS 5
#define REQUEST_COLUMNS 6
#define KIND_COLUMNS 13 /* fits all but the rarest kinds */

/* ---- Writing ---- */

/* Counts everything, keeps what fits, as snprintf does; finish() closes the string. */
struct out {
    char *buf;
    size_t size;
    size_t length;
};

static void put_char(struct out *out, char c)
{
    if (out->length < out->size) {
        out->buf[out->length] = c;
    }
    out->length++;
}

static void put_string(struct out *out, const char *text)
{
    while (*text) {
        put_char(out, *text++);
    }
}

/* Right-aligned in `width` columns, filled with `fill`. */
static void put_number(struct out *out, uint64_t value, unsigned base, unsigned width, char fill)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    for (unsigned i = count; i < width; i++) {
        put_char(out, fill);
    }
    while (count > 0) {
        put_char(out, digits[--count]);
    }
}

static void put_decimal(struct out *out, uint64_t value)
{
    put_number(out, value, 10, 0, ' ');
}

static void put_signed(struct out *out, uint64_t value)
{
    if (value > INT64_MAX) {
        put_char(out, '-');
        value = 0 - value;
    }
    put_decimal(out, value);
}

static void put_size(struct out *out, uint64_t value)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;

    while (value > 0 && value % 1024 == 0 && unit < 4) {
        value /= 1024;
        unit++;
    }
    put_decimal(out, value);
    put_string(out, units[unit]);
}

static void put_error(struct out *out, uint64_t error)
{
    const char *name = error <= INT32_MAX ? errno_name((int)error) : NULL;

    if (error == 0) {
        put_string(out, "ok");
    } else if (name) {
        put_string(out, name);
    } else {
        put_string(out, "error ");
        put_signed(out, error);
    }
}

static int finish(struct out *out)
{
    if (out->size > 0) {
        out->buf[out->length < out->size ? out->length : out->size - 1] = '\0';
    }
    return (int)out->length;
}

/* ---- Text ---- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Names come from files: none may send control characters to a terminal or break a line. */
static void put_name(struct out *out, const char *text)
{
    for (; *text; text++) {
        put_char(out, is_control(*text) ? '?' : *text);
    }
}

static void put_text_value(struct out *out, const struct value *value)
{
    switch (value->style) {
    case STYLE_NONE:
        break;
    case STYLE_WORD:
        put_name(out, value->word);
        break;
    case STYLE_COUNT:
        put_decimal(out, value->number);
        break;
    case STYLE_SIGNED:
        put_signed(out, value->number);
        break;
    case STYLE_SIZE:
        put_size(out, value->number);
        break;
    case STYLE_FLAGS:
        put_string(out, "0x");
        put_number(out, value->number, 16, 0, ' ');
        break;
    case STYLE_ERROR:
        put_error(out, value->number);
        break;
    }
}

static void put_spaces(struct out *out, size_t until)
{
    while (out->length < until) {
        put_char(out, ' ');
    }
}

/* "     1.000003ms  #12    done          ": instant, request, kind, in columns. */
static void put_text_head(struct out *out, const struct event *event, bool fields_follow)
{
    size_t column;

    put_number(out, event->now_ns / 1000000, 10, 6, ' ');
    put_char(out, '.');
    put_number(out, event->now_ns % 1000000, 10, 6, '0');
    put_string(out, "ms  ");
    column = out->length;
    if (event->request) {
        put_char(out, '#');
        put_decimal(out, event->request);
    }
    put_spaces(out, column + REQUEST_COLUMNS);
    put_char(out, ' ');
    column = out->length;
    put_string(out, event_kind_name(event_kind(event)));
    if (fields_follow) {
        put_spaces(out, column + KIND_COLUMNS);
    }
}

static void put_text(struct out *out, const struct trace_names *names, const struct event *event)
{
    struct field fields[EVENT_MAX_FIELDS];
    uint32_t count = event_fields(names, event, fields);

    put_text_head(out, event, count > 0);
    for (uint32_t i = 0; i < count; i++) {
        if (field_says_nothing(event, &fields[i])) {
            continue;
        }
        put_char(out, ' ');
        put_string(out, fields[i].before);
        put_text_value(out, &fields[i].value);
    }
}

int trace_format_text(const struct trace_names *names, const struct event *event, char *buf,
                      size_t size)
{
    struct out out = {.buf = buf, .size = size};

    put_text(&out, names, event);
    return finish(&out);
}

int trace_format_numbered(const struct trace_names *names, const struct event *event,
                          uint64_t number, char *buf, size_t size)
{
    struct out out = {.buf = buf, .size = size};

    put_number(&out, number, 10, NUMBER_COLUMNS, ' ');
    put_text(&out, names, event);
    return finish(&out);
}

/* ---- JSON ---- */

static void put_quoted(struct out *out, const char *text)
{
    put_char(out, '"');
    for (; *text; text++) {
        if (is_control(*text)) {
            put_string(out, "\\u");
            put_number(out, (unsigned char)*text, 16, 4, '0');
            continue;
        }
        if (*text == '"' || *text == '\\') {
            put_char(out, '\\');
        }
        put_char(out, *text);
    }
    put_char(out, '"');
}

static void put_json_value(struct out *out, const struct value *value)
{
    switch (value->style) {
    case STYLE_NONE:
        break;
    case STYLE_WORD:
        put_quoted(out, value->word);
        break;
    case STYLE_COUNT:
    case STYLE_SIZE:
    case STYLE_FLAGS:
        put_decimal(out, value->number);
        break;
    case STYLE_SIGNED:
        put_signed(out, value->number);
        break;
    case STYLE_ERROR:
        put_char(out, '"');
        put_error(out, value->number);
        put_char(out, '"');
        break;
    }
}

static void put_json_number(struct out *out, const char *key, uint64_t value)
{
    put_string(out, key);
    put_decimal(out, value);
}

int trace_format_json(const struct trace_names *names, const struct event *event, uint64_t number,
                      char *buf, size_t size)
{
    struct out out = {.buf = buf, .size = size};
    struct field fields[EVENT_MAX_FIELDS];
    uint32_t count = event_fields(names, event, fields);

    put_json_number(&out, "{\"n\":", number);
    put_json_number(&out, ",\"t\":", event->now_ns);
    put_string(&out, ",\"event\":");
    put_quoted(&out, event_kind_name(event_kind(event)));
    if (event->request) {
        put_json_number(&out, ",\"request\":", event->request);
    }
    for (uint32_t i = 0; i < count; i++) {
        put_char(&out, ',');
        put_quoted(&out, fields[i].key);
        put_char(&out, ':');
        put_json_value(&out, &fields[i].value);
    }
    put_char(&out, '}');
    return finish(&out);
}
