/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where events can't be independent: a search that leaves orders out there would miss some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/units.h"
#include "sim/world/independent.h"
#include "sim/world/world.h"
#include "tests/support/load.h"

static bool is_possible(const char *sections)
{
    struct plan *plan = load_plan(sections, 0, 0);
    const struct world_options options = {.engine = &mirror_engine};
    struct trace trace;
    struct world *world;
    bool possible;

    trace_init(&trace, false);
    world = world_create(plan, &options, &trace);
    assert_non_null(world);
    possible = independent_possible(world).reads;
    world_destroy(world);
    trace_free(&trace);
    plan_destroy(plan);
    return possible;
}

/* The target is below the source: what is written there changes what the source's holes show. */
static void test_independent_is_nothing_when_the_source_shows_the_target(void **state)
{
    (void)state;
    assert_true(is_possible("disks: {src: {size: 1MiB}, dst: {size: 1MiB}}\n"));
    assert_true(is_possible("disks:\n  base: {size: 1MiB}\n  src: {size: 1MiB, backing: base}\n"
                            "  dst: {size: 1MiB}\n"));
    assert_false(is_possible("disks:\n  base: {size: 1MiB}\n  top: {size: 1MiB, backing: base}\n"
                             "job: {commit: top, into: base}\n"));
    assert_false(
        is_possible("disks:\n  base: {size: 1MiB}\n  mid: {size: 1MiB, backing: base}\n"
                    "  top: {size: 1MiB, backing: mid}\njob: {commit: top, into: base}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_independent_is_nothing_when_the_source_shows_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
