/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects: what moves, when, and where to; silent faults, and sectors that
 * move one by one.  A request of eight sectors at 8 KiB, against a disk whose
 * sectors all differ.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/disk/cache.h"
#include "tests/support/stage.h"

#define PLACE (8 * KIB)
#define SECTORS 8
#define BYTES (SECTORS * SECTOR_BYTES)

/* A bit for each sector of the request that the write has changed. */
static unsigned changed(const struct stage *stage, uint64_t place)
{
    unsigned mask = 0;

    for (uint64_t i = 0; i < SECTORS; i++) {
        if (stage_tag(stage, SRC, place + i * SECTOR_BYTES) == tag_guest(1, i)) {
            mask |= 1u << i;
        }
    }
    return mask;
}

static uint64_t fill_at(uint64_t offset)
{
    return tag_fill(SRC, offset / SECTOR_BYTES);
}

static void write_once(struct stage *stage)
{
    stage_open(stage);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    stage_run(stage);
}

static void answer(struct stage *stage, struct choice_answer *answers, uint32_t count)
{
    stage->options.choices.recorded = answers;
    stage->options.choices.recorded_count = count;
}

/* ---- Silent faults ---- */

static void test_effect_of_a_write_is_this_when_a_fault_hits_it_silently(void **state)
{
    static const struct {
        enum fault_kind kind;
        unsigned changed;
        uint64_t moved; /* bytes, by events */
    } cases[] = {
        {FAULT_LOST, 0x00, 0},
        {FAULT_TORN, 0x55, BYTES / 2},
        {FAULT_CORRUPT, 0xfe, BYTES},
        {FAULT_MISDIRECT, 0x00, BYTES},
    };
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_LOST);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t moved = 0;

        fault->kind = cases[i].kind;
        fault->bytes = 0;
        write_once(stage);
        assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->ret, 0);
        assert_int_equal(world_fault_hits(stage->world, 0), 1);
        assert_int_equal(changed(stage, PLACE), cases[i].changed);
        for (uint64_t j = 0; j < stage_count(stage, EVENT_REQUEST_EFFECT); j++) {
            moved += stage_event(stage, EVENT_REQUEST_EFFECT, j)->bytes;
        }
        assert_int_equal(moved, cases[i].moved);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

static void test_effect_is_at_the_other_place_when_a_write_is_misdirected(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_MISDIRECT);

    fault->bytes = 64 * KIB;
    write_once(stage);
    assert_int_equal(changed(stage, PLACE), 0);
    assert_int_equal(changed(stage, 64 * KIB), 0xff);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_EFFECT, 0)->offset, 64 * KIB);
}

static void test_effect_ends_with_the_disk_when_a_write_is_misdirected_to_its_end(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_MISDIRECT);

    fault->bytes = MIB - 2 * SECTOR_BYTES;
    write_once(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_EFFECT, 0)->bytes, 2 * SECTOR_BYTES);
    assert_int_equal(stage_tag(stage, SRC, MIB - SECTOR_BYTES), tag_guest(1, 1));
    world_destroy(stage->world);
    fault->bytes = MIB;
    write_once(stage);
    assert_null(stage_event(stage, EVENT_REQUEST_EFFECT, 0));
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->ret, 0);
}

static void test_effect_flips_a_bit_of_the_chosen_sector_when_a_write_is_corrupted(void **state)
{
    struct choice_answer third = {"corrupt fault", 1, 2};
    struct stage *stage = *state;
    uint64_t tag;

    stage_fault(stage, FAULT_CORRUPT);
    answer(stage, &third, 1);
    write_once(stage);
    assert_int_equal(changed(stage, PLACE), 0xfb);
    tag = stage_tag(stage, SRC, PLACE + 2 * SECTOR_BYTES);
    assert_true(tag_is_corrupt(tag));
    assert_int_equal(tag & ~TAG_CORRUPT, tag_guest(1, 2));
}

static void test_effect_leaves_other_sectors_when_the_choices_tear_otherwise(void **state)
{
    struct choice_answer swapped[] = {{"torn fault", 1, 1}, {"torn fault", 4, 1}};
    struct stage *stage = *state;

    stage_fault(stage, FAULT_TORN);
    answer(stage, swapped, 2);
    write_once(stage);
    assert_int_equal(changed(stage, PLACE), 0x5c);
}

static void test_effect_is_torn_when_an_error_leaves_that_behind(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_ERROR);

    fault->error = -EIO;
    fault->applied = APPLIED_TORN;
    write_once(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->ret, -EIO);
    assert_int_equal(changed(stage, PLACE), 0x55);
}

/* ---- Reads into buffers ---- */

static struct block_iov two_buffers(struct stage *stage)
{
    static const uint32_t both[] = {0, 1};
    struct block_buffers *buffers;

    assert_int_equal(block_buffers_create(&stage->world->layer.nodes[SRC], BYTES / 2, 2, &buffers),
                     0);
    return (struct block_iov){buffers, both, 2};
}

/* Copies the range from src to dst through two buffers, and shows what comes out. */
static void copy(struct stage *stage, uint64_t tags[SECTORS])
{
    struct ending read;
    struct ending write;
    struct block_iov iov;

    stage_open(stage);
    iov = two_buffers(stage);
    read.world = write.world = stage->world;
    block_read(&stage->world->layer.nodes[SRC], PLACE, BYTES, iov, stage_done, &read);
    stage_run(stage);
    stage->world->evidence.end = END_NOT;
    block_write(&stage->world->layer.nodes[DST], PLACE, BYTES, iov, stage_done, &write);
    stage_run(stage);
    for (uint64_t i = 0; i < SECTORS; i++) {
        tags[i] = stage_tag(stage, DST, PLACE + i * SECTOR_BYTES);
    }
}

static void test_effect_of_a_read_is_this_when_a_fault_hits_it_silently(void **state)
{
    struct stage *stage = *state;
    struct fault_spec *fault = stage_fault(stage, FAULT_LOST);
    uint64_t tags[SECTORS];

    copy(stage, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], TAG_ZERO);
    }
    world_destroy(stage->world);

    fault->kind = FAULT_TORN;
    fault->match.ops = 1 << OP_READ;
    copy(stage, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], i % 2 == 0 ? fill_at(PLACE + i * SECTOR_BYTES) : TAG_ZERO);
    }
    world_destroy(stage->world);

    fault->kind = FAULT_MISDIRECT;
    fault->bytes = 64 * KIB;
    copy(stage, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], fill_at(64 * KIB + i * SECTOR_BYTES));
    }
    world_destroy(stage->world);

    fault->kind = FAULT_CORRUPT;
    copy(stage, tags);
    assert_int_equal(tags[0], fill_at(PLACE) ^ TAG_CORRUPT);
    assert_int_equal(tags[1], fill_at(PLACE + SECTOR_BYTES));
}

/* ---- Sector by sector ---- */

static void test_effect_comes_sector_by_sector_when_the_disk_says_so(void **state)
{
    /* The end for the first, then three quarters, one quarter, the start. */
    struct choice_answer places[] = {
        {"effect src", 2, 4}, {"effect src", 3, 2}, {"effect src", 4, 1}};
    static const struct {
        uint64_t at_ns;
        unsigned changed;
    } instants[] = {{0, 0x08},
                    {WRITE_NS / 4, 0x0c},
                    {WRITE_NS / 2, 0x0c},
                    {WRITE_NS / 4 * 3, 0x0e},
                    {WRITE_NS, 0xff}};
    struct stage *stage = *state;

    stage->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(stage, places, 3);
    stage_open(stage);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
        world_run(stage->world, instants[i].at_ns);
        assert_int_equal(changed(stage, PLACE), instants[i].changed);
    }
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
    /* One piece each, and the rest in two. */
    assert_int_equal(stage_count(stage, EVENT_REQUEST_EFFECT), 5);
}

static void test_effect_mixes_two_writes_when_their_sectors_interleave(void **state)
{
    /* The second write's sectors 0 and 1 are overtaken by the first's. */
    struct choice_answer places[] = {{"effect src", SECTORS + 1, 1},
                                     {"effect src", SECTORS + 2, 1}};
    struct stage *stage = *state;

    stage->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(stage, places, 2);
    stage_open(stage);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    stage_run(stage);
    assert_int_equal(changed(stage, PLACE), 0x03);
    assert_int_equal(stage_tag(stage, SRC, PLACE + 2 * SECTOR_BYTES), tag_guest(2, 2));
}

static void test_effect_of_all_that_is_left_comes_at_once_when_a_hold_lets_go(void **state)
{
    struct choice_answer places[] = {{"effect src", 1, 1}, {"effect src", 2, 3}};
    struct stage *stage = *state;
    struct fault_spec *hold = stage_fault(stage, FAULT_HOLD);

    hold->phase = HOLD_BEFORE_EFFECT;
    stage->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(stage, places, 2);
    stage_open(stage);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    world_run(stage->world, 10);
    assert_int_equal(changed(stage, PLACE), 0);
    stage->world->evidence.end = END_NOT;
    requests_release(&stage->world->layer, 0);
    world_run(stage->world, 10);
    assert_int_equal(changed(stage, PLACE), 0xff);
    stage_run(stage);
    assert_int_equal(stage_count(stage, EVENT_REQUEST_DONE), 1);
}

static void test_effect_goes_on_the_same_when_the_world_is_restored_between_pieces(void **state)
{
    struct choice_answer places[] = {{"effect src", 1, 1}, {"effect src", 5, 3}};
    struct stage *stage = *state;
    uint64_t hash;
    void *memory;

    stage->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(stage, places, 2);
    stage_open(stage);
    stage_guest(stage, OP_WRITE, PLACE, BYTES);
    world_run(stage->world, 1);
    memory = malloc(world_save_bytes(stage->world));
    assert_non_null(memory);
    world_save(stage->world, memory);
    stage_run(stage);
    hash = stage->trace.hash;
    world_load(stage->world, memory);
    assert_int_equal(changed(stage, PLACE), 0x01);
    stage_run(stage);
    assert_int_equal(stage->trace.hash, hash);
    free(memory);
}

/* ---- Caches ---- */

static void test_effect_of_a_flush_is_none_when_it_is_lost(void **state)
{
    struct stage *stage = *state;

    stage_fault(stage, FAULT_LOST)->match.ops = 1 << OP_FLUSH;
    stage->plan->disks[SRC].volatile_cache = true;
    write_once(stage);
    stage->world->evidence.end = END_NOT;
    stage_guest(stage, OP_FLUSH, 0, 0);
    stage_run(stage);
    assert_int_equal(stage_event(stage, EVENT_REQUEST_DONE, 1)->ret, 0);
    cache_power_cut(&stage->world->layer.nodes[SRC], CUT_LOSES_ALL);
    assert_int_equal(changed(stage, PLACE), 0);
}

static void test_effect_survives_a_power_cut_as_its_plan_or_the_choices_say(void **state)
{
    struct choice_answer by_sector[] = {{"power-cut src", 1, 2}, {"power-cut src", 2, 1}};
    struct choice_answer lost = {"power-cut src", 1, 1};
    const struct {
        enum power_cut cut;
        struct choice_answer *answers;
        uint32_t count;
        unsigned changed;
    } cases[] = {
        {CUT_KEEPS_ALL, &lost, 1, 0xff},     {CUT_LOSES_ALL, NULL, 0, 0x00},
        {CUT_BY_CHOICE, NULL, 0, 0xff},      {CUT_BY_CHOICE, &lost, 1, 0x00},
        {CUT_BY_CHOICE, by_sector, 2, 0x54},
    };
    struct stage *stage = *state;

    stage->plan->disks[SRC].volatile_cache = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer(stage, cases[i].answers, cases[i].count);
        write_once(stage);
        cache_power_cut(&stage->world->layer.nodes[SRC], cases[i].cut);
        assert_int_equal(changed(stage, PLACE), cases[i].changed);
        world_destroy(stage->world);
    }
    stage->world = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_effect_of_a_write_is_this_when_a_fault_hits_it_silently),
        STAGE_TEST(test_effect_is_at_the_other_place_when_a_write_is_misdirected),
        STAGE_TEST(test_effect_ends_with_the_disk_when_a_write_is_misdirected_to_its_end),
        STAGE_TEST(test_effect_flips_a_bit_of_the_chosen_sector_when_a_write_is_corrupted),
        STAGE_TEST(test_effect_leaves_other_sectors_when_the_choices_tear_otherwise),
        STAGE_TEST(test_effect_is_torn_when_an_error_leaves_that_behind),
        STAGE_TEST(test_effect_of_a_read_is_this_when_a_fault_hits_it_silently),
        STAGE_TEST(test_effect_comes_sector_by_sector_when_the_disk_says_so),
        STAGE_TEST(test_effect_mixes_two_writes_when_their_sectors_interleave),
        STAGE_TEST(test_effect_of_all_that_is_left_comes_at_once_when_a_hold_lets_go),
        STAGE_TEST(test_effect_goes_on_the_same_when_the_world_is_restored_between_pieces),
        STAGE_TEST(test_effect_of_a_flush_is_none_when_it_is_lost),
        STAGE_TEST(test_effect_survives_a_power_cut_as_its_plan_or_the_choices_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
