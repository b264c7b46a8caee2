/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Smaller and rounder numbers: tries all sizes together, then moving forward whatever lies
 * behind a place, then equal numbers together, then each number by itself.
 *
 * Sizes become powers of two, times get one digit. The smallest candidate comes first, so that
 * nothing more needs to be tried once one is kept.
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/shrink/private.h"

#define MAX_SMALLER 160

enum measure {
    UNIT_NONE, /* not a number */
    UNIT_COUNT,
    UNIT_BYTES,
    UNIT_NS,
};

struct number {
    struct tree_node *node;
    enum measure unit;
    uint64_t value;
    bool expected; /* part of an expectation: changes only together with equal numbers */
};

struct numbers {
    struct shrinker *shrinker;
    bool expected; /* `expected` of the numbers being collected */
    struct number *list;
    size_t count;
};

/* ---- Numbers of the tree ---- */

static struct number number_of(struct tree_node *node)
{
    uint64_t value;

    if (node->kind != YAML_SCALAR) {
        return (struct number){.node = node};
    }
    if (number_parse(node->text, &value)) {
        return (struct number){
            .node = node, .unit = value >= SECTOR_BYTES ? UNIT_BYTES : UNIT_COUNT, .value = value};
    }
    if (quantity_read_size(node->text, &value)) {
        return (struct number){.node = node, .unit = UNIT_BYTES, .value = value};
    }
    if (quantity_read_time(node->text, &value)) {
        return (struct number){.node = node, .unit = UNIT_NS, .value = value};
    }
    return (struct number){.node = node};
}

static void collect(void *opaque, struct tree_node *node)
{
    struct numbers *numbers = opaque;
    struct number number = number_of(node);

    number.expected = numbers->expected || (node->key && strcmp(node->key, "within") == 0);
    if (number.unit != UNIT_NONE && number.value > 0) {
        numbers->list = must_grow(numbers->list, numbers->count, sizeof(*numbers->list));
        numbers->list[numbers->count++] = number;
    }
}

static bool is_query(const struct tree_node *step)
{
    return tree_get(step, "query") != NULL || tree_get(step, "query-disk") != NULL;
}

/* Collects from all sections except `limits`: a smaller limit does not make a run simpler. */
static struct numbers collect_all(struct shrinker *shrinker)
{
    struct numbers numbers = {.shrinker = shrinker};
    struct tree_node *section = tree_first(shrinker->tree.root);

    for (; section != NULL; section = tree_next(section)) {
        struct tree_node *item = tree_first(section);

        if (!shrink_may_change(section) || strcmp(section->key, "limits") == 0) {
            continue;
        }
        for (; item != NULL; item = tree_next(item)) {
            numbers.expected = shrink_is_expectation(section) || is_query(item);
            tree_visit(item, collect, &numbers);
        }
    }
    return numbers;
}

static void set(struct numbers *numbers, const struct number *number, uint64_t value)
{
    struct quantity_text text;

    if (value == 0 || number->unit == UNIT_COUNT) {
        snprintf(text.text, sizeof(text.text), "%" PRIu64, value);
    } else {
        text = number->unit == UNIT_NS ? quantity_time(value) : quantity_bytes(value);
    }
    tree_set_text(&numbers->shrinker->tree, number->node, text.text);
}

/* ---- Smaller and rounder candidates for a number ---- */

struct smaller {
    uint64_t values[MAX_SMALLER];
    uint32_t count;
};

static void add(struct smaller *smaller, uint64_t value)
{
    if (smaller->count < MAX_SMALLER) {
        smaller->values[smaller->count++] = value;
    }
}

/* Powers of two; then the value with its last bits cleared: 640KiB for 642KiB. */
static void smaller_sizes(uint64_t value, struct smaller *smaller)
{
    for (uint64_t power = SECTOR_BYTES; power < value && power < UINT64_MAX / 2; power *= 2) {
        add(smaller, power);
    }
    for (uint64_t power = UINT64_C(1) << 63; power >= SECTOR_BYTES; power /= 2) {
        if (value > power && value % power != 0) {
            add(smaller, value - value % power);
        }
    }
}

static void smaller_counts(uint64_t value, struct smaller *smaller)
{
    for (uint64_t power = 1; power < value && power < UINT64_MAX / 2; power *= 2) {
        add(smaller, power);
    }
    add(smaller, value - 1);
}

/* Times with one digit; then with as many digits as needed. */
static void smaller_times(uint64_t value, struct smaller *smaller)
{
    for (uint64_t power = 1000; power < value && power < UINT64_MAX / 10; power *= 10) {
        for (uint64_t digit = 1; digit <= 5 && digit * power < value; digit += digit == 1 ? 1 : 3) {
            add(smaller, digit * power);
        }
    }
    for (uint64_t power = UINT64_C(1000000000000); power >= 10; power /= 10) {
        if (value > power && value % power != 0) {
            add(smaller, value - value % power);
        }
    }
}

static struct smaller smaller_than(const struct number *number)
{
    struct smaller smaller = {.count = 1}; /* 0 */

    switch (number->unit) {
    case UNIT_NONE:
        break;
    case UNIT_COUNT:
        smaller_counts(number->value, &smaller);
        break;
    case UNIT_BYTES:
        smaller_sizes(number->value, &smaller);
        break;
    case UNIT_NS:
        smaller_times(number->value, &smaller);
        break;
    }
    return smaller;
}

/* ---- Trying them ---- */

/* Halves all sizes together: the same story on smaller disks. */
static bool halve_sizes(struct numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++) {
        struct number *number = &numbers->list[i];

        if (number->unit == UNIT_BYTES && number->value / 2 % SECTOR_BYTES == 0) {
            number->value /= 2;
            set(numbers, number, number->value);
        }
    }
    return shrink_try(numbers->shrinker);
}

static bool is_place(const struct number *number)
{
    return number->unit == UNIT_BYTES && number->node->key != NULL &&
           strcmp(number->node->key, "at") == 0;
}

/* Moves everything at or behind this place by the same distance. */
static bool move_forward(struct numbers *numbers, const struct number *place, uint64_t by)
{
    uint64_t from = place->value;

    for (size_t i = 0; i < numbers->count; i++) {
        if (is_place(&numbers->list[i]) && numbers->list[i].value >= from) {
            set(numbers, &numbers->list[i], numbers->list[i].value - by);
        }
    }
    return shrink_try(numbers->shrinker);
}

/* Sets the number and all equal ones, or the number alone. */
static bool replace(struct numbers *numbers, size_t i, bool all, uint64_t value)
{
    const struct number old = numbers->list[i];

    for (size_t j = all ? 0 : i; j < (all ? numbers->count : i + 1); j++) {
        const struct number *number = &numbers->list[j];

        if (number->unit == old.unit && number->value == old.value &&
            (number->unit == UNIT_BYTES || !number->expected)) {
            set(numbers, &numbers->list[j], value);
        }
    }
    return shrink_try(numbers->shrinker);
}

static bool is_size(const struct number *number)
{
    return number->unit == UNIT_BYTES && number->node->key != NULL &&
           strcmp(number->node->key, "size") == 0;
}

/*
 * No disk shrinks below the size of one that is smaller now: a target must stay
 * large enough for its source.
 */
static uint64_t least_of(const struct numbers *numbers, const struct number *number)
{
    uint64_t least = SECTOR_BYTES;

    if (!is_size(number)) {
        return 0;
    }
    for (size_t i = 0; i < numbers->count; i++) {
        if (is_size(&numbers->list[i]) && numbers->list[i].value < number->value) {
            least = max_u64(least, numbers->list[i].value);
        }
    }
    return least;
}

/* Moves what begins at the number forward, by as much as is still judged the same. */
static bool move_by(struct numbers *numbers, const struct number *number,
                    const struct smaller *smaller)
{
    for (uint32_t i = 0; i < smaller->count; i++) {
        if (move_forward(numbers, number, number->value - smaller->values[i])) {
            return true;
        }
    }
    return false;
}

/* True if a change was kept; the list of numbers is then out of date. */
static bool reduce(struct numbers *numbers, size_t i)
{
    const struct number *number = &numbers->list[i];
    struct smaller smaller = number->expected ? (struct smaller){0} : smaller_than(number);
    uint64_t least = least_of(numbers, number);

    if (is_place(number) && move_by(numbers, number, &smaller)) {
        return true;
    }
    for (uint32_t j = 0; j < smaller.count; j++) {
        if (smaller.values[j] >= least &&
            (replace(numbers, i, true, smaller.values[j]) ||
             (!is_size(number) && replace(numbers, i, false, smaller.values[j])))) {
            return true;
        }
    }
    return false;
}

void shrink_numbers(struct shrinker *shrinker)
{
    struct numbers numbers = collect_all(shrinker);
    size_t i = 0;

    while (halve_sizes(&numbers)) {
    }
    while (i < numbers.count && !shrinker->stopped) {
        free(numbers.list);
        numbers = collect_all(shrinker);
        if (i < numbers.count && !reduce(&numbers, i)) {
            i++;
        }
    }
    free(numbers.list);
}
