/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators in scenario files, and the resulting plans.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/support/load.h"
#include "tests/support/units.h"

static void test_scenario_describes_a_generator_when_it_has_a_mix(void **state)
{
    struct plan *plan = load_plan(
        "guest:\n"
        "  churn: {rate: 8MiB/s, mix: [{weight: 80, write: {at: {zipf: 0.9, align: 4KiB}, len: "
        "{choose: [4KiB, 64KiB]}}}, {weight: 20, flush: true}]}\n",
        0, 0);
    const struct generator_spec *spec = &plan->generators[0];

    (void)state;
    assert_int_equal(plan->generator_count, 1);
    assert_string_equal(spec->name, "churn");
    assert_int_equal(spec->where.line, 5);
    assert_int_equal(spec->pace, PACE_RATE);
    assert_int_equal(spec->rate, 8 * MIB);
    assert_int_equal(spec->until_mark, PLAN_NONE);
    assert_int_equal(spec->mix_count, 2);
    assert_int_equal(spec->mix[0].weight, 80);
    assert_int_equal(spec->mix[0].request.op, OP_WRITE);
    assert_string_equal(spec->mix[0].request.tag, "churn");
    assert_int_equal(spec->mix[0].address.kind, ADDRESS_ZIPF);
    assert_int_equal(spec->mix[0].address.theta, 900);
    assert_int_equal(spec->mix[0].address.align, 4 * KIB);
    assert_int_equal(spec->mix[0].address.bytes, MIB); /* that of the smaller disk */
    assert_int_equal(spec->mix[0].length_count, 2);
    assert_int_equal(spec->mix[0].lengths[1], 64 * KIB);
    assert_int_equal(spec->mix[1].weight, 20);
    assert_int_equal(spec->mix[1].request.op, OP_FLUSH);
    plan_destroy(plan);
}

static void test_scenario_describes_when_a_generator_runs(void **state)
{
    struct plan *plan = load_plan(
        "steps: [start, {mark: stop}]\n"
        "guest:\n"
        "  a: {every: 2ms, from: 5ms, until: 9ms, flush: true, optional: true}\n"
        "  b: {outstanding: 4, think: 1ms, when: {event: ready, nth: 2}, after: 3ms, until: "
        "{mark: stop}, count: 7, bytes: 1MiB, latency: 1ms, read: {at: 64KiB}}\n",
        0, 0);
    const struct generator_spec *a = &plan->generators[0];
    const struct generator_spec *b = &plan->generators[1];

    (void)state;
    assert_int_equal(plan->generator_count, 2);
    assert_int_equal(a->pace, PACE_EVERY);
    assert_int_equal(a->every_ns, 2 * MS);
    assert_int_equal(a->from_ns, 5 * MS);
    assert_int_equal(a->until_ns, 9 * MS);
    assert_true(a->optional);
    assert_false(a->has_when);
    assert_int_equal(a->mix[0].weight, 1);
    assert_int_equal(b->pace, PACE_OUTSTANDING);
    assert_int_equal(b->outstanding, 4);
    assert_int_equal(b->think_ns, MS);
    assert_true(b->has_when);
    assert_true(b->when.kinds == UINT64_C(1) << EVENT_JOB_READY);
    assert_int_equal(b->nth, 2);
    assert_int_equal(b->after_ns, 3 * MS);
    assert_int_equal(b->until_mark, 0);
    assert_int_equal(b->count, 7);
    assert_int_equal(b->bytes, MIB);
    assert_int_equal(b->mix[0].request.op, OP_READ);
    assert_true(b->mix[0].request.has_latency);
    assert_int_equal(b->mix[0].request.latency_ns, MS);
    plan_destroy(plan);
}

static void test_scenario_describes_places_of_every_kind(void **state)
{
    static const struct {
        const char *write;
        enum address_kind kind;
        uint64_t offset;
        uint64_t bytes;
        uint64_t align;
        uint64_t hot_offset;
        uint64_t hot_bytes;
        uint64_t length;
    } cases[] = {
        {"{at: sequential}", ADDRESS_SEQUENTIAL, 0, MIB, 4 * KIB, 0, 0, 4 * KIB},
        {"{at: uniform, len: 64KiB}", ADDRESS_UNIFORM, 0, MIB, 64 * KIB, 0, 0, 64 * KIB},
        {"{at: {uniform: true, align: 1KiB}}", ADDRESS_UNIFORM, 0, MIB, KIB, 0, 0, 4 * KIB},
        {"{at: {uniform: true}, len: {choose: [8KiB, 2KiB]}}", ADDRESS_UNIFORM, 0, MIB, 2 * KIB, 0,
         0, 8 * KIB},
        {"{at: {sequential: true, in: part}, len: 512}", ADDRESS_SEQUENTIAL, 64 * KIB, 128 * KIB,
         512, 0, 0, 512},
        {"{at: {zipf: 1, in: {at: 4KiB, len: 8KiB}}}", ADDRESS_ZIPF, 4 * KIB, 8 * KIB, 4 * KIB, 0,
         0, 4 * KIB},
        {"{at: {hot: {share: 90%, of: 25%}}}", ADDRESS_HOT, 0, MIB, 4 * KIB, 0, 256 * KIB, 4 * KIB},
        {"{at: {hot: {share: 90%, of: {at: 96KiB, len: 4KiB}}, in: part}}", ADDRESS_HOT, 64 * KIB,
         128 * KIB, 4 * KIB, 32 * KIB, 4 * KIB, 4 * KIB},
        {"part", ADDRESS_LIST, 0, 0, 0, 0, 0, 128 * KIB},
        {"{at: 64KiB}", ADDRESS_LIST, 0, 0, 0, 0, 0, 4 * KIB},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mix_spec *mix;
        struct plan *plan;
        char text[400];

        snprintf(text, sizeof(text),
                 "vars: {part: {at: 64KiB, len: 128KiB}}\n"
                 "guest: {g: {every: 1ms, write: %s}}\n",
                 cases[i].write);
        plan = load_plan(text, 0, 0);
        mix = &plan->generators[0].mix[0];
        assert_int_equal(mix->address.kind, cases[i].kind);
        assert_int_equal(mix->address.offset, cases[i].offset);
        assert_int_equal(mix->address.bytes, cases[i].bytes);
        assert_int_equal(mix->address.align, cases[i].align);
        assert_int_equal(mix->address.hot_offset, cases[i].hot_offset);
        assert_int_equal(mix->address.hot_bytes, cases[i].hot_bytes);
        assert_int_equal(mix->lengths[0], cases[i].length);
        assert_true(cases[i].kind != ADDRESS_LIST || mix->address.places[0] == 64 * KIB);
        plan_destroy(plan);
    }
}

/* Unlike elsewhere, `choose` in a generator is not decided by the loader. */
static void test_scenario_leaves_choose_to_the_run_when_a_generator_draws(void **state)
{
    struct plan *plan =
        load_plan("guest: {g: {every: {choose: [1ms, 2ms]}, discard: {at: {choose: [0, 64KiB]}, "
                  "len: {choose: [4KiB, 8KiB, 512]}}}}\n",
                  0, 7);
    const struct mix_spec *mix = &plan->generators[0].mix[0];

    (void)state;
    assert_int_equal(mix->request.op, OP_DISCARD);
    assert_int_equal(mix->address.place_count, 2);
    assert_int_equal(mix->address.places[1], 64 * KIB);
    assert_int_equal(mix->length_count, 3);
    assert_int_equal(mix->lengths[2], 512);
    plan_destroy(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_describes_a_generator_when_it_has_a_mix),
        cmocka_unit_test(test_scenario_describes_when_a_generator_runs),
        cmocka_unit_test(test_scenario_describes_places_of_every_kind),
        cmocka_unit_test(test_scenario_leaves_choose_to_the_run_when_a_generator_draws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
