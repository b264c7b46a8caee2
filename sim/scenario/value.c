/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One value, read or written: a word, or a number with its unit.
 *
 * Numbers are read exactly, in integers: 1.5ms is 1500us, and what is no
 * whole number of the smallest unit is refused.
 */
#include "sim/scenario/value.h"

#include <inttypes.h>
#include <strings.h>

#include "sim/scenario/private.h"

/* ---- Words ---- */

const char *type_word(const struct value_type *type, uint32_t i)
{
    for (const struct word *word = type->words; word && word->text; word++) {
        if (i-- == 0) {
            return word->text;
        }
    }
    return type->word_at ? type->word_at(i) : NULL;
}

static bool find_word(const struct value_type *type, const char *text, int64_t *value)
{
    for (const struct word *word = type->words; word && word->text; word++) {
        if (strcmp(word->text, text) == 0) {
            *value = word->value;
            return true;
        }
    }
    return type->parse && type->parse(text, value);
}

static const char *list_words(struct loader *loader, const struct value_type *type)
{
    const char *list = "";

    for (uint32_t i = 0; type_word(type, i); i++) {
        list = mistake_part(loader->mistakes, "%s%s%s", list, i ? ", " : "", type_word(type, i));
    }
    return list;
}

static void unknown_word(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type)
{
    struct nearest nearest = nearest_to(text);

    for (uint32_t i = 0; type_word(type, i); i++) {
        nearest_offer(&nearest, type_word(type, i));
    }
    if (nearest.best) {
        read_mistake(loader, node, "%s is no %s; did you mean %s?", read_quote(loader, text),
                     type->what, read_quote(loader, nearest.best));
    } else if (type->example) {
        read_mistake(loader, node, "%s is no %s; write for example %s", read_quote(loader, text),
                     type->what, type->example);
    } else {
        read_mistake(loader, node, "%s is no %s; there are %s", read_quote(loader, text),
                     type->what, list_words(loader, type));
    }
}

/* ---- Numbers ---- */

/* A number as it is written: mantissa / scale, then a suffix. */
struct number {
    bool negative;
    bool overflow;
    int64_t mantissa;
    int64_t scale;
    const char *suffix;
};

static const char *split_digits(const char *at, struct number *number, bool is_fraction)
{
    for (; *at >= '0' && *at <= '9'; at++) {
        number->overflow |= __builtin_mul_overflow(number->mantissa, 10, &number->mantissa) ||
                            __builtin_add_overflow(number->mantissa, *at - '0', &number->mantissa);
        if (is_fraction) {
            number->overflow |= __builtin_mul_overflow(number->scale, 10, &number->scale);
        }
    }
    return at;
}

/* False if the text is no number at all. */
static bool split_number(const char *text, struct number *number)
{
    const char *digits = text + (*text == '-');
    const char *at;

    *number = (struct number){.negative = digits > text, .scale = 1};
    at = split_digits(digits, number, false);
    if (at == digits) {
        return false;
    }
    if (at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at = split_digits(at + 1, number, true);
    }
    number->suffix = at;
    return true;
}

static const struct unit *find_unit(const struct value_type *type, const char *suffix)
{
    for (const struct unit *unit = type->units; unit->suffix; unit++) {
        if (strcmp(unit->suffix, suffix) == 0) {
            return unit;
        }
    }
    return NULL;
}

static void missing_unit(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type)
{
    const char *list = "";
    const char *separator = "";

    for (const struct unit *unit = type->units; unit->suffix; unit++) {
        if (*unit->suffix && unit->is_common) {
            list =
                mistake_part(loader->mistakes, "%s%s%.20s%s", list, separator, text, unit->suffix);
            separator = unit[1].is_common && unit[2].is_common ? ", " : " or ";
        }
    }
    read_mistake(loader, node, "%s needs a unit: %s?", read_quote(loader, text), list);
}

/* The least unit that begins with the same letter, in either case, is most likely meant. */
static const char *nearest_unit(const struct value_type *type, const char *suffix)
{
    const char *nearest = NULL;

    for (const struct unit *unit = type->units; unit->suffix; unit++) {
        if (*unit->suffix && strncasecmp(unit->suffix, suffix, 1) == 0) {
            nearest = unit->suffix;
        }
    }
    return nearest;
}

static void unknown_unit(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct number *number, const struct value_type *type)
{
    const char *unit = nearest_unit(type, number->suffix);

    if (unit) {
        read_mistake(loader, node, "%s has an unknown unit; did you mean \"%.*s%s\"?",
                     read_quote(loader, text), (int)(number->suffix - text), text, unit);
    } else {
        read_mistake(loader, node, "%s is no %s; write for example %s", read_quote(loader, text),
                     type->what, type->example);
    }
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The value, if it is a whole number that fits; the product is not larger than it must be. */
static bool number_value(const struct number *number, const struct unit *unit, bool *is_whole,
                         int64_t *value)
{
    int64_t divisor = greatest_divisor(unit->factor, number->scale);
    int64_t scale = number->scale / divisor;
    int64_t product;

    *is_whole = true;
    if (number->overflow ||
        __builtin_mul_overflow(number->mantissa, unit->factor / divisor, &product)) {
        return false;
    }
    *is_whole = product % scale == 0;
    *value = product / scale;
    *value = number->negative ? -*value : *value;
    return *is_whole;
}

const char *value_format(struct loader *loader, const struct value_type *type, int64_t value)
{
    const struct unit *unit = type->units;

    while (unit[1].suffix && (value == 0 || value % unit->factor != 0)) {
        unit++;
    }
    return mistake_part(loader->mistakes, "%" PRId64 "%s", value / unit->factor, unit->suffix);
}

static bool check_bounds(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type, int64_t value)
{
    if (value < type->min) {
        read_mistake(loader, node, "%s is too small: the least is %s", read_quote(loader, text),
                     value_format(loader, type, type->min));
    } else if (value > type->max) {
        read_mistake(loader, node, "%s is too large: the most is %s", read_quote(loader, text),
                     value_format(loader, type, type->max));
    } else if (type->multiple > 1 && value % type->multiple != 0) {
        read_mistake(loader, node, "%s is not a multiple of %" PRId64, read_quote(loader, text),
                     type->multiple);
    } else if (type->power_of_two && (value & (value - 1)) != 0) {
        read_mistake(loader, node, "%s is not a power of two", read_quote(loader, text));
    } else {
        return true;
    }
    return false;
}

static bool parse_number(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type, int64_t *value)
{
    struct number number;
    const struct unit *unit;
    bool is_whole;

    if (!split_number(text, &number)) {
        unknown_word(loader, node, text, type);
        return false;
    }
    unit = find_unit(type, number.suffix);
    if (unit && !*unit->suffix && type->needs_unit && number.mantissa != 0) {
        missing_unit(loader, node, text, type);
        return false;
    }
    if (!unit) {
        unknown_unit(loader, node, text, &number, type);
        return false;
    }
    if (number_value(&number, unit, &is_whole, value)) {
        return check_bounds(loader, node, text, type, *value);
    }
    if (!is_whole) {
        read_mistake(loader, node, "%s is no whole number of the smallest unit",
                     read_quote(loader, text));
        return false;
    }
    return check_bounds(loader, node, text, type, number.negative ? INT64_MIN : INT64_MAX);
}

bool value_read_fixed(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *value)
{
    const char *text = read_text(loader, node, type->what);

    if (!text) {
        return false;
    }
    if (find_word(type, text, value)) {
        return true;
    }
    if (!type->units) {
        unknown_word(loader, node, text, type);
        return false;
    }
    return parse_number(loader, node, text, type, value);
}

/* ---- Writing ---- */

/* The word for a value, or NULL. */
static const char *word_of(const struct value_type *type, int64_t value)
{
    for (const struct word *word = type->words; word && word->text; word++) {
        if (word->value == value) {
            return word->text;
        }
    }
    for (uint32_t i = 0; type->word_at && type->parse && type->word_at(i); i++) {
        int64_t parsed;

        if (type->parse(type->word_at(i), &parsed) && parsed == value) {
            return type->word_at(i);
        }
    }
    return NULL;
}

/* Units of a whole number; a fraction of the smallest that has one is written as such. */
static void number_write(FILE *file, const struct unit *unit, int64_t value)
{
    uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value;

    while (unit[1].suffix && value % unit->factor != 0) {
        unit++;
    }
    fprintf(file, "%s%" PRIu64, value < 0 ? "-" : "", amount / (uint64_t)unit->factor);
    amount %= (uint64_t)unit->factor;
    if (amount > 0) {
        fputc('.', file);
    }
    for (int64_t place = unit->factor / 10; amount > 0; place /= 10) {
        fprintf(file, "%" PRIu64, amount / (uint64_t)place);
        amount %= (uint64_t)place;
    }
    fputs(unit->suffix, file);
}

void value_write(FILE *file, const struct value_type *type, int64_t value)
{
    const char *word = word_of(type, value);

    if (word) {
        fputs(word, file);
    } else if (value == 0) {
        fputc('0', file);
    } else {
        number_write(file, type->units, value);
    }
}
