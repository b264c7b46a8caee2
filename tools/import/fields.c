/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text output of blkparse in a format of one's own (`blkparse -f`), which --layout repeats.
 *
 * A specifier is a percent sign, perhaps a width, and a letter, as blkparse's manual has them;
 * other characters stand for themselves, and a blank for any number of them.  The device is %D or
 * %M and %m, the place %S with %n or %N, the time %T with %t (seconds and nanoseconds), or %z or
 * %u.
 *
 * Declared in tools/import/import.h: one of the formats that can be read.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tools/import/import.h"

#define FIELD_BYTES 64u

/* What the specifiers of a line stand for, by letter; "" = it is not there. */
struct fields {
    char text[128][FIELD_BYTES];
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Up to a blank, or to the character that follows the specifier. */
static const char *take_field(struct fields *fields, char letter, const char *at, char end)
{
    char *text = fields->text[(unsigned char)letter & 127];
    size_t length = 0;

    while (is_blank(*at)) {
        at++;
    }
    while (at[length] != '\0' && !is_blank(at[length]) && (end == '\0' || at[length] != end)) {
        length++;
    }
    snprintf(text, FIELD_BYTES, "%.*s", (int)length, at);
    return at + length;
}

/* True if the line has the layout. */
static bool match(const char *layout, const char *at, struct fields *fields)
{
    for (; *layout != '\0'; layout++) {
        if (strncmp(layout, "\\n", 2) == 0) {
            layout++;
        } else if (is_blank(*layout)) {
            at += strspn(at, " \t\r");
        } else if (*layout != '%') {
            at += strspn(at, *at == *layout ? "" : " \t");
            if (*at++ != *layout) {
                return false;
            }
        } else {
            layout += 1 + strspn(layout + 1, "0123456789-");
            if (*layout == '\0') {
                return false;
            }
            at = take_field(
                fields, *layout, at,
                is_blank(layout[1]) || layout[1] == '%' || layout[1] == '\\' ? '\0' : layout[1]);
        }
    }
    return true;
}

/* A line of the words that a reader of requests wants, so that its mistakes have places. */
static void set_word(struct import_line *words, uint32_t word, const char *text)
{
    words->words[word] = (struct import_word){text, 1, 0};
}

static bool read_time(struct recording *recording, const struct import_line *line,
                      const struct fields *fields, int64_t *time_ns)
{
    char text[2 * FIELD_BYTES + 1];
    struct import_line words = *line;
    const char *whole = fields->text['T'];

    /* %t is nanoseconds, printed with leading zeroes or not. */
    snprintf(text, sizeof(text), "%s.%09lu", *whole != '\0' ? whole : "0",
             strtoul(fields->text['t'], NULL, 10));
    if (*whole == '\0' && *fields->text['u'] != '\0') {
        snprintf(text, sizeof(text), "%s", fields->text['u']);
    }
    words.word_count = 1;
    set_word(&words, 0, text);
    return import_time(recording, &words, 0, "time",
                       *whole == '\0' && *fields->text['u'] != '\0' ? NS_PER_US : NS_PER_SECOND,
                       time_ns);
}

static bool read_range(struct recording *recording, const struct import_line *line,
                       const struct fields *fields, struct import_request *request)
{
    struct import_line words = *line;
    bool in_bytes = *fields->text['n'] == '\0';

    words.word_count = 2;
    set_word(&words, 0, fields->text['S']);
    set_word(&words, 1, in_bytes ? fields->text['N'] : fields->text['n']);
    if (!import_sectors(recording, &words, 0, 1, request)) {
        return false;
    }
    request->bytes /= in_bytes ? SECTOR_BYTES : 1;
    return true;
}

static const char *device_of(const struct fields *fields, char buf[2 * FIELD_BYTES + 1])
{
    snprintf(buf, 2 * FIELD_BYTES + 1, "%s,%s", fields->text['M'], fields->text['m']);
    return *fields->text['D'] != '\0'   ? fields->text['D']
           : *fields->text['M'] != '\0' ? buf
                                        : "disk";
}

void import_blkparse_fields_line(struct recording *recording, const struct import_line *line)
{
    struct fields fields = {0};
    struct import_request request = {.latency_ns = IMPORT_NO_LATENCY};
    char device[2 * FIELD_BYTES + 1];
    struct import_kind kind;

    if (!match(recording->options->layout, line->text + strspn(line->text, " \t"), &fields)) {
        mistake_add(&recording->list, import_where(line, 0), "the line has not the --layout %s",
                    mistake_quote(&recording->list, recording->options->layout));
        return;
    }
    kind = import_read_kind(fields.text['d']);
    if ((*fields.text['a'] != '\0' && *fields.text['a'] != import_action(recording)) ||
        !kind.is_known) {
        recording->left_out.by_action++;
    } else if (read_time(recording, line, &fields, &request.time_ns) &&
               (kind.op == OP_FLUSH || read_range(recording, line, &fields, &request))) {
        import_add_kind(recording, line, 0, device_of(&fields, device), &kind, request);
    }
}
