/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bitmaps: every answer must equal that of a simple shadow, an array of bool,
 * under the same random operations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bitmap.h"
#include "engine/range.h"
#include "engine/units.h"

struct pair {
    struct bitmap bitmap;
    void *memory;
    bool *shadow;
    uint64_t size;
    uint64_t random;
};

static void pair_init(struct pair *pair, uint64_t size)
{
    pair->memory = calloc(1, bitmap_memory_bytes(size) + 1);
    pair->shadow = calloc(size + 1, sizeof(bool));
    assert_non_null(pair->memory);
    assert_non_null(pair->shadow);
    pair->size = size;
    pair->random = size + 1;
    bitmap_init(&pair->bitmap, size, pair->memory);
}

static void pair_release(struct pair *pair)
{
    free(pair->memory);
    free(pair->shadow);
}

/* splitmix64 */
static uint64_t below(struct pair *pair, uint64_t bound)
{
    uint64_t z = pair->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

static uint64_t shadow_count(const struct pair *pair, uint64_t first, uint64_t count)
{
    uint64_t bits = 0;

    for (uint64_t i = first; i < first + count; i++) {
        bits += pair->shadow[i];
    }
    return bits;
}

/* The first position in [from, limit) whose bit is `value`, or limit. */
static uint64_t shadow_find(const struct pair *pair, uint64_t from, uint64_t limit, bool value)
{
    while (from < limit && pair->shadow[from] != value) {
        from++;
    }
    return from;
}

static void check_at(const struct pair *pair, uint64_t from, uint64_t limit)
{
    uint64_t expected = shadow_find(pair, from, pair->size, true);
    uint64_t found = UINT64_MAX;

    assert_int_equal(bitmap_next_set(&pair->bitmap, from, &found), expected < pair->size);
    if (expected < pair->size) {
        assert_int_equal(found, expected);
    }
    if (from <= limit) {
        assert_int_equal(bitmap_next_clear(&pair->bitmap, from, limit),
                         shadow_find(pair, from, limit, false));
    }
    if (from < limit) {
        assert_int_equal(bitmap_count_range(&pair->bitmap, from, limit - from),
                         shadow_count(pair, from, limit - from));
    }
    if (from < pair->size) {
        assert_int_equal(bitmap_get(&pair->bitmap, from), pair->shadow[from]);
    }
}

/* Sets or clears a range; one in four is short, one in four is very long. */
static void mutate(struct pair *pair)
{
    uint64_t first = below(pair, pair->size);
    uint64_t room = pair->size - first;
    uint64_t bound = below(pair, 4) == 0 ? 3 : below(pair, 3) == 0 ? room : 200;
    uint64_t count = min_u64(1 + below(pair, bound), room);
    bool value = below(pair, 2) == 0;

    if (value) {
        bitmap_set(&pair->bitmap, first, count);
    } else {
        bitmap_clear(&pair->bitmap, first, count);
    }
    for (uint64_t i = first; i < first + count; i++) {
        pair->shadow[i] = value;
    }
}

static void exercise(uint64_t size, uint32_t steps)
{
    struct pair pair;

    pair_init(&pair, size);
    for (uint32_t i = 0; i < steps; i++) {
        if (size > 0) {
            mutate(&pair);
        }
        bitmap_check(&pair.bitmap);
        assert_int_equal(pair.bitmap.count, shadow_count(&pair, 0, size));
        check_at(&pair, below(&pair, size + 2), below(&pair, size + 1));
        check_at(&pair, 0, size);
    }
    pair_release(&pair);
}

/* All queries agree with the shadow, whatever the size. */
static void test_bitmap_agrees_with_shadow_when_mutated_at_random(void **state)
{
    static const struct {
        uint64_t size;
        uint32_t steps;
    } cases[] = {
        {0, 50},    {1, 200},     {2, 200},     {63, 2000},   {64, 2000},
        {65, 2000}, {4095, 1000}, {4096, 1000}, {4097, 1000}, {300000, 60},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        exercise(cases[i].size, cases[i].steps);
    }
}

/* A walk by cursor visits exactly the bits that are set when the cursor reaches them. */
static void test_bitmap_cursor_sees_every_bit_ahead_when_mutated_on_the_way(void **state)
{
    struct pair pair;
    uint64_t cursor = 0;
    uint64_t bit;

    (void)state;
    pair_init(&pair, 5000);
    for (uint32_t i = 0; i < 40; i++) {
        mutate(&pair);
    }
    while (bitmap_next_set(&pair.bitmap, cursor, &bit)) {
        assert_true(pair.shadow[bit]);
        assert_int_equal(shadow_find(&pair, cursor, 5000, true), bit);
        cursor = bit + 1;
        mutate(&pair);
    }
    assert_int_equal(shadow_find(&pair, cursor, 5000, true), 5000);
    pair_release(&pair);
}

/* A single bit is found across all the words that are zero. */
static void test_bitmap_next_set_finds_the_only_bit_when_it_is_far(void **state)
{
    static const uint64_t bits[] = {0, 63, 64, 4095, 4096, 262143, 262144, 299999};
    struct pair pair;
    uint64_t found;

    (void)state;
    pair_init(&pair, 300000);
    for (size_t i = 0; i < COUNT_OF(bits); i++) {
        bitmap_set(&pair.bitmap, bits[i], 1);
        assert_true(bitmap_next_set(&pair.bitmap, 0, &found));
        assert_int_equal(found, bits[i]);
        assert_true(bitmap_next_set(&pair.bitmap, bits[i], &found));
        assert_false(bitmap_next_set(&pair.bitmap, bits[i] + 1, &found));
        bitmap_clear(&pair.bitmap, bits[i], 1);
        bitmap_check(&pair.bitmap);
    }
    pair_release(&pair);
}

static uint64_t digest_of(const struct bitmap *bitmap)
{
    struct digest digest;

    digest_init(&digest);
    bitmap_digest(bitmap, &digest);
    return digest_value(&digest);
}

/* The digest depends on the content, not on the operations that led to it. */
static void test_bitmap_digests_are_equal_just_when_contents_are(void **state)
{
    struct pair a;
    struct pair b;

    (void)state;
    pair_init(&a, 1000);
    pair_init(&b, 1000);
    bitmap_set(&a.bitmap, 100, 300);
    bitmap_set(&b.bitmap, 200, 200);
    assert_int_not_equal(digest_of(&a.bitmap), digest_of(&b.bitmap));
    bitmap_set(&b.bitmap, 50, 250);
    bitmap_clear(&b.bitmap, 0, 100);
    assert_int_equal(digest_of(&a.bitmap), digest_of(&b.bitmap));
    pair_release(&b);
    pair_init(&b, 1001);
    bitmap_set(&b.bitmap, 100, 300);
    assert_int_not_equal(digest_of(&a.bitmap), digest_of(&b.bitmap));
    pair_release(&a);
    pair_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bitmap_agrees_with_shadow_when_mutated_at_random),
        cmocka_unit_test(test_bitmap_cursor_sees_every_bit_ahead_when_mutated_on_the_way),
        cmocka_unit_test(test_bitmap_next_set_finds_the_only_bit_when_it_is_far),
        cmocka_unit_test(test_bitmap_digests_are_equal_just_when_contents_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
