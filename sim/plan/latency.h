/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Latencies: a spec and a choice determine an exact number of nanoseconds.
 *
 * A distribution is cut into LATENCY_BOUND quantiles of equal weight, in
 * tables of integers, so that a draw is the same on every machine.
 * LATENCY_BOUND is odd, so the middle quantile is the median itself.  It is
 * answer 0, so a quiet run takes medians.
 */
#ifndef MIRRORSIM_SIM_PLAN_LATENCY_H
#define MIRRORSIM_SIM_PLAN_LATENCY_H

#include <stdint.h>

#include "sim/base/choice.h"
#include "sim/plan/plan.h"

#define LATENCY_BOUND UINT32_C(1023)
#define LATENCY_MEDIAN (LATENCY_BOUND / 2)

/*
 * A latency in ns, within the spec's clamps.  Asks `site` once; a fixed latency
 * asks nothing, and its `site` may be NULL.
 */
uint64_t latency_draw(const struct latency_spec *spec, struct choices *choices,
                      struct choice_site *site);

/* The latency at a quantile, from 0 (fastest) to LATENCY_BOUND - 1 (slowest). */
uint64_t latency_quantile(const struct latency_spec *spec, uint32_t quantile);

/*
 * Tables in 16.16 fixed point (latency_tables.c), at the middle of each
 * quantile q: -ln(1 - q); and, from the median up, the normal deviate z(q)
 * divided by z(0.99).
 */
extern const uint32_t latency_exponential[LATENCY_BOUND];
extern const uint32_t latency_normal[LATENCY_BOUND - LATENCY_MEDIAN];

#endif
