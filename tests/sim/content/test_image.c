/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images and views, against a plain array with one tag per sector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/content/content.h"
#include "sim/content/image.h"
#include "sim/content/view.h"
#include "sim/content/writer.h"

#define SECTORS 200u

struct shadow {
    bool allocated[SECTORS];
    uint64_t tag[SECTORS];
};

static int set_up(void **state)
{
    *state = arena_create((size_t)16 << 20);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct run run_zero(uint64_t sector, uint64_t sectors)
{
    return (struct run){.sector = sector, .sectors = sectors};
}

static struct run run_guest(uint32_t request, uint64_t sector, uint64_t sectors)
{
    return (struct run){sector, sectors, tag_guest(request, 0), 1, false};
}

static uint64_t digest_of(const struct image *image)
{
    const struct writers nobody = {0};
    struct digest digest;

    digest_init(&digest);
    image_digest(image, &nobody, &digest);
    return digest_value(&digest);
}

static void shadow_write(struct shadow *shadow, struct run run)
{
    for (uint64_t i = 0; i < run.sectors; i++) {
        shadow->allocated[run.sector + i] = true;
        shadow->tag[run.sector + i] = run.tag + i * run.step;
    }
}

static void shadow_punch(struct shadow *shadow, uint64_t sector, uint64_t sectors)
{
    for (uint64_t i = 0; i < sectors; i++) {
        shadow->allocated[sector + i] = false;
        shadow->tag[sector + i] = 0;
    }
}

/* One random operation on both. */
static void change(struct image *image, struct shadow *shadow, uint64_t *seed)
{
    uint64_t random = next_random(seed);
    uint64_t sector = (random >> 8) % SECTORS;
    uint64_t sectors = 1 + (random >> 24) % (random & 128 ? 8 : SECTORS - sector);
    struct run run = {0};

    sectors = min_u64(sectors, SECTORS - sector);
    switch (random % 4) {
    case 0:
        image_punch(image, sector * SECTOR_BYTES, sectors * SECTOR_BYTES);
        shadow_punch(shadow, sector, sectors);
        return;
    case 1:
        run = run_zero(sector, sectors);
        break;
    case 2:
        run = run_fill(1, sector * SECTOR_BYTES, sectors * SECTOR_BYTES);
        break;
    default:
        run = run_guest((uint32_t)(random >> 40) % 1000, sector, sectors);
        break;
    }
    image_write(image, run);
    shadow_write(shadow, run);
}

/* Every lookup gives a run that agrees with the array and is as long as possible. */
static void assert_matches_shadow(const struct image *image, const struct shadow *shadow)
{
    for (uint64_t sector = 0; sector < SECTORS; sector++) {
        struct run run;
        bool allocated = image_lookup(image, sector, SECTORS, &run);
        uint64_t i;

        assert_int_equal(allocated, shadow->allocated[sector]);
        assert_int_equal(run.sector, sector);
        assert_in_range(run.sectors, 1, SECTORS - sector);
        for (i = 0; i < run.sectors; i++) {
            assert_int_equal(shadow->allocated[sector + i], allocated);
            assert_true(shadow->tag[sector + i] == run.tag + i * run.step);
        }
        if (sector + i < SECTORS && shadow->allocated[sector + i] == allocated) {
            assert_true(shadow->tag[sector + i] != (run.tag ? run.tag + i : 0));
        }
        image_lookup(image, sector, sector + 1, &run);
        assert_int_equal(run.sectors, 1);
    }
}

/* The same content, written one sector at a time. */
static struct image *rebuild(struct arena *arena, const struct shadow *shadow)
{
    struct image *image = image_create(arena);

    for (uint64_t i = 0; i < SECTORS; i++) {
        uint64_t sector = i % 2 ? SECTORS - 1 - i / 2 : i / 2;

        if (shadow->allocated[sector]) {
            image_write(image, (struct run){sector, 1, shadow->tag[sector], 0, false});
        }
    }
    return image;
}

static uint64_t allocated_bytes(const struct shadow *shadow)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < SECTORS; i++) {
        count += shadow->allocated[i];
    }
    return count * SECTOR_BYTES;
}

static void test_image_agrees_with_an_array_when_changed_at_random(void **state)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct image *image;
        struct shadow shadow = {0};
        uint64_t stream = seed;

        arena_reset(*state);
        image = image_create(*state);
        for (int i = 0; i < 100; i++) {
            change(image, &shadow, &stream);
            image_check(image);
            if (i % 10 == 0) {
                assert_matches_shadow(image, &shadow);
            }
            assert_int_equal(image_allocated_bytes(image), allocated_bytes(&shadow));
        }
    }
}

static void test_image_has_the_same_runs_and_digest_when_only_the_history_differs(void **state)
{
    uint64_t seed = 77;

    for (int round = 0; round < 100; round++) {
        struct image *image;
        struct image *rebuilt;
        struct shadow shadow = {0};
        uint64_t digest;

        arena_reset(*state);
        image = image_create(*state);
        for (int i = 0; i < 30; i++) {
            change(image, &shadow, &seed);
        }
        rebuilt = rebuild(*state, &shadow);
        image_check(rebuilt);
        digest = digest_of(image);
        assert_int_equal(image_runs(rebuilt), image_runs(image));
        assert_true(digest_of(rebuilt) == digest);

        image_write(rebuilt, run_guest(12345, SECTORS / 2, 1));
        assert_true(digest_of(rebuilt) != digest);
    }
}

/* Copying a disk costs one run, and no memory per piece. */
static void test_image_stays_one_run_when_copied_piece_by_piece(void **state)
{
    const uint64_t piece = 65536;
    const uint64_t total = UINT64_C(1) << 40;
    struct image *image = image_create(*state);
    size_t used = 0;

    image_write(image, run_fill(2, 0, total));
    for (uint64_t i = 0; i < 1000; i++) {
        image_write(image, run_fill(1, i * piece, piece));
        used = i == 10 ? arena_used_bytes(*state) : used;
    }
    assert_int_equal(image_runs(image), 2);
    assert_int_equal(arena_used_bytes(*state), used);
    assert_int_equal(image_allocated_bytes(image), total);
}

static void test_image_gives_extents_back_when_overwritten(void **state)
{
    struct image *image = image_create(*state);
    size_t used = 0;

    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            image_write(image, run_guest(i, 10 * i, 5));
        }
        assert_int_equal(image_runs(image), 100);
        used = round == 0 ? arena_used_bytes(*state) : used;
        image_punch(image, 0, 1000 * SECTOR_BYTES);
        assert_int_equal(image_runs(image), 0);
    }
    assert_int_equal(arena_used_bytes(*state), used);
}

static void test_image_ignores_empty_ranges(void **state)
{
    struct image *image = image_create(*state);

    image_write(image, run_fill(1, 4096, 8192));
    image_write(image, run_zero(10, 0));
    image_punch(image, 8192, 0);
    assert_int_equal(image_runs(image), 1);
    image_check(image);
}

/* Three layers of 200, 150 and 200 sectors with random content. */
struct layers {
    struct shadow shadow[3];
    struct view view;
};

static void layers_make(struct layers *layers, struct arena *arena, uint64_t *seed)
{
    memset(layers, 0, sizeof(*layers));
    layers->view.layers = 3;
    for (int i = 0; i < 3; i++) {
        struct image *image = image_create(arena);

        for (int k = 0; k < 8; k++) {
            change(image, &layers->shadow[i], seed);
        }
        layers->view.layer[i] = image;
        layers->view.bytes[i] = (i == 1 ? 150 : SECTORS) * SECTOR_BYTES;
    }
}

/* The middle layer is short: from its end on it reads zero. */
static uint64_t layers_tag(const struct layers *layers, uint64_t sector)
{
    for (int i = 0; i < 3; i++) {
        if (i == 1 && sector >= 150) {
            return 0;
        }
        if (layers->shadow[i].allocated[sector]) {
            return layers->shadow[i].tag[sector];
        }
    }
    return 0;
}

static void test_view_reads_the_first_layer_that_has_a_sector_when_chained(void **state)
{
    uint64_t seed = 5;
    struct layers layers;

    for (int round = 0; round < 200; round++) {
        arena_reset(*state);
        layers_make(&layers, *state, &seed);
        for (uint64_t sector = 0; sector < SECTORS; sector++) {
            uint64_t limit = sector + 1 + next_random(&seed) % (SECTORS - sector);
            struct run run = view_lookup(&layers.view, sector, limit);

            assert_int_equal(run.sector, sector);
            assert_in_range(run.sectors, 1, limit - sector);
            for (uint64_t i = 0; i < run.sectors; i++) {
                assert_true(run.tag + i * run.step == layers_tag(&layers, sector + i));
            }
        }
    }
}

static void test_view_equal_finds_the_first_difference_when_one_sector_differs(void **state)
{
    uint64_t seed = 6;
    struct layers layers;

    for (int round = 0; round < 200; round++) {
        struct view flat = {.layers = 1, .bytes = {SECTORS * SECTOR_BYTES}};
        uint64_t bad = next_random(&seed) % SECTORS;
        uint64_t difference = UINT64_MAX;
        struct image *image;

        arena_reset(*state);
        layers_make(&layers, *state, &seed);
        image = image_create(*state);
        flat.layer[0] = image;
        for (uint64_t sector = 0; sector < SECTORS; sector++) {
            image_write(image, (struct run){sector, 1, layers_tag(&layers, sector), 0, false});
        }
        assert_true(view_equal(&layers.view, &flat, 0, SECTORS * SECTOR_BYTES, &difference));

        image_write(image, run_guest(54321, bad, 1));
        assert_false(view_equal(&layers.view, &flat, 0, SECTORS * SECTOR_BYTES, &difference));
        assert_int_equal(difference, bad);
        /* The ranges on either side of it are equal. */
        assert_true(view_equal(&layers.view, &flat, 0, bad * SECTOR_BYTES, &difference));
        assert_true(view_equal(&flat, &layers.view, (bad + 1) * SECTOR_BYTES,
                               (SECTORS - bad - 1) * SECTOR_BYTES, &difference));
    }
}

static struct view view_of(struct image *image)
{
    return (struct view){.layers = 1, .layer = {image}, .bytes = {SECTORS * SECTOR_BYTES}};
}

static void put_bytes_of(struct image *image, uint64_t tag, uint64_t sector)
{
    uint8_t data[SECTOR_BYTES];

    content_expand(tag, data);
    image_put_bytes(image, sector, data);
}

/* Bytes that were compared once are not compared again, but only until there are others. */
static void test_view_equal_sees_bytes_that_change_after_they_were_compared(void **state)
{
    struct image *made = image_create(*state);
    struct image *kept = image_create(*state);
    struct view a = view_of(made);
    struct view b = view_of(kept);
    uint64_t difference = UINT64_MAX;

    image_keep_bytes(made);
    image_keep_bytes(kept);
    image_write(made, run_guest(1, 0, 20));
    image_write(kept, run_guest(1, 0, 20));
    for (uint64_t i = 0; i < 20; i++) {
        put_bytes_of(kept, tag_guest(1, i), i);
    }
    for (int time = 0; time < 2; time++) {
        assert_true(view_equal(&a, &b, 0, 20 * SECTOR_BYTES, &difference));
        assert_true(view_equal(&b, &a, 0, 20 * SECTOR_BYTES, &difference));
    }
    put_bytes_of(kept, tag_guest(2, 0), 13);
    assert_false(view_equal(&a, &b, 0, 20 * SECTOR_BYTES, &difference));
    assert_int_equal(difference, 13);
    put_bytes_of(kept, tag_guest(1, 13), 13);
    image_write(made, run_guest(3, 9, 1));
    assert_false(view_equal(&b, &a, 0, 20 * SECTOR_BYTES, &difference));
    assert_int_equal(difference, 9);
    image_write(kept, run_guest(3, 9, 1));
    assert_true(view_equal(&a, &b, 0, 20 * SECTOR_BYTES, &difference));
}

static void test_view_of_no_layers_is_zero(void **state)
{
    struct view view = {0};
    struct run run = view_lookup(&view, 7, 20);

    (void)state;
    assert_int_equal(run.sector, 7);
    assert_int_equal(run.sectors, 13);
    assert_int_equal(run.tag, 0);
    assert_int_equal(run.step, 0);
}

static void assert_state(const struct image *image, uint64_t sector, enum image_state state,
                         uint64_t until)
{
    uint64_t end;

    assert_int_equal(image_state(image, sector, SECTORS, &end), state);
    assert_int_equal(end, until);
}

/* Zeroes that are stored are data, read as zeroes, and are no run with those that are not. */
static void test_image_tells_stored_zeroes_from_explicit_ones(void **state)
{
    struct image *image = image_create(*state);
    struct run stored = run_zero(4, 4);
    struct run run;

    stored.stored = true;
    image_write(image, run_guest(1, 0, 4));
    image_write(image, stored);
    image_write(image, run_zero(8, 4));
    assert_int_equal(image_runs(image), 3);
    image_check(image);
    assert_state(image, 0, STATE_DATA, 8);
    assert_state(image, 5, STATE_DATA, 8);
    assert_state(image, 8, STATE_ZERO, 12);
    assert_state(image, 12, STATE_NOTHING, SECTORS);
    assert_true(image_lookup(image, 4, SECTORS, &run));
    assert_int_equal(run.tag, TAG_ZERO);
    assert_int_equal(run.sectors, 4);
    image_write(image, run_zero(5, 2));
    assert_state(image, 5, STATE_ZERO, 7);
    assert_state(image, 7, STATE_DATA, 8);
    image_check(image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_image_agrees_with_an_array_when_changed_at_random),
        TEST(test_image_has_the_same_runs_and_digest_when_only_the_history_differs),
        TEST(test_image_stays_one_run_when_copied_piece_by_piece),
        TEST(test_image_gives_extents_back_when_overwritten),
        TEST(test_image_ignores_empty_ranges),
        TEST(test_image_tells_stored_zeroes_from_explicit_ones),
        TEST(test_view_reads_the_first_layer_that_has_a_sector_when_chained),
        TEST(test_view_equal_finds_the_first_difference_when_one_sector_differs),
        TEST(test_view_equal_sees_bytes_that_change_after_they_were_compared),
        TEST(test_view_of_no_layers_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
