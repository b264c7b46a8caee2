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

#include "sim/base/quantity.h"
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

/* Does the file's generation have the word of that value? */
static bool is_in(const struct loader *loader, const struct value_type *type, int64_t value)
{
    uint64_t lacks =
        loader->plan->generation == GENERATION_MODERN ? type->only_2_2 : type->only_modern;

    return lacks == 0 || value < 0 || value > 63 || (lacks >> value & 1) == 0;
}

bool value_find_word(struct loader *loader, const struct value_type *type, const char *text,
                     int64_t *value)
{
    return find_word(type, text, value) && is_in(loader, type, *value);
}

static const char *list_words(struct loader *loader, const struct value_type *type)
{
    const char *list = "";
    int64_t value;

    for (uint32_t i = 0; type_word(type, i); i++) {
        if (value_find_word(loader, type, type_word(type, i), &value)) {
            list = mistake_part(loader->mistakes, "%s%s%s", list, *list ? ", " : "",
                                type_word(type, i));
        }
    }
    return list;
}

static void unknown_word(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type)
{
    struct nearest nearest = nearest_to(text);
    int64_t value;

    for (uint32_t i = 0; type_word(type, i); i++) {
        if (value_find_word(loader, type, type_word(type, i), &value)) {
            nearest_offer(&nearest, type_word(type, i));
        }
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
                         const char *suffix, const struct value_type *type)
{
    const char *unit = nearest_unit(type, suffix);

    if (unit) {
        read_mistake(loader, node, "%s has an unknown unit; did you mean \"%.*s%s\"?",
                     read_quote(loader, text), (int)(suffix - text), text, unit);
    } else {
        read_mistake(loader, node, "%s is no %s; write for example %s", read_quote(loader, text),
                     type->what, type->example);
    }
}

const char *value_format(struct loader *loader, const struct value_type *type, int64_t value)
{
    return mistake_part(loader->mistakes, "%s", quantity_plain(type->units, value).text);
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

/* With its sign; what does not fit is beyond any bound. */
static int64_t signed_value(const struct quantity *quantity)
{
    if (quantity->value > INT64_MAX) {
        return quantity->negative ? INT64_MIN : INT64_MAX;
    }
    return quantity->negative ? -(int64_t)quantity->value : (int64_t)quantity->value;
}

static bool parse_number(struct loader *loader, const struct yaml_node *node, const char *text,
                         const struct value_type *type, int64_t *value)
{
    struct quantity quantity;
    enum quantity_fault fault = quantity_read(type->units, text, &quantity);

    if (fault == QUANTITY_NO_NUMBER) {
        unknown_word(loader, node, text, type);
        return false;
    }
    if (fault == QUANTITY_UNKNOWN_UNIT) {
        unknown_unit(loader, node, text, quantity.suffix, type);
        return false;
    }
    if (type->needs_unit && *quantity.suffix == '\0' && quantity.value != 0) {
        missing_unit(loader, node, text, type);
        return false;
    }
    if (fault == QUANTITY_NOT_WHOLE) {
        read_mistake(loader, node, "%s is no whole number of the smallest unit",
                     read_quote(loader, text));
        return false;
    }
    *value = signed_value(&quantity);
    return check_bounds(loader, node, text, type, *value);
}

/* The name of the one that the file's is not. */
static const char *other_generation(const struct loader *loader)
{
    return generation_name(loader->plan->generation == GENERATION_MODERN ? GENERATION_2_2
                                                                         : GENERATION_MODERN);
}

bool value_read_fixed(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *value)
{
    const char *text;

    if (read_resolve(loader, node)->kind == YAML_MAPPING && type_word(type, 0)) {
        read_mistake(loader, node,
                     "expected one word here, like %s, not a mapping: other keys stand beside it, "
                     "not in it",
                     type_word(type, 0));
        return false;
    }
    text = read_text(loader, node, type->what);

    if (!text) {
        return false;
    }
    if (find_word(type, text, value)) {
        if (!is_in(loader, type, *value)) {
            read_mistake(loader, node, "the %s %s belongs to generation %s", type->what,
                         read_quote(loader, text), other_generation(loader));
            return false;
        }
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

void value_write(FILE *file, const struct value_type *type, int64_t value)
{
    const char *word = word_of(type, value);

    if (word && strcmp(word, "null") == 0) { /* a status, but to YAML it is none */
        emit_text(file, word);
    } else if (word) {
        fputs(word, file);
    } else if (value == 0) {
        fputc('0', file);
    } else {
        fputs(quantity_plain(type->units, value).text, file);
    }
}
