/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words of a line, and the numbers and times among them.
 *
 * Columns count characters, of which every byte that is not part of a valid one is one, too.
 *
 * Declared in tools/import/import.h: what the readers of formats share.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/utf8.h"
#include "tools/base/text.h"
#include "tools/import/import.h"

struct where import_where(const struct import_line *line, uint32_t word)
{
    return (struct where){line->number,
                          word < line->word_count ? line->words[word].column : line->end_column};
}

bool import_number(struct recording *recording, const struct import_line *line, uint32_t word,
                   const char *what, uint64_t *number)
{
    if (word >= line->word_count) {
        mistake_add(&recording->list, import_where(line, word),
                    "the line ends too soon: the %s is missing", what);
        return false;
    }
    if (!number_parse(line->words[word].text, number) || *number > INT64_MAX) {
        mistake_add(&recording->list, import_where(line, word),
                    "the %s must be a whole number below 2^63, not %s", what,
                    mistake_quote(&recording->list, line->words[word].text));
        return false;
    }
    return true;
}

int64_t import_ns(uint64_t count, uint64_t unit_ns)
{
    uint64_t ns;

    return __builtin_mul_overflow(count, unit_ns, &ns) || ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

int64_t import_since_first(struct recording *recording, uint64_t count, uint64_t unit_ns)
{
    if (!recording->has_base) {
        recording->has_base = true;
        recording->base = count;
    }
    return count >= recording->base ? import_ns(count - recording->base, unit_ns)
                                    : -import_ns(recording->base - count, unit_ns);
}

/* Digits, and perhaps a point and more digits. */
static bool is_decimal(const char *word)
{
    size_t whole = strspn(word, "0123456789");
    const char *rest = word + whole + (word[whole] == '.');

    return whole > 0 && rest[strspn(rest, "0123456789")] == '\0';
}

bool import_time(struct recording *recording, const struct import_line *line, uint32_t word,
                 const char *what, uint64_t unit_ns, int64_t *time_ns)
{
    const char *text = word < line->word_count ? line->words[word].text : "";
    const char *point = strchr(text, '.');
    uint64_t place_ns = unit_ns;
    uint64_t whole = strtoull(text, NULL, 10); /* UINT64_MAX if it is more */

    if (!is_decimal(text)) {
        mistake_add(&recording->list, import_where(line, word),
                    "the %s must be a number like 12.345, not %s", what,
                    mistake_quote(&recording->list, text));
        return false;
    }
    *time_ns = import_ns(whole, unit_ns);
    for (point = point != NULL ? point + 1 : ""; *point != '\0' && place_ns > 1; point++) {
        place_ns /= 10;
        if (*time_ns < INT64_MAX / 2) {
            *time_ns += (int64_t)((uint64_t)(*point - '0') * place_ns);
        }
    }
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

void import_split(struct import_line *line, char *copy)
{
    const char *end = copy + strlen(copy);
    bool in_word = false;

    for (char *at = copy; at < end;) {
        uint32_t value;
        size_t length = (size_t)max_u64(utf8_decode(at, (size_t)(end - at), &value), 1);
        bool blank = is_blank(*at);

        if (!blank && !in_word && line->word_count < IMPORT_MAX_WORDS) {
            line->words[line->word_count++] =
                (struct import_word){at, line->end_column, (uint32_t)(at - copy)};
        }
        if (blank) {
            *at = '\0';
        }
        in_word = !blank;
        line->end_column++;
        at += length;
    }
}
