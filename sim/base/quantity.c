/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quantities: the table of units, and reading and writing by it.
 */
#include "sim/base/quantity.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/units.h"

const struct unit quantity_size_units[] = {{"EiB", KIB << 50, false},
                                           {"PiB", KIB << 40, false},
                                           {"TiB", KIB << 30, false},
                                           {"GiB", KIB << 20, true},
                                           {"MiB", KIB << 10, true},
                                           {"KiB", KIB, true},
                                           {"", 1, false},
                                           {"B", 1, false},
                                           {NULL, 0, false}};

const struct unit quantity_time_units[] = {{"h", 3600 * NS_PER_SECOND, false},
                                           {"min", 60 * NS_PER_SECOND, false},
                                           {"s", NS_PER_SECOND, true},
                                           {"ms", NS_PER_MS, true},
                                           {"us", NS_PER_US, true},
                                           {"ns", 1, true},
                                           {"", 1, false},
                                           {NULL, 0, false}};

const struct unit quantity_speed_units[] = {{"TiB/s", KIB << 30, false},
                                            {"GiB/s", KIB << 20, true},
                                            {"MiB/s", KIB << 10, true},
                                            {"KiB/s", KIB, true},
                                            {"B/s", 1, true},
                                            {"", 1, false},
                                            {NULL, 0, false}};

static const struct unit thousandth_units[] = {{"", 1000, false}, {NULL, 0, false}};

/* ---- As text ---- */

/* `amount` in that unit; a remainder in decimals, for which the factor is a power of ten. */
static struct quantity_text text_of(const struct unit *unit, bool negative, uint64_t amount)
{
    struct quantity_text text;
    uint64_t factor = (uint64_t)unit->factor;
    uint64_t rest = amount % factor;
    int length = snprintf(text.text, sizeof(text.text), "%s%" PRIu64 "%s", negative ? "-" : "",
                          amount / factor, rest != 0 ? "." : "");

    for (uint64_t place = factor / 10; rest != 0; place /= 10) {
        assert(place != 0);
        text.text[length++] = (char)('0' + rest / place);
        rest %= place;
    }
    snprintf(text.text + length, sizeof(text.text) - (size_t)length, "%s", unit->suffix);
    return text;
}

/* The entry of a suffix, or NULL. */
static const struct unit *find_unit(const struct unit *units, const char *suffix)
{
    for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
        if (strcmp(unit->suffix, suffix) == 0) {
            return unit;
        }
    }
    return NULL;
}

struct quantity_text quantity_time(uint64_t ns)
{
    const struct unit *unit = find_unit(quantity_time_units, "s");

    while (ns != 0 && ns < (uint64_t)unit->factor) {
        unit++;
    }
    return text_of(unit, false, ns);
}

/* In the greatest unit, from TiB down, that divides it; `least` stands for single bytes. */
static struct quantity_text size_text(uint64_t bytes, const char *least)
{
    const struct unit *unit = find_unit(quantity_size_units, "TiB");

    while (unit->factor > 1 && (bytes == 0 || bytes % (uint64_t)unit->factor != 0)) {
        unit++;
    }
    return text_of(unit->factor > 1 ? unit : find_unit(quantity_size_units, least), false, bytes);
}

struct quantity_text quantity_size(uint64_t bytes)
{
    return size_text(bytes, "B");
}

struct quantity_text quantity_bytes(uint64_t bytes)
{
    return size_text(bytes, "");
}

struct quantity_text quantity_plain(const struct unit *units, int64_t value)
{
    const struct unit *unit = units;

    while (unit[1].suffix != NULL && (value == 0 || value % unit->factor != 0)) {
        unit++;
    }
    return text_of(unit, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* ---- From text ---- */

/* The digits at `at` as mantissa / scale; false if that does not fit. */
struct digits {
    uint64_t mantissa;
    uint64_t scale; /* a power of ten */
    bool overflow;
};

static const char *read_digits(const char *at, struct digits *digits, bool is_fraction)
{
    for (; *at >= '0' && *at <= '9'; at++) {
        digits->overflow |=
            __builtin_mul_overflow(digits->mantissa, UINT64_C(10), &digits->mantissa) ||
            __builtin_add_overflow(digits->mantissa, (uint64_t)(*at - '0'), &digits->mantissa);
        if (is_fraction) {
            digits->overflow |= __builtin_mul_overflow(digits->scale, UINT64_C(10), &digits->scale);
        }
    }
    return at;
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/*
 * mantissa * factor / scale, in lowest terms and digit by digit, so that only the result must fit.
 */
static enum quantity_fault value_of(const struct digits *digits, const struct unit *unit,
                                    uint64_t *value)
{
    uint64_t divisor = greatest_divisor((uint64_t)unit->factor, digits->scale);
    uint64_t factor = (uint64_t)unit->factor / divisor;
    uint64_t scale = digits->scale / divisor;

    *value = UINT64_MAX;
    if (digits->overflow) {
        return QUANTITY_TOO_LARGE;
    }
    /*
     * `factor` and `scale` have no common divisor: the product is whole if the mantissa's part is.
     */
    if (digits->mantissa % scale != 0) {
        return QUANTITY_NOT_WHOLE;
    }
    if (__builtin_mul_overflow(digits->mantissa / scale, factor, value)) {
        *value = UINT64_MAX;
        return QUANTITY_TOO_LARGE;
    }
    return QUANTITY_GOOD;
}

enum quantity_fault quantity_read(const struct unit *units, const char *text,
                                  struct quantity *quantity)
{
    const char *first = text + (*text == '-');
    struct digits digits = {.scale = 1};
    const char *at = read_digits(first, &digits, false);

    *quantity = (struct quantity){.negative = first > text};
    if (at == first) {
        return QUANTITY_NO_NUMBER;
    }
    if (at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at = read_digits(at + 1, &digits, true);
    }
    quantity->suffix = at;
    quantity->unit = find_unit(units, at);
    if (quantity->unit == NULL) {
        return QUANTITY_UNKNOWN_UNIT;
    }
    return value_of(&digits, quantity->unit, &quantity->value);
}

static bool read_unsigned(const struct unit *units, const char *text, struct quantity *quantity)
{
    return quantity_read(units, text, quantity) == QUANTITY_GOOD && !quantity->negative;
}

bool quantity_read_time(const char *text, uint64_t *ns)
{
    struct quantity quantity;
    bool good = read_unsigned(quantity_time_units, text, &quantity) &&
                (*quantity.suffix != '\0' || quantity.value == 0);

    *ns = good ? quantity.value : 0;
    return good;
}

bool quantity_read_size(const char *text, uint64_t *bytes)
{
    struct quantity quantity;
    bool good = read_unsigned(quantity_size_units, text, &quantity);

    *bytes = good ? quantity.value : 0;
    return good;
}

bool quantity_read_thousandths(const char *text, uint64_t *thousandths)
{
    struct quantity quantity;
    bool good = read_unsigned(thousandth_units, text, &quantity);

    *thousandths = good ? quantity.value : 0;
    return good;
}
