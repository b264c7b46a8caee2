/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quantities: printing, parsing, and that parsing reverses printing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/base/quantity.h"

#define ROUNDS 20000

/* ---- What is printed ---- */

static void test_quantity_time_is_exact(void **state)
{
    (void)state;
    assert_string_equal(quantity_time(0).text, "0s");
    assert_string_equal(quantity_time(12300001).text, "12.300001ms");
    assert_string_equal(quantity_time(12300000).text, "12.3ms");
    assert_string_equal(quantity_time(800000).text, "800us");
    assert_string_equal(quantity_time(1000000001).text, "1.000000001s");
    assert_string_equal(quantity_time(UINT64_MAX).text, "18446744073.709551615s");
}

static void test_quantity_size_takes_the_largest_exact_unit(void **state)
{
    (void)state;
    assert_string_equal(quantity_size(0).text, "0B");
    assert_string_equal(quantity_size(512).text, "512B");
    assert_string_equal(quantity_size(642 * KIB).text, "642KiB");
    assert_string_equal(quantity_size(UINT64_C(1) << 50).text, "1024TiB");
    assert_string_equal(quantity_bytes(0).text, "0");
    assert_string_equal(quantity_bytes(513).text, "513");
    assert_string_equal(quantity_bytes(2 * KIB).text, "2KiB");
}

static void test_quantity_plain_takes_a_fraction_only_when_no_unit_divides_it(void **state)
{
    static const struct unit percent[] = {{"%", 10000, true}, {NULL, 0, false}};

    (void)state;
    assert_string_equal(quantity_plain(quantity_time_units, INT64_C(7200000000000)).text, "2h");
    assert_string_equal(quantity_plain(quantity_speed_units, -3 * (int64_t)KIB).text, "-3KiB/s");
    assert_string_equal(quantity_plain(quantity_size_units, INT64_MIN).text, "-8EiB");
    assert_string_equal(quantity_plain(percent, 12500).text, "1.25%");
}

/* ---- What is read ---- */

static void test_quantity_read_size_takes_every_unit_of_a_file(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"1.5KiB", 1536},
        {"1EiB", KIB << 50},
        {"15.5EiB", UINT64_C(31) << 59},
        {"0.00048828125MiB", 512},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",       "KiB",   "1K",    "0.3KiB", "-1KiB",
                                      "1.KiB",  ".5KiB", "1 KiB", "16EiB",  "18446744073709551616",
                                      "0.0001B"};
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(quantity_read_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(quantity_read_size(bad[i], &bytes));
    }
}

static void test_quantity_read_time_wants_a_unit_unless_it_is_zero(void **state)
{
    uint64_t ns;

    (void)state;
    assert_true(quantity_read_time("1h", &ns));
    assert_int_equal(ns, UINT64_C(3600000000000));
    assert_true(quantity_read_time("0.5min", &ns));
    assert_int_equal(ns, UINT64_C(30000000000));
    assert_true(quantity_read_time("0", &ns));
    assert_int_equal(ns, 0);
    assert_false(quantity_read_time("5", &ns));
    assert_false(quantity_read_time("0.5ns", &ns));
    assert_false(quantity_read_time("-5ms", &ns));
    assert_false(quantity_read_time("5 ms", &ns));
    assert_false(quantity_read_time("6000000h", &ns));
}

static void test_quantity_read_says_what_is_wrong(void **state)
{
    struct quantity quantity;

    (void)state;
    assert_int_equal(quantity_read(quantity_size_units, "many", &quantity), QUANTITY_NO_NUMBER);
    assert_int_equal(quantity_read(quantity_size_units, "4kb", &quantity), QUANTITY_UNKNOWN_UNIT);
    assert_string_equal(quantity.suffix, "kb");
    assert_int_equal(quantity_read(quantity_time_units, "0.3ns", &quantity), QUANTITY_NOT_WHOLE);
    assert_int_equal(quantity_read(quantity_size_units, "-99EiB", &quantity), QUANTITY_TOO_LARGE);
    assert_true(quantity.negative);
    assert_int_equal(quantity.value, UINT64_MAX);
}

static void test_quantity_read_thousandths_takes_three_decimals(void **state)
{
    uint64_t thousandths;

    (void)state;
    assert_true(quantity_read_thousandths("0.125", &thousandths));
    assert_int_equal(thousandths, 125);
    assert_false(quantity_read_thousandths("0.0005", &thousandths));
    assert_false(quantity_read_thousandths("1x", &thousandths));
}

/* ---- There and back ---- */

/* Values of every magnitude, with many and with few bits set; the same in every run. */
static uint64_t draw(uint64_t *state)
{
    uint64_t value;

    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    value = *state >> (*state >> 58);
    return (*state & 1) != 0 ? value : value >> 20 << (*state >> 33 & 31);
}

static void test_quantity_reads_back_whatever_it_prints(void **state)
{
    uint64_t random = 1;
    uint64_t back;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t value = draw(&random);

        assert_true(quantity_read_time(quantity_time(value).text, &back));
        assert_int_equal(back, value);
        assert_true(quantity_read_size(quantity_size(value).text, &back));
        assert_int_equal(back, value);
        assert_true(quantity_read_size(quantity_bytes(value).text, &back));
        assert_int_equal(back, value);
    }
}

static void test_quantity_reads_back_what_a_file_would_have(void **state)
{
    const struct unit *const tables[] = {quantity_size_units, quantity_time_units,
                                         quantity_speed_units};
    uint64_t random = 2;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const struct unit *units = tables[i % 3];
        int64_t value = (int64_t)draw(&random);
        struct quantity back;

        assert_int_equal(quantity_read(units, quantity_plain(units, value).text, &back),
                         QUANTITY_GOOD);
        assert_true(back.negative == (value < 0));
        assert_true((value < 0 ? -(uint64_t)value : (uint64_t)value) == back.value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantity_time_is_exact),
        cmocka_unit_test(test_quantity_size_takes_the_largest_exact_unit),
        cmocka_unit_test(test_quantity_plain_takes_a_fraction_only_when_no_unit_divides_it),
        cmocka_unit_test(test_quantity_read_size_takes_every_unit_of_a_file),
        cmocka_unit_test(test_quantity_read_time_wants_a_unit_unless_it_is_zero),
        cmocka_unit_test(test_quantity_read_says_what_is_wrong),
        cmocka_unit_test(test_quantity_read_thousandths_takes_three_decimals),
        cmocka_unit_test(test_quantity_reads_back_whatever_it_prints),
        cmocka_unit_test(test_quantity_reads_back_what_a_file_would_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
