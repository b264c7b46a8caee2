/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that an oracle follows, and the parts of their ranges that take
 * effect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/model/outstanding.h"

static int set_up(void **state)
{
    *state = arena_create((size_t)1 << 20);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static struct event event_of(uint32_t request, uint64_t offset, uint64_t bytes)
{
    return (struct event){.request = request, .offset = offset, .bytes = bytes, .op = OP_WRITE};
}

static void test_outstanding_keeps_the_others_in_order_when_one_is_removed(void **state)
{
    struct outstanding_list list = {0};

    for (uint32_t number = 1; number <= 9; number++) {
        struct event event = event_of(number, UINT64_C(4096) * number, 4096);

        outstanding_add(&list, *state, &event);
    }
    outstanding_remove(&list, 4);
    outstanding_remove(&list, 77);
    assert_int_equal(list.count, 8);
    assert_null(outstanding_find(&list, 4));
    assert_int_equal(outstanding_find(&list, 5)->offset, 5 * 4096);
    for (uint32_t i = 1; i < list.count; i++) {
        assert_true(list.requests[i - 1].number < list.requests[i].number);
    }
}

static void test_outstanding_counts_what_of_its_range_takes_effect(void **state)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
        uint64_t counts;
        uint64_t from;
    } effects[] = {
        {8192, 4096, 4096, 8192},   /* a part */
        {4096, 8192, 4096, 8192},   /* from before it */
        {16384, 8192, 4096, 16384}, /* to behind it */
        {0, 65536, 12288, 8192},    /* all around it */
        {4096, 4096, 0, 0},         /* right before it */
        {20480, 512, 0, 0},         /* right behind it */
    };
    struct outstanding_list list = {0};
    struct event event = event_of(1, 8192, 12288);
    struct outstanding *request;
    uint64_t moved = 0;

    outstanding_add(&list, *state, &event);
    request = outstanding_find(&list, 1);
    for (size_t i = 0; i < COUNT_OF(effects); i++) {
        struct event effect = event_of(1, effects[i].offset, effects[i].bytes);
        uint64_t from;

        assert_int_equal(outstanding_take_effect(request, &effect, &from), effects[i].counts);
        if (effects[i].counts > 0) {
            assert_int_equal(from, effects[i].from);
        }
        moved += effects[i].counts;
        assert_int_equal(request->moved, moved);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_outstanding_keeps_the_others_in_order_when_one_is_removed),
        TEST(test_outstanding_counts_what_of_its_range_takes_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
