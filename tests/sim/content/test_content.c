/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a sector: fixed, the same on every machine, and different for different tags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/content/content.h"
#include "sim/content/image.h"

static uint64_t word_at(const uint8_t *sector, unsigned number)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)sector[8 * number + i] << (8 * i);
    }
    return word;
}

/* Only the zero tag reads zero, and it overwrites the whole sector. */
static void test_content_is_zero_when_tag_is_zero(void **state)
{
    static const uint8_t zeroes[SECTOR_BYTES];
    uint8_t sector[SECTOR_BYTES];

    (void)state;
    memset(sector, 0xff, sizeof(sector));
    content_expand(TAG_ZERO, sector);
    assert_memory_equal(sector, zeroes, sizeof(sector));
    content_expand(tag_fill(0, 0), sector);
    assert_memory_not_equal(sector, zeroes, sizeof(sector));
}

/* The function is a format: images dumped by different builds are compared. */
static void test_content_holds_its_words_when_tag_is_known(void **state)
{
    static const uint8_t tag_bytes[] = {0x05, 0, 0, 0, 0, 0, 0x30, 0x10};
    uint8_t sector[SECTOR_BYTES];

    (void)state;
    content_expand(tag_fill(3, 5), sector);
    assert_memory_equal(sector, tag_bytes, sizeof(tag_bytes));
    assert_int_equal(word_at(sector, 1), UINT64_C(0x5eed32246b1c3f14));
    assert_int_equal(word_at(sector, 63), UINT64_C(0xd10bbff8bb108492));
}

/* Different tags differ in every word, even if only their top bits differ. */
static void test_content_differs_in_every_word_when_tags_differ(void **state)
{
    const uint64_t tags[] = {
        tag_fill(0, 0),   tag_fill(0, 1),
        tag_fill(1, 0),   tag_fill(0, (UINT64_C(1) << 52) - 1),
        tag_guest(0, 0),  tag_guest(0, 1),
        tag_guest(1, 0),  tag_guest(0x0fffffff, 0),
        UINT64_MAX,       1,
        tag_fill(15, 77), tag_fill(15, 77) | TAG_CORRUPT,
    };
    const size_t count = COUNT_OF(tags);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            uint8_t a[SECTOR_BYTES];
            uint8_t b[SECTOR_BYTES];

            content_expand(tags[i], a);
            content_expand(tags[j], b);
            for (unsigned word = 0; word < SECTOR_BYTES / 8; word++) {
                assert_true(word_at(a, word) != word_at(b, word));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_is_zero_when_tag_is_zero),
        cmocka_unit_test(test_content_holds_its_words_when_tag_is_known),
        cmocka_unit_test(test_content_differs_in_every_word_when_tags_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
