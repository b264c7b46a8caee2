/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile caches: what a flush that fails drops, and what survives it.
 */
#include "sim/disk/cache.h"

#include <errno.h>

#include "engine/units.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* The first flush of the target fails, and drops so; the disks are open, with a chunk flushed. */
static struct disks *dropping(void **state, enum fault_drops drops)
{
    struct disks *disks = *state;
    struct fault_spec *fault = disks_fault(disks, FAULT_ERROR);

    fault->match.ops = 1u << OP_FLUSH;
    fault->nth = 2;
    fault->times = 1;
    fault->error = -EIO;
    fault->drops = drops;
    disks->plan->disks[SRC].volatile_cache = true;
    disks->plan->disks[SRC].fill = FILL_ZERO;
    disks_open(disks);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    disks_run(disks);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    return disks;
}

static void fail_flush(struct disks *disks)
{
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
}

static uint64_t durable_tag(const struct disks *disks, uint64_t offset)
{
    uint64_t sector = offset / SECTOR_BYTES;
    struct run run;

    return image_lookup(disks_node(disks, SRC)->disk.durable, sector, sector + 1, &run) ? run.tag
                                                                                        : TAG_ZERO;
}

static void test_cache_shows_what_is_durable_when_a_flush_has_dropped_the_rest(void **state)
{
    struct disks *disks = dropping(state, DROPS_NOW);
    uint64_t flushed = disks_tag(disks, SRC, 0);

    disks_guest(disks, OP_WRITE, 0, 4 * KIB);
    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_run(disks);
    assert_int_not_equal(disks_tag(disks, SRC, 0), flushed);
    fail_flush(disks);
    assert_int_equal(disks_tag(disks, SRC, 0), flushed);
    assert_int_equal(disks_tag(disks, SRC, CHUNK), TAG_ZERO);
}

/* A write that ends after the flush was submitted is not covered by it, so it is not dropped. */
static void test_cache_keeps_what_a_failed_flush_did_not_cover(void **state)
{
    static const enum fault_drops drops[] = {DROPS_NOW, DROPS_LATER};

    for (size_t i = 0; i < COUNT_OF(drops); i++) {
        struct disks *disks = *state;

        disks->plan->fault_count = 0;
        disks = dropping(state, drops[i]);
        disks->plan->disks[SRC].latency[OP_FLUSH].a_ns = 10 * WRITE_NS;
        disks_guest(disks, OP_FLUSH, 0, 0);
        disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
        disks_run(disks);
        assert_int_not_equal(disks_tag(disks, SRC, CHUNK), TAG_ZERO);
        disks_guest(disks, OP_FLUSH, 0, 0);
        disks_run(disks);
        assert_int_equal(durable_tag(disks, CHUNK), disks_tag(disks, SRC, CHUNK));
    }
}

/* Readers see it, but no flush makes it durable before it is written again. */
static void test_cache_loses_later_what_readers_still_see(void **state)
{
    struct disks *disks = dropping(state, DROPS_LATER);

    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_run(disks);
    fail_flush(disks);
    assert_int_not_equal(disks_tag(disks, SRC, CHUNK), TAG_ZERO);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(durable_tag(disks, CHUNK), TAG_ZERO);
    disks_guest(disks, OP_WRITE, CHUNK, 4 * KIB);
    disks_run(disks);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(durable_tag(disks, CHUNK), disks_tag(disks, SRC, CHUNK));
    assert_int_equal(durable_tag(disks, CHUNK + 4 * KIB), TAG_ZERO);
    cache_power_cut(disks_node(disks, SRC), CUT_KEEPS_ALL);
    assert_int_equal(disks_tag(disks, SRC, CHUNK + 4 * KIB), TAG_ZERO);
}

static void test_cache_keeps_all_when_a_failed_flush_drops_nothing(void **state)
{
    struct disks *disks = dropping(state, DROPS_NOTHING);

    disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
    disks_run(disks);
    fail_flush(disks);
    assert_int_equal(durable_tag(disks, CHUNK), TAG_ZERO);
    disks_guest(disks, OP_FLUSH, 0, 0);
    disks_run(disks);
    assert_int_equal(durable_tag(disks, CHUNK), disks_tag(disks, SRC, CHUNK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_cache_shows_what_is_durable_when_a_flush_has_dropped_the_rest),
        DISKS_TEST(test_cache_keeps_what_a_failed_flush_did_not_cover),
        DISKS_TEST(test_cache_loses_later_what_readers_still_see),
        DISKS_TEST(test_cache_keeps_all_when_a_failed_flush_drops_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
