/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects: which data moves, when, and where; silent faults, and sectors that
 * move one by one.  A request of eight sectors at 8 KiB, against a disk whose
 * sectors all differ.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/disk/cache.h"
#include "tests/support/disks.h"

#define PLACE (8 * KIB)
#define SECTORS 8
#define BYTES (SECTORS * SECTOR_BYTES)

/* The sectors of the request that the write has changed, a bit each. */
static unsigned changed(const struct disks *disks, uint64_t place)
{
    unsigned mask = 0;

    for (uint64_t i = 0; i < SECTORS; i++) {
        if (disks_tag(disks, SRC, place + i * SECTOR_BYTES) == tag_guest(1, i)) {
            mask |= 1u << i;
        }
    }
    return mask;
}

static uint64_t fill_at(uint64_t offset)
{
    return tag_fill(SRC, offset / SECTOR_BYTES);
}

static void write_once(struct disks *disks)
{
    disks_open(disks);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    disks_run(disks);
}

static void answer(struct disks *disks, struct choice_answer *answers, uint32_t count)
{
    disks->choices.recorded = answers;
    disks->choices.recorded_count = count;
}

/* ---- Silent faults ---- */

static void test_effect_of_a_write_is_this_when_a_fault_hits_it_silently(void **state)
{
    static const struct {
        enum fault_kind kind;
        unsigned changed;
        uint64_t moved; /* bytes according to the events */
    } cases[] = {
        {FAULT_LOST, 0x00, 0},
        {FAULT_TORN, 0x55, BYTES / 2},
        {FAULT_CORRUPT, 0xfe, BYTES},
        {FAULT_MISDIRECT, 0x00, BYTES},
    };
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_LOST);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t moved = 0;

        fault->kind = cases[i].kind;
        fault->bytes = 0;
        write_once(disks);
        assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->ret, 0);
        assert_int_equal(disks->layer->faults[0].hits, 1);
        assert_int_equal(changed(disks, PLACE), cases[i].changed);
        for (uint64_t j = 0; j < disks_count(disks, EVENT_REQUEST_EFFECT); j++) {
            moved += disks_event(disks, EVENT_REQUEST_EFFECT, j)->bytes;
        }
        assert_int_equal(moved, cases[i].moved);
    }
}

static void test_effect_is_at_the_other_place_when_a_write_is_misdirected(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_MISDIRECT);

    fault->bytes = 64 * KIB;
    write_once(disks);
    assert_int_equal(changed(disks, PLACE), 0);
    assert_int_equal(changed(disks, 64 * KIB), 0xff);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_EFFECT, 0)->offset, 64 * KIB);
}

static void test_effect_ends_with_the_disk_when_a_write_is_misdirected_to_its_end(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_MISDIRECT);

    fault->bytes = MIB - 2 * SECTOR_BYTES;
    write_once(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_EFFECT, 0)->bytes, 2 * SECTOR_BYTES);
    assert_int_equal(disks_tag(disks, SRC, MIB - SECTOR_BYTES), tag_guest(1, 1));
    fault->bytes = MIB;
    write_once(disks);
    assert_null(disks_event(disks, EVENT_REQUEST_EFFECT, 0));
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->ret, 0);
}

static void test_effect_flips_a_bit_of_the_chosen_sector_when_a_write_is_corrupted(void **state)
{
    struct choice_answer third = {"corrupt fault", 1, 2};
    struct disks *disks = *state;
    uint64_t tag;

    disks_fault(disks, FAULT_CORRUPT);
    answer(disks, &third, 1);
    write_once(disks);
    assert_int_equal(changed(disks, PLACE), 0xfb);
    tag = disks_tag(disks, SRC, PLACE + 2 * SECTOR_BYTES);
    assert_true(tag_is_corrupt(tag));
    assert_int_equal(tag & ~TAG_CORRUPT, tag_guest(1, 2));
}

static void test_effect_leaves_other_sectors_when_the_choices_tear_otherwise(void **state)
{
    struct choice_answer swapped[] = {{"torn fault", 1, 1}, {"torn fault", 4, 1}};
    struct disks *disks = *state;

    disks_fault(disks, FAULT_TORN);
    answer(disks, swapped, 2);
    write_once(disks);
    assert_int_equal(changed(disks, PLACE), 0x5c);
}

static void test_effect_is_torn_when_an_error_leaves_that_behind(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->error = -EIO;
    fault->applied = APPLIED_TORN;
    write_once(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->ret, -EIO);
    assert_int_equal(changed(disks, PLACE), 0x55);
}

/* ---- Reads into buffers ---- */

static struct block_iov two_buffers(struct disks *disks)
{
    static const uint32_t both[] = {0, 1};
    struct block_buffers *buffers;

    assert_int_equal(block_buffers_create(&disks->layer->nodes[SRC], BYTES / 2, 2, &buffers), 0);
    return (struct block_iov){buffers, both, 2};
}

/* Copies the range from src to dst through two buffers; returns the tags that arrive. */
static void copy(struct disks *disks, uint64_t tags[SECTORS])
{
    struct ending read;
    struct ending write;
    struct block_iov iov;

    disks_open(disks);
    iov = two_buffers(disks);
    read.layer = write.layer = disks->layer;
    block_read(&disks->layer->nodes[SRC], PLACE, BYTES, iov, disks_done, &read);
    disks_run(disks);
    block_write(&disks->layer->nodes[DST], PLACE, BYTES, iov, disks_done, &write);
    disks_run(disks);
    for (uint64_t i = 0; i < SECTORS; i++) {
        tags[i] = disks_tag(disks, DST, PLACE + i * SECTOR_BYTES);
    }
}

static void test_effect_of_a_read_is_this_when_a_fault_hits_it_silently(void **state)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_LOST);
    uint64_t tags[SECTORS];

    copy(disks, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], TAG_ZERO);
    }
    fault->kind = FAULT_TORN;
    fault->match.ops = 1 << OP_READ;
    copy(disks, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], i % 2 == 0 ? fill_at(PLACE + i * SECTOR_BYTES) : TAG_ZERO);
    }
    fault->kind = FAULT_MISDIRECT;
    fault->bytes = 64 * KIB;
    copy(disks, tags);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(tags[i], fill_at(64 * KIB + i * SECTOR_BYTES));
    }
    fault->kind = FAULT_CORRUPT;
    copy(disks, tags);
    assert_int_equal(tags[0], fill_at(PLACE) ^ TAG_CORRUPT);
    assert_int_equal(tags[1], fill_at(PLACE + SECTOR_BYTES));
}

/* ---- Sector by sector ---- */

static void test_effect_comes_sector_by_sector_when_the_disk_says_so(void **state)
{
    /* The first sector moves at the end, the next at three quarters, one quarter, and the start. */
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
    struct disks *disks = *state;

    disks->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(disks, places, 3);
    disks_open(disks);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    for (size_t i = 0; i < COUNT_OF(instants); i++) {
        disks_run_until(disks, instants[i].at_ns);
        assert_int_equal(changed(disks, PLACE), instants[i].changed);
    }
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
    /* One piece for each of the four, and the rest in two. */
    assert_int_equal(disks_count(disks, EVENT_REQUEST_EFFECT), 5);
}

static void test_effect_mixes_two_writes_when_their_sectors_interleave(void **state)
{
    /* Sectors 0 and 1 of the first write move after those of the second. */
    struct choice_answer places[] = {{"effect src", SECTORS + 1, 1},
                                     {"effect src", SECTORS + 2, 1}};
    struct disks *disks = *state;

    disks->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(disks, places, 2);
    disks_open(disks);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    disks_run(disks);
    assert_int_equal(changed(disks, PLACE), 0x03);
    assert_int_equal(disks_tag(disks, SRC, PLACE + 2 * SECTOR_BYTES), tag_guest(2, 2));
}

static void test_effect_of_all_that_is_left_comes_at_once_when_a_hold_lets_go(void **state)
{
    struct choice_answer places[] = {{"effect src", 1, 1}, {"effect src", 2, 3}};
    struct disks *disks = *state;
    struct fault_spec *hold = disks_fault(disks, FAULT_HOLD);

    hold->phase = HOLD_BEFORE_EFFECT;
    disks->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(disks, places, 2);
    disks_open(disks);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    disks_run_until(disks, 10);
    assert_int_equal(changed(disks, PLACE), 0);
    requests_release(disks->layer, 0);
    disks_run_until(disks, 10);
    assert_int_equal(changed(disks, PLACE), 0xff);
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_DONE), 1);
}

static void test_effect_goes_on_the_same_when_the_disks_are_restored_between_pieces(void **state)
{
    struct choice_answer places[] = {{"effect src", 1, 1}, {"effect src", 5, 3}};
    struct disks *disks = *state;
    uint64_t hash;
    uint64_t before;
    uint64_t count;
    size_t bytes;
    void *memory;

    disks->plan->disks[SRC].effect = EFFECT_BY_SECTOR;
    answer(disks, places, 2);
    disks_open(disks);
    disks_guest(disks, OP_WRITE, PLACE, BYTES);
    disks_run_until(disks, 1);
    bytes = arena_used_bytes(disks->arena);
    memory = malloc(bytes);
    assert_non_null(memory);
    arena_save(disks->arena, memory);
    count = disks->trace.count;
    before = disks->trace.hash;
    disks_run(disks);
    hash = disks->trace.hash;
    arena_load(disks->arena, memory, bytes);
    trace_rewind(&disks->trace, count, before);
    assert_int_equal(changed(disks, PLACE), 0x01);
    disks_run(disks);
    assert_int_equal(disks->trace.hash, hash);
    free(memory);
}

/* ---- Caches ---- */

static void test_effect_of_a_flush_is_none_when_it_is_lost(void **state)
{
    struct disks *disks = *state;

    disks_fault(disks, FAULT_LOST)->match.ops = 1 << OP_FLUSH;
    disks->plan->disks[SRC].volatile_cache = true;
    write_once(disks);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 1)->ret, 0);
    cache_power_cut(&disks->layer->nodes[SRC], CUT_LOSES_ALL);
    assert_int_equal(changed(disks, PLACE), 0);
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
    struct disks *disks = *state;

    disks->plan->disks[SRC].volatile_cache = true;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        answer(disks, cases[i].answers, cases[i].count);
        write_once(disks);
        cache_power_cut(&disks->layer->nodes[SRC], cases[i].cut);
        assert_int_equal(changed(disks, PLACE), cases[i].changed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_effect_of_a_write_is_this_when_a_fault_hits_it_silently),
        DISKS_TEST(test_effect_is_at_the_other_place_when_a_write_is_misdirected),
        DISKS_TEST(test_effect_ends_with_the_disk_when_a_write_is_misdirected_to_its_end),
        DISKS_TEST(test_effect_flips_a_bit_of_the_chosen_sector_when_a_write_is_corrupted),
        DISKS_TEST(test_effect_leaves_other_sectors_when_the_choices_tear_otherwise),
        DISKS_TEST(test_effect_is_torn_when_an_error_leaves_that_behind),
        DISKS_TEST(test_effect_of_a_read_is_this_when_a_fault_hits_it_silently),
        DISKS_TEST(test_effect_comes_sector_by_sector_when_the_disk_says_so),
        DISKS_TEST(test_effect_mixes_two_writes_when_their_sectors_interleave),
        DISKS_TEST(test_effect_of_all_that_is_left_comes_at_once_when_a_hold_lets_go),
        DISKS_TEST(test_effect_goes_on_the_same_when_the_disks_are_restored_between_pieces),
        DISKS_TEST(test_effect_of_a_flush_is_none_when_it_is_lost),
        DISKS_TEST(test_effect_survives_a_power_cut_as_its_plan_or_the_choices_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
