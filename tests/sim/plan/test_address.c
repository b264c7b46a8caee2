/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: compares each distribution with its definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/plan/address.h"

#define NUMBERS 4096u

/* The nth of NUMBERS evenly spread numbers. */
static uint32_t number_at(uint32_t n)
{
    return n * (UINT32_MAX / NUMBERS + 1);
}

static int set_up(void **state)
{
    *state = arena_create((size_t)16 << 20);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

/* ---- Zipf ---- */

/*
 * The share of the first `ranks` of k^-theta over k = 1 .. slots, of 2^32, as
 * exact arithmetic gives it.  The tables are right to 1 in 2^15.
 */
static const struct {
    uint32_t theta;
    uint64_t slots;
    uint64_t ranks;
    uint32_t share;
} shares[] = {
    {0, 2, 1, 2147483648u},           {0, 33, 1, 130150524u},
    {0, 33, 10, 1301505241u},         {0, 100, 33, 1417339207u},
    {0, 100, 64, 2748779069u},        {0, 100, 65, 2791728742u},
    {0, 4096, 1, 1048576u},           {0, 4096, 64, 67108864u},
    {0, 4096, 1000, 1048576000u},     {0, 100003, 2, 85896u},
    {0, 100003, 100, 4294838u},       {0, 100003, 50000, 2147419225u},
    {500, 2, 1, 2515933592u},         {500, 33, 1, 424588913u},
    {500, 33, 10, 2131860043u},       {500, 100, 33, 2337119602u},
    {500, 100, 64, 3373680709u},      {500, 100, 65, 3402337862u},
    {500, 4096, 1, 33939577u},        {500, 4096, 64, 495587891u},
    {500, 4096, 1000, 2097500147u},   {500, 100003, 2, 11619485u},
    {500, 100003, 100, 126530824u},   {500, 100003, 50000, 3034051104u},
    {900, 2, 1, 2796408881u},         {900, 33, 1, 899092602u},
    {900, 33, 10, 2896105876u},       {900, 100, 33, 3192458134u},
    {900, 100, 64, 3835268864u},      {900, 100, 65, 3850876882u},
    {900, 4096, 1, 317109048u},       {900, 4096, 64, 1819846157u},
    {900, 4096, 1000, 3337099172u},   {900, 100003, 2, 297240151u},
    {900, 100003, 100, 1243765117u},  {900, 100003, 50000, 3885116455u},
    {1000, 2, 1, 2863311530u},        {1000, 33, 1, 1050422901u},
    {1000, 33, 10, 3076655331u},      {1000, 100, 33, 3385382035u},
    {1000, 100, 64, 3927775878u},     {1000, 100, 65, 3940513802u},
    {1000, 4096, 1, 482846220u},      {1000, 4096, 64, 2290569792u},
    {1000, 4096, 1000, 3614331312u},  {1000, 100003, 2, 532866591u},
    {1000, 100003, 100, 1842786784u}, {1000, 100003, 50000, 4048721764u},
    {1200, 2, 1, 2992434518u},        {1200, 33, 1, 1379065262u},
    {1200, 33, 10, 3403137778u},      {1200, 100, 33, 3712501574u},
    {1200, 100, 64, 4075110444u},     {1200, 100, 65, 4083068291u},
    {1200, 4096, 1, 924785927u},      {1200, 4096, 64, 3161469466u},
    {1200, 4096, 1000, 4009654265u},  {1200, 100003, 2, 1210715181u},
    {1200, 100003, 100, 3039310284u}, {1200, 100003, 50000, 4232248648u},
    {2000, 2, 1, 3435973836u},        {2000, 33, 1, 2659281628u},
    {2000, 33, 10, 4121268856u},      {2000, 100, 33, 4242695942u},
    {2000, 100, 64, 4280378977u},     {2000, 100, 65, 4281000732u},
    {2000, 4096, 1, 2611414558u},     {2000, 4096, 64, 4255118534u},
    {2000, 4096, 1000, 4292994661u},  {2000, 100003, 2, 3263803616u},
    {2000, 100003, 100, 4269013093u}, {2000, 100003, 50000, 4294941185u},
};

/* How many numbers give one of the first ranks. */
static uint64_t numbers_below(const struct address *address, uint64_t ranks)
{
    uint64_t low = 0;
    uint64_t high = UINT64_C(1) << 32;

    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (address_rank(address, (uint32_t)middle) < ranks) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void test_address_zipf_gives_each_rank_its_share(void **state)
{
    const uint64_t tolerance = UINT64_C(1) << (32 - 15);

    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        struct address_spec spec = {.kind = ADDRESS_ZIPF,
                                    .theta = shares[i].theta,
                                    .bytes = shares[i].slots * 512,
                                    .align = 512};
        struct address address;
        uint64_t numbers;

        address_init(&address, *state, &spec);
        numbers = numbers_below(&address, shares[i].ranks);
        assert_in_range(numbers + tolerance, shares[i].share, shares[i].share + 2 * tolerance);
    }
}

static void test_address_zipf_ranks_ascend_and_reach_the_last_slot(void **state)
{
    static const uint64_t slots[] = {1, 2, 3, 31, 32, 33, 63, 64, 65, 1000, 4096, 70001};

    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        struct address_spec spec = {
            .kind = ADDRESS_ZIPF, .theta = 0, .bytes = slots[i] * 512, .align = 512};
        struct address address;
        uint64_t last = 0;

        address_init(&address, *state, &spec);
        assert_int_equal(address_rank(&address, 0), 0);
        assert_int_equal(address_rank(&address, UINT32_MAX), slots[i] - 1);
        for (uint32_t n = 0; n < NUMBERS; n++) {
            uint64_t rank = address_rank(&address, number_at(n));

            assert_in_range(rank, last, slots[i] - 1);
            last = rank;
        }
    }
}

static void test_address_scatter_is_a_permutation_whatever_the_size(void **state)
{
    bool *seen = arena_alloc(*state, 5000);

    for (uint64_t slots = 1; slots < 5000; slots += 1 + slots / 16) {
        memset(seen, 0, slots);
        for (uint64_t rank = 0; rank < slots; rank++) {
            uint64_t slot = address_scatter(rank, slots);

            assert_in_range(slot, 0, slots - 1);
            assert_false(seen[slot]);
            seen[slot] = true;
        }
    }
}

/* The popular places are not neighbours: no two of the first eight are in one 32nd of the disk. */
static void test_address_scatter_keeps_popular_ranks_apart(void **state)
{
    const uint64_t slots = 4096;

    (void)state;
    for (uint64_t a = 0; a < 8; a++) {
        for (uint64_t b = 0; b < a; b++) {
            uint64_t x = address_scatter(a, slots);
            uint64_t y = address_scatter(b, slots);

            assert_true(max_u64(x, y) - min_u64(x, y) >= slots / 32);
        }
    }
}

/* ---- The others ---- */

static void test_address_uniform_gives_each_slot_as_much(void **state)
{
    struct address_spec spec = {
        .kind = ADDRESS_UNIFORM, .offset = 64 * KIB, .bytes = 256 * KIB, .align = 4 * KIB};
    uint32_t counts[64] = {0};
    struct address address;

    address_init(&address, *state, &spec);
    for (uint32_t n = 0; n < NUMBERS; n++) {
        uint64_t at = address_next(&address, number_at(n), 4 * KIB) - spec.offset;

        assert_int_equal(at % (4 * KIB), 0);
        assert_in_range(at, 0, spec.bytes - 4 * KIB);
        counts[at / (4 * KIB)]++;
    }
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(counts[i], NUMBERS / 64);
    }
}

static void test_address_hot_part_gets_its_share_and_the_rest_goes_elsewhere(void **state)
{
    struct address_spec spec = {.kind = ADDRESS_HOT,
                                .bytes = MIB,
                                .align = 4 * KIB,
                                .share_ppm = 750000,
                                .hot_offset = 512 * KIB,
                                .hot_bytes = 64 * KIB};
    uint32_t hot = 0;
    uint32_t first = 0;
    struct address address;

    address_init(&address, *state, &spec);
    for (uint32_t n = 0; n < NUMBERS; n++) {
        uint64_t at = address_next(&address, number_at(n), 4 * KIB);

        hot += at >= 512 * KIB && at < 576 * KIB;
        first += at < 512 * KIB;
    }
    assert_int_equal(hot, NUMBERS * 3 / 4);
    /* All other slots get equal shares: 128 of the 240 are before the hot ones. */
    assert_in_range(first, NUMBERS / 4 * 128 / 240 - 1, NUMBERS / 4 * 128 / 240 + 1);
}

static void test_address_hot_part_may_be_all_there_is(void **state)
{
    struct address_spec spec = {.kind = ADDRESS_HOT,
                                .bytes = 8 * KIB,
                                .align = 4 * KIB,
                                .share_ppm = 1,
                                .hot_bytes = 8 * KIB};
    struct address address;

    address_init(&address, *state, &spec);
    assert_int_equal(address_next(&address, 0, 512), 0);
    assert_int_equal(address_next(&address, UINT32_MAX, 512), 4 * KIB);
    spec.hot_bytes = 512;
    spec.share_ppm = 1000000;
    address_init(&address, *state, &spec);
    assert_int_equal(address_next(&address, UINT32_MAX, 512), 0);
}

static void test_address_sequential_goes_on_and_starts_again(void **state)
{
    static const struct {
        uint64_t bytes;
        uint64_t at;
    } steps[] = {{4 * KIB, 0}, {6 * KIB, 4 * KIB}, {4 * KIB, 12 * KIB},
                 {8 * KIB, 0}, {8 * KIB, 8 * KIB}, {2 * KIB, 16 * KIB},
                 {512, 0}};
    struct address_spec spec = {
        .kind = ADDRESS_SEQUENTIAL, .offset = MIB, .bytes = 18 * KIB, .align = 4 * KIB};
    struct address address;

    address_init(&address, *state, &spec);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_int_equal(address_next(&address, 0, steps[i].bytes), MIB + steps[i].at);
    }
}

static void test_address_list_gives_its_places(void **state)
{
    uint64_t places[] = {MIB, 0, 64 * KIB};
    struct address_spec spec = {.kind = ADDRESS_LIST, .places = places, .place_count = 3};
    struct address address;

    address_init(&address, *state, &spec);
    assert_int_equal(address_count(&address), 3);
    assert_int_equal(address_next(&address, 0, 4 * KIB), MIB);
    assert_int_equal(address_next(&address, UINT32_MAX / 2, 4 * KIB), 0);
    assert_int_equal(address_next(&address, UINT32_MAX, 4 * KIB), 64 * KIB);
}

/* This also holds if neither the range nor the request is a multiple of the alignment. */
static void test_address_is_inside_the_range_whatever_the_request(void **state)
{
    static const enum address_kind kinds[] = {ADDRESS_SEQUENTIAL, ADDRESS_UNIFORM, ADDRESS_ZIPF,
                                              ADDRESS_HOT};
    static const uint64_t ranges[] = {512, 1024, 4 * KIB, 5 * KIB, 63 * KIB + 512};

    for (uint32_t i = 0; i < 4 * 5; i++) {
        struct address_spec spec = {.kind = kinds[i % 4],
                                    .offset = 512,
                                    .bytes = ranges[i / 4],
                                    .align = 2 * KIB,
                                    .theta = 900,
                                    .share_ppm = 500000,
                                    .hot_bytes = 512};
        struct address address;

        address_init(&address, *state, &spec);
        for (uint32_t n = 0; n < NUMBERS; n++) {
            uint64_t bytes = 512 * (1 + n % (spec.bytes / 512));
            uint64_t at = address_next(&address, number_at(n), bytes);

            assert_in_range(at, 512, 512 + spec.bytes - bytes);
            assert_int_equal((at - 512) % spec.align, 0);
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_address_zipf_gives_each_rank_its_share),
        TEST(test_address_zipf_ranks_ascend_and_reach_the_last_slot),
        TEST(test_address_scatter_is_a_permutation_whatever_the_size),
        TEST(test_address_scatter_keeps_popular_ranks_apart),
        TEST(test_address_uniform_gives_each_slot_as_much),
        TEST(test_address_hot_part_gets_its_share_and_the_rest_goes_elsewhere),
        TEST(test_address_hot_part_may_be_all_there_is),
        TEST(test_address_sequential_goes_on_and_starts_again),
        TEST(test_address_list_gives_its_places),
        TEST(test_address_is_inside_the_range_whatever_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
