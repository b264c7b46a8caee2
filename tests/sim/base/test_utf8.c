/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cutting text, whatever its bytes are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/base/utf8.h"

/* The characters of each length, and sequences that are too long, too short or beyond the end. */
static void test_utf8_decodes_only_what_is_valid(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        uint32_t value;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\x80", 0, 0},
        {"\xc3", 0, 0},
        {"\xc3(", 0, 0},
        {"\xc0\x80", 0, 0},
        {"\xed\xa0\x80", 0, 0},
        {"\xf4\x90\x80\x80", 0, 0},
        {"\xff", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t value = 0;

        assert_int_equal(utf8_decode(cases[i].text, strlen(cases[i].text), &value),
                         cases[i].length);
        assert_true(cases[i].length == 0 || value == cases[i].value);
    }
}

/* A character that does not fit goes as a whole, one that fits stays. */
static void test_utf8_cut_divides_no_character(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < COUNT_OF(expected); max++) {
        assert_int_equal(utf8_cut(text, max), expected[max]);
    }
}

/* Bytes that only continue a character, as many as one likes, are cut where it was asked for. */
static void test_utf8_cut_of_what_is_no_character_keeps_all_that_fits(void **state)
{
    char text[201];

    (void)state;
    memset(text, 0x80, 200);
    text[200] = '\0';
    for (size_t max = 0; max <= 200; max++) {
        assert_int_equal(utf8_cut(text, max), max);
    }
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/*
 * Any bytes: never more than asked for, never more than three bytes less, and the character that
 * begins at the cut is none that has begun before it.
 */
static void test_utf8_cut_of_any_bytes_loses_at_most_one_character(void **state)
{
    static const unsigned char likely[] = {0x80, 0xbf, 0xc3, 0xe2, 0x82,
                                           0xac, 0xf0, 0x9f, 'a',  0xff};
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t bytes = draw(&seed) % 40;
        size_t max = draw(&seed) % 48;
        char *text = malloc(bytes + 1); /* of just that size: a sanitizer sees a byte too many */
        size_t cut;

        for (size_t i = 0; i < bytes; i++) {
            text[i] = (char)likely[draw(&seed) % COUNT_OF(likely)];
        }
        text[bytes] = '\0';
        cut = utf8_cut(text, max);
        assert_true(cut <= max && cut <= bytes);
        assert_true(cut + 3 >= (max < bytes ? max : bytes));
        for (size_t start = cut > 3 ? cut - 3 : 0; start < cut; start++) {
            uint32_t value;

            assert_true(start + utf8_decode(text + start, bytes - start, &value) <= cut);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_decodes_only_what_is_valid),
        cmocka_unit_test(test_utf8_cut_divides_no_character),
        cmocka_unit_test(test_utf8_cut_of_what_is_no_character_keeps_all_that_fits),
        cmocka_unit_test(test_utf8_cut_of_any_bytes_loses_at_most_one_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
