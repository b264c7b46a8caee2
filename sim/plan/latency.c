/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Latencies in integer arithmetic.
 *
 * A lognormal distribution is given by its median and its 99th percentile: at
 * normal deviate z it is p50 * (p99 / p50) ^ (z / z(0.99)), computed as a power
 * of two with logarithms in 16.16 fixed point.
 */
#include "sim/plan/latency.h"

#include <assert.h>

#include "engine/range.h"
#include "sim/base/fixed.h"

/* value * factor / 2^16, saturating; factor is in 16.16 fixed point. */
static uint64_t scale_16(uint64_t value, uint32_t factor)
{
    uint64_t high = (value >> 32) * factor;
    uint64_t low = (value & UINT32_MAX) * factor >> 16;

    if (high >> 47 != 0) {
        return UINT64_MAX;
    }
    return (high << 16) + low;
}

static uint64_t uniform(const struct latency_spec *spec, uint32_t quantile)
{
    const uint64_t steps = LATENCY_BOUND - 1;
    uint64_t span = spec->b_ns - spec->a_ns;

    return spec->a_ns + span / steps * quantile + span % steps * quantile / steps;
}

static uint64_t percentiles(const struct latency_spec *spec, uint32_t quantile)
{
    int64_t spread;

    if (quantile == LATENCY_MEDIAN || spec->a_ns == spec->b_ns || spec->a_ns == 0) {
        return spec->a_ns;
    }
    spread = fixed_log2(spec->b_ns) - fixed_log2(spec->a_ns);
    if (quantile > LATENCY_MEDIAN) {
        return fixed_scale(spec->a_ns,
                           spread * latency_normal[quantile - LATENCY_MEDIAN] / FIXED_ONE);
    }
    return fixed_scale(spec->a_ns,
                       -(spread * latency_normal[LATENCY_MEDIAN - quantile] / FIXED_ONE));
}

uint64_t latency_quantile(const struct latency_spec *spec, uint32_t quantile)
{
    uint64_t latency_ns = spec->a_ns;

    assert(quantile < LATENCY_BOUND);
    switch (spec->kind) {
    case LATENCY_FIXED:
        break;
    case LATENCY_UNIFORM:
        assert(spec->a_ns <= spec->b_ns);
        latency_ns = uniform(spec, quantile);
        break;
    case LATENCY_EXPONENTIAL:
        latency_ns = scale_16(spec->a_ns, latency_exponential[quantile]);
        break;
    case LATENCY_PERCENTILES:
        assert(spec->a_ns <= spec->b_ns);
        latency_ns = percentiles(spec, quantile);
        break;
    }
    latency_ns = max_u64(latency_ns, spec->min_ns);
    return spec->max_ns == 0 ? latency_ns : min_u64(latency_ns, spec->max_ns);
}

uint64_t latency_draw(const struct latency_spec *spec, struct choices *choices,
                      struct choice_site *site)
{
    uint32_t answer = 0;

    if (spec->kind != LATENCY_FIXED) {
        answer = choose(choices, site, LATENCY_BOUND);
    }
    return latency_quantile(spec, (LATENCY_MEDIAN + answer) % LATENCY_BOUND);
}
