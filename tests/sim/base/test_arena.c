/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arena: zeroed, aligned, deterministic memory whose copy is a snapshot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/base/arena.h"

#define RESERVE ((size_t)8 << 20)

static int set_up(void **state)
{
    *state = arena_create(RESERVE);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static void assert_all_zero(const void *memory, size_t bytes)
{
    const unsigned char *byte = memory;

    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(byte[i], 0);
    }
}

/* Memory of every size, small and large, is aligned, zeroed and not shared. */
static void test_arena_alloc_gives_zeroed_aligned_memory_when_pieces_are_reused(void **state)
{
    static const size_t sizes[] = {0,    1,    16,   17,   1008, 1024,  1025,
                                   1280, 1281, 2048, 2049, 5000, 65536, 100000};
    struct arena *arena = *state;
    void *memory[COUNT_OF(sizes)];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            memory[i] = arena_alloc(arena, sizes[i]);
            assert_int_equal((uintptr_t)memory[i] % 16, 0);
            assert_all_zero(memory[i], sizes[i]);
            memset(memory[i], (int)i + 1, sizes[i]);
        }
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++) {
                assert_int_equal(((unsigned char *)memory[i])[k], i + 1);
            }
            arena_free(arena, memory[i], sizes[i]);
        }
    }
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* No two pieces share a byte: each keeps the pattern it was filled with. */
static void test_arena_pieces_keep_their_bytes_when_sizes_come_and_go_at_random(void **state)
{
    struct {
        unsigned char *memory;
        size_t bytes;
    } live[64] = {{NULL, 0}};
    struct arena *arena = *state;
    uint64_t seed = 1;

    for (int round = 0; round < 20000; round++) {
        uint64_t random = next_random(&seed);
        unsigned slot = random % 64;

        for (size_t i = 0; i < live[slot].bytes; i++) {
            assert_int_equal(live[slot].memory[i], slot);
        }
        arena_free(arena, live[slot].memory, live[slot].bytes);
        live[slot].bytes = (random >> 8) % (random & 128 ? 1200 : 12000);
        live[slot].memory = arena_alloc(arena, live[slot].bytes);
        memset(live[slot].memory, (int)slot, live[slot].bytes);
    }
}

static void test_arena_alloc_takes_the_newest_piece_when_several_of_a_size_are_free(void **state)
{
    struct arena *arena = *state;
    void *a = arena_alloc(arena, 40);
    void *b = arena_alloc(arena, 48);
    void *other = arena_alloc(arena, 64);
    size_t used = arena_used_bytes(arena);

    arena_free(arena, a, 40);
    arena_free(arena, b, 48);
    arena_free(arena, other, 64);
    assert_ptr_equal(arena_alloc(arena, 33), b);
    assert_ptr_equal(arena_alloc(arena, 48), a);
    assert_ptr_equal(arena_alloc(arena, 49), other);
    assert_int_equal(arena_used_bytes(arena), used);
}

static void test_arena_free_ignores_null(void **state)
{
    struct arena *arena = *state;

    arena_free(arena, NULL, 16);
    assert_non_null(arena_alloc(arena, 16));
}

static void test_arena_reset_repeats_the_same_addresses_when_memory_was_dirty(void **state)
{
    struct arena *arena = *state;
    size_t empty = arena_used_bytes(arena);
    void *a = arena_alloc(arena, 100);
    void *b = arena_alloc(arena, 3000);

    memset(a, 0xff, 100);
    memset(b, 0xff, 3000);
    arena_free(arena, a, 100);
    arena_reset(arena);
    assert_int_equal(arena_used_bytes(arena), empty);
    assert_ptr_equal(arena_alloc(arena, 100), a);
    assert_ptr_equal(arena_alloc(arena, 3000), b);
    assert_all_zero(a, 100);
    assert_all_zero(b, 3000);
}

/* A load restores the arena as it was saved: content, free lists, extent. */
static void test_arena_load_restores_everything_when_the_arena_grew_since(void **state)
{
    struct arena *arena = *state;
    char *text = arena_strdup(arena, "before");
    void *freed = arena_alloc(arena, 200);
    size_t used;
    void *copy;
    void *next;

    arena_free(arena, freed, 200);
    used = arena_used_bytes(arena);
    copy = malloc(used);
    assert_non_null(copy);
    arena_save(arena, copy);

    memcpy(text, "after!", 7);
    assert_ptr_equal(arena_alloc(arena, 200), freed);
    next = arena_alloc(arena, 70000);
    memset(next, 0xee, 70000);
    assert_true(arena_used_bytes(arena) > used);

    arena_load(arena, copy, used);
    assert_int_equal(arena_used_bytes(arena), used);
    assert_string_equal(text, "before");
    assert_ptr_equal(arena_alloc(arena, 200), freed);
    assert_ptr_equal(arena_alloc(arena, 70000), next);
    assert_all_zero(next, 70000);
    free(copy);
}

static void test_arena_printf_keeps_the_whole_text_when_it_is_long(void **state)
{
    struct arena *arena = *state;
    char *text = arena_printf(arena, "%s-%0500d", "n", 7);

    assert_int_equal(strlen(text), 502);
    assert_memory_equal(text, "n-000", 5);
    assert_int_equal(text[501], '7');
}

struct full {
    jmp_buf back;
    int calls;
};

static void on_full(void *opaque)
{
    struct full *full = opaque;

    full->calls++;
    longjmp(full->back, 1);
}

static void test_arena_alloc_calls_the_full_handler_when_the_reserve_is_used_up(void **state)
{
    static const size_t too_much[] = {RESERVE, SIZE_MAX / 2, SIZE_MAX - 3};
    struct arena *arena = *state;
    size_t used = arena_used_bytes(arena);
    static struct full full;

    full.calls = 0;
    arena_set_full_handler(arena, on_full, &full);
    for (size_t i = 0; i < 3; i++) {
        if (setjmp(full.back) == 0) {
            arena_alloc(arena, too_much[i]);
            fail();
        }
    }
    assert_int_equal(full.calls, 3);
    assert_int_equal(arena_used_bytes(arena), used);
    assert_non_null(arena_alloc(arena, RESERVE / 2));
}

/* What a trimmed arena has given stays, and little more can be had. */
static void test_arena_trim_leaves_what_is_in_use_and_no_more_than_a_page(void **state)
{
    struct arena *arena = *state;
    static struct full full;
    char *text = arena_strdup(arena, "kept");

    arena_trim(arena);
    assert_string_equal(text, "kept");
    memset(arena_alloc(arena, 1024), 1, 1024);
    arena_check(arena);
    full.calls = 0;
    arena_set_full_handler(arena, on_full, &full);
    if (setjmp(full.back) == 0) {
        arena_alloc(arena, (size_t)128 << 10);
    }
    assert_int_equal(full.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_arena_alloc_gives_zeroed_aligned_memory_when_pieces_are_reused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_pieces_keep_their_bytes_when_sizes_come_and_go_at_random, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_alloc_takes_the_newest_piece_when_several_of_a_size_are_free, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(test_arena_free_ignores_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_reset_repeats_the_same_addresses_when_memory_was_dirty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_load_restores_everything_when_the_arena_grew_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arena_printf_keeps_the_whole_text_when_it_is_long,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_alloc_calls_the_full_handler_when_the_reserve_is_used_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_arena_trim_leaves_what_is_in_use_and_no_more_than_a_page, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
