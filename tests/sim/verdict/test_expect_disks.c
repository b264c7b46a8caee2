/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations about disks, each shown to hold and to fail.
 */
#include "tests/support/run_over.h"

static void test_expect_same_and_differ(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_SAME, .a = SRC, .b = DST};

    copy_content(w, 0, LENGTH);
    assert_holds(w, expect);
    expect.kind = EXPECT_DIFFER;
    assert_fails(w, expect, "differ", "src and dst were expected to differ in [0B, 256KiB)");
    image_write(w->disks[DST].image, run_fill(DST, CHUNK, SECTOR_BYTES));
    assert_holds(w, expect);
    expect.kind = EXPECT_SAME;
    assert_fails(w, expect, "same",
                 "at sector 128 (64KiB) src holds the initial fill of src and dst holds the "
                 "initial fill of dst");
    assert_int_equal(w->verdict.findings[0].sector, 128);
    expect.bytes = CHUNK;
    assert_holds(w, expect);
    expect.offset = CHUNK;
    assert_fails(w, expect, "same", "in [64KiB, 128KiB)");
}

static void test_expect_same_looks_at_the_shorter_of_two_disks(void **state)
{
    struct witness *w = run_over(state);

    copy_content(w, 0, CHUNK);
    w->disks[DST].bytes = CHUNK;
    assert_holds(w, (struct expect_spec){.kind = EXPECT_SAME, .a = SRC, .b = DST});
}

static void test_expect_sector_asks_who_wrote_it(void **state)
{
    struct witness *w = run_over(state);
    struct action step = {.kind = DO_GUEST, .guest = {.op = OP_WRITE, .tag = "newer"}};
    struct expect_spec expect = {
        .kind = EXPECT_SECTOR, .a = SRC, .content = SECTOR_GUEST_TAG, .tag = "newer"};

    w->plan->steps = &step;
    w->plan->step_count = 1;
    assert_fails(w, expect, "sector",
                 "sector 0 (0B) of src was expected to hold a guest write with tag newer, but it "
                 "holds guest write #1.");
    for (uint64_t i = 0; i < w->trace.count; i++) {
        w->trace.events[i].index = w->trace.events[i].request == 1;
    }
    assert_holds(w, expect);
    expect.tag = "older";
    assert_fails(w, expect, "sector", "but it holds guest write #1 (tag newer).");
    expect.content = SECTOR_FILL_OF;
    expect.b = SRC;
    assert_fails(w, expect, "sector", "expected to hold the initial fill of src");
    expect.offset = SECTOR_BYTES;
    expect.bytes = CHUNK;
    assert_holds(w, expect);
    expect.a = DST;
    assert_fails(w, expect, "sector", "sector 1 (512B) of dst");
    expect.content = SECTOR_ZERO;
    assert_holds(w, expect);
    image_write(w->disks[DST].image, run_fill(SRC, CHUNK, SECTOR_BYTES));
    assert_fails(w, expect, "sector", "sector 128 (64KiB) of dst was expected to hold zeroes");
}

/* A fill that came from another place is not the fill of this sector. */
static void test_expect_sector_fails_when_the_fill_is_from_elsewhere(void **state)
{
    struct witness *w = run_over(state);
    struct run run = run_fill(SRC, CHUNK, SECTOR_BYTES);

    run.sector = 0;
    image_write(w->disks[DST].image, run);
    assert_fails(
        w,
        (struct expect_spec){.kind = EXPECT_SECTOR, .a = DST, .b = SRC, .content = SECTOR_FILL_OF},
        "sector",
        "hold the initial fill of src, but it holds the initial fill of sector 128 of src");
}

static void test_expect_links_lengths_and_allocation(void **state)
{
    struct witness *w = run_over(state);
    struct expect_spec expect = {.kind = EXPECT_BACKING, .a = SRC, .b = PLAN_NONE};

    w->disks[SRC].backing = THIRD;
    assert_holds(w, expect);
    w->disks[SRC].backing_open = true;
    assert_fails(w, expect, "backing", "backed by no disk at the end, but it is backed by third");
    expect.b = THIRD;
    assert_holds(w, expect);
    expect = (struct expect_spec){.kind = EXPECT_LENGTH, .a = SRC, .count = LENGTH};
    assert_holds(w, expect);
    expect.count = CHUNK;
    assert_fails(w, expect, "length",
                 "as long as 64KiB at the end (65536 bytes), but it is 262144");
    expect = (struct expect_spec){.kind = EXPECT_ALLOCATED, .a = DST};
    assert_holds(w, expect);
    image_write(w->disks[DST].image, run_fill(SRC, 0, CHUNK));
    assert_fails(w, expect, "allocated", "have allocated 0B at the end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_expect_same_and_differ),
        WITNESS_TEST(test_expect_same_looks_at_the_shorter_of_two_disks),
        WITNESS_TEST(test_expect_sector_asks_who_wrote_it),
        WITNESS_TEST(test_expect_sector_fails_when_the_fill_is_from_elsewhere),
        WITNESS_TEST(test_expect_links_lengths_and_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
