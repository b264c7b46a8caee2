/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was packed comes back; what is cut or changed fails, and is never read beyond its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/base/pack.h"

static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT64_C(1) << 35, UINT64_MAX};

static struct pack make(void)
{
    struct pack pack = {0};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        pack_number(&pack, numbers[i]);
    }
    pack_text(&pack, "a text");
    pack_text(&pack, "");
    pack_number(&pack, true);
    return pack;
}

/* Everything is taken, and compared as long as nothing has failed. */
static void take(struct unpack *unpack)
{
    char small[7];
    char *text;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t number = unpack_number(unpack);

        assert_true(unpack->failed || number == numbers[i]);
    }
    unpack_text(unpack, small, sizeof(small));
    assert_string_equal(small, unpack->failed ? "" : "a text");
    text = unpack_new_text(unpack);
    assert_string_equal(text, "");
    free(text);
    assert_true(unpack_bool(unpack) || unpack->failed);
}

/* All kinds come back as they were, and then the bytes end. */
static void test_pack_gives_back_what_was_packed(void **state)
{
    struct pack pack = make();
    struct unpack unpack = {.at = pack.bytes, .left = pack.count};

    (void)state;
    take(&unpack);
    assert_true(unpack_ends(&unpack));
    pack_free(&pack);
}

/* Cut anywhere, the reading fails; in memory of just that size a sanitizer sees a byte too many. */
static void test_pack_fails_when_it_is_cut_anywhere(void **state)
{
    struct pack pack = make();

    (void)state;
    for (size_t count = 0; count < pack.count; count++) {
        uint8_t *copy = malloc(count + 1);
        struct unpack unpack = {.at = copy + 1, .left = count};

        memcpy(copy + 1, pack.bytes, count);
        take(&unpack);
        assert_true(unpack.failed);
        assert_false(unpack_ends(&unpack));
        free(copy);
    }
    pack_free(&pack);
}

/* Values that the reader doesn't allow fail, and so does everything after them. */
static void test_pack_fails_for_what_is_not_allowed(void **state)
{
    static const uint8_t bytes[] = {2, 4, 'a', 'b', 'c', 'd', 1, 0, 0x80};
    struct unpack a_bool = {.at = bytes, .left = sizeof(bytes)};
    struct unpack too_long = {.at = bytes + 1, .left = 5};
    struct unpack with_zero = {.at = bytes + 6, .left = 2};
    struct unpack no_end = {.at = bytes + 8, .left = 1};
    char buf[4];

    (void)state;
    assert_false(unpack_bool(&a_bool));
    assert_true(a_bool.failed);
    assert_int_equal(unpack_number(&a_bool), 0);
    unpack_text(&too_long, buf, sizeof(buf));
    assert_true(too_long.failed);
    unpack_text(&with_zero, buf, sizeof(buf));
    assert_true(with_zero.failed);
    unpack_number(&no_end);
    assert_true(no_end.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_gives_back_what_was_packed),
        cmocka_unit_test(test_pack_fails_when_it_is_cut_anywhere),
        cmocka_unit_test(test_pack_fails_for_what_is_not_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
