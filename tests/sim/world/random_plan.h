/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random plans: stories of mirror and commit jobs that nobody would have
 * thought of.
 *
 * A plan is drawn so that every finding about its run is a bug, either of the
 * engine or of the simulator:
 *
 * - Nothing lasts for ever.  Faults hit a bounded number of requests, requests
 *   that hang or are held are released, a pause is followed by a resume, and
 *   READY by a complete or a cancel.  Two late cancels end what is left.
 * - No fault is required to fire, and any command may be refused.
 * - A second job only starts after one that left the guest on its source.
 * - No disk makes a job fail for ever: targets are not too short, transfers are
 *   not limited, latencies and bandwidths are not extreme.
 */
#ifndef MIRRORSIM_TESTS_SIM_WORLD_RANDOM_PLAN_H
#define MIRRORSIM_TESTS_SIM_WORLD_RANDOM_PLAN_H

#include <stdint.h>

#include "sim/plan/plan.h"

/* The same seed gives the same plan everywhere; the caller destroys it. */
struct plan *random_plan_create(uint64_t seed);

#endif
